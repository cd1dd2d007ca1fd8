//! One float at a time: what each operation of [`Lanes`] means, and the reference for the other kinds.

use super::Lanes;

/// Declares lanes of width one.
macro_rules! lanes {
    ($(#[$meta:meta])* $name:ident, $fused:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $name;

        impl Lanes for $name {
            type F = f32;
            type I = i32;
            const WIDTH: usize = 1;
            const REGISTERS: usize = 16;
            const FUSED: bool = $fused;

            #[inline(always)]
            fn splat(self, x: f32) -> f32 {
                x
            }
            #[inline(always)]
            fn load(self, from: &[f32]) -> f32 {
                from.first().copied().unwrap_or(0.0)
            }
            #[inline(always)]
            fn store(self, v: f32, to: &mut [f32]) {
                if let Some(to) = to.first_mut() {
                    *to = v;
                }
            }
            #[inline(always)]
            fn gather(self, mut at: impl FnMut(usize) -> f32) -> f32 {
                at(0)
            }

            #[inline(always)]
            fn add(self, a: f32, b: f32) -> f32 {
                a + b
            }
            #[inline(always)]
            fn sub(self, a: f32, b: f32) -> f32 {
                a - b
            }
            #[inline(always)]
            fn mul(self, a: f32, b: f32) -> f32 {
                a * b
            }
            #[inline(always)]
            fn div(self, a: f32, b: f32) -> f32 {
                a / b
            }
            #[inline(always)]
            fn sqrt(self, a: f32) -> f32 {
                libm::sqrtf(a)
            }
            #[inline(always)]
            fn mul_add(self, a: f32, b: f32, c: f32) -> f32 {
                if $fused { libm::fmaf(a, b, c) } else { a * b + c }
            }
            #[inline(always)]
            fn select_lt(self, a: f32, b: f32, yes: f32, no: f32) -> f32 {
                if a < b { yes } else { no }
            }

            #[inline(always)]
            fn bits(self, v: f32) -> i32 {
                v.to_bits().cast_signed()
            }
            #[inline(always)]
            fn float(self, v: i32) -> f32 {
                f32::from_bits(v.cast_unsigned())
            }
            #[inline(always)]
            fn splat_i32(self, x: i32) -> i32 {
                x
            }
            #[inline(always)]
            fn add_i32(self, a: i32, b: i32) -> i32 {
                a.wrapping_add(b)
            }
            #[inline(always)]
            fn sub_i32(self, a: i32, b: i32) -> i32 {
                a.wrapping_sub(b)
            }
            #[inline(always)]
            fn and_i32(self, a: i32, b: i32) -> i32 {
                a & b
            }
            #[inline(always)]
            fn or_i32(self, a: i32, b: i32) -> i32 {
                a | b
            }
            #[inline(always)]
            fn shl_i32<const N: u32>(self, a: i32) -> i32 {
                a << N
            }
            #[inline(always)]
            fn shr_i32<const N: u32>(self, a: i32) -> i32 {
                a >> N
            }
        }
    };
}

lanes! {
    /// Lanes of width one, in plain Rust: the same bits as [`Portable`](super::Portable).
    Scalar, false
}

lanes! {
    /// [`Scalar`] with a multiply-add that rounds once, in software where need be: the same bits as lanes that do it in
    /// hardware.
    FusedScalar, true
}

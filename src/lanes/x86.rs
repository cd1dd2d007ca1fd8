//! Lanes of x86-64 processors that are found when the program runs, through `fearless_simd`'s tokens.
//!
//! Multiply-add rounds once. All arithmetic must be inlined into [`Lanes::run`], where the processor's instructions are
//! allowed; that is why kernels are `inline(always)`.

use fearless_simd::{Bytes, Select, SimdBase, SimdFloat, SimdMask, f32x8, f32x16, i32x8, i32x16};

use super::Lanes;

/// Declares lanes over the token of the same name.
macro_rules! lanes {
    ($(#[$meta:meta])* $name:ident, $f:ident, $i:ident, $width:literal, $registers:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name(fearless_simd::$name);

        impl $name {
            /// The token stands for what the processor can do; only who asked the processor has one.
            pub(super) const fn new(token: fearless_simd::$name) -> Self {
                Self(token)
            }
        }

        impl Lanes for $name {
            type F = $f<fearless_simd::$name>;
            type I = $i<fearless_simd::$name>;
            const WIDTH: usize = $width;
            const REGISTERS: usize = $registers;
            const FUSED: bool = true;

            #[inline(always)]
            fn run<T>(self, f: impl FnOnce() -> T) -> T {
                fearless_simd::Simd::vectorize(self.0, f)
            }

            #[inline(always)]
            fn splat(self, x: f32) -> Self::F {
                $f::splat(self.0, x)
            }
            #[inline(always)]
            fn load(self, from: &[f32]) -> Self::F {
                match from.first_chunk() {
                    Some(from) => $f::load_array_ref(self.0, from),
                    None => {
                        let mut padded = [0.0; $width];
                        for (to, x) in padded.iter_mut().zip(from) {
                            *to = *x;
                        }
                        $f::load_array_ref(self.0, &padded)
                    }
                }
            }
            #[inline(always)]
            fn store(self, v: Self::F, to: &mut [f32]) {
                match to.first_chunk_mut() {
                    Some(to) => v.store_array(to),
                    None => {
                        let mut whole = [0.0; $width];
                        v.store_array(&mut whole);
                        for (to, x) in to.iter_mut().zip(whole) {
                            *to = x;
                        }
                    }
                }
            }
            #[inline(always)]
            fn gather(self, at: impl FnMut(usize) -> f32) -> Self::F {
                $f::from_fn(self.0, at)
            }

            #[inline(always)]
            fn add(self, a: Self::F, b: Self::F) -> Self::F {
                a + b
            }
            #[inline(always)]
            fn sub(self, a: Self::F, b: Self::F) -> Self::F {
                a - b
            }
            #[inline(always)]
            fn mul(self, a: Self::F, b: Self::F) -> Self::F {
                a * b
            }
            #[inline(always)]
            fn div(self, a: Self::F, b: Self::F) -> Self::F {
                a / b
            }
            #[inline(always)]
            fn sqrt(self, a: Self::F) -> Self::F {
                a.sqrt()
            }
            #[inline(always)]
            fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
                a.mul_add(b, c)
            }
            #[inline(always)]
            fn select_lt(self, a: Self::F, b: Self::F, yes: Self::F, no: Self::F) -> Self::F {
                a.simd_lt(b).select(yes, no)
            }
            // `fearless_simd` leaves it to its implementation what they give for NaN and two zeros: MAXPS and MINPS give the
            // second operand. `tests/lanes.rs` holds it, and Cargo.toml the version.
            #[inline(always)]
            fn max(self, a: Self::F, b: Self::F) -> Self::F {
                a.max(b)
            }
            #[inline(always)]
            fn min(self, a: Self::F, b: Self::F) -> Self::F {
                a.min(b)
            }
            #[inline(always)]
            fn all_zero(self, v: Self::F) -> bool {
                v.simd_eq(0.0).all_true()
            }

            #[inline(always)]
            fn bits(self, v: Self::F) -> Self::I {
                v.bitcast()
            }
            #[inline(always)]
            fn float(self, v: Self::I) -> Self::F {
                v.bitcast()
            }
            #[inline(always)]
            fn splat_i32(self, x: i32) -> Self::I {
                $i::splat(self.0, x)
            }
            #[inline(always)]
            fn add_i32(self, a: Self::I, b: Self::I) -> Self::I {
                a + b
            }
            #[inline(always)]
            fn sub_i32(self, a: Self::I, b: Self::I) -> Self::I {
                a - b
            }
            #[inline(always)]
            fn and_i32(self, a: Self::I, b: Self::I) -> Self::I {
                a & b
            }
            #[inline(always)]
            fn or_i32(self, a: Self::I, b: Self::I) -> Self::I {
                a | b
            }
            #[inline(always)]
            fn shl_i32<const N: u32>(self, a: Self::I) -> Self::I {
                a << N
            }
            #[inline(always)]
            fn shr_i32<const N: u32>(self, a: Self::I) -> Self::I {
                a >> N
            }
        }
    };
}

lanes! {
    /// 8 floats and fused multiply-add: x86-64-v3, from Haswell and Zen on.
    Avx2, f32x8, i32x8, 8, 16
}

lanes! {
    /// 16 floats and 32 registers: AVX-512 as from Ice Lake and Zen 4 on.
    Avx512, f32x16, i32x16, 16, 32
}

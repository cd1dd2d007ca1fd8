//! Lanes over `wide`: the widest registers that the build's target is known to have.
//!
//! Multiply-add is two operations on purpose: `wide`'s own fuses or not with the flags of the build, and these
//! lanes promise the same bits on every target. Who wants it fused says so by the feature `fused`.

use super::{Lanes, fused::FUSED};

#[cfg(not(target_feature = "avx2"))]
use wide::{f32x4 as F, i32x4 as I};
#[cfg(all(target_feature = "avx2", not(target_feature = "avx512f")))]
use wide::{f32x8 as F, i32x8 as I};
#[cfg(target_feature = "avx512f")]
use wide::{f32x16 as F, i32x16 as I};

const WIDTH: usize = size_of::<F>() / size_of::<f32>();

/// Whether `F` is a register and not an array: without one, a mask is a detour and a branch is not.
const HAS_REGISTERS: bool = cfg!(any(
    target_feature = "sse2",
    target_feature = "simd128",
    all(target_feature = "neon", target_arch = "aarch64")
));

/// Where `F` is an array, it takes four of a scalar unit's 32 registers.
const REGISTERS: usize = if cfg!(any(target_arch = "aarch64", target_feature = "avx512f")) {
    32
} else if HAS_REGISTERS {
    16
} else {
    8
};

/// Lanes of the `wide` crate, on every target, chosen when the crate is compiled.
#[derive(Clone, Copy, Debug, Default)]
pub struct Portable;

/// Applies `f` lane by lane.
#[inline(always)]
fn each(a: F, b: F, c: F, d: F, f: impl Fn(f32, f32, f32, f32) -> f32) -> F {
    let (a, b, c, d) = (a.to_array(), b.to_array(), c.to_array(), d.to_array());
    let mut out = [0.0; WIDTH];
    for l in 0..WIDTH {
        out[l] = f(a[l], b[l], c[l], d[l]);
    }
    F::new(out)
}

/// Where it is called is rarely reached: a branch around is better than a selection.
#[cold]
fn cold() {}

/// One comparison of integers, for two of floats: without their signs, both are in the same order.
#[inline(always)]
fn clamp_abs(x: f32, limit: f32) -> f32 {
    if x.to_bits() << 1 > limit.to_bits() << 1 {
        cold();
        if x.is_nan() { x } else { limit.copysign(x) }
    } else {
        x
    }
}

impl Lanes for Portable {
    type F = F;
    type I = I;
    const WIDTH: usize = WIDTH;
    const REGISTERS: usize = REGISTERS;
    const FUSED: bool = FUSED;
    const VLDM: bool = true;

    #[inline(always)]
    fn splat(self, x: f32) -> F {
        F::splat(x)
    }
    #[inline(always)]
    fn load(self, from: &[f32]) -> F {
        F::new(from.first_chunk().copied().unwrap_or_else(|| {
            let mut padded = [0.0; WIDTH];
            for (to, x) in padded.iter_mut().zip(from) {
                *to = *x;
            }
            padded
        }))
    }
    #[inline(always)]
    fn store(self, v: F, to: &mut [f32]) {
        let v = v.to_array();
        match to.first_chunk_mut() {
            Some(to) => *to = v,
            None => {
                for (to, x) in to.iter_mut().zip(v) {
                    *to = x;
                }
            }
        }
    }
    #[inline(always)]
    fn gather(self, mut at: impl FnMut(usize) -> f32) -> F {
        let mut v = [0.0; WIDTH];
        for (l, to) in v.iter_mut().enumerate() {
            *to = at(l);
        }
        F::new(v)
    }

    #[inline(always)]
    fn add(self, a: F, b: F) -> F {
        a + b
    }
    #[inline(always)]
    fn sub(self, a: F, b: F) -> F {
        a - b
    }
    #[inline(always)]
    fn mul(self, a: F, b: F) -> F {
        a * b
    }
    #[inline(always)]
    fn div(self, a: F, b: F) -> F {
        a / b
    }
    #[inline(always)]
    fn sqrt(self, a: F) -> F {
        if HAS_REGISTERS { a.sqrt() } else { each(a, a, a, a, |a, _, _, _| libm::sqrtf(a)) }
    }
    #[inline(always)]
    fn mul_add(self, a: F, b: F, c: F) -> F {
        #[cfg(all(feature = "fused", any(target_arch = "riscv32", target_arch = "riscv64")))]
        return super::fused::mul_add(a, b, c);
        #[cfg(not(all(feature = "fused", any(target_arch = "riscv32", target_arch = "riscv64"))))]
        return if FUSED { a.mul_add(b, c) } else { a * b + c };
    }
    #[inline(always)]
    fn select_lt(self, a: F, b: F, yes: F, no: F) -> F {
        if HAS_REGISTERS {
            a.simd_lt(b).select(yes, no)
        } else {
            each(a, b, yes, no, |a, b, yes, no| if a < b { yes } else { no })
        }
    }
    #[inline(always)]
    fn clamp_abs(self, x: F, limit: f32) -> F {
        if HAS_REGISTERS {
            self.clamp(x, F::splat(-limit), F::splat(limit))
        } else {
            each(x, x, x, x, |x, _, _, _| clamp_abs(x, limit))
        }
    }

    #[inline(always)]
    fn bits(self, v: F) -> I {
        bytemuck::must_cast(v)
    }
    #[inline(always)]
    fn float(self, v: I) -> F {
        bytemuck::must_cast(v)
    }
    #[inline(always)]
    fn splat_i32(self, x: i32) -> I {
        I::splat(x)
    }
    #[inline(always)]
    fn add_i32(self, a: I, b: I) -> I {
        a + b
    }
    #[inline(always)]
    fn sub_i32(self, a: I, b: I) -> I {
        a - b
    }
    #[inline(always)]
    fn and_i32(self, a: I, b: I) -> I {
        a & b
    }
    #[inline(always)]
    fn or_i32(self, a: I, b: I) -> I {
        a | b
    }
    #[inline(always)]
    fn shl_i32<const N: u32>(self, a: I) -> I {
        a << N
    }
    #[inline(always)]
    fn shr_i32<const N: u32>(self, a: I) -> I {
        a >> N
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::Scalar;

    /// What targets without registers do, against two comparisons of floats.
    #[test]
    fn clamping_by_integers_is_clamping() {
        let around = [7.999_999_5, 8.0, 8.000_001, 0.0, 1e-40, 1.0, f32::MAX, f32::INFINITY, f32::NAN];
        for x in around.into_iter().flat_map(|x| [x, -x]) {
            assert_eq!(clamp_abs(x, 8.0).to_bits(), Scalar.clamp_abs(x, 8.0).to_bits(), "{x}");
        }
    }
}

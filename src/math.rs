//! Elementary functions over [`Lanes`]: no tables, no doubles, no branches.
//!
//! | function | max ulp, two roundings | max ulp, fused |
//! |---|---|---|

use crate::lanes::Lanes;

/// 1/ln 2
const LOG2_E: f32 = 1.442_695_04;
/// ln 2 in two parts. The first has 15 significant bits, so that its product with an exponent is exact.
const LN_2_HI: f32 = 0.693_145_75;
const LN_2_LO: f32 = 1.428_606_8e-6;

/// 1.5 · 2²³: the spacing of floats here is one, so adding it rounds to an integer, found in the low bits.
const ROUND: f32 = 12_582_912.0;

/// Σ cᵢ xⁱ, the lowest power first.
#[inline(always)]
fn horner<L: Lanes, const N: usize>(lanes: L, x: L::F, c: [f32; N]) -> L::F {
    const { assert!(N > 0) }
    let mut sum = lanes.splat(c[N - 1]);
    for c in c[..N - 1].iter().rev() {
        sum = lanes.mul_add(sum, x, lanes.splat(*c));
    }
    sum
}

/// eˣ
#[inline(always)]
pub fn exp<L: Lanes>(lanes: L, x: L::F) -> L::F {
    exp_between(lanes, lanes.clamp(x, lanes.splat(EXP_MIN), lanes.splat(EXP_MAX)))
}

/// e to this rounds to zero.
const EXP_MIN: f32 = -104.0;
/// e to this overflows.
const EXP_MAX: f32 = 89.0;

/// eˣ for x from [`EXP_MIN`] to [`EXP_MAX`], or NaN.
#[inline(always)]
fn exp_between<L: Lanes>(lanes: L, x: L::F) -> L::F {
    // The integer in the low bits of `sum` is n + 254, two exponent biases more than n.
    let origin = lanes.splat(ROUND + 254.0);
    let sum = lanes.mul_add(x, lanes.splat(LOG2_E), origin);
    let n = lanes.sub(sum, origin);
    let r = lanes.mul_add(n, lanes.splat(-LN_2_HI), x);
    let r = lanes.mul_add(n, lanes.splat(-LN_2_LO), r);

    let q = horner(lanes, r, [0.499_999_93, 0.166_665_2, 0.041_668_39, 0.008_368_78, 0.001_381_45]);
    let p = lanes.add(lanes.splat(1.0), lanes.mul_add(lanes.mul(r, r), q, r));

    // 2ⁿ itself may be out of range where p · 2ⁿ is not, so it is two factors. What is in the high bits of
    // `sum` leaves by the shift.
    let sum = lanes.bits(sum);
    let half = lanes.shr_i32::<1>(sum);
    let rest = lanes.sub_i32(sum, half);
    let p = lanes.mul(p, lanes.float(lanes.shl_i32::<23>(half)));
    lanes.mul(p, lanes.float(lanes.shl_i32::<23>(rest)))
}

/// tanh x
#[inline(always)]
pub fn tanh<L: Lanes>(lanes: L, x: L::F) -> L::F {
    let x = lanes.clamp(x, lanes.splat(-8.3), lanes.splat(8.3));
    let y = lanes.mul(x, x);
    let p = horner(lanes, y, [1.0, 0.134275049, 0.00355108222, 2.15390264e-05, 1.46893084e-08]);
    let q = horner(lanes, y, [1.0, 0.467608303, 0.026087299, 0.000337703648, 8.31212219e-07]);
    lanes.div(lanes.mul(x, p), q)
}

/// σ(x) = 1 / (1 + e⁻ˣ)
#[inline(always)]
pub fn sigmoid<L: Lanes>(lanes: L, x: L::F) -> L::F {
    // e^−|x| cannot overflow, and as the numerator for negative x it keeps the tail's relative accuracy.
    let minus_abs = lanes.float(lanes.or_i32(lanes.bits(x), lanes.splat_i32(i32::MIN)));
    let e = exp_between(lanes, lanes.max(lanes.splat(EXP_MIN), minus_abs));
    let one = lanes.splat(1.0);
    let numerator = lanes.select_lt(x, lanes.splat(0.0), e, one);
    lanes.div(numerator, lanes.add(one, e))
}

/// ln x
#[inline(always)]
pub fn ln<L: Lanes>(lanes: L, x: L::F) -> L::F {
    let normal = lanes.splat(f32::MIN_POSITIVE);
    let scaled = lanes.select_lt(x, normal, lanes.mul(x, lanes.splat(8_388_608.0)), x);
    let origin = lanes.select_lt(x, normal, lanes.splat(ROUND + 23.0), lanes.splat(ROUND));

    // x = m · 2ᵏ with m from √½ to √2
    let bits = lanes.bits(scaled);
    let k = lanes.shr_i32::<23>(lanes.sub_i32(bits, lanes.bits(lanes.splat(core::f32::consts::FRAC_1_SQRT_2))));
    let f = lanes.sub(lanes.float(lanes.sub_i32(bits, lanes.shl_i32::<23>(k))), lanes.splat(1.0));
    let k = lanes.add_i32(k, lanes.bits(lanes.splat(ROUND)));
    let k = lanes.sub(lanes.float(k), origin);

    let r = horner(
        lanes,
        f,
        [-0.5, 0.33333332, -0.25000821, 0.20001227, -0.16623357, 0.14201758, -0.13160182, 0.12761574, -0.07634494],
    );
    let tail = lanes.mul_add(lanes.mul(f, f), r, lanes.mul(k, lanes.splat(LN_2_LO)));
    let ln = lanes.mul_add(k, lanes.splat(LN_2_HI), lanes.add(f, tail));

    // In this order: +∞ and NaN are their own logarithms; below the least subnormal lies −∞; NaN below zero.
    let ln = lanes.select_lt(x, lanes.splat(f32::INFINITY), ln, x);
    let ln = lanes.select_lt(x, lanes.splat(f32::from_bits(1)), lanes.splat(f32::NEG_INFINITY), ln);
    lanes.select_lt(x, lanes.splat(0.0), lanes.splat(f32::NAN), ln)
}

//! Elementary functions over [`Lanes`]: no tables, no doubles, no branches, no panics.
//!
//! Largest errors over all 2³² arguments, against `f64`:
//!
//! | function | max ulp | at | max ulp, fused | at | max absolute error | at |
//! |---|---|---|---|---|---|---|
//! | [`exp`] | 0.989 | −27.378 984 | 1.019 | −27.377 993 | – | – |
//! | [`ln`] | 0.923 | 0.706 430 8 | 0.876 | 1.274 329 3 | 3.9 · 10⁻⁶ | 6.916 · 10⁻³² |
//! | [`tanh`] | 5.627 | 4.006 987 6 | 4.783 | 4.078 021 5 | 3.4 · 10⁻⁷ | 4.006 987 6 |
//! | [`sigmoid`] | 2.402 | −4.157 294 | 2.402 | −4.157 294 | 9.0 · 10⁻⁸ | 7.859 211 |
//! | [`gate`] | – | – | – | – | 1.8 · 10⁻⁷ | 10.621 922 |
//!
//! An ulp is the distance between floats at the true value, 2⁻¹⁴⁹ where that is subnormal; where the truth rounds
//! to an infinity, only that infinity is right. "Fused" is for a [`Lanes::mul_add`] that rounds once; the absolute
//! errors, taken with one that rounds twice, bound both. [`tanh`] is within 2.5 ulp for |x| ≤ 1.
//!
//! `tests/math.rs` holds these bounds: for every argument in a release build, for a dense sample in a debug build.
//! NaN gives NaN; zeros and infinities give what `libm` gives.
//! Subnormal results are not flushed to zero.
//!
//! One value at a time:
//!
//! ```
//! use recurve::{lanes::Scalar, math::tanh};
//! assert!((tanh(Scalar, 0.5) - 0.462_117_16).abs() < 1e-7);
//! ```

use crate::lanes::Lanes;
use core::f32::consts::{FRAC_1_SQRT_2, LOG2_E};

/// ln 2 in two parts. The first has 15 significant bits, so its product with an exponent is exact.
const LN_2_HI: f32 = 0.693_145_75;
const LN_2_LO: f32 = 1.428_606_8e-6;

/// 1.5 · 2²³, where neighbouring floats differ by one: to add it is to round to an integer, which then stands in
/// the low bits. No conversion between integers and floats is needed.
const ROUND: f32 = 12_582_912.0;

/// Where eˣ has rounded to zero, and where it has overflowed.
const EXP_MIN: f32 = -104.0;
const EXP_MAX: f32 = 89.0;

/// (eʳ − 1 − r) / r² for |r| ≤ ½ ln 2
const EXP_TAIL: [f32; 5] = [0.499_999_94, 0.166_665_2, 0.041_668_393, 0.008_368_781, 0.001_381_446_7];

/// (ln(1 + f) − f) / f² for 1 + f from √½ to √2
const LN_TAIL: [f32; 9] = [
    -0.5,
    0.333_333_3,
    -0.250_008_2,
    0.200_012_27,
    -0.166_233_57,
    0.142_017_59,
    -0.131_601_83,
    0.127_615_75,
    -0.076_344_94,
];

/// Beyond this, `tanh` is ±1: here the rational function first comes out as 1 exactly, whether multiply-adds round
/// once or twice, and nowhere before is it larger.
const TANH_MAX: f32 = 8.020_523;

/// tanh x = x (1 + y · Σ `TANH_NUMERATOR`ᵢ yⁱ) / Σ `TANH_DENOMINATOR`ᵢ yⁱ with y = x²
const TANH_NUMERATOR: [f32; 4] = [0.134_521_45, 0.003_580_795_6, 2.205_281e-5, 1.546_935_4e-8];
const TANH_DENOMINATOR: [f32; 5] = [1.0, 0.467_854_77, 0.026_199_117, 0.000_342_659_16, 8.615_599e-7];

/// eˣ: e^r · 2ⁿ with x = n ln 2 + r, n an integer, |r| ≤ ½ ln 2, and e^r a polynomial of degree 6.
///
/// Subnormal results are rounded once, as any other; +∞ from 88.722 84 on, 0 below −103.972 08.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn exp<L: Lanes>(lanes: L, x: L::F) -> L::F {
    exp_in_range(lanes, lanes.clamp(x, lanes.splat(EXP_MIN), lanes.splat(EXP_MAX)))
}

/// ln x: k ln 2 + ln m with x = m · 2ᵏ, k an integer, m from √½ to √2, and ln m a polynomial of degree 10 in m − 1.
///
/// −∞ for either zero, NaN below. Subnormal arguments are scaled first and lose nothing.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn ln<L: Lanes>(lanes: L, x: L::F) -> L::F {
    let normal = lanes.splat(f32::MIN_POSITIVE);
    let scaled = lanes.select_lt(x, normal, lanes.mul(x, lanes.splat(8_388_608.0)), x);
    let origin = lanes.select_lt(x, normal, lanes.splat(ROUND + 23.0), lanes.splat(ROUND));

    let bits = lanes.bits(scaled);
    let sqrt_half = lanes.bits(lanes.splat(FRAC_1_SQRT_2));
    let k = lanes.shr_i32::<23>(lanes.sub_i32(bits, sqrt_half));
    let m = lanes.float(lanes.sub_i32(bits, lanes.shl_i32::<23>(k)));
    let k = lanes.add_i32(k, lanes.bits(lanes.splat(ROUND)));
    let k = lanes.sub(lanes.float(k), origin);

    let f = lanes.sub(m, lanes.splat(1.0));
    // The smallest terms first; k · LN_2_HI is exact.
    let low = lanes.mul(k, lanes.splat(LN_2_LO));
    let low = lanes.mul_add(lanes.mul(f, f), horner(lanes, f, LN_TAIL), low);
    let ln = lanes.mul_add(k, lanes.splat(LN_2_HI), lanes.add(f, low));

    // +∞ and NaN are their own logarithms. Nothing but zero lies between the negative numbers and 2⁻¹⁴⁹.
    let ln = lanes.select_lt(x, lanes.splat(f32::INFINITY), ln, x);
    let ln = lanes.select_lt(x, lanes.splat(f32::from_bits(1)), lanes.splat(f32::NEG_INFINITY), ln);
    lanes.select_lt(x, lanes.splat(0.0), lanes.splat(f32::NAN), ln)
}

/// tanh x: an odd rational function of degrees 9 and 8 for |x| ≤ 8.02, ±1 beyond.
///
/// Odd to the bit, |tanh x| ≤ 1, and tanh x = x where |x| is tiny or subnormal. 10 multiplications, 8 additions, a
/// division and two selections; with load, store and loop 26 instructions on a Cortex-M4F.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn tanh<L: Lanes>(lanes: L, x: L::F) -> L::F {
    let x = lanes.clamp_abs(x, TANH_MAX);
    let y = lanes.mul(x, x);
    // To add to x itself, instead of multiplying x by a sum that begins with one, saves a rounding.
    let numerator = lanes.mul_add(lanes.mul(x, y), horner(lanes, y, TANH_NUMERATOR), x);
    lanes.div(numerator, horner(lanes, y, TANH_DENOMINATOR))
}

/// σ(x) = 1 / (1 + e⁻ˣ), for negative x in the form eˣ / (1 + eˣ).
///
/// Both need e^−|x| only, which cannot overflow; as a numerator it keeps the tail's relative accuracy, down to
/// the subnormals.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn sigmoid<L: Lanes>(lanes: L, x: L::F) -> L::F {
    let minus_abs = lanes.float(lanes.or_i32(lanes.bits(x), lanes.splat_i32(i32::MIN)));
    let e = exp_in_range(lanes, lanes.max(lanes.splat(EXP_MIN), minus_abs));
    let one = lanes.splat(1.0);
    let numerator = lanes.select_lt(x, lanes.splat(0.0), e, one);
    lanes.div(numerator, lanes.add(one, e))
}

/// σ(x) as ½ + ½ tanh(x / 2): in fewer operations, and exact enough for a gate.
///
/// A gate is a factor between 0 and 1, so what counts is the absolute error. The tail of negative x is 0 from −16.1 on, where
/// [`sigmoid`] keeps its digits down to the subnormals. The halves are in the coefficients, as powers of two, which round
/// nothing: [`tanh`] and one addition.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn gate<L: Lanes>(lanes: L, x: L::F) -> L::F {
    let x = lanes.clamp_abs(x, 2.0 * TANH_MAX);
    let y = lanes.mul(x, x);
    let numerator = lanes.mul_add(lanes.mul(x, y), horner(lanes, y, GATE_NUMERATOR), x);
    lanes.add(lanes.div(numerator, horner(lanes, y, GATE_DENOMINATOR)), lanes.splat(0.5))
}

/// [`TANH_NUMERATOR`] for x² in place of (x / 2)².
const GATE_NUMERATOR: [f32; 4] = quarters(TANH_NUMERATOR, 0.25);
/// [`TANH_DENOMINATOR`] for x² in place of (x / 2)², four times as large: ½ for x / 2, and ½ for half of the quotient.
const GATE_DENOMINATOR: [f32; 5] = quarters(TANH_DENOMINATOR, 4.0);

/// cᵢ · `first` · 4⁻ⁱ
const fn quarters<const N: usize>(mut c: [f32; N], first: f32) -> [f32; N] {
    let (mut factor, mut i) = (first, 0);
    while i < N {
        c[i] *= factor;
        factor *= 0.25;
        i += 1;
    }
    c
}

/// eˣ for x from [`EXP_MIN`] to [`EXP_MAX`], or NaN.
#[cfg_attr(not(debug_assertions), inline(always))]
fn exp_in_range<L: Lanes>(lanes: L, x: L::F) -> L::F {
    // The low bits of `sum` are n + 254, two biases of an exponent more than n.
    let origin = lanes.splat(ROUND + 254.0);
    let sum = lanes.mul_add(x, lanes.splat(LOG2_E), origin);
    let n = lanes.sub(sum, origin);
    let r = lanes.mul_add(n, lanes.splat(-LN_2_HI), x);
    let r = lanes.mul_add(n, lanes.splat(-LN_2_LO), r);

    let tail = horner(lanes, r, EXP_TAIL);
    let e_r = lanes.add(lanes.splat(1.0), lanes.mul_add(lanes.mul(r, r), tail, r));

    // 2ⁿ may be out of range where e^r · 2ⁿ is not, so it is split in two. The shifts drop the high bits of `sum`.
    let sum = lanes.bits(sum);
    let half = lanes.shr_i32::<1>(sum);
    let rest = lanes.sub_i32(sum, half);
    let scaled = lanes.mul(e_r, lanes.float(lanes.shl_i32::<23>(half)));
    lanes.mul(scaled, lanes.float(lanes.shl_i32::<23>(rest)))
}

/// Σ cᵢ xⁱ
#[cfg_attr(not(debug_assertions), inline(always))]
fn horner<L: Lanes, const N: usize>(lanes: L, x: L::F, c: [f32; N]) -> L::F {
    const { assert!(N > 0) }
    let mut sum = lanes.splat(c[N - 1]);
    for c in c[..N - 1].iter().rev() {
        sum = lanes.mul_add(sum, x, lanes.splat(*c));
    }
    sum
}

//! The errors of `recurve::math` against `f64`, on every kind of lanes: a dense sample of all `f32`.
//!
//! `RECURVE_EXHAUSTIVE=1 cargo test --release --test math -- --nocapture` takes each of the 2³² and prints the maxima
//! that the module's table quotes.

#[allow(dead_code, reason = "each test crate uses its part of the helpers")]
mod common;
#[allow(dead_code, reason = "each test crate uses its part of the reference")]
mod reference;

use common::each_lanes;

use recurve::lanes::{FOLD, FusedScalar, Lanes, Portable, Scalar};
use recurve::math::{exp, gate, ln, sigmoid, tanh};

/// Distance between the bit patterns tried for errors, and for the rest; primes, but for the exhaustive one.
const STRIDE: u64 = match option_env!("RECURVE_EXHAUSTIVE") {
    Some(_) => 1,
    None if cfg!(debug_assertions) => 10_007,
    None => 127,
};
const SPARSE: u64 = if cfg!(debug_assertions) { 20_011 } else { 257 };

/// Bounds in ulp, for a multiply-add of either kind: the figures in the module's table, rounded up.
const EXP_ULP: f64 = 1.1;
const LN_ULP: f64 = 1.0;
const TANH_ULP: f64 = 5.7;
const SIGMOID_ULP: f64 = 2.5;

/// The worst of a sweep, and where it was met.
#[derive(Debug, Default)]
struct Worst {
    ulp: f64,
    ulp_at: f32,
    abs: f64,
    abs_at: f32,
}

/// The error of `got` in units of the spacing of floats at `truth`. Where `truth` rounds to an infinity, that
/// infinity is right and all else infinitely wrong; so too for NaN.
fn ulp_error(got: f32, truth: f64) -> f64 {
    let rounded = truth as f32;
    if rounded.is_nan() || got.is_nan() || rounded.is_infinite() || got.is_infinite() {
        let right = rounded == got || (rounded.is_nan() && got.is_nan());
        return if right { 0.0 } else { f64::INFINITY };
    }
    (f64::from(got) - truth).abs() / spacing(truth)
}

/// The distance between neighbouring floats at `x`: 2⁻¹⁴⁹ for subnormals, 2ᵉ⁻²³ in the binade of 2ᵉ.
fn spacing(x: f64) -> f64 {
    let exponent = ((x.to_bits() >> 52) & 0x7ff) as i32 - 1023;
    2.0_f64.powi(exponent.clamp(-126, 127) - 23)
}

fn sigmoid_f64(x: f64) -> f64 {
    if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) }
}

/// Calls `each(x, f(x))` for every `stride`th bit pattern, a register at a time.
fn sweep<L: Lanes>(lanes: L, stride: u64, f: impl Fn(L, L::F) -> L::F, mut each: impl FnMut(f32, f32)) {
    let (mut x, mut y) = ([0.0; FOLD], [0.0; FOLD]);
    let (x, y) = (&mut x[..L::WIDTH], &mut y[..L::WIDTH]);
    for block in (0..1 << 32).step_by(stride as usize * L::WIDTH) {
        for (x, l) in x.iter_mut().zip(0..) {
            *x = f32::from_bits((block + l * stride) as u32);
        }
        lanes.store(f(lanes, lanes.load(x)), y);
        for (x, y) in x.iter().zip(&*y) {
            each(*x, *y);
        }
    }
}

fn worst<L: Lanes>(lanes: L, name: &str, f: impl Fn(L, L::F) -> L::F, truth: impl Fn(f64) -> f64) -> Worst {
    let mut worst = Worst::default();
    sweep(lanes, STRIDE, f, |x, got| {
        let truth = truth(f64::from(x));
        let (ulp, abs) = (ulp_error(got, truth), (f64::from(got) - truth).abs());
        if ulp > worst.ulp {
            (worst.ulp, worst.ulp_at) = (ulp, x);
        }
        if abs > worst.abs && abs.is_finite() {
            (worst.abs, worst.abs_at) = (abs, x);
        }
    });
    println!("{name}: {worst:?}");
    worst
}

#[test]
fn exp_is_within_its_bound() {
    each_lanes!(lanes => {
        let worst = worst(lanes, "exp", exp, f64::exp);
        assert!(worst.ulp <= EXP_ULP, "{worst:?}");
    });
}

#[test]
fn ln_is_within_its_bound() {
    each_lanes!(lanes => {
        let worst = worst(lanes, "ln", ln, f64::ln);
        assert!(worst.ulp <= LN_ULP, "{worst:?}");
    });
}

#[test]
fn tanh_is_within_its_bounds() {
    each_lanes!(lanes => {
        let worst = worst(lanes, "tanh", tanh, f64::tanh);
        assert!(worst.ulp <= TANH_ULP, "{worst:?}");
        assert!(worst.abs <= 3.5e-7, "{worst:?}");
    });
}

#[test]
fn sigmoid_is_within_its_bounds() {
    each_lanes!(lanes => {
        let worst = worst(lanes, "sigmoid", sigmoid, sigmoid_f64);
        assert!(worst.ulp <= SIGMOID_ULP, "{worst:?}");
        assert!(worst.abs <= 9e-8, "{worst:?}");
    });
}

#[test]
fn gate_is_within_its_bound() {
    each_lanes!(lanes => {
        let worst = worst(lanes, "gate", gate, sigmoid_f64);
        assert!(worst.abs <= 2e-7, "{worst:?}");
    });
}

#[test]
fn gate_is_the_formula_in_its_docs() {
    sweep(Portable, SPARSE, gate, |x, y| {
        let expected = 0.5 + 0.5 * tanh(Scalar, 0.5 * x);
        assert!(same(expected, y), "gate({x:e}) = {y:e}, not {expected:e}");
    });
}

#[test]
fn tanh_is_never_beyond_one() {
    each_lanes!(lanes => { sweep(lanes, STRIDE, tanh, |x, y| assert!(x.is_nan() || y.abs() <= 1.0, "tanh({x:e}) = {y:e}")); });
}

#[test]
fn tanh_is_odd() {
    sweep(Portable, SPARSE, tanh, |x, y| assert!(same(tanh(Scalar, -x), -y), "tanh({x:e}) = {y:e}"));
    sweep(FusedScalar, SPARSE, tanh, |x, y| assert!(same(tanh(FusedScalar, -x), -y), "tanh({x:e}) = {y:e}"));
}

#[test]
fn sigmoid_stays_between_zero_and_one() {
    let unit = 0.0..=1.0;
    each_lanes!(lanes => {
        sweep(lanes, STRIDE, sigmoid, |x, y| assert!(x.is_nan() || unit.contains(&y), "sigmoid({x:e}) = {y:e}"));
        sweep(lanes, STRIDE, gate, |x, y| assert!(x.is_nan() || unit.contains(&y), "gate({x:e}) = {y:e}"));
    });
}

/// The same bits, but that a NaN may be any.
fn same(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

/// A function on these lanes gives the same bits as on lanes of width one that round alike.
fn check_width<L: Lanes>(lanes: L) {
    macro_rules! check {
        ($f:ident) => {
            sweep(lanes, SPARSE, $f, |x, y| {
                let expected = if L::FUSED { $f(FusedScalar, x) } else { $f(Scalar, x) };
                assert!(same(expected, y), "{}({x:e})", stringify!($f));
            });
        };
    }
    check!(exp);
    check!(ln);
    check!(tanh);
    check!(sigmoid);
    check!(gate);
}

#[test]
fn the_width_changes_no_bit() {
    each_lanes!(lanes => { check_width(lanes) });
}

/// Zeros with their sign, infinities, and where the results begin to round to zero, one or infinity.
const SPECIAL: [f32; 21] = [
    0.0,
    f32::from_bits(1),
    f32::from_bits(0x007f_ffff),
    f32::MIN_POSITIVE,
    f32::EPSILON,
    0.5,
    1.0,
    core::f32::consts::SQRT_2,
    8.020_523,
    9.010_913,
    16.635_532,
    17.328_68,
    87.336_54,
    88.722_83,
    88.722_84,
    103.278_93,
    103.972_08,
    103.972_084,
    104.0,
    f32::MAX,
    f32::INFINITY,
];

#[test]
fn special_values_are_right() {
    for x in SPECIAL.into_iter().flat_map(|x| [x, -x]) {
        let wide = f64::from(x);
        for (name, got, truth, bound) in [
            ("exp", exp(Scalar, x), wide.exp(), EXP_ULP),
            ("ln", ln(Scalar, x), wide.ln(), LN_ULP),
            ("tanh", tanh(Scalar, x), wide.tanh(), TANH_ULP),
            ("sigmoid", sigmoid(Scalar, x), sigmoid_f64(wide), SIGMOID_ULP),
        ] {
            let error = ulp_error(got, truth);
            assert!(error <= bound, "{name}({x:e}) is {got:e}, not {truth:e}: {error} ulp");
        }
    }
}

#[test]
fn exact_values_are_exact() {
    let bits = |x: f32| x.to_bits();
    assert_eq!(bits(exp(Scalar, 0.0)), bits(1.0));
    assert_eq!(bits(exp(Scalar, -0.0)), bits(1.0));
    assert_eq!(bits(exp(Scalar, f32::NEG_INFINITY)), bits(0.0));
    assert_eq!(bits(ln(Scalar, 1.0)), bits(0.0));
    assert_eq!(bits(ln(Scalar, 0.0)), bits(f32::NEG_INFINITY));
    assert_eq!(bits(ln(Scalar, -0.0)), bits(f32::NEG_INFINITY));
    for x in [8.020_523, 9.0, 1e9, f32::INFINITY] {
        assert_eq!(bits(tanh(Scalar, x)), bits(1.0));
        assert_eq!(bits(tanh(Scalar, -x)), bits(-1.0));
    }
    assert_eq!(bits(sigmoid(Scalar, 0.0)), bits(0.5));
    assert_eq!(bits(sigmoid(Scalar, f32::NEG_INFINITY)), bits(0.0));
    assert_eq!(bits(sigmoid(Scalar, f32::INFINITY)), bits(1.0));
    for x in [0.0, f32::from_bits(1), f32::from_bits(0x007f_ffff), f32::MIN_POSITIVE, 1e-20] {
        assert_eq!(bits(tanh(Scalar, x)), bits(x));
        assert_eq!(bits(tanh(Scalar, -x)), bits(-x));
    }
}

#[test]
fn exp_ends_where_floats_end() {
    assert!(exp(Scalar, 88.722_83).is_finite());
    assert_eq!(exp(Scalar, 88.722_84), f32::INFINITY);
    assert_eq!(exp(Scalar, -103.972_08), f32::from_bits(1));
    assert_eq!(exp(Scalar, -103.972_084).to_bits(), 0);
}

#[test]
fn nan_stays_nan_whatever_its_bits() {
    for bits in [0x7f80_0001, 0x7fbf_ffff, 0x7fc0_0000, 0x7fff_ffff, 0xff80_0001, 0xffc0_0000, 0xffff_ffff] {
        let x = f32::from_bits(bits);
        assert!(exp(Scalar, x).is_nan(), "exp {bits:x}");
        assert!(ln(Scalar, x).is_nan(), "ln {bits:x}");
        assert!(tanh(Scalar, x).is_nan(), "tanh {bits:x}");
        assert!(sigmoid(Scalar, x).is_nan(), "sigmoid {bits:x}");
    }
}

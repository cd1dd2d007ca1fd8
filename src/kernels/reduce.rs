//! Reductions of a slice to one number, in an order that no register width can change.
//!
//! Element i goes to virtual lane i mod [`FOLD`]; at the end the upper half of the lanes is folded onto the lower
//! half until one is left.

use crate::lanes::{FOLD, Lanes};

/// Folds `x`: `join` takes registers of elements into partial results, which start from `start`; `join_last` folds
/// those. The last register is filled up with `pad`.
#[cfg_attr(not(debug_assertions), inline(always))]
fn reduce<L: Lanes>(
    lanes: L,
    x: &[f32],
    [start, pad]: [f32; 2],
    join: impl Fn(L::F, L::F) -> L::F,
    join_last: impl Fn(f32, f32) -> f32,
) -> f32 {
    let mut partial = [lanes.splat(start); FOLD];
    let mut take = |block: &[f32; FOLD]| {
        for (partial, part) in partial.iter_mut().zip(block.chunks_exact(L::WIDTH)) {
            *partial = join(*partial, lanes.load(part));
        }
    };
    let (blocks, rest) = x.as_chunks();
    blocks.iter().for_each(&mut take);
    if !rest.is_empty() {
        let mut last = [pad; FOLD];
        super::copy(rest, &mut last);
        take(&last);
    }
    let mut folded = [start; FOLD];
    for (to, partial) in folded.chunks_exact_mut(L::WIDTH).zip(partial) {
        lanes.store(partial, to);
    }
    let mut half = FOLD / 2;
    while half > 0 {
        for l in 0..half {
            folded[l] = join_last(folded[l], folded[l + half]);
        }
        half /= 2;
    }
    folded[0]
}

/// Σ x
#[inline(always)]
pub fn sum<L: Lanes>(lanes: L, x: &[f32]) -> f32 {
    reduce(lanes, x, [0.0; 2], |a, x| lanes.add(a, x), |a, b| a + b)
}

/// Σ x²
#[inline(always)]
pub fn sum_of_squares<L: Lanes>(lanes: L, x: &[f32]) -> f32 {
    reduce(lanes, x, [0.0; 2], |a, x| lanes.mul_add(x, x, a), |a, b| a + b)
}

/// Σ f(x), for an `f` with f(`zero_at`) = 0.
#[inline(always)]
pub fn sum_of<L: Lanes>(lanes: L, x: &[f32], zero_at: f32, f: impl Fn(L::F) -> L::F) -> f32 {
    reduce(lanes, x, [0.0, zero_at], |a, x| lanes.add(a, f(x)), |a, b| a + b)
}

/// The largest of `x`, −∞ of none; NaN elements are passed over.
#[inline(always)]
pub fn max<L: Lanes>(lanes: L, x: &[f32]) -> f32 {
    let smallest = f32::NEG_INFINITY;
    reduce(lanes, x, [smallest; 2], |a, x| lanes.max(x, a), |a, b| if b > a { b } else { a })
}

/// The largest |x|, 0 of none; NaN elements are passed over.
#[inline(always)]
pub fn max_abs<L: Lanes>(lanes: L, x: &[f32]) -> f32 {
    let abs = |x| lanes.max(x, lanes.sub(lanes.splat(0.0), x));
    reduce(lanes, x, [0.0; 2], |a, x| lanes.max(abs(x), a), |a, b| if b > a { b } else { a })
}

/// Whether no element is NaN or infinite.
#[inline(always)]
pub fn all_finite<L: Lanes>(lanes: L, x: &[f32]) -> bool {
    let zero = lanes.splat(0.0);
    sum_of(lanes, x, 0.0, |x| lanes.mul(x, zero)) == 0.0
}

//! Reductions of a slice to one number, in an order that no register width can change.
//!
//! Of n elements, the first w = n − n mod [`FOLD`] fill all virtual lanes, again and again: element i goes to lane i mod
//! `FOLD`. Those after them go to the last lanes, element i to lane i + `FOLD` − n: so they are in place when the last `FOLD`
//! elements of the slice are read at once. At the end the upper half of the lanes is folded onto the lower half until one is
//! left.

use core::convert::identity;

use crate::lanes::{FOLD, Lanes, inlined};

/// Folds pairs of elements of `x` and `y`, which are equally long: `join` takes registers of them into partial
/// results, which start from `start`; `join_last` folds those. In the last turn the first lanes take `pad`, or, where it does
/// no harm to take an element twice, what they had before.
#[cfg_attr(not(debug_assertions), inline(always))]
fn reduce<L: Lanes, const TWICE: bool>(
    lanes: L,
    xy: [&[f32]; 2],
    [start, pad]: [f32; 2],
    join: impl Fn(L::F, L::F, L::F) -> L::F,
    join_last: impl Fn(f32, f32) -> f32,
) -> f32 {
    let partial = partial::<L, TWICE>(lanes, xy, [start, pad], &join);
    let mut folded = [start; FOLD];
    for register in 0..FOLD / L::WIDTH {
        lanes.store(partial[register], &mut folded[register * L::WIDTH..]);
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

/// The partial results, in the first registers.
#[cfg_attr(not(debug_assertions), inline(always))]
fn partial<L: Lanes, const TWICE: bool>(
    lanes: L,
    [all_x, all_y]: [&[f32]; 2],
    [start, pad]: [f32; 2],
    join: &impl Fn(L::F, L::F, L::F) -> L::F,
) -> [L::F; FOLD] {
    debug_assert_eq!(all_x.len(), all_y.len());
    let mut partial = [lanes.splat(start); FOLD];
    let ((x, rest_x), (y, rest_y)) = (all_x.as_chunks(), all_y.as_chunks());
    for block in x.iter().zip(y) {
        take(lanes, &mut partial, block, join);
    }
    if rest_x.is_empty() {
        return partial;
    }
    let taken = FOLD - rest_x.len();
    match (all_x.last_chunk(), all_y.last_chunk()) {
        (Some(x), Some(y)) if TWICE => take(lanes, &mut partial, (x, y), join),
        // In registers: to put elements together in memory and read them at once would wait for the memory.
        (Some(x), Some(y)) if cfg!(feature = "std") => {
            take_rest(lanes, &mut partial, (x, y), taken, pad, join);
        }
        _ => {
            let mut last = [[pad; FOLD]; 2];
            super::copy(rest_x, last[0].get_mut(taken..).unwrap_or_default());
            super::copy(rest_y, last[1].get_mut(taken..).unwrap_or_default());
            take(lanes, &mut partial, (&last[0], &last[1]), join);
        }
    }
    partial
}

/// Takes the next element of each virtual lane.
#[cfg_attr(not(debug_assertions), inline(always))]
fn take<L: Lanes>(
    lanes: L,
    partial: &mut [L::F; FOLD],
    (x, y): (&[f32; FOLD], &[f32; FOLD]),
    join: &impl Fn(L::F, L::F, L::F) -> L::F,
) {
    for register in 0..FOLD / L::WIDTH {
        let (x, y) = (&x[register * L::WIDTH..], &y[register * L::WIDTH..]);
        partial[register] = join(partial[register], lanes.load(x), lanes.load(y));
    }
}

/// Takes the last element of each virtual lane, but for the first lanes, whose elements have been taken: `pad` instead.
#[cfg_attr(not(debug_assertions), inline(always))]
fn take_rest<L: Lanes>(
    lanes: L,
    partial: &mut [L::F; FOLD],
    (x, y): (&[f32; FOLD], &[f32; FOLD]),
    taken: usize,
    pad: f32,
    join: &impl Fn(L::F, L::F, L::F) -> L::F,
) {
    const LANES: [f32; FOLD] =
        [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0];
    let (first, pad) = (lanes.splat(LANES[taken]), lanes.splat(pad));
    for register in 0..FOLD / L::WIDTH {
        let lane = lanes.load(&LANES[register * L::WIDTH..]);
        let of = identity(inlined!(|v: &[f32; FOLD]| {
            lanes.select_lt(lane, first, pad, lanes.load(&v[register * L::WIDTH..]))
        }));
        partial[register] = join(partial[register], of(x), of(y));
    }
}

/// Σ x
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn sum<L: Lanes>(lanes: L, x: &[f32]) -> f32 {
    reduce::<L, false>(lanes, [x, x], [0.0; 2], inlined!(|a, x, _| lanes.add(a, x)), |a, b| a + b)
}

/// Σ x²
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn sum_of_squares<L: Lanes>(lanes: L, x: &[f32]) -> f32 {
    reduce::<L, false>(lanes, [x, x], [0.0; 2], inlined!(|a, x, _| lanes.mul_add(x, x, a)), |a, b| a + b)
}

/// Σ x · y, of two equally long slices.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn dot<L: Lanes>(lanes: L, x: &[f32], y: &[f32]) -> f32 {
    reduce::<L, false>(lanes, [x, y], [0.0; 2], inlined!(|a, x, y| lanes.mul_add(x, y, a)), |a, b| a + b)
}

/// Σ f(x), for an `f` with f(`zero_at`) = 0.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn sum_of<L: Lanes>(lanes: L, x: &[f32], zero_at: f32, f: impl Fn(L::F) -> L::F) -> f32 {
    reduce::<L, false>(lanes, [x, x], [0.0, zero_at], inlined!(|a, x, _| lanes.add(a, f(x))), |a, b| a + b)
}

/// The largest of `x`, −∞ of none; NaN elements are passed over.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn max<L: Lanes>(lanes: L, x: &[f32]) -> f32 {
    let smallest = f32::NEG_INFINITY;
    reduce::<L, true>(lanes, [x, x], [smallest; 2], inlined!(|a, x, _| lanes.max(x, a)), |a, b| {
        if b > a { b } else { a }
    })
}

/// The largest |x|, 0 of none; NaN elements are passed over.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn max_abs<L: Lanes>(lanes: L, x: &[f32]) -> f32 {
    let zero = lanes.splat(0.0);
    reduce::<L, true>(
        lanes,
        [x, x],
        [0.0; 2],
        inlined!(|a, x, _| lanes.max(lanes.max(x, lanes.sub(zero, x)), a)),
        |a, b| if b > a { b } else { a },
    )
}

/// Whether no element is NaN or infinite.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn all_finite<L: Lanes>(lanes: L, x: &[f32]) -> bool {
    let zero = lanes.splat(0.0);
    is_zero(lanes, x, inlined!(|x| lanes.mul(x, zero)))
}

/// Whether no element is NaN or infinite, nor its square.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn squares_finite<L: Lanes>(lanes: L, x: &[f32]) -> bool {
    let zero = lanes.splat(0.0);
    is_zero(lanes, x, inlined!(|x| lanes.mul(lanes.mul(x, x), zero)))
}

/// Whether f is zero, of either sign, of all elements; it may be NaN instead, but nothing else, and f(0) is zero.
#[cfg_attr(not(debug_assertions), inline(always))]
fn is_zero<L: Lanes>(lanes: L, x: &[f32], f: impl Fn(L::F) -> L::F) -> bool {
    let join = identity(inlined!(|a, x, _| lanes.add(a, f(x))));
    if cfg!(feature = "std") {
        let partial = partial::<L, true>(lanes, [x, x], [0.0; 2], &join);
        let mut zeros = partial[0];
        for register in 1..FOLD / L::WIDTH {
            zeros = lanes.add(zeros, partial[register]);
        }
        return lanes.all_zero(zeros);
    }
    reduce::<L, true>(lanes, [x, x], [0.0; 2], join, |a, b| a + b) == 0.0
}

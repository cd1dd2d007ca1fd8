//! Element by element over slices.

use core::{convert::identity, ops::Range};

use crate::lanes::{Lanes, inlined};
use crate::params::{rows, rows_mut};

/// Where a register begins that ends with a slice of `len` elements, which whole registers from its beginning do not
/// fill. What it computes of an element that belongs to one of those is the same, if it is loaded before they change.
#[inline(always)]
fn last_register<L: Lanes>(len: usize) -> Option<usize> {
    if len.is_multiple_of(L::WIDTH) { None } else { len.checked_sub(L::WIDTH) }
}

/// x ← f(x), element by element.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn map<L: Lanes>(lanes: L, x: &mut [f32], f: impl Fn(L::F) -> L::F) {
    let last = last_register::<L>(x.len());
    let end = last.and_then(|at| x.get(at..)).map(inlined!(|x| f(lanes.load(x))));
    for x in rows_mut(x, L::WIDTH) {
        lanes.store(f(lanes.load(x)), x);
    }
    match (last, end) {
        (Some(at), Some(end)) => lanes.store(end, x.get_mut(at..).unwrap_or_default()),
        _ if x.len() < L::WIDTH => lanes.store(f(lanes.load(x)), x),
        _ => {}
    }
}

/// y ← f(y, x), element by element of equally long slices.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn zip_map<L: Lanes>(lanes: L, y: &mut [f32], x: &[f32], f: impl Fn(L::F, L::F) -> L::F) {
    zip2_map(lanes, y, x, x, inlined!(|y, x, _| f(y, x)));
}

/// z ← f(z, x, y), element by element of equally long slices.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn zip2_map<L: Lanes>(
    lanes: L,
    z: &mut [f32],
    x: &[f32],
    y: &[f32],
    f: impl Fn(L::F, L::F, L::F) -> L::F,
) {
    debug_assert!(z.len() == x.len() && z.len() == y.len());
    let last = last_register::<L>(z.len());
    let of_all =
        identity(inlined!(|z: &[f32], x: &[f32], y: &[f32]| f(lanes.load(z), lanes.load(x), lanes.load(y))));
    let end = last.map(inlined!(|at| of_all(from(z, at), from(x, at), from(y, at))));
    for ((z, x), y) in rows_mut(z, L::WIDTH).zip(rows(x, L::WIDTH)).zip(rows(y, L::WIDTH)) {
        lanes.store(of_all(z, x, y), z);
    }
    match (last, end) {
        (Some(at), Some(end)) => lanes.store(end, z.get_mut(at..).unwrap_or_default()),
        _ if z.len() < L::WIDTH => lanes.store(of_all(z, x, y), z),
        _ => {}
    }
}

/// The elements from one on.
#[inline(always)]
fn from(x: &[f32], at: usize) -> &[f32] {
    x.get(at..).unwrap_or_default()
}

/// y ← f(y, x), element by element of several equally long slices, of which f changes the first `N` at once.
///
/// But for the first, a slice may also be empty: its elements are read as zeros, and what would be written is dropped.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn map_all<L: Lanes, const N: usize, const M: usize>(
    lanes: L,
    mut y: [&mut [f32]; N],
    x: [&[f32]; M],
    f: impl Fn([L::F; N], [L::F; M]) -> [L::F; N],
) {
    let len = y.first().map_or(0, inlined!(|y| y.len()));
    debug_assert!(y.iter().all(|y| y.is_empty() || y.len() == len));
    debug_assert!(x.iter().all(|x| x.is_empty() || x.len() == len));
    let whole = len - len % L::WIDTH;
    for at in (0..whole).step_by(L::WIDTH) {
        map_register(lanes, &mut y, x, at..at + L::WIDTH, &f);
    }
    if whole < len {
        map_register(lanes, &mut y, x, whole..len, &f);
    }
}

/// [`map_all`] of the elements `at`, a register's or fewer.
#[cfg_attr(not(debug_assertions), inline(always))]
fn map_register<L: Lanes, const N: usize, const M: usize>(
    lanes: L,
    y: &mut [&mut [f32]; N],
    x: [&[f32]; M],
    at: Range<usize>,
    f: &impl Fn([L::F; N], [L::F; M]) -> [L::F; N],
) {
    let (mut ys, mut xs) = ([lanes.splat(0.0); N], [lanes.splat(0.0); M]);
    for i in 0..N {
        if let Some(y) = y[i].get(at.clone()) {
            ys[i] = lanes.load(y);
        }
    }
    for i in 0..M {
        if let Some(x) = x[i].get(at.clone()) {
            xs[i] = lanes.load(x);
        }
    }
    let ys = f(ys, xs);
    for i in 0..N {
        if let Some(y) = y[i].get_mut(at.clone()) {
            lanes.store(ys[i], y);
        }
    }
}

/// x ← k · x
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn scale<L: Lanes>(lanes: L, x: &mut [f32], k: f32) {
    let k = lanes.splat(k);
    map(lanes, x, inlined!(|x| lanes.mul(x, k)));
}

/// y ← y + k · x
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn add_scaled<L: Lanes>(lanes: L, y: &mut [f32], x: &[f32], k: f32) {
    let k = lanes.splat(k);
    zip_map(lanes, y, x, inlined!(|y, x| lanes.mul_add(k, x, y)));
}

/// to ← from, as far as both reach.
#[inline(always)]
pub fn copy(from: &[f32], to: &mut [f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

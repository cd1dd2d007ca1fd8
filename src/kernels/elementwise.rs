//! Element by element over slices.

use crate::lanes::{Lanes, inlined};

/// x ← f(x), element by element.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn map<L: Lanes>(lanes: L, x: &mut [f32], f: impl Fn(L::F) -> L::F) {
    let mut blocks = x.chunks_exact_mut(L::WIDTH);
    for block in &mut blocks {
        lanes.store(f(lanes.load(block)), block);
    }
    let rest = blocks.into_remainder();
    if !rest.is_empty() {
        lanes.store(f(lanes.load(rest)), rest);
    }
}

/// y ← f(y, x), element by element of equally long slices.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn zip_map<L: Lanes>(lanes: L, y: &mut [f32], x: &[f32], f: impl Fn(L::F, L::F) -> L::F) {
    debug_assert_eq!(y.len(), x.len());
    let mut blocks = y.chunks_exact_mut(L::WIDTH);
    let others = x.chunks_exact(L::WIDTH);
    let rest_x = others.remainder();
    for (block, other) in (&mut blocks).zip(others) {
        lanes.store(f(lanes.load(block), lanes.load(other)), block);
    }
    let rest = blocks.into_remainder();
    if !rest.is_empty() {
        lanes.store(f(lanes.load(rest), lanes.load(rest_x)), rest);
    }
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
    let mut blocks = z.chunks_exact_mut(L::WIDTH);
    let (xs, ys) = (x.chunks_exact(L::WIDTH), y.chunks_exact(L::WIDTH));
    let (rest_x, rest_y) = (xs.remainder(), ys.remainder());
    for ((z, x), y) in (&mut blocks).zip(xs).zip(ys) {
        lanes.store(f(lanes.load(z), lanes.load(x), lanes.load(y)), z);
    }
    let rest = blocks.into_remainder();
    if !rest.is_empty() {
        lanes.store(f(lanes.load(rest), lanes.load(rest_x), lanes.load(rest_y)), rest);
    }
}

/// x ← k · x
#[inline(always)]
pub fn scale<L: Lanes>(lanes: L, x: &mut [f32], k: f32) {
    let k = lanes.splat(k);
    map(lanes, x, inlined!(|x| lanes.mul(x, k)));
}

/// y ← y + k · x
#[inline(always)]
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

//! Element by element over slices.

use crate::lanes::{Lanes, inlined};
use crate::params::{rows, rows_mut};

/// x ← f(x), element by element.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn map<L: Lanes>(lanes: L, x: &mut [f32], f: impl Fn(L::F) -> L::F) {
    let (x, rest) = x.split_at_mut(x.len() - x.len() % L::WIDTH);
    for x in rows_mut(x, L::WIDTH) {
        lanes.store(f(lanes.load(x)), x);
    }
    if !rest.is_empty() {
        lanes.store(f(lanes.load(rest)), rest);
    }
}

/// y ← f(y, x), element by element of equally long slices.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn zip_map<L: Lanes>(lanes: L, y: &mut [f32], x: &[f32], f: impl Fn(L::F, L::F) -> L::F) {
    debug_assert_eq!(y.len(), x.len());
    let (y, rest_y) = y.split_at_mut(y.len() - y.len() % L::WIDTH);
    let (x, rest_x) = x.split_at_checked(y.len()).unwrap_or_default();
    for (y, x) in rows_mut(y, L::WIDTH).zip(rows(x, L::WIDTH)) {
        lanes.store(f(lanes.load(y), lanes.load(x)), y);
    }
    if !rest_y.is_empty() {
        lanes.store(f(lanes.load(rest_y), lanes.load(rest_x)), rest_y);
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
    let (z, rest_z) = z.split_at_mut(z.len() - z.len() % L::WIDTH);
    let (x, rest_x) = x.split_at_checked(z.len()).unwrap_or_default();
    let (y, rest_y) = y.split_at_checked(z.len()).unwrap_or_default();
    for ((z, x), y) in rows_mut(z, L::WIDTH).zip(rows(x, L::WIDTH)).zip(rows(y, L::WIDTH)) {
        lanes.store(f(lanes.load(z), lanes.load(x), lanes.load(y)), z);
    }
    if !rest_z.is_empty() {
        lanes.store(f(lanes.load(rest_z), lanes.load(rest_x), lanes.load(rest_y)), rest_z);
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

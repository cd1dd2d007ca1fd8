//! Element by element over slices.

use crate::lanes::Lanes;

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

/// y ← f(y, x), element by element, as far as both reach.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn zip_map<L: Lanes>(lanes: L, y: &mut [f32], x: &[f32], f: impl Fn(L::F, L::F) -> L::F) {
    // Cut to the same length first: what is left over by the blocks must be the same elements of both.
    let len = y.len().min(x.len());
    let (y, x) = (y.get_mut(..len).unwrap_or_default(), x.get(..len).unwrap_or_default());
    let mut blocks = y.chunks_exact_mut(L::WIDTH);
    let mut others = x.chunks_exact(L::WIDTH);
    for (block, other) in (&mut blocks).zip(&mut others) {
        lanes.store(f(lanes.load(block), lanes.load(other)), block);
    }
    let (rest, other) = (blocks.into_remainder(), others.remainder());
    if !rest.is_empty() {
        lanes.store(f(lanes.load(rest), lanes.load(other)), rest);
    }
}

/// z ← f(z, x, y), element by element, as far as all reach.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn zip2_map<L: Lanes>(
    lanes: L,
    z: &mut [f32],
    x: &[f32],
    y: &[f32],
    f: impl Fn(L::F, L::F, L::F) -> L::F,
) {
    let len = z.len().min(x.len()).min(y.len());
    let z = z.get_mut(..len).unwrap_or_default();
    for ((z, x), y) in z.chunks_mut(L::WIDTH).zip(x.chunks(L::WIDTH)).zip(y.chunks(L::WIDTH)) {
        lanes.store(f(lanes.load(z), lanes.load(x), lanes.load(y)), z);
    }
}

/// x ← k · x
#[inline(always)]
pub fn scale<L: Lanes>(lanes: L, x: &mut [f32], k: f32) {
    let k = lanes.splat(k);
    map(lanes, x, |x| lanes.mul(x, k));
}

/// to ← from, as far as both reach.
#[inline(always)]
pub fn copy(from: &[f32], to: &mut [f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// Sets each row of `rows` to `row`.
#[inline(always)]
pub fn fill_rows(rows: &mut [f32], row: &[f32]) {
    for to in rows.chunks_exact_mut(row.len().max(1)) {
        copy(row, to);
    }
}

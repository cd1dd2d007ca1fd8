//! Parts of flat slices: a row, a step of a window, a gate of a row.

use core::{array::from_fn, ops::Range};

use crate::lanes::inlined;
use crate::params::{take, take_mut};

/// Row `index` of rows that are `len` long, or the rows of a step of steps that are; empty if there is none.
#[inline(always)]
pub(super) fn part(of: &[f32], index: usize, len: usize) -> &[f32] {
    of.get(range(index, len)).unwrap_or_default()
}

/// As [`part`], to be changed.
#[inline(always)]
pub(super) fn part_mut(of: &mut [f32], index: usize, len: usize) -> &mut [f32] {
    of.get_mut(range(index, len)).unwrap_or_default()
}

#[inline(always)]
const fn range(index: usize, len: usize) -> Range<usize> {
    index * len..(index + 1) * len
}

/// The last `len` elements before step `t` of steps that are `len` long, and the step itself; before the first there
/// are none.
#[inline(always)]
pub(super) fn step_and_previous(steps: &mut [f32], t: usize, len: usize) -> (&mut [f32], &mut [f32]) {
    let (before, rest) = steps.split_at_mut_checked(t * len).unwrap_or_default();
    let last = before.len().saturating_sub(len);
    (before.get_mut(last..).unwrap_or_default(), rest.get_mut(..len).unwrap_or_default())
}

/// A row as `K` gates of `hidden` units.
#[inline(always)]
pub(super) fn columns<const K: usize>(mut row: &[f32], hidden: usize) -> [&[f32]; K] {
    from_fn(inlined!(|_| take(&mut row, hidden)))
}

/// As [`columns`], to be changed.
#[inline(always)]
pub(super) fn columns_mut<const K: usize>(mut row: &mut [f32], hidden: usize) -> [&mut [f32]; K] {
    from_fn(inlined!(|_| take_mut(&mut row, hidden)))
}

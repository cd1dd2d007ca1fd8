//! C += Aᵀ · B, the gradients of weights, with room for copies of what is in use.
//!
//! ```text
//! for each block of rows r of A and B:
//!     copy the block of A, strip by strip, if A is wide
//!     for each panel of two registers of columns of B:
//!         copy the block of the panel
//!         for each strip of columns i of A: c[strip][panel] += a[block][strip]ᵀ · b[block][panel]
//! ```
//!
//! Rows of A and B are as far apart as these are wide; the copies stand close together, see [`panels`](super::panels).
//! They are made anew for each block, and cost little beside the work that is done with them. Each element is summed
//! over the rows r in their order, whatever the blocks.

use core::ops::Range;

use super::panels::Columns;
use super::product::product_at_in_place;
use super::tile::{Left, Part, height};
use super::{Mat, copy};
use crate::lanes::{FOLD, Lanes, inlined};
use crate::params::{take, take_mut};

/// Rows of A and B that are copied at a time, at most.
const BLOCK: usize = 288;

/// Columns of an A that is read where it is: its rows are close together anyway.
const NARROW: usize = 128;

/// Floats of room that make [`product_at`] faster for an A of `cols` columns.
#[inline(always)]
#[must_use]
pub const fn product_at_len(cols: usize) -> usize {
    cols.saturating_add(2 * FOLD).saturating_mul(BLOCK)
}

/// C (m×n) += Aᵀ · B for `columns` of A (m of them, r rows) and B (r×n): the sum over rows r, in their order. With the
/// feature `std` faster, and the same, with [`product_at_len`]`(m)` floats of room.
#[cfg_attr(feature = "std", inline(never))]
#[cfg_attr(not(feature = "std"), inline(always))]
pub fn product_at<L: Lanes>(
    lanes: L,
    a: Mat<'_>,
    columns: &Range<usize>,
    b: Mat<'_>,
    c: &mut [f32],
    room: &mut [f32],
) {
    lanes.run(inlined!(|| match room.get_mut(..product_at_len(columns.len())) {
        Some(room) if cfg!(feature = "std") => blocks(lanes, a, columns, b, c, room),
        _ => product_at_in_place(lanes, a, columns.start, b, c),
    }));
}

#[cfg_attr(not(debug_assertions), inline(always))]
fn blocks<L: Lanes>(
    lanes: L,
    a: Mat<'_>,
    columns: &Range<usize>,
    b: Mat<'_>,
    c: &mut [f32],
    mut room: &mut [f32],
) {
    let panel_room = take_mut(&mut room, 2 * FOLD * BLOCK);
    let (mut a_rest, mut b_rest) = (a.data, b.data);
    // Equally deep blocks: C is read and written for each.
    let depth = a.rows().div_ceil(a.rows().div_ceil(BLOCK).max(1));
    while !a_rest.is_empty() {
        let (a, b) = (block(&mut a_rest, depth, a.cols), block(&mut b_rest, depth, b.cols));
        if a.cols <= NARROW {
            panels(lanes, InPlace { a, first: columns.start }, b, c, panel_room);
        } else {
            copy_strips::<L>(a, columns, room);
            panels(lanes, Strips { copies: room, depth: a.rows() }, b, c, panel_room);
        }
    }
}

/// All panels of a block of B.
#[cfg_attr(not(debug_assertions), inline(always))]
fn panels<L: Lanes>(lanes: L, a: impl Left, b: Mat<'_>, c: &mut [f32], room: &mut [f32]) {
    for columns in Columns::all::<L>(b.cols) {
        let width = columns.width::<L>();
        let panel = if width == b.cols {
            b.data
        } else {
            let panel = room.get_mut(..b.rows() * width).unwrap_or_default();
            columns.copy(lanes, b, panel);
            panel
        };
        columns.strips::<L, 1>(lanes, a, Part { b: panel, cols: b.cols, start: None }, c);
    }
}

/// Takes the next block of `depth` rows off a matrix.
#[inline(always)]
fn block<'a>(rest: &mut &'a [f32], depth: usize, cols: usize) -> Mat<'a> {
    let len = rest.len().min(depth * cols);
    Mat::new(take(rest, len), cols)
}

/// Copies some columns of A as strips, one after another, row after row of each. A's rows are read in the order of memory,
/// once.
#[cfg_attr(not(debug_assertions), inline(always))]
fn copy_strips<L: Lanes>(a: Mat<'_>, columns: &Range<usize>, room: &mut [f32]) {
    for (k, row) in a.iter().enumerate() {
        let mut row = row.get(columns.clone()).unwrap_or_default();
        let mut strips = &mut *room;
        while !row.is_empty() {
            let height = height::<L>(row.len());
            let strip = take_mut(&mut strips, height * a.rows());
            let (from, to) = (take(&mut row, height), strip.get_mut(k * height..).unwrap_or_default());
            match height {
                8 => copy_row::<8>(from, to),
                6 => copy_row::<6>(from, to),
                4 => copy_row::<4>(from, to),
                _ => copy(from, to),
            }
        }
    }
}

/// Copies as many elements as the compiler knows.
#[inline(always)]
fn copy_row<const R: usize>(from: &[f32], to: &mut [f32]) {
    if let (Some(from), Some(to)) = (from.first_chunk::<R>(), to.first_chunk_mut()) {
        *to = *from;
    }
}

/// Columns of A from `first` on.
#[derive(Clone, Copy)]
struct InPlace<'a> {
    a: Mat<'a>,
    first: usize,
}

impl Left for InPlace<'_> {
    #[inline(always)]
    fn rows<const R: usize>(self, i: usize) -> Option<impl Fn(usize) -> Option<[f32; R]>> {
        let Self { a, first } = self;
        let from = a.data.get(first + i..)?;
        Some(inlined!(move |k: usize| from.get(k * a.cols..)?.first_chunk().copied()))
    }
}

/// Copies of strips of `depth` rows.
#[derive(Clone, Copy)]
struct Strips<'a> {
    copies: &'a [f32],
    depth: usize,
}

impl Left for Strips<'_> {
    #[inline(always)]
    fn rows<const R: usize>(self, i: usize) -> Option<impl Fn(usize) -> Option<[f32; R]>> {
        let strip = self.copies.get(i * self.depth..)?.as_chunks::<R>().0.get(..self.depth)?;
        Some(inlined!(move |k: usize| strip.get(k).copied()))
    }
}

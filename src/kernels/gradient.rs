//! C += Aᵀ · B, the gradients of weights, with room for copies of what is in use.
//!
//! ```text
//! for each block of rows r of A and B:
//!     copy the block of A, a few columns beside each other, if B is wide
//!     for each panel of a few registers of columns of B:
//!         copy the block of the panel
//!         for each strip of columns i of A: c[strip][panel] += a[block][strip]ᵀ · b[block][panel]
//! ```
//!
//! Rows of A and B are as far apart as these are wide; the copies stand close together, see [`panels`](super::panels).
//! They are made anew for each block, and cost little beside the work that is done with them: but for a B of a single
//! panel, for which each element of A is read but once. Each element is summed over the rows r in their order, whatever
//! the blocks.

use core::ops::Range;

use super::panels::Columns;
use super::product::product_at_in_place;
use super::tile::{Left, Part, widest};
use super::{Mat, copy};
use crate::lanes::{FOLD, Lanes, inlined};
use crate::params::{take, take_mut};

/// Rows of A and B that are copied at a time, at most. C is read and written for each block of them, so half as many rows
/// train 1 % slower with AVX-512, though panels of so many come from the second cache.
const BLOCK: usize = 288;

/// The most columns of a panel, on any lanes.
const WIDEST: usize = 4 * FOLD;

/// Columns of A whose copies stand beside each other: a few whole strips, of whichever height the lanes have.
const GROUP: usize = 24;
/// The most columns of the last group, which takes what is left. With more of them left, all strips of the group before are of
/// full height, so that none belongs to two groups.
const LAST: usize = GROUP + 8;

/// Floats of room that make [`product_at`] faster for an A of `cols` columns.
#[inline(always)]
#[must_use]
pub const fn product_at_len(cols: usize) -> usize {
    cols.saturating_add(WIDEST + LAST).saturating_mul(BLOCK)
}

/// What a sum starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// What is there.
    Held,
    /// Zero, whatever is there: as if it had been filled with zeros. With room for copies these are neither written nor read.
    Zero,
}

/// C (m×n) += Aᵀ · B for `columns` of A (m of them, r rows) and B (r×n): the sum over rows r, in their order, from `start` on.
/// With the feature `std` faster, and the same, with [`product_at_len`]`(m)` floats of room.
#[cfg_attr(feature = "std", inline(never))]
#[cfg_attr(not(feature = "std"), inline(always))]
pub fn product_at<L: Lanes>(
    lanes: L,
    a: Mat<'_>,
    columns: &Range<usize>,
    b: Mat<'_>,
    start: Start,
    c: &mut [f32],
    room: &mut [f32],
) {
    lanes.run(inlined!(|| match room.get_mut(..product_at_len(columns.len())) {
        Some(room) if cfg!(feature = "std") && a.rows() > 0 => blocks(lanes, a, columns, b, start, c, room),
        _ => {
            if start == Start::Zero {
                c.fill(0.0);
            }
            product_at_in_place(lanes, a, columns.start, b, c);
        }
    }));
}

#[cfg_attr(not(debug_assertions), inline(always))]
fn blocks<L: Lanes>(
    lanes: L,
    a: Mat<'_>,
    columns: &Range<usize>,
    b: Mat<'_>,
    start: Start,
    c: &mut [f32],
    mut room: &mut [f32],
) {
    const { assert!(widest::<L>() * L::WIDTH <= WIDEST) }
    let panel_room = take_mut(&mut room, WIDEST * BLOCK);
    let (mut a_rest, mut b_rest) = (a.data, b.data);
    // Equally deep blocks.
    let depth = a.rows().div_ceil(a.rows().div_ceil(BLOCK).max(1));
    // A start without elements is zero.
    let mut start = if start == Start::Zero { Some(&[][..]) } else { None };
    while !a_rest.is_empty() {
        let (a, b) = (block(&mut a_rest, depth, a.cols), block(&mut b_rest, depth, b.cols));
        if b.cols <= 2 * L::WIDTH {
            let a = InPlace { a, first: columns.start };
            panels(
                lanes,
                b,
                start,
                panel_room,
                inlined!(|panel: Columns, part| panel.strips::<L, 1>(lanes, a, part, c)),
            );
        } else {
            copy_groups(a, columns, room);
            let a = Groups { copies: room, depth: a.rows(), columns: columns.len() };
            panels(lanes, b, start, panel_room, inlined!(|panel, part| a.strips(lanes, panel, part, c)));
        }
        start = None;
    }
}

/// Copies one panel of a block of B after the other, and does `each` with it.
#[cfg_attr(not(debug_assertions), inline(always))]
fn panels<L: Lanes>(
    lanes: L,
    b: Mat<'_>,
    start: Option<&[f32]>,
    room: &mut [f32],
    mut each: impl FnMut(Columns, Part<'_>),
) {
    for columns in Columns::all::<L>(b.cols) {
        let width = columns.width::<L>();
        let panel = if width == b.cols {
            b.data
        } else {
            let panel = room.get_mut(..b.rows() * width).unwrap_or_default();
            columns.copy(lanes, b, panel);
            panel
        };
        each(columns, Part { b: panel, cols: b.cols, start });
    }
}

/// Takes the next block of `depth` rows off a matrix.
#[inline(always)]
fn block<'a>(rest: &mut &'a [f32], depth: usize, cols: usize) -> Mat<'a> {
    let len = rest.len().min(depth * cols);
    Mat::new(take(rest, len), cols)
}

/// Copies some columns of A in groups, one after another, row after row of each. A's rows are read in the order of memory,
/// once.
#[cfg_attr(not(debug_assertions), inline(always))]
fn copy_groups(a: Mat<'_>, columns: &Range<usize>, room: &mut [f32]) {
    for (k, row) in a.iter().enumerate() {
        let mut row = row.get(columns.clone()).unwrap_or_default();
        let mut groups = &mut *room;
        while row.len() > LAST {
            let group = take_mut(&mut groups, GROUP * a.rows());
            copy_row::<GROUP>(take(&mut row, GROUP), group.get_mut(k * GROUP..).unwrap_or_default());
        }
        copy(row, groups.get_mut(k * LAST..).unwrap_or_default());
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

/// Copies of columns in groups, of `depth` rows each.
#[derive(Clone, Copy)]
struct Groups<'a> {
    copies: &'a [f32],
    depth: usize,
    columns: usize,
}

impl Groups<'_> {
    /// What a panel gives to all rows of C.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn strips<L: Lanes>(self, lanes: L, panel: Columns, part: Part<'_>, mut c: &mut [f32]) {
        let (mut copies, mut left) = (self.copies, self.columns);
        while left > LAST {
            let group = Group::<GROUP>(take(&mut copies, GROUP * self.depth));
            panel.strips::<L, 1>(lanes, group, part, take_mut(&mut c, GROUP * part.cols));
            left -= GROUP;
        }
        let last = Group::<LAST>(copies.get(..LAST * self.depth).unwrap_or_default());
        panel.strips::<L, 1>(lanes, last, part, c);
    }
}

/// Copies of at most `G` columns, in rows of so many elements.
#[derive(Clone, Copy)]
struct Group<'a, const G: usize>(&'a [f32]);

impl<const G: usize> Left for Group<'_, G> {
    #[inline(always)]
    fn rows<const R: usize>(self, i: usize) -> Option<impl Fn(usize) -> Option<[f32; R]>> {
        let rows = self.0.as_chunks::<G>().0;
        Some(inlined!(move |k: usize| rows.get(k)?.get(i..)?.first_chunk().copied()))
    }
}

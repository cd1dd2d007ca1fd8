//! Matrices copied into panels of columns, and products of many rows with them.
//!
//! ```text
//! for each panel of a few registers of columns of B:
//!     for each block of rows k of the panel:
//!         for each strip of rows i of C: c[strip][panel] += a[strip][block] · b[block][panel]
//! ```
//!
//! This is [`product`](super::product) for processors with caches, and gives the same bits:
//!
//! 1. A panel's rows follow each other in memory, however wide B is. In place they would be as far apart as B is
//!    wide: at 512 columns two kilobytes, where all of them compete for the same few places of the first cache.
//! 2. A block of a panel stays in that cache while all strips pass. The sums of a strip go to C and come back in
//!    between, which rounds nothing.
//! 3. Partial sums ([`chains`]) are taken one after another instead of side by side: with many rows there is enough
//!    to do without them, and registers are left for a taller tile.
//! 4. A panel's last register ends where B ends. Where it overlaps its neighbour both compute the same from the same.

use core::hint::black_box;

use super::tile::{self, Left, Part};
use super::transpose::copy_transposed;
use super::{Mat, chains};
use crate::lanes::{FOLD, Lanes, inlined};
use crate::params::{rows_mut, take, take_mut};

/// Rows of a panel that are used at a time: at most 32 KB, two thirds of a usual first-level cache.
#[inline(always)]
const fn depth<L: Lanes>() -> usize {
    let rows = 8192 / (tile::widest::<L>() * L::WIDTH);
    if rows < 256 { rows } else { 256 }
}

/// A matrix B (k×n) in panels.
#[derive(Clone, Copy, Debug)]
pub struct Panels<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
}

/// The registers of a panel: where they begin in a row of `cols` columns, one after another, but for the last, which may
/// begin earlier.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    at: [usize; 4],
    registers: usize,
}

impl Columns {
    /// Those of all panels: as wide as can be, then half as wide.
    #[inline(always)]
    pub(super) fn all<L: Lanes>(cols: usize) -> impl Iterator<Item = Self> {
        let mut j = 0;
        core::iter::from_fn(inlined!(move || {
            let registers = match (cols - j).div_ceil(L::WIDTH) {
                0 => return None,
                4.. if tile::widest::<L>() == 4 => 4,
                2.. => 2,
                _ => 1,
            };
            let last = cols.saturating_sub(L::WIDTH);
            let mut at = [j; 4];
            for (q, at) in at.iter_mut().enumerate() {
                *at = (j + q * L::WIDTH).min(if registers == 1 { j } else { last });
            }
            j = cols.min(j + registers * L::WIDTH);
            Some(Self { at, registers })
        }))
    }

    /// Floats of a row of the panel.
    #[inline(always)]
    pub(super) const fn width<L: Lanes>(self) -> usize {
        self.registers * L::WIDTH
    }

    /// Copies these columns of B into a panel.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn copy<L: Lanes>(self, lanes: L, b: Mat<'_>, panel: &mut [f32]) {
        for (to, row) in rows_mut(panel, self.width::<L>()).zip(b.iter()) {
            for (to, at) in rows_mut(to, L::WIDTH).zip(self.at) {
                lanes.store(lanes.load(row.get(at..).unwrap_or_default()), to);
            }
        }
    }

    /// Copies these columns of Bᵀ, which are rows of B, into a panel.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn copy_transposed<L: Lanes>(self, b: Mat<'_>, panel: &mut [f32]) {
        let row = |l| self.at[l / L::WIDTH % self.at.len()] + l % L::WIDTH;
        copy_transposed(b, self.width::<L>(), row, panel);
    }

    /// What the panel gives to all rows of C.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn strips<L: Lanes, const P: usize>(
        self,
        lanes: L,
        a: impl Left,
        part: Part<'_>,
        c: &mut [f32],
    ) {
        match self.registers {
            1 => tile::strips::<L, 1, P>(lanes, a, part, [self.at[0]], c),
            2 => tile::strips::<L, 2, P>(lanes, a, part, [self.at[0], self.at[1]], c),
            _ => tile::strips::<L, 4, P>(lanes, a, part, self.at, c),
        }
    }
}

impl<'a> Panels<'a> {
    /// Floats of a matrix in panels, on any lanes.
    #[inline(always)]
    #[must_use]
    pub const fn len(rows: usize, cols: usize) -> usize {
        match cols.checked_next_multiple_of(FOLD) {
            Some(cols) => rows.saturating_mul(cols),
            None => usize::MAX,
        }
    }

    /// Copies B into `room`, if that is [`len`](Self::len) long.
    #[inline(never)]
    pub fn pack<L: Lanes>(lanes: L, b: Mat<'_>, room: &mut [f32]) {
        lanes.run(inlined!(|| {
            let mut panels = &mut *room;
            for columns in Columns::all::<L>(b.cols) {
                columns.copy(lanes, b, take_mut(&mut panels, b.rows() * columns.width::<L>()));
            }
        }));
    }

    /// Copies Bᵀ into `room`, if that is [`len`](Self::len) long.
    #[inline(never)]
    pub fn pack_transposed<L: Lanes>(lanes: L, b: Mat<'_>, room: &mut [f32]) {
        lanes.run(inlined!(|| {
            let mut panels = &mut *room;
            for columns in Columns::all::<L>(b.rows()) {
                columns.copy_transposed::<L>(b, take_mut(&mut panels, b.cols * columns.width::<L>()));
            }
        }));
    }

    /// A matrix (rows×cols) that was packed on lanes of the same kind.
    #[inline(always)]
    #[must_use]
    pub const fn new(data: &'a [f32], rows: usize, cols: usize) -> Self {
        Self { data, rows, cols }
    }

    /// C (m×n) += A (m×k) · B.
    #[inline(never)]
    pub fn product<L: Lanes>(self, lanes: L, a: Mat<'_>, c: &mut [f32]) {
        lanes.run(inlined!(|| self.by_width(lanes, a, None, c)));
    }

    /// C (m×n) ← bias + A (m×k) · B.
    #[inline(never)]
    pub fn affine<L: Lanes>(self, lanes: L, a: Mat<'_>, bias: &[f32], c: &mut [f32]) {
        lanes.run(inlined!(|| self.by_width(lanes, a, Some(bias), c)));
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn by_width<L: Lanes>(self, lanes: L, a: Mat<'_>, start: Option<&[f32]>, c: &mut [f32]) {
        match chains(self.cols) {
            4 => self.in_chains::<L, 4>(lanes, a, start, c),
            2 => self.in_chains::<L, 2>(lanes, a, start, c),
            _ => self.in_chains::<L, 1>(lanes, a, start, c),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn in_chains<L: Lanes, const P: usize>(self, lanes: L, a: Mat<'_>, start: Option<&[f32]>, c: &mut [f32]) {
        // Partial sums must be added at the very end.
        let block = if P == 1 { depth::<L>() } else { self.rows };
        let mut panels = self.data;
        for columns in Columns::all::<L>(self.cols) {
            let width = columns.width::<L>();
            let mut panel = take(&mut panels, self.rows * width);
            for k in (0..self.rows.max(1)).step_by(block.max(1)) {
                let depth = block.min(self.rows - k);
                let b = take(&mut panel, depth * width);
                let start = if k == 0 { start } else { None };
                let part = Part { b, cols: self.cols, start };
                columns.strips::<L, P>(lanes, RowsFrom { a, k, depth }, part, c);
            }
        }
    }
}

/// Columns k … k + depth − 1 of A, by rows.
#[derive(Clone, Copy)]
struct RowsFrom<'a> {
    a: Mat<'a>,
    k: usize,
    depth: usize,
}

impl Left for RowsFrom<'_> {
    #[inline(always)]
    fn rows<const R: usize>(self, i: usize) -> Option<impl Fn(usize) -> Option<[f32; R]>> {
        // All are cut to the very same length, so one comparison will do for all.
        let mut rows: [&[f32]; R] = [&[]; R];
        let mut rest = self.a.data.get(i * self.a.cols..)?;
        for row in &mut rows {
            let (whole, below) = rest.split_at_checked(self.a.cols)?;
            *row = black_box(whole.get(self.k..)?).get(..self.depth)?;
            rest = below;
        }
        Some(inlined!(move |k: usize| {
            let mut elements = [0.0; R];
            for r in 0..R {
                elements[r] = *rows[r].get(k)?;
            }
            Some(elements)
        }))
    }
}

//! A single row times a matrix, c += a · B: a step of one sequence.
//!
//! ```text
//! for each k:
//!     for each column j: c[j] += a[k] · b[k][j]
//! ```
//!
//! Every weight is used once, so the work is to read B in the order in which it lies in memory: a tile is as wide as
//! the registers allow, and has all partial sums ([`chains`](super::chains)) of its columns side by side, to have enough
//! additions under way. Where whole registers are exactly as wide as B, all loads are at places that the compiler knows.
//! Elsewhere the last register ends where B ends: where it overlaps a neighbour in its tile both compute the same, and
//! what it overlaps of another tile it leaves alone.

use super::Mat;
use super::product::store;
use crate::lanes::{Lanes, inlined};
use crate::params::{rows_mut, take};

/// c ← a · B + `start`, or + what c holds, for a B that is at least as wide as a register.
///
/// A function of its own for each number of chains, so that the loop over B has all general registers to itself.
#[inline(never)]
pub(super) fn row<L: Lanes, const P: usize>(
    lanes: L,
    a: &[f32],
    b: Mat<'_>,
    start: Option<&[f32]>,
    c: &mut [f32],
) {
    lanes.run(inlined!(|| {
        let registers = if b.cols.is_multiple_of(L::WIDTH) { b.cols / L::WIDTH } else { 0 };
        match registers {
            _ if registers > L::REGISTERS / (2 * P) => tiles::<L, P>(lanes, a, b, start, c),
            16 => whole::<L, 16, P>(lanes, a, b.data, start, c),
            12 => whole::<L, 12, P>(lanes, a, b.data, start, c),
            8 => whole::<L, 8, P>(lanes, a, b.data, start, c),
            6 => whole::<L, 6, P>(lanes, a, b.data, start, c),
            4 => whole::<L, 4, P>(lanes, a, b.data, start, c),
            3 => whole::<L, 3, P>(lanes, a, b.data, start, c),
            2 => whole::<L, 2, P>(lanes, a, b.data, start, c),
            1 => whole::<L, 1, P>(lanes, a, b.data, start, c),
            _ => tiles::<L, P>(lanes, a, b, start, c),
        }
    }));
}

/// A B that is exactly `C` registers wide.
#[cfg_attr(not(debug_assertions), inline(always))]
fn whole<L: Lanes, const C: usize, const P: usize>(
    lanes: L,
    a: &[f32],
    b: &[f32],
    start: Option<&[f32]>,
    c: &mut [f32],
) {
    let width = C * L::WIDTH;
    let at = Columns::<C> { first: 0, last: (C - 1) * L::WIDTH };
    let Some(first) = at.load(lanes, start.unwrap_or(c)) else { return };
    let (groups, rest) = a.as_chunks::<P>();
    let rows = b.chunks_exact(P * width);
    let mut last_rows = rows.remainder().chunks_exact(width);
    let mut sums = [[lanes.splat(0.0); C]; P];
    sums[0] = first;
    for (a, rows) in groups.iter().zip(rows) {
        for p in 0..P {
            let Some(b) = rows.get(p * width..).and_then(inlined!(|row| at.load(lanes, row))) else { break };
            add_products(lanes, &mut sums[p], a[p], b);
        }
    }
    for p in 0..P {
        let (Some(a), Some(row)) = (rest.get(p), last_rows.next()) else { break };
        let Some(b) = at.load(lanes, row) else { break };
        add_products(lanes, &mut sums[p], *a, b);
    }
    for (total, c) in in_order(lanes, sums).into_iter().zip(rows_mut(c, L::WIDTH)) {
        lanes.store(total, c);
    }
}

/// Any B, in tiles of columns.
#[cfg_attr(not(debug_assertions), inline(always))]
fn tiles<L: Lanes, const P: usize>(lanes: L, a: &[f32], b: Mat<'_>, start: Option<&[f32]>, c: &mut [f32]) {
    // Half of the registers hold sums.
    let widest = L::REGISTERS / (2 * P);
    let mut j = 0;
    while j < b.cols {
        let registers = (b.cols - j).div_ceil(L::WIDTH).min(widest);
        j = match registers {
            16.. => tile::<L, 16, P>(lanes, a, b, start, c, j),
            12.. => tile::<L, 12, P>(lanes, a, b, start, c, j),
            8.. => tile::<L, 8, P>(lanes, a, b, start, c, j),
            6.. => tile::<L, 6, P>(lanes, a, b, start, c, j),
            4.. => tile::<L, 4, P>(lanes, a, b, start, c, j),
            3 => tile::<L, 3, P>(lanes, a, b, start, c, j),
            2.. => tile::<L, 2, P>(lanes, a, b, start, c, j),
            _ => tile::<L, 1, P>(lanes, a, b, start, c, j),
        };
    }
}

/// The columns of `C` registers from column j on, or as many as there are; the column after them.
#[cfg_attr(not(debug_assertions), inline(always))]
fn tile<L: Lanes, const C: usize, const P: usize>(
    lanes: L,
    a: &[f32],
    b: Mat<'_>,
    start: Option<&[f32]>,
    c: &mut [f32],
    j: usize,
) -> usize {
    let n = b.cols;
    let end = n.min(j + C * L::WIDTH);
    let at = Columns::<C> { first: j, last: end.saturating_sub(L::WIDTH) };
    let mut sums = [[lanes.splat(0.0); C]; P];
    let Some(first) = at.load(lanes, start.unwrap_or(c)) else { return end };
    sums[0] = first;
    let mut rows = b.data;
    let (groups, rest) = a.as_chunks::<P>();
    // A row that is not there ends the sum: the compiler need not think of registers that are partly filled.
    'groups: for a in groups {
        for p in 0..P {
            let Some(b) = at.load(lanes, take(&mut rows, n)) else { break 'groups };
            add_products(lanes, &mut sums[p], a[p], b);
        }
    }
    for p in 0..P {
        let (Some(a), Some(b)) = (rest.get(p), at.load(lanes, take(&mut rows, n))) else { break };
        add_products(lanes, &mut sums[p], *a, b);
    }
    at.store(lanes, in_order(lanes, sums), c.get_mut(..end).unwrap_or_default());
    end
}

/// Where the `C` registers of a tile begin: side by side from `first` on, but for the last.
#[derive(Clone, Copy)]
struct Columns<const C: usize> {
    first: usize,
    last: usize,
}

impl<const C: usize> Columns<C> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn load<L: Lanes>(self, lanes: L, row: &[f32]) -> Option<[L::F; C]> {
        let side_by_side = row.get(self.first..self.first + (C - 1) * L::WIDTH)?;
        let last = row.get(self.last..self.last + L::WIDTH)?;
        let mut registers = [lanes.load(last); C];
        for q in 0..C - 1 {
            registers[q] = lanes.load(side_by_side.get(q * L::WIDTH..)?);
        }
        Some(registers)
    }

    /// What is left of `first` belongs to another tile, and stays.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn store<L: Lanes>(self, lanes: L, registers: [L::F; C], row: &mut [f32]) {
        for q in 0..C - 1 {
            if let Some(to) = row.get_mut(self.first + q * L::WIDTH..) {
                lanes.store(registers[q], to);
            }
        }
        let foreign = self.first.saturating_sub(self.last);
        store(lanes, [registers[C - 1]], row.get_mut(self.last..).unwrap_or_default(), foreign);
    }
}

/// One position of the sum.
#[cfg_attr(not(debug_assertions), inline(always))]
fn add_products<L: Lanes, const C: usize>(lanes: L, sums: &mut [L::F; C], a: f32, b: [L::F; C]) {
    let a = lanes.splat(a);
    for q in 0..C {
        sums[q] = lanes.mul_add(a, b[q], sums[q]);
    }
}

/// The total of the partial sums, added in order.
#[cfg_attr(not(debug_assertions), inline(always))]
fn in_order<L: Lanes, const C: usize, const P: usize>(lanes: L, sums: [[L::F; C]; P]) -> [L::F; C] {
    let mut total = sums[0];
    for p in 1..P {
        for q in 0..C {
            total[q] = lanes.add(total[q], sums[p][q]);
        }
    }
    total
}

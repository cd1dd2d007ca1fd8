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

/// c ← a · B + `start`, or + what c holds, for a B that is at least as wide as a register.
///
/// A function of its own for each number of chains, so that the loop over B has all general registers to itself. To inline it
/// where sizes are constants would make nothing faster, and compilation many times as long.
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
            // With AVX-512 as many outputs as there are letters: 3 to 8 % faster, since the tile's place is known.
            _ if P == 4 && (L::WIDTH + 1..2 * L::WIDTH).contains(&b.cols) => {
                tile::<L, 2, P>(lanes, a, b, start, c, 0);
            }
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
    let Some(first) = side_by_side(lanes, start.unwrap_or(c)) else { return };
    let (groups, rest) = a.as_chunks::<P>();
    let rows = b.chunks_exact(P * width);
    let mut last_rows = rows.remainder().chunks_exact(width);
    let mut sums = [[lanes.splat(0.0); C]; P];
    sums[0] = first;
    for (a, rows) in groups.iter().zip(rows) {
        for p in 0..P {
            let Some(b) = rows.get(p * width..).and_then(inlined!(|row| side_by_side(lanes, row))) else {
                break;
            };
            add_products(lanes, &mut sums[p], a[p], b);
        }
    }
    for p in 0..P {
        let (Some(a), Some(row)) = (rest.get(p), last_rows.next()) else { break };
        let Some(b) = side_by_side(lanes, row) else { break };
        add_products(lanes, &mut sums[p], *a, b);
    }
    let Some(c) = c.get_mut(..width) else { return };
    let total = in_order(lanes, sums);
    // Not by an iterator over the registers: it would be taken apart, and a register be stored in five pieces.
    for q in 0..C {
        lanes.store(total[q], &mut c[q * L::WIDTH..]);
    }
}

/// The registers of a row.
#[cfg_attr(not(debug_assertions), inline(always))]
fn side_by_side<L: Lanes, const C: usize>(lanes: L, row: &[f32]) -> Option<[L::F; C]> {
    let row = row.get(..C * L::WIDTH)?;
    let mut registers = [lanes.splat(0.0); C];
    for q in 0..C {
        registers[q] = lanes.load(&row[q * L::WIDTH..]);
    }
    Some(registers)
}

/// Any B, in tiles of columns.
#[cfg_attr(not(debug_assertions), inline(always))]
fn tiles<L: Lanes, const P: usize>(lanes: L, a: &[f32], b: Mat<'_>, start: Option<&[f32]>, c: &mut [f32]) {
    let mut j = 0;
    while j < b.cols {
        j = match registers::<L, P>(b.cols - j) {
            32 => tile::<L, 32, P>(lanes, a, b, start, c, j),
            28 => tile::<L, 28, P>(lanes, a, b, start, c, j),
            24 => tile::<L, 24, P>(lanes, a, b, start, c, j),
            20 => tile::<L, 20, P>(lanes, a, b, start, c, j),
            16 => tile::<L, 16, P>(lanes, a, b, start, c, j),
            12 => tile::<L, 12, P>(lanes, a, b, start, c, j),
            8 => tile::<L, 8, P>(lanes, a, b, start, c, j),
            7 => tile::<L, 7, P>(lanes, a, b, start, c, j),
            6 => tile::<L, 6, P>(lanes, a, b, start, c, j),
            5 => tile::<L, 5, P>(lanes, a, b, start, c, j),
            4 => tile::<L, 4, P>(lanes, a, b, start, c, j),
            3 => tile::<L, 3, P>(lanes, a, b, start, c, j),
            2 => tile::<L, 2, P>(lanes, a, b, start, c, j),
            _ => tile::<L, 1, P>(lanes, a, b, start, c, j),
        };
    }
}

/// Registers of the next tile, of so many columns that are left. A register alone would wait for its own sums, so none is left
/// over.
#[inline(always)]
const fn registers<L: Lanes, const P: usize>(cols: usize) -> usize {
    let (most, all) = (most::<L, P>(), cols.div_ceil(L::WIDTH));
    let (sizes, mut i) = ([32, 28, 24, 20, 16, 12, 8, 7, 6, 5, 4, 3, 2], 0);
    while i < sizes.len() {
        let size = sizes[i];
        if size <= most && (size == all || size + 1 < all) {
            return size;
        }
        i += 1;
    }
    1
}

/// The most registers of a tile. The wider it is, the longer the pieces of B that are read in order: gates of 128 LSTM units,
/// as wide as 32 registers of AVX-512, take 15 % less time in one tile than in two.
///
/// With 32 registers on x86, all of them: its multiply-adds take B from memory, and the two or three sums that are pushed out
/// are written and read in the time in which B comes. Elsewhere three quarters, and with partial sums half.
#[inline(always)]
const fn most<L: Lanes, const P: usize>() -> usize {
    match P {
        1 if cfg!(target_arch = "x86_64") && L::REGISTERS >= 32 => L::REGISTERS,
        1 => L::REGISTERS / 4 * 3,
        _ => L::REGISTERS / (2 * P),
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
    let (n, end) = (b.cols, b.cols.min(j + C * L::WIDTH));
    let at = Columns { first: j, last: end.saturating_sub(L::WIDTH) };
    let mut sums = [[lanes.splat(0.0); C]; P];
    let Some(first) = at.registers(lanes, start.unwrap_or(c)) else { return end };
    sums[0] = first;
    debug_assert!(b.data.len() == a.len() * n);
    let (groups, rest) = a.as_chunks::<P>();
    let Some((rows, rest_rows)) = b.data.split_at_checked(groups.len() * P * n) else { return end };
    for (a, rows) in groups.iter().zip(rows.chunks_exact((P * n).max(1))) {
        for p in 0..P {
            let Some(row) = rows.get(p * n..) else { return end };
            let Some(b) = at.registers(lanes, row) else { return end };
            add_products(lanes, &mut sums[p], a[p], b);
        }
    }
    for ((a, row), sums) in rest.iter().zip(rest_rows.chunks_exact(n.max(1))).zip(&mut sums) {
        let Some(b) = at.registers(lanes, row) else { return end };
        add_products(lanes, sums, *a, b);
    }
    at.store(lanes, in_order(lanes, sums), c.get_mut(..end).unwrap_or_default());
    end
}

/// c += the rows of B, which is at least as wide as a register: a row of ones times B, with sums that stay in registers.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn rows_sum<L: Lanes>(lanes: L, b: Mat<'_>, c: &mut [f32]) {
    let mut j = 0;
    while j < b.cols {
        j = match (b.cols - j).div_ceil(L::WIDTH) {
            8.. => sum_tile::<L, 8>(lanes, b, c, j),
            4.. => sum_tile::<L, 4>(lanes, b, c, j),
            2.. => sum_tile::<L, 2>(lanes, b, c, j),
            _ => sum_tile::<L, 1>(lanes, b, c, j),
        };
    }
}

/// The columns of `C` registers from column j on, or as many as there are; the column after them.
#[cfg_attr(not(debug_assertions), inline(always))]
fn sum_tile<L: Lanes, const C: usize>(lanes: L, b: Mat<'_>, c: &mut [f32], j: usize) -> usize {
    let end = b.cols.min(j + C * L::WIDTH);
    let at = Columns { first: j, last: end.saturating_sub(L::WIDTH) };
    let Some(mut sums) = at.registers::<L, C>(lanes, c) else { return end };
    for row in b.iter() {
        let Some(row) = at.registers::<L, C>(lanes, row) else { break };
        for q in 0..C {
            sums[q] = lanes.add(sums[q], row[q]);
        }
    }
    at.store(lanes, sums, c.get_mut(..end).unwrap_or_default());
    end
}

/// Where the registers of a tile begin: side by side from `first` on, but for the last.
#[derive(Clone, Copy)]
struct Columns {
    first: usize,
    last: usize,
}

impl Columns {
    /// The registers of a row, with which `row` begins. That it need not end there spares a question for each.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn registers<L: Lanes, const C: usize>(self, lanes: L, row: &[f32]) -> Option<[L::F; C]> {
        let Self { first, last } = self;
        let mut registers = [lanes.load(row.get(last..last + L::WIDTH)?); C];
        let side_by_side = row.get(first..first + (C - 1) * L::WIDTH)?;
        for q in 0..C - 1 {
            registers[q] = lanes.load(&side_by_side[q * L::WIDTH..]);
        }
        Some(registers)
    }

    /// What is left of `first` belongs to another tile, and stays.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn store<L: Lanes, const C: usize>(self, lanes: L, registers: [L::F; C], row: &mut [f32]) {
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

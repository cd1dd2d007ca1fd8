//! A tile of C in registers: the inner loop of products with panels.

use core::hint::black_box;

use super::product::add_products;
use crate::lanes::{Lanes, inlined};
use crate::params::take;

/// The factor whose elements are each spread over a register.
pub(super) trait Left: Copy {
    /// The elements for rows i … i + R − 1 of C as a function of the position k in the sum: none beyond the last
    /// position, so that to ask for them is the loop's only question. Nothing if there are no such rows.
    fn rows<const R: usize>(self, i: usize) -> Option<impl Fn(usize) -> Option<[f32; R]>>;
}

/// What a strip of C is computed from, but for the left factor.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    /// Rows of a panel.
    pub(super) b: &'a [f32],
    /// Columns of C.
    pub(super) cols: usize,
    /// What each row of C starts from, if not from what it holds.
    pub(super) start: Option<&'a [f32]>,
}

/// Registers of columns that a tile has at most.
#[inline(always)]
pub(super) const fn widest<L: Lanes>() -> usize {
    if L::REGISTERS >= 32 { 4 } else { 2 }
}

/// Rows of the next strip of C, of those that are left: as many as the registers allow, which hold the sums, one row of B's
/// and one of A's elements. Where that is six, the last eight are two strips of four: a tile of two would wait for its own
/// sums. With 32 registers, six rows of four registers take fewer instructions for a multiply-add than eight of two, which
/// are left to a C that is not wider.
#[inline(always)]
pub(super) const fn height<L: Lanes>(left: usize, cols: usize) -> usize {
    let narrow = cols <= 2 * L::WIDTH;
    match left {
        8.. if L::REGISTERS >= 32 && narrow => 8,
        9.. | 6..=7 if L::REGISTERS >= 16 => 6,
        4.. if L::REGISTERS >= 16 => 4,
        2.. if L::REGISTERS >= 8 => 2,
        _ => 1,
    }
}

/// All rows of C, in strips: `C` registers of columns each, which begin at `at`.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn strips<L: Lanes, const C: usize, const P: usize>(
    lanes: L,
    a: impl Left,
    part: Part<'_>,
    at: [usize; C],
    c: &mut [f32],
) {
    let rows = c.len().checked_div(part.cols).unwrap_or(0);
    let mut i = 0;
    while i < rows {
        let height = height::<L>(rows - i, part.cols);
        match height {
            8 => tile::<L, 8, C, P>(lanes, a, i, part, at, c),
            6 => tile::<L, 6, C, P>(lanes, a, i, part, at, c),
            4 => tile::<L, 4, C, P>(lanes, a, i, part, at, c),
            2 => tile::<L, 2, C, P>(lanes, a, i, part, at, c),
            _ => tile::<L, 1, C, P>(lanes, a, i, part, at, c),
        }
        i += height;
    }
}

/// Rows i … i + R − 1 of C.
///
/// A function of its own, so that the loop over the positions has all general registers for the rows of A.
#[inline(never)]
fn tile<L: Lanes, const R: usize, const C: usize, const P: usize>(
    lanes: L,
    a: impl Left,
    i: usize,
    part: Part<'_>,
    at: [usize; C],
    c: &mut [f32],
) {
    lanes.run(inlined!(|| {
        let Part { b, cols, start } = part;
        let Some(a) = a.rows::<R>(i) else { return };
        let Some(c) = c.get_mut(i * cols..(i + R) * cols) else { return };
        let Some(first) = first::<L, R, C>(lanes, start, c, cols, at) else { return };
        let mut total = partial_sum::<L, R, C, P>(lanes, &a, b, 0, first);
        for p in 1..P {
            // Totals wait in memory: a compiler that keeps some of them in registers keeps sums out of these.
            let total = black_box(&mut total);
            let sums = partial_sum::<L, R, C, P>(lanes, &a, b, p, [[lanes.splat(0.0); C]; R]);
            for r in 0..R {
                for q in 0..C {
                    total[r][q] = lanes.add(total[r][q], sums[r][q]);
                }
            }
        }
        for r in 0..R {
            let Some(row) = c.get_mut(r * cols..(r + 1) * cols) else { return };
            store(lanes, total[r], row, at);
        }
    }));
}

/// What the sums start from. Nothing if rows are too short.
#[cfg_attr(not(debug_assertions), inline(always))]
fn first<L: Lanes, const R: usize, const C: usize>(
    lanes: L,
    start: Option<&[f32]>,
    c: &[f32],
    cols: usize,
    at: [usize; C],
) -> Option<[[L::F; C]; R]> {
    let mut first = [[lanes.splat(0.0); C]; R];
    match start {
        // A start without elements is zero.
        Some([]) => {}
        Some(start) => first = [load(lanes, start, at)?; R],
        None => {
            for r in 0..R {
                first[r] = load(lanes, c.get(r * cols..(r + 1) * cols)?, at)?;
            }
        }
    }
    Some(first)
}

/// The registers of a row. Only one by itself may be at the end of a row, and not full; to have asked for whole ones spares
/// the compiler to keep registers in memory, where parts of them are put together.
#[cfg_attr(not(debug_assertions), inline(always))]
fn load<L: Lanes, const C: usize>(lanes: L, row: &[f32], at: [usize; C]) -> Option<[L::F; C]> {
    let mut registers = [lanes.splat(0.0); C];
    for q in 0..C {
        registers[q] = match row.get(at[q]..at[q] + L::WIDTH) {
            Some(whole) => lanes.load(whole),
            None if C == 1 => lanes.load(row.get(at[q]..)?),
            None => return None,
        };
    }
    Some(registers)
}

/// Stores the registers of a row.
#[cfg_attr(not(debug_assertions), inline(always))]
fn store<L: Lanes, const C: usize>(lanes: L, registers: [L::F; C], row: &mut [f32], at: [usize; C]) {
    for q in 0..C {
        let len = if C == 1 { L::WIDTH.min(row.len().saturating_sub(at[q])) } else { L::WIDTH };
        if let Some(to) = row.get_mut(at[q]..at[q] + len) {
            lanes.store(registers[q], to);
        }
    }
}

/// Every `P`-th position from p on.
#[cfg_attr(not(debug_assertions), inline(always))]
fn partial_sum<L: Lanes, const R: usize, const C: usize, const P: usize>(
    lanes: L,
    a: &impl Fn(usize) -> Option<[f32; R]>,
    b: &[f32],
    p: usize,
    mut sums: [[L::F; C]; R],
) -> [[L::F; C]; R] {
    let mut b = b.get(p * C * L::WIDTH..).unwrap_or_default();
    let mut k = p;
    while let Some(a) = a(k) {
        let row = take(&mut b, C * L::WIDTH);
        if row.is_empty() {
            break;
        }
        let mut registers = [lanes.splat(0.0); C];
        for q in 0..C {
            registers[q] = lanes.load(&row[q * L::WIDTH..]);
        }
        add_products(lanes, &mut sums, a, registers);
        b = b.get((P - 1) * C * L::WIDTH..).unwrap_or_default();
        k += P;
    }
    sums
}

//! Copies of transposed matrices: a few cache lines of a few rows at a time, in squares that are turned in registers.

use core::array::from_fn;

use wide::f32x4;

use super::Mat;
use crate::lanes::FOLD;
use crate::params::take_mut;

/// Rows that are copied together.
const SQUARE: usize = 4;

/// Copies rows of B to columns of `to`, which has `width` of them: to column l the row `row(l)`, if there is such a row.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn copy_transposed(b: Mat<'_>, width: usize, row: impl Fn(usize) -> usize, to: &mut [f32]) {
    for first in (0..width).step_by(FOLD) {
        let squares = (first..width.min(first + FOLD)).step_by(SQUARE);
        for (block, to) in to.chunks_mut((FOLD * width).max(1)).enumerate() {
            let line = |l: usize| if l < width { b.row(row(l)).get(block * FOLD..) } else { None };
            for l in squares.clone() {
                let lines: [&[f32]; SQUARE] = from_fn(|r| line(l + r).unwrap_or_default());
                match lines.map(<[f32]>::first_chunk) {
                    [Some(a), Some(b), Some(c), Some(d)] => turn([a, b, c, d], width, l, to),
                    _ => one_by_one(lines, width, l, to),
                }
            }
        }
    }
}

/// A cache line of each row, to the columns from l on.
#[inline(always)]
fn turn(lines: [&[f32; FOLD]; SQUARE], width: usize, l: usize, mut to: &mut [f32]) {
    for i in 0..FOLD / SQUARE {
        let columns = f32x4::transpose(lines.map(|line| f32x4::new(line.as_chunks().0[i])));
        // Not by an iterator over the columns: it would put them into memory first.
        for r in 0..SQUARE {
            if let Some(to) = take_mut(&mut to, width).get_mut(l..l + SQUARE) {
                to.copy_from_slice(columns[r].as_array());
            }
        }
    }
}

/// What there is of fewer rows, or of less than a line.
#[inline(always)]
fn one_by_one(lines: [&[f32]; SQUARE], width: usize, l: usize, to: &mut [f32]) {
    for (l, line) in (l..width).zip(lines) {
        for (x, to) in line.iter().zip(to.iter_mut().skip(l).step_by(width)) {
            *to = *x;
        }
    }
}

//! C += A · Bᵀ: gradients sent back through a layer of weights.
//!
//! ```text
//! for each row i of C, each column j:
//!     for k: c[i][j] += a[i][k] · b[j][k]
//! ```
//!
//! Sums are split as in [`product`](super::product), so both ways below give the same bits:
//!
//! - with room for a transposed copy of B, made once and used for many products, it is that product;
//! - without, a register is gathered from as many rows of B. That needs no memory but costs loads, and is what a
//!   chip does.

use core::array::from_fn;

use super::{Mat, chains, product};
use crate::lanes::{FOLD, Lanes, inlined};
use crate::params::rows_mut;

/// The transpose of a matrix of weights, ready to be multiplied with.
#[derive(Clone, Copy, Debug)]
pub enum Transposed<'a> {
    /// A copy of Bᵀ.
    Packed(Mat<'a>),
    /// B itself.
    InPlace(Mat<'a>),
}

impl<'a> Transposed<'a> {
    /// Copies Bᵀ into `room`, if it is as large as `b`, and else refers to B.
    #[inline(always)]
    pub fn new(b: Mat<'a>, room: &'a mut [f32]) -> Self {
        let (rows, cols) = (b.rows(), b.cols);
        let Some(room) = room.get_mut(..b.data.len()) else { return Self::InPlace(b) };
        if room.is_empty() {
            return Self::InPlace(b);
        }
        for (k, to) in rows_mut(room, rows).enumerate() {
            for (j, to) in to.iter_mut().enumerate() {
                *to = b.data.get(j * cols + k).copied().unwrap_or(0.0);
            }
        }
        Self::Packed(Mat::new(room, rows))
    }

    /// C (m×n) += A (m×k) · Bᵀ, for B (n×k).
    #[inline(always)]
    pub fn product<L: Lanes>(self, lanes: L, a: Mat<'_>, c: &mut [f32]) {
        match self {
            Self::Packed(b) => product(lanes, a, b, c),
            Self::InPlace(b) => match chains(b.rows()) {
                4 => gathered::<L, 4>(lanes, a, b, c),
                2 => gathered::<L, 2>(lanes, a, b, c),
                _ => gathered::<L, 1>(lanes, a, b, c),
            },
        }
    }
}

/// The product row by row, a register of columns at a time.
#[cfg_attr(not(debug_assertions), inline(always))]
fn gathered<L: Lanes, const P: usize>(lanes: L, a: Mat<'_>, b: Mat<'_>, c: &mut [f32]) {
    for (a, c) in a.iter().zip(rows_mut(c, b.rows())) {
        for (block, c) in c.chunks_mut(L::WIDTH).enumerate() {
            let rows: [&[f32]; FOLD] =
                from_fn(|l| if l < c.len() { b.row(block * L::WIDTH + l) } else { &[] });
            let mut sums = [lanes.splat(0.0); P];
            sums[0] = lanes.load(c);
            let (groups, rest) = a.as_chunks::<P>();
            for (group, a) in groups.iter().enumerate() {
                for p in 0..P {
                    sums[p] = lanes.mul_add(lanes.splat(a[p]), column(lanes, &rows, group * P + p), sums[p]);
                }
            }
            for p in 0..P {
                if let Some(a) = rest.get(p) {
                    sums[p] =
                        lanes.mul_add(lanes.splat(*a), column(lanes, &rows, groups.len() * P + p), sums[p]);
                }
            }
            let mut total = sums[0];
            for p in 1..P {
                total = lanes.add(total, sums[p]);
            }
            lanes.store(total, c);
        }
    }
}

/// Element k of as many rows as a register has lanes.
#[cfg_attr(not(debug_assertions), inline(always))]
fn column<L: Lanes>(lanes: L, rows: &[&[f32]; FOLD], k: usize) -> L::F {
    lanes.gather(inlined!(|l| rows[l].get(k).copied().unwrap_or(0.0)))
}

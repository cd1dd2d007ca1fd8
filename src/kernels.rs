//! The products and sums that recurrent networks are made of, over [`Lanes`](crate::lanes::Lanes) and slices.
//!
//! Matrices are row-major slices with a number of columns ([`Mat`]). Products add to what the result holds:
//!
//! | function | result | used for |
//! |---|---|---|
//! | [`product`] | C += A · B | the recurrent part of a step |
//! | [`affine`] | C ← bias + A · B | a window's inputs, the output layer |
//! | [`Factor::product`] | C += A · B or A · Bᵀ | windows: recurrent steps, gradients sent back through weights |
//! | [`product_at`] | C += Aᵀ · B, or anew | gradients of weights, over all steps at once |
//! | [`column_sums`] | c += Σ rows of B | gradients of biases |
//!
//! With the feature `vldm`, the first two are assembly on a Cortex-M with an FPU, for [`Portable`](crate::lanes::Portable) lanes only.
//!
//! The order in which an element is summed depends on the sizes only, see [`chains`].
//!
//! # Where the time goes
//! Training with 32 sequences of 35 steps and 28 symbols spends 88 % of its time in the three products and in the copies for them
//! at 512 hidden units, and 87 % at 256. These run near the processor's peak of multiply-adds if they have a core to
//! themselves, which takes copies of what they read ([`Panels`], and groups of columns in [`product_at`]): read in place, rows
//! two kilobytes apart fall into the same few places of the first cache, and the same products reach a third of the peak.
//! Where another hardware thread takes half of the core's instructions, what counts is how few of them a multiply-add needs:
//! that is why tiles are as large as the registers allow. Tanh, losses and sums of biases take most of the rest; with 32
//! hidden units products take half of the time.
//!
//! A single step reads each weight once. From 128 hidden units on these come from the second cache, which bounds it: 40 to
//! 48 bytes a cycle with AVX-512 where rows of B are read in order, and 33 in strides. So a tile of a single row is as wide as
//! the registers allow; what is wider than all 32 of them, as the four gates of more than 128 units are, is still read in
//! strides, since sums that wait in memory while B is read in order were no faster. Below, it is the wait for one sum after
//! another, and for tanh's division. Rows whose width is no multiple of a register's are loaded across cache lines.
//!
//! All of it is inlined into a step or a window, so that sizes and instruction sets are known inside. Without
//! optimisation that would put every temporary of every tile into one frame, 600 kB of stack for a gradient: in
//! debug builds the inner loops are functions of their own (`tests/stack.rs`).

mod elementwise;
mod factor;
mod gradient;
mod panels;
mod product;
mod reduce;
mod row;
mod tile;
mod transpose;
#[cfg(all(feature = "vldm", target_arch = "arm", target_abi = "eabihf", target_os = "none"))]
#[expect(unsafe_code, reason = "assembly")]
mod vldm;

pub use elementwise::{add_scaled, copy, map, map_all, scale, zip_map, zip2_map};
pub use factor::Factor;
pub use gradient::{Start, product_at, product_at_len};
pub use panels::Panels;
pub use product::{affine, chains, column_sums, product};
pub use reduce::{all_finite, dot, max, max_abs, squares_finite, sum, sum_of, sum_of_squares};

use core::hint::black_box;

use crate::params::rows;

/// A row-major matrix: rows of `cols` elements, one after another.
#[derive(Clone, Copy, Debug)]
pub struct Mat<'a> {
    /// All elements; a multiple of `cols`.
    pub data: &'a [f32],
    /// The length of a row.
    pub cols: usize,
}

impl<'a> Mat<'a> {
    /// Rows of `cols` elements.
    #[inline(always)]
    #[must_use]
    pub const fn new(data: &'a [f32], cols: usize) -> Self {
        Self { data, cols }
    }

    /// The number of rows.
    #[inline(always)]
    #[must_use]
    pub const fn rows(self) -> usize {
        match self.data.len().checked_div(self.cols) {
            Some(rows) => rows,
            None => 0,
        }
    }

    /// Without `std`, the same matrix, but where it is, the compiler does not know any more. Else, in a window of unrolled
    /// loops, it keeps on the stack what it has once worked out or read of every row, from one step to the next.
    #[inline(always)]
    fn anew(self) -> Self {
        if cfg!(feature = "std") {
            return self;
        }
        Self { data: black_box(self.data).get(..self.data.len()).unwrap_or_default(), ..self }
    }

    /// The rows, in order.
    #[inline(always)]
    pub fn iter(self) -> impl Iterator<Item = &'a [f32]> {
        rows(self.data, self.cols)
    }

    /// Row `row`; empty if there is none.
    #[inline(always)]
    #[must_use]
    pub fn row(self, row: usize) -> &'a [f32] {
        let start = row.checked_mul(self.cols);
        let rest = start.and_then(|start| self.data.get(start..));
        rest.and_then(|rest| rest.get(..self.cols)).unwrap_or_default()
    }
}

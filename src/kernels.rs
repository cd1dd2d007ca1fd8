//! The products and sums that recurrent networks are made of, over [`Lanes`](crate::lanes::Lanes) and slices.
//!
//! Matrices are row-major slices with a number of columns ([`Mat`]). Products add to what the result holds:
//!
//! | function | result | used for |
//! |---|---|---|
//! | [`product`] | C += A · B | the recurrent part of a step |
//! | [`affine`] | C ← bias + A · B | a window's inputs, the output layer |
//! | [`Transposed::product`] | C += A · Bᵀ | gradients sent back through weights |
//! | [`product_at`] | C += Aᵀ · B | gradients of weights, over all steps at once |
//! | [`column_sums`] | c += Σ rows of B | gradients of biases |
//!
//! With the feature `vldm`, the first two are assembly on a Cortex-M with an FPU, for [`Portable`](crate::lanes::Portable) lanes only.
//!
//! The order in which an element is summed depends on the sizes only, see [`chains`].
//!
//! All of it is inlined into a step or a window, so that sizes and instruction sets are known inside. Without
//! optimisation that would put every temporary of every tile into one frame, 600 kB of stack for a gradient: in
//! debug builds the inner loops are functions of their own (`tests/stack.rs`).

mod elementwise;
mod product;
mod reduce;
mod transposed;
#[cfg(all(feature = "vldm", target_arch = "arm", target_abi = "eabihf", target_os = "none"))]
mod vldm;

pub use elementwise::{add_scaled, copy, map, scale, zip_map, zip2_map};
pub use product::{affine, chains, column_sums, product, product_at};
pub use reduce::{all_finite, dot, max, max_abs, squares_finite, sum, sum_of, sum_of_squares};
pub use transposed::Transposed;

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

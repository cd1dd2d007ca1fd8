//! The gradient of a tensor of weights, or of some of its rows, where it is summed.

use core::{mem::replace, ops::Range};

use crate::kernels::{Mat, Start, column_sums, product_at};
use crate::lanes::Lanes;

/// The gradient of some rows of a tensor of weights, to be added to or made anew.
#[derive(Debug)]
pub struct Gradient<'a> {
    /// The rows.
    pub rows: &'a Range<usize>,
    /// What the sum starts from.
    pub start: Start,
    /// The gradient of each element of the rows.
    pub grads: &'a mut [f32],
    /// Anything; with as much as [`product_at_len`](crate::kernels::product_at_len) says for the number of rows, sums are
    /// fast.
    pub room: &'a mut [f32],
}

impl<'a> Gradient<'a> {
    /// One to be added to, in place.
    #[inline(always)]
    pub(crate) const fn in_place(rows: &'a Range<usize>, grads: &'a mut [f32]) -> Self {
        Self { rows, start: Start::Held, grads, room: &mut [] }
    }

    /// The same for one of several terms: what comes after the first is added to it.
    #[inline(always)]
    pub(crate) fn term(&mut self) -> Gradient<'_> {
        let start = replace(&mut self.start, Start::Held);
        Gradient { rows: self.rows, start, grads: self.grads, room: self.room }
    }

    /// Aᵀ · B for the rows' columns of A, on top of what the sum starts from.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn add_product<L: Lanes>(self, lanes: L, a: Mat<'_>, b: Mat<'_>) {
        product_at(lanes, a, self.rows, b, self.start, self.grads, self.room);
    }

    /// The sums of B's columns, on top of what the sum starts from.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn add_column_sums<L: Lanes>(self, lanes: L, b: Mat<'_>) {
        column_sums(lanes, b, self.started());
    }

    /// What is to be added to: what is held, or zeros, which are written first.
    #[inline(always)]
    pub(crate) fn started(self) -> &'a mut [f32] {
        if self.start == Start::Zero {
            self.grads.fill(0.0);
        }
        self.grads
    }
}

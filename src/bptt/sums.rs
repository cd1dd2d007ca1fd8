//! The gradients of weights: sums over the blocks of a window, tensor by tensor.

#[cfg(feature = "std")]
mod parts;
#[cfg(not(feature = "std"))]
mod whole;

use core::ops::Range;

use super::buffers::Done;
use super::sizes::Sizes;
use super::window::Window;
use crate::cell::{Backpropagated, Cell, Gradient};
use crate::kernels::Start;
use crate::lanes::Lanes;
use crate::loss::Goal;
#[cfg(feature = "std")]
pub(super) use parts::products_len;
#[cfg(not(feature = "std"))]
pub(super) use whole::products_len;

/// How gradients are summed, and where; without `std` in place.
#[cfg_attr(not(feature = "std"), expect(dead_code, reason = "one block is summed in place"))]
pub(super) struct Room<'a> {
    /// What the sums of the first half of the blocks start from.
    pub(super) start: Start,
    /// The sums of the second half of the blocks.
    pub(super) sums: &'a mut [f32],
    /// Room for products, if there is any.
    pub(super) products: &'a mut [f32],
}

impl<S: Sizes, G: Goal> Window<'_, S, G> {
    /// The gradient of a tensor of the cell, block after block.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn of_cell<L: Lanes>(
        &self,
        lanes: L,
        done: &Done<'_>,
        blocks: Range<usize>,
        tensor: usize,
        mut to: Gradient<'_>,
    ) {
        let (shape, inputs) = (self.sizes.shape(), self.inputs);
        for (block, [tape, _, d_outputs, scratch]) in done.blocks(blocks) {
            let block = self.sizes.block(block);
            let from = Backpropagated { inputs, block, tape, d_outputs, scratch };
            shape.cell.accumulate(lanes, tensor, from, to.term());
        }
    }

    /// The gradient of a tensor of the output layer, block after block.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn of_head<L: Lanes, const TENSOR: usize>(
        &self,
        lanes: L,
        done: &Done<'_>,
        blocks: Range<usize>,
        mut to: Gradient<'_>,
    ) {
        let shape = self.sizes.shape();
        for (block, [tape, logits, ..]) in done.blocks(blocks) {
            let h = shape.cell.outputs(tape, self.sizes.block(block).extent);
            shape.head().accumulate::<L, TENSOR>(lanes, h, logits, to.term());
        }
    }
}

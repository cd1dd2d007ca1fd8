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
use crate::lanes::Lanes;
use crate::loss::Goal;
#[cfg(feature = "std")]
pub(super) use parts::products_len;
#[cfg(not(feature = "std"))]
pub(super) use whole::products_len;

/// Where gradients are summed; without `std` in place.
#[cfg_attr(not(feature = "std"), expect(dead_code, reason = "one block is summed in place"))]
pub(super) struct Room<'a> {
    /// The sums of the second half of the blocks.
    pub(super) sums: &'a mut [f32],
    /// Room for products, if there is any.
    pub(super) products: &'a mut [f32],
}

impl<S: Sizes, G: Goal> Window<'_, S, G> {
    /// Adds to the gradient of a tensor of the cell, block after block.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn of_cell<L: Lanes>(
        &self,
        lanes: L,
        done: &Done<'_>,
        blocks: Range<usize>,
        tensor: usize,
        to: Gradient<'_>,
    ) {
        let (shape, inputs, Gradient { rows, room, grads }) = (self.sizes.shape(), self.inputs, to);
        for (block, [tape, _, d_outputs, scratch]) in done.blocks(blocks) {
            let block = self.sizes.block(block);
            let from = Backpropagated { inputs, block, tape, d_outputs, scratch };
            shape.cell.accumulate(lanes, tensor, from, Gradient { rows, room, grads });
        }
    }

    /// Adds to the gradient of a tensor of the output layer, block after block.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn of_head<L: Lanes, const TENSOR: usize>(
        &self,
        lanes: L,
        done: &Done<'_>,
        blocks: Range<usize>,
        to: Gradient<'_>,
    ) {
        let (shape, Gradient { rows, room, grads }) = (self.sizes.shape(), to);
        for (block, [tape, logits, ..]) in done.blocks(blocks) {
            let h = shape.cell.outputs(tape, self.sizes.block(block).extent);
            shape.head().accumulate::<L, TENSOR>(lanes, rows, h, logits, room, grads);
        }
    }
}

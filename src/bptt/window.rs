//! What is done to each block of a window: forward, losses and backward.

use super::buffers::Buffers;
use super::sizes::Sizes;
use crate::cell::{Backward, Block, Cell, Extent, Inputs, Weights, extent};
use crate::crew::Crew;
use crate::error::{Argument, Error, Quantity, exactly};
use crate::lanes::Lanes;
use crate::loss::{Goal, Sum};
use crate::params::take_mut;

/// What a window is about. All lengths and tokens have been checked.
#[derive(Clone, Copy)]
pub(super) struct Window<'a, S, G> {
    pub(super) sizes: S,
    pub(super) inputs: Inputs<'a>,
    goal: G,
    pub(super) extent: Extent,
    /// Of a target in the mean.
    weight: f32,
}

impl<'a, S: Sizes, G: Goal> Window<'a, S, G> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn new(
        sizes: S,
        params: &[f32],
        inputs: Inputs<'a>,
        goal: G,
        state: &[f32],
    ) -> Result<Self, Error> {
        let shape = sizes.shape();
        exactly(Argument::Params, shape.params_len(), params.len())?;
        let extent = extent(inputs, shape.cell.inputs(), shape.batch(state)?)?;
        let weight = goal.weight(extent, shape.outputs)?;
        Ok(Self { sizes, inputs, goal, extent, weight })
    }

    /// The blocks that it is cut into.
    #[inline(always)]
    pub(super) fn blocks(&self) -> usize {
        self.sizes.blocks(self.extent.batch)
    }

    /// The weights of the cell and of the output layer, with copies of them as far as there is room.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn pack<'w, L: Lanes>(
        &self,
        crew: &impl Crew,
        lanes: L,
        params: &'w [f32],
        room: &'w mut [f32],
    ) -> (Weights<'w>, Weights<'w>) {
        let (cell, head) = (self.sizes.shape().cell, self.sizes.shape().head());
        let (of_cell, of_head) = self.sizes.shape().split(params);
        let rows = self.extent.batch / self.blocks();
        let head_rows = rows * self.extent.window;
        let mut room = room.get_mut(..cell.pack_len() + head.pack_len()).unwrap_or_default();
        let cell_pack = take_mut(&mut room, cell.pack_len());
        if !cell_pack.is_empty() {
            cell.pack(crew, lanes, of_cell, rows, cell_pack);
        }
        if !room.is_empty() {
            head.pack(crew, lanes, of_head, head_rows, room);
        }
        (
            Weights { params: of_cell, pack: cell_pack, rows },
            Weights { params: of_head, pack: room, rows: head_rows },
        )
    }

    /// Fills the block's tape and turns its logits into their gradients; the sum of its losses.
    #[inline(always)]
    pub(super) fn forward<L: Lanes>(
        &self,
        lanes: L,
        cell: Weights<'_>,
        head: Weights<'_>,
        state: &[f32],
        block: Block,
        buffers: &mut Buffers<'_>,
    ) -> f32 {
        self.forward_cell(lanes, cell, state, block, buffers.tape);
        self.forward_head(lanes, head, block, buffers.tape, buffers.logits);
        self.losses(lanes, block, buffers.logits)
    }

    /// Fills the block's tape.
    #[cfg_attr(feature = "std", inline(always))]
    #[cfg_attr(not(feature = "std"), inline(never))]
    fn forward_cell<L: Lanes>(
        &self,
        lanes: L,
        cell: Weights<'_>,
        state: &[f32],
        block: Block,
        tape: &mut [f32],
    ) {
        let (shape, block) = (self.sizes.shape(), self.sizes.block(block));
        let Some(cell) = self.sizes.of_cell(cell) else { return };
        shape.cell.begin(state, block, tape);
        shape.cell.forward(lanes, cell, self.inputs, block, tape);
    }

    /// Makes the block's logits of its tape.
    #[cfg_attr(feature = "std", inline(always))]
    #[cfg_attr(not(feature = "std"), inline(never))]
    fn forward_head<L: Lanes>(
        &self,
        lanes: L,
        head: Weights<'_>,
        block: Block,
        tape: &[f32],
        logits: &mut [f32],
    ) {
        let (shape, block) = (self.sizes.shape(), self.sizes.block(block));
        let Some(head) = self.sizes.of_head(head) else { return };
        shape.head().forward(lanes, head, shape.cell.outputs(tape, block.extent), logits);
    }

    /// From the block's logits to their gradients; the sum of its losses.
    #[cfg_attr(feature = "std", inline(always))]
    #[cfg_attr(not(feature = "std"), inline(never))]
    fn losses<L: Lanes>(&self, lanes: L, block: Block, logits: &mut [f32]) -> f32 {
        let (shape, block) = (self.sizes.shape(), self.sizes.block(block));
        let mut total = Sum::default();
        self.goal.backward(lanes, logits, shape.outputs, block, self.weight, &mut total);
        total.value()
    }

    /// From the gradients of the block's logits to those within the cell, as far as the block's frozen tensors let them.
    #[cfg_attr(feature = "std", inline(always))]
    #[cfg_attr(not(feature = "std"), inline(never))]
    pub(super) fn backward<L: Lanes>(
        &self,
        lanes: L,
        cell: Weights<'_>,
        head: Weights<'_>,
        block: Block,
        buffers: &mut Buffers<'_>,
    ) {
        let (shape, block) = (self.sizes.shape(), self.sizes.block(block));
        let (Some(cell), Some(head)) = (self.sizes.of_cell(cell), self.sizes.of_head(head)) else { return };
        let Buffers { tape, logits, d_hidden, scratch, .. } = buffers;
        shape.head().backward(lanes, head, logits, d_hidden);
        let pass = Backward { block, tape, d_outputs: d_hidden, d_inputs: None, scratch };
        shape.cell.backward(lanes, cell, pass);
    }

    /// The mean of the losses, if it is finite.
    #[inline(always)]
    pub(super) fn mean(&self, total: Sum) -> Result<f32, Error> {
        let loss = total.value() * self.weight;
        if loss.is_finite() { Ok(loss) } else { Err(Error::NotFinite(Quantity::Loss)) }
    }

    /// Hands the states after the last step over to the next window.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn carry(&self, buffers: &mut Buffers<'_>, state: &mut [f32]) {
        let shape = self.sizes.shape();
        for (block, buffers) in buffers.blocks() {
            shape.cell.end(buffers.tape, block, state);
        }
    }

    /// Makes the states zero of sequences that are over, once the tape is not needed any more.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn clear_ended(&self, tape: &mut [f32], state: &mut [f32]) {
        let shape = self.sizes.shape();
        for sequence in self.goal.ended(self.extent.window) {
            // What a step of zeros leaves behind.
            let block = Block::step_of(sequence, self.extent.batch);
            let tape = tape.get_mut(..shape.tape_len(block.extent)).unwrap_or_default();
            tape.fill(0.0);
            shape.cell.end(tape, block, state);
        }
    }
}

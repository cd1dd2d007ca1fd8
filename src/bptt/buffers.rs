//! The buffers of a window, cut to size for each block of its sequences.

use core::ops::Range;

use crate::cell::{Block, Cell, Extent};
use crate::error::{Argument, Error, at_least};
use crate::lanes::inlined;
use crate::model::ModelShape;
use crate::params::take_mut;

/// Hidden units of a block: few enough for its buffers to stay in a second-level cache, ...
const BLOCK_UNITS: usize = 2048;
/// ... and as many sequences as keep the products busy; half as many again where the number of blocks would be odd.
const BLOCK_ROWS: Range<usize> = 16..64;

/// Blocks of a window: one, or an even number. Part of what a gradient is: it is summed block after block, and the sum of
/// the second half of the blocks is added to that of the first. So each of two threads reads what it wrote itself.
///
/// Without `std`, and for a typed model, a window is one block: gradients of batches that are several blocks elsewhere may
/// differ in their last bits from those.
#[inline(always)]
pub(super) fn block_count<C: Cell>(shape: ModelShape<C>, batch: usize) -> usize {
    if cfg!(not(feature = "std")) {
        return 1;
    }
    let rows = (BLOCK_UNITS / shape.cell.hidden().max(1)).clamp(BLOCK_ROWS.start, BLOCK_ROWS.end);
    match batch.div_ceil(rows) {
        0 | 1 => 1,
        blocks => blocks & !1,
    }
}

/// Floats for the sums of the second half of so many blocks.
#[inline(always)]
pub(super) fn sums_len<C: Cell>(shape: ModelShape<C>, blocks: usize) -> usize {
    if blocks > 1 { shape.params_len() } else { 0 }
}

/// Where a window or a block is worked on. Each buffer has as much for every sequence.
pub(super) struct Buffers<'a> {
    extent: Extent,
    each: Division,
    pub(super) tape: &'a mut [f32],
    pub(super) logits: &'a mut [f32],
    pub(super) d_hidden: &'a mut [f32],
    pub(super) scratch: &'a mut [f32],
}

/// How buffers are divided: the floats of each for one sequence, and the number of blocks.
#[derive(Clone, Copy)]
struct Division {
    tape: usize,
    logits: usize,
    d_hidden: usize,
    scratch: usize,
    blocks: usize,
}

impl<'a> Buffers<'a> {
    /// Cuts buffers to size; the rest of the scratch is left for copies.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn new<C: Cell>(
        shape: ModelShape<C>,
        extent: Extent,
        blocks: usize,
        tape: &'a mut [f32],
        mut scratch: &'a mut [f32],
        backward: bool,
    ) -> Result<(Self, &'a mut [f32]), Error> {
        let needed = match backward {
            true => shape.one_block_scratch_len(extent).saturating_add(sums_len(shape, blocks)),
            false => shape.loss_scratch_len(extent),
        };
        at_least(Argument::Tape, shape.tape_len(extent), tape.len())?;
        at_least(Argument::Scratch, needed, scratch.len())?;
        let one = Extent { batch: 1, ..extent };
        let each = Division {
            tape: shape.tape_len(one),
            logits: extent.window * shape.outputs,
            d_hidden: if backward { extent.window * shape.cell.hidden() } else { 0 },
            scratch: if backward { shape.cell.backward_scratch_len(one) } else { 0 },
            blocks,
        };
        let buffers = Self {
            extent,
            each,
            tape,
            logits: take_mut(&mut scratch, extent.batch * each.logits),
            d_hidden: take_mut(&mut scratch, extent.batch * each.d_hidden),
            scratch: take_mut(&mut scratch, extent.batch * each.scratch),
        };
        Ok((buffers, scratch))
    }

    /// The blocks, each with its part of the buffers.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn blocks(&mut self) -> impl Iterator<Item = (Block, Buffers<'_>)> {
        let each = self.each;
        let (mut tape, mut logits) = (&mut *self.tape, &mut *self.logits);
        let (mut d_hidden, mut scratch) = (&mut *self.d_hidden, &mut *self.scratch);
        Block::all(self.extent, each.blocks).map(inlined!(move |block: Block| {
            let n = block.extent.batch;
            let part = Buffers {
                extent: block.extent,
                each,
                tape: take_mut(&mut tape, n * each.tape),
                logits: take_mut(&mut logits, n * each.logits),
                d_hidden: take_mut(&mut d_hidden, n * each.d_hidden),
                scratch: take_mut(&mut scratch, n * each.scratch),
            };
            (block, part)
        }))
    }

    /// What there is to read when all blocks are done.
    #[inline(always)]
    pub(super) fn done(&self) -> Done<'_> {
        let Self { extent, each, .. } = *self;
        Done {
            extent,
            each,
            tape: self.tape,
            logits: self.logits,
            d_hidden: self.d_hidden,
            scratch: self.scratch,
        }
    }
}

/// The buffers of all blocks that have gone forward and back.
pub(super) struct Done<'a> {
    extent: Extent,
    each: Division,
    tape: &'a [f32],
    logits: &'a [f32],
    d_hidden: &'a [f32],
    scratch: &'a [f32],
}

impl Done<'_> {
    /// All blocks.
    #[cfg(not(feature = "std"))]
    #[inline(always)]
    pub(super) fn all(&self) -> Range<usize> {
        0..self.each.blocks
    }

    /// The blocks whose gradients are summed together: all, or one half and the other.
    #[cfg(feature = "std")]
    #[inline(always)]
    pub(super) fn halves(&self) -> impl Iterator<Item = Range<usize>> {
        let half = self.each.blocks.div_ceil(2);
        [0..half, half..self.each.blocks].into_iter().filter(|blocks| !blocks.is_empty())
    }

    /// These blocks, and of each the tape and the gradients of logits and of the cell.
    #[inline(always)]
    pub(super) fn blocks(&self, blocks: Range<usize>) -> impl Iterator<Item = (Block, [&[f32]; 4])> {
        let each = self.each;
        Block::some(self.extent, each.blocks, blocks).map(inlined!(move |block: Block| {
            let parts = [
                block.part(self.tape, each.tape),
                block.part(self.logits, each.logits),
                block.part(self.d_hidden, each.d_hidden),
                block.part(self.scratch, each.scratch),
            ];
            (block, parts)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{ActivationKind, ElmanShape};

    #[test]
    fn blocks_are_a_window_and_shared_by_two() {
        for (hidden, batch) in
            (1..600).step_by(61).flat_map(|hidden| (1..200).map(move |batch| (hidden, batch)))
        {
            let cell = ElmanShape { inputs: 1, hidden, activation: ActivationKind::Tanh };
            let count = block_count(ModelShape { cell, outputs: 1 }, batch);
            let of_window: std::vec::Vec<_> = Block::all(Extent { batch, window: 3 }, count).collect();
            let end = of_window.iter().fold(0, |end, block| {
                assert_eq!(block.first, end);
                end + block.extent.batch
            });
            let sizes = of_window.iter().map(|block| block.extent.batch);
            assert_eq!((end, of_window.len()), (batch, count));
            assert!(count == 1 || cfg!(not(feature = "std")) || count.is_multiple_of(2));
            assert!(sizes.clone().max() <= sizes.min().map(|least| least + 3), "{batch} in {count}");
        }
    }
}

//! A window cut into blocks of sequences: what is done to each, and in which buffers.

use core::{marker::PhantomData, ops::Range};

use crate::cell::{
    Backpropagated, Backward, Block, Cell, Dropout, DropoutShape, Extent, Inputs, TypedCell, Weights, extent,
};
use crate::error::{Argument, Error, Quantity, at_least, exactly};
use crate::head::Dense;
#[cfg(feature = "std")]
use crate::kernels::product_at_len;
use crate::lanes::{Lanes, inlined};
use crate::loss::{Goal, Sum};
use crate::model::{Model, ModelShape};
use crate::params::{Flat, take_mut};
use crate::trained::Trained;

/// Hidden units of a block: few enough for its buffers to stay in a second-level cache, ...
const BLOCK_UNITS: usize = 2048;
/// ... and as many sequences as keep the products busy.
const BLOCK_ROWS: Range<usize> = 16..64;

/// Sizes of a model and of a window's batch: known when a program runs, or when it is compiled.
pub(super) trait Sizes: Copy + Sync {
    type Cell: Cell;
    fn shape(self) -> ModelShape<Self::Cell>;
    /// A block, if this is its size.
    fn block(self, block: Block) -> Block;
    /// The weights of the cell, if there are so many.
    fn of_cell(self, weights: Weights<'_>) -> Option<Weights<'_>>;
    /// The weights of the output layer, if there are so many.
    fn of_head(self, weights: Weights<'_>) -> Option<Weights<'_>>;
}

impl<C: Cell> Sizes for ModelShape<C> {
    type Cell = C;
    #[inline(always)]
    fn shape(self) -> Self {
        self
    }
    #[inline(always)]
    fn block(self, block: Block) -> Block {
        block
    }
    #[inline(always)]
    fn of_cell(self, weights: Weights<'_>) -> Option<Weights<'_>> {
        Some(weights)
    }
    #[inline(always)]
    fn of_head(self, weights: Weights<'_>) -> Option<Weights<'_>> {
        Some(weights)
    }
}

/// The sizes of a typed model, and of `B` sequences: constants, also in functions that are not inlined.
pub(super) struct Typed<M, const B: usize>(PhantomData<fn() -> M>);

impl<M, const B: usize> Typed<M, B> {
    pub(super) const SIZES: Self = Self(PhantomData);
}

impl<M, const B: usize> Clone for Typed<M, B> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, const B: usize> Copy for Typed<M, B> {}

impl<C: TypedCell<H>, const H: usize, const O: usize, const B: usize> Sizes for Typed<Model<C, H, O>, B> {
    type Cell = C::Shape;
    #[inline(always)]
    fn shape(self) -> ModelShape<C::Shape> {
        Model::<C, H, O>::SHAPE
    }
    #[inline(always)]
    fn block(self, block: Block) -> Block {
        if cfg!(feature = "std") {
            return block;
        }
        block.whole_of(B)
    }
    #[inline(always)]
    fn of_cell(self, weights: Weights<'_>) -> Option<Weights<'_>> {
        sized(weights, C::LEN)
    }
    #[inline(always)]
    fn of_head(self, weights: Weights<'_>) -> Option<Weights<'_>> {
        sized(weights, Dense::<H, O>::LEN)
    }
}

/// As [`Typed`], with dropout.
#[derive(Clone, Copy)]
pub(super) struct TypedDropped<M, const B: usize> {
    pub(super) dropout: Dropout,
    /// Of input vectors; 0 for tokens.
    pub(super) width: usize,
    pub(super) sizes: Typed<M, B>,
}

impl<C: TypedCell<H>, const H: usize, const O: usize, const B: usize> Sizes
    for TypedDropped<Model<C, H, O>, B>
{
    type Cell = DropoutShape<C::Shape>;
    #[inline(always)]
    fn shape(self) -> ModelShape<Self::Cell> {
        let Self { dropout, width, sizes } = self;
        let ModelShape { cell, outputs } = sizes.shape();
        ModelShape { cell: DropoutShape { cell, dropout, width }, outputs }
    }
    #[inline(always)]
    fn block(self, block: Block) -> Block {
        self.sizes.block(block)
    }
    #[inline(always)]
    fn of_cell(self, weights: Weights<'_>) -> Option<Weights<'_>> {
        self.sizes.of_cell(weights)
    }
    #[inline(always)]
    fn of_head(self, weights: Weights<'_>) -> Option<Weights<'_>> {
        self.sizes.of_head(weights)
    }
}

/// The same weights, if there are so many; in place without `std`, since a [`Workspace`](super::Workspace) has no room for
/// copies.
#[inline(always)]
fn sized(weights: Weights<'_>, len: usize) -> Option<Weights<'_>> {
    if cfg!(feature = "std") {
        return Some(weights);
    }
    (weights.params.len() == len).then_some(Weights::in_place(weights.params))
}

/// What a window is about. All lengths and tokens have been checked.
#[derive(Clone, Copy)]
pub(super) struct Window<'a, S, G> {
    sizes: S,
    inputs: Inputs<'a>,
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

    /// The weights of the cell and of the output layer, with copies of them as far as there is room.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn pack<'w, L: Lanes>(
        &self,
        lanes: L,
        params: &'w [f32],
        room: &'w mut [f32],
    ) -> (Weights<'w>, Weights<'w>) {
        let (cell, head) = (self.sizes.shape().cell, self.sizes.shape().head());
        let (of_cell, of_head) = self.sizes.shape().split(params);
        let rows = block_rows(self.sizes.shape()).min(self.extent.batch);
        let head_rows = rows * self.extent.window;
        let mut room = room.get_mut(..cell.pack_len() + head.pack_len()).unwrap_or_default();
        let cell_pack = take_mut(&mut room, cell.pack_len());
        if !cell_pack.is_empty() {
            cell.pack(lanes, of_cell, rows, cell_pack);
        }
        if !room.is_empty() {
            head.pack(lanes, of_head, head_rows, room);
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

    /// The gradients to be summed, each with room to do it fast, as far as there is any.
    #[cfg(feature = "std")]
    #[inline(always)]
    pub(super) fn tensors<'g>(
        &self,
        trained: Trained,
        threads: usize,
        mut room: &'g mut [f32],
        mut grads: &'g mut [f32],
    ) -> impl Iterator<Item = Gradient<'g>> {
        parts(self.sizes.shape(), trained, threads).map(inlined!(move |part: Part| Gradient {
            room: take_mut(&mut room, product_at_len(part.rows.len())),
            grads: take_mut(&mut grads, part.rows.len() * part.cols),
            part,
        }))
    }

    /// Sums all gradients that are wanted, one after another and not in a loop: so each has sizes that the compiler knows.
    #[cfg(not(feature = "std"))]
    #[inline(always)]
    pub(super) fn accumulate_all<L: Lanes>(
        &self,
        lanes: L,
        trained: Trained,
        done: &Done<'_>,
        mut grads: &mut [f32],
    ) {
        macro_rules! sum {
            ($($tensor:literal)*) => {$(
                if let Some((rows, cols)) = self.sizes.shape().cell.tensor($tensor)
                    && trained.has_cell($tensor)
                {
                    self.all_of_cell::<L, $tensor>(lanes, done, take_mut(&mut grads, rows * cols));
                }
            )*};
        }
        sum!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        // A deep stack has more, whose sizes the compiler need not know.
        for tensor in (16..self.sizes.shape().cell.tensors()).filter(|&tensor| trained.has_cell(tensor)) {
            let (rows, cols) = self.sizes.shape().cell.tensor(tensor).unwrap_or_default();
            self.of_cell(lanes, done, tensor, &(0..rows), &mut [], take_mut(&mut grads, rows * cols));
        }
        let ([(rows, cols), _], [w_hq, b_q]) = (self.sizes.shape().head().tensors(), trained.head());
        if w_hq {
            self.all_of_head::<L, 0>(lanes, done, take_mut(&mut grads, rows * cols));
        }
        if b_q {
            self.all_of_head::<L, 1>(lanes, done, grads);
        }
    }

    /// Sums the gradient of a whole tensor of the cell.
    #[cfg(not(feature = "std"))]
    #[inline(never)]
    fn all_of_cell<L: Lanes, const TENSOR: usize>(&self, lanes: L, done: &Done<'_>, grads: &mut [f32]) {
        let (rows, cols) = self.sizes.shape().cell.tensor(TENSOR).unwrap_or_default();
        if let Some(grads) = grads.get_mut(..rows * cols) {
            self.of_cell(lanes, done, TENSOR, &(0..rows), &mut [], grads);
        }
    }

    /// Sums the gradient of a whole tensor of the output layer.
    #[cfg(not(feature = "std"))]
    #[inline(never)]
    fn all_of_head<L: Lanes, const TENSOR: usize>(&self, lanes: L, done: &Done<'_>, grads: &mut [f32]) {
        let (rows, cols) = self.sizes.shape().head().tensors()[TENSOR];
        if let Some(grads) = grads.get_mut(..rows * cols) {
            self.of_head::<L, TENSOR>(lanes, done, &(0..rows), &mut [], grads);
        }
    }

    /// Sums a gradient.
    #[cfg(feature = "std")]
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn accumulate<L: Lanes>(&self, lanes: L, done: &Done<'_>, gradient: Gradient<'_>) {
        let Gradient { part: Part { layer, tensor, rows, .. }, room, grads } = gradient;
        match (layer, tensor) {
            (Layer::Head, 0) => self.of_head::<L, 0>(lanes, done, &rows, room, grads),
            (Layer::Head, _) => self.of_head::<L, 1>(lanes, done, &rows, room, grads),
            (Layer::Cell, _) => self.of_cell(lanes, done, tensor, &rows, room, grads),
        }
    }

    /// Adds to the gradient of a tensor of the cell, block after block.
    #[cfg_attr(not(debug_assertions), inline(always))]
    #[allow(clippy::too_many_arguments, reason = "which weights, from what, and where to")]
    fn of_cell<L: Lanes>(
        &self,
        lanes: L,
        done: &Done<'_>,
        tensor: usize,
        rows: &Range<usize>,
        room: &mut [f32],
        grads: &mut [f32],
    ) {
        let (shape, inputs) = (self.sizes.shape(), self.inputs);
        for (block, [tape, _, d_outputs, scratch]) in done.blocks() {
            let block = self.sizes.block(block);
            let from = Backpropagated { inputs, block, tape, d_outputs, scratch };
            shape.cell.accumulate(lanes, tensor, rows, from, room, grads);
        }
    }

    /// Adds to the gradient of a tensor of the output layer, block after block.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn of_head<L: Lanes, const TENSOR: usize>(
        &self,
        lanes: L,
        done: &Done<'_>,
        rows: &Range<usize>,
        room: &mut [f32],
        grads: &mut [f32],
    ) {
        let shape = self.sizes.shape();
        for (block, [tape, logits, ..]) in done.blocks() {
            let h = shape.cell.outputs(tape, self.sizes.block(block).extent);
            shape.head().accumulate::<L, TENSOR>(lanes, rows, h, logits, room, grads);
        }
    }
}

/// Sequences of a block. Part of what a gradient is: it is summed block after block. Without `std` a window is one
/// block, whose sizes the compiler knows; so only for larger batches than these may its bits differ from a host's.
#[inline(always)]
fn block_rows<C: Cell>(shape: ModelShape<C>) -> usize {
    if cfg!(not(feature = "std")) {
        return usize::MAX;
    }
    (BLOCK_UNITS / shape.cell.hidden().max(1)).clamp(BLOCK_ROWS.start, BLOCK_ROWS.end)
}

/// A layer of the model.
#[cfg(feature = "std")]
#[derive(Clone, Copy)]
enum Layer {
    Cell,
    Head,
}

/// Rows of a tensor of weights.
#[cfg(feature = "std")]
struct Part {
    layer: Layer,
    tensor: usize,
    rows: Range<usize>,
    cols: usize,
}

/// The gradient of some weights, and room to sum it.
#[cfg(feature = "std")]
pub(super) struct Gradient<'a> {
    part: Part,
    room: &'a mut [f32],
    grads: &'a mut [f32],
}

/// All weights that are trained in their order, each tensor in as many parts as there are threads.
#[cfg(feature = "std")]
#[inline(always)]
fn parts<C: Cell>(shape: ModelShape<C>, trained: Trained, threads: usize) -> impl Iterator<Item = Part> {
    let of_cell =
        (0..).map_while(move |i| Some((Layer::Cell, i, shape.cell.tensor(i)?, trained.has_cell(i))));
    let of_head = shape.head().tensors().into_iter().zip(trained.head()).enumerate();
    let of_head = of_head.map(|(i, (size, is_trained))| (Layer::Head, i, size, is_trained));
    let all = of_cell.chain(of_head).filter(|&(.., is_trained)| is_trained);
    all.flat_map(move |(layer, tensor, (rows, cols), _)| {
        let step = rows.div_ceil(threads.max(1)).max(1);
        let first = (0..rows).step_by(step);
        first.map(move |first| Part {
            layer,
            tensor,
            rows: first..rows.min(first.saturating_add(step)),
            cols,
        })
    })
}

/// Floats of room for all gradients at once; without `std` they are summed in place.
#[cfg(feature = "std")]
pub(super) fn products_len<C: Cell>(shape: ModelShape<C>, threads: usize) -> usize {
    parts(shape, Trained::ALL, threads)
        .map(|part| product_at_len(part.rows.len()))
        .fold(0, usize::saturating_add)
}
#[cfg(not(feature = "std"))]
pub(super) fn products_len<C: Cell>(_: ModelShape<C>, _: usize) -> usize {
    0
}

/// Where a window or a block is worked on. Each buffer has as much for every sequence.
pub(super) struct Buffers<'a> {
    extent: Extent,
    each: PerSequence,
    pub(super) tape: &'a mut [f32],
    logits: &'a mut [f32],
    d_hidden: &'a mut [f32],
    scratch: &'a mut [f32],
}

/// Floats of the buffers for one sequence, and sequences of a block.
#[derive(Clone, Copy)]
struct PerSequence {
    tape: usize,
    logits: usize,
    d_hidden: usize,
    scratch: usize,
    block: usize,
}

impl<'a> Buffers<'a> {
    /// Cuts buffers to size; the rest of the scratch is left for copies.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn new<C: Cell>(
        shape: ModelShape<C>,
        extent: Extent,
        tape: &'a mut [f32],
        mut scratch: &'a mut [f32],
        backward: bool,
    ) -> Result<(Self, &'a mut [f32]), Error> {
        let needed = if backward { shape.scratch_len(extent) } else { shape.loss_scratch_len(extent) };
        at_least(Argument::Tape, shape.tape_len(extent), tape.len())?;
        at_least(Argument::Scratch, needed, scratch.len())?;
        let one = Extent { batch: 1, ..extent };
        let each = PerSequence {
            tape: shape.tape_len(one),
            logits: extent.window * shape.outputs,
            d_hidden: if backward { extent.window * shape.cell.hidden() } else { 0 },
            scratch: if backward { shape.cell.backward_scratch_len(one) } else { 0 },
            block: block_rows(shape),
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
        Block::all(self.extent, each.block).map(inlined!(move |block: Block| {
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
    each: PerSequence,
    tape: &'a [f32],
    logits: &'a [f32],
    d_hidden: &'a [f32],
    scratch: &'a [f32],
}

impl Done<'_> {
    /// The blocks, and of each the tape and the gradients of logits and of the cell.
    #[inline(always)]
    fn blocks(&self) -> impl Iterator<Item = (Block, [&[f32]; 4])> {
        let each = self.each;
        Block::all(self.extent, each.block).map(inlined!(move |block: Block| {
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

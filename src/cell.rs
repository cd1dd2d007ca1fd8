//! What a recurrent cell is: sizes, a step, a window forward and a window backward.
//!
//! [`Cell`] is the arithmetic, over flat slices and sizes known at run time. [`TypedCell`] is the public face: a
//! struct of weights whose sizes are constants, which names its [`Cell`] and its buffers. The arithmetic is
//! written once; through a typed cell it is compiled for constant sizes.
//!
//! Rows are time-major: row t·batch + b of a window belongs to step t of sequence b.

mod activation;
mod any;
mod dropout;
mod elman;
mod embedding;
mod feedforward;
mod gates;
mod gradient;
mod gru;
mod input;
mod kind;
mod layer;
mod lstm;
mod mask;
mod parts;
mod reset;
mod stack;

pub use activation::{Activation, ActivationKind, Relu, Tanh, UnknownActivation};
pub use any::{AnyCell, MAX_LAYERS, NoStack};
pub use dropout::{Dropout, DropoutScratch, DropoutShape, DropoutTape, Dropped};
pub use elman::{Elman, ElmanShape, ElmanTape};
pub use embedding::{Embedding, EmbeddingShape};
pub use feedforward::{Feedforward, FeedforwardShape};
pub use gradient::Gradient;
pub use gru::{Gru, GruScratch, GruShape, GruTape};
use input::InputWeights;
pub use input::{Input, Inputs};
pub(crate) use input::{check_tokens, extent};
pub use kind::{CellKind, UnknownCell};
pub use layer::Layer;
pub use lstm::{Lstm, LstmBackward, LstmScratch, LstmShape, LstmState, LstmTape};
use mask::Mask;
pub use reset::{Reset, ResetAfter, ResetBefore, ResetKind};
pub use stack::{Stack, StackBackward, StackShape};

use core::{convert::identity, fmt::Debug, ops::Range};

use rand_core::Rng;

use crate::crew::Crew;
use crate::init::Init;
use crate::kernels::copy;
use crate::lanes::{Lanes, inlined};
use crate::params::{Flat, sealed::Sealed};

/// How many sequences run side by side, and for how many steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Sequences, n.
    pub batch: usize,
    /// Steps, T.
    pub window: usize,
}

impl Extent {
    /// A single step of `batch` sequences.
    #[must_use]
    pub const fn step(batch: usize) -> Self {
        Self { batch, window: 1 }
    }

    /// The rows of the window: `batch · window`.
    #[must_use]
    pub const fn rows(self) -> usize {
        self.batch.saturating_mul(self.window)
    }
}

/// Some sequences of a window, side by side in a block of buffers of their own.
///
/// Within the block, rows are time-major again. The block's inputs and targets are rows of the whole window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The first of its sequences.
    pub first: usize,
    /// Its own extent.
    pub extent: Extent,
    /// Sequences of the window.
    pub batch: usize,
    /// What is dropped of its tokens.
    dropped: Mask,
    /// Tensors of the cell, from the first on, whose gradients nobody wants.
    frozen: usize,
}

impl Block {
    /// A whole window.
    #[must_use]
    pub const fn whole(extent: Extent) -> Self {
        Self { first: 0, extent, batch: extent.batch, dropped: Mask::NONE, frozen: 0 }
    }

    /// The same as a whole window of `batch` sequences.
    #[inline(always)]
    pub(crate) const fn whole_of(self, batch: usize) -> Self {
        Self::whole(Extent { batch, ..self.extent }).with_frozen(self.frozen)
    }

    /// The same, for a backward pass that need not reach the first tensors of the cell.
    #[inline(always)]
    pub(crate) const fn with_frozen(self, frozen: usize) -> Self {
        Self { frozen, ..self }
    }

    /// A step of one of a window's `batch` sequences.
    #[inline(always)]
    pub(crate) const fn step_of(sequence: usize, batch: usize) -> Self {
        Self { first: sequence, extent: Extent::step(1), batch, dropped: Mask::NONE, frozen: 0 }
    }

    /// So many blocks, which together are a window: as equal as can be if each but the last has an even number of
    /// sequences, which suits the products' tiles.
    #[inline(always)]
    pub(crate) fn all(extent: Extent, count: usize) -> impl Iterator<Item = Self> {
        Self::some(extent, count, 0..count)
    }

    /// Some of so many blocks.
    #[inline(always)]
    pub(crate) fn some(extent: Extent, count: usize, which: Range<usize>) -> impl Iterator<Item = Self> {
        let Extent { batch, window } = extent;
        let end = identity(inlined!(move |index: usize| match index {
            _ if index == count => batch,
            _ => (index * batch / count) & !1,
        }));
        which.map(inlined!(move |index: usize| {
            let first = end(index);
            let extent = Extent { batch: end(index + 1) - first, window };
            Self { first, extent, batch, dropped: Mask::NONE, frozen: 0 }
        }))
    }

    /// The rows of the window that are the block's, in order: where each run of them begins, and how long all are.
    #[inline(always)]
    pub(crate) fn runs(self) -> (usize, impl Iterator<Item = usize>) {
        let Extent { batch, window } = self.extent;
        let (rows, runs) = if batch == self.batch { (batch * window, 1) } else { (batch, window) };
        (rows, (0..runs).map(inlined!(move |t| t * self.batch + self.first)))
    }

    /// The block's part of a buffer that has `per_sequence` elements for each sequence of the window.
    #[inline(always)]
    pub(crate) fn part(self, of: &[f32], per_sequence: usize) -> &[f32] {
        let from = of.get(self.first * per_sequence..).unwrap_or_default();
        from.get(..self.extent.batch * per_sequence).unwrap_or_default()
    }
}

/// The weights of a layer and, where there was room, copies of them that make products faster.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    /// As they are.
    pub params: &'a [f32],
    /// What [`Cell::pack`] made of them; nothing if there was no room.
    pub pack: &'a [f32],
    /// For products with how many rows.
    pub rows: usize,
}

impl<'a> Weights<'a> {
    /// The first copies, of so many floats, and those after them: of the weights of inputs, see
    /// [`Cell::input_pack_len`]. Nothing where there are none.
    #[inline(always)]
    fn copies(self, pack_len: usize) -> (&'a [f32], &'a [f32]) {
        self.pack.split_at_checked(pack_len).unwrap_or_default()
    }

    /// Weights without copies.
    #[inline(always)]
    #[must_use]
    pub const fn in_place(params: &'a [f32]) -> Self {
        Self { params, pack: &[], rows: 0 }
    }
}

/// What a block's backward pass reads and uses up, beside the weights.
#[derive(Debug)]
pub struct Backward<'a> {
    /// The block.
    pub block: Block,
    /// What the forward pass kept. States stay; gates become their gradients, for [`Cell::accumulate`].
    pub tape: &'a mut [f32],
    /// The gradients of the outputs (window·batch×h), used up: [`Cell::accumulate`] finds there what it needs.
    pub d_outputs: &'a mut [f32],
    /// The gradients of input vectors (window·batch×d), added to, if they are wanted.
    pub d_inputs: Option<&'a mut [f32]>,
    /// As much as [`Cell::backward_scratch_len`] says, for [`Cell::accumulate`] too.
    pub scratch: &'a mut [f32],
}

/// What the backward pass of a block has left, from which gradients of weights are made.
#[derive(Clone, Copy, Debug)]
pub struct Backpropagated<'a> {
    /// The inputs of the window.
    pub inputs: Inputs<'a>,
    /// The block.
    pub block: Block,
    /// See [`Backward::tape`].
    pub tape: &'a [f32],
    /// See [`Backward::d_outputs`].
    pub d_outputs: &'a [f32],
    /// See [`Backward::scratch`].
    pub scratch: &'a [f32],
}

/// Work to be done with a cell whose kind is found at run time; see [`Cell::run`].
pub trait OnCell {
    /// What comes of it.
    type Output;

    /// Does it. Mark the implementation `#[inline(always)]`, as for [`OnLanes`](crate::lanes::OnLanes).
    fn on<C: Cell>(self, cell: C) -> Self::Output;
}

/// The arithmetic of a cell over flat slices: a view's sizes, without its weights.
///
/// Lengths of slices are checked by the caller ([`ModelShape`](crate::ModelShape)). Here a slice of another length gives
/// wrong numbers, and a panic in debug builds only. Not to be implemented outside this crate.
pub trait Cell: Copy + Debug + Sync + Sealed {
    /// Width d of an input: the vocabulary's size for tokens.
    fn inputs(self) -> usize;
    /// Width h of the output.
    fn hidden(self) -> usize;
    /// Floats of all weights.
    fn params_len(self) -> usize;
    /// Floats of the state of one sequence.
    fn state_len(self) -> usize;
    /// Floats that a step of `batch` sequences works in, beside the state to come; none if not said.
    #[inline(always)]
    fn step_scratch_len(self, _batch: usize) -> usize {
        0
    }
    /// Floats that a window's forward pass keeps for the backward pass; as many for each sequence.
    fn tape_len(self, extent: Extent) -> usize;
    /// Floats that a window's backward pass works in, beside the gradient of its output; as many for each sequence. None if
    /// not said.
    #[inline(always)]
    fn backward_scratch_len(self, _extent: Extent) -> usize {
        0
    }
    /// Floats for copies of weights, which make windows faster if they can be spared; none if not said.
    #[inline(always)]
    fn pack_len(self) -> usize {
        0
    }

    /// Does work with this cell; where its kind is known at run time only, with the cell of that kind. What asks the cell
    /// for several things so finds its way to them once.
    #[inline(always)]
    fn run<W: OnCell>(&self, work: W) -> W::Output {
        work.on(*self)
    }

    /// Floats for copies of the weights of inputs, which make windows of vectors and the gradients of these faster if they can
    /// be spared, as between the layers of a stack; none if not said.
    #[inline(always)]
    fn input_pack_len(self) -> usize {
        0
    }

    /// Draws initial weights.
    fn init<R: Rng + ?Sized>(self, params: &mut [f32], init: Init, rng: &mut R);

    /// One step from `state` to `next`, of which [`output`](Self::output) is the result.
    fn step<L: Lanes>(
        self,
        lanes: L,
        params: &[f32],
        inputs: Inputs<'_>,
        state: &[f32],
        next: &mut [f32],
        scratch: &mut [f32],
    );

    /// The outputs H (batch×h) within a state: all of it, if not said.
    #[inline(always)]
    fn output(self, state: &[f32], _batch: usize) -> &[f32] {
        state
    }

    /// Copies weights for products with `rows` rows into `room`, which is [`pack_len`](Self::pack_len) long, or by
    /// [`input_pack_len`](Self::input_pack_len) longer.
    #[inline(always)]
    fn pack<L: Lanes>(self, _crew: &impl Crew, _lanes: L, _params: &[f32], _rows: usize, _room: &mut [f32]) {}

    /// Puts the states of a block's sequences, out of those of all, where [`forward`](Self::forward) reads them, if it
    /// does.
    #[inline(always)]
    fn begin(self, _state: &[f32], _block: Block, _tape: &mut [f32]) {}

    /// The steps of a block, after [`begin`](Self::begin); what the backward pass needs is kept in `tape`.
    fn forward<L: Lanes>(
        self,
        lanes: L,
        weights: Weights<'_>,
        inputs: Inputs<'_>,
        block: Block,
        tape: &mut [f32],
    );

    /// The outputs H of all steps (window·batch×h) within a tape.
    fn outputs(self, tape: &[f32], extent: Extent) -> &[f32];

    /// Puts the states after a block's last step among those of all sequences: its last outputs, if not said.
    #[inline(always)]
    fn end(self, tape: &[f32], block: Block, state: &mut [f32]) {
        let Extent { batch, window } = block.extent;
        let before = window.saturating_sub(1) * batch * self.hidden();
        let last = self.outputs(tape, block.extent).get(before..).unwrap_or_default();
        copy(last, state.get_mut(block.first * self.hidden()..).unwrap_or_default());
    }

    /// From the gradients of a block's outputs to those that [`accumulate`](Self::accumulate) needs. Nothing flows back
    /// beyond the first step.
    fn backward<L: Lanes>(self, lanes: L, weights: Weights<'_>, pass: Backward<'_>);

    /// The number of tensors of weights.
    fn tensors(self) -> usize;

    /// Rows and columns of the tensors of weights, in the order in which they follow each other.
    fn tensor(self, index: usize) -> Option<(usize, usize)>;

    /// Adds a block's part of the gradient of some rows of a tensor, which [`tensor`](Self::tensor) has. Each element is
    /// summed over the block's rows in their order.
    fn accumulate<L: Lanes>(self, lanes: L, tensor: usize, from: Backpropagated<'_>, to: Gradient<'_>);
}

/// A cell whose sizes are part of its type: a plain struct of weights, with `H` hidden units.
pub trait TypedCell<const H: usize>: Flat {
    /// The arithmetic.
    type Shape: Cell;
    /// One input vector, `[f32; I]`.
    type Vector: Flat;
    /// The state of `B` sequences.
    type State<const B: usize>: Flat;
    /// What a step of `B` sequences works in: the state to come, and more where the cell needs it.
    type StepScratch<const B: usize>: Flat;
    /// What a window of `T` steps of `B` sequences keeps for the backward pass.
    type Tape<const B: usize, const T: usize>: Flat;
    /// What the backward pass of such a window works in.
    type BackwardScratch<const B: usize, const T: usize>: Flat;

    /// The sizes.
    const SHAPE: Self::Shape;
}

//! What a recurrent cell is: sizes, a step, a window forward and a window backward.
//!
//! [`Cell`] is the arithmetic, over flat slices and sizes known at run time. [`TypedCell`] is the public face: a
//! struct of weights whose sizes are constants, which names its [`Cell`] and its buffers. The arithmetic is
//! written once; through a typed cell it is compiled for constant sizes.
//!
//! Rows are time-major: row t·batch + b of a window belongs to step t of sequence b.

mod activation;
mod any;
mod elman;
mod feedforward;
mod input;

pub use activation::{Activation, ActivationKind, Relu, Tanh, UnknownActivation};
pub use any::{AnyCell, CellKind, UnknownCell};
pub use elman::{Elman, ElmanShape, ElmanTape};
pub use feedforward::{Feedforward, FeedforwardShape};
use input::InputWeights;
pub use input::{Input, Inputs};
pub(crate) use input::{check_tokens, extent};

use core::fmt::Debug;

use rand_core::Rng;

use crate::init::Init;
use crate::lanes::Lanes;
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

/// What a window's backward pass reads, uses up and adds to, beside the weights.
#[derive(Debug)]
pub struct Backward<'a> {
    /// The inputs of the forward pass.
    pub inputs: Inputs<'a>,
    /// Its extent.
    pub extent: Extent,
    /// What it kept.
    pub tape: &'a [f32],
    /// The gradients of its outputs (window·batch×h), used up.
    pub d_outputs: &'a mut [f32],
    /// The gradients of input vectors (window·batch×d), added to, if they are wanted.
    pub d_inputs: Option<&'a mut [f32]>,
    /// As much as [`Cell::backward_scratch_len`] says.
    pub scratch: &'a mut [f32],
    /// As much as [`Cell::pack_len`] says, or less.
    pub pack: &'a mut [f32],
    /// The gradients of the weights, added to.
    pub grads: &'a mut [f32],
}

/// The arithmetic of a cell over flat slices: a view's sizes, without its weights.
///
/// Lengths of slices are checked by the caller ([`ModelShape`](crate::ModelShape)). Here a slice of another length gives
/// wrong numbers, and a panic in debug builds only. Not to be implemented outside this crate.
pub trait Cell: Copy + Debug + Sealed {
    /// Width d of an input: the vocabulary's size for tokens.
    fn inputs(self) -> usize;
    /// Width h of the output.
    fn hidden(self) -> usize;
    /// Floats of all weights.
    fn params_len(self) -> usize;
    /// Floats of the state of one sequence.
    fn state_len(self) -> usize;
    /// Floats that a step of `batch` sequences works in, beside the state to come.
    fn step_scratch_len(self, batch: usize) -> usize;
    /// Floats that a window's forward pass keeps for the backward pass.
    fn tape_len(self, extent: Extent) -> usize;
    /// Floats that a window's backward pass works in, beside the gradient of its output.
    fn backward_scratch_len(self, extent: Extent) -> usize;
    /// Floats that make the backward pass faster if they can be spared: copies of weights, transposed.
    fn pack_len(self) -> usize;

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

    /// The outputs H (batch×h) within a state.
    fn output(self, state: &[f32], batch: usize) -> &[f32];

    /// A window of steps from `state`, which is left as it was; the steps are kept in `tape`.
    fn forward<L: Lanes>(
        self,
        lanes: L,
        params: &[f32],
        inputs: Inputs<'_>,
        extent: Extent,
        state: &[f32],
        tape: &mut [f32],
    );

    /// The outputs H of all steps (window·batch×h) within a tape.
    fn outputs(self, tape: &[f32], extent: Extent) -> &[f32];

    /// The state after the last step of a tape.
    fn final_state(self, tape: &[f32], extent: Extent, state: &mut [f32]);

    /// The window's gradients, from those of its outputs. Nothing flows back beyond the first step.
    fn backward<L: Lanes>(self, lanes: L, params: &[f32], pass: Backward<'_>);
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

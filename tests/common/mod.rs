//! What the tests of the core share: random problems, the crate's answer over flat slices, and comparisons.
//!
//! A problem is a model, a state and a window, all non-zero and drawn from a seed. Its numbers are `f32`s, so the
//! reference gets the very same ones.

pub mod compare;
pub mod crowd;
pub mod problem;
pub mod states;

use recurve::cell::{AnyCell, Cell, Extent};
use recurve::lanes::{Lanes, Portable};
use recurve::loss::Goal;
use recurve::{Error, Inputs, ModelShape, Targets};

pub use problem::Problem;

/// What a window gives: its loss, all hidden units (T·n×h), the state after it and the gradients.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub loss: f32,
    pub h: Vec<f32>,
    pub state: Vec<f32>,
    pub grads: Vec<f32>,
}

/// Does the same on every kind of lanes that this machine has.
#[allow(unused_macros, reason = "each test crate uses its part of the helpers")]
macro_rules! each_lanes {
    ($lanes:ident => $body:block) => {
        for kind in recurve::lanes::LaneKind::available() {
            match kind {
                recurve::lanes::LaneKind::Portable => {
                    let $lanes = recurve::lanes::Portable;
                    $body
                }
                #[cfg(target_arch = "x86_64")]
                recurve::lanes::LaneKind::Avx2($lanes) => $body,
                #[cfg(target_arch = "x86_64")]
                recurve::lanes::LaneKind::Avx512($lanes) => $body,
                _ => panic!("{kind} is not tested"),
            }
        }
    };
}
#[allow(unused_imports, reason = "each test crate uses its part of the helpers")]
pub(crate) use each_lanes;

impl Problem {
    /// The window's gradients, from zero, in buffers as long as they must be and `room` for packed weights.
    pub fn gradient_with<L: Lanes>(&self, lanes: L, room: usize) -> Outcome {
        let mut grads = vec![0.0; self.params.len()];
        let (loss, h, state) = self.add_gradient(lanes, room, &mut grads).expect("a valid window");
        Outcome { loss, h, state, grads }
    }

    /// The window's gradients on the portable lanes.
    pub fn gradient(&self) -> Outcome {
        self.gradient_with(Portable, 0)
    }

    /// The window's gradients on the portable lanes for another objective; `h` has no meaning if it has lengths.
    pub fn gradient_for(&self, goal: impl Goal) -> Outcome {
        let mut grads = vec![0.0; self.params.len()];
        let (loss, h, state) = self.add_gradient_for(goal, Portable, 0, &mut grads).expect("a valid window");
        Outcome { loss, h, state, grads }
    }

    /// Adds the window's gradients to `grads`; the loss, the hidden units and the state after.
    pub fn add_gradient<L: Lanes>(
        &self,
        lanes: L,
        room: usize,
        grads: &mut [f32],
    ) -> Result<(f32, Vec<f32>, Vec<f32>), Error> {
        self.add_gradient_for(self.targets.targets(), lanes, room, grads)
    }

    fn add_gradient_for<L: Lanes>(
        &self,
        goal: impl Goal,
        lanes: L,
        room: usize,
        grads: &mut [f32],
    ) -> Result<(f32, Vec<f32>, Vec<f32>), Error> {
        let (shape, extent) = (self.shape, self.extent);
        let mut state = self.state.clone();
        // What is in tape and scratch before must not matter.
        let mut tape = vec![f32::NAN; shape.tape_len(extent)];
        let mut scratch = vec![f32::NAN; shape.scratch_len(extent) + room];
        let loss = shape.gradient(
            lanes,
            &self.params,
            self.inputs.inputs(),
            goal,
            &mut state,
            &mut tape,
            &mut scratch,
            grads,
        )?;
        Ok((loss, shape.cell.outputs(&tape, extent).to_vec(), state))
    }

    /// The mean loss alone, and the state after.
    pub fn loss(&self) -> (f32, Vec<f32>) {
        let mut state = self.state.clone();
        let loss = loss(self.shape, &self.params, self.inputs.inputs(), self.targets.targets(), &mut state);
        (loss.expect("a valid window"), state)
    }

    /// The window's steps one by one: all hidden units, all outputs, and the state after.
    pub fn steps_with<L: Lanes>(&self, lanes: L) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
        let (shape, batch) = (self.shape, self.extent.batch);
        let mut state = self.state.clone();
        let (mut h, mut all_logits) = (Vec::new(), Vec::new());
        for t in 0..self.extent.window {
            let inputs = self.inputs.pick(t * batch..(t + 1) * batch);
            let mut logits = vec![f32::NAN; batch * shape.outputs];
            let mut scratch = vec![f32::NAN; shape.step_scratch_len(batch)];
            shape
                .step(lanes, &self.params, inputs.inputs(), &mut state, &mut logits, &mut scratch)
                .expect("a valid step");
            h.extend_from_slice(shape.cell.output(&state, batch));
            all_logits.extend(logits);
        }
        (h, all_logits, state)
    }

    /// The window's steps on the portable lanes.
    pub fn steps(&self) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
        self.steps_with(Portable)
    }

    /// The part of this problem that is sequence `b`.
    pub fn sequence(&self, b: usize) -> Self {
        let Extent { batch, window } = self.extent;
        let rows = (0..window).map(|t| t * batch + b);
        let state = self.state_of(&self.state, b);
        let extent = Extent { batch: 1, window };
        let (inputs, targets) = (self.inputs.pick(rows.clone()), self.targets.pick(rows));
        Self { extent, state, inputs, targets, ..self.clone() }
    }

    /// The part of a state of all sequences that belongs to sequence `b`.
    pub fn state_of(&self, state: &[f32], b: usize) -> Vec<f32> {
        states::of_sequence(self.shape.cell, state, self.extent.batch, b)
    }

    /// The part of this problem that is the steps of `range`, from the same state.
    pub fn part(&self, range: core::ops::Range<usize>) -> Self {
        let batch = self.extent.batch;
        let rows = range.start * batch..range.end * batch;
        let extent = Extent { batch, window: range.len() };
        let (inputs, targets) = (self.inputs.pick(rows.clone()), self.targets.pick(rows));
        Self { extent, inputs, targets, ..self.clone() }
    }
}

/// A window's loss with buffers of just the right length.
pub fn loss(
    shape: ModelShape<AnyCell>,
    params: &[f32],
    inputs: Inputs<'_>,
    targets: Targets<'_>,
    state: &mut [f32],
) -> Result<f32, Error> {
    let batch = state.len() / shape.cell.state_len();
    let rows = match inputs {
        Inputs::Tokens(tokens) => tokens.len(),
        Inputs::Vectors(x) => x.len() / shape.cell.inputs(),
    };
    let extent = Extent { batch, window: rows / batch };
    let mut tape = vec![f32::NAN; shape.tape_len(extent)];
    let mut scratch = vec![f32::NAN; shape.loss_scratch_len(extent)];
    shape.loss(Portable, params, inputs, targets, state, &mut tape, &mut scratch)
}

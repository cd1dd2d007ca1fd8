//! The network without hidden state: a hidden layer whose units do not see those of the step before.
//!
//! H_t = φ(X_t W_xh + b_h)
//!
//! As a cell it has a state nevertheless, namely its last output, which no later step reads.

use rand_core::Rng;

use super::{
    Activation, ActivationKind, Backpropagated, Backward, Block, Cell, Extent, Gradient, InputWeights,
    Inputs, Tanh, TypedCell, Weights,
};
use crate::crew::Crew;
use crate::init::Init;
use crate::kernels::Mat;
use crate::lanes::Lanes;
use crate::params::{plain_data, take, take_mut};

plain_data! {
    /// Weights of a hidden layer with `I` inputs, `H` hidden units and activation φ: `(I + 1)·H` parameters.
    pub struct Feedforward
        [const I: usize, const H: usize, A: Activation]
        default [const I: usize, const H: usize, A: Activation = Tanh]
        [I, H, A]
    {
        /// W_xh (d×h): row i is what input i adds to the hidden units.
        pub w_xh: [[f32; H]; I],
        /// b_h (h)
        pub b_h: [f32; H],
        /// φ, without size.
        pub activation: A,
    }
}

impl<const I: usize, const H: usize, A: Activation> TypedCell<H> for Feedforward<I, H, A> {
    type Shape = FeedforwardShape;
    type Vector = [f32; I];
    type State<const B: usize> = [[f32; H]; B];
    type StepScratch<const B: usize> = [[f32; H]; B];
    type Tape<const B: usize, const T: usize> = [[[f32; H]; B]; T];
    type BackwardScratch<const B: usize, const T: usize> = [f32; 0];
    const SHAPE: FeedforwardShape = FeedforwardShape { inputs: I, hidden: H, activation: A::KIND };
}

/// The arithmetic of [`Feedforward`], for sizes known at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedforwardShape {
    /// d
    pub inputs: usize,
    /// h
    pub hidden: usize,
    /// φ
    pub activation: ActivationKind,
}

impl FeedforwardShape {
    #[inline(always)]
    fn view(self, mut params: &[f32]) -> InputWeights<'_> {
        let w = Mat::new(take(&mut params, self.inputs * self.hidden), self.hidden);
        InputWeights::new(w, take(&mut params, self.hidden))
    }
}

impl crate::params::sealed::Sealed for FeedforwardShape {}

impl Cell for FeedforwardShape {
    #[inline(always)]
    fn inputs(self) -> usize {
        self.inputs
    }
    #[inline(always)]
    fn hidden(self) -> usize {
        self.hidden
    }
    #[inline(always)]
    fn params_len(self) -> usize {
        self.inputs.saturating_add(1).saturating_mul(self.hidden)
    }
    #[inline(always)]
    fn state_len(self) -> usize {
        self.hidden
    }
    #[inline(always)]
    fn tape_len(self, extent: Extent) -> usize {
        extent.rows().saturating_mul(self.hidden)
    }
    #[inline(always)]
    fn input_pack_len(self) -> usize {
        InputWeights::pack_len(self.inputs, self.hidden)
    }

    /// W_xh uniform, at the scale of `init`; b_h zero.
    fn init<R: Rng + ?Sized>(self, mut params: &mut [f32], init: Init, rng: &mut R) {
        init.draw_input(take_mut(&mut params, self.inputs * self.hidden), self.inputs, self.hidden, rng);
        params.fill(0.0);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn step<L: Lanes>(
        self,
        lanes: L,
        params: &[f32],
        inputs: Inputs<'_>,
        _state: &[f32],
        next: &mut [f32],
        _scratch: &mut [f32],
    ) {
        self.view(params).forward(lanes, inputs, next);
        self.activation.apply(lanes, next);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn pack<L: Lanes>(self, crew: &impl Crew, lanes: L, params: &[f32], _rows: usize, room: &mut [f32]) {
        self.view(params).pack(crew, lanes, room);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn forward<L: Lanes>(
        self,
        lanes: L,
        weights: Weights<'_>,
        inputs: Inputs<'_>,
        block: Block,
        tape: &mut [f32],
    ) {
        self.view(weights.params).with_copies(weights.pack).forward_block(lanes, inputs, block, tape);
        self.activation.apply(lanes, tape);
    }

    #[inline(always)]
    fn outputs(self, tape: &[f32], _: Extent) -> &[f32] {
        tape
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn backward<L: Lanes>(self, lanes: L, weights: Weights<'_>, pass: Backward<'_>) {
        let Backward { block, tape, d_outputs, d_inputs, .. } = pass;
        self.activation.backward(lanes, d_outputs, self.outputs(tape, block.extent));
        if let Some(d_inputs) = d_inputs {
            let input = self.view(weights.params).with_copies(weights.pack);
            input.backward(lanes, Mat::new(d_outputs, self.hidden), d_inputs);
        }
    }

    #[inline(always)]
    fn tensors(self) -> usize {
        TENSORS
    }

    #[inline(always)]
    fn tensor(self, index: usize) -> Option<(usize, usize)> {
        match index {
            W_XH => Some((self.inputs, self.hidden)),
            B_H => Some((1, self.hidden)),
            _ => None,
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn accumulate<L: Lanes>(self, lanes: L, tensor: usize, from: Backpropagated<'_>, to: Gradient<'_>) {
        let Backpropagated { inputs, block, d_outputs, .. } = from;
        let d_a = Mat::new(d_outputs, self.hidden);
        match tensor {
            W_XH => inputs.accumulate(lanes, self.inputs, block, d_a, to),
            _ => to.add_column_sums(lanes, d_a),
        }
    }
}

/// The tensors, in order.
const W_XH: usize = 0;
const B_H: usize = 1;
/// How many there are.
const TENSORS: usize = 2;

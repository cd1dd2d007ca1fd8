//! The simple recurrent cell (J. L. Elman, Finding Structure in Time, 1990):
//!
//! H_t = φ(X_t W_xh + H_{t−1} W_hh + b_h)
//!
//! A pre-activation is summed as b_h, then the input's part, then the recurrent part, each in order.

use rand_core::Rng;

use super::parts::{part, step_and_previous};
use super::{
    Activation, ActivationKind, Backpropagated, Backward, Block, Cell, Extent, Gradient, InputWeights,
    Inputs, Tanh, TypedCell, Weights,
};
use crate::crew::Crew;
use crate::init::Init;
use crate::kernels::{Factor, Mat, copy, product};
use crate::lanes::Lanes;
use crate::params::{plain_data, take, take_mut};

plain_data! {
    /// Weights of a simple recurrent cell with `I` inputs, `H` hidden units and activation φ.
    ///
    /// `(I + H + 1)·H` parameters, however many steps it is run for.
    pub struct Elman
        [const I: usize, const H: usize, A: Activation]
        default [const I: usize, const H: usize, A: Activation = Tanh]
        [I, H, A]
    {
        /// W_xh (d×h): row i is what input i adds to the hidden units.
        pub w_xh: [[f32; H]; I],
        /// W_hh (h×h): row k is what hidden unit k adds to those of the next step.
        pub w_hh: [[f32; H]; H],
        /// b_h (h)
        pub b_h: [f32; H],
        /// φ, without size.
        pub activation: A,
    }
}

plain_data! {
    /// What a window of an [`Elman`] cell keeps: the state before it, and the hidden units of every step.
    pub struct ElmanTape [const H: usize, const B: usize, const T: usize] [H, B, T] {
        /// H_0 (n×h)
        pub initial: [[f32; H]; B],
        /// H_1 … H_T (T×n×h)
        pub steps: [[[f32; H]; B]; T],
    }
}

impl<const I: usize, const H: usize, A: Activation> TypedCell<H> for Elman<I, H, A> {
    type Shape = ElmanShape;
    type Vector = [f32; I];
    type State<const B: usize> = [[f32; H]; B];
    type StepScratch<const B: usize> = [[f32; H]; B];
    type Tape<const B: usize, const T: usize> = ElmanTape<H, B, T>;
    type BackwardScratch<const B: usize, const T: usize> = [f32; 0];
    const SHAPE: ElmanShape = ElmanShape { inputs: I, hidden: H, activation: A::KIND };
}

/// The arithmetic of [`Elman`], for sizes known at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElmanShape {
    /// d
    pub inputs: usize,
    /// h
    pub hidden: usize,
    /// φ
    pub activation: ActivationKind,
}

/// Weights, borrowed.
struct View<'a> {
    input: InputWeights<'a>,
    w_hh: Mat<'a>,
}

impl ElmanShape {
    #[inline(always)]
    fn view(self, mut params: &[f32]) -> View<'_> {
        let w_xh = Mat::new(take(&mut params, self.inputs * self.hidden), self.hidden);
        let w_hh = Mat::new(take(&mut params, self.hidden * self.hidden), self.hidden);
        View { input: InputWeights::new(w_xh, take(&mut params, self.hidden)), w_hh }
    }

    /// H_0 … H_{T−1} of a tape, the hidden units before each step.
    #[inline(always)]
    fn previous(self, tape: &[f32], extent: Extent) -> &[f32] {
        tape.get(..extent.rows() * self.hidden).unwrap_or_default()
    }
}

impl crate::params::sealed::Sealed for ElmanShape {}

impl Cell for ElmanShape {
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
        self.inputs.saturating_add(self.hidden).saturating_add(1).saturating_mul(self.hidden)
    }
    #[inline(always)]
    fn state_len(self) -> usize {
        self.hidden
    }
    #[inline(always)]
    fn tape_len(self, extent: Extent) -> usize {
        extent.rows().saturating_add(extent.batch).saturating_mul(self.hidden)
    }
    #[inline(always)]
    fn pack_len(self) -> usize {
        Factor::pack_len(self.hidden, self.hidden)
    }
    #[inline(always)]
    fn input_pack_len(self) -> usize {
        InputWeights::pack_len(self.inputs, self.hidden)
    }

    /// W_xh uniform, W_hh orthogonal, both at the scale of `init`; b_h zero.
    fn init<R: Rng + ?Sized>(self, mut params: &mut [f32], init: Init, rng: &mut R) {
        init.draw_input(take_mut(&mut params, self.inputs * self.hidden), self.inputs, self.hidden, rng);
        init.draw_recurrent(take_mut(&mut params, self.hidden * self.hidden), self.hidden, rng);
        params.fill(0.0);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn step<L: Lanes>(
        self,
        lanes: L,
        params: &[f32],
        inputs: Inputs<'_>,
        state: &[f32],
        next: &mut [f32],
        _scratch: &mut [f32],
    ) {
        let view = self.view(params);
        view.input.forward(lanes, inputs, next);
        product(lanes, Mat::new(state, self.hidden), view.w_hh, next);
        self.activation.apply(lanes, next);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn pack<L: Lanes>(self, crew: &impl Crew, lanes: L, params: &[f32], rows: usize, mut room: &mut [f32]) {
        let view = self.view(params);
        Factor::pack(crew, lanes, view.w_hh, rows, take_mut(&mut room, self.pack_len()));
        view.input.pack(crew, lanes, room);
    }

    #[inline(always)]
    fn begin(self, state: &[f32], block: Block, tape: &mut [f32]) {
        copy(block.part(state, self.hidden), tape);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn forward<L: Lanes>(
        self,
        lanes: L,
        weights: Weights<'_>,
        inputs: Inputs<'_>,
        block: Block,
        mut tape: &mut [f32],
    ) {
        let view = self.view(weights.params);
        let (pack, copies) = weights.copies(self.pack_len());
        let (w_hh, input) = (Factor::new(view.w_hh, weights.rows, pack), view.input.with_copies(copies));
        let row = block.extent.batch * self.hidden;
        let mut h_prev = take_mut(&mut tape, row);
        input.forward_early(lanes, inputs, block, tape);
        for t in 0..block.extent.window {
            let h = take_mut(&mut tape, row);
            input.forward_late(lanes, inputs, block, t, h);
            w_hh.product(lanes, Mat::new(h_prev, self.hidden), h);
            self.activation.apply(lanes, h);
            h_prev = h;
        }
    }

    #[inline(always)]
    fn outputs(self, tape: &[f32], extent: Extent) -> &[f32] {
        tape.get(extent.batch * self.hidden..).unwrap_or_default()
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn backward<L: Lanes>(self, lanes: L, weights: Weights<'_>, pass: Backward<'_>) {
        let Backward { block: Block { extent, .. }, tape, d_outputs, d_inputs, .. } = pass;
        let view = self.view(weights.params);
        let (pack, copies) = weights.copies(self.pack_len());
        let w_hh_t = Factor::transposed(view.w_hh, weights.rows, pack);
        let h = self.outputs(tape, extent);
        let row = extent.batch * self.hidden;
        // From the last step to the first, dH_t becomes dA_t = dH_t ∘ φ′, and dA_t W_hhᵀ is added to dH_{t−1}.
        for t in (0..extent.window).rev() {
            let (d_h_prev, d_a) = step_and_previous(d_outputs, t, row);
            self.activation.backward(lanes, d_a, part(h, t, row));
            if t > 0 {
                w_hh_t.product(lanes, Mat::new(d_a, self.hidden), d_h_prev);
            }
        }
        if let Some(d_inputs) = d_inputs {
            view.input.with_copies(copies).backward(lanes, Mat::new(d_outputs, self.hidden), d_inputs);
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
            W_HH => Some((self.hidden, self.hidden)),
            B_H => Some((1, self.hidden)),
            _ => None,
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn accumulate<L: Lanes>(self, lanes: L, tensor: usize, from: Backpropagated<'_>, to: Gradient<'_>) {
        let Backpropagated { inputs, block, tape, d_outputs, .. } = from;
        let d_a = Mat::new(d_outputs, self.hidden);
        match tensor {
            W_XH => inputs.accumulate(lanes, self.inputs, block, d_a, to),
            W_HH => {
                let h_prev = Mat::new(self.previous(tape, block.extent), self.hidden);
                to.add_product(lanes, h_prev, d_a);
            }
            _ => to.add_column_sums(lanes, d_a),
        }
    }
}

/// The tensors, in order.
const W_XH: usize = 0;
const W_HH: usize = 1;
const B_H: usize = 2;
/// How many there are.
const TENSORS: usize = 3;

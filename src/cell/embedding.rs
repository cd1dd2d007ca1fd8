//! An embedding: a learned vector for each token, in front of a cell (Dive into Deep Learning, section 9.5: a token as a
//! d-dimensional vector; section 15.1).
//!
//! E_t = X_t W_e
//!
//! A token picks a row of W_e. What flows back is added to the rows of the tokens that were read, and to no other. As a
//! cell it has a state, namely its last output, which no later step reads.

use rand_core::Rng;

use super::mask::Mask;
use super::{Backpropagated, Backward, Block, Cell, Extent, Gradient, Inputs, TypedCell, Weights};
use crate::init::Init;
use crate::kernels::{Factor, Mat, copy, product, zip_map};
use crate::lanes::{Lanes, inlined};
use crate::params::{plain_data, rows_mut, take_mut};

plain_data! {
    /// Learned vectors of `D` elements for `V` tokens: `V·D` parameters. It stands in front of a cell as the first of a
    /// [`Stack`](super::Stack).
    ///
    /// ```
    /// use rand_core::SeedableRng;
    /// use recurve::{Embedding, Gru, Model, Stack, init::Init, params::Flat};
    ///
    /// // 5000 tokens, each a vector of 8 elements, into 32 units of a GRU.
    /// type Words = Model<Stack<Embedding<5000, 8>, Gru<8, 32>>, 32, 5>;
    /// type OneHot = Model<Gru<5000, 32>, 32, 5>;
    /// const { assert!(10 * Words::BYTES < OneHot::BYTES) }
    ///
    /// let mut model = Words::boxed();
    /// model.init(Init::TOKENS, &mut rand_pcg::Pcg32::seed_from_u64(1));
    /// let (mut state, mut logits, mut scratch) = (Flat::ZERO, [0.0; 5], Flat::ZERO);
    /// model.step(4999_u16, &mut state, &mut logits, &mut scratch)?;
    /// assert_eq!(state.first[0], model.cell.first.w_e[4999]);
    /// # Ok::<(), recurve::Error>(())
    /// ```
    pub struct Embedding [const V: usize, const D: usize] [V, D] {
        /// W_e (v×d): row i is token i.
        pub w_e: [[f32; D]; V],
    }
}

impl<const V: usize, const D: usize> TypedCell<D> for Embedding<V, D> {
    type Shape = EmbeddingShape;
    type Vector = [f32; V];
    type State<const B: usize> = [[f32; D]; B];
    type StepScratch<const B: usize> = [[f32; D]; B];
    type Tape<const B: usize, const T: usize> = [[[f32; D]; B]; T];
    type BackwardScratch<const B: usize, const T: usize> = [f32; 0];
    const SHAPE: EmbeddingShape = EmbeddingShape { inputs: V, hidden: D };
}

/// The arithmetic of [`Embedding`], for sizes known at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbeddingShape {
    /// v
    pub inputs: usize,
    /// d
    pub hidden: usize,
}

impl EmbeddingShape {
    #[inline(always)]
    fn w_e(self, params: &[f32]) -> Mat<'_> {
        Mat::new(params, self.hidden)
    }

    /// E ← X W_e
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn look_up<L: Lanes>(self, lanes: L, params: &[f32], inputs: Inputs<'_>, e: &mut [f32]) {
        let w_e = self.w_e(params);
        match inputs {
            Inputs::Tokens(tokens) => {
                for (e, &token) in rows_mut(e, self.hidden).zip(tokens) {
                    copy(w_e.row(usize::from(token)), e);
                }
            }
            Inputs::Vectors(x) => {
                e.fill(0.0);
                product(lanes, Mat::new(x, self.inputs), w_e, e);
            }
        }
    }

    /// E ← X̃ W_e, for tokens whose ones have become these numbers.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn look_up_ones<L: Lanes>(
        self,
        lanes: L,
        params: &[f32],
        ones: impl Iterator<Item = (u16, f32)>,
        e: &mut [f32],
    ) {
        let w_e = self.w_e(params);
        for (e, (token, one)) in rows_mut(e, self.hidden).zip(ones) {
            let one = lanes.splat(one);
            zip_map(lanes, e, w_e.row(usize::from(token)), inlined!(|_, w| lanes.mul(one, w)));
        }
    }
}

impl crate::params::sealed::Sealed for EmbeddingShape {}

impl Cell for EmbeddingShape {
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
        self.inputs.saturating_mul(self.hidden)
    }
    #[inline(always)]
    fn state_len(self) -> usize {
        self.hidden
    }
    #[inline(always)]
    fn tape_len(self, extent: Extent) -> usize {
        extent.rows().saturating_mul(self.hidden)
    }

    /// Uniform, at the scale of `init`.
    fn init<R: Rng + ?Sized>(self, params: &mut [f32], init: Init, rng: &mut R) {
        init.draw_input(params, self.inputs, self.hidden, rng);
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
        self.look_up(lanes, params, inputs, next);
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
        let (rows, runs) = block.runs();
        for first in runs {
            let e = take_mut(&mut tape, rows * self.hidden);
            match inputs.rows(first..first + rows, self.inputs) {
                Inputs::Tokens(tokens) if block.dropped != Mask::NONE => {
                    self.look_up_ones(lanes, weights.params, block.dropped.ones(first, tokens), e);
                }
                inputs => self.look_up(lanes, weights.params, inputs, e),
            }
        }
    }

    #[inline(always)]
    fn outputs(self, tape: &[f32], _: Extent) -> &[f32] {
        tape
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn backward<L: Lanes>(self, lanes: L, weights: Weights<'_>, pass: Backward<'_>) {
        if let Some(d_inputs) = pass.d_inputs {
            let w_e_t = Factor::transposed(self.w_e(weights.params), 0, &[]);
            w_e_t.product(lanes, Mat::new(pass.d_outputs, self.hidden), d_inputs);
        }
    }

    #[inline(always)]
    fn tensors(self) -> usize {
        1
    }

    #[inline(always)]
    fn tensor(self, index: usize) -> Option<(usize, usize)> {
        (index == 0).then_some((self.inputs, self.hidden))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn accumulate<L: Lanes>(self, lanes: L, _: usize, from: Backpropagated<'_>, to: Gradient<'_>) {
        let Backpropagated { inputs, block, d_outputs, .. } = from;
        let d_e = Mat::new(d_outputs, self.hidden);
        inputs.accumulate(lanes, self.inputs, block, d_e, to);
    }
}

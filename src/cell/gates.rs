//! Gates: sigmoid layers that read the inputs and the hidden units, several of them side by side in one product.
//!
//! A = X W_x + H W_h + b, where W_x (d×k·h), W_h (h×k·h) and b (k·h) hold k gates, each of them h columns wide.

use rand_core::Rng;

use super::{Block, Gradient, InputWeights, Inputs};
use crate::init::Init;
use crate::kernels::Mat;
use crate::lanes::Lanes;
use crate::params::{take, take_mut};

/// The sizes of gates.
#[derive(Clone, Copy)]
pub(super) struct GatesShape {
    /// d
    pub(super) inputs: usize,
    /// h
    pub(super) hidden: usize,
    /// k
    pub(super) count: usize,
}

/// Weights of gates, borrowed.
pub(super) struct Gates<'a> {
    /// W_x and b.
    pub(super) input: InputWeights<'a>,
    /// W_h, h×k·h.
    pub(super) w_h: Mat<'a>,
}

/// What the gradients of gates are made of.
#[derive(Clone, Copy)]
pub(super) struct GateGradients<'a> {
    pub(super) inputs: Inputs<'a>,
    pub(super) block: Block,
    /// What W_h was multiplied with (·×h).
    pub(super) h: &'a [f32],
    /// The gradients of A (·×k·h); of its recurrent part, where W_h is asked for.
    pub(super) d_a: &'a [f32],
}

/// The tensors of gates, in order.
const W_X: usize = 0;
pub(super) const W_H: usize = 1;
const B: usize = 2;
/// How many there are.
pub(super) const TENSORS: usize = 3;

impl GatesShape {
    /// k·h
    #[inline(always)]
    pub(super) const fn cols(self) -> usize {
        self.count.saturating_mul(self.hidden)
    }

    /// Floats of all weights.
    #[inline(always)]
    pub(super) const fn params_len(self) -> usize {
        self.inputs.saturating_add(self.hidden).saturating_add(1).saturating_mul(self.cols())
    }

    /// Floats for copies of W_x.
    #[inline(always)]
    pub(super) const fn input_pack_len(self) -> usize {
        InputWeights::pack_len(self.inputs, self.cols())
    }

    /// Takes the weights off the front of others.
    #[inline(always)]
    pub(super) fn take<'a>(self, params: &mut &'a [f32]) -> Gates<'a> {
        let w_x = Mat::new(take(params, self.inputs * self.cols()), self.cols());
        let w_h = Mat::new(take(params, self.hidden * self.cols()), self.cols());
        Gates { input: InputWeights::new(w_x, take(params, self.cols())), w_h }
    }

    /// W_x uniform, each gate's W_h orthogonal, both at the scale of `init`; b zero. Gives b.
    pub(super) fn init<'a, R: Rng + ?Sized>(
        self,
        params: &mut &'a mut [f32],
        init: Init,
        rng: &mut R,
    ) -> &'a mut [f32] {
        init.draw_input(take_mut(params, self.inputs * self.cols()), self.inputs, self.hidden, rng);
        init.draw_recurrent(take_mut(params, self.hidden * self.cols()), self.hidden, rng);
        let b = take_mut(params, self.cols());
        b.fill(0.0);
        b
    }

    /// Rows and columns of W_x, W_h and b.
    #[inline(always)]
    pub(super) const fn tensor(self, index: usize) -> Option<(usize, usize)> {
        match index {
            W_X => Some((self.inputs, self.cols())),
            W_H => Some((self.hidden, self.cols())),
            B => Some((1, self.cols())),
            _ => None,
        }
    }

    /// dW_x += Xᵀ dA, dW_h += Hᵀ dA or db += Σ dA; see [`Cell::accumulate`](super::Cell::accumulate).
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn accumulate<L: Lanes>(
        self,
        lanes: L,
        tensor: usize,
        from: GateGradients<'_>,
        to: Gradient<'_>,
    ) {
        let GateGradients { inputs, block, h, d_a } = from;
        let d_a = Mat::new(d_a, self.cols());
        match tensor {
            W_X => inputs.accumulate(lanes, self.inputs, block, d_a, to),
            W_H => to.add_product(lanes, Mat::new(h, self.hidden), d_a),
            _ => to.add_column_sums(lanes, d_a),
        }
    }
}

/// d · s · (1 − s): back through s = σ(a).
#[inline(always)]
pub(super) fn through_sigmoid<L: Lanes>(lanes: L, d: L::F, s: L::F) -> L::F {
    lanes.mul(d, lanes.mul(s, lanes.sub(lanes.splat(1.0), s)))
}

/// d · (1 − y²): back through y = tanh a.
#[inline(always)]
pub(super) fn through_tanh<L: Lanes>(lanes: L, d: L::F, y: L::F) -> L::F {
    lanes.mul(d, lanes.sub(lanes.splat(1.0), lanes.mul(y, y)))
}

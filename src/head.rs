//! The output layer: O_t = H_t W_hq + b_q, the same for every step.

use rand_core::Rng;

use crate::init::xavier;
use crate::kernels::{Mat, Transposed, affine, column_sums, product_at};
use crate::lanes::Lanes;
use crate::params::{plain_data, take, take_mut};

plain_data! {
    /// Weights of an output layer from `H` hidden units to `O` outputs: `(H + 1)·O` parameters.
    pub struct Dense [const H: usize, const O: usize] [H, O] {
        /// W_hq (h×q): row k is what hidden unit k adds to the outputs.
        pub w_hq: [[f32; O]; H],
        /// b_q (q)
        pub b_q: [f32; O],
    }
}

/// The arithmetic of [`Dense`], for sizes known at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DenseShape {
    /// h
    pub hidden: usize,
    /// q
    pub outputs: usize,
}

impl DenseShape {
    /// Floats of all weights.
    #[inline(always)]
    #[must_use]
    pub const fn params_len(self) -> usize {
        self.hidden.saturating_add(1).saturating_mul(self.outputs)
    }

    /// Floats for a transposed copy of W_hq, which makes [`backward`](Self::backward) faster.
    #[inline(always)]
    #[must_use]
    pub const fn pack_len(self) -> usize {
        self.hidden.saturating_mul(self.outputs)
    }

    /// Draws initial weights: W_hq uniform by Xavier's rule, b_q zero.
    pub fn init<R: Rng + ?Sized>(self, mut params: &mut [f32], rng: &mut R) {
        xavier(take_mut(&mut params, self.hidden * self.outputs), self.hidden, self.outputs, rng);
        params.fill(0.0);
    }

    /// W_hq and b_q
    #[inline(always)]
    fn view(self, mut params: &[f32]) -> (Mat<'_>, &[f32]) {
        let w_hq = Mat::new(take(&mut params, self.hidden * self.outputs), self.outputs);
        (w_hq, take(&mut params, self.outputs))
    }

    /// O ← H W_hq + b_q, for rows of H (·×h) and O (·×q).
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn forward<L: Lanes>(self, lanes: L, params: &[f32], h: &[f32], o: &mut [f32]) {
        let (w_hq, b_q) = self.view(params);
        affine(lanes, Mat::new(h, self.hidden), w_hq, b_q, o);
    }

    /// dW_hq += Hᵀ dO, db_q += Σ dO, dH += dO W_hqᵀ.
    #[cfg_attr(not(debug_assertions), inline(always))]
    #[allow(clippy::too_many_arguments, reason = "weights, scratch and gradients are separate values")]
    pub fn backward<L: Lanes>(
        self,
        lanes: L,
        params: &[f32],
        h: &[f32],
        d_o: &[f32],
        d_h: &mut [f32],
        pack: &mut [f32],
        mut grads: &mut [f32],
    ) {
        let (w_hq, _) = self.view(params);
        let d_o = Mat::new(d_o, self.outputs);
        product_at(lanes, Mat::new(h, self.hidden), d_o, take_mut(&mut grads, self.hidden * self.outputs));
        column_sums(lanes, d_o, grads);
        Transposed::new(w_hq, pack).product(lanes, d_o, d_h);
    }
}

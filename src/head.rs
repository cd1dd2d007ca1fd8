//! The output layer: O_t = H_t W_hq + b_q, the same for every step.

use rand_core::Rng;

use crate::cell::{Gradient, Weights};
use crate::crew::Crew;
use crate::init::xavier;
use crate::kernels::{Factor, Mat};
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

    /// Floats for copies of W_hq, which make windows faster.
    #[inline(always)]
    #[must_use]
    pub const fn pack_len(self) -> usize {
        Factor::pack_len(self.hidden, self.outputs)
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

    /// Copies weights for products with `rows` rows into `room`, which is [`pack_len`](Self::pack_len) long.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn pack<L: Lanes>(self, crew: &impl Crew, lanes: L, params: &[f32], rows: usize, room: &mut [f32]) {
        Factor::pack(crew, lanes, self.view(params).0, rows, room);
    }

    /// O ← H W_hq + b_q, for rows of H (·×h) and O (·×q).
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn forward<L: Lanes>(self, lanes: L, weights: Weights<'_>, h: &[f32], o: &mut [f32]) {
        let (w_hq, b_q) = self.view(weights.params);
        let h = Mat::new(h, self.hidden);
        Factor::new(w_hq, weights.rows, weights.pack).affine(lanes, h, b_q, o);
    }

    /// dH ← dO W_hqᵀ
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn backward<L: Lanes>(self, lanes: L, weights: Weights<'_>, d_o: &[f32], d_h: &mut [f32]) {
        let (w_hq, _) = self.view(weights.params);
        let d_o = Mat::new(d_o, self.outputs);
        Factor::transposed(w_hq, weights.rows, weights.pack).overwrite(lanes, d_o, d_h);
    }

    /// Rows and columns of W_hq and of b_q.
    #[inline(always)]
    #[must_use]
    pub const fn tensors(self) -> [(usize, usize); 2] {
        [(self.hidden, self.outputs), (1, self.outputs)]
    }

    /// dW_hq += Hᵀ dO for some rows of W_hq, or db_q += Σ dO; see [`Cell::accumulate`](crate::cell::Cell::accumulate).
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn accumulate<L: Lanes, const TENSOR: usize>(
        self,
        lanes: L,
        h: &[f32],
        d_o: &[f32],
        to: Gradient<'_>,
    ) {
        let d_o = Mat::new(d_o, self.outputs);
        match TENSOR {
            W_HQ => to.add_product(lanes, Mat::new(h, self.hidden), d_o),
            _ => to.add_column_sums(lanes, d_o),
        }
    }
}

/// The first tensor; b_q is the second.
const W_HQ: usize = 0;

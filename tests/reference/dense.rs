//! The output layer: `O_t = H_t W_hq + b_q`.

use super::matrix::{add, add_outer, add_product, add_product_transposed};

/// The output layer, or the gradients of its parameters.
#[derive(Clone, Debug)]
pub struct Dense {
    /// h, the length of `H_t`.
    pub hidden: usize,
    /// q, the length of `O_t`.
    pub outputs: usize,
    /// `W_hq` (h×q).
    pub w_hq: Vec<f64>,
    /// `b_q` (q).
    pub b_q: Vec<f64>,
}

impl Dense {
    /// A layer whose parameters are all zero.
    pub fn zeros(hidden: usize, outputs: usize) -> Self {
        Self { hidden, outputs, w_hq: vec![0.0; hidden * outputs], b_q: vec![0.0; outputs] }
    }

    /// `O = H W_hq + b_q` for one row.
    pub fn forward(&self, h: &[f64]) -> Vec<f64> {
        let mut o = self.b_q.clone();
        add_product(&mut o, h, &self.w_hq);
        o
    }

    /// For one row, adds `Hᵀ d_o` and `d_o` to the gradients in `d_dense`; returns the gradient of H, `d_o W_hqᵀ`.
    pub fn backward(&self, h: &[f64], d_o: &[f64], d_dense: &mut Self) -> Vec<f64> {
        add_outer(&mut d_dense.w_hq, h, d_o);
        add(&mut d_dense.b_q, d_o);
        let mut d_h = vec![0.0; self.hidden];
        add_product_transposed(&mut d_h, d_o, &self.w_hq);
        d_h
    }
}

//! A vector for each token: `H_t = X_t W_e`, without bias, without φ, without state.

use super::matrix::{add_outer, add_product, add_product_transposed};
use super::{Cell, Step, StepGradients};

/// An embedding, or the gradient of its vectors.
#[derive(Clone, Debug)]
pub struct Embedding {
    /// v, the length of `X_t`.
    pub inputs: usize,
    /// d, the length of `H_t`.
    pub hidden: usize,
    /// `W_e` (v×d).
    pub w_e: Vec<f64>,
}

impl Embedding {
    /// Vectors that are all zero.
    pub fn zeros(inputs: usize, hidden: usize) -> Self {
        Self { inputs, hidden, w_e: vec![0.0; inputs * hidden] }
    }
}

impl Cell for Embedding {
    fn inputs(&self) -> usize {
        self.inputs
    }

    fn hidden(&self) -> usize {
        self.hidden
    }

    fn state(&self) -> usize {
        0
    }

    fn tensors(&self) -> Vec<(&'static str, &[f64])> {
        vec![("w_e", &self.w_e)]
    }

    fn tensors_mut(&mut self) -> Vec<&mut [f64]> {
        vec![&mut self.w_e]
    }

    fn step(&self, x: &[f64], _: &[f64]) -> Step {
        let mut h = vec![0.0; self.hidden];
        add_product(&mut h, x, &self.w_e);
        Step { h, state: Vec::new() }
    }

    fn step_backward(
        &self,
        x: &[f64],
        _: &[f64],
        d_h: &[f64],
        _: &[f64],
        d_cell: &mut Self,
    ) -> StepGradients {
        add_outer(&mut d_cell.w_e, x, d_h);
        let mut d_x = vec![0.0; self.inputs];
        add_product_transposed(&mut d_x, d_h, &self.w_e);
        StepGradients { d_x, d_state: Vec::new() }
    }
}

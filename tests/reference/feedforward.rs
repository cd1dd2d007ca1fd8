//! The network without hidden state: `H_t = φ(X_t W_xh + b_h)`. Each step stands alone.

use super::matrix::{add, add_outer, add_product, add_product_transposed};
use super::{Activation, Cell, Step, StepGradients};

/// A hidden layer without memory, or the gradients of its parameters.
#[derive(Clone, Debug)]
pub struct Feedforward {
    /// d, the length of `X_t`.
    pub inputs: usize,
    /// h, the length of `H_t`.
    pub hidden: usize,
    /// φ.
    pub activation: Activation,
    /// `W_xh` (d×h).
    pub w_xh: Vec<f64>,
    /// `b_h` (h).
    pub b_h: Vec<f64>,
}

impl Feedforward {
    /// A layer whose parameters are all zero.
    pub fn zeros(inputs: usize, hidden: usize, activation: Activation) -> Self {
        let (w_xh, b_h) = (vec![0.0; inputs * hidden], vec![0.0; hidden]);
        Self { inputs, hidden, activation, w_xh, b_h }
    }
}

impl Cell for Feedforward {
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
        vec![("w_xh", &self.w_xh), ("b_h", &self.b_h)]
    }

    fn tensors_mut(&mut self) -> Vec<&mut [f64]> {
        vec![&mut self.w_xh, &mut self.b_h]
    }

    fn step(&self, x: &[f64], _state: &[f64]) -> Step {
        let mut z = self.b_h.clone();
        add_product(&mut z, x, &self.w_xh);
        let h = z.iter().map(|&z| self.activation.apply(z)).collect();
        Step { h, state: Vec::new() }
    }

    /// With g = (the gradient of `H_t`) ⊙ φ′, the gradients are
    /// `X_tᵀ g` of `W_xh`, g of `b_h` and `g W_xhᵀ` of `X_t`.
    fn step_backward(
        &self,
        x: &[f64],
        state: &[f64],
        d_h: &[f64],
        _d_state: &[f64],
        d_cell: &mut Self,
    ) -> StepGradients {
        let h = self.step(x, state).h;
        let d_z: Vec<f64> = (0..self.hidden).map(|j| d_h[j] * self.activation.derivative(h[j])).collect();
        add_outer(&mut d_cell.w_xh, x, &d_z);
        add(&mut d_cell.b_h, &d_z);

        let mut d_x = vec![0.0; self.inputs];
        add_product_transposed(&mut d_x, &d_z, &self.w_xh);
        StepGradients { d_x, d_state: Vec::new() }
    }
}

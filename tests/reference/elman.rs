//! The Elman cell: `H_t = φ(X_t W_xh + H_{t−1} W_hh + b_h)`. Its state is `H_t`.

use super::matrix::{add, add_outer, add_product, add_product_transposed};
use super::{Activation, Cell, Step, StepGradients};

/// An Elman cell, or the gradients of its parameters.
#[derive(Clone, Debug)]
pub struct Elman {
    /// d, the length of `X_t`.
    pub inputs: usize,
    /// h, the length of `H_t`.
    pub hidden: usize,
    /// φ.
    pub activation: Activation,
    /// `W_xh` (d×h).
    pub w_xh: Vec<f64>,
    /// `W_hh` (h×h).
    pub w_hh: Vec<f64>,
    /// `b_h` (h).
    pub b_h: Vec<f64>,
}

impl Elman {
    /// A cell whose parameters are all zero.
    pub fn zeros(inputs: usize, hidden: usize, activation: Activation) -> Self {
        Self {
            inputs,
            hidden,
            activation,
            w_xh: vec![0.0; inputs * hidden],
            w_hh: vec![0.0; hidden * hidden],
            b_h: vec![0.0; hidden],
        }
    }
}

impl Cell for Elman {
    fn inputs(&self) -> usize {
        self.inputs
    }

    fn hidden(&self) -> usize {
        self.hidden
    }

    fn state(&self) -> usize {
        self.hidden
    }

    fn tensors(&self) -> Vec<(&'static str, &[f64])> {
        vec![("w_xh", &self.w_xh), ("w_hh", &self.w_hh), ("b_h", &self.b_h)]
    }

    fn tensors_mut(&mut self) -> Vec<&mut [f64]> {
        vec![&mut self.w_xh, &mut self.w_hh, &mut self.b_h]
    }

    fn step(&self, x: &[f64], h_prev: &[f64]) -> Step {
        let mut z = self.b_h.clone();
        add_product(&mut z, x, &self.w_xh);
        add_product(&mut z, h_prev, &self.w_hh);
        let h: Vec<f64> = z.iter().map(|&z| self.activation.apply(z)).collect();
        Step { h: h.clone(), state: h }
    }

    /// With g = (the gradients of `H_t` from the output layer and from step t+1) ⊙ φ′, the gradients are
    /// `X_tᵀ g` of `W_xh`, `H_{t−1}ᵀ g` of `W_hh`, g of `b_h`, `g W_xhᵀ` of `X_t` and `g W_hhᵀ` of `H_{t−1}`.
    fn step_backward(
        &self,
        x: &[f64],
        h_prev: &[f64],
        d_h: &[f64],
        d_state: &[f64],
        d_cell: &mut Self,
    ) -> StepGradients {
        let h = self.step(x, h_prev).h;
        let d_z: Vec<f64> =
            (0..self.hidden).map(|j| (d_h[j] + d_state[j]) * self.activation.derivative(h[j])).collect();
        add_outer(&mut d_cell.w_xh, x, &d_z);
        add_outer(&mut d_cell.w_hh, h_prev, &d_z);
        add(&mut d_cell.b_h, &d_z);

        let mut d_x = vec![0.0; self.inputs];
        let mut d_h_prev = vec![0.0; self.hidden];
        add_product_transposed(&mut d_x, &d_z, &self.w_xh);
        add_product_transposed(&mut d_h_prev, &d_z, &self.w_hh);
        StepGradients { d_x, d_state: d_h_prev }
    }
}

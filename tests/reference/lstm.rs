//! The long short-term memory, whose state is `H_t` and then `C_t`:
//!
//! ```text
//! I_t = σ(X_t W_xi + H_{t−1} W_hi + b_i)      F_t and O_t in the same way
//! G_t = tanh(X_t W_xg + H_{t−1} W_hg + b_g)
//! C_t = F_t ⊙ C_{t−1} + I_t ⊙ G_t
//! H_t = O_t ⊙ tanh C_t
//! ```

use super::matrix::{add, add_outer, add_product, add_product_transposed};
use super::{Cell, Step, StepGradients, sigmoid};

/// A long short-term memory, or the gradients of its parameters.
#[derive(Clone, Debug)]
pub struct Lstm {
    /// d, the length of `X_t`.
    pub inputs: usize,
    /// h, the length of `H_t` and of `C_t`.
    pub hidden: usize,
    /// `[W_xi, W_xf, W_xg, W_xo]` side by side (d×4h).
    pub w_x: Vec<f64>,
    /// `[W_hi, W_hf, W_hg, W_ho]` side by side (h×4h).
    pub w_h: Vec<f64>,
    /// `[b_i, b_f, b_g, b_o]` (4h).
    pub b: Vec<f64>,
}

/// The values within a step.
struct Values {
    i: Vec<f64>,
    f: Vec<f64>,
    g: Vec<f64>,
    o: Vec<f64>,
    c: Vec<f64>,
}

impl Lstm {
    /// A cell whose parameters are all zero.
    pub fn zeros(inputs: usize, hidden: usize) -> Self {
        let (w_x, w_h) = (vec![0.0; inputs * 4 * hidden], vec![0.0; hidden * 4 * hidden]);
        Self { inputs, hidden, w_x, w_h, b: vec![0.0; 4 * hidden] }
    }

    fn values(&self, x: &[f64], state: &[f64]) -> Values {
        let (h_prev, c_prev) = state.split_at(self.hidden);
        let mut a = self.b.clone();
        add_product(&mut a, x, &self.w_x);
        add_product(&mut a, h_prev, &self.w_h);
        let gate = |k: usize, phi: fn(f64) -> f64| -> Vec<f64> {
            a[k * self.hidden..][..self.hidden].iter().map(|&a| phi(a)).collect()
        };
        let (i, f, g, o) = (gate(0, sigmoid), gate(1, sigmoid), gate(2, f64::tanh), gate(3, sigmoid));
        let c = (0..self.hidden).map(|j| f[j] * c_prev[j] + i[j] * g[j]).collect();
        Values { i, f, g, o, c }
    }
}

impl Cell for Lstm {
    fn inputs(&self) -> usize {
        self.inputs
    }

    fn hidden(&self) -> usize {
        self.hidden
    }

    fn state(&self) -> usize {
        2 * self.hidden
    }

    fn tensors(&self) -> Vec<(&'static str, &[f64])> {
        vec![("w_x", &self.w_x), ("w_h", &self.w_h), ("b", &self.b)]
    }

    fn tensors_mut(&mut self) -> Vec<&mut [f64]> {
        vec![&mut self.w_x, &mut self.w_h, &mut self.b]
    }

    fn step(&self, x: &[f64], state: &[f64]) -> Step {
        let Values { o, c, .. } = self.values(x, state);
        let h: Vec<f64> = (0..self.hidden).map(|j| o[j] * c[j].tanh()).collect();
        Step { state: [&h[..], &c].concat(), h }
    }

    /// With g the gradient of `H_t` and `d_c` that of `C_t`, to which `g ⊙ O ⊙ (1 − tanh² C)` is added: `d_o = g ⊙ tanh C`,
    /// `d_i = d_c ⊙ G`, `d_g = d_c ⊙ I`, `d_f = d_c ⊙ C_{t−1}`, each times the slope of its σ or tanh; `d_c ⊙ F` goes on
    /// to `C_{t−1}`.
    fn step_backward(
        &self,
        x: &[f64],
        state: &[f64],
        d_h: &[f64],
        d_state: &[f64],
        d_cell: &mut Self,
    ) -> StepGradients {
        let Values { i, f, g, o, c } = self.values(x, state);
        let n = self.hidden;
        let (h_prev, c_prev) = state.split_at(n);
        let mut d_a = vec![0.0; 4 * n];
        let (mut d_h_prev, mut d_c_prev) = (vec![0.0; n], vec![0.0; n]);
        for j in 0..n {
            let d_h = d_h[j] + d_state[j];
            let shown = c[j].tanh();
            let d_c = d_state[n + j] + d_h * o[j] * (1.0 - shown * shown);
            d_a[j] = d_c * g[j] * i[j] * (1.0 - i[j]);
            d_a[n + j] = d_c * c_prev[j] * f[j] * (1.0 - f[j]);
            d_a[2 * n + j] = d_c * i[j] * (1.0 - g[j] * g[j]);
            d_a[3 * n + j] = d_h * shown * o[j] * (1.0 - o[j]);
            d_c_prev[j] = d_c * f[j];
        }
        add_outer(&mut d_cell.w_x, x, &d_a);
        add_outer(&mut d_cell.w_h, h_prev, &d_a);
        add(&mut d_cell.b, &d_a);
        let mut d_x = vec![0.0; self.inputs];
        add_product_transposed(&mut d_x, &d_a, &self.w_x);
        add_product_transposed(&mut d_h_prev, &d_a, &self.w_h);
        StepGradients { d_x, d_state: [d_h_prev, d_c_prev].concat() }
    }
}

//! The gated recurrent unit, whose state is `H_t`:
//!
//! ```text
//! R_t = σ(X_t W_xr + H_{t−1} W_hr + b_r)
//! Z_t = σ(X_t W_xz + H_{t−1} W_hz + b_z)
//! N_t = tanh(X_t W_xn + b_xn + R_t ⊙ (H_{t−1} W_hn + b_hn))   reset after the product
//! N_t = tanh(X_t W_xn + b_xn + (R_t ⊙ H_{t−1}) W_hn)          reset before the product
//! H_t = (1 − Z_t) ⊙ N_t + Z_t ⊙ H_{t−1}
//! ```

use super::matrix::{add, add_outer, add_product, add_product_transposed};
use super::{Cell, Step, StepGradients, sigmoid};

/// A gated recurrent unit, or the gradients of its parameters.
#[derive(Clone, Debug)]
pub struct Gru {
    /// d, the length of `X_t`.
    pub inputs: usize,
    /// h, the length of `H_t`.
    pub hidden: usize,
    /// `[W_xr, W_xz]` side by side (d×2h).
    pub w_xg: Vec<f64>,
    /// `[W_hr, W_hz]` side by side (h×2h).
    pub w_hg: Vec<f64>,
    /// `[b_r, b_z]` (2h).
    pub b_g: Vec<f64>,
    /// `W_xn` (d×h).
    pub w_xn: Vec<f64>,
    /// `W_hn` (h×h).
    pub w_hn: Vec<f64>,
    /// `b_xn` (h).
    pub b_xn: Vec<f64>,
    /// `b_hn` (h), if the reset gate is applied after the product.
    pub b_hn: Option<Vec<f64>>,
}

/// The values within a step.
struct Values {
    r: Vec<f64>,
    z: Vec<f64>,
    n: Vec<f64>,
    /// `H_{t−1} W_hn + b_hn`, or `R_t ⊙ H_{t−1}`.
    u: Vec<f64>,
}

impl Gru {
    /// A cell whose parameters are all zero.
    pub fn zeros(inputs: usize, hidden: usize, resets_after: bool) -> Self {
        Self {
            inputs,
            hidden,
            w_xg: vec![0.0; inputs * 2 * hidden],
            w_hg: vec![0.0; hidden * 2 * hidden],
            b_g: vec![0.0; 2 * hidden],
            w_xn: vec![0.0; inputs * hidden],
            w_hn: vec![0.0; hidden * hidden],
            b_xn: vec![0.0; hidden],
            b_hn: resets_after.then(|| vec![0.0; hidden]),
        }
    }

    fn values(&self, x: &[f64], h_prev: &[f64]) -> Values {
        let mut gates = self.b_g.clone();
        add_product(&mut gates, x, &self.w_xg);
        add_product(&mut gates, h_prev, &self.w_hg);
        let gates: Vec<f64> = gates.into_iter().map(sigmoid).collect();
        let (r, z) = gates.split_at(self.hidden);

        let mut n = self.b_xn.clone();
        add_product(&mut n, x, &self.w_xn);
        let u = match &self.b_hn {
            Some(b_hn) => {
                let mut u = b_hn.clone();
                add_product(&mut u, h_prev, &self.w_hn);
                (0..self.hidden).for_each(|j| n[j] += r[j] * u[j]);
                u
            }
            None => {
                let u: Vec<f64> = (0..self.hidden).map(|j| r[j] * h_prev[j]).collect();
                add_product(&mut n, &u, &self.w_hn);
                u
            }
        };
        Values { r: r.to_vec(), z: z.to_vec(), n: n.into_iter().map(f64::tanh).collect(), u }
    }
}

impl Cell for Gru {
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
        let mut tensors: Vec<(_, &[f64])> = vec![
            ("w_xg", &self.w_xg),
            ("w_hg", &self.w_hg),
            ("b_g", &self.b_g),
            ("w_xn", &self.w_xn),
            ("w_hn", &self.w_hn),
            ("b_xn", &self.b_xn),
        ];
        tensors.extend(self.b_hn.as_deref().map(|b_hn| ("b_hn", b_hn)));
        tensors
    }

    fn tensors_mut(&mut self) -> Vec<&mut [f64]> {
        let mut tensors = vec![&mut self.w_xg[..], &mut self.w_hg, &mut self.b_g];
        tensors.extend([&mut self.w_xn[..], &mut self.w_hn, &mut self.b_xn]);
        tensors.extend(self.b_hn.as_deref_mut());
        tensors
    }

    fn step(&self, x: &[f64], h_prev: &[f64]) -> Step {
        let Values { z, n, .. } = self.values(x, h_prev);
        let h: Vec<f64> = (0..self.hidden).map(|j| (1.0 - z[j]) * n[j] + z[j] * h_prev[j]).collect();
        Step { h: h.clone(), state: h }
    }

    /// With g the gradient of `H_t`: `d_n = g ⊙ (1 − Z) ⊙ (1 − N²)` before tanh, `d_z = g ⊙ (H_{t−1} − N) ⊙ Z ⊙ (1 − Z)`
    /// before σ. After the product, `d_r = d_n ⊙ U` and `d_u = d_n ⊙ R`, which reaches `W_hn`, `b_hn` and `H_{t−1}`.
    /// Before it, `d_u = d_n W_hnᵀ`, `d_r = d_u ⊙ H_{t−1}`, and `d_u ⊙ R` reaches `H_{t−1}`.
    fn step_backward(
        &self,
        x: &[f64],
        h_prev: &[f64],
        d_h: &[f64],
        d_state: &[f64],
        d_cell: &mut Self,
    ) -> StepGradients {
        let Values { r, z, n, u } = self.values(x, h_prev);
        let h = self.hidden;
        let g: Vec<f64> = (0..h).map(|j| d_h[j] + d_state[j]).collect();
        let d_n: Vec<f64> = (0..h).map(|j| g[j] * (1.0 - z[j]) * (1.0 - n[j] * n[j])).collect();
        let mut d_h_prev: Vec<f64> = (0..h).map(|j| g[j] * z[j]).collect();

        let mut d_r = vec![0.0; h];
        match &mut d_cell.b_hn {
            Some(d_b_hn) => {
                let d_u: Vec<f64> = (0..h).map(|j| d_n[j] * r[j]).collect();
                (0..h).for_each(|j| d_r[j] = d_n[j] * u[j]);
                add_outer(&mut d_cell.w_hn, h_prev, &d_u);
                add(d_b_hn, &d_u);
                add_product_transposed(&mut d_h_prev, &d_u, &self.w_hn);
            }
            None => {
                let mut d_u = vec![0.0; h];
                add_product_transposed(&mut d_u, &d_n, &self.w_hn);
                (0..h).for_each(|j| d_r[j] = d_u[j] * h_prev[j]);
                add_outer(&mut d_cell.w_hn, &u, &d_n);
                (0..h).for_each(|j| d_h_prev[j] += d_u[j] * r[j]);
            }
        }
        let d_r = (0..h).map(|j| d_r[j] * r[j] * (1.0 - r[j]));
        let d_z = (0..h).map(|j| g[j] * (h_prev[j] - n[j]) * z[j] * (1.0 - z[j]));
        let d_gates: Vec<f64> = d_r.chain(d_z).collect();

        add_outer(&mut d_cell.w_xg, x, &d_gates);
        add_outer(&mut d_cell.w_hg, h_prev, &d_gates);
        add(&mut d_cell.b_g, &d_gates);
        add_outer(&mut d_cell.w_xn, x, &d_n);
        add(&mut d_cell.b_xn, &d_n);
        let mut d_x = vec![0.0; self.inputs];
        add_product_transposed(&mut d_x, &d_gates, &self.w_xg);
        add_product_transposed(&mut d_x, &d_n, &self.w_xn);
        add_product_transposed(&mut d_h_prev, &d_gates, &self.w_hg);
        StepGradients { d_x, d_state: d_h_prev }
    }
}

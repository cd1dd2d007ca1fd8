//! The gated recurrent unit (K. Cho et al., Learning Phrase Representations using RNN Encoder–Decoder, 2014):
//!
//! ```text
//! R_t = σ(X_t W_xr + H_{t−1} W_hr + b_r)                      the reset gate
//! Z_t = σ(X_t W_xz + H_{t−1} W_hz + b_z)                      the update gate
//! N_t = tanh(X_t W_xn + b_xn + R_t ∘ (H_{t−1} W_hn + b_hn))   the candidate, reset after the product
//! N_t = tanh(X_t W_xn + b_xn + (R_t ∘ H_{t−1}) W_hn)          or before it, as in the paper
//! H_t = (1 − Z_t) ∘ N_t + Z_t ∘ H_{t−1}
//! ```
//!
//! R and Z stand side by side: one product with W_xg (d×2h), one with W_hg (h×2h). The candidate's products are apart and
//! not a third part of these, because the paper's form must know R before it multiplies with W_hn, and both forms have the
//! same layout. U is what R is multiplied with in the first form, H W_hn + b_hn, and what W_hn is in the second, R ∘ H.
//!
//! The first form is `PyTorch`'s, whose second biases of R and Z are added to the first and say nothing more. The
//! paper's H_t has Z and 1 − Z the other way round, which is the same with the signs of Z's weights changed.

mod shape;
mod step;

use super::TypedCell;
use super::reset::{Reset, ResetAfter, ResetKind};
use crate::params::plain_data;

plain_data! {
    /// Weights of a gated recurrent unit with `I` inputs and `H` hidden units: `3·(I + H + 1)·H` parameters, and `H`
    /// more if the reset gate is applied after the recurrent product, as `F` says it is by default.
    ///
    /// ```
    /// use recurve::{Gru, Model, params::Flat};
    ///
    /// let mut model = Model::<Gru<3, 4>, 4, 2>::ZERO;
    /// model.cell.w_xn[2] = [0.5, -0.5, 1.0, 0.0];
    /// model.cell.b_g[1] = [0.0, 0.0, 0.0, 20.0]; // the last unit keeps what it has
    ///
    /// let (mut state, mut logits, mut scratch) = ([[0.0, 0.0, 0.0, 0.75]], [0.0; 2], Flat::ZERO);
    /// model.step(2_u16, &mut state, &mut logits, &mut scratch)?;
    /// assert!((state[0][2] - 0.5 * 1_f32.tanh()).abs() < 1e-6); // half of the candidate: σ(0) = ½
    /// assert!((state[0][3] - 0.75).abs() < 1e-6);
    /// # Ok::<(), recurve::Error>(())
    /// ```
    pub struct Gru
        [const I: usize, const H: usize, F: Reset]
        default [const I: usize, const H: usize, F: Reset = ResetAfter]
        [I, H, F]
    {
        /// W_xg (d×2h): row i is what input i adds to the gates r and z.
        pub w_xg: [[[f32; H]; 2]; I],
        /// W_hg (h×2h): row k is what hidden unit k adds to the gates of the next step.
        pub w_hg: [[[f32; H]; 2]; H],
        /// b_g (2h): b_r and b_z.
        pub b_g: [[f32; H]; 2],
        /// W_xn (d×h): row i is what input i adds to the candidate.
        pub w_xn: [[f32; H]; I],
        /// W_hn (h×h): row k is what hidden unit k adds to the candidate of the next step, as far as r lets it.
        pub w_hn: [[f32; H]; H],
        /// b_xn (h)
        pub b_xn: [f32; H],
        /// b_hn (h), if the reset gate is applied after the product; else none.
        pub b_hn: F::Bias<H>,
    }
}

plain_data! {
    /// What a step of a [`Gru`] works in.
    pub struct GruScratch [const H: usize, const B: usize] [H, B] {
        /// The state to come (n×h).
        pub next: [[f32; H]; B],
        /// R and Z (n×2h)
        pub gates: [[[f32; H]; 2]; B],
        /// N (n×h)
        pub candidate: [[f32; H]; B],
        /// U (n×h)
        pub u: [[f32; H]; B],
    }
}

plain_data! {
    /// What a window of a [`Gru`] keeps: hidden units, gates and candidates of every step.
    pub struct GruTape [const H: usize, const B: usize, const T: usize] [H, B, T] {
        /// H_0 (n×h)
        pub initial: [[f32; H]; B],
        /// H_1 … H_T (T×n×h)
        pub h: [[[f32; H]; B]; T],
        /// R and Z of each step (T×n×2h), which the backward pass replaces with their gradients before σ
        pub gates: [[[[f32; H]; 2]; B]; T],
        /// N of each step (T×n×h), which it replaces with their gradients before tanh
        pub candidates: [[[f32; H]; B]; T],
        /// U of each step (T×n×h)
        pub u: [[[f32; H]; B]; T],
    }
}

impl<const I: usize, const H: usize, F: Reset> TypedCell<H> for Gru<I, H, F> {
    type Shape = GruShape;
    type Vector = [f32; I];
    type State<const B: usize> = [[f32; H]; B];
    type StepScratch<const B: usize> = GruScratch<H, B>;
    type Tape<const B: usize, const T: usize> = GruTape<H, B, T>;
    type BackwardScratch<const B: usize, const T: usize> = [f32; 0];
    const SHAPE: GruShape = GruShape { inputs: I, hidden: H, reset: F::KIND };
}

/// The arithmetic of [`Gru`], for sizes known at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GruShape {
    /// d
    pub inputs: usize,
    /// h
    pub hidden: usize,
    /// Where the reset gate is applied.
    pub reset: ResetKind,
}

/// Gates R and Z.
const K: usize = 2;

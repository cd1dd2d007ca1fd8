//! Adam (D. Kingma and J. Ba, Adam: a method for stochastic optimization, 2015) with decoupled weight decay, `AdamW`
//! (I. Loshchilov and F. Hutter, Decoupled weight decay regularization, 2019):
//!
//! ```text
//! w ← w − η λ w
//! m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²
//! w ← w − η · m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + ε)
//! ```
//!
//! The decay is decoupled: it is no part of the gradient, so neither m nor v nor clipping sees it. All weights decay,
//! biases too, as in PyTorch; whoever wants to spare some steps these with an optimiser of their own.

use super::{Optimizer, check};
use crate::error::{Error, setting};
use crate::kernels::{zip_map, zip2_map};
use crate::lanes::{LaneKind, inlined, on_lanes};
use crate::params::take_mut;

/// Adam, or `AdamW` with a weight decay.
///
/// Its state is m and v, each as long as the weights, then 1 − β₁ᵗ and 1 − β₂ᵗ: `2 · weights + 2` floats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// The learning rate η.
    pub lr: f32,
    /// β₁, the decay of the mean of gradients.
    pub beta1: f32,
    /// β₂, the decay of the mean of their squares.
    pub beta2: f32,
    /// ε, which keeps the divisor from zero.
    pub epsilon: f32,
    /// λ, the decay of weights in units of the learning rate.
    pub weight_decay: f32,
}

impl Adam {
    /// The paper's settings with this learning rate: β₁ = 0.9, β₂ = 0.999, ε = 1e-8, no weight decay.
    #[must_use]
    pub const fn new(lr: f32) -> Self {
        Self { lr, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 }
    }

    /// Floats of the state for so many weights; a constant for a constant number of them.
    ///
    /// ```
    /// use recurve::{Adam, CharRnn, params::Flat};
    ///
    /// const ADAM: Adam = Adam::new(0.01);
    /// let mut moments = [0.0; ADAM.state_len(<CharRnn<28, 32>>::LEN)];
    /// ```
    #[must_use]
    pub const fn state_len(&self, params: usize) -> usize {
        params.saturating_mul(2).saturating_add(2)
    }

    fn check_settings(&self) -> Result<(), Error> {
        let decays = 0.0..1.0;
        setting(self.lr >= 0.0 && self.lr.is_finite(), "the learning rate must be finite and not negative")?;
        setting(
            decays.contains(&self.beta1) && decays.contains(&self.beta2),
            "beta must be from 0 to below 1",
        )?;
        setting(self.epsilon > 0.0 && self.epsilon.is_finite(), "epsilon must be finite and above 0")?;
        setting(
            self.weight_decay >= 0.0 && self.weight_decay.is_finite(),
            "the weight decay must not be negative",
        )
    }
}

impl Optimizer for Adam {
    fn state_len(&self, params: usize) -> usize {
        self.state_len(params)
    }

    fn step_on(
        &self,
        kind: LaneKind,
        params: &mut [f32],
        grads: &[f32],
        mut state: &mut [f32],
    ) -> Result<(), Error> {
        self.check_settings()?;
        on_lanes!(kind, lanes => {
            check(lanes, params.len(), grads, self.state_len(params.len()), state)?;
            let (m, v) = (take_mut(&mut state, params.len()), take_mut(&mut state, params.len()));
            let [correction1, correction2] = state else { return Ok(()) };
            *correction1 = self.beta1 * *correction1 + (1.0 - self.beta1);
            *correction2 = self.beta2 * *correction2 + (1.0 - self.beta2);

            let (beta, rest) = (lanes.splat(self.beta1), lanes.splat(1.0 - self.beta1));
            zip_map(lanes, m, grads, inlined!(|m, g| lanes.mul_add(beta, m, lanes.mul(rest, g))));
            let (beta, rest) = (lanes.splat(self.beta2), lanes.splat(1.0 - self.beta2));
            zip_map(lanes, v, grads, inlined!(|v, g| lanes.mul_add(beta, v, lanes.mul(rest, lanes.mul(g, g)))));

            let keep = lanes.splat(1.0 - self.lr * self.weight_decay);
            let rate = lanes.splat(-self.lr / *correction1);
            let unbias = lanes.splat(1.0 / *correction2);
            let epsilon = lanes.splat(self.epsilon);
            zip2_map(
                lanes,
                params,
                m,
                v,
                inlined!(|w, m, v| {
                    let divisor = lanes.add(lanes.sqrt(lanes.mul(v, unbias)), epsilon);
                    lanes.mul_add(rate, lanes.div(m, divisor), lanes.mul(w, keep))
                }),
            );
            Ok(())
        })
    }
}

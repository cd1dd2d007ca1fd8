//! Stochastic gradient descent, with momentum if wanted: v ← μ v + g, w ← w − η v.
//!
//! It has no weight decay: [`Adam`](super::Adam) has.

use super::{Optimizer, check};
use crate::error::{Error, setting};
use crate::kernels::{add_scaled, zip_map};
use crate::lanes::{LaneKind, inlined, on_lanes};

/// Stochastic gradient descent.
///
/// Its state is the velocity v, as long as the weights; without momentum it is empty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// The learning rate η.
    pub lr: f32,
    /// The momentum μ, from 0 (none) to below 1.
    pub momentum: f32,
}

impl Sgd {
    /// Floats of the state for so many weights; a constant for a constant number of them.
    ///
    /// ```
    /// use recurve::Sgd;
    ///
    /// const PLAIN: Sgd = Sgd { lr: 0.1, momentum: 0.0 };
    /// const { assert!(PLAIN.state_len(548) == 0) }
    /// const HEAVY: Sgd = Sgd { lr: 0.1, momentum: 0.9 };
    /// const { assert!(HEAVY.state_len(548) == 548) }
    /// ```
    #[must_use]
    pub const fn state_len(&self, params: usize) -> usize {
        if self.momentum == 0.0 { 0 } else { params }
    }
}

impl Optimizer for Sgd {
    fn state_len(&self, params: usize) -> usize {
        self.state_len(params)
    }

    fn step_on(
        &self,
        kind: LaneKind,
        params: &mut [f32],
        grads: &[f32],
        state: &mut [f32],
    ) -> Result<(), Error> {
        setting(self.lr >= 0.0 && self.lr.is_finite(), "the learning rate must be finite and not negative")?;
        setting((0.0..1.0).contains(&self.momentum), "the momentum must be from 0 to below 1")?;
        on_lanes!(kind, lanes => {
            check(lanes, params.len(), grads, self.state_len(params.len()), state)?;
            let momentum = lanes.splat(self.momentum);
            let direction = if self.momentum == 0.0 {
                grads
            } else {
                zip_map(lanes, state, grads, inlined!(|v, g| lanes.mul_add(momentum, v, g)));
                &*state
            };
            add_scaled(lanes, params, direction, -self.lr);
            Ok(())
        })
    }
}

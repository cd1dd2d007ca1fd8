//! Clipping, optimisers and schedules of the learning rate: loops over the flat slices of weights and gradients.
//!
//! A gradient that is not finite is an error, found before any weight changes.

mod adam;
mod clip;
mod schedule;
mod sgd;

pub use adam::Adam;
pub use clip::{clip_norm, clip_norm_on, clip_value, global_norm};
pub use schedule::Schedule;
pub use sgd::Sgd;

use crate::error::{Argument, Error, Quantity, exactly};
use crate::kernels::squares_finite;
use crate::lanes::{LaneKind, Lanes};

/// A rule that moves weights against their gradients. What it remembers is lent by the caller.
pub trait Optimizer {
    /// Floats of the state for so many weights. All zero is its initial value.
    fn state_len(&self, params: usize) -> usize;

    /// One step of all weights, on lanes of this kind.
    ///
    /// # Errors
    /// [`Error::Length`] unless gradients and state fit the weights; [`Error::NotFinite`] if a gradient is NaN, infinite,
    /// or so large that its square is; [`Error::Setting`] for a learning rate or another setting out of its range.
    /// Weights and state are then as they were.
    fn step_on(
        &self,
        kind: LaneKind,
        params: &mut [f32],
        grads: &[f32],
        state: &mut [f32],
    ) -> Result<(), Error>;

    /// One step of all weights, on the best lanes.
    ///
    /// # Errors
    /// As for [`step_on`](Self::step_on).
    fn step(&self, params: &mut [f32], grads: &[f32], state: &mut [f32]) -> Result<(), Error> {
        self.step_on(LaneKind::best(), params, grads, state)
    }
}

/// Refuses what [`Optimizer::step_on`] must refuse, but for settings.
#[inline(always)]
fn check<L: Lanes>(
    lanes: L,
    params: usize,
    grads: &[f32],
    state_len: usize,
    state: &[f32],
) -> Result<(), Error> {
    exactly(Argument::Grads, params, grads.len())?;
    exactly(Argument::OptimizerState, state_len, state.len())?;
    if squares_finite(lanes, grads) { Ok(()) } else { Err(Error::NotFinite(Quantity::Gradient)) }
}

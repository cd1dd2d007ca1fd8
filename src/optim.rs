//! Clipping and optimisers: loops over the flat slices of weights and gradients.
//!
//! A gradient that is not finite is an error, found before any weight changes.

mod adam;
mod clip;
mod sgd;

pub use adam::Adam;
pub use clip::{clip_norm, clip_value, global_norm};
pub use sgd::Sgd;

use crate::error::{Buffer, Error, Quantity, exactly};
use crate::kernels::all_finite;
use crate::lanes::Lanes;

/// A rule that moves weights against their gradients. What it remembers is lent by the caller.
pub trait Optimizer {
    /// Floats of the state for so many weights. All zero is its initial value.
    fn state_len(&self, params: usize) -> usize;

    /// One step of all weights.
    ///
    /// # Errors
    /// [`Error::Length`] unless gradients and state fit the weights; [`Error::NotFinite`] if a gradient is NaN or
    /// infinite. Weights and state are then as they were.
    fn step(&self, params: &mut [f32], grads: &[f32], state: &mut [f32]) -> Result<(), Error>;
}

/// Refuses what [`Optimizer::step`] must refuse.
#[inline(always)]
fn check<L: Lanes>(
    lanes: L,
    params: usize,
    grads: &[f32],
    state_len: usize,
    state: &[f32],
) -> Result<(), Error> {
    exactly(Buffer::Grads, params, grads.len())?;
    exactly(Buffer::OptimizerState, state_len, state.len())?;
    if all_finite(lanes, grads) { Ok(()) } else { Err(Error::NotFinite(Quantity::Gradient)) }
}

//! Clipping: gradients are made smaller before a step, so that a steep place does not throw the weights away.

use crate::error::{Error, Quantity, setting};
use crate::kernels::{all_finite, map, max_abs, scale, sum_of, sum_of_squares};
use crate::lanes::{LaneKind, Lanes, best_lanes, inlined, on_lanes};

/// The Euclidean norm of all gradients together, ‖g‖, on the best lanes.
///
/// ```
/// assert_eq!(recurve::optim::global_norm(&[3e30, 4e30])?, 5e30);
/// # Ok::<(), recurve::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotFinite`] if a gradient is NaN or infinite, or the norm itself beyond the largest `f32`.
pub fn global_norm(grads: &[f32]) -> Result<f32, Error> {
    best_lanes!(lanes => norm(lanes, grads))
}

/// The norm, right also where the squares would overflow or vanish.
#[inline(always)]
fn norm<L: Lanes>(lanes: L, grads: &[f32]) -> Result<f32, Error> {
    let mut norm = libm::sqrtf(sum_of_squares(lanes, grads));
    if !norm.is_finite() || norm < SMALLEST {
        norm = scaled_norm(lanes, grads);
    }
    if norm.is_finite() { Ok(norm) } else { Err(Error::NotFinite(Quantity::Gradient)) }
}

/// A norm below this may have lost squares that are too small for an `f32`.
const SMALLEST: f32 = 1e-15;

/// The norm of the gradients divided by the largest, times the largest.
#[inline(always)]
fn scaled_norm<L: Lanes>(lanes: L, grads: &[f32]) -> f32 {
    let largest = max_abs(lanes, grads);
    if largest == 0.0 {
        // Nothing but zeros, or NaN, which has no size: the sum tells.
        return sum_of_squares(lanes, grads);
    }
    let divisor = lanes.splat(largest);
    let sum = sum_of(
        lanes,
        grads,
        0.0,
        inlined!(|x| {
            let x = lanes.div(x, divisor);
            lanes.mul(x, x)
        }),
    );
    largest * libm::sqrtf(sum)
}

/// Scales all gradients by min(1, `max_norm` / ‖g‖), and says what ‖g‖ was; on the best lanes.
///
/// Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, 2013.
///
/// ```
/// let mut grads = [3.0, 4.0];
/// assert_eq!(recurve::clip_norm(&mut grads, 1.0)?, 5.0);
/// assert_eq!(grads, [0.6, 0.8]);
/// # Ok::<(), recurve::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotFinite`] if a gradient is NaN or infinite, or their norm beyond the largest `f32`; [`Error::Setting`] for a
/// `max_norm` that is negative or NaN (infinity lets all pass). Gradients are then as they were.
pub fn clip_norm(grads: &mut [f32], max_norm: f32) -> Result<f32, Error> {
    clip_norm_on(LaneKind::best(), grads, max_norm)
}

/// [`clip_norm`] on lanes of this kind.
///
/// # Errors
/// As for [`clip_norm`].
pub fn clip_norm_on(kind: LaneKind, grads: &mut [f32], max_norm: f32) -> Result<f32, Error> {
    setting(max_norm >= 0.0, "the largest norm must not be negative")?;
    on_lanes!(kind, lanes => {
        let norm = norm(lanes, grads)?;
        if norm > max_norm {
            scale(lanes, grads, max_norm / norm);
        }
        Ok(norm)
    })
}

/// Holds each gradient between −`limit` and `limit`; on the best lanes.
///
/// ```
/// let mut grads = [-3.0, 0.5];
/// recurve::clip_value(&mut grads, 1.0)?;
/// assert_eq!(grads, [-1.0, 0.5]);
/// # Ok::<(), recurve::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotFinite`] if a gradient is NaN or infinite, [`Error::Setting`] for a `limit` that is negative or NaN.
/// Gradients are then as they were.
pub fn clip_value(grads: &mut [f32], limit: f32) -> Result<(), Error> {
    setting(limit >= 0.0, "the largest gradient must not be negative")?;
    best_lanes!(lanes => {
        if !all_finite(lanes, grads) {
            return Err(Error::NotFinite(Quantity::Gradient));
        }
        let (low, high) = (lanes.splat(-limit), lanes.splat(limit));
        map(lanes, grads, inlined!(|g| lanes.clamp(g, low, high)));
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norm_of_huge_and_of_tiny_gradients() {
        let near = |a: Result<f32, Error>, b: f32| a.is_ok_and(|a| (a - b).abs() <= 1e-6 * b);
        assert!(near(global_norm(&[3e30, 4e30]), 5e30));
        assert!(near(global_norm(&[1e-25; 4]), 2e-25));
        assert_eq!(global_norm(&[0.0, -0.0]), Ok(0.0));
        assert_eq!(global_norm(&[f32::MAX, f32::MAX]), Err(Error::NotFinite(Quantity::Gradient)));
    }

    #[test]
    fn what_is_not_finite_is_refused_and_left_alone() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut grads = [1.0; 21];
            grads[19] = bad;
            let before = grads.map(f32::to_bits);
            assert!(clip_norm(&mut grads, 0.1).is_err());
            assert!(clip_value(&mut grads, 0.1).is_err());
            assert_eq!(grads.map(f32::to_bits), before);
        }
    }

    #[test]
    fn limits_out_of_range_are_refused() {
        for limit in [-1.0, f32::NAN] {
            let mut grads = [3.0, 4.0];
            assert!(matches!(clip_norm(&mut grads, limit), Err(Error::Setting(_))));
            assert!(matches!(clip_value(&mut grads, limit), Err(Error::Setting(_))));
            assert_eq!(grads, [3.0, 4.0]);
        }
    }

    #[test]
    fn small_gradients_are_not_scaled_up() {
        let mut grads = [0.25, 0.0];
        assert_eq!(clip_norm(&mut grads, 1.0), Ok(0.25));
        assert_eq!(grads, [0.25, 0.0]);
        assert_eq!(clip_norm(&mut [], 1.0), Ok(0.0));
    }
}

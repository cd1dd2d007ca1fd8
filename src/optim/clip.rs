//! Clipping: gradients are made smaller before a step, so that a steep place does not throw the weights away.

use crate::error::{Error, Quantity};
use crate::kernels::{map, max_abs, scale, sum_of, sum_of_squares};
use crate::lanes::{Lanes, best_lanes, inlined};

/// The Euclidean norm of all gradients together, ‖g‖.
///
/// Right also where the squares would overflow.
///
/// # Errors
/// [`Error::NotFinite`] if a gradient is NaN or infinite, or the norm itself beyond the largest `f32`.
pub fn global_norm(grads: &[f32]) -> Result<f32, Error> {
    best_lanes!(lanes => norm(lanes, grads))
}

#[inline(always)]
fn norm<L: Lanes>(lanes: L, grads: &[f32]) -> Result<f32, Error> {
    let mut norm = libm::sqrtf(sum_of_squares(lanes, grads));
    if !norm.is_finite() {
        let largest = max_abs(lanes, grads);
        let shrink = lanes.splat(1.0 / largest);
        let sum = sum_of(
            lanes,
            grads,
            0.0,
            inlined!(|x| {
                let x = lanes.mul(x, shrink);
                lanes.mul(x, x)
            }),
        );
        norm = largest * libm::sqrtf(sum);
    }
    if norm.is_finite() { Ok(norm) } else { Err(Error::NotFinite(Quantity::Gradient)) }
}

/// Scales all gradients by min(1, `max_norm` / ‖g‖), and says what ‖g‖ was.
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
/// [`Error::NotFinite`] if a gradient is NaN or infinite; gradients are then as they were.
pub fn clip_norm(grads: &mut [f32], max_norm: f32) -> Result<f32, Error> {
    best_lanes!(lanes => {
        let norm = norm(lanes, grads)?;
        if norm > max_norm {
            scale(lanes, grads, max_norm / norm);
        }
        Ok(norm)
    })
}

/// Holds each gradient between −`limit` and `limit`.
///
/// ```
/// let mut grads = [-3.0, 0.5];
/// recurve::clip_value(&mut grads, 1.0)?;
/// assert_eq!(grads, [-1.0, 0.5]);
/// # Ok::<(), recurve::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotFinite`] if a gradient is NaN or infinite; gradients are then as they were.
pub fn clip_value(grads: &mut [f32], limit: f32) -> Result<(), Error> {
    best_lanes!(lanes => {
        if !crate::kernels::all_finite(lanes, grads) {
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
    fn norm_of_huge_gradients() {
        assert_eq!(global_norm(&[3e30, 4e30]), Ok(5e30));
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
    fn small_gradients_are_not_scaled_up() {
        let mut grads = [0.25, 0.0];
        assert_eq!(clip_norm(&mut grads, 1.0), Ok(0.25));
        assert_eq!(grads, [0.25, 0.0]);
        assert_eq!(clip_norm(&mut [], 1.0), Ok(0.0));
    }
}

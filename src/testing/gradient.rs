//! A gradient against central differences of the loss: (L(w + ε) − L(w − ε)) / 2ε, with a five-point stencil.
//!
//! A loss in `f32` has about six digits, so ε is large and the tolerance wide; a wrong formula is wrong by more.

use core::{error, fmt};
use std::vec::Vec;

/// How to check.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GradientCheck {
    /// ε, the step to either side.
    pub step: f32,
    /// The error allowed, relative to the derivative.
    pub relative: f32,
    /// The error allowed beside that: what rounding in the loss makes of the differences.
    pub absolute: f32,
}

impl Default for GradientCheck {
    /// ε = 1/32, errors of 1 % and 5e-4: for losses below about 10.
    fn default() -> Self {
        Self { step: 1.0 / 32.0, relative: 0.01, absolute: 5e-4 }
    }
}

/// What a check looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GradientReport {
    /// Derivatives that were compared.
    pub checked: usize,
    /// Derivatives at which the loss bends too much to tell, as at a kink of `ReLU`.
    pub skipped: usize,
}

/// Why a gradient is not taken for that of the loss.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum WrongGradient {
    /// A derivative is another than differences of the loss give.
    Differs {
        /// The position of the weight.
        index: usize,
        /// The derivative that was claimed.
        claimed: f32,
        /// The derivative by differences.
        measured: f32,
    },
    /// The loss is NaN or infinite beside a weight.
    NotFinite {
        /// The position of the weight.
        index: usize,
    },
    /// There are more or fewer derivatives than weights.
    Length {
        /// Weights.
        params: usize,
        /// Derivatives.
        grads: usize,
    },
    /// At most of the weights the loss bends too much to tell: nothing is proved.
    Unproved(GradientReport),
}

impl fmt::Display for WrongGradient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs { index, claimed, measured } => {
                write!(f, "derivative {index} is {claimed}, but differences of the loss give {measured}")
            }
            Self::NotFinite { index } => write!(f, "the loss is not finite beside weight {index}"),
            Self::Length { params, grads } => write!(f, "there are {grads} derivatives for {params} weights"),
            Self::Unproved(GradientReport { checked, skipped }) => {
                write!(
                    f,
                    "only {checked} derivatives could be compared, {skipped} could not: try another step"
                )
            }
        }
    }
}

impl error::Error for WrongGradient {}

impl GradientCheck {
    /// Compares each element of `grads` with differences of `loss` around `params`.
    ///
    /// # Errors
    /// [`WrongGradient`], which names the first derivative that is wrong, NaN included.
    pub fn run(
        &self,
        params: &[f32],
        grads: &[f32],
        mut loss: impl FnMut(&[f32]) -> f32,
    ) -> Result<GradientReport, WrongGradient> {
        if params.len() != grads.len() {
            return Err(WrongGradient::Length { params: params.len(), grads: grads.len() });
        }
        let mut report = GradientReport::default();
        let mut at = Vec::from(params);
        for (index, &claimed) in grads.iter().enumerate() {
            let mut along = |offset: f32| {
                at[index] = params[index] + offset;
                let loss = f64::from(loss(&at));
                at[index] = params[index];
                loss
            };
            let mut central = |step: f32| (along(step) - along(-step)) / (2.0 * f64::from(step));
            let (wide, narrow) = (central(self.step), central(self.step / 2.0));
            if !(wide.is_finite() && narrow.is_finite()) {
                return Err(WrongGradient::NotFinite { index });
            }
            let measured = (4.0 * narrow - wide) / 3.0;
            let tolerance = f64::from(self.absolute) + f64::from(self.relative) * measured.abs();
            if (wide - narrow).abs() > 4.0 * tolerance {
                report.skipped += 1;
            } else if (f64::from(claimed) - measured).abs() <= tolerance {
                report.checked += 1;
            } else {
                #[expect(clippy::cast_possible_truncation, reason = "shown to a person")]
                return Err(WrongGradient::Differs { index, claimed, measured: measured as f32 });
            }
        }
        if report.skipped > report.checked { Err(WrongGradient::Unproved(report)) } else { Ok(report) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// L(w) = w₀² + sin w₁, with a kink at w₂ = 0.
    fn loss(w: &[f32]) -> f32 {
        w[0] * w[0] + w[1].sin() + 10.0 * w[2].abs()
    }

    #[test]
    fn right_and_wrong() {
        let check = GradientCheck::default();
        let w = [0.5, 1.0, 3.0];
        let grads = [1.0, 1.0_f32.cos(), 10.0];
        assert_eq!(check.run(&w, &grads, loss), Ok(GradientReport { checked: 3, skipped: 0 }));
        for (index, wrong) in [(0, 1.05), (1, -0.54), (2, f32::NAN), (0, 0.0)] {
            let mut grads = grads;
            grads[index] = wrong;
            let error = check.run(&w, &grads, loss).unwrap_err();
            assert!(matches!(error, WrongGradient::Differs { index: at, .. } if at == index), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_compared_is_no_proof() {
        let check = GradientCheck::default();
        assert_eq!(check.run(&[1.0, 2.0], &[], loss), Err(WrongGradient::Length { params: 2, grads: 0 }));
        let cliff = |w: &[f32]| if w[0] > 1.01 { f32::INFINITY } else { w[0] };
        assert_eq!(check.run(&[1.0], &[123.0], cliff), Err(WrongGradient::NotFinite { index: 0 }));
        let kink = |w: &[f32]| 100.0 * (w[0] - 0.01).abs();
        let skipped = GradientReport { checked: 0, skipped: 1 };
        assert_eq!(check.run(&[0.0], &[1.0], kink), Err(WrongGradient::Unproved(skipped)));
    }

    #[test]
    fn kinks_are_skipped() {
        let report = GradientCheck::default().run(&[0.0, 0.0, 0.01], &[0.0, 1.0, 10.0], loss);
        assert_eq!(report, Ok(GradientReport { checked: 2, skipped: 1 }));
    }
}

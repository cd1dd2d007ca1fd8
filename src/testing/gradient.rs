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
pub struct GradientReport {
    /// Derivatives that were compared.
    pub checked: usize,
    /// Derivatives at which the loss bends too much to tell, as at a kink of `ReLU`.
    pub skipped: usize,
}

/// A derivative that is not the one of the loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WrongGradient {
    /// The position of the weight.
    pub index: usize,
    /// The derivative that was claimed.
    pub claimed: f32,
    /// The derivative by differences.
    pub measured: f32,
}

impl fmt::Display for WrongGradient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, claimed, measured } = self;
        write!(f, "derivative {index} is {claimed}, but differences of the loss give {measured}")
    }
}

impl error::Error for WrongGradient {}

impl GradientCheck {
    /// Compares each element of `grads` with differences of `loss` around `params`.
    ///
    /// # Errors
    /// [`WrongGradient`] names the first derivative that is wrong, NaN included.
    pub fn run(
        &self,
        params: &[f32],
        grads: &[f32],
        mut loss: impl FnMut(&[f32]) -> f32,
    ) -> Result<GradientReport, WrongGradient> {
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
            let measured = (4.0 * narrow - wide) / 3.0;
            let tolerance = f64::from(self.absolute) + f64::from(self.relative) * measured.abs();
            if (wide - narrow).abs() > 4.0 * tolerance {
                report.skipped += 1;
            } else if (f64::from(claimed) - measured).abs() <= tolerance {
                report.checked += 1;
            } else {
                #[expect(clippy::cast_possible_truncation, reason = "shown to a person")]
                return Err(WrongGradient { index, claimed, measured: measured as f32 });
            }
        }
        Ok(report)
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
            assert_eq!(check.run(&w, &grads, loss).unwrap_err().index, index);
        }
    }

    #[test]
    fn kinks_are_skipped() {
        let report = GradientCheck::default().run(&[0.0, 0.0, 0.01], &[0.0, 1.0, 10.0], loss);
        assert_eq!(report, Ok(GradientReport { checked: 2, skipped: 1 }));
    }
}

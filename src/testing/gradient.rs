//! A gradient against central differences of the loss: (L(w + ε) − L(w − ε)) / 2ε, with a five-point stencil.
//!
//! A loss in `f32` has about six digits, so ε is large and the tolerance wide; a wrong formula is wrong by more. The
//! defaults suit losses below about 10 and weights below about 1; larger weights want a smaller step.

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
        let (mut at, middle) = (Vec::from(params), f64::from(loss(params)));
        for (index, &claimed) in grads.iter().enumerate() {
            let mut along = |offset: f32| {
                at[index] = params[index] + offset;
                let loss = f64::from(loss(&at));
                at[index] = params[index];
                loss
            };
            // The larger the step, the less rounding matters; the smaller, the fewer kinks are within it.
            let mut verdict = Verdict::Skipped;
            for shrink in [1.0, 0.25, 0.0625] {
                let step = self.step * shrink;
                let [wide, narrow] =
                    [step, step / 2.0].map(|e| Differences::new([along(-e), middle, along(e)], f64::from(e)));
                if !(wide.slope().is_finite() && narrow.slope().is_finite()) {
                    return Err(WrongGradient::NotFinite { index });
                }
                verdict = self.compare(f64::from(claimed), wide, narrow, f64::from(shrink).sqrt());
                if matches!(verdict, Verdict::Right) {
                    break;
                }
            }
            match verdict {
                Verdict::Right => report.checked += 1,
                Verdict::Skipped => report.skipped += 1,
                Verdict::Wrong { measured } => {
                    return Err(WrongGradient::Differs { index, claimed, measured });
                }
            }
        }
        if report.skipped > report.checked { Err(WrongGradient::Unproved(report)) } else { Ok(report) }
    }

    /// Compares one derivative with differences whose step is a `shrink`² of the usual one.
    fn compare(&self, claimed: f64, wide: Differences, narrow: Differences, shrink: f64) -> Verdict {
        let measured = (4.0 * narrow.slope() - wide.slope()) / 3.0;
        let absolute = f64::from(self.absolute) / shrink;
        let allowed = absolute + f64::from(self.relative) * measured.abs();
        let unsure = (wide.slope() - narrow.slope()).abs();
        if unsure <= 4.0 * allowed && (claimed - measured).abs() <= allowed + 2.0 * unsure {
            return Verdict::Right;
        }
        // With a kink nearby, the slope here is about one of those to the left and to the right, or between them.
        let about = (claimed - narrow.slope()).abs() <= narrow.bend() + allowed;
        if narrow.bend() > absolute && about || unsure > 4.0 * allowed {
            return Verdict::Skipped;
        }
        #[expect(clippy::cast_possible_truncation, reason = "shown to a person")]
        Verdict::Wrong { measured: measured as f32 }
    }
}

/// What was found of a derivative.
enum Verdict {
    Right,
    /// The loss bends too much to tell.
    Skipped,
    Wrong {
        measured: f32,
    },
}

/// The slopes of a loss from −ε to 0 and from 0 to ε.
#[derive(Clone, Copy)]
struct Differences {
    left: f64,
    right: f64,
}

impl Differences {
    fn new([left, middle, right]: [f64; 3], step: f64) -> Self {
        Self { left: (middle - left) / step, right: (right - middle) / step }
    }

    /// The slope from −ε to ε.
    fn slope(self) -> f64 {
        0.5 * (self.left + self.right)
    }

    /// By how much the slopes differ.
    fn bend(self) -> f64 {
        (self.right - self.left).abs()
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
        let kink = |w: &[f32]| 100.0 * w[0].abs();
        let skipped = GradientReport { checked: 0, skipped: 1 };
        assert_eq!(check.run(&[0.0], &[1.0], kink), Err(WrongGradient::Unproved(skipped)));
    }

    #[test]
    fn kinks_are_skipped() {
        let check = GradientCheck::default();
        let beside = check.run(&[0.0, 0.0, 0.01], &[0.0, 1.0, 10.0], loss);
        assert_eq!(beside, Ok(GradientReport { checked: 3, skipped: 0 }));
        let upon = check.run(&[0.0, 0.0, 0.0], &[0.0, 1.0, 10.0], loss);
        assert_eq!(upon, Ok(GradientReport { checked: 2, skipped: 1 }));
    }
}

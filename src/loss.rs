//! Softmax, cross-entropy, squared error, Huber's loss and perplexity; and what of a window they are reckoned from.
//!
//! With logits o and target x, the loss of a row is −log P(x) = log Σ_j exp(o_j) − o_x, and its gradient is
//! softmax(o) minus the one-hot target. The maximum is subtracted first, so that no exponential overflows, and
//! the loss never takes the logarithm of a probability that was rounded to zero.

mod objective;
mod perplexity;
mod running_mean;

use core::ops::Range;

pub use objective::{Goal, Objective, Readout};
pub use perplexity::Perplexity;
pub use running_mean::RunningMean;

use crate::cell::check_tokens;
use crate::error::{Argument, Error, exactly};
use crate::kernels::{map, max, scale, sum, sum_of, sum_of_squares, zip_map};
use crate::lanes::{FOLD, LaneKind, Lanes, Scalar, best_lanes, inlined, on_lanes};
use crate::math;
use crate::params::{rows, rows_mut};
pub(crate) use perplexity::Sum;

/// What the outputs of several rows should have been.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Targets<'a> {
    /// A token for each row: the loss is the cross-entropy of the softmax of the outputs.
    Tokens(&'a [u16]),
    /// A vector for each row, one after another: the loss is half the squared distance, ½ Σ_j (o_j − y_j)².
    Vectors(&'a [f32]),
    /// The same vectors, with a loss that outliers move less: Σ_j ρ(o_j − y_j) with ρ(r) = ½ r² up to |r| = δ and
    /// δ (|r| − ½ δ) beyond (P. Huber, Robust estimation of a location parameter, 1964).
    Huber {
        /// The vectors.
        y: &'a [f32],
        /// δ, finite and above 0.
        delta: f32,
    },
}

impl Targets<'_> {
    /// Refuses targets of another number of rows than `rows`, and tokens outside of the vocabulary.
    #[inline(always)]
    pub(crate) fn check(self, rows: usize, outputs: usize) -> Result<(), Error> {
        match self {
            Self::Tokens(tokens) => {
                exactly(Argument::Targets, rows, tokens.len())?;
                check_tokens(tokens, outputs)
            }
            Self::Vectors(y) => exactly(Argument::Targets, rows.saturating_mul(outputs), y.len()),
            Self::Huber { delta, .. } if !(delta > 0.0 && delta.is_finite()) => {
                Err(Error::Setting("Huber's delta must be finite and above 0"))
            }
            Self::Huber { y, .. } => exactly(Argument::Targets, rows.saturating_mul(outputs), y.len()),
        }
    }

    /// Some rows, of `outputs` elements each.
    #[inline(always)]
    pub(crate) fn rows(self, rows: Range<usize>, outputs: usize) -> Self {
        match self {
            Self::Tokens(tokens) => Self::Tokens(tokens.get(rows).unwrap_or_default()),
            Self::Vectors(y) => {
                Self::Vectors(y.get(rows.start * outputs..rows.end * outputs).unwrap_or_default())
            }
            Self::Huber { y, delta } => {
                Self::Huber { y: y.get(rows.start * outputs..rows.end * outputs).unwrap_or_default(), delta }
            }
        }
    }
}

/// Logits become probabilities, in place: o_j ← exp(o_j) / Σ exp(o).
///
/// ```
/// let mut o = [1.0, 1.0, 1.0, 1.0];
/// recurve::loss::softmax(&mut o);
/// assert_eq!(o, [0.25; 4]);
/// ```
pub fn softmax(logits: &mut [f32]) {
    softmax_on(LaneKind::best(), logits);
}

/// [`softmax`] on lanes of this kind.
pub fn softmax_on(kind: LaneKind, logits: &mut [f32]) {
    on_lanes!(kind, lanes => {
        let exponentials = Exponentials::replace(lanes, logits, max(lanes, logits));
        scale(lanes, logits, 1.0 / exponentials.total);
    });
}

/// Logits become logarithms of probabilities, in place: o_j ← o_j − log Σ exp(o).
///
/// ```
/// let mut o = [1000.0, 0.0];
/// recurve::loss::log_softmax(&mut o);
/// assert_eq!(o, [0.0, -1000.0]);
/// ```
pub fn log_softmax(logits: &mut [f32]) {
    best_lanes!(lanes => {
        let exponentials = Exponentials::of(lanes, logits);
        let (top, log_total) = (lanes.splat(exponentials.top), lanes.splat(exponentials.nats(exponentials.top)));
        map(lanes, logits, inlined!(|o| lanes.sub(lanes.sub(o, top), log_total)));
    });
}

/// −log P(target) under the softmax of one row of logits, in nats; NaN for a target beyond them.
///
/// ```
/// let nats = recurve::loss::cross_entropy(&[0.0; 28], 3);
/// assert!((nats - 28.0_f32.ln()).abs() < 1e-6);
/// ```
#[must_use]
pub fn cross_entropy(logits: &[f32], target: u16) -> f32 {
    let logit = logit_of(logits, target);
    best_lanes!(lanes => Exponentials::of(lanes, logits).nats(logit))
}

/// ½ Σ_j (o_j − y_j)² of one row, as far as both reach.
///
/// ```
/// assert_eq!(recurve::loss::squared_error(&[1.0, 2.0], &[0.0, 4.0]), 2.5);
/// ```
#[must_use]
pub fn squared_error(outputs: &[f32], target: &[f32]) -> f32 {
    let mut total = Sum::default();
    outputs.iter().zip(target).for_each(|(o, y)| total.add((o - y) * (o - y)));
    0.5 * total.value()
}

/// Σ_j ρ(o_j − y_j) of one row, as far as both reach: see [`Targets::Huber`].
///
/// ```
/// assert_eq!(recurve::loss::huber(&[0.5, 4.0], &[0.0, 0.0], 1.0), 0.125 + 3.5);
/// ```
#[must_use]
pub fn huber(outputs: &[f32], target: &[f32], delta: f32) -> f32 {
    let mut total = Sum::default();
    outputs.iter().zip(target).for_each(|(o, y)| total.add(rho(Scalar, o - y, delta)));
    total.value()
}

/// ρ(r) = c (r − ½ c), where c is r held between −δ and δ.
#[inline(always)]
fn rho<L: Lanes>(lanes: L, r: L::F, delta: f32) -> L::F {
    let c = lanes.clamp_abs(r, delta);
    lanes.mul(c, lanes.sub(r, lanes.mul(lanes.splat(0.5), c)))
}

/// Adds the losses of rows of `cols` outputs to `total`; the outputs become `weight` times their gradients, in place.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn backward<L: Lanes>(
    lanes: L,
    outputs: &mut [f32],
    cols: usize,
    targets: Targets<'_>,
    weight: f32,
    total: &mut Sum,
) {
    match targets {
        Targets::Tokens(tokens) => {
            // Up to FOLD losses are added as they are, which takes a fraction of the time; their sums with compensation.
            let mut nats = 0.0;
            let groups = outputs.chunks_mut((ROWS * cols).max(1)).zip(tokens.chunks(ROWS));
            for ((o, targets), last) in groups.zip((ROWS..).step_by(ROWS)) {
                cross_entropies_backward(lanes, o, cols, targets, weight, &mut nats);
                if last.is_multiple_of(FOLD) {
                    total.add(nats);
                    nats = 0.0;
                }
            }
            total.add(nats);
        }
        Targets::Vectors(y) => {
            for (o, y) in rows_mut(outputs, cols).zip(rows(y, cols)) {
                total.add(squared_error_backward(lanes, o, y, weight));
            }
        }
        Targets::Huber { y, delta } => {
            for (o, y) in rows_mut(outputs, cols).zip(rows(y, cols)) {
                total.add(huber_backward(lanes, o, y, delta, weight));
            }
        }
    }
}

/// Rows whose logarithms are taken together: a compiler does many at once.
const ROWS: usize = if cfg!(feature = "std") { FOLD } else { 1 };

/// Adds −log P(target) of up to [`ROWS`] rows to `total`; o ← weight · (softmax(o) − one-hot target).
#[cfg_attr(not(debug_assertions), inline(always))]
fn cross_entropies_backward<L: Lanes>(
    lanes: L,
    o: &mut [f32],
    cols: usize,
    targets: &[u16],
    weight: f32,
    total: &mut f32,
) {
    let mut exponentials = [Exponentials { top: 0.0, total: 1.0 }; ROWS];
    let mut logits = [0.0; ROWS];
    if cfg!(feature = "std") {
        // One thing after another for all rows: what a processor waits for in one row it does meanwhile in the next.
        for ((o, &target), (of, logit)) in
            rows(o, cols).zip(targets).zip(exponentials.iter_mut().zip(&mut logits))
        {
            *logit = logit_of(o, target);
            of.top = max(lanes, o);
        }
        for (o, of) in rows_mut(o, cols).zip(&mut exponentials) {
            *of = Exponentials::replace(lanes, o, of.top);
        }
        for ((o, &target), of) in rows_mut(o, cols).zip(targets).zip(&exponentials) {
            of.gradient(lanes, o, target, weight);
        }
    } else {
        let each = exponentials.iter_mut().zip(&mut logits);
        for ((o, &target), (of, logit)) in rows_mut(o, cols).zip(targets).zip(each) {
            *logit = logit_of(o, target);
            *of = Exponentials::replace(lanes, o, max(lanes, o));
            of.gradient(lanes, o, target, weight);
        }
    }
    for (nats, exponentials) in logits.iter_mut().zip(exponentials) {
        *nats = exponentials.nats(*nats);
    }
    logits.iter().zip(targets).for_each(|(nats, _)| *total += nats);
}

/// The logit of a target; NaN beyond them.
#[inline(always)]
fn logit_of(logits: &[f32], target: u16) -> f32 {
    logits.get(usize::from(target)).copied().unwrap_or(f32::NAN)
}

/// ½ Σ (o − y)² of a row; o ← weight · (o − y).
#[cfg_attr(all(feature = "std", not(debug_assertions)), inline(always))]
#[cfg_attr(not(feature = "std"), inline(never))]
fn squared_error_backward<L: Lanes>(lanes: L, o: &mut [f32], y: &[f32], weight: f32) -> f32 {
    zip_map(lanes, o, y, inlined!(|o, y| lanes.sub(o, y)));
    let loss = 0.5 * sum_of_squares(lanes, o);
    scale(lanes, o, weight);
    loss
}

/// Σ ρ(o − y) of a row; o ← weight · ρ′(o − y), which is o − y held between −δ and δ.
#[cfg_attr(all(feature = "std", not(debug_assertions)), inline(always))]
#[cfg_attr(not(feature = "std"), inline(never))]
fn huber_backward<L: Lanes>(lanes: L, o: &mut [f32], y: &[f32], delta: f32, weight: f32) -> f32 {
    zip_map(lanes, o, y, inlined!(|o, y| lanes.sub(o, y)));
    let loss = sum_of(lanes, o, 0.0, inlined!(|r| rho(lanes, r, delta)));
    let weight = lanes.splat(weight);
    map(lanes, o, inlined!(|r| lanes.mul(lanes.clamp_abs(r, delta), weight)));
    loss
}

/// The largest logit of a row, and Σ exp(o − top), which is at least 1.
#[derive(Clone, Copy)]
struct Exponentials {
    top: f32,
    total: f32,
}

impl Exponentials {
    /// o ← exp(o − top)
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn replace<L: Lanes>(lanes: L, o: &mut [f32], top: f32) -> Self {
        let shift = lanes.splat(top);
        map(lanes, o, inlined!(|o| math::exp(lanes, lanes.sub(o, shift))));
        Self { top, total: sum(lanes, o) }
    }

    /// The same, and o stays.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn of<L: Lanes>(lanes: L, o: &[f32]) -> Self {
        let top = max(lanes, o);
        let shift = lanes.splat(top);
        let total = sum_of(lanes, o, f32::NEG_INFINITY, inlined!(|o| math::exp(lanes, lanes.sub(o, shift))));
        Self { top, total }
    }

    /// o ← weight · (o / total − one-hot target), of exponentials o.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn gradient<L: Lanes>(self, lanes: L, o: &mut [f32], target: u16, weight: f32) {
        scale(lanes, o, weight / self.total);
        if let Some(d_o) = o.get_mut(usize::from(target)) {
            *d_o -= weight;
        }
    }

    /// −log P of a symbol with this logit.
    #[inline(always)]
    fn nats(self, logit: f32) -> f32 {
        math::ln(Scalar, self.total) - (logit - self.top)
    }
}

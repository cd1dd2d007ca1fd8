//! Perplexity: exp(−1/n Σ log P(x_t given x_{t−1}, …, x_1)).
//!
//! Dive into Deep Learning, section 9.3: the harmonic mean of the number of real choices that the model leaves
//! for the next token. It is 1 for a model that is certain and right, the size of the vocabulary for one that
//! guesses uniformly, and infinite for one that gives a token that occurs probability zero.

use crate::lanes::Scalar;
use crate::math;

/// A sum of `f32`s as the unevaluated sum of two (T. Dekker, 1971), so that millions of terms cost no digits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sum {
    total: f32,
    lost: f32,
}

impl Sum {
    /// Adds a term.
    #[inline(always)]
    pub(crate) fn add(&mut self, x: f32) {
        let rounded = self.total + x;
        let (large, small) = if self.total.abs() < x.abs() { (x, self.total) } else { (self.total, x) };
        let lost = self.lost + ((large - rounded) + small);
        self.total = rounded + lost;
        self.lost = lost - (self.total - rounded);
        if !self.total.is_finite() {
            self.total = rounded;
        }
    }

    /// The sum so far; infinite or NaN if a term was.
    #[inline(always)]
    pub(crate) fn value(self) -> f32 {
        if self.total.is_finite() { self.total + self.lost } else { self.total }
    }
}

/// An accumulator of −log P, and its perplexity.
///
/// ```
/// use recurve::Perplexity;
///
/// let mut perplexity = Perplexity::default();
/// for _ in 0..10 {
///     perplexity.add_probability(1.0 / 28.0);
/// }
/// assert!((perplexity.value() - 28.0).abs() < 1e-4);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Perplexity {
    nats: Sum,
    tokens: u64,
}

impl Perplexity {
    /// Counts a token whose loss was `nats` = −log P.
    #[inline(always)]
    pub fn add(&mut self, nats: f32) {
        self.nats.add(nats);
        self.tokens += 1;
    }

    /// Counts a token that the model had given probability `p`, from 0 to 1.
    pub fn add_probability(&mut self, p: f32) {
        self.add(-math::ln(Scalar, p));
    }

    /// Counts `tokens` tokens whose mean loss was `mean_nats`.
    #[inline(always)]
    pub fn add_mean(&mut self, mean_nats: f32, tokens: u64) {
        #[expect(clippy::cast_precision_loss, reason = "a count above 2²⁴ may lose its last digits")]
        self.nats.add(mean_nats * tokens as f32);
        self.tokens += tokens;
    }

    /// The sum of losses, what rounding took from it, and the number of tokens.
    #[cfg(feature = "std")]
    pub(crate) const fn parts(self) -> (f32, f32, u64) {
        (self.nats.total, self.nats.lost, self.tokens)
    }

    /// The one that has these [`parts`](Self::parts).
    #[cfg(feature = "std")]
    pub(crate) const fn from_parts(total: f32, lost: f32, tokens: u64) -> Self {
        Self { nats: Sum { total, lost }, tokens }
    }

    /// The number of tokens counted.
    #[must_use]
    pub const fn tokens(&self) -> u64 {
        self.tokens
    }

    /// The mean of −log P in nats; NaN of no tokens.
    #[must_use]
    pub fn nats_per_token(&self) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "a count above 2²⁴ may lose its last digits")]
        let tokens = self.tokens as f32;
        self.nats.value() / tokens
    }

    /// exp of the mean of −log P: from 1 to infinity, NaN of no tokens.
    #[must_use]
    pub fn value(&self) -> f32 {
        math::exp(Scalar, self.nats_per_token())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(probabilities: &[f32]) -> f32 {
        let mut perplexity = Perplexity::default();
        probabilities.iter().for_each(|&p| perplexity.add_probability(p));
        perplexity.value()
    }

    #[test]
    fn landmarks() {
        assert_eq!(of(&[1.0; 5]), 1.0);
        assert!((of(&[1.0 / 27.0; 1000]) - 27.0).abs() < 1e-4);
        assert_eq!(of(&[0.5, 0.0, 0.5]), f32::INFINITY);
    }

    #[test]
    fn one_choice_of_two_and_one_of_eight_are_two_of_four() {
        assert!((of(&[0.5, 0.125]) - 4.0).abs() < 1e-5);
    }

    #[test]
    fn a_long_sum_keeps_its_digits() {
        let mut perplexity = Perplexity::default();
        for _ in 0..3_000_000 {
            perplexity.add(0.1);
        }
        assert!((perplexity.nats_per_token() - 0.1).abs() < 1e-7, "{}", perplexity.nats_per_token());
    }

    #[test]
    fn no_tokens_have_no_perplexity() {
        assert!(Perplexity::default().value().is_nan());
    }

    #[test]
    fn nan_is_not_hidden() {
        assert!(of(&[0.5, f32::NAN]).is_nan());
    }
}

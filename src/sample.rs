//! Generation: tokens drawn one after another from what the model predicts.
//!
//! P(j) ∝ exp(o_j / temperature) over the `top_k` largest logits; at temperature 0 the largest is taken.

use rand_core::Rng;

use crate::cell::{Cell, Inputs, TypedCell};
use crate::error::{Error, Quantity};
use crate::init::unit;
use crate::kernels::all_finite;
use crate::lanes::{LaneKind, Portable};
use crate::loss::softmax_on;
use crate::model::{Model, ModelShape};
use crate::params::Flat;
use crate::vocab::MAX_SYMBOLS;

/// How to choose a token among logits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler {
    temperature: f32,
    top_k: usize,
}

impl Sampler {
    /// Always the most probable token, the first of equals.
    pub const GREEDY: Self = Self { temperature: 0.0, top_k: 1 };

    /// Draws as the model predicts: temperature 1, all tokens.
    pub const FAITHFUL: Self = Self { temperature: 1.0, top_k: usize::MAX };

    /// Draws among the `top_k` most probable tokens at a temperature: below 1 bolder, above 1 wilder, 0 greedy.
    ///
    /// To leave out all but the largest takes 32 passes over the logits, whatever `top_k` is, and no memory. On a chip that can
    /// be more than the step itself; all tokens, or one, are found without.
    ///
    /// # Errors
    /// [`Error::Setting`] for a temperature that is negative or not finite, or a `top_k` of zero.
    pub const fn new(temperature: f32, top_k: usize) -> Result<Self, Error> {
        if !temperature.is_finite() || temperature < 0.0 {
            return Err(Error::Setting("the temperature must be finite and not negative"));
        }
        if top_k == 0 {
            return Err(Error::Setting("top-k must leave at least one token"));
        }
        Ok(Self { temperature, top_k })
    }

    /// Chooses a token; the logits are used up.
    ///
    /// ```
    /// use rand_core::SeedableRng;
    /// use recurve::Sampler;
    ///
    /// let mut rng = rand_pcg::Pcg32::seed_from_u64(1);
    /// assert_eq!(Sampler::GREEDY.choose(&mut [0.5, 2.0, 1.0], &mut rng)?, 1);
    /// let pick = Sampler::new(0.8, 2)?.choose(&mut [0.5, 2.0, 1.0], &mut rng)?;
    /// assert!(pick == 1 || pick == 2);
    /// # Ok::<(), recurve::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a logit is NaN or infinite, [`Error::Setting`] if there are none, or more than tokens.
    pub fn choose<R: Rng + ?Sized>(self, logits: &mut [f32], rng: &mut R) -> Result<u16, Error> {
        // On the portable lanes, so that the same logits and seed give the same token on every machine.
        if !all_finite(Portable, logits) {
            return Err(Error::NotFinite(Quantity::Logit));
        }
        if logits.len() > MAX_SYMBOLS {
            return Err(Error::Setting("there are more logits than tokens"));
        }
        let (best, top) = largest(logits).ok_or(Error::Setting("there are no logits to choose from"))?;
        if self.temperature == 0.0 || self.top_k == 1 {
            return Ok(token(best));
        }
        if self.top_k < logits.len() {
            keep_largest(logits, self.top_k);
        }
        for o in &mut *logits {
            *o = (*o - top) / self.temperature;
        }
        softmax_on(LaneKind::Portable, logits);
        Ok(token(draw(logits, unit(rng)).unwrap_or(best)))
    }
}

/// Positions in a vocabulary fit into `u16`.
fn token(position: usize) -> u16 {
    u16::try_from(position).unwrap_or(u16::MAX)
}

/// The largest logit and its position, the first of equals.
fn largest(logits: &[f32]) -> Option<(usize, f32)> {
    let mut found: Option<(usize, f32)> = None;
    for (j, &o) in logits.iter().enumerate() {
        if found.is_none_or(|(_, x)| o > x) {
            found = Some((j, o));
        }
    }
    found
}

/// Sets all but the `k` largest logits to −∞, of equals the first, in 32 passes whatever `k` is, without memory.
fn keep_largest(logits: &mut [f32], k: usize) {
    // The largest threshold that at least k logits reach, found bit by bit.
    let mut threshold = 0;
    for bit in (0..u32::BITS).rev() {
        let higher = threshold | 1 << bit;
        if logits.iter().filter(|&&o| order(o) >= higher).count() >= k {
            threshold = higher;
        }
    }
    let above = logits.iter().filter(|&&o| order(o) > threshold).count();
    let mut equals = k.saturating_sub(above);
    for o in logits {
        let is_equal = order(*o) == threshold;
        if order(*o) < threshold || (is_equal && equals == 0) {
            *o = f32::NEG_INFINITY;
        } else if is_equal {
            equals -= 1;
        }
    }
}

/// A number that is ordered as the floats are, zeros equal.
fn order(x: f32) -> u32 {
    let bits = (x + 0.0).to_bits();
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}

/// The first position at which the sum of probabilities exceeds `u`, from 0 to below 1; of all that rounding leaves,
/// the last with any probability.
fn draw(probabilities: &[f32], u: f32) -> Option<usize> {
    let mut sum = 0.0;
    for (j, p) in probabilities.iter().enumerate() {
        sum += p;
        if sum > u {
            return Some(j);
        }
    }
    probabilities.iter().rposition(|&p| p > 0.0)
}

/// Reads a prefix, then draws tokens without end, each fed back as the next input; it ends after an error.
///
/// `feed` reads a token and writes what the model predicts after it.
fn write<'a, F: FnMut(u16, &mut [f32]) -> Result<(), Error>, R: Rng + ?Sized>(
    prefix: &[u16],
    logits: &'a mut [f32],
    mut feed: F,
    sampler: Sampler,
    rng: &'a mut R,
) -> Result<impl Iterator<Item = Result<u16, Error>> + use<'a, F, R>, Error> {
    prefix.iter().try_for_each(|&token| feed(token, logits))?;
    let mut failed = false;
    Ok(core::iter::from_fn(move || {
        if failed {
            return None;
        }
        let next = sampler.choose(logits, rng).and_then(|token| feed(token, logits).map(|()| token));
        failed = next.is_err();
        Some(next)
    }))
}

impl<C: Cell> ModelShape<C> {
    /// Warms `state` up with a prefix and goes on from there, without end. Without a prefix, `logits` must already
    /// hold what the last step predicted; zeros make the first token uniform.
    ///
    /// # Errors
    /// As for [`step`](Self::step), here and from the iterator, which then ends.
    #[allow(clippy::too_many_arguments, reason = "weights, state, outputs and scratch are separate values")]
    pub fn generate<'a, R: Rng + ?Sized>(
        self,
        params: &'a [f32],
        prefix: &[u16],
        state: &'a mut [f32],
        logits: &'a mut [f32],
        scratch: &'a mut [f32],
        sampler: Sampler,
        rng: &'a mut R,
    ) -> Result<impl Iterator<Item = Result<u16, Error>> + use<'a, C, R>, Error> {
        let feed = move |token, logits: &mut [f32]| {
            let inputs = Inputs::Tokens(core::slice::from_ref(&token));
            self.step_on(LaneKind::best(), params, inputs, state, logits, scratch)
        };
        write(prefix, logits, feed, sampler, rng)
    }
}

impl<C: TypedCell<H>, const H: usize, const O: usize> Model<C, H, O> {
    /// Warms `state` up with a prefix and goes on from there; see [`ModelShape::generate`].
    ///
    /// ```
    /// use rand_core::SeedableRng;
    /// use recurve::{CharRnn, Sampler, params::Flat};
    ///
    /// let mut model = CharRnn::<4, 8>::ZERO;
    /// for symbol in 0..4 {
    ///     model.cell.w_xh[symbol][symbol] = 9.0;
    ///     model.head.w_hq[symbol][(symbol + 1) % 4] = 9.0;
    /// }
    /// let (mut state, mut logits, mut scratch) = Default::default();
    /// let mut rng = rand_pcg::Pcg32::seed_from_u64(1);
    /// let text = model.generate(&[2], &mut state, &mut logits, &mut scratch, Sampler::GREEDY, &mut rng)?;
    /// let text: Result<Vec<u16>, _> = text.take(5).collect();
    /// assert_eq!(text?, [3, 0, 1, 2, 3]);
    /// # Ok::<(), recurve::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`step`](Self::step), here and from the iterator, which then ends.
    pub fn generate<'a, R: Rng + ?Sized>(
        &'a self,
        prefix: &[u16],
        state: &'a mut C::State<1>,
        logits: &'a mut [f32; O],
        scratch: &'a mut C::StepScratch<1>,
        sampler: Sampler,
        rng: &'a mut R,
    ) -> Result<impl Iterator<Item = Result<u16, Error>> + use<'a, C, H, O, R>, Error> {
        let (state, scratch) = (state.as_flat_mut(), scratch.as_flat_mut());
        let feed = move |token, logits: &mut [f32]| {
            self.step_flat(Inputs::Tokens(core::slice::from_ref(&token)), state, logits, scratch)
        };
        write(prefix, logits, feed, sampler, rng)
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;
    use rand_pcg::Pcg32;

    use super::*;

    #[test]
    fn settings() {
        assert!(Sampler::new(f32::NAN, 1).is_err());
        assert!(Sampler::new(-1.0, 1).is_err());
        assert!(Sampler::new(1.0, 0).is_err());
        let mut rng = Pcg32::seed_from_u64(0);
        assert!(Sampler::GREEDY.choose(&mut [], &mut rng).is_err());
        assert_eq!(
            Sampler::FAITHFUL.choose(&mut [0.0, f32::NAN], &mut rng),
            Err(Error::NotFinite(Quantity::Logit))
        );
    }

    #[test]
    fn frequencies_follow_probabilities() {
        let mut rng = Pcg32::seed_from_u64(3);
        let logits = [0.0, 2.0_f32.ln(), 5.0_f32.ln()];
        let mut count = [0; 3];
        for _ in 0..8000 {
            count[usize::from(Sampler::FAITHFUL.choose(&mut logits.clone(), &mut rng).unwrap())] += 1;
        }
        for (count, expected) in count.into_iter().zip([1000, 2000, 5000]) {
            assert!(i32::abs_diff(count, expected) < 150, "{count} of {expected}");
        }
    }

    #[test]
    fn top_k_keeps_the_first_of_equals() {
        let mut logits = [1.0, 3.0, 2.0, 2.0, 2.0];
        keep_largest(&mut logits, 3);
        let none = f32::NEG_INFINITY;
        assert_eq!(logits, [none, 3.0, 2.0, 2.0, none]);
        let mut logits = [-1.0, -0.0, 0.0, -3e38, 1e-40];
        keep_largest(&mut logits, 2);
        assert_eq!(logits, [none, 0.0, none, none, 1e-40]);
    }

    #[test]
    fn extremes_of_the_draw() {
        assert_eq!(draw(&[0.5, 0.5, 0.0], 0.0), Some(0));
        assert_eq!(draw(&[0.5, 0.49, 0.0], 0.9999), Some(1));
        assert_eq!(draw(&[0.0, 1.0], 0.0), Some(1));
    }

    #[test]
    fn cold_is_greedy_even_for_huge_logits() {
        let mut rng = Pcg32::seed_from_u64(5);
        let cold = Sampler::new(1e-30, 5).unwrap();
        assert_eq!(cold.choose(&mut [-3e38, 1.0, 3e38, 2.9e38], &mut rng), Ok(2));
    }
}

//! Readings in their own units, such as °C or m/s², to numbers of about 1 and back, channel by channel:
//!
//! ```text
//! x′ = (x − mean) / deviation        y = y′ · deviation + mean
//! ```
//!
//! A model that was trained on the one needs the same numbers wherever it runs, so a model file keeps them:
//! [`Normalization`](crate::format::Normalization).

use crate::error::{Argument, Error, Quantity, evenly, exactly};
use crate::loss::Sum;
use crate::params::plain_data;

plain_data! {
    /// Mean and standard deviation of `N` channels, in the channels' units.
    ///
    /// ```
    /// use recurve::{Standard, params::Flat};
    ///
    /// // Three readings of two channels, degrees and hectopascals.
    /// let mut readings = [20.0, 1013.0, 22.0, 1003.0, 24.0, 1008.0];
    /// let mut standard = Standard::<2>::ZERO; // not to be used before it is fitted, or read from a file
    /// standard.fit(&readings)?;
    /// assert_eq!(standard.mean, [22.0, 1008.0]);
    ///
    /// standard.apply(&mut readings)?;
    /// assert!((readings[4] - 1.2247).abs() < 1e-4);
    /// standard.invert(&mut readings)?;
    /// assert_eq!(readings[4..], [24.0, 1008.0]);
    /// # Ok::<(), recurve::Error>(())
    /// ```
    pub struct Standard [const N: usize] [N] {
        /// The mean of each channel.
        pub mean: [f32; N],
        /// The standard deviation of each channel, above 0.
        pub deviation: [f32; N],
    }
}

impl<const N: usize> Standard<N> {
    /// The same for any number of channels.
    #[must_use]
    pub const fn view(&self) -> StandardView<'_> {
        StandardView { mean: &self.mean, deviation: &self.deviation }
    }

    /// Takes mean and deviation from rows of `N` readings.
    ///
    /// # Errors
    /// See [`fit`].
    pub fn fit(&mut self, rows: &[f32]) -> Result<(), Error> {
        fit(rows, &mut self.mean, &mut self.deviation)
    }

    /// Readings to numbers of about 1, in place, for whole rows of `N`.
    ///
    /// # Errors
    /// [`Error::Uneven`] for anything but whole rows, [`Error::NotFinite`] for a reading that is NaN or infinite, as of a broken
    /// sensor, or that becomes so, as by a deviation of zero. The rows are then as they were.
    pub fn apply(&self, rows: &mut [f32]) -> Result<(), Error> {
        self.view().apply(rows)
    }

    /// The way back.
    ///
    /// # Errors
    /// [`Error::Uneven`] for anything but whole rows.
    pub fn invert(&self, rows: &mut [f32]) -> Result<(), Error> {
        self.view().invert(rows)
    }
}

/// Mean and standard deviation of channels whose number is known at run time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StandardView<'a> {
    /// The mean of each channel.
    pub mean: &'a [f32],
    /// The standard deviation of each channel, above 0; as many as there are means.
    pub deviation: &'a [f32],
}

impl StandardView<'_> {
    /// As [`Standard::apply`].
    ///
    /// # Errors
    /// Those of [`Standard::apply`].
    pub fn apply(self, rows: &mut [f32]) -> Result<(), Error> {
        evenly(Argument::Inputs, self.mean.len(), rows.len())?;
        let standardized = |x: f32, mean: f32, deviation: f32| (x - mean) / deviation;
        let channels = self.mean.iter().zip(self.deviation).cycle();
        if rows.iter().zip(channels).any(|(&x, (&m, &d))| !standardized(x, m, d).is_finite()) {
            return Err(Error::NotFinite(Quantity::Input));
        }
        self.each(rows, standardized)
    }

    /// As [`Standard::invert`].
    ///
    /// # Errors
    /// [`Error::Uneven`] for anything but whole rows.
    pub fn invert(self, rows: &mut [f32]) -> Result<(), Error> {
        self.each(rows, |y, mean, deviation| y * deviation + mean)
    }

    fn each(self, rows: &mut [f32], f: impl Fn(f32, f32, f32) -> f32) -> Result<(), Error> {
        evenly(Argument::Inputs, self.mean.len(), rows.len())?;
        let channels = self.mean.iter().zip(self.deviation).cycle();
        rows.iter_mut().zip(channels).for_each(|(x, (&mean, &deviation))| *x = f(*x, mean, deviation));
        Ok(())
    }

    /// Whether it is for so many channels, all of them finite and with a deviation above 0.
    pub(crate) fn is_valid(self, channels: usize) -> bool {
        self.mean.len() == channels
            && self.deviation.len() == channels
            && self.mean.iter().all(|mean| mean.is_finite())
            && self.deviation.iter().all(|&deviation| deviation > 0.0 && deviation.is_finite())
    }
}

/// Mean and standard deviation of each channel of `rows`, which lie one after another; as many channels as `mean` has.
///
/// A channel that never changes gets deviation 1, so that it becomes 0 and not noise.
///
/// # Errors
/// [`Error::Uneven`] unless there are whole rows, one or more, [`Error::Length`] for another number of deviations than
/// means, [`Error::NotFinite`] if a reading is not finite, or so large that its square is not. What was there before stays.
pub fn fit(rows: &[f32], mean: &mut [f32], deviation: &mut [f32]) -> Result<(), Error> {
    let channels = mean.len();
    let count = evenly(Argument::Inputs, channels, rows.len())?;
    exactly(Argument::Scratch, channels, deviation.len())?;
    for channel in 0..channels {
        of_channel(rows, channels, channel, count)?;
    }
    for (channel, (mean, deviation)) in mean.iter_mut().zip(deviation).enumerate() {
        (*mean, *deviation) = of_channel(rows, channels, channel, count)?;
    }
    Ok(())
}

/// Mean and deviation of one channel.
fn of_channel(rows: &[f32], channels: usize, channel: usize, count: usize) -> Result<(f32, f32), Error> {
    let readings = || rows.iter().skip(channel).step_by(channels.max(1));
    #[expect(clippy::cast_precision_loss, reason = "a count above 2²⁴ may lose its last digits")]
    let share = 1.0 / count as f32;
    let mut total = Sum::default();
    readings().for_each(|x| total.add(x * share));
    let mean = total.value();
    let mut squares = Sum::default();
    readings().for_each(|x| squares.add((x - mean) * (x - mean) * share));
    let deviation = libm::sqrtf(squares.value());
    if !mean.is_finite() || !deviation.is_finite() {
        return Err(Error::NotFinite(Quantity::Input));
    }
    // What the mean was rounded by is not a deviation.
    let constant = deviation <= 4.0 * f32::EPSILON * mean.abs() || deviation < f32::MIN_POSITIVE;
    Ok((mean, if constant { 1.0 } else { deviation }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Flat;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn there_and_back(rows in prop::collection::vec([-1e3_f32..1e3, 50.0..51.0], 1..40)) {
            let mut standard = Standard::<2>::ZERO;
            let before = rows.as_flattened();
            standard.fit(before).unwrap();
            let mut x = before.to_vec();
            standard.apply(&mut x).unwrap();
            for channel in 0..2 {
                let n = rows.len() as f64;
                let of = |x: &[f32]| x.iter().skip(channel).step_by(2).copied().map(f64::from).collect::<std::vec::Vec<_>>();
                let mean = of(before).iter().sum::<f64>() / n;
                let deviation = (of(before).iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
                prop_assert!((f64::from(standard.mean[channel]) - mean).abs() < 1e-3);
                if rows.len() > 1 && deviation > 1e-3 {
                    prop_assert!((f64::from(standard.deviation[channel]) / deviation - 1.0).abs() < 1e-2);
                }
                prop_assert!(of(&x).iter().sum::<f64>().abs() / n < 0.01);
            }
            standard.invert(&mut x).unwrap();
            for (x, before) in x.iter().zip(before) {
                prop_assert!((x - before).abs() < 1e-2);
            }
        }
    }

    #[test]
    fn a_constant_channel_becomes_zero() {
        for value in [0.0, 0.1, -1e20, 1e-30] {
            let mut standard = Standard::<1>::ZERO;
            standard.fit(&[value; 1001]).unwrap();
            assert_eq!(standard.deviation, [1.0]);
            let mut x = [value];
            standard.apply(&mut x).unwrap();
            assert!(x[0].abs() <= value.abs() * 1e-6, "{x:?}");
        }
    }

    #[test]
    fn what_cannot_be_fitted_changes_nothing() {
        let before = Standard { mean: [1.0, 2.0], deviation: [3.0, 4.0] };
        let uneven = |got| Error::Uneven { argument: Argument::Inputs, unit: 2, got };
        let not_finite = Error::NotFinite(Quantity::Input);
        for (rows, error) in [
            (&[][..], uneven(0)),
            (&[1.0; 3], uneven(3)),
            (&[1.0, f32::NAN], not_finite),
            (&[1.0, f32::INFINITY], not_finite),
            (&[1.0, 3e38, 1.0, -3e38], not_finite),
        ] {
            let mut standard = before;
            assert_eq!(standard.fit(rows), Err(error));
            assert_eq!(standard, before);
        }
        let length = Error::Length { argument: Argument::Scratch, needed: 1, got: 2 };
        assert_eq!(fit(&[1.0], &mut [0.0], &mut [0.0; 2]), Err(length));
        assert_eq!(before.apply(&mut [1.0; 3]), Err(uneven(3)));
        assert_eq!(before.apply(&mut [f32::NAN; 3]), Err(uneven(3)));
        for reading in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut rows = [1.0, 2.0, 3.0, reading];
            assert_eq!(before.apply(&mut rows), Err(not_finite));
            assert_eq!(rows[..3], [1.0, 2.0, 3.0]);
        }
        assert_eq!(Standard::<1>::ZERO.apply(&mut [1.0]), Err(not_finite));
        assert_eq!(before.invert(&mut []), Err(uneven(0)));
    }
}

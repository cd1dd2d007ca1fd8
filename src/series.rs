//! What a forecaster reads of a series of numbers, value by value: how each differs from the one before, and from a mean that
//! follows the series.
//!
//! ```text
//! m_0 = s_0,  m_t = m_{t−1} + (s_t − m_{t−1}) / min(t + 1, window)
//! x_t = (s_t − s_{t−1}, s_t − m_t)
//! ```
//!
//! So m is the mean of all values until there are as many as a window has, and follows the series from then on. After three
//! windows next to nothing is left of where it began.
//!
//! The model says by how much the values to come differ from s_t. What trains it is `host::forecast`.

use core::num::NonZeroU32;

/// The inputs of a forecaster, from the values of a series as they come.
///
/// A forecast begins with a state of zeros and reads the inputs of the last `window` values, so a program keeps as many. They
/// depend on the values before, too, through the mean: forecasts are as good as those that `recurve forecast` measures once
/// about three windows have been read, and worse after one.
///
/// ```
/// use core::num::NonZeroU32;
/// use heapless::Deque; // 0.9
/// use recurve::{Gru, Model, SeriesInputs, Standard, params::Flat};
/// use recurve::{include_model, include_standard, include_window};
///
/// // recurve forecast wave.csv --column v --hidden 4 --window 8 --out tests/data/wave.rcv, of 20 + 3 sin(t / 2) for t < 120;
/// // `recurve inspect` says the type.
/// static MODEL: &Model<Gru<2, 4>, 4, 1> = include_model!("../tests/data/wave.rcv");
/// static INPUTS: Standard<2> = include_standard!("../tests/data/wave.rcv", inputs);
/// static OUTPUTS: Standard<1> = include_standard!("../tests/data/wave.rcv", outputs);
/// const WINDOW: NonZeroU32 = include_window!("../tests/data/wave.rcv");
///
/// let mut series = SeriesInputs::new(WINDOW);
/// let mut window = Deque::<[f32; 2], { WINDOW.get() as usize }>::new();
/// let mut next = 0.0;
/// for value in (0..120).map(|t| 20.0 + 3.0 * (0.5 * f64::from(t)).sin()) {
///     let Some(mut x) = series.read(value) else { continue }; // the first value, or a broken sensor
///     INPUTS.apply(&mut x)?;
///     if window.is_full() {
///         window.pop_front();
///     }
///     let _ = window.push_back(x); // there is room
///     if !window.is_full() {
///         continue;
///     }
///     let (mut state, mut scratch, mut y) = (Flat::ZERO, Flat::ZERO, [0.0]);
///     for x in &window {
///         MODEL.step(x, &mut state, &mut y, &mut scratch)?;
///     }
///     OUTPUTS.invert(&mut y)?;
///     next = value + f64::from(y[0]);
/// }
/// let truth = 20.0 + 3.0 * 60_f64.sin();
/// assert!((next - truth).abs() < 0.1, "{next} {truth}");
/// # Ok::<(), recurve::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeriesInputs {
    window: NonZeroU32,
    /// Values that were read, until they are a window.
    seen: u32,
    last: f64,
    mean: f64,
}

impl SeriesInputs {
    /// Before the first value, for a forecaster that looks back on so many.
    #[must_use]
    pub const fn new(window: NonZeroU32) -> Self {
        Self { window, seen: 0, last: 0.0, mean: 0.0 }
    }

    /// The inputs x_t that a value s_t leads to, in the unit of the series. None of the first value, and of one that is NaN or
    /// infinite, which is passed over as if there were none.
    #[expect(clippy::cast_possible_truncation, reason = "the model reckons in f32")]
    pub fn read(&mut self, value: f64) -> Option<[f32; 2]> {
        if !value.is_finite() {
            return None;
        }
        let is_first = self.seen == 0;
        self.seen = self.window.get().min(self.seen.saturating_add(1));
        let change = value - self.last;
        self.last = value;
        self.mean += (value - self.mean) / f64::from(self.seen);
        if is_first { None } else { Some([change, value - self.mean].map(|x| x as f32)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: NonZeroU32 = NonZeroU32::new(3).unwrap();

    #[test]
    fn inputs_are_those_of_the_formula() {
        let mut inputs = SeriesInputs::new(WINDOW);
        assert_eq!(inputs.read(8.0), None);
        assert_eq!(inputs.read(12.0), Some([4.0, 2.0])); // m = 10
        assert_eq!(inputs.read(4.0), Some([-8.0, -4.0])); // m = 8
        assert_eq!(inputs.read(11.0), Some([7.0, 2.0])); // m = 8 + (11 − 8) / 3 = 9
    }

    #[test]
    fn what_is_not_finite_is_passed_over() {
        let (mut plain, mut broken) = (SeriesInputs::new(WINDOW), SeriesInputs::new(WINDOW));
        for value in [8.0, 12.0, 5.0, 7.0, 9.0] {
            for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                assert_eq!(broken.read(bad), None);
            }
            assert_eq!(broken.read(value), plain.read(value));
        }
    }
}

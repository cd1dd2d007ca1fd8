//! What a forecaster reads of a series of numbers, value by value: how each differs from the one before, and from a mean that
//! follows the series.
//!
//! ```text
//! m_0 = s_0,  m_t = m_{t−1} + (s_t − m_{t−1}) / window
//! x_t = (s_t − s_{t−1}, s_t − m_t)
//! ```
//!
//! The model says by how much the values to come differ from s_t. What trains it is `host::forecast`.

use core::num::NonZeroU32;

/// The inputs of a forecaster, from the values of a series as they come.
///
/// A forecast begins with a state of zeros and reads the inputs of the last `window` values, so a program keeps as many.
///
/// ```
/// use core::num::NonZeroU32;
/// use recurve::{Elman, Model, SeriesInputs, Standard, params::Flat};
///
/// const WINDOW: NonZeroU32 = NonZeroU32::new(4).unwrap();
/// type Network = Model<Elman<2, 3>, 3, 1>;               // forecasts one value
/// // Of a file of `recurve forecast`: by `include_model!` and `include_standard!`.
/// let model = Network::ZERO;
/// let inputs = Standard::<2> { mean: [0.5, 1.0], deviation: [2.0, 3.0] };
/// let outputs = Standard::<1> { mean: [0.5], deviation: [2.0] };
///
/// let mut series = SeriesInputs::new(WINDOW);
/// let mut window = heapless::Deque::<[f32; 2], { WINDOW.get() as usize }>::new();
/// for value in [20.0, 20.5, 21.5, 21.0, 22.5, 23.0] {
///     let Some(mut x) = series.read(value) else { continue }; // the first value has none before it
///     inputs.apply(&mut x)?;
///     if window.is_full() {
///         window.pop_front();
///     }
///     let _ = window.push_back(x); // there is room
///     if !window.is_full() {
///         continue;
///     }
///     let (mut state, mut scratch, mut y) = (Flat::ZERO, Flat::ZERO, [0.0]);
///     for x in &window {
///         model.step(x, &mut state, &mut y, &mut scratch)?;
///     }
///     outputs.invert(&mut y)?;
///     let next = value + f64::from(y[0]);
///     assert_eq!(next, value + 0.5); // this model knows but the mean
/// }
/// # Ok::<(), recurve::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeriesInputs {
    window: NonZeroU32,
    /// s_{t−1} and m_{t−1}
    before: Option<[f64; 2]>,
}

impl SeriesInputs {
    /// Before the first value, for a forecaster that looks back on so many.
    #[must_use]
    pub const fn new(window: NonZeroU32) -> Self {
        Self { window, before: None }
    }

    /// The inputs x_t that a value s_t leads to, in the unit of the series; none of the first.
    #[expect(clippy::cast_possible_truncation, reason = "the model reckons in f32")]
    pub fn read(&mut self, value: f64) -> Option<[f32; 2]> {
        let Some([last, mean]) = self.before else {
            self.before = Some([value; 2]);
            return None;
        };
        let mean = mean + (value - mean) / f64::from(self.window.get());
        self.before = Some([value, mean]);
        Some([value - last, value - mean].map(|x| x as f32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_those_of_the_formula() {
        let mut inputs = SeriesInputs::new(const { NonZeroU32::new(4).unwrap() });
        assert_eq!(inputs.read(8.0), None);
        assert_eq!(inputs.read(12.0), Some([4.0, 3.0])); // m = 9
        assert_eq!(inputs.read(5.0), Some([-7.0, -3.0])); // m = 8
    }
}

//! What a forecast is measured by, and forecasts that need no model.

use std::vec::Vec;

/// Root of the mean squared error, and mean absolute error, in the series' unit.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Errors {
    /// √(1/n Σ e²)
    pub rmse: f64,
    /// 1/n Σ |e|
    pub mae: f64,
}

impl Errors {
    /// The errors of forecasts of the values from index `from` on, over all points and all `horizon` steps: a row for each
    /// point, as [`Forecaster::backtest`](super::Forecaster::backtest) gives them. NaN of none.
    ///
    /// ```
    /// use recurve::host::forecast::{Errors, last_value};
    ///
    /// let series = [1.0, 2.0, 4.0];
    /// let errors = Errors::of(&series, 1, 1, &last_value(&series, 1, 1)); // 1 and 2 instead of 2 and 4
    /// assert_eq!((errors.rmse, errors.mae), (2.5_f64.sqrt(), 1.5));
    /// ```
    #[must_use]
    pub fn of(series: &[f64], from: usize, horizon: usize, forecasts: &[f64]) -> Self {
        let truth = (from..series.len()).flat_map(|first| series[first..].iter().take(horizon));
        Self::between(forecasts.iter(), truth)
    }

    /// The errors of each step of the horizon by itself: of the next value, of the one after it, and so on.
    ///
    /// ```
    /// use recurve::host::forecast::{Errors, last_value};
    ///
    /// let series = [1.0, 2.0, 4.0];
    /// let steps = Errors::by_step(&series, 1, 2, &last_value(&series, 1, 2)); // 1 and 1 instead of 2 and 4
    /// assert_eq!([steps[0].rmse, steps[1].rmse], [1.0, 3.0]);
    /// ```
    #[must_use]
    pub fn by_step(series: &[f64], from: usize, horizon: usize, forecasts: &[f64]) -> Vec<Self> {
        let of_step = |step: usize| {
            let forecasts = forecasts.iter().skip(step).step_by(horizon);
            Self::between(forecasts, series.iter().skip(from.saturating_add(step)))
        };
        (0..horizon).map(of_step).collect()
    }

    /// The errors of forecasts of these values.
    pub(super) fn between<'a>(
        forecasts: impl Iterator<Item = &'a f64>,
        truth: impl Iterator<Item = &'a f64>,
    ) -> Self {
        let errors: Vec<f64> = forecasts.zip(truth).map(|(f, s)| f - s).collect();
        let n = errors.len() as f64;
        Self {
            rmse: (errors.iter().map(|e| e * e).sum::<f64>() / n).sqrt(),
            mae: errors.iter().map(|e| e.abs()).sum::<f64>() / n,
        }
    }
}

/// Each value is expected to be as the last one known: rows as of [`Forecaster::backtest`](super::Forecaster::backtest).
#[must_use]
pub fn last_value(series: &[f64], from: usize, horizon: usize) -> Vec<f64> {
    seasonal(series, from, horizon, 1)
}

/// Each value is expected to be as a season before it; the last season known is repeated for longer horizons.
#[must_use]
pub fn seasonal(series: &[f64], from: usize, horizon: usize, season: usize) -> Vec<f64> {
    let origins = from..(series.len() + 1).saturating_sub(horizon);
    let season = season.max(1);
    let before = |n: usize| (0..horizon).map(move |k| n + k % season).map(move |t| t.checked_sub(season));
    origins.flat_map(before).map(|t| t.and_then(|t| series.get(t)).copied().unwrap_or(f64::NAN)).collect()
}

//! How a forecaster is made and trained, and what a series must have for it.

use core::num::NonZeroU32;
use std::format;

use super::check_series;
use crate::cell::{CellKind, Dropout};
use crate::host::HostError;
use crate::lanes::LaneKind;
use crate::optim::Schedule;

/// Forecasts whose errors say at least something of weights.
const FEWEST: usize = 8;

/// How a forecaster is made and trained.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ForecastSettings {
    /// The cell.
    pub cell: CellKind,
    /// Cells on top of each other.
    pub layers: usize,
    /// Hidden units of each.
    pub hidden: usize,
    /// Values that a forecast looks back on.
    pub window: usize,
    /// Values that are forecast.
    pub horizon: usize,
    /// Windows that are trained side by side.
    pub batch: usize,
    /// Passes over the series.
    pub epochs: u64,
    /// Share of the series, at its end, that is not trained on, from 0 to below 1: after each epoch it is forecast, and the
    /// weights with the least RMSE, or with Huber's loss the least MAE, are kept. Where fewer than eight forecasts of it could be
    /// compared, or it leaves too little to train on, all is trained on, and the last weights are kept.
    pub validation: f64,
    /// Adam's learning rate at its highest.
    pub lr: f32,
    /// What becomes of it.
    pub schedule: Schedule,
    /// What is dropped of the cell's inputs and outputs; each step has masks of its own.
    pub dropout: Dropout,
    /// The largest norm of the gradient; infinity for any.
    pub clip: f32,
    /// δ of Huber's loss, in standard deviations, for series with outliers; the squared error if there is none.
    pub huber: Option<f32>,
    /// Of the initial weights, of the order and of masks.
    pub seed: u64,
    /// The vector registers to run on.
    pub lanes: LaneKind,
}

impl Default for ForecastSettings {
    /// A GRU of 32 units that looks back on 32 values and forecasts the next one. The learning rate falls to zero by half a
    /// cosine, nothing is dropped, and weights are compared on the last fifth.
    fn default() -> Self {
        Self {
            cell: CellKind::Gru,
            layers: 1,
            hidden: 32,
            window: 32,
            horizon: 1,
            batch: 16,
            epochs: 100,
            validation: 0.2,
            lr: 0.01,
            schedule: Schedule::Cosine { warm_up: 0.0, floor: 0.0 },
            dropout: Dropout::NONE,
            clip: 1.0,
            huber: None,
            seed: 0,
            lanes: LaneKind::best(),
        }
    }
}

impl ForecastSettings {
    /// Values that there must be at least to train on.
    #[must_use]
    pub const fn needed(&self) -> usize {
        self.window.saturating_add(self.horizon).saturating_add(1)
    }

    /// How many of so many values are trained on; the others are for comparison.
    ///
    /// ```
    /// use recurve::host::forecast::ForecastSettings;
    ///
    /// let settings = ForecastSettings::default();
    /// assert_eq!(settings.trained_on(100), 80);
    /// assert_eq!(settings.trained_on(35), 35); // too few
    /// ```
    #[must_use]
    pub fn trained_on(&self, values: usize) -> usize {
        let compared = (values as f64 * self.validation) as usize;
        let (trained, needed) = (values.saturating_sub(compared), self.horizon.saturating_add(FEWEST - 1));
        if compared >= needed && trained >= self.needed() { trained } else { values }
    }

    /// The window, as [`check`](Self::check) lets it pass.
    pub(super) fn looks_back(&self) -> NonZeroU32 {
        u32::try_from(self.window).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MAX)
    }

    pub(super) fn check(&self, series: &[f64]) -> Result<(), HostError> {
        let values = series.len();
        let sizes = [self.hidden, self.window, self.horizon, self.batch];
        if u32::try_from(self.window).is_err() {
            return Err(HostError::Setting("the window must be below 4,294,967,296 values".into()));
        }
        if sizes.contains(&0) {
            let what = "hidden units, window, horizon and batch must be at least 1";
            return Err(HostError::Setting(what.into()));
        }
        if !(0.0..1.0).contains(&self.validation) {
            return Err(HostError::Setting("the share for validation must be from 0 to below 1".into()));
        }
        if values < self.needed() {
            let (needed, window, horizon) = (self.needed(), self.window, self.horizon);
            return Err(HostError::Setting(format!(
                "the series has {values} values to train on, and a window of {window} with a horizon of {horizon} needs \
                 {needed}: give more, or a smaller window or horizon"
            )));
        }
        check_series(series)
    }
}

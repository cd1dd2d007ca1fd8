//! Windows of a series, and batches of them in an order drawn by chance.

use std::vec::Vec;

use rand_core::Rng;

use super::{ForecastSettings, Forecaster, INPUTS, features};
use crate::host::HostError;

/// By how much the values after t differ from it.
#[expect(clippy::cast_possible_truncation, reason = "the model reckons in f32")]
pub(super) fn targets(series: &[f64], t: usize, horizon: usize) -> impl Iterator<Item = f32> {
    series[t + 1..=t + horizon].iter().map(move |s| (s - series[t]) as f32)
}

/// Inputs and targets of all steps of a series, normalised, and where windows may begin.
pub(super) struct Windows {
    settings: ForecastSettings,
    /// Of the value 1 and of those after it that have a whole horizon.
    x: Vec<f32>,
    y: Vec<f32>,
    starts: Vec<usize>,
}

/// Some windows side by side, time-major.
pub(super) struct Batch {
    pub(super) size: usize,
    pub(super) x: Vec<f32>,
    pub(super) y: Vec<f32>,
}

impl Windows {
    pub(super) fn new(
        series: &[f64],
        forecaster: &Forecaster,
        settings: ForecastSettings,
    ) -> Result<Self, HostError> {
        let steps = 1..series.len() - settings.horizon;
        let features = features(series, settings.looks_back());
        let mut x = features[..steps.len()].as_flattened().to_vec();
        let mut y: Vec<f32> = steps.flat_map(|t| targets(series, t, settings.horizon)).collect();
        forecaster.inputs.view().apply(&mut x)?;
        forecaster.outputs.view().apply(&mut y)?;
        Ok(Self { settings, x, y, starts: Vec::new() })
    }

    /// From one window to the next.
    fn stride(&self) -> usize {
        (self.settings.window / 4).max(1)
    }

    /// Where a window may begin.
    fn places(&self) -> usize {
        self.x.len() / INPUTS - self.settings.window + 1
    }

    /// Windows of an epoch, wherever it begins.
    pub(super) fn count(&self) -> usize {
        self.places().div_ceil(self.stride())
    }

    pub(super) fn steps_per_epoch(&self) -> usize {
        self.count().div_ceil(self.settings.batch)
    }

    /// The batches of an epoch, from a beginning and in an order that are drawn.
    pub(super) fn shuffle<R: Rng>(&mut self, rng: &mut R) -> impl Iterator<Item = Batch> {
        let (stride, count, places) = (self.stride(), self.count(), self.places());
        let first = below(rng, stride);
        self.starts.clear();
        self.starts.extend((0..count).map(|i| (first + i * stride) % places));
        for i in (1..count).rev() {
            self.starts.swap(i, below(rng, i + 1));
        }
        self.starts.chunks(self.settings.batch).map(|starts| self.batch(starts))
    }

    fn batch(&self, starts: &[usize]) -> Batch {
        let ForecastSettings { window, horizon, .. } = self.settings;
        let rows = || (0..window).flat_map(|t| starts.iter().map(move |start| start + t));
        Batch {
            size: starts.len(),
            x: rows().flat_map(|row| &self.x[row * INPUTS..][..INPUTS]).copied().collect(),
            y: rows().flat_map(|row| &self.y[row * horizon..][..horizon]).copied().collect(),
        }
    }
}

/// A number from 0 to below `limit`.
fn below<R: Rng>(rng: &mut R, limit: usize) -> usize {
    (rng.next_u64() % limit as u64) as usize
}

//! The weights that forecast best what they were not trained on.

use std::vec::Vec;

use super::{BATCH, Errors, Forecaster, INPUTS, features};
use crate::error::Error;
use crate::host::{Buffer, HostError};

/// A series whose end is compared with forecasts, and the weights that came closest.
pub(super) struct Best<'a> {
    series: &'a [f64],
    features: Vec<[f32; INPUTS]>,
    origins: Vec<usize>,
    error: f64,
    params: Buffer,
}

impl<'a> Best<'a> {
    /// The values from index `from` on are those to compare with, if there are any: from as many points as an epoch has windows
    /// to train on, each of which takes three times as long, or from a batch of points if that is more.
    pub(super) fn new(
        series: &'a [f64],
        forecaster: &Forecaster,
        from: usize,
        windows: usize,
    ) -> Result<Self, HostError> {
        let mut best = Self {
            series,
            features: Vec::new(),
            origins: Vec::new(),
            error: f64::INFINITY,
            params: Buffer::default(),
        };
        if from < series.len() {
            let points = from..series.len() + 1 - forecaster.horizon();
            let stride = points.len().div_ceil(windows.max(BATCH));
            best.origins = points.step_by(stride).collect();
            best.features = features(series, forecaster.settings.looks_back());
            best.params = Buffer::zeroed(forecaster.params.len())?;
        }
        Ok(best)
    }

    /// The errors of a forecaster as it is now, and whether they are the smallest so far; nothing and always, if there is
    /// nothing to compare with. Forecasts that are not finite are never the best.
    pub(super) fn offer(&mut self, forecaster: &Forecaster) -> Result<(Option<Errors>, bool), HostError> {
        if self.origins.is_empty() {
            return Ok((None, true));
        }
        let forecasts = match forecaster.forecasts(self.series, &self.features, &self.origins) {
            Err(HostError::Model(Error::NotFinite(_))) => return Ok((None, false)),
            forecasts => forecasts?,
        };
        let truth = self.origins.iter().flat_map(|&n| &self.series[n..n + forecaster.horizon()]);
        let errors = Errors::between(forecasts.iter(), truth);
        // Squares of outliers would decide alone.
        let error = if forecaster.settings.huber.is_some() { errors.mae } else { errors.rmse };
        let is_best = error < self.error;
        if is_best {
            self.error = error;
            self.params.copy_from_slice(&forecaster.params);
        }
        Ok((Some(errors), is_best))
    }

    /// Gives a forecaster the weights that did best, if any were compared.
    pub(super) fn restore(self, forecaster: &mut Forecaster) {
        if self.error < f64::INFINITY {
            forecaster.params = self.params;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;
    use crate::host::forecast::ForecastSettings;

    #[test]
    fn no_more_is_forecast_than_an_epoch_trains_on() {
        let series = vec![0.0; 1000];
        let settings = ForecastSettings { hidden: 1, horizon: 3, ..ForecastSettings::default() };
        let forecaster = Forecaster::new(&series, settings).unwrap();
        for (from, windows, count) in [(900, 10, 49), (900, 98, 98), (980, 5, 18), (997, 5, 1), (1000, 5, 0)]
        {
            let best = Best::new(&series, &forecaster, from, windows).unwrap();
            assert_eq!(best.origins.len(), count, "from {from} on, with {windows} windows");
            assert!(best.origins.iter().all(|&n| n >= from && n + 3 <= 1000));
        }
    }
}

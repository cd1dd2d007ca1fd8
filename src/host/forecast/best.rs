//! The weights that forecast best what they were not trained on.

use super::{Errors, Forecaster};
use crate::host::{Buffer, HostError};

/// A series whose end is compared with forecasts, and the weights that came closest.
pub(super) struct Best<'a> {
    series: &'a [f64],
    from: usize,
    error: f64,
    params: Option<Buffer>,
}

impl<'a> Best<'a> {
    /// The values from index `from` on are those to compare with, if there are any.
    pub(super) const fn new(series: &'a [f64], from: usize) -> Self {
        Self { series, from, error: f64::INFINITY, params: None }
    }

    /// The errors of a forecaster as it is now, and whether they are the smallest so far; nothing and always, if there is
    /// nothing to compare with.
    pub(super) fn offer(&mut self, forecaster: &Forecaster) -> Result<(Option<Errors>, bool), HostError> {
        let Self { series, from, .. } = *self;
        if from >= series.len() {
            return Ok((None, true));
        }
        let errors = Errors::of(series, from, forecaster.horizon(), &forecaster.backtest(series, from)?);
        // Squares of outliers would decide alone.
        let error = if forecaster.settings.huber.is_some() { errors.mae } else { errors.rmse };
        let is_best = error < self.error;
        if is_best {
            self.error = error;
            self.params = Some(forecaster.params.clone());
        }
        Ok((Some(errors), is_best))
    }

    /// Gives a forecaster the weights that did best, if any were compared.
    pub(super) fn restore(self, forecaster: &mut Forecaster) {
        if let Some(params) = self.params {
            forecaster.params = params;
        }
    }
}

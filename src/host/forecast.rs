//! Forecasts of a series of numbers, and the naive ones that they have to beat.
//!
//! The model reads how each value differs from the one before and from a mean that follows the series, and says by how
//! much the values to come differ from the last one, so that a trend does not lead beyond what it was trained on:
//!
//! ```text
//! m_0 = s_0,  m_t = m_{t−1} + (s_t − m_{t−1}) / min(t + 1, window)
//! x_t = (s_t − s_{t−1}, s_t − m_t)        y_{t,k} = s_{t+k} − s_t for k = 1 … horizon
//! ```
//!
//! Both are normalised by the training part; the model file keeps means and deviations. Windows of the training part,
//! a quarter of a window apart, are read from a zero state in an order drawn anew for each epoch, and every step of them
//! has a target. A forecast reads one window, too.
//!
//! A small series is soon known by heart, so its last fifth is not trained on: the weights are kept that forecast it best,
//! from as many points as an epoch has windows, or from 64 if those are more.

mod best;
mod file;
mod naive;
mod settings;
mod windows;

use core::num::NonZeroU32;
use std::{format, vec::Vec};

use rand_core::SeedableRng;
use rand_pcg::Pcg32;

use best::Best;
pub use naive::{Errors, last_value, seasonal};
pub use settings::ForecastSettings;
use windows::Windows;

use super::{Buffer, HostError, channels::Channels, settings::masks};
use crate::cell::{ActivationKind, AnyCell, Extent, Inputs};
use crate::crew::Alone;
use crate::error::{Error, Quantity};
use crate::init::Init;
use crate::lanes::on_lanes;
use crate::loss::Targets;
use crate::memory::{TrainingMemory, bytes};
use crate::model::ModelShape;
use crate::optim::{Adam, Optimizer, clip_norm_on};
use crate::series::SeriesInputs;
use crate::trained::Trained;

/// What a series may have values of, above and below zero: the squares of differences between larger ones are beyond `f32`.
pub const LIMIT: f64 = 1e18;

/// Sequences side by side where forecasts are made.
const BATCH: usize = 64;

/// Channels that the model reads.
const INPUTS: usize = 2;

/// What an epoch of training came to.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Epoch {
    /// From 1.
    pub number: u64,
    /// The mean loss of what was trained on.
    pub loss: f32,
    /// The errors of forecasts of what was not, if there is anything, and the forecasts are finite.
    pub errors: Option<Errors>,
    /// Whether its weights are those to keep, so far.
    pub is_best: bool,
}

/// A trained forecaster.
///
/// ```
/// use recurve::host::forecast::{Errors, ForecastSettings, Forecaster, last_value};
///
/// let series: Vec<f64> = (0..400).map(|t| (f64::from(t) * 0.3).sin()).collect();
/// let mut settings = ForecastSettings::default();
/// (settings.hidden, settings.window, settings.epochs) = (8, 12, 20);
/// let forecaster = Forecaster::train(&series[..300], settings, |_| {})?;
///
/// let naive = Errors::of(&series, 300, 1, &last_value(&series, 300, 1));
/// let errors = Errors::of(&series, 300, 1, &forecaster.backtest(&series, 300)?);
/// assert!(errors.rmse < 0.5 * naive.rmse);
/// # Ok::<(), recurve::host::HostError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Forecaster {
    shape: ModelShape<AnyCell>,
    settings: ForecastSettings,
    params: Buffer,
    inputs: Channels,
    outputs: Channels,
}

/// x_1, x_2, … of a series.
fn features(series: &[f64], window: NonZeroU32) -> Vec<[f32; INPUTS]> {
    let mut inputs = SeriesInputs::new(window);
    series.iter().filter_map(|&value| inputs.read(value)).collect()
}

/// Refuses a series with a value that is not finite, or beyond [`LIMIT`].
fn check_series(series: &[f64]) -> Result<(), HostError> {
    let is_fit = series.iter().all(|value| value.abs() <= LIMIT);
    if is_fit { Ok(()) } else { Err(Error::NotFinite(Quantity::Input).into()) }
}

fn check_finite(numbers: &[f32], what: Quantity) -> Result<(), Error> {
    if numbers.iter().all(|x| x.is_finite()) { Ok(()) } else { Err(Error::NotFinite(what)) }
}

impl Forecaster {
    /// Trains on a series. After each epoch, `report` learns what it came to.
    ///
    /// # Errors
    /// [`HostError::Setting`] for sizes of zero or a window beyond `u32`, a share for validation out of its range, or a series that
    /// is too short; [`HostError::Memory`] if there is not enough; [`HostError::Model`] if a value is not finite or beyond [`LIMIT`],
    /// or if a loss or a gradient is not finite.
    pub fn train(
        series: &[f64],
        settings: ForecastSettings,
        report: impl FnMut(Epoch),
    ) -> Result<Self, HostError> {
        Self::train_until(series, settings, |done| done, report)
    }

    /// The same, but where it ends is for `done` to say, which is asked before each step: it is given the share of all steps
    /// that was taken, and answers with the share of the run that is over, which the learning rate follows. At 1 the training
    /// ends, and what began of an epoch counts only if there was none before it to compare.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use recurve::host::forecast::{ForecastSettings, Forecaster};
    ///
    /// let series: Vec<f64> = (0..400).map(|t| (f64::from(t) * 0.3).sin()).collect();
    /// let (begun, second) = (Instant::now(), Duration::from_secs(1));
    /// let time = |done: f32| done.max(begun.elapsed().div_duration_f32(second));
    /// let forecaster = Forecaster::train_until(&series, ForecastSettings::default(), time, |_| {})?;
    /// assert_eq!(forecaster.forecast(&series)?.len(), 1);
    /// # Ok::<(), recurve::host::HostError>(())
    /// ```
    ///
    /// # Errors
    /// As for [`train`](Self::train).
    pub fn train_until(
        series: &[f64],
        settings: ForecastSettings,
        mut done: impl FnMut(f32) -> f32,
        mut report: impl FnMut(Epoch),
    ) -> Result<Self, HostError> {
        settings.check(series)?;
        let trained = &series[..settings.trained_on(series.len())];
        let mut rng = Pcg32::seed_from_u64(settings.seed);
        let mut forecaster = Self::new(trained, settings)?;
        forecaster.shape.init(&mut forecaster.params, Init::VECTORS, &mut rng)?;
        let mut windows = Windows::new(trained, &forecaster, settings)?;
        let mut training = Training::new(&forecaster)?;
        let mut best = Best::new(series, &forecaster, trained.len(), windows.count())?;
        let steps = (windows.steps_per_epoch() as u64).saturating_mul(settings.epochs);
        'run: for number in 1..=settings.epochs {
            let (mut total, mut count) = (0.0, 0.0);
            for batch in windows.shuffle(&mut rng) {
                let done = done(training.step as f32 / steps as f32);
                if done >= 1.0 {
                    break 'run;
                }
                total += forecaster.learn(&mut training, &batch, done)? * batch.size as f32;
                count += batch.size as f32;
            }
            let (errors, is_best) = best.offer(&forecaster)?;
            report(Epoch { number, loss: total / count, errors, is_best });
        }
        best.restore(&mut forecaster);
        Ok(forecaster)
    }

    /// With all weights zero, and what the series says of means and deviations.
    fn new(series: &[f64], settings: ForecastSettings) -> Result<Self, HostError> {
        let ForecastSettings { cell, layers, hidden, horizon, .. } = settings;
        let cells = AnyCell::deep(cell, ActivationKind::Tanh, INPUTS, hidden, layers);
        let cell = cells.map_err(|error| HostError::Setting(format!("{error}")))?;
        let shape = ModelShape { cell, outputs: horizon };
        super::buffer::check_available(shape.params_len().saturating_mul(4 * size_of::<f32>()))?;
        let last = series.len() - horizon;
        let inputs = features(series, settings.looks_back());
        let targets: Vec<f32> = (0..last).flat_map(|t| windows::targets(series, t, horizon)).collect();
        Ok(Self {
            shape,
            settings,
            params: Buffer::zeroed(shape.params_len())?,
            inputs: Channels::of(inputs.as_flattened(), INPUTS)?,
            outputs: Channels::of(&targets, horizon)?,
        })
    }

    /// One step of training, where this share of the run is over; its mean loss.
    fn learn(
        &mut self,
        training: &mut Training,
        batch: &windows::Batch,
        done: f32,
    ) -> Result<f32, HostError> {
        let Training { state, tape, scratch, grads, moments, step } = training;
        let ForecastSettings { lanes, lr, schedule, dropout, clip, huber, seed, .. } = self.settings;
        let targets = match huber {
            Some(delta) => Targets::Huber { y: &batch.y, delta },
            None => Targets::Vectors(&batch.y),
        };
        let state = &mut state[..self.shape.state_len(batch.size)];
        state.fill(0.0);
        let x = Inputs::Vectors(&batch.x);
        let shape = self.shape.with_dropout(masks(dropout, seed, *step), x);
        let loss = on_lanes!(lanes, lanes => {
            let trained = Trained::ALL;
            shape.new_gradient_of(trained, &Alone, lanes, &self.params, x, targets, state, tape, scratch, grads)
        })?;
        clip_norm_on(lanes, grads, clip)?;
        let lr = lr * schedule.factor(done);
        Adam::new(lr).step_on(lanes, &mut self.params, grads, moments)?;
        *step += 1;
        Ok(loss)
    }

    /// Forecasts from every point of `series` that has `horizon` values after it, all of them from index `from` on: row i,
    /// `horizon` long, is what was expected of the values from `from + i` on.
    ///
    /// # Errors
    /// [`HostError::Setting`] unless a window of values, and one more, comes before; [`HostError::Model`] for values that are not
    /// finite or beyond [`LIMIT`], or so far from those that were trained on that a forecast is not.
    pub fn backtest(&self, series: &[f64], from: usize) -> Result<Vec<f64>, HostError> {
        let horizon = self.settings.horizon;
        let origins: Vec<usize> = (from..(series.len() + 1).saturating_sub(horizon)).collect();
        check_series(series)?;
        self.forecasts(series, &features(series, self.settings.looks_back()), &origins)
    }

    /// The values that follow a series, `horizon` of them.
    ///
    /// # Errors
    /// As for [`backtest`](Self::backtest).
    pub fn forecast(&self, series: &[f64]) -> Result<Vec<f64>, HostError> {
        check_series(series)?;
        self.forecasts(series, &features(series, self.settings.looks_back()), &[series.len()])
    }

    /// What follows the first `n` values of a series with these features, for each n of `origins`.
    fn forecasts(
        &self,
        series: &[f64],
        features: &[[f32; INPUTS]],
        origins: &[usize],
    ) -> Result<Vec<f64>, HostError> {
        let mut forecasts = Vec::with_capacity(origins.len() * self.settings.horizon);
        for origins in origins.chunks(BATCH) {
            forecasts.extend(self.side_by_side(series, features, origins)?);
        }
        Ok(forecasts)
    }

    /// The same for a batch.
    fn side_by_side(
        &self,
        series: &[f64],
        features: &[[f32; INPUTS]],
        origins: &[usize],
    ) -> Result<Vec<f64>, HostError> {
        let ForecastSettings { window, horizon, lanes, .. } = self.settings;
        if origins.iter().any(|&n| n <= window || n > series.len()) {
            let needed = window.saturating_add(1);
            let what = format!("a forecast needs {needed} values before it: give more, or a smaller window");
            return Err(HostError::Setting(what));
        }
        let (shape, batch) = (self.shape, origins.len());
        let mut state = Buffer::zeroed(shape.state_len(batch))?;
        let mut scratch = Buffer::zeroed(shape.step_scratch_len(batch))?;
        let mut y = Buffer::zeroed(batch.saturating_mul(horizon))?;
        for step in 0..window {
            // The feature at t − 1 belongs to value t.
            let mut x: Vec<f32> = origins.iter().flat_map(|n| features[n - window + step - 1]).collect();
            self.inputs.view().apply(&mut x)?;
            check_finite(&x, Quantity::Input)?;
            let x = Inputs::Vectors(&x);
            shape.step_on(lanes, &self.params, x, &mut state, &mut y, &mut scratch)?;
        }
        self.outputs.view().invert(&mut y)?;
        check_finite(&y, Quantity::Logit)?;
        let after = y.chunks(horizon).zip(origins);
        Ok(after.flat_map(|(y, &n)| y.iter().map(move |&y| series[n - 1] + f64::from(y))).collect())
    }

    /// The sizes.
    #[must_use]
    pub const fn shape(&self) -> ModelShape<AnyCell> {
        self.shape
    }

    /// All weights, flat.
    #[must_use]
    pub fn params(&self) -> &[f32] {
        &self.params
    }

    /// Values that a forecast looks back on.
    #[must_use]
    pub const fn window(&self) -> usize {
        self.settings.window
    }

    /// Values that are forecast.
    #[must_use]
    pub const fn horizon(&self) -> usize {
        self.settings.horizon
    }
}

/// What training works in.
struct Training {
    state: Buffer,
    tape: Buffer,
    scratch: Buffer,
    grads: Buffer,
    moments: Buffer,
    step: u64,
}

impl Training {
    fn new(forecaster: &Forecaster) -> Result<Self, HostError> {
        let ForecastSettings { batch, window, dropout, .. } = forecaster.settings;
        let shape = forecaster.shape.with_dropout(dropout, Inputs::Vectors(&[]));
        let (params, extent) = (shape.params_len(), Extent { batch, window });
        let moments = Adam::new(0.0).state_len(params);
        let scratch = shape.scratch_len(extent).saturating_add(shape.pack_len(1));
        let memory = TrainingMemory { scratch: bytes(scratch), ..shape.training_memory(extent, moments) };
        // And the weights that did best.
        super::buffer::check_available(memory.total().saturating_add(memory.weights))?;
        Ok(Self {
            state: Buffer::zeroed(shape.state_len(batch))?,
            tape: Buffer::zeroed(shape.tape_len(extent))?,
            scratch: Buffer::zeroed(scratch)?,
            grads: Buffer::zeroed(params)?,
            moments: Buffer::zeroed(moments)?,
            step: 0,
        })
    }
}

#[cfg(test)]
mod tests;

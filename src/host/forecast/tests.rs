//! Forecasts of series that can be forecast, of those that cannot, and what is refused.

use std::vec;

use super::*;
use crate::cell::Dropout;
use crate::error::{Error, Quantity};
use crate::format::ModelFile;
use crate::init::normal;
use crate::lanes::LaneKind;
use crate::optim::Schedule;

/// `deviation` times noise.
fn noise(count: usize, deviation: f32) -> Vec<f64> {
    let mut noise = vec![0.0; count];
    normal(&mut noise, deviation, &mut Pcg32::seed_from_u64(9));
    noise.into_iter().map(f64::from).collect()
}

fn small(window: usize, horizon: usize, epochs: u64) -> ForecastSettings {
    ForecastSettings { window, horizon, epochs, hidden: 8, lr: 0.02, ..ForecastSettings::default() }
}

/// Errors on the last quarter: of the model, of the last value and of the season.
fn errors(series: &[f64], settings: ForecastSettings, season: usize) -> [Errors; 3] {
    let (from, horizon) = (series.len() * 3 / 4, settings.horizon);
    let model = Forecaster::train(&series[..from], settings, |_| {}).unwrap();
    let of = |forecasts: &[f64]| Errors::of(series, from, horizon, forecasts);
    [
        of(&model.backtest(series, from).unwrap()),
        of(&last_value(series, from, horizon)),
        of(&seasonal(series, from, horizon, season)),
    ]
}

#[test]
fn a_noisy_sine_is_forecast_better_than_naively() {
    let noise = noise(800, 0.2);
    let series: Vec<f64> = noise
        .iter()
        .enumerate()
        .map(|(t, e)| 20.0 + (t as f64 * core::f64::consts::TAU / 24.0).sin() + e)
        .collect();
    let [model, last, season] = errors(&series, ForecastSettings { hidden: 16, ..small(24, 3, 30) }, 24);
    assert!(model.rmse < 0.7 * last.rmse && model.rmse < season.rmse, "{model:?} {last:?} {season:?}");
    assert!(model.mae < 0.7 * last.mae && model.mae < season.mae, "{model:?} {last:?} {season:?}");
}

#[test]
fn trend_and_season_are_forecast_beyond_what_was_seen() {
    let noise = noise(480, 0.2);
    let value = |(t, e): (usize, &f64)| 1e6 + 0.1 * t as f64 + [0.0, 3.0, 5.0, 2.0, -4.0, -6.0][t % 6] + e;
    let series: Vec<f64> = noise.iter().enumerate().map(value).collect();
    let [model, last, season] = errors(&series, small(12, 2, 30), 6);
    assert!(model.rmse < 0.3 * last.rmse && model.rmse < 0.9 * season.rmse, "{model:?} {last:?} {season:?}");
}

#[test]
fn a_random_walk_is_not_forecast_much_worse_than_by_its_last_value() {
    let series: Vec<f64> =
        noise(400, 1.0).iter().scan(0.0, |s, e| Some(core::mem::replace(s, *s + e))).collect();
    let [model, last, _] = errors(&series, small(8, 1, 5), 2);
    assert!(model.rmse < 1.15 * last.rmse, "{model:?} {last:?}");
}

/// A series of which nothing is to be known but that each value is drawn to the mean: s_t = s_{t−1} / 2 + noise.
fn drawn_to_the_mean(count: usize) -> Vec<f64> {
    noise(count, 1.0).iter().scan(0.0, |s, e| Some(core::mem::replace(s, *s / 2.0 + e))).collect()
}

#[test]
fn what_is_known_by_heart_is_not_kept() {
    let series = drawn_to_the_mean(300);
    let settings = ForecastSettings { hidden: 24, ..small(8, 1, 120) };
    let [best, last_value, _] = errors(&series, settings, 2);
    let [last, ..] = errors(&series, ForecastSettings { validation: 0.0, ..settings }, 2);
    assert!(best.rmse < 0.9 * last_value.rmse, "{best:?} {last_value:?}");
    assert!(best.rmse < 0.85 * last.rmse, "{best:?} {last:?}");
}

#[test]
fn the_weights_are_those_of_the_best_epoch() {
    let series = drawn_to_the_mean(120);
    let settings = small(6, 2, 30);
    let mut epochs = Vec::new();
    let forecaster = Forecaster::train(&series, settings, |epoch| epochs.push(epoch)).unwrap();
    let least = epochs.iter().filter_map(|epoch| Some(epoch.errors?.rmse)).fold(f64::INFINITY, f64::min);
    let of =
        |forecaster: &Forecaster| Errors::of(&series, 96, 2, &forecaster.backtest(&series, 96).unwrap()).rmse;
    assert_eq!(of(&forecaster).to_bits(), least.to_bits());
    let best = epochs.iter().rfind(|epoch| epoch.is_best).unwrap();
    assert!(best.errors.unwrap().rmse == least && (1..30).contains(&best.number), "{best:?}");

    // What has begun of another epoch does not count.
    let (reported, mut steps) = (core::cell::Cell::new(0), 0);
    let ended = |done: f32| {
        steps += u64::from(reported.get() == best.number);
        if steps > 2 { 1.0 } else { done }
    };
    let ended =
        Forecaster::train_until(&series, settings, ended, |epoch| reported.set(epoch.number)).unwrap();
    assert_eq!((ended.params(), reported.get()), (forecaster.params(), best.number));
}

#[test]
fn weights_that_forecast_no_numbers_are_not_the_best() {
    let mut series: Vec<f64> = drawn_to_the_mean(60).iter().map(|s| s * 1e-22).collect();
    series[50..].iter_mut().zip([9e17, -9e17].into_iter().cycle()).for_each(|(s, far)| *s = far);
    let mut epochs = Vec::new();
    Forecaster::train(&series, small(4, 1, 2), |epoch| epochs.push(epoch)).unwrap();
    assert!(epochs.iter().all(|epoch| epoch.errors.is_none() && !epoch.is_best), "{epochs:?}");
}

/// What a firmware does: inputs of the last window, a state of zeros, a step for each.
#[test]
fn inputs_that_come_one_by_one_make_the_same_forecast() {
    let series = drawn_to_the_mean(90);
    let forecaster = Forecaster::train(&series, small(6, 2, 3), |_| {}).unwrap();
    let (shape, file) = (forecaster.shape(), forecaster.file());
    let mut inputs = SeriesInputs::new(file.window.unwrap());
    let mut read: Vec<[f32; 2]> = series.iter().filter_map(|&value| inputs.read(value)).collect();
    let window = read.split_off(read.len() - forecaster.window());
    let [mut state, mut y, mut scratch] =
        [shape.state_len(1), 2, shape.step_scratch_len(1)].map(|len| vec![0.0; len]);
    for mut x in window {
        file.normalization.inputs.unwrap().apply(&mut x).unwrap();
        let (x, params) = (Inputs::Vectors(&x), forecaster.params());
        shape.step_on(LaneKind::best(), params, x, &mut state, &mut y, &mut scratch).unwrap();
    }
    file.normalization.outputs.unwrap().invert(&mut y).unwrap();
    let next: Vec<f64> = y.iter().map(|&y| series[89] + f64::from(y)).collect();
    assert_eq!(next, forecaster.forecast(&series).unwrap());
}

#[test]
fn with_huber_s_loss_the_best_epoch_has_the_least_absolute_error() {
    let mut series = drawn_to_the_mean(120);
    series[110] += 50.0;
    let mut epochs = Vec::new();
    let settings = ForecastSettings { huber: Some(0.5), ..small(6, 1, 30) };
    Forecaster::train(&series, settings, |epoch| epochs.push(epoch)).unwrap();
    let least = |error: fn(Errors) -> f64| {
        let by = |a: &&Epoch, b: &&Epoch| error(a.errors.unwrap()).total_cmp(&error(b.errors.unwrap()));
        epochs.iter().min_by(by).unwrap().number
    };
    let best = epochs.iter().rfind(|epoch| epoch.is_best).unwrap().number;
    assert_eq!(best, least(|errors| errors.mae));
    assert_ne!(best, least(|errors| errors.rmse));
}

#[test]
fn a_share_that_is_too_small_is_trained_on() {
    let series = drawn_to_the_mean(40);
    let none = |settings| {
        let mut none = true;
        let report = |epoch: Epoch| none &= epoch.errors.is_none() && epoch.is_best;
        let forecaster = Forecaster::train(&series, settings, report).unwrap();
        (none, forecaster.params().to_vec())
    };
    let all = ForecastSettings { validation: 0.0, ..small(6, 3, 2) };
    assert_eq!(none(ForecastSettings { validation: 0.24, ..all }), none(all)); // 9 values, 7 forecasts of 3
    assert_eq!(none(ForecastSettings { validation: 0.9, ..all }), none(all)); // 4 values to train on
    assert!(none(all).0 && !none(ForecastSettings { validation: 0.25, ..all }).0);
}

#[test]
fn the_seed_decides_and_lanes_hardly() {
    let series: Vec<f64> = (0..80).map(|t| f64::from(t % 7)).collect();
    let train = |settings| Forecaster::train(&series, settings, |_| {}).unwrap().forecast(&series).unwrap();
    let settings = small(7, 2, 2);
    let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&train(settings)), bits(&train(settings)));
    assert_ne!(train(settings), train(ForecastSettings { seed: 1, ..settings }));
    let dropout = Dropout::new(0.0, 0.3).unwrap();
    assert_ne!(train(settings), train(ForecastSettings { dropout, ..settings }));
    assert_ne!(train(settings), train(ForecastSettings { schedule: Schedule::Constant, ..settings }));
    let portable = train(ForecastSettings { lanes: LaneKind::Portable, ..settings });
    assert!((portable[0] - train(settings)[0]).abs() < 1e-3);
}

#[test]
fn outliers_move_huber_less() {
    let mut series: Vec<f64> = (0..300).map(|t| (f64::from(t) * 0.5).sin()).collect();
    series.iter_mut().step_by(41).for_each(|s| *s += 20.0);
    let settings = ForecastSettings { huber: Some(0.05), ..small(12, 1, 15) };
    let [huber, ..] = errors(&series, settings, 12);
    let [squared, ..] = errors(&series, ForecastSettings { huber: None, ..settings }, 12);
    assert!(huber.mae < squared.mae, "{huber:?} {squared:?}");
}

#[test]
fn a_constant_stays() {
    let series = [42.0; 30];
    let forecaster = Forecaster::train(&series, small(4, 2, 2), |_| {}).unwrap();
    assert!(forecaster.forecast(&series).unwrap().iter().all(|s| (s - 42.0).abs() < 1.0));
}

#[test]
fn the_file_reads_back_with_means_and_deviations() {
    let series: Vec<f64> = (0..60).map(|t| f64::from(t * t % 11)).collect();
    let forecaster = Forecaster::train(&series, small(4, 3, 1), |_| {}).unwrap();
    let file = forecaster.file();
    let mut words = vec![0_u32; file.byte_len() / 4];
    file.emit(bytemuck::must_cast_slice_mut(&mut words)).unwrap();
    let read = ModelFile::parse(bytemuck::must_cast_slice(&words)).unwrap();
    assert_eq!(read, file);
    assert_eq!(read.normalization.outputs.unwrap().mean.len(), 3);

    let bytes: &[u8] = bytemuck::must_cast_slice(&words);
    let again = Forecaster::from_bytes(bytes).unwrap();
    assert_eq!((again.window(), again.horizon(), again.file()), (4, 3, file));
    assert_eq!(again.backtest(&series, 9).unwrap(), forecaster.backtest(&series, 9).unwrap());
    let other = ModelFile { window: None, ..read };
    let mut bytes = vec![0; other.byte_len()];
    other.emit(&mut bytes).unwrap();
    let refused = Forecaster::from_bytes(&bytes).unwrap_err();
    assert!(matches!(refused, HostError::NoForecaster { .. }));
}

#[test]
fn values_far_from_those_that_were_trained_on_are_no_forecast() {
    let series: Vec<f64> = (0..60).map(|t| f64::from(t % 5) * 1e-9).collect();
    let forecaster = Forecaster::train(&series, small(4, 3, 1), |_| {}).unwrap();
    let far: Vec<f64> = (0..60).map(|t| f64::from(t % 5) * 1e37).collect();
    assert!(matches!(forecaster.forecast(&far), Err(HostError::Model(Error::NotFinite(_)))));
}

#[test]
fn the_caller_says_where_training_ends() {
    let series: Vec<f64> = (0..80).map(|t| f64::from(t % 7)).collect();
    let run = |end: u64, epochs| {
        let (mut asked, mut reported) = (0, 0);
        let step = |done: f32| {
            asked += 1;
            if asked > end { 1.0 } else { done }
        };
        let forecaster =
            Forecaster::train_until(&series, small(7, 2, epochs), step, |epoch| reported = epoch.number)
                .unwrap();
        (forecaster.params().to_vec(), asked, reported)
    };
    let whole = Forecaster::train(&series, small(7, 2, 2), |_| {}).unwrap();
    let (params, asked, reported) = run(u64::MAX, 2);
    assert_eq!((&params[..], reported), (whole.params(), 2));
    assert_ne!(run(asked - 1, 2).0, params);
    // However many epochs there might be.
    assert_eq!(run(asked, u64::MAX).1, asked + 1);
    assert_eq!(run(0, 2).2, 0);
}

#[test]
fn what_cannot_be_trained_on() {
    let refused = |series: &[f64], settings| Forecaster::train(series, settings, |_| {}).unwrap_err();
    let ones = small(1, 1, 1);
    let [none, many] = [0, 99].map(|layers| ForecastSettings { layers, ..ones });
    let [negative, whole, nan] =
        [-0.1, 1.0, f64::NAN].map(|validation| ForecastSettings { validation, ..ones });
    let sizes = [small(0, 1, 1), small(1, 0, 1), ForecastSettings { batch: 0, ..ones }, none, many];
    for settings in sizes.into_iter().chain([negative, whole, nan]) {
        assert!(matches!(refused(&[0.0; 9], settings), HostError::Setting(_)));
    }
    let error = std::string::ToString::to_string(&refused(&[0.0; 7], small(5, 2, 1)));
    assert!(error.contains("7 values") && error.contains("needs 8"), "{error}");
    assert!(Forecaster::train(&[0.0; 8], small(5, 2, 1), |_| {}).is_ok());
    for bad in [f64::NAN, f64::INFINITY, 1e300] {
        let error = refused(&[0.0, 1.0, bad, 2.0, 1.0, 2.0, 1.0, 3.0], small(2, 1, 1));
        assert!(matches!(error, HostError::Model(Error::NotFinite(Quantity::Input))), "{error}");
    }
    for bad in 0..60 {
        for value in [f64::NAN, f64::NEG_INFINITY, 1.1e18] {
            let mut series = drawn_to_the_mean(60);
            series[bad] = value;
            let error = refused(&series, small(4, 1, 1));
            assert!(matches!(error, HostError::Model(Error::NotFinite(Quantity::Input))), "{error}");
        }
    }
    let forecaster = Forecaster::train(&[0.0; 8], small(5, 2, 1), |_| {}).unwrap();
    assert!(matches!(forecaster.forecast(&[0.0; 5]), Err(HostError::Setting(_))));
    assert!(forecaster.backtest(&[0.0; 8], 7).unwrap().is_empty());
}

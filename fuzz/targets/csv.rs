//! A CSV file as `recurve forecast` reads it: finite numbers, on which a forecaster is trained as far as they go, or a
//! message of one line.
#![no_main]

#[path = "../../src/bin/recurve/forecast/column.rs"]
#[allow(dead_code, reason = "files are not read here")]
mod column;
#[path = "../../src/bin/recurve/failure.rs"]
#[allow(dead_code, reason = "a column needs a part of it")]
mod failure;

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use recurve::host::forecast::{Errors, ForecastSettings, Forecaster, last_value, seasonal};
use recurve_fuzz::{Source, assert_line};

fuzz_target!(|data: &[u8]| {
    let mut source = Source(data);
    let delimiter = source.one_of(b",;\t|");
    let (window, horizon, season) = (1 + source.below(4), 1 + source.below(3), source.below(5));
    let huber = source.flag().then_some(0.5);
    match column::parse(source.0, Path::new("it"), "y", delimiter) {
        Ok(series) => {
            assert!(!series.is_empty() && series.iter().all(|x| x.is_finite()));
            let mut settings = ForecastSettings::default();
            (settings.hidden, settings.epochs, settings.batch) = (2, 1, 2);
            (settings.window, settings.horizon, settings.huber) = (window, horizon, huber);
            if let Ok(forecaster) = Forecaster::train(&series, settings, |_| {}) {
                let _ = forecaster.forecast(&series);
                let from = series.len() / 2;
                if let Ok(forecasts) = forecaster.backtest(&series, from) {
                    let _ = Errors::of(&series, from, horizon, &forecasts);
                }
            }
            let _ = last_value(&series, 0, horizon);
            let _ = seasonal(&series, 0, horizon, season);
        }
        Err(failure::Failure::Message(message)) => assert_line(&message),
        Err(other) => panic!("{other:?}"),
    }
});

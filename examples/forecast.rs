//! Forecasts a series that is made here, of a trend, a day of 24 hours and noise, beside naive forecasts.
//!
//! ```text
//! cargo run --release --example forecast
//! ```
//!
//! `recurve forecast FILE.csv --column NAME --horizon 6 --season 24` does the same with a file.

use std::f64::consts::TAU;

use rand_pcg::Pcg32;
use rand_pcg::rand_core::SeedableRng;
use recurve::host::HostError;
use recurve::host::forecast::{Errors, ForecastSettings, Forecaster, last_value, seasonal};

const HOURS: usize = 24 * 40;
const HELD_OUT: usize = 24 * 8;
const HORIZON: usize = 6;

fn main() -> Result<(), HostError> {
    let series = temperatures();
    let from = HOURS - HELD_OUT;

    let mut settings = ForecastSettings::default();
    (settings.window, settings.horizon, settings.epochs) = (30, HORIZON, 40);
    let forecaster = Forecaster::train(&series[..from], settings, |epoch| {
        if let (true, Some(errors)) = (epoch.is_best, epoch.errors) {
            println!("epoch {}: RMSE {:.3}, the best so far", epoch.number, errors.rmse);
        }
    })?;

    println!("\nthe last {HELD_OUT} hours, {HORIZON} hours ahead, in °C:");
    for (name, forecasts) in [
        ("last value", last_value(&series, from, HORIZON)),
        ("yesterday", seasonal(&series, from, HORIZON, 24)),
        ("this network", forecaster.backtest(&series, from)?),
    ] {
        let errors = Errors::of(&series, from, HORIZON, &forecasts);
        println!("{name:>12}: RMSE {:.3}, MAE {:.3}", errors.rmse, errors.mae);
    }
    println!("\nnext: {:.1?}", forecaster.forecast(&series)?);
    Ok(())
}

/// Hourly temperatures of a spring.
fn temperatures() -> Vec<f64> {
    let mut noise = vec![0.0; HOURS];
    recurve::init::normal(&mut noise, 0.6, &mut Pcg32::seed_from_u64(1));
    let of_hour = |(t, e): (usize, f32)| {
        let hour = t as f64;
        8.0 + 0.01 * hour + 5.0 * (TAU * (hour - 9.0) / 24.0).sin() + f64::from(e)
    };
    noise.into_iter().enumerate().map(of_hour).collect()
}

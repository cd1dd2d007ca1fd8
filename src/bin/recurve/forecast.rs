//! `recurve forecast`: trains a forecaster of a column, measures it on the end of the series, and sets it beside naive
//! forecasts.

mod column;
mod picture;

use std::path::Path;
use std::time::Instant;

use recurve::cell::AnyCell;
use recurve::host::forecast::{Errors, ForecastSettings, Forecaster, last_value, seasonal};
use recurve::host::{HostError, check_writable, write_whole};
use recurve::{Error, ModelShape};
use serde_json::{Value, json};

use crate::args::ForecastArgs;
use crate::failure::Failure;
use crate::files::check_different;
use crate::progress::Progress;
use crate::report::{self, grouped, short, table};
use picture::Picture;

/// Values that a forecast looks back on at least, if nothing else is said.
const WINDOW: usize = 32;

/// What is printed.
struct Results {
    values: usize,
    held_out: usize,
    shape: ModelShape<AnyCell>,
    seconds: f64,
    model: Errors,
    last: Errors,
    season: Option<Errors>,
    /// The values to come.
    next: Vec<f64>,
}

pub fn run(args: &ForecastArgs) -> Result<(), Failure> {
    let (out, svg) = (args.out.as_deref(), args.svg.as_deref());
    check_different(&[("the series", Some(&args.file)), ("--out", out), ("--svg", svg)])?;
    let series = column::read(&args.file, &args.column, args.delimiter)?;
    [out, svg].into_iter().flatten().try_for_each(check_writable)?;
    let from = split(args, series.len())?;
    let started = Instant::now();
    let forecaster = train(args, &series[..from])?;
    let seconds = started.elapsed().as_secs_f64();
    let forecasts = forecaster.backtest(&series, from)?;
    let of = |forecasts: &[f64]| Errors::of(&series, from, args.horizon, forecasts);
    let results = Results {
        values: series.len(),
        held_out: series.len() - from,
        shape: forecaster.shape(),
        seconds,
        model: of(&forecasts),
        last: of(&last_value(&series, from, args.horizon)),
        season: args.season.map(|season| of(&seasonal(&series, from, args.horizon, season))),
        next: forecaster.forecast(&series)?,
    };
    let model = out.map_or(Ok(()), |path| forecaster.write(path).map_err(Failure::from));
    let picture = Picture { args, series: &series, from, forecasts: &forecasts, next: &results.next };
    let drawn = svg.map_or(Ok(()), |path| draw(path, &picture));
    let written = [out.filter(|_| model.is_ok()), svg.filter(|_| drawn.is_ok())];
    let printed = print(args, &results, written);
    model.and(drawn).and(printed)
}

fn draw(path: &Path, picture: &Picture<'_>) -> Result<(), Failure> {
    Ok(write_whole(path, picture.svg()?.as_bytes())?)
}

fn settings(args: &ForecastArgs) -> ForecastSettings {
    let window = args.window.unwrap_or_else(|| WINDOW.max(following(args.season.unwrap_or(0))));
    let ForecastArgs { cell, layers, hidden, horizon, batch, epochs, lr, clip, huber, seed, .. } = *args;
    let mut settings = ForecastSettings::default();
    settings.cell = cell;
    settings.layers = layers;
    settings.hidden = hidden;
    settings.window = window;
    settings.horizon = horizon;
    settings.batch = batch;
    settings.epochs = epochs;
    settings.lr = lr;
    settings.clip = clip;
    settings.huber = huber;
    settings.seed = seed;
    settings
}

/// The window that shows a season and a quarter.
const fn following(season: usize) -> usize {
    season.saturating_add(season / 4)
}

/// Where the held-out end begins, if both parts are long enough.
fn split(args: &ForecastArgs, values: usize) -> Result<usize, Failure> {
    let held_out = (values as f64 * args.valid).round() as usize;
    let (from, horizon) = (values - held_out, args.horizon);
    let name = args.file.display();
    let window = args.window.unwrap_or(WINDOW);
    let needed = window.saturating_add(horizon).saturating_add(1);
    if from < needed {
        return Err(Failure::new(format!(
            "{name} has {values} values, of which {from} are to train on, and --window {window} with --horizon {horizon} \
             needs {needed}: give more, or a smaller --window, --horizon or --valid"
        )));
    }
    if held_out < horizon {
        return Err(Failure::new(format!(
            "--valid {} holds out {held_out} of {values} values, and --horizon {horizon} needs as many: hold out more",
            args.valid
        )));
    }
    check_season(args, from)?;
    Ok(from)
}

/// Refuses a season that is longer than so many values before the held-out ones allow.
fn check_season(args: &ForecastArgs, from: usize) -> Result<(), Failure> {
    let Some(season) = args.season else { return Ok(()) };
    let (longest, why) = match args.window {
        Some(_) => (from, String::new()),
        None => (longest_season(from, args.horizon), " with a window of a season and a quarter".into()),
    };
    if season <= longest {
        return Ok(());
    }
    let name = args.file.display();
    let hint = if season <= from { ", or a --window" } else { "" };
    Err(Failure::new(format!(
        "--season {season} is too long: {name} has {from} values before the held-out ones, and the longest season that \
         these allow{why} is {longest}: give a shorter one{hint}"
    )))
}

/// The longest season that the window follows, of so many values to train on.
fn longest_season(values: usize, horizon: usize) -> usize {
    let window = values.saturating_sub(horizon).saturating_sub(1);
    (4 * window + 3) / 5
}

fn train(args: &ForecastArgs, series: &[f64]) -> Result<Forecaster, Failure> {
    let mut progress = Progress::new(args.quiet);
    let forecaster = Forecaster::train(series, settings(args), |epoch, loss| {
        if progress.is_due() {
            let text = format!("epoch {epoch}/{}, loss {loss:.4}", args.epochs);
            progress.message(epoch as f64 / args.epochs as f64, text);
        }
    });
    progress.end();
    forecaster.map_err(|error| match error {
        HostError::Model(Error::NotFinite(what)) => Failure::new(format!(
            "{}, so the training was stopped: choose a smaller --lr",
            Error::NotFinite(what)
        )),
        error => error.into(),
    })
}

fn print(args: &ForecastArgs, results: &Results, written: [Option<&Path>; 2]) -> Result<(), Failure> {
    if args.json {
        return report::print_json(&object(args, results));
    }
    let mut text = summary(args, results) + "\n" + &comparison(results);
    let next: Vec<_> = results.next.iter().map(|&value| short(value)).collect();
    text += &format!("\nnext: {}\n", next.join("  "));
    for (path, what) in written.into_iter().zip(["model", "plot"]) {
        if let Some(path) = path {
            text += &format!("{what} written to {}\n", path.display());
        }
    }
    report::print(text.as_bytes())
}

fn object(args: &ForecastArgs, results: &Results) -> Value {
    json!({
        "rmse": results.model.rmse,
        "mae": results.model.mae,
        "naive_rmse": results.last.rmse,
        "naive_mae": results.last.mae,
        "seasonal_rmse": results.season.map(|errors| errors.rmse),
        "seasonal_mae": results.season.map(|errors| errors.mae),
        "forecast": results.next,
        "values": results.values,
        "held_out": results.held_out,
        "parameters": results.shape.params_len(),
        "epochs": args.epochs,
        "seconds": results.seconds,
    })
}

fn summary(args: &ForecastArgs, results: &Results) -> String {
    let counts = [results.values, results.held_out, results.shape.params_len()].map(|n| grouped(n as u64));
    let [values, held_out, parameters] = counts;
    format!(
        "{}: {values} values, {held_out} held out\n\
         {}, {parameters} parameters, looks back on {}, forecasts {}\n\
         trained for {} epochs in {:.1} s\n",
        args.column,
        report::layers(results.shape.cell),
        settings(args).window,
        args.horizon,
        args.epochs,
        results.seconds
    )
}

fn comparison(results: &Results) -> String {
    let row = |name: &str, errors: Errors| [name.to_owned(), short(errors.rmse), short(errors.mae)];
    let naive: Vec<_> =
        [("last value", Some(results.last)), ("last season", results.season)].into_iter().collect();
    let naive: Vec<_> = naive.into_iter().filter_map(|(name, errors)| Some((name, errors?))).collect();
    let mut rows: Vec<_> = naive.iter().map(|&(name, errors)| row(name, errors)).collect();
    rows.push(row("this network", results.model));
    let beaten = naive.iter().filter(|(_, errors)| results.model.rmse < errors.rmse).count();
    let verdict = match (beaten, naive.len()) {
        (0, _) => "by RMSE, it beats no naive forecast\n".into(),
        (n, all) if n == all => "by RMSE, it beats every naive forecast\n".into(),
        (n, all) => format!("by RMSE, it beats {n} of {all} naive forecasts\n"),
    };
    format!("held-out values:\n{}{verdict}", table(["forecast", "RMSE", "MAE"], &rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_season_just_fits() {
        for window in 1..100 {
            let longest = longest_season(window + 4, 3);
            assert!(following(longest) <= window && following(longest + 1) > window, "{window}");
        }
    }
}

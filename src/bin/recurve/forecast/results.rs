//! What a forecast prints.

use std::path::Path;

use recurve::ModelShape;
use recurve::cell::AnyCell;
use recurve::host::forecast::Errors;
use serde_json::{Value, json};

use crate::args::ForecastArgs;
use crate::failure::Failure;
use crate::report::{self, grouped, short, table};

/// How a forecaster was trained.
pub struct Trained {
    pub epochs: u64,
    /// The epoch whose weights were kept, if they were compared.
    pub kept: Option<u64>,
    pub seconds: f64,
    pub interrupted: bool,
}

/// What is printed.
pub struct Results {
    pub values: usize,
    pub held_out: usize,
    pub shape: ModelShape<AnyCell>,
    pub window: usize,
    /// Nothing of one that was trained before.
    pub trained: Option<Trained>,
    /// Of the network, of the last value and of the last season, if there is anything to measure.
    pub errors: Option<[Option<Errors>; 3]>,
    /// Of the network and of the last value, of each step of the horizon.
    pub by_step: [Vec<Errors>; 2],
    /// The values to come.
    pub next: Vec<f64>,
}

pub fn print(args: &ForecastArgs, results: &Results, written: [Option<&Path>; 2]) -> Result<(), Failure> {
    if args.json {
        return report::print_json(&object(results));
    }
    let mut text = summary(args, results) + "\n";
    text += &results
        .errors
        .map_or_else(|| "nothing to measure by\n".into(), |errors| comparison(results, errors));
    let error = results.errors.and_then(|[model, ..]| model).map_or(0.0, |errors| errors.rmse);
    let next: Vec<_> = results.next.iter().map(|&value| beside(value, error)).collect();
    text += &format!("\nnext: {}\n", next.join("  "));
    for (path, what) in written.into_iter().zip(["model", "plot"]) {
        if let Some(path) = path {
            text += &format!("{what} written to {}\n", path.display());
        }
    }
    report::print(text.as_bytes())
}

/// A value with as many digits as an error of this size leaves meaning to, and one more.
fn beside(value: f64, error: f64) -> String {
    let digits = 1.0 - error.log10().floor();
    if !(-15.0..=9.0).contains(&digits) || value.abs() >= 1e15 {
        return short(value);
    }
    // Zero has no sign.
    let text = format!("{value:.*}", digits.max(0.0) as usize);
    if text.trim_start_matches('-').trim_matches(['0', '.']).is_empty() {
        text.replace('-', "")
    } else {
        text
    }
}

fn object(results: &Results) -> Value {
    let [model, last, season] = results.errors.unwrap_or_default();
    let rmse = |errors: Option<Errors>| errors.map(|errors| errors.rmse);
    let mae = |errors: Option<Errors>| errors.map(|errors| errors.mae);
    let trained = results.trained.as_ref();
    let [by_step, naive_by_step] =
        results.by_step.each_ref().map(|steps| steps.iter().map(|errors| errors.rmse).collect::<Vec<_>>());
    json!({
        "rmse": rmse(model),
        "mae": mae(model),
        "naive_rmse": rmse(last),
        "naive_mae": mae(last),
        "rmse_by_step": by_step,
        "naive_rmse_by_step": naive_by_step,
        "seasonal_rmse": rmse(season),
        "seasonal_mae": mae(season),
        "forecast": results.next,
        "values": results.values,
        "held_out": results.held_out,
        "parameters": results.shape.params_len(),
        "window": results.window,
        "horizon": results.shape.outputs,
        "interrupted": trained.map(|trained| trained.interrupted),
        "epochs": trained.map(|trained| trained.epochs),
        "kept_epoch": trained.and_then(|trained| trained.kept),
        "seconds": trained.map(|trained| trained.seconds),
    })
}

fn summary(args: &ForecastArgs, results: &Results) -> String {
    let counts = [results.values, results.held_out, results.shape.params_len()].map(|n| grouped(n as u64));
    let [values, held_out, parameters] = counts;
    let (measured, trained) = match &results.trained {
        Some(Trained { epochs, kept, seconds, interrupted }) => {
            let end = if *interrupted { "interrupted after" } else { "trained for" };
            let kept = kept.map_or_else(String::new, |n| format!(", best after {}", grouped(n)));
            ("held out", format!("{end} {} epochs in {seconds:.1} s{kept}", grouped(*epochs)))
        }
        None => ("to measure by", "trained before".into()),
    };
    format!(
        "{}: {values} values, {held_out} {measured}\n\
         {}, {parameters} parameters, looks back on {}, forecasts {}\n\
         {trained}\n",
        args.column,
        report::layers(results.shape.cell),
        results.window,
        results.shape.outputs,
    )
}

fn comparison(results: &Results, [model, last, season]: [Option<Errors>; 3]) -> String {
    let what =
        if results.trained.is_some() { "held-out values" } else { "values that a window comes before" };
    let row = |(name, errors): (&str, Errors)| [name.to_owned(), short(errors.rmse), short(errors.mae)];
    let named = |(name, errors): (&'static str, Option<Errors>)| Some((name, errors?));
    let naive: Vec<_> =
        [("last value", last), ("last season", season)].into_iter().filter_map(named).collect();
    let all = naive.iter().copied().chain(named(("this network", model)));
    let rows: Vec<_> = all.map(row).collect();
    let rmse = model.map_or(f64::NAN, |errors| errors.rmse);
    let beaten = naive.iter().filter(|(_, errors)| rmse < errors.rmse).count();
    let verdict = match (beaten, naive.len()) {
        (0, _) => "by RMSE, it beats no naive forecast\n".into(),
        (n, all) if n == all => "by RMSE, it beats every naive forecast\n".into(),
        (n, all) => format!("by RMSE, it beats {n} of {all} naive forecasts\n"),
    };
    format!("{what}:\n{}{verdict}", table(["forecast", "RMSE", "MAE"], &rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_that_an_error_leaves() {
        for (value, error, text) in [
            (100_000_012.345, 2.4, "100000012.3"),
            (21.456_78, 0.012, "21.457"),
            (21.456_78, 3000.0, "21"),
            (-0.5, 1e-8, "-0.500000000"),
            (1.5e-12, 1e-14, &short(1.5e-12)),
            (-0.2, 3000.0, "0"),
            (0.0, 0.1, "0.00"),
            (1234.5, 0.0, &short(1234.5)),
            (1e20, 2.0, &short(1e20)),
        ] {
            assert_eq!(beside(value, error), text);
        }
    }
}

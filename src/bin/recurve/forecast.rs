//! `recurve forecast`: trains a forecaster of a column, or reads one, measures it on the end of the series, and sets it beside
//! naive forecasts.

mod column;
mod picture;
mod plan;
mod results;

use std::cell::Cell;
use std::path::Path;
use std::time::Instant;

use recurve::Error;
use recurve::host::forecast::{Errors, Forecaster, last_value, seasonal};
use recurve::host::{HostError, check_writable, write_whole};

use crate::args::{ForecastArgs, Keep};
use crate::failure::Failure;
use crate::files::check_different;
use crate::interrupt;
use crate::progress::Progress;
use crate::report::short;
use picture::Picture;
use results::{Results, Trained};

pub fn run(args: &ForecastArgs) -> Result<(), Failure> {
    let (out, svg) = (args.out.as_deref(), args.svg.as_deref());
    let model = ("--model", args.model.as_deref());
    check_different(&[("the series", Some(&args.file)), model, ("--out", out), ("--svg", svg)])?;
    let series = column::read(&args.file, &args.column, args.delimiter)?;
    [out, svg].into_iter().flatten().try_for_each(check_writable)?;
    let (forecaster, from, trained) = forecaster(args, &series)?;
    let horizon = forecaster.horizon();
    let forecasts = forecaster.backtest(&series, from).map_err(|error| far(args, error))?;
    let errors = |forecasts: &[f64]| Some(Errors::of(&series, from, horizon, forecasts));
    let measured = || {
        let season = args.season.and_then(|season| errors(&seasonal(&series, from, horizon, season)));
        [errors(&forecasts), errors(&last_value(&series, from, horizon)), season]
    };
    let results = Results {
        values: series.len(),
        held_out: series.len() - from,
        shape: forecaster.shape(),
        window: forecaster.window(),
        trained,
        errors: (!forecasts.is_empty()).then(measured),
        by_step: match forecasts[..] {
            [] => Default::default(),
            _ => [&forecasts, &last_value(&series, from, horizon)]
                .map(|forecasts| Errors::by_step(&series, from, horizon, forecasts)),
        },
        next: forecaster.forecast(&series).map_err(|error| far(args, error))?,
    };
    let model = out.map_or(Ok(()), |path| forecaster.write(path).map_err(Failure::from));
    let (next, shape) = (&results.next[..], results.shape);
    let picture = Picture { column: &args.column, shape, series: &series, from, forecasts: &forecasts, next };
    let drawn = svg.map_or(Ok(()), |path| draw(path, &picture));
    let written = [out.filter(|_| model.is_ok()), svg.filter(|_| drawn.is_ok())];
    let printed = results::print(args, &results, written);
    model.and(drawn).and(printed)
}

fn draw(path: &Path, picture: &Picture<'_>) -> Result<(), Failure> {
    Ok(write_whole(path, picture.svg()?.as_bytes())?)
}

/// The forecaster of --model or a new one, where the values begin that it is measured on, and how it was trained.
fn forecaster(args: &ForecastArgs, series: &[f64]) -> Result<(Forecaster, usize, Option<Trained>), Failure> {
    if let Some(path) = &args.model {
        let forecaster = Forecaster::read(path)?;
        let from = plan::measured_from(args, forecaster.window(), series.len())?;
        return Ok((forecaster, from, None));
    }
    let from = plan::split(args, series.len())?;
    interrupt::catch()?;
    let (forecaster, trained) = train(args, &series[..from])?;
    Ok((forecaster, from, Some(trained)))
}

/// Trains until the epochs or the seconds are over, or it is asked to end.
fn train(args: &ForecastArgs, series: &[f64]) -> Result<(Forecaster, Trained), Failure> {
    let mut progress = Progress::new(args.quiet);
    let settings = plan::settings(args);
    let compares = settings.trained_on(series.len()) < series.len();
    progress.note(&recipe(args, compares));
    if args.keep == Keep::Best && !compares {
        progress
            .note("too few values to compare weights on: all are trained on, and the last weights are kept");
    }
    let (started, mut epochs, mut kept, mut interrupted) = (Instant::now(), 0, None, false);
    let share = Cell::new(0.0);
    let done = |steps: f32| {
        let time = args.max_seconds.map_or(0.0, |limit| (started.elapsed().as_secs_f64() / limit) as f32);
        interrupted = interrupt::asked() && steps < 1.0;
        share.set(steps.max(time));
        if interrupted { 1.0 } else { share.get() }
    };
    let forecaster = Forecaster::train_until(series, settings, done, |epoch| {
        epochs = epoch.number;
        if epoch.errors.is_some() && epoch.is_best {
            kept = Some(epochs);
        }
        if progress.is_due() {
            let of = plan::epochs(args).map_or_else(String::new, |all| format!("/{all}"));
            // What decides.
            let error = epoch.errors.map_or_else(String::new, |errors| match args.huber {
                Some(_) => format!(", MAE {}", short(errors.mae)),
                None => format!(", RMSE {}", short(errors.rmse)),
            });
            progress
                .message(share.get().into(), format!("epoch {epochs}{of}, loss {:.4}{error}", epoch.loss));
        }
    });
    progress.end();
    let seconds = started.elapsed().as_secs_f64();
    let forecaster = forecaster.map_err(|error| match error {
        HostError::Model(Error::NotFinite(what)) => Failure::new(format!(
            "{}, so the training was stopped: choose a smaller --lr",
            Error::NotFinite(what)
        )),
        error => error.into(),
    })?;
    if epochs == 0 {
        return Err(Failure::new("the training ended before its first epoch did: give it more time"));
    }
    Ok((forecaster, Trained { epochs, kept, seconds, interrupted }))
}

/// How the training is led, with all that was not said, as flags that lead to the same forecaster.
fn recipe(args: &ForecastArgs, compares: bool) -> String {
    let settings = plan::settings(args);
    let (cell, layers, hidden) = (settings.cell, settings.layers, settings.hidden);
    let mut recipe = format!(
        "recipe: --cell {cell} --layers {layers} --hidden {hidden} --window {} --horizon {} --batch {} --lr {} --clip {}",
        settings.window, settings.horizon, settings.batch, settings.lr, settings.clip
    );
    let rest = [
        plan::epochs(args).map(|epochs| format!(" --epochs {epochs}")),
        args.max_seconds.map(|seconds| format!(" --max-seconds {seconds}")),
        args.huber.map(|huber| format!(" --huber {huber}")),
        (!compares).then(|| " --keep last".into()),
    ];
    recipe.extend(rest.into_iter().flatten());
    recipe + &format!(" --valid {} --seed {}", plan::held_out(args), args.seed)
}

/// What a model says of values that it knows nothing like.
fn far(args: &ForecastArgs, error: HostError) -> Failure {
    match (&args.model, error) {
        (Some(model), HostError::Model(Error::NotFinite(_))) => Failure::new(format!(
            "{} comes to no numbers for column {:?}: its values are too far from those that the model was trained on",
            model.display(),
            args.column
        )),
        (_, error) => error.into(),
    }
}

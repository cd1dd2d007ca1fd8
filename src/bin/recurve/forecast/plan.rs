//! How a forecaster is trained, and which values are held out: what the flags say, if the series is long enough for it.

use recurve::host::forecast::ForecastSettings;

use crate::args::{ForecastArgs, Keep};
use crate::failure::Failure;

/// Values that a forecast looks back on at least, if nothing else is said.
const WINDOW: usize = 32;

/// Passes over the series that nothing limits.
const EPOCHS: u64 = 100;

/// Share of the series that is held out.
const HELD_OUT: f64 = 0.2;

pub fn settings(args: &ForecastArgs) -> ForecastSettings {
    let window = args.window.unwrap_or_else(|| WINDOW.max(following(args.season.unwrap_or(0))));
    let ForecastArgs { cell, layers, hidden, horizon, batch, lr, clip, huber, seed, .. } = *args;
    let mut settings = ForecastSettings::default();
    settings.cell = cell;
    settings.layers = layers;
    settings.hidden = hidden;
    settings.window = window;
    settings.horizon = horizon;
    settings.batch = batch;
    settings.epochs = epochs(args).unwrap_or(u64::MAX);
    if args.keep == Keep::Last {
        settings.validation = 0.0;
    }
    settings.lr = lr;
    settings.clip = clip;
    settings.huber = huber;
    settings.seed = seed;
    settings
}

/// Passes over the series, unless only time limits them.
pub fn epochs(args: &ForecastArgs) -> Option<u64> {
    args.epochs.or(args.max_seconds.is_none().then_some(EPOCHS))
}

/// The window that shows a season and a quarter.
const fn following(season: usize) -> usize {
    season.saturating_add(season / 4)
}

/// The share of the series that is held out of the training.
pub fn held_out(args: &ForecastArgs) -> f64 {
    args.valid.unwrap_or(HELD_OUT)
}

/// Where the held-out end begins, if both parts are long enough.
pub fn split(args: &ForecastArgs, values: usize) -> Result<usize, Failure> {
    let valid = held_out(args);
    let held_out = (values as f64 * valid).round() as usize;
    let (from, horizon) = (values - held_out, args.horizon);
    let name = args.file.display();
    // A window that follows --season is for check_season to judge.
    let window = args.window.unwrap_or(WINDOW);
    let mut settings = settings(args);
    settings.window = window;
    let needed = settings.needed();
    if from < needed {
        return Err(Failure::new(format!(
            "{name} has {values} values, of which {from} are to train on, and --window {window} with --horizon {horizon} \
             needs {needed}: give more, or a smaller --window, --horizon or --valid"
        )));
    }
    if valid > 0.0 && held_out < horizon {
        return Err(Failure::new(format!(
            "--valid {valid} holds out {held_out} of {values} values, and --horizon {horizon} needs as many: hold out more"
        )));
    }
    check_season(args, from)?;
    Ok(from)
}

/// Where the values begin that a forecaster with this window, which is trained already, is measured on; it may be that none
/// are left.
pub fn measured_from(args: &ForecastArgs, window: usize, values: usize) -> Result<usize, Failure> {
    let needed = window.saturating_add(1);
    if values < needed {
        let name = args.file.display();
        return Err(Failure::new(format!(
            "{name} has {values} values, and the model looks back on {window} and one before: give {needed} or more"
        )));
    }
    let held_out = args.valid.map_or(values, |valid| (values as f64 * valid).round() as usize);
    let from = needed.max(values - held_out);
    match args.season {
        Some(season) if season > from => Err(Failure::new(format!(
            "--season {season} is too long: the longest that the {from} values before those that are measured allow is {from}: \
             give a shorter one"
        ))),
        _ => Ok(from),
    }
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

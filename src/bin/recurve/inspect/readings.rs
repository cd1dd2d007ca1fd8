//! What a model file says of readings: their means and deviations, and of a forecaster what it looks back on.

use recurve::StandardView;
use recurve::format::ModelFile;
use serde_json::{Value, json};

use crate::report::{grouped, short, table};

/// Channels that are listed for people; JSON has them all.
const SHOWN: usize = 16;

/// All of it, as lines for people.
pub fn lines(model: ModelFile<'_>) -> String {
    let kind = match model.window {
        Some(window) => format!(
            "forecaster  looks back on {} values, forecasts {}\n",
            grouped(window.get().into()),
            grouped(model.shape.outputs as u64)
        ),
        None => "kind        a model of readings, without vocabulary\n".into(),
    };
    match rows(model) {
        rows if rows.is_empty() => kind,
        rows => kind + "\n" + &table(["normalised", "mean", "deviation"], &rows),
    }
}

/// What is normalised, and by what.
fn rows(model: ModelFile<'_>) -> Vec<[String; 3]> {
    let input = |i: usize| match (model.window, i) {
        (Some(_), 0) => "difference to the value before".into(),
        (Some(_), 1) => {
            "difference to the mean of the series before, which forgets at the pace of a window".into()
        }
        _ => format!("input {}", i + 1),
    };
    let output = |i: usize| match model.window {
        Some(_) => format!("difference to the last value, step {}", i + 1),
        None => format!("output {}", i + 1),
    };
    let inputs = side(model.normalization.inputs, &input);
    inputs.into_iter().chain(side(model.normalization.outputs, &output)).collect()
}

fn side(of: Option<StandardView<'_>>, name: &dyn Fn(usize) -> String) -> Vec<[String; 3]> {
    let Some(StandardView { mean, deviation }) = of else { return Vec::new() };
    let row = |(i, (&mean, &deviation)): (usize, (&f32, &f32))| {
        [name(i), short(mean.into()), short(deviation.into())]
    };
    let mut rows: Vec<_> = mean.iter().zip(deviation).enumerate().take(SHOWN).map(row).collect();
    if mean.len() > SHOWN {
        rows.push([
            format!("and {} more (--json has all)", mean.len() - SHOWN),
            String::new(),
            String::new(),
        ]);
    }
    rows
}

/// Window and horizon of a forecaster.
pub fn forecaster(model: ModelFile<'_>) -> Option<Value> {
    model.window.map(|window| json!({ "window": window.get(), "horizon": model.shape.outputs }))
}

/// Means and deviations.
pub fn normalization(model: ModelFile<'_>) -> Value {
    let side = |side: Option<StandardView<'_>>| {
        side.map(|side| json!({ "mean": side.mean, "deviation": side.deviation }))
    };
    json!({ "inputs": side(model.normalization.inputs), "outputs": side(model.normalization.outputs) })
}

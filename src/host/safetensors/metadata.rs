//! What a file says of itself beside its tensors: how they are to be understood, and the vocabulary.

use core::num::NonZeroU32;
use std::{
    borrow::ToOwned,
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde_json::Value;

use super::file::File;
use super::{Vocabulary, WeightsError};
use crate::cell::{ActivationKind, CellKind};
use crate::clean::Clean;
use crate::format::ModelFile;
use crate::host::{Shown, channels::Channels};
use crate::standard::StandardView;

pub(super) const VOCABULARY: &str = "vocabulary";
const ACTIVATION: &str = "activation";
const CLEAN: &str = "clean";
const WINDOW: &str = "window";
/// Mean and deviation of what is read, and of what is predicted.
const SIDES: [[&str; 2]; 2] = [["input_mean", "input_deviation"], ["output_mean", "output_deviation"]];

/// How gates and reset are understood, by kind of cell. Nothing else can be read.
const fn conventions(kind: CellKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        CellKind::Gru => &[("gate_order", "r,z,n"), ("reset_gate", "after")],
        CellKind::Lstm => &[("gate_order", "i,f,g,o")],
        _ => &[],
    }
}

/// Where the biases are.
const fn biases(kind: CellKind) -> &'static str {
    match kind {
        CellKind::Gru => "r and z summed in bias_ih and zero in bias_hh, n apart",
        _ => "summed in bias_ih and zero in bias_hh",
    }
}

/// The metadata of a model, in JSON, its keys in ascending order.
pub(super) fn of(model: ModelFile<'_>, kind: CellKind, activation: ActivationKind) -> String {
    let mut says = BTreeMap::from([
        ("format", "pt".into()),
        ("cell", kind.name().into()),
        ("layout", "outputs x inputs".into()),
        ("biases", biases(kind).into()),
    ]);
    says.extend(conventions(kind).iter().map(|&(key, value)| (key, value.into())));
    if kind == CellKind::Elman {
        says.insert(ACTIVATION, activation.name().into());
    }
    match model.symbols {
        Some(symbols) => {
            says.extend([
                (CLEAN, model.clean.name().into()),
                (VOCABULARY, Vocabulary::of(symbols).to_json()),
            ]);
        }
        None => says.extend(units(model)),
    }
    let object: Vec<_> =
        says.into_iter().map(|(key, value)| format!("\"{key}\":{}", Value::from(value))).collect();
    format!("{{{}}}", object.join(","))
}

/// What belongs to a model of readings.
fn units(model: ModelFile<'_>) -> Vec<(&'static str, String)> {
    let list = |numbers: &[f32]| {
        format!("[{}]", numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
    };
    let sides = [model.normalization.inputs, model.normalization.outputs].into_iter().zip(SIDES);
    let of_side = |(side, names): (Option<StandardView<'_>>, [_; 2])| {
        side.map(|side| [(names[0], list(side.mean)), (names[1], list(side.deviation))])
    };
    let window = model.window.map(|window| (WINDOW, window.to_string()));
    sides.filter_map(of_side).flatten().chain(window).collect()
}

/// Refuses tensors that are meant in another way.
pub(super) fn check(file: &File<'_>, kind: CellKind) -> Result<(), WeightsError> {
    for &(key, expected) in conventions(kind) {
        match file.metadata(key) {
            Some(found) if found != expected => {
                return Err(WeightsError::Metadata { key, expected, found: found.to_string() });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The cleaning that texts need.
pub(super) fn clean(file: &File<'_>) -> Result<Option<Clean>, WeightsError> {
    let named = |name: &str| {
        let wrong = || WeightsError::Metadata { key: CLEAN, expected: "none or letters", found: name.into() };
        name.parse().map_err(|_| wrong())
    };
    file.metadata(CLEAN).map(named).transpose()
}

/// The activation of `torch.nn.RNN`.
pub(super) fn activation(file: &File<'_>) -> Result<Option<ActivationKind>, WeightsError> {
    let named = |name: &str| {
        let wrong =
            || WeightsError::Metadata { key: ACTIVATION, expected: "tanh or relu", found: name.into() };
        name.parse().map_err(|_| wrong())
    };
    file.metadata(ACTIVATION).map(named).transpose()
}

/// Means and deviations of a model of readings with so many inputs and outputs.
pub(super) fn normalization(
    file: &File<'_>,
    channels: [usize; 2],
) -> Result<[Option<Channels>; 2], WeightsError> {
    let [inputs, outputs] = [0, 1].map(|side| standard(file, SIDES[side], channels[side]));
    Ok([inputs?, outputs?])
}

/// Mean and deviation of some channels, if one of them is there.
fn standard(
    file: &File<'_>,
    keys: [&'static str; 2],
    channels: usize,
) -> Result<Option<Channels>, WeightsError> {
    let [mean, deviation] = match keys.map(|key| file.metadata(key)) {
        [None, None] => return Ok(None),
        lists => {
            lists.map(|list| list.ok_or("is missing".to_owned()).and_then(|list| numbers(list, channels)))
        }
    };
    let wrong = |key| move |why| WeightsError::Standard { key, why };
    let (mean, deviation) = (mean.map_err(wrong(keys[0]))?, deviation.map_err(wrong(keys[1]))?);
    match deviation.iter().find(|&&x| x <= 0.0) {
        Some(x) => Err(wrong(keys[1])(format!("has {x}, which is not above 0"))),
        None => Ok(Some(Channels { mean, deviation })),
    }
}

/// A list of so many finite numbers, or what is wrong with it. Not as JSON, which would read them as `f64` and round twice.
fn numbers(list: &str, channels: usize) -> Result<Vec<f32>, String> {
    let inside = list.trim().strip_prefix('[').and_then(|list| list.strip_suffix(']'));
    let Some(numbers) = inside.map(|inside| inside.split(',').map(str::trim)) else {
        return Err(format!("is {}, which is no list such as [0.5,-1]", Shown(list)));
    };
    match numbers.clone().count() {
        count if count == channels => {}
        count => {
            return Err(format!("has {count} numbers, and the network has {channels} of these channels"));
        }
    }
    let number = |text: &str| {
        let number = text.parse().ok().filter(|x: &f32| x.is_finite());
        number.ok_or_else(|| format!("has {}, which is no finite number", Shown(text)))
    };
    numbers.map(number).collect()
}

/// What a forecaster looks back on.
pub(super) fn window(file: &File<'_>) -> Result<Option<NonZeroU32>, WeightsError> {
    let number = |found: &str| {
        let wrong = || WeightsError::Metadata {
            key: WINDOW,
            expected: "a whole number from 1 to 4294967295",
            found: found.into(),
        };
        found.parse().map_err(|_| wrong())
    };
    file.metadata(WINDOW).map(number).transpose()
}

//! What a file says of itself beside its tensors: how they are to be understood, and the vocabulary.

use std::{
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
use crate::standard::StandardView;

pub(super) const VOCABULARY: &str = "vocabulary";
const ACTIVATION: &str = "activation";
const CLEAN: &str = "clean";

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
    let sides = [
        (model.normalization.inputs, ["input_mean", "input_deviation"]),
        (model.normalization.outputs, ["output_mean", "output_deviation"]),
    ];
    let of_side = |(side, names): (Option<StandardView<'_>>, [_; 2])| {
        side.map(|side| [(names[0], list(side.mean)), (names[1], list(side.deviation))])
    };
    let window = model.window.map(|window| ("window", window.to_string()));
    sides.into_iter().filter_map(of_side).flatten().chain(window).collect()
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

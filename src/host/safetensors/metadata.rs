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
use crate::host::Network;

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

/// The metadata of a network, in JSON, its keys in ascending order.
pub(super) fn of(network: &Network, kind: CellKind, activation: ActivationKind) -> String {
    let vocabulary = Vocabulary::of(network.symbols()).to_json();
    let mut says = BTreeMap::from([
        ("format", "pt"),
        ("cell", kind.name()),
        ("layout", "outputs x inputs"),
        ("biases", biases(kind)),
        (CLEAN, network.clean().name()),
        (VOCABULARY, &vocabulary),
    ]);
    says.extend(conventions(kind).iter().copied());
    if kind == CellKind::Elman {
        says.insert(ACTIVATION, activation.name());
    }
    let object: Vec<_> =
        says.into_iter().map(|(key, value)| format!("\"{key}\":{}", Value::from(value))).collect();
    format!("{{{}}}", object.join(","))
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

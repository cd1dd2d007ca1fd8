//! Tensors by the names that people know them by.

use std::{format, string::String, vec::Vec};

use super::{HostError, Shown, tensors};
use crate::cell::{AnyCell, Cell};
use crate::model::ModelShape;
use crate::trained::Trained;

/// Tensors of a model by words with commas between them, each one of:
///
/// - `all`;
/// - `head`, the output layer; `biases`, those of all layers;
/// - the number of a layer, from 1 at the inputs, an embedding counted;
/// - a tensor's name as [`tensors`] has it, such as `w_hh`: that of all layers, or with a number in front, `2.w_hh`.
///
/// ```
/// use recurve::cell::{ActivationKind, AnyCell, CellKind};
/// use recurve::{ModelShape, Trained, host::select};
///
/// let cell = AnyCell::new(CellKind::Elman, ActivationKind::Tanh, 27, 8);
/// let shape = ModelShape { cell, outputs: 27 };
/// assert_eq!(select(shape, "head")?, Trained::HEAD);
/// assert_eq!(select(shape, "biases,w_hh")?, Trained::B_Q.and(Trained::cell(2)).and(Trained::cell(1)));
/// assert_eq!(shape.trained_len(select(shape, "1")?), (27 + 8 + 1) * 8);
/// assert!(select(shape, "2").is_err());
/// # Ok::<(), recurve::host::HostError>(())
/// ```
///
/// # Errors
/// [`HostError::Setting`] names the word that means nothing here, and what there is.
pub fn select(shape: ModelShape<AnyCell>, words: &str) -> Result<Trained, HostError> {
    let mut sum = Trained::NONE;
    for word in words.split(',') {
        sum = sum.and(selected(shape, word.trim())?);
    }
    let is_all = shape.trained_len(sum) == shape.params_len();
    Ok(if is_all { Trained::ALL } else { sum })
}

/// What one word means.
fn selected(shape: ModelShape<AnyCell>, word: &str) -> Result<Trained, HostError> {
    let single = shape.cell.layers().len() == 1;
    let layer = word.parse().ok();
    let mut sum = Trained::NONE;
    for (index, tensor) in tensors(shape).into_iter().enumerate() {
        let of_head = index >= shape.cell.tensors();
        // Of a single layer, tensors have no number.
        let number = if single && !of_head { Some(1) } else { tensor.layer };
        let named = match word {
            "all" => true,
            "head" => of_head,
            "biases" => tensor.name.starts_with('b'),
            _ if layer.is_some() => number == layer,
            name => tensor.name == name || tensor.label() == name,
        };
        if named {
            sum = sum.and(at(shape, index));
        }
    }
    if sum == Trained::NONE { Err(unknown(shape, word)) } else { Ok(sum) }
}

/// A tensor by its place among all.
fn at(shape: ModelShape<AnyCell>, index: usize) -> Trained {
    match index.checked_sub(shape.cell.tensors()) {
        None => Trained::cell(index),
        Some(0) => Trained::W_HQ,
        Some(_) => Trained::B_Q,
    }
}

/// The tensors that are trained, as [`select`] takes them.
pub(super) fn names(shape: ModelShape<AnyCell>, trained: Trained) -> String {
    if trained == Trained::ALL {
        return "all".into();
    }
    let all = tensors(shape).into_iter().enumerate();
    let trained = all.filter(|&(index, _)| trained.and(at(shape, index)) == trained);
    let labels: Vec<_> = trained.map(|(_, tensor)| tensor.label()).collect();
    labels.join(",")
}

fn unknown(shape: ModelShape<AnyCell>, word: &str) -> HostError {
    let labels: Vec<_> = tensors(shape).iter().map(|tensor| tensor.label()).collect();
    let (word, layers, labels) = (Shown(word), shape.cell.layers().len(), labels.join(", "));
    HostError::Setting(format!(
        "\"{word}\" is nothing that can be trained here: there are all, head, biases, a layer from 1 to {layers}, \
         and {labels}"
    ))
}

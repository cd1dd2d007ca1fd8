//! Writing: from a network to a state dict.

use std::{collections::BTreeMap, string::String, vec, vec::Vec};

use super::file::{self, Written};
use super::layout::{self, Layout};
use super::names::Names;
use super::{WeightsError, metadata};
use crate::cell::CellKind;
use crate::format::ModelFile;
use crate::params::take;

/// The bytes of a file that `PyTorch` takes: tensors of `F32`, with the prefixes `rnn.`, `head.` and `embedding.`, and
/// the conventions in its metadata, of a [`Network`](crate::host::Network) with cleaning and vocabulary, of a
/// [`Forecaster`](crate::host::forecast::Forecaster) with window, means and deviations.
///
/// # Errors
/// [`WeightsError::Unsupported`] for a network that `PyTorch` has not: with a layer without hidden state, with layers of
/// several kinds or widths, or with a GRU that applies its reset gate before the recurrent product.
pub fn export<'a>(model: impl Into<ModelFile<'a>>) -> Result<Vec<u8>, WeightsError> {
    let file = model.into();
    let shape = file.shape;
    let (kind, activation) = layout::check(shape.cell)?;
    let has_embedding = shape.cell.layers().first().is_some_and(|layer| layer.kind() == CellKind::Embedding);
    let layout = Layout::of(shape, &Names::usual(has_embedding));
    file::emit(&tensors(file.weights, &layout), &metadata::of(file, kind, activation))
}

/// The tensors, zero where no weight of ours is.
fn tensors(mut ours: &[f32], layout: &Layout) -> Vec<Written> {
    let bytes = |shape: &[usize]| vec![0; shape.iter().product::<usize>() * size_of::<f32>()];
    let empty = layout.specs.iter().map(|spec| (spec.name.clone(), bytes(&spec.shape)));
    let mut theirs: BTreeMap<String, Vec<u8>> = empty.collect();
    for part in &layout.parts {
        let from = take(&mut ours, part.len());
        let Some(to) = theirs.get_mut(&part.name) else { continue };
        let (to, _) = to.as_chunks_mut();
        for (&x, place) in from.iter().zip(part.places()) {
            if let Some(to) = to.get_mut(place) {
                *to = x.to_le_bytes();
            }
        }
    }
    let written = |spec: &layout::Spec| {
        let bytes = theirs.remove(&spec.name).unwrap_or_default();
        Written { name: spec.name.clone(), shape: spec.shape.clone(), bytes }
    };
    layout.specs.iter().map(written).collect()
}

//! Which tensors a network has in `PyTorch`, and where in them our weights lie.

use std::{format, string::String, string::ToString, vec, vec::Vec};

use super::WeightsError;
use super::names::Names;
use crate::cell::{ActivationKind, AnyCell, Cell, CellKind, Layer, ResetKind};
use crate::model::ModelShape;

/// A tensor of `PyTorch`'s.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spec {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    /// Whether the shape depends on the vocabulary.
    pub(super) by_symbols: bool,
}

/// Where one of our tensors lies in one of `PyTorch`'s.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: String,
    /// What is added to it.
    pub(super) second: Option<String>,
    /// Rows and columns of ours.
    pub(super) size: (usize, usize),
    /// The row of theirs where it begins; of a bias, the element.
    first: usize,
    /// Whether our columns are their rows.
    transposed: bool,
}

impl Part {
    fn matrix(name: &str, first: usize, rows: usize, columns: usize) -> Self {
        Self { name: name.into(), second: None, size: (rows, columns), first, transposed: true }
    }

    fn bias(name: &str, first: usize, len: usize) -> Self {
        Self { name: name.into(), second: None, size: (1, len), first, transposed: false }
    }

    /// The number of weights.
    pub(super) const fn len(&self) -> usize {
        self.size.0.saturating_mul(self.size.1)
    }

    /// The places in theirs, in our order.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        let ((rows, columns), first, transposed) = (self.size, self.first, self.transposed);
        (0..rows).flat_map(move |row| {
            (0..columns).map(move |column| {
                if transposed { (first + column) * rows + row } else { first + row * columns + column }
            })
        })
    }
}

/// The tensors of a network in the order of a state dict, and where our weights lie in them, in our order.
pub(super) struct Layout {
    pub(super) specs: Vec<Spec>,
    pub(super) parts: Vec<Part>,
}

impl Layout {
    /// Without the specs of biases that no file of a network made with `bias=False` has: those of all recurrent layers, if
    /// there is none, and that of the output layer. Their parts stay, and are zero.
    pub(super) fn with_biases_of(mut self, all: &[String], names: &Names) -> Self {
        let of_layers = |name: &String| {
            name.strip_prefix(names.rnn.as_str()).is_some_and(|name| name.starts_with("bias_"))
        };
        let of_head = format!("{}bias", names.head);
        let (has_layers, has_head) = (all.iter().any(of_layers), all.contains(&of_head));
        self.specs
            .retain(|Spec { name, .. }| (has_layers || !of_layers(name)) && (has_head || *name != of_head));
        self
    }

    /// The layout of a network that `PyTorch` has: see [`check`].
    pub(super) fn of(shape: ModelShape<AnyCell>, names: &Names) -> Self {
        let (mut specs, mut parts) = (Vec::new(), Vec::new());
        let (embedding, layers) = split(shape.cell.layers());
        if let (Some(embedding), Some(prefix)) = (embedding, &names.embedding) {
            let (name, size) = (format!("{prefix}weight"), (embedding.inputs(), embedding.hidden()));
            specs.push(Spec { name: name.clone(), shape: vec![size.0, size.1], by_symbols: true });
            parts.push(Part { name, second: None, size, first: 0, transposed: false });
        }
        for (index, layer) in layers.iter().enumerate() {
            let names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
                .map(|stem| format!("{}{stem}_l{index}", names.rnn));
            let reads_symbols = index == 0 && embedding.is_none();
            specs.extend(layer_specs(*layer, &names, reads_symbols));
            parts.extend(layer_parts(*layer, &names));
        }
        let (h, q) = (shape.cell.hidden(), shape.outputs);
        let [weight, bias] = ["weight", "bias"].map(|stem| format!("{}{stem}", names.head));
        parts.extend([Part::matrix(&weight, 0, h, q), Part::bias(&bias, 0, q)]);
        let of_head = [(weight, vec![q, h]), (bias, vec![q])];
        specs.extend(of_head.map(|(name, shape)| Spec { name, shape, by_symbols: true }));
        Self { specs, parts }
    }
}

/// The embedding, if there is one, and the layers above it.
fn split(layers: &[Layer]) -> (Option<Layer>, &[Layer]) {
    match layers {
        [first, above @ ..] if first.kind() == CellKind::Embedding => (Some(*first), above),
        layers => (None, layers),
    }
}

/// Gates that lie side by side, the candidate of a GRU counted in.
pub(super) const fn gates(kind: CellKind) -> usize {
    match kind {
        CellKind::Gru => 3,
        CellKind::Lstm => 4,
        _ => 1,
    }
}

fn layer_specs(layer: Layer, names: &[String; 4], reads_symbols: bool) -> [Spec; 4] {
    let (d, h) = (layer.inputs(), layer.hidden());
    let rows = gates(layer.kind()).saturating_mul(h);
    let [ih, hh, b_ih, b_hh] = names.clone();
    let spec = |name, shape, by_symbols| Spec { name, shape, by_symbols };
    [
        spec(ih, vec![rows, d], reads_symbols),
        spec(hh, vec![rows, h], false),
        spec(b_ih, vec![rows], false),
        spec(b_hh, vec![rows], false),
    ]
}

fn layer_parts(layer: Layer, [ih, hh, b_ih, b_hh]: &[String; 4]) -> Vec<Part> {
    let (d, h) = (layer.inputs(), layer.hidden());
    // Of a GRU r and z, of the others all.
    let side_by_side = match layer.kind() {
        CellKind::Gru => 2 * h,
        kind => gates(kind) * h,
    };
    let summed = Part { second: Some(b_hh.clone()), ..Part::bias(b_ih, 0, side_by_side) };
    let mut parts = vec![Part::matrix(ih, 0, d, side_by_side), Part::matrix(hh, 0, h, side_by_side), summed];
    if layer.kind() == CellKind::Gru {
        parts.extend([Part::matrix(ih, 2 * h, d, h), Part::matrix(hh, 2 * h, h, h)]);
        parts.extend([Part::bias(b_ih, 2 * h, h), Part::bias(b_hh, 2 * h, h)]);
    }
    parts
}

/// The kind of all layers and their activation, if `PyTorch` has a module that is such a network.
pub(super) fn check(cell: AnyCell) -> Result<(CellKind, ActivationKind), WeightsError> {
    let refused = |why: &str| Err(WeightsError::Unsupported(format!("PyTorch has no such network: {why}")));
    let (_, layers) = split(cell.layers());
    let Some(first) = layers.first() else {
        return refused("there is no recurrent layer above the embedding");
    };
    for layer in layers {
        match layer.kind() {
            CellKind::Elman | CellKind::Gru | CellKind::Lstm => {}
            CellKind::Feedforward => {
                return refused("torch.nn.RNN always has a hidden state, and feedforward has none");
            }
            CellKind::Embedding => return refused("an embedding reads the symbols, not the layer below it"),
        }
        if layer.kind() != first.kind() || layer.activation() != first.activation() {
            return refused("all layers of torch.nn.RNN, GRU or LSTM are of one kind, and these are not");
        }
        if layer.hidden() != first.hidden() {
            let widths = format!("these have {} and {}", first.hidden(), layer.hidden());
            return refused(&("all layers have the same number of hidden units, and ".to_string() + &widths));
        }
        if layer.reset() == Some(ResetKind::Before) {
            return refused(
                "torch.nn.GRU applies its reset gate after the recurrent product, and this one before it",
            );
        }
    }
    Ok((first.kind(), first.activation()))
}

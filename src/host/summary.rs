//! What a model consists of: its tensors, and the bytes that training it on a host takes.

use std::{format, string::String, vec, vec::Vec};

use super::{HostError, Settings, buffer::check_available};
use crate::cell::{AnyCell, Cell, GruShape, Inputs, Layer, ResetKind};
use crate::memory::{TrainingMemory, bytes, sum};
use crate::model::ModelShape;
use crate::optim::Optimizer;

/// A tensor of weights: its name in the formulas, and its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tensor {
    /// The name, such as `w_xh`.
    pub name: &'static str,
    /// Which layer of a stack it belongs to, from 1 at the inputs; none in a single cell and in the output layer.
    pub layer: Option<usize>,
    /// Rows; 1 for a bias.
    pub rows: usize,
    /// Columns; the elements of a row are contiguous.
    pub columns: usize,
}

impl Tensor {
    const fn new(name: &'static str, layer: Option<usize>, rows: usize, columns: usize) -> Self {
        Self { name, layer, rows, columns }
    }

    /// The name, with its layer in front where there are several: `2.w_xh`.
    #[must_use]
    pub fn label(self) -> String {
        self.layer.map_or_else(|| self.name.into(), |layer| format!("{layer}.{}", self.name))
    }

    /// The number of weights.
    #[must_use]
    pub const fn len(self) -> usize {
        self.rows.saturating_mul(self.columns)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// The tensors of a model, in the order in which they lie in its flat weights.
///
/// ```
/// use recurve::cell::{ActivationKind, AnyCell, CellKind};
/// use recurve::{ModelShape, host::tensors};
///
/// let cell = AnyCell::new(CellKind::Elman, ActivationKind::Tanh, 27, 8);
/// let names: Vec<_> = tensors(ModelShape { cell, outputs: 27 }).iter().map(|t| t.name).collect();
/// assert_eq!(names, ["w_xh", "w_hh", "b_h", "w_hq", "b_q"]);
/// ```
#[must_use]
pub fn tensors(shape: ModelShape<AnyCell>) -> Vec<Tensor> {
    let layers = shape.cell.layers();
    let number = |index| (layers.len() > 1).then_some(index + 1);
    let of_cell = layers.iter().enumerate().flat_map(|(i, layer)| of_layer(*layer, number(i)));
    let (h, q) = (shape.cell.hidden(), shape.outputs);
    of_cell.chain([Tensor::new("w_hq", None, h, q), Tensor::new("b_q", None, 1, q)]).collect()
}

/// The tensors of a layer.
fn of_layer(of: Layer, number: Option<usize>) -> Vec<Tensor> {
    let (d, h) = (of.inputs(), of.hidden());
    let tensor = |name, rows, columns| Tensor::new(name, number, rows, columns);
    match of {
        Layer::Elman(_) => vec![tensor("w_xh", d, h), tensor("w_hh", h, h), tensor("b_h", 1, h)],
        Layer::Embedding(_) => vec![tensor("w_e", d, h)],
        Layer::Feedforward(_) => vec![tensor("w_xh", d, h), tensor("b_h", 1, h)],
        Layer::Gru(GruShape { reset, .. }) => {
            let mut all = vec![tensor("w_xg", d, 2 * h), tensor("w_hg", h, 2 * h), tensor("b_g", 1, 2 * h)];
            all.extend([tensor("w_xn", d, h), tensor("w_hn", h, h), tensor("b_xn", 1, h)]);
            all.extend((reset == ResetKind::After).then(|| tensor("b_hn", 1, h)));
            all
        }
        Layer::Lstm(_) => {
            vec![tensor("w_x", d, 4 * h), tensor("w_h", h, 4 * h), tensor("b", 1, 4 * h)]
        }
    }
}

/// Bytes that a [`Trainer`](super::Trainer) takes as long as it is there. A [checkpoint](super::checkpoint) takes the weights,
/// the state, what the optimiser remembers and the best weights once more, until it has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrainerMemory {
    /// What training takes anywhere, and what gradients of many sequences are summed in.
    pub training: TrainingMemory,
    /// The states of all sequences as they were before a window.
    pub state_before: usize,
    /// Copies of weights and of what their gradients are made of, which make training faster.
    pub pack: usize,
    /// A copy of the weights that are trained, if others are frozen.
    pub trained: usize,
    /// The weights that did best so far, if they are kept.
    pub best: usize,
    /// The text.
    pub tokens: usize,
}

impl TrainerMemory {
    /// For a model of this shape, trained like this on so many tokens.
    #[must_use]
    pub fn of(shape: ModelShape<AnyCell>, settings: &Settings, tokens: usize) -> Self {
        let trained_len = shape.trained_len(settings.trained);
        let optimizer_len = settings.optimizer.state_len(trained_len);
        let dropping = shape.with_dropout(settings.dropout, Inputs::Tokens(&[]));
        let all = dropping.training_memory(settings.extent(), optimizer_len);
        let scratch = bytes(dropping.scratch_len(settings.extent()));
        let training = TrainingMemory { gradients: bytes(trained_len), scratch, ..all };
        let copies = if settings.shuffle_offset { 2 } else { 1 };
        Self {
            training,
            state_before: training.state,
            pack: bytes(shape.pack_len(settings.threads)),
            trained: bytes(settings.copied_len(shape)),
            best: if settings.keep_best { training.weights } else { 0 },
            tokens: tokens.saturating_mul(copies * size_of::<u16>()),
        }
    }

    /// All of it.
    #[must_use]
    pub const fn total(&self) -> usize {
        sum(&[self.training.total(), self.state_before, self.pack, self.trained, self.best, self.tokens])
    }

    /// All but the weights: what is still to be allocated once there is a network.
    #[must_use]
    pub const fn beside_weights(&self) -> usize {
        let training = TrainingMemory { weights: 0, ..self.training };
        Self { training, ..*self }.total()
    }

    /// Refuses sizes that the memory at hand does not hold, before anything is allocated, the network included.
    ///
    /// # Errors
    /// [`HostError::Memory`], which says how much would be needed.
    pub fn check(&self) -> Result<(), HostError> {
        check_available(self.total())
    }

    /// The same once the network is there.
    ///
    /// # Errors
    /// [`HostError::Memory`], which says how much more would be needed.
    pub fn check_beside_weights(&self) -> Result<(), HostError> {
        check_available(self.beside_weights())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{ActivationKind, CellKind};
    use crate::host::AnyOptimizer;
    use crate::optim::Adam;

    fn shape(kind: CellKind, hidden: usize) -> ModelShape<AnyCell> {
        ModelShape { cell: AnyCell::new(kind, ActivationKind::Tanh, 5, hidden), outputs: 7 }
    }

    /// They are those of the cell and of the output layer, in order, and together all weights.
    fn check_tensors(shape: ModelShape<AnyCell>) {
        let tensors = tensors(shape);
        assert_eq!(tensors.iter().map(|t| t.len()).sum::<usize>(), shape.params_len());
        let of_cell = (0..).map_while(|i| shape.cell.tensor(i));
        let sizes: Vec<_> = of_cell.chain(shape.head().tensors()).collect();
        assert_eq!(tensors.iter().map(|t| (t.rows, t.columns)).collect::<Vec<_>>(), sizes);
    }

    #[test]
    fn tensors_are_all_weights() {
        for &kind in CellKind::ALL {
            check_tensors(shape(kind, 3));
        }
        let original = GruShape { inputs: 5, hidden: 3, reset: ResetKind::Before };
        check_tensors(ModelShape { cell: original.into(), outputs: 7 });
        let lstm = AnyCell::new(CellKind::Lstm, ActivationKind::Tanh, 3, 2);
        let stack = ModelShape { cell: AnyCell::from(original).then(lstm).unwrap(), outputs: 7 };
        check_tensors(stack);
        let labels: Vec<_> = tensors(stack).iter().map(|t| t.label()).collect();
        assert_eq!(labels[5..], ["1.b_xn", "2.w_x", "2.w_h", "2.b", "w_hq", "b_q"]);
    }

    #[test]
    fn memory_is_counted_and_never_wraps() {
        let optimizer = AnyOptimizer::Adam(Adam::new(0.01));
        let settings = Settings::new(2, 4, optimizer);
        let memory = TrainerMemory::of(shape(CellKind::Elman, 3), &settings, 1000);
        assert_eq!(memory.training.tape, 4 * (4 + 1) * 2 * 3);
        assert!(memory.total() >= 4 * memory.training.weights + 2000 && memory.check().is_ok());
        assert_eq!(memory.beside_weights(), memory.total() - memory.training.weights);
        let (shape, many) = (shape(CellKind::Elman, 3), Settings::new(200, 4, optimizer));
        let scratch = TrainerMemory::of(shape, &many, 1000).training.scratch;
        assert_eq!(scratch, 4 * shape.scratch_len(many.extent()));
        assert_eq!(scratch - shape.training_memory(many.extent(), 0).scratch, memory.training.weights);
        let huge = TrainerMemory::of(self::shape(CellKind::Elman, usize::MAX), &settings, 0);
        assert_eq!(huge.total(), usize::MAX);
    }
}

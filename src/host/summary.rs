//! What a model consists of: its tensors, and the bytes that using it and training it take.

use std::{vec, vec::Vec};

use super::{HostError, Settings, buffer::check_available};
use crate::cell::{AnyCell, Cell};
use crate::model::ModelShape;
use crate::optim::Optimizer;

/// A tensor of weights: its name in the formulas, and its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// The name, such as `w_xh`.
    pub name: &'static str,
    /// Rows; 1 for a bias.
    pub rows: usize,
    /// Columns; the elements of a row are contiguous.
    pub columns: usize,
}

impl Tensor {
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
    let (d, h, q) = (shape.cell.inputs(), shape.cell.hidden(), shape.outputs);
    let tensor = |name, rows, columns| Tensor { name, rows, columns };
    let mut all = match shape.cell {
        AnyCell::Elman(_) => vec![tensor("w_xh", d, h), tensor("w_hh", h, h), tensor("b_h", 1, h)],
        AnyCell::Feedforward(_) => vec![tensor("w_xh", d, h), tensor("b_h", 1, h)],
    };
    all.extend([tensor("w_hq", h, q), tensor("b_q", 1, q)]);
    all
}

/// Bytes that one step of one sequence works in, beside the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepMemory {
    /// The state that is carried from step to step.
    pub state: usize,
    /// Working memory without meaning between steps.
    pub scratch: usize,
    /// The outputs.
    pub logits: usize,
}

impl StepMemory {
    /// For a model of this shape.
    #[must_use]
    pub fn of(shape: ModelShape<AnyCell>) -> Self {
        Self {
            state: bytes(shape.state_len(1)),
            scratch: bytes(shape.step_scratch_len(1)),
            logits: bytes(shape.outputs),
        }
    }
}

/// Bytes that training works in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrainingMemory {
    /// The weights.
    pub weights: usize,
    /// Their gradients.
    pub gradients: usize,
    /// What the optimiser remembers.
    pub optimizer: usize,
    /// The states of all sequences of the batch, and as they were before the window.
    pub state: usize,
    /// What the forward pass of a window keeps for the backward pass.
    pub tape: usize,
    /// Outputs, gradients of hidden units, and what the backward pass works in.
    pub scratch: usize,
    /// Transposed copies of weights, which make the backward pass faster.
    pub pack: usize,
    /// The text; none unless [`with_tokens`](Self::with_tokens) says how long it is.
    pub tokens: usize,
}

impl TrainingMemory {
    /// For a model of this shape, trained like this, beside the text.
    #[must_use]
    pub fn of(shape: ModelShape<AnyCell>, settings: &Settings) -> Self {
        let params = shape.params_len();
        let extent = settings.extent();
        Self {
            weights: bytes(params),
            gradients: bytes(params),
            optimizer: bytes(settings.optimizer.state_len(params)),
            state: bytes(shape.state_len(settings.batch).saturating_mul(2)),
            tape: bytes(shape.tape_len(extent)),
            scratch: bytes(shape.scratch_len(extent)),
            pack: bytes(shape.pack_len()),
            tokens: 0,
        }
    }

    /// The same with a text of this many tokens.
    #[must_use]
    pub const fn with_tokens(self, tokens: usize) -> Self {
        Self { tokens: tokens.saturating_mul(size_of::<u16>()), ..self }
    }

    /// All of it.
    #[must_use]
    pub fn total(&self) -> usize {
        self.beside_weights().saturating_add(self.weights)
    }

    /// All but the weights: what is still to be allocated once there is a network.
    #[must_use]
    pub fn beside_weights(&self) -> usize {
        let Self { weights: _, gradients, optimizer, state, tape, scratch, pack, tokens } = *self;
        [gradients, optimizer, state, tape, scratch, pack, tokens].into_iter().fold(0, usize::saturating_add)
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

const fn bytes(floats: usize) -> usize {
    floats.saturating_mul(size_of::<f32>())
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

    #[test]
    fn tensors_are_all_weights() {
        for &kind in CellKind::ALL {
            let shape = shape(kind, 3);
            assert_eq!(tensors(shape).iter().map(|t| t.len()).sum::<usize>(), shape.params_len());
        }
    }

    #[test]
    fn memory_is_counted_and_never_wraps() {
        let optimizer = AnyOptimizer::Adam(Adam::new(0.01));
        let settings = Settings::new(2, 4, optimizer);
        let memory = TrainingMemory::of(shape(CellKind::Elman, 3), &settings);
        assert_eq!(memory.tape, 4 * (4 + 1) * 2 * 3);
        assert!(memory.total() >= 4 * memory.weights && memory.check().is_ok());
        assert_eq!(
            StepMemory::of(shape(CellKind::Elman, 3)),
            StepMemory { state: 12, scratch: 12, logits: 28 }
        );
        assert_eq!(memory.beside_weights(), memory.total() - memory.weights);
        assert_eq!(memory.with_tokens(1000).total(), memory.total() + 2000);
        let huge = TrainingMemory::of(shape(CellKind::Elman, usize::MAX), &settings);
        assert_eq!(huge.total(), usize::MAX);
    }
}

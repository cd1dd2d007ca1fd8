//! The bytes that a model takes, known before it runs: for a fixed model while the program is compiled.
//!
//! Weights, read in place, take flash; all else takes RAM and is lent by the caller. The stack comes on top: at most
//! 512 bytes for a step and 1 KiB for a window on the boards of `no_std_check`, but for a step through an embedding on
//! AArch64 (704) and a window with Huber's loss on x86-64 without SSE (1,216).

use crate::cell::{Cell, Extent, TypedCell};
use crate::head::Dense;
use crate::model::{Model, ModelShape};
use crate::params::Flat;

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
    /// All of it.
    #[must_use]
    pub const fn total(self) -> usize {
        sum(&[self.state, self.scratch, self.logits])
    }
}

/// Bytes that training works in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrainingMemory {
    /// The weights, which training changes: in RAM.
    pub weights: usize,
    /// Their gradients.
    pub gradients: usize,
    /// What the optimiser remembers.
    pub optimizer: usize,
    /// The states of all sequences of the batch.
    pub state: usize,
    /// What the forward pass of a window keeps for the backward pass.
    pub tape: usize,
    /// Outputs, gradients of hidden units, and what the backward pass works in; where gradients of many sequences are summed
    /// by halves, also the second half.
    pub scratch: usize,
}

impl TrainingMemory {
    /// A [`Workspace`](crate::Workspace): tape and scratch.
    #[must_use]
    pub const fn workspace(self) -> usize {
        sum(&[self.tape, self.scratch])
    }

    /// All of it.
    #[must_use]
    pub const fn total(self) -> usize {
        sum(&[self.weights, self.gradients, self.optimizer, self.state, self.workspace()])
    }
}

impl<C: TypedCell<H>, const H: usize, const O: usize> Model<C, H, O> {
    /// What a step takes, beside the weights ([`BYTES`](Flat::BYTES), the same for gradients).
    ///
    /// ```
    /// use recurve::{CharRnn, params::Flat};
    ///
    /// type Network = CharRnn<28, 32>;
    /// const { assert!(Network::BYTES <= 12 * 1024, "weights beyond their share of flash") }
    /// const { assert!(Network::STEP_MEMORY.total() <= 512, "more RAM than is left") }
    /// ```
    pub const STEP_MEMORY: StepMemory = StepMemory {
        state: C::State::<1>::BYTES,
        scratch: C::StepScratch::<1>::BYTES,
        logits: <[f32; O]>::BYTES,
    };

    /// What training takes with windows of `T` steps of `B` sequences, and an optimiser whose state has so many floats:
    /// see [`Sgd::state_len`](crate::Sgd::state_len) and [`Adam::state_len`](crate::Adam::state_len).
    ///
    /// ```
    /// use recurve::{Adam, CharRnn, Sgd, params::Flat};
    ///
    /// // A Cortex-M0 with 16 KB of RAM trains 8 hidden units with Adam; 16 would be too many.
    /// type Network = CharRnn<28, 8>;
    /// const ADAM: Adam = Adam::new(0.01);
    /// const BYTES: usize = Network::training_memory::<1, 8>(ADAM.state_len(Network::LEN)).total();
    /// const { assert!(BYTES <= 16 * 1024, "the training does not fit into RAM") }
    ///
    /// // Momentum asks for as much as the weights again, plain descent for nothing.
    /// const SGD: Sgd = Sgd { lr: 0.1, momentum: 0.9 };
    /// const LESS: usize = Network::training_memory::<1, 8>(SGD.state_len(Network::LEN)).total();
    /// const { assert!(LESS + Network::BYTES + 8 == BYTES) }
    /// ```
    #[must_use]
    pub const fn training_memory<const B: usize, const T: usize>(optimizer_len: usize) -> TrainingMemory {
        TrainingMemory {
            weights: Self::BYTES,
            gradients: Self::BYTES,
            optimizer: bytes(optimizer_len),
            state: C::State::<B>::BYTES,
            tape: C::Tape::<B, T>::BYTES,
            scratch: <[[[f32; O]; B]; T]>::BYTES
                + <[[[f32; H]; B]; T]>::BYTES
                + C::BackwardScratch::<B, T>::BYTES,
        }
    }

    /// What training the output layer alone takes ([`tune`](Self::tune)), with steps of `B` sequences and an optimiser
    /// whose state has so many floats. The cell's weights stay in flash, and there is no tape.
    ///
    /// ```
    /// use recurve::{Adam, Dense, Gru, Model, params::Flat};
    ///
    /// // 64 units of a GRU are 55 kB of flash; their output layer learns in 5 kB of RAM.
    /// type Network = Model<Gru<6, 64>, 64, 4>;
    /// const ADAM: Adam = Adam::new(0.01);
    /// const RAM: usize = Network::tuning_memory::<1>(ADAM.state_len(Dense::<64, 4>::LEN)).total();
    /// const { assert!(Network::BYTES > 50_000 && RAM < 6_000) }
    /// ```
    #[must_use]
    pub const fn tuning_memory<const B: usize>(optimizer_len: usize) -> TrainingMemory {
        TrainingMemory {
            weights: Dense::<H, O>::BYTES,
            gradients: Dense::<H, O>::BYTES,
            optimizer: bytes(optimizer_len),
            state: C::State::<B>::BYTES,
            tape: 0,
            scratch: <[[f32; O]; B]>::BYTES + C::StepScratch::<B>::BYTES,
        }
    }
}

impl<C: Cell> ModelShape<C> {
    /// What a step takes, beside the weights.
    #[must_use]
    pub fn step_memory(self) -> StepMemory {
        StepMemory {
            state: bytes(self.state_len(1)),
            scratch: bytes(self.step_scratch_len(1)),
            logits: bytes(self.outputs),
        }
    }

    /// What training a typed model of this shape takes, as [`Model::training_memory`] says it, with an optimiser whose state
    /// has so many floats. [`ModelShape::gradient`] may want more scratch: [`scratch_len`](Self::scratch_len).
    #[must_use]
    pub fn training_memory(self, extent: Extent, optimizer_len: usize) -> TrainingMemory {
        TrainingMemory {
            weights: bytes(self.params_len()),
            gradients: bytes(self.params_len()),
            optimizer: bytes(optimizer_len),
            state: bytes(self.state_len(extent.batch)),
            tape: bytes(self.tape_len(extent)),
            scratch: bytes(self.one_block_scratch_len(extent)),
        }
    }
}

/// Bytes of so many floats; the largest number if there are more.
pub(crate) const fn bytes(floats: usize) -> usize {
    floats.saturating_mul(size_of::<f32>())
}

/// The sum, or the largest number.
pub(crate) const fn sum(mut parts: &[usize]) -> usize {
    let mut sum: usize = 0;
    while let [part, rest @ ..] = parts {
        sum = sum.saturating_add(*part);
        parts = rest;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{Elman, Embedding, Feedforward, Gru, Lstm, Relu, ResetBefore, Stack};
    use crate::{Adam, Workspace};

    /// What is said of a type is what its values take, and what is said of its sizes.
    fn agree<C: TypedCell<6>>() {
        let optimizer = Adam::new(0.1).state_len(Model::<C, 6, 5>::LEN);
        let typed = Model::<C, 6, 5>::training_memory::<2, 3>(optimizer);
        let shape = Model::<C, 6, 5>::SHAPE;
        assert_eq!(typed, shape.training_memory(Extent { batch: 2, window: 3 }, optimizer));
        assert_eq!(Model::<C, 6, 5>::STEP_MEMORY, shape.step_memory());
        assert_eq!(typed.workspace(), Workspace::<C, 6, 5, 2, 3>::BYTES);
        assert_eq!(typed.weights, 4 * shape.params_len());
    }

    #[test]
    fn types_and_sizes_agree() {
        agree::<Elman<4, 6>>();
        agree::<Feedforward<4, 6, Relu>>();
        agree::<Gru<4, 6>>();
        agree::<Gru<4, 6, ResetBefore>>();
        agree::<Lstm<4, 6>>();
        agree::<Stack<Embedding<4, 3>, Stack<Lstm<3, 5>, Gru<5, 6>>>>();
    }

    #[test]
    fn nothing_wraps() {
        let memory = Model::<Elman<4, 6>, 6, 5>::training_memory::<2, 3>(usize::MAX);
        assert_eq!(memory.total(), usize::MAX);
    }
}

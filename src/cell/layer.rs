//! A single cell whose kind is known at run time: what an [`AnyCell`](super::AnyCell) is a list of.

use rand_core::Rng;

use super::{
    ActivationKind, Backpropagated, Backward, Block, Cell, CellKind, ElmanShape, EmbeddingShape, Extent,
    FeedforwardShape, Gradient, GruShape, Inputs, LstmShape, OnCell, ResetKind, Weights,
};
use crate::crew::Crew;
use crate::init::Init;
use crate::lanes::{Lanes, inlined};

/// The arithmetic of a single cell of any kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layer {
    /// See [`ElmanShape`].
    Elman(ElmanShape),
    /// See [`EmbeddingShape`].
    Embedding(EmbeddingShape),
    /// See [`FeedforwardShape`].
    Feedforward(FeedforwardShape),
    /// See [`GruShape`].
    Gru(GruShape),
    /// See [`LstmShape`].
    Lstm(LstmShape),
}

impl Layer {
    /// A cell of this kind and these sizes. The activation is for cells that have a choice of it; a GRU's reset gate is
    /// applied after the recurrent product.
    #[must_use]
    pub const fn new(kind: CellKind, activation: ActivationKind, inputs: usize, hidden: usize) -> Self {
        match kind {
            CellKind::Elman => Self::Elman(ElmanShape { inputs, hidden, activation }),
            CellKind::Embedding => Self::Embedding(EmbeddingShape { inputs, hidden }),
            CellKind::Feedforward => Self::Feedforward(FeedforwardShape { inputs, hidden, activation }),
            CellKind::Gru => Self::Gru(GruShape { inputs, hidden, reset: ResetKind::After }),
            CellKind::Lstm => Self::Lstm(LstmShape { inputs, hidden }),
        }
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(self) -> CellKind {
        match self {
            Self::Elman(_) => CellKind::Elman,
            Self::Embedding(_) => CellKind::Embedding,
            Self::Feedforward(_) => CellKind::Feedforward,
            Self::Gru(_) => CellKind::Gru,
            Self::Lstm(_) => CellKind::Lstm,
        }
    }

    /// Its activation φ; tanh for cells without a choice.
    #[must_use]
    pub const fn activation(self) -> ActivationKind {
        match self {
            Self::Elman(ElmanShape { activation, .. })
            | Self::Feedforward(FeedforwardShape { activation, .. }) => activation,
            Self::Embedding(_) | Self::Gru(_) | Self::Lstm(_) => ActivationKind::Tanh,
        }
    }

    /// Where its reset gate is applied, if it has one.
    #[must_use]
    pub const fn reset(self) -> Option<ResetKind> {
        match self {
            Self::Gru(GruShape { reset, .. }) => Some(reset),
            _ => None,
        }
    }

    /// d and h.
    pub(crate) const fn sizes(self) -> (usize, usize) {
        match self {
            Self::Elman(ElmanShape { inputs, hidden, .. })
            | Self::Embedding(EmbeddingShape { inputs, hidden })
            | Self::Feedforward(FeedforwardShape { inputs, hidden, .. })
            | Self::Gru(GruShape { inputs, hidden, .. })
            | Self::Lstm(LstmShape { inputs, hidden }) => (inputs, hidden),
        }
    }
}

impl From<ElmanShape> for Layer {
    fn from(cell: ElmanShape) -> Self {
        Self::Elman(cell)
    }
}

impl From<EmbeddingShape> for Layer {
    fn from(cell: EmbeddingShape) -> Self {
        Self::Embedding(cell)
    }
}

impl From<FeedforwardShape> for Layer {
    fn from(cell: FeedforwardShape) -> Self {
        Self::Feedforward(cell)
    }
}

impl From<GruShape> for Layer {
    fn from(cell: GruShape) -> Self {
        Self::Gru(cell)
    }
}

impl From<LstmShape> for Layer {
    fn from(cell: LstmShape) -> Self {
        Self::Lstm(cell)
    }
}

/// Does the same with the cell inside, whichever it is.
macro_rules! of_kind {
    ($layer:expr, $cell:ident => $body:expr) => {
        match $layer {
            Layer::Elman($cell) => $body,
            Layer::Embedding($cell) => $body,
            Layer::Feedforward($cell) => $body,
            Layer::Gru($cell) => $body,
            Layer::Lstm($cell) => $body,
        }
    };
}

/// Implements [`Cell`] by other cells: `$choose!(self, cell => expression)` says which. What runs on lanes gets an
/// attribute, and is done by `$run`.
macro_rules! by_other_cells {
    ($name:ty, $choose:ident, $attribute:meta, $run:path) => {
        impl crate::params::sealed::Sealed for $name {}

        impl Cell for $name {
            fn inputs(self) -> usize {
                $choose!(self, cell => cell.inputs())
            }
            fn hidden(self) -> usize {
                $choose!(self, cell => cell.hidden())
            }
            fn params_len(self) -> usize {
                $choose!(self, cell => cell.params_len())
            }
            fn state_len(self) -> usize {
                $choose!(self, cell => cell.state_len())
            }
            fn step_scratch_len(self, batch: usize) -> usize {
                $choose!(self, cell => cell.step_scratch_len(batch))
            }
            fn tape_len(self, extent: Extent) -> usize {
                $choose!(self, cell => cell.tape_len(extent))
            }
            fn backward_scratch_len(self, extent: Extent) -> usize {
                $choose!(self, cell => cell.backward_scratch_len(extent))
            }
            fn pack_len(self) -> usize {
                $choose!(self, cell => cell.pack_len())
            }

            fn input_pack_len(self) -> usize {
                $choose!(self, cell => cell.input_pack_len())
            }

            #[inline(always)]
            fn run<W: OnCell>(&self, work: W) -> W::Output {
                $choose!(self, cell => cell.run(work))
            }

            fn init<R: Rng + ?Sized>(self, params: &mut [f32], init: Init, rng: &mut R) {
                $choose!(self, cell => cell.init(params, init, rng));
            }

            #[$attribute]
            fn step<L: Lanes>(
                self,
                lanes: L,
                params: &[f32],
                inputs: Inputs<'_>,
                state: &[f32],
                next: &mut [f32],
                scratch: &mut [f32],
            ) {
                $run(
                    lanes,
                    inlined!(|| $choose!(self, cell => cell.step(lanes, params, inputs, state, next, scratch))),
                );
            }

            fn output(self, state: &[f32], batch: usize) -> &[f32] {
                $choose!(self, cell => cell.output(state, batch))
            }

            #[$attribute]
            fn pack<L: Lanes>(self, crew: &impl Crew, lanes: L, params: &[f32], rows: usize, room: &mut [f32]) {
                $run(lanes, inlined!(|| $choose!(self, cell => cell.pack(crew, lanes, params, rows, room))));
            }

            fn begin(self, state: &[f32], block: Block, tape: &mut [f32]) {
                $choose!(self, cell => cell.begin(state, block, tape));
            }

            #[$attribute]
            fn forward<L: Lanes>(
                self,
                lanes: L,
                weights: Weights<'_>,
                inputs: Inputs<'_>,
                block: Block,
                tape: &mut [f32],
            ) {
                $run(
                    lanes,
                    inlined!(|| $choose!(self, cell => cell.forward(lanes, weights, inputs, block, tape))),
                );
            }

            fn outputs(self, tape: &[f32], extent: Extent) -> &[f32] {
                $choose!(self, cell => cell.outputs(tape, extent))
            }

            fn end(self, tape: &[f32], block: Block, state: &mut [f32]) {
                $choose!(self, cell => cell.end(tape, block, state));
            }

            #[$attribute]
            fn backward<L: Lanes>(self, lanes: L, weights: Weights<'_>, pass: Backward<'_>) {
                $run(lanes, inlined!(|| $choose!(self, cell => cell.backward(lanes, weights, pass))));
            }

            fn tensors(self) -> usize {
                $choose!(self, cell => cell.tensors())
            }

            fn tensor(self, index: usize) -> Option<(usize, usize)> {
                $choose!(self, cell => cell.tensor(index))
            }

            #[$attribute]
            fn accumulate<L: Lanes>(
                self,
                lanes: L,
                tensor: usize,
                from: Backpropagated<'_>,
                to: Gradient<'_>,
            ) {
                $run(lanes, inlined!(|| $choose!(self, cell => cell.accumulate(lanes, tensor, from, to))));
            }
        }
    };
}
pub(super) use by_other_cells;

/// Where the caller is.
#[inline(always)]
pub(super) fn here<L: Lanes>(_: L, f: impl FnOnce()) {
    f();
}

by_other_cells!(Layer, of_kind, cfg_attr(not(debug_assertions), inline(always)), here);

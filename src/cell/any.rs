//! A cell whose kind is known at run time: what a host that trains any model works with.

use core::{fmt, ops::Range, str::FromStr};

use rand_core::Rng;

use super::{
    ActivationKind, Backpropagated, Backward, Block, Cell, ElmanShape, Extent, FeedforwardShape, GruShape,
    Inputs, LstmShape, ResetKind, Weights,
};
use crate::init::Init;
use crate::lanes::Lanes;

/// The kinds of cell, by the names that the command line and model files use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CellKind {
    /// The simple recurrent cell, [`Elman`](super::Elman).
    #[default]
    Elman,
    /// The network without hidden state, [`Feedforward`](super::Feedforward).
    Feedforward,
    /// The gated recurrent unit, [`Gru`](super::Gru).
    Gru,
    /// The long short-term memory, [`Lstm`](super::Lstm).
    Lstm,
}

impl CellKind {
    /// All kinds.
    pub const ALL: &[Self] = &[Self::Elman, Self::Feedforward, Self::Gru, Self::Lstm];

    /// The name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Elman => "elman",
            Self::Feedforward => "feedforward",
            Self::Gru => "gru",
            Self::Lstm => "lstm",
        }
    }
}

impl fmt::Display for CellKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for CellKind {
    type Err = UnknownCell;

    fn from_str(name: &str) -> Result<Self, UnknownCell> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name).ok_or(UnknownCell)
    }
}

/// A name that is no cell's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCell;

impl fmt::Display for UnknownCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such cell; there are")?;
        CellKind::ALL.iter().try_for_each(|kind| write!(f, " {kind}"))
    }
}

impl core::error::Error for UnknownCell {}

/// The arithmetic of a cell of any kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnyCell {
    /// See [`ElmanShape`].
    Elman(ElmanShape),
    /// See [`FeedforwardShape`].
    Feedforward(FeedforwardShape),
    /// See [`GruShape`].
    Gru(GruShape),
    /// See [`LstmShape`].
    Lstm(LstmShape),
}

impl AnyCell {
    /// A cell of this kind and these sizes. The activation is for cells that have a choice of it; a GRU's reset gate is
    /// applied after the recurrent product.
    #[must_use]
    pub const fn new(kind: CellKind, activation: ActivationKind, inputs: usize, hidden: usize) -> Self {
        match kind {
            CellKind::Elman => Self::Elman(ElmanShape { inputs, hidden, activation }),
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
            Self::Feedforward(_) => CellKind::Feedforward,
            Self::Gru(_) => CellKind::Gru,
            Self::Lstm(_) => CellKind::Lstm,
        }
    }

    /// Its activation φ; tanh for the gated cells.
    #[must_use]
    pub const fn activation(self) -> ActivationKind {
        match self {
            Self::Elman(ElmanShape { activation, .. })
            | Self::Feedforward(FeedforwardShape { activation, .. }) => activation,
            Self::Gru(_) | Self::Lstm(_) => ActivationKind::Tanh,
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
}

impl From<ElmanShape> for AnyCell {
    fn from(cell: ElmanShape) -> Self {
        Self::Elman(cell)
    }
}

impl From<FeedforwardShape> for AnyCell {
    fn from(cell: FeedforwardShape) -> Self {
        Self::Feedforward(cell)
    }
}

impl From<GruShape> for AnyCell {
    fn from(cell: GruShape) -> Self {
        Self::Gru(cell)
    }
}

impl From<LstmShape> for AnyCell {
    fn from(cell: LstmShape) -> Self {
        Self::Lstm(cell)
    }
}

/// Does the same with the cell inside, whichever it is.
macro_rules! delegate {
    ($any:expr, $cell:ident => $body:expr) => {
        match $any {
            AnyCell::Elman($cell) => $body,
            AnyCell::Feedforward($cell) => $body,
            AnyCell::Gru($cell) => $body,
            AnyCell::Lstm($cell) => $body,
        }
    };
}

impl crate::params::sealed::Sealed for AnyCell {}

impl Cell for AnyCell {
    fn inputs(self) -> usize {
        delegate!(self, cell => cell.inputs())
    }
    fn hidden(self) -> usize {
        delegate!(self, cell => cell.hidden())
    }
    fn params_len(self) -> usize {
        delegate!(self, cell => cell.params_len())
    }
    fn state_len(self) -> usize {
        delegate!(self, cell => cell.state_len())
    }
    fn step_scratch_len(self, batch: usize) -> usize {
        delegate!(self, cell => cell.step_scratch_len(batch))
    }
    fn tape_len(self, extent: Extent) -> usize {
        delegate!(self, cell => cell.tape_len(extent))
    }
    fn backward_scratch_len(self, extent: Extent) -> usize {
        delegate!(self, cell => cell.backward_scratch_len(extent))
    }
    fn pack_len(self) -> usize {
        delegate!(self, cell => cell.pack_len())
    }

    fn init<R: Rng + ?Sized>(self, params: &mut [f32], init: Init, rng: &mut R) {
        delegate!(self, cell => cell.init(params, init, rng));
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn step<L: Lanes>(
        self,
        lanes: L,
        params: &[f32],
        inputs: Inputs<'_>,
        state: &[f32],
        next: &mut [f32],
        scratch: &mut [f32],
    ) {
        delegate!(self, cell => cell.step(lanes, params, inputs, state, next, scratch));
    }

    fn output(self, state: &[f32], batch: usize) -> &[f32] {
        delegate!(self, cell => cell.output(state, batch))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn pack<L: Lanes>(self, lanes: L, params: &[f32], rows: usize, room: &mut [f32]) {
        delegate!(self, cell => cell.pack(lanes, params, rows, room));
    }

    fn begin(self, state: &[f32], block: Block, tape: &mut [f32]) {
        delegate!(self, cell => cell.begin(state, block, tape));
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn forward<L: Lanes>(
        self,
        lanes: L,
        weights: Weights<'_>,
        inputs: Inputs<'_>,
        block: Block,
        tape: &mut [f32],
    ) {
        delegate!(self, cell => cell.forward(lanes, weights, inputs, block, tape));
    }

    fn outputs(self, tape: &[f32], extent: Extent) -> &[f32] {
        delegate!(self, cell => cell.outputs(tape, extent))
    }

    fn end(self, tape: &[f32], block: Block, state: &mut [f32]) {
        delegate!(self, cell => cell.end(tape, block, state));
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn backward<L: Lanes>(self, lanes: L, weights: Weights<'_>, pass: Backward<'_>) {
        delegate!(self, cell => cell.backward(lanes, weights, pass));
    }

    fn tensor(self, index: usize) -> Option<(usize, usize)> {
        delegate!(self, cell => cell.tensor(index))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn accumulate<L: Lanes, const TENSOR: usize>(
        self,
        lanes: L,
        rows: &Range<usize>,
        from: Backpropagated<'_>,
        room: &mut [f32],
        grads: &mut [f32],
    ) {
        delegate!(self, cell => cell.accumulate::<L, TENSOR>(lanes, rows, from, room, grads));
    }
}

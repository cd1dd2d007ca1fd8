//! The kinds of cell, as values and by name.

use core::{fmt, str::FromStr};

/// The kinds of cell, by the names that the command line and model files use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CellKind {
    /// The simple recurrent cell, [`Elman`](super::Elman).
    #[default]
    Elman,
    /// Learned vectors of tokens, [`Embedding`](super::Embedding): what a cell reads, and hardly a cell of its own.
    Embedding,
    /// The network without hidden state, [`Feedforward`](super::Feedforward).
    Feedforward,
    /// The gated recurrent unit, [`Gru`](super::Gru).
    Gru,
    /// The long short-term memory, [`Lstm`](super::Lstm).
    Lstm,
}

impl CellKind {
    /// All kinds.
    pub const ALL: &[Self] = &[Self::Elman, Self::Embedding, Self::Feedforward, Self::Gru, Self::Lstm];

    /// The name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Elman => "elman",
            Self::Embedding => "embedding",
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
#[non_exhaustive]
pub struct UnknownCell;

impl fmt::Display for UnknownCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such cell; there are")?;
        CellKind::ALL.iter().try_for_each(|kind| write!(f, " {kind}"))
    }
}

impl core::error::Error for UnknownCell {}

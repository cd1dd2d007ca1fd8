//! Flags that several commands have: how a text is read, and what a network is made of.

use clap::Args as Group;
use recurve::cell::{ActivationKind, AnyCell, CellKind, NoStack};
use recurve::host::text::Clean;

use super::values::{self, size};

/// How a text is read.
#[derive(Debug, Group)]
pub struct ReadingArgs {
    /// none, or letters: every run of characters other than A-Z a-z becomes one space, in lower case
    #[arg(long, value_name = "HOW", default_value_t)]
    pub clean: Clean,
    /// Read bytes instead of the characters of UTF-8
    #[arg(long)]
    pub bytes: bool,
}

/// What a network between its inputs and its outputs is made of.
#[derive(Debug, Group)]
pub struct LayerArgs {
    /// Cells on top of each other, each reading the hidden units of the one below
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = values::layers)]
    pub layers: usize,
    /// Read each symbol as a learned vector of N elements, and not as one-hot
    #[arg(long, value_name = "N", value_parser = size)]
    pub embedding: Option<usize>,
}

impl LayerArgs {
    /// The layers, of cells of this kind with so many hidden units, for a vocabulary of so many symbols.
    pub fn cells(&self, kind: CellKind, hidden: usize, symbols: usize) -> Result<AnyCell, NoStack> {
        let deep = |inputs| AnyCell::deep(kind, ActivationKind::Tanh, inputs, hidden, self.layers);
        match self.embedding {
            Some(width) => {
                AnyCell::new(CellKind::Embedding, ActivationKind::Tanh, symbols, width).then(deep(width)?)
            }
            None => deep(symbols),
        }
    }
}

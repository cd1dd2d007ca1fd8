//! A cell or a stack of cells whose kinds and sizes are known at run time: what a host that trains any model works
//! with.

use core::fmt;

use rand_core::Rng;

use super::layer::{by_other_cells, here};
use super::{
    ActivationKind, Backpropagated, Backward, Block, Cell, CellKind, Extent, Gradient, Inputs, Layer, OnCell,
    StackShape, Weights,
};
use crate::crew::Crew;
use crate::init::Init;
use crate::lanes::{Lanes, inlined};

/// Layers of an [`AnyCell`] at most.
pub const MAX_LAYERS: usize = 9;

/// What stands where there is no layer.
const NONE: Layer = Layer::new(CellKind::Elman, ActivationKind::Tanh, 0, 0);

/// The arithmetic of a cell of any kind, or of a stack of them: a short list of layers, from the one that reads the
/// inputs to the one that the output layer reads.
///
/// ```
/// use recurve::cell::{ActivationKind, AnyCell, Cell, CellKind, TypedCell};
/// use recurve::{Gru, Lstm, Stack};
///
/// let gru = AnyCell::new(CellKind::Gru, ActivationKind::Tanh, 28, 32);
/// let lstm = AnyCell::new(CellKind::Lstm, ActivationKind::Tanh, 32, 16);
/// let both = gru.then(lstm)?;
/// assert_eq!(both.params_len(), Stack::<Gru<28, 32>, Lstm<32, 16>>::SHAPE.params_len());
/// assert!(lstm.then(gru).is_err()); // 16 hidden units, 28 inputs
/// # Ok::<(), recurve::cell::NoStack>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AnyCell {
    layers: [Layer; MAX_LAYERS],
    /// Layers that there are, at least one. The rest is `NONE`.
    len: usize,
}

/// Cells that are no stack: the widths do not fit each other, or there are more than [`MAX_LAYERS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoStack;

impl fmt::Display for NoStack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a stack has up to {MAX_LAYERS} layers, each with as many inputs as the one before has units"
        )
    }
}

impl core::error::Error for NoStack {}

impl fmt::Debug for AnyCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.layers()).finish()
    }
}

impl AnyCell {
    /// A single cell: see [`Layer::new`].
    #[must_use]
    pub const fn new(kind: CellKind, activation: ActivationKind, inputs: usize, hidden: usize) -> Self {
        Self::of(Layer::new(kind, activation, inputs, hidden))
    }

    /// A single cell.
    #[must_use]
    pub const fn of(layer: Layer) -> Self {
        let mut layers = [NONE; MAX_LAYERS];
        layers[0] = layer;
        Self { layers, len: 1 }
    }

    /// `layers` cells of one kind, all with the same number of hidden units.
    ///
    /// # Errors
    /// [`NoStack`] for no layers, or more than [`MAX_LAYERS`].
    pub const fn deep(
        kind: CellKind,
        activation: ActivationKind,
        inputs: usize,
        hidden: usize,
        layers: usize,
    ) -> Result<Self, NoStack> {
        if layers == 0 || layers > MAX_LAYERS {
            return Err(NoStack);
        }
        let mut stack = Self::new(kind, activation, inputs, hidden);
        while stack.len < layers {
            stack = match stack.then(Self::new(kind, activation, hidden, hidden)) {
                Ok(stack) => stack,
                Err(error) => return Err(error),
            };
        }
        Ok(stack)
    }

    /// The stack of this and, above it, another.
    ///
    /// # Errors
    /// [`NoStack`] if the other has not as many inputs as this has hidden units, or the layers become too many.
    pub const fn then(self, above: Self) -> Result<Self, NoStack> {
        let Self { mut layers, mut len } = self;
        if above.inputs_of() != self.hidden_of() || above.len > MAX_LAYERS {
            return Err(NoStack);
        }
        let mut i = 0;
        while i < above.len {
            if len >= MAX_LAYERS {
                return Err(NoStack);
            }
            layers[len] = above.layers[i];
            (len, i) = (len + 1, i + 1);
        }
        Ok(Self { layers, len })
    }

    /// The layers, from the inputs up.
    #[must_use]
    pub const fn layers(&self) -> &[Layer] {
        match self.layers.split_at_checked(self.len) {
            Some((layers, _)) => layers,
            None => &[],
        }
    }

    /// d
    const fn inputs_of(&self) -> usize {
        let [first, ..] = self.layers;
        first.sizes().0
    }

    /// h
    const fn hidden_of(&self) -> usize {
        match self.layers().last() {
            Some(last) => last.sizes().1,
            None => 0,
        }
    }

    const fn chain(&self) -> Chain<'_> {
        Chain(self.layers())
    }
}

impl<C: Into<Layer>> From<C> for AnyCell {
    fn from(layer: C) -> Self {
        Self::of(layer.into())
    }
}

/// Layers, each above the one before.
#[derive(Clone, Copy, Debug)]
struct Chain<'a>(&'a [Layer]);

/// The only layer, or the first and those above it as a stack.
macro_rules! in_turn {
    ($chain:expr, $cell:ident => $body:expr) => {
        match $chain.0.split_first_chunk::<1>() {
            Some((first, above)) if !above.is_empty() => {
                let $cell = StackShape { first: Chain(first), second: Chain(above) };
                $body
            }
            _ => {
                let $cell = $chain.0.first().copied().unwrap_or(NONE);
                $body
            }
        }
    };
}

macro_rules! as_chain {
    ($any:expr, $cell:ident => $body:expr) => {{
        let $cell = $any.chain();
        $body
    }};
}

// A stack calls itself for what is above its first layer, so nothing can be inlined: each call finds its way to the
// registers anew, and a layer is compiled once, wherever it stands.
by_other_cells!(Chain<'_>, in_turn, inline(never), Lanes::run);
by_other_cells!(AnyCell, as_chain, cfg_attr(not(debug_assertions), inline(always)), here);

//! Inputs of a cell, as tokens or as vectors, and the layer that reads them: X W_xh + b.
//!
//! A token is a one-hot vector by another name, and multiplying a one-hot row with W_xh picks a row of it.
//! So a token is a look-up and never a product.

use core::ops::Range;

use super::mask::Mask;
use super::{Block, Extent, Gradient};
use crate::crew::Crew;
use crate::error::{Argument, Error, evenly, exactly};
use crate::kernels::{Factor, Mat, affine, zip_map, zip2_map};
use crate::lanes::{Lanes, inlined};
use crate::params::{Flat, rows_mut, take, take_mut};

/// Inputs of several rows: of a batch, or of a window of batches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Inputs<'a> {
    /// A token for each row, below the cell's number of inputs.
    Tokens(&'a [u16]),
    /// A vector for each row, one after another.
    Vectors(&'a [f32]),
}

impl Inputs<'_> {
    /// Refuses inputs of another number of rows than `rows`, and tokens outside of the vocabulary.
    #[inline(always)]
    pub(crate) fn check(self, rows: usize, width: usize) -> Result<(), Error> {
        match self {
            Self::Tokens(tokens) => {
                exactly(Argument::Inputs, rows, tokens.len())?;
                check_tokens(tokens, width)
            }
            Self::Vectors(x) => exactly(Argument::Inputs, rows.saturating_mul(width), x.len()),
        }
    }
}

/// Refuses tokens that are not below `symbols`.
#[inline(always)]
pub(crate) fn check_tokens(tokens: &[u16], symbols: usize) -> Result<(), Error> {
    match tokens.iter().find(|&&token| usize::from(token) >= symbols) {
        Some(&token) => Err(Error::Token { token, symbols }),
        None => Ok(()),
    }
}

/// One input of a typed cell whose vectors are `X`: made from a `u16` or a reference to a vector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Input<'a, X> {
    /// A token.
    Token(u16),
    /// A vector.
    Vector(&'a X),
}

impl<X: Flat> Input<'_, X> {
    /// Does something with it as inputs of one row.
    #[inline(always)]
    pub(crate) fn with_inputs<R>(self, f: impl FnOnce(Inputs<'_>) -> R) -> R {
        match self {
            Self::Token(token) => f(Inputs::Tokens(&[token])),
            Self::Vector(x) => f(Inputs::Vectors(x.as_flat())),
        }
    }
}

impl<X> From<u16> for Input<'_, X> {
    fn from(token: u16) -> Self {
        Self::Token(token)
    }
}

impl<'a, X> From<&'a X> for Input<'a, X> {
    fn from(x: &'a X) -> Self {
        Self::Vector(x)
    }
}

/// The input layer of a cell: W_xh (d×h) and b (h).
#[derive(Clone, Copy, Debug)]
pub(super) struct InputWeights<'a> {
    /// W_xh, d×h.
    w: Mat<'a>,
    /// b, h.
    b: &'a [f32],
    /// Copies of W_xh, if there are any.
    copies: &'a [f32],
}

/// Copies pay, since the vectors of all steps are multiplied at once.
const ALL_STEPS: usize = usize::MAX;

impl<'a> InputWeights<'a> {
    /// Without copies.
    #[inline(always)]
    pub(super) const fn new(w: Mat<'a>, b: &'a [f32]) -> Self {
        Self { w, b, copies: &[] }
    }

    /// With the copies that [`pack`](Self::pack) made, or none.
    #[inline(always)]
    pub(super) const fn with_copies(self, copies: &'a [f32]) -> Self {
        Self { copies, ..self }
    }

    /// Floats for copies.
    #[inline(always)]
    pub(super) const fn pack_len(inputs: usize, cols: usize) -> usize {
        Factor::pack_len(inputs, cols)
    }

    /// Makes copies, which [`pack_len`](Self::pack_len) says the length of; none if there is no room.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn pack<L: Lanes>(self, crew: &impl Crew, lanes: L, room: &mut [f32]) {
        if !room.is_empty() {
            Factor::pack(crew, lanes, self.w, ALL_STEPS, room);
        }
    }

    /// A ← X W_xh + b, for all rows.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn forward<L: Lanes>(self, lanes: L, inputs: Inputs<'_>, a: &mut [f32]) {
        match inputs {
            Inputs::Tokens(tokens) => {
                for (a, &token) in rows_mut(a, self.w.cols).zip(tokens) {
                    let row = self.w.row(usize::from(token));
                    zip2_map(lanes, a, self.b, row, inlined!(|_, b, w| lanes.add(b, w)));
                }
            }
            // Chips have no copies; to ask for them costs stack.
            Inputs::Vectors(x) if cfg!(not(feature = "std")) => {
                affine(lanes, Mat::new(x, self.w.rows()), self.w, self.b, a);
            }
            Inputs::Vectors(x) => {
                let w = Factor::new(self.w, ALL_STEPS, self.copies);
                w.affine(lanes, Mat::new(x, self.w.rows()), self.b, a);
            }
        }
    }

    /// A ← X̃ W_xh + b, for tokens whose ones have become these numbers.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn forward_ones<L: Lanes>(self, lanes: L, ones: impl Iterator<Item = (u16, f32)>, a: &mut [f32]) {
        for (a, (token, one)) in rows_mut(a, self.w.cols).zip(ones) {
            let (row, one) = (self.w.row(usize::from(token)), lanes.splat(one));
            zip2_map(lanes, a, self.b, row, inlined!(|_, b, w| lanes.mul_add(one, w, b)));
        }
    }

    /// A ← X W_xh + b, for all rows of a block.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn forward_block<L: Lanes>(
        self,
        lanes: L,
        inputs: Inputs<'_>,
        block: Block,
        mut a: &mut [f32],
    ) {
        let (rows, runs) = block.runs();
        for first in runs {
            self.forward_rows(
                lanes,
                inputs,
                block,
                first..first + rows,
                take_mut(&mut a, rows * self.w.cols),
            );
        }
    }

    /// The same for rows of the window that follow each other.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn forward_rows<L: Lanes>(
        self,
        lanes: L,
        inputs: Inputs<'_>,
        block: Block,
        rows: Range<usize>,
        a: &mut [f32],
    ) {
        let first = rows.start;
        match inputs.rows(rows, self.w.rows()) {
            Inputs::Tokens(tokens) if block.dropped != Mask::NONE => {
                self.forward_ones(lanes, block.dropped.ones(first, tokens), a);
            }
            inputs => self.forward(lanes, inputs, a),
        }
    }

    /// The same before the first step: for vectors, since one product for all steps is faster than one for each; and
    /// for tokens on chips, where it takes less stack.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn forward_early<L: Lanes>(self, lanes: L, inputs: Inputs<'_>, block: Block, a: &mut [f32]) {
        if matches!(inputs, Inputs::Vectors(_)) || cfg!(not(feature = "std")) {
            self.forward_block(lanes, inputs, block, a);
        }
    }

    /// The same for tokens on a host, and of one step: just before it, so that what is written is still in the first cache.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn forward_late<L: Lanes>(
        self,
        lanes: L,
        inputs: Inputs<'_>,
        block: Block,
        t: usize,
        a: &mut [f32],
    ) {
        if matches!(inputs, Inputs::Tokens(_)) && cfg!(feature = "std") {
            let first = t * block.batch + block.first;
            self.forward_rows(lanes, inputs, block, first..first + block.extent.batch, a);
        }
    }

    /// dX += dA W_xhᵀ
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn backward<L: Lanes>(self, lanes: L, d_a: Mat<'_>, d_inputs: &mut [f32]) {
        Factor::transposed(self.w, ALL_STEPS, self.copies).product(lanes, d_a, d_inputs);
    }
}

impl<'a> Inputs<'a> {
    /// Some rows, where a vector has `width` elements.
    #[inline(always)]
    pub(super) fn rows(self, rows: Range<usize>, width: usize) -> Self {
        match self {
            Self::Tokens(tokens) => Self::Tokens(tokens.get(rows).unwrap_or_default()),
            Self::Vectors(x) => {
                Self::Vectors(x.get(rows.start * width..rows.end * width).unwrap_or_default())
            }
        }
    }

    /// dW_xh += Xᵀ dA for some rows of W_xh (d×h), from a block's rows of X (·×d) and dA (·×h).
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn accumulate<L: Lanes>(
        self,
        lanes: L,
        width: usize,
        block: Block,
        d_a: Mat<'_>,
        mut to: Gradient<'_>,
    ) {
        let (rows, runs) = block.runs();
        let mut rest = d_a.data;
        for first in runs {
            let d_a = Mat::new(take(&mut rest, rows * d_a.cols), d_a.cols);
            match self.rows(first..first + rows, width) {
                Self::Tokens(tokens) if block.dropped != Mask::NONE => {
                    let add = |one, d_w, d_a| lanes.mul_add(lanes.splat(one), d_a, d_w);
                    add_rows(lanes, block.dropped.ones(first, tokens), d_a, to.term(), add);
                }
                Self::Tokens(tokens) => {
                    let tokens = tokens.iter().map(inlined!(|&token| (token, ())));
                    add_rows(lanes, tokens, d_a, to.term(), inlined!(|(), d_w, d_a| lanes.add(d_w, d_a)));
                }
                Self::Vectors(x) => to.term().add_product(lanes, Mat::new(x, width), d_a),
            }
        }
    }
}

/// Each row of dA is added to the row of dW that its token picks, as `add` does, if that is among its rows.
#[cfg_attr(not(debug_assertions), inline(always))]
fn add_rows<L: Lanes, K: Copy>(
    lanes: L,
    tokens: impl Iterator<Item = (u16, K)>,
    d_a: Mat<'_>,
    to: Gradient<'_>,
    add: impl Fn(K, L::F, L::F) -> L::F,
) {
    let (first, d_w) = (to.rows.start, to.started());
    for (d_a, (token, one)) in d_a.iter().zip(tokens) {
        let Some(row) = usize::from(token).checked_sub(first) else { continue };
        let d_w = d_w.get_mut(row * d_a.len()..).and_then(inlined!(|rest| rest.get_mut(..d_a.len())));
        if let Some(d_w) = d_w {
            zip_map(lanes, d_w, d_a, inlined!(|d_w, d_a| add(one, d_w, d_a)));
        }
    }
}

/// The extent of a window of inputs for a state of `batch` sequences.
#[inline(always)]
pub(crate) fn extent(inputs: Inputs<'_>, width: usize, batch: usize) -> Result<Extent, Error> {
    let (got, unit) = match inputs {
        Inputs::Tokens(tokens) => (tokens.len(), batch),
        Inputs::Vectors(x) => (x.len(), batch.saturating_mul(width)),
    };
    let window = evenly(Argument::Inputs, unit, got)?;
    if let Inputs::Tokens(tokens) = inputs {
        check_tokens(tokens, width)?;
    }
    Ok(Extent { batch, window })
}

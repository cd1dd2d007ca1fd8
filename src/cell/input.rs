//! Inputs of a cell, as tokens or as vectors, and the layer that reads them: X W_xh + b.
//!
//! A token is a one-hot vector by another name, and multiplying a one-hot row with W_xh picks a row of it.
//! So a token is a look-up and never a product.

use super::Extent;
use crate::error::{Argument, Error, evenly, exactly};
use crate::kernels::{Mat, Transposed, affine, column_sums, product_at, zip_map, zip2_map};
use crate::lanes::{Lanes, inlined};
use crate::params::rows_mut;

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
    pub(super) w: Mat<'a>,
    /// b, h.
    pub(super) b: &'a [f32],
}

impl InputWeights<'_> {
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
            Inputs::Vectors(x) => affine(lanes, Mat::new(x, self.w.rows()), self.w, self.b, a),
        }
    }

    /// dW_xh += Xᵀ dA, db += Σ dA, and dX += dA W_xhᵀ where vectors want it.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn backward<L: Lanes>(
        self,
        lanes: L,
        inputs: Inputs<'_>,
        d_a: Mat<'_>,
        d_inputs: Option<&mut [f32]>,
        d_w: &mut [f32],
        d_b: &mut [f32],
    ) {
        column_sums(lanes, d_a, d_b);
        match inputs {
            Inputs::Tokens(tokens) => {
                for (d_a, &token) in d_a.iter().zip(tokens) {
                    let row = usize::from(token) * d_a.len();
                    let d_w = d_w
                        .get_mut(row..)
                        .and_then(inlined!(|rest| rest.get_mut(..d_a.len())))
                        .unwrap_or_default();
                    zip_map(lanes, d_w, d_a, inlined!(|d_w, d_a| lanes.add(d_w, d_a)));
                }
            }
            Inputs::Vectors(x) => product_at(lanes, Mat::new(x, self.w.rows()), d_a, d_w),
        }
        if let Some(d_inputs) = d_inputs {
            Transposed::new(self.w, &mut []).product(lanes, d_a, d_inputs);
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

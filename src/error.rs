//! What can be wrong with what a caller hands to the arithmetic: small `Copy` values, no strings built.

use core::fmt;

/// A buffer that the caller lends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Buffer {
    /// All weights, flat.
    Params,
    /// Input tokens or vectors, time-major.
    Inputs,
    /// Target tokens or vectors, time-major.
    Targets,
    /// The hidden state of each sequence of the batch.
    State,
    /// One row of outputs for each sequence of the batch.
    Logits,
    /// What a forward pass keeps for the backward pass.
    Tape,
    /// Working memory without meaning between calls.
    Scratch,
    /// Gradients, shaped as the weights.
    Grads,
    /// What an optimiser remembers from step to step.
    OptimizerState,
}

impl Buffer {
    const fn name(self) -> &'static str {
        match self {
            Self::Params => "params",
            Self::Inputs => "inputs",
            Self::Targets => "targets",
            Self::State => "state",
            Self::Logits => "logits",
            Self::Tape => "tape",
            Self::Scratch => "scratch",
            Self::Grads => "grads",
            Self::OptimizerState => "optimizer state",
        }
    }
}

/// A number that must be finite before weights may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Quantity {
    /// The loss of a window.
    Loss,
    /// An element of a gradient.
    Gradient,
    /// A logit to sample from.
    Logit,
}

impl Quantity {
    const fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Gradient => "gradient",
            Self::Logit => "logit",
        }
    }
}

/// Why a step, a window or an update was refused. Nothing has changed but scratch and tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// A buffer has fewer elements than the sizes ask for.
    TooShort {
        /// Which one.
        buffer: Buffer,
        /// Elements that it must have at least.
        needed: usize,
        /// Elements that it has.
        got: usize,
    },
    /// A buffer's length is not the one, or not a multiple of the one, that the sizes ask for.
    Length {
        /// Which one.
        buffer: Buffer,
        /// Elements that it must have, or a multiple of it.
        needed: usize,
        /// Elements that it has.
        got: usize,
    },
    /// A token is not below the number of symbols.
    Token {
        /// The token.
        token: u16,
        /// The size of the vocabulary.
        symbols: usize,
    },
    /// A loss, a gradient or a logit is NaN or infinite.
    NotFinite(Quantity),
    /// A setting is outside of its range, such as a temperature below zero.
    Setting(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooShort { buffer, needed, got } => {
                write!(f, "{} is too short: {got} elements, {needed} needed", buffer.name())
            }
            Self::Length { buffer, needed, got } => {
                write!(f, "{} has {got} elements where {needed} or a multiple is needed", buffer.name())
            }
            Self::Token { token, symbols } => {
                write!(f, "token {token} is outside of a vocabulary of {symbols} symbols")
            }
            Self::NotFinite(what) => write!(f, "the {} is not finite", what.name()),
            Self::Setting(what) => f.write_str(what),
        }
    }
}

impl core::error::Error for Error {}

/// `got` elements of `buffer` where at least `needed` must be.
#[inline(always)]
pub(crate) const fn at_least(buffer: Buffer, needed: usize, got: usize) -> Result<(), Error> {
    if got < needed { Err(Error::TooShort { buffer, needed, got }) } else { Ok(()) }
}

/// `got` elements of `buffer` where exactly `needed` must be.
#[inline(always)]
pub(crate) const fn exactly(buffer: Buffer, needed: usize, got: usize) -> Result<(), Error> {
    if got != needed { Err(Error::Length { buffer, needed, got }) } else { Ok(()) }
}

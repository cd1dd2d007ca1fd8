//! What can be wrong with what a caller hands to the arithmetic: small `Copy` values, no strings built.

use core::fmt;

/// What a caller hands over or lends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Argument {
    /// All weights, flat.
    Params,
    /// Input tokens or vectors, time-major.
    Inputs,
    /// Target tokens or vectors, time-major.
    Targets,
    /// The length of each sequence of the batch.
    Lengths,
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

impl Argument {
    const fn name(self) -> &'static str {
        match self {
            Self::Params => "params",
            Self::Inputs => "inputs",
            Self::Targets => "targets",
            Self::Lengths => "lengths",
            Self::State => "state",
            Self::Logits => "logits",
            Self::Tape => "tape",
            Self::Scratch => "scratch",
            Self::Grads => "grads",
            Self::OptimizerState => "optimizer state",
        }
    }
}

/// A number that must be finite before anything changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Quantity {
    /// The loss of a window.
    Loss,
    /// An element of a gradient.
    Gradient,
    /// A logit.
    Logit,
    /// An element of a state.
    State,
    /// A reading.
    Input,
    /// A weight, or what an optimiser remembers of one.
    Weight,
}

impl Quantity {
    const fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Gradient => "gradient",
            Self::Logit => "logit",
            Self::State => "state",
            Self::Input => "input",
            Self::Weight => "weight",
        }
    }
}

/// Why a step, a window or an update was refused. States, weights, gradients and what an optimiser remembers are then
/// as they were; outputs, tape and scratch may have been written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// A slice has fewer elements than the sizes ask for.
    TooShort {
        /// Which one.
        argument: Argument,
        /// Elements that it must have at least.
        needed: usize,
        /// Elements that it has.
        got: usize,
    },
    /// A slice's length is not the one that the sizes ask for.
    Length {
        /// Which one.
        argument: Argument,
        /// Elements that it must have.
        needed: usize,
        /// Elements that it has.
        got: usize,
    },
    /// A slice's length is no multiple of the length that a sequence, or a step of the batch, has.
    Uneven {
        /// Which one.
        argument: Argument,
        /// The length that must go into it once or more.
        unit: usize,
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
    /// A sequence is said to be longer than the window that it is in.
    Steps {
        /// Its steps.
        length: usize,
        /// The window's.
        window: usize,
    },
    /// A number is NaN or infinite, or too large to be reckoned with.
    ///
    /// A step looks at the state that it is given and at its outputs, a window at the state and at its loss. What is
    /// infinite but makes finite outputs passes: tanh and gates do that to infinite readings, which
    /// [`Standard::apply`](crate::Standard::apply) refuses as it does NaN, and to a ReLU layer below them that has
    /// overflowed. The infinite state that such a layer leaves is refused by the next step or window, until it is reset;
    /// infinite or NaN gradients by clipping and by the optimiser. A reading that is NaN makes outputs NaN, and is reported
    /// as a logit.
    NotFinite(Quantity),
    /// A setting is outside of its range, such as a temperature below zero.
    Setting(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooShort { argument, needed, got } => {
                write!(f, "{} is too short: {got} elements, {needed} needed", argument.name())
            }
            Self::Length { argument, needed, got } => {
                write!(f, "{} has {got} elements where {needed} are needed", argument.name())
            }
            Self::Uneven { argument, unit, got } => {
                write!(f, "{} has {got} elements, which is no multiple of {unit}", argument.name())
            }
            Self::Token { token, symbols } => {
                write!(f, "token {token} is outside of a vocabulary of {symbols} symbols")
            }
            Self::Steps { length, window } => {
                write!(f, "a sequence of {length} steps is longer than its window of {window}")
            }
            Self::NotFinite(what) => write!(f, "the {} is not finite", what.name()),
            Self::Setting(what) => f.write_str(what),
        }
    }
}

impl core::error::Error for Error {}

/// `got` elements where at least `needed` must be.
#[inline(always)]
pub(crate) const fn at_least(argument: Argument, needed: usize, got: usize) -> Result<(), Error> {
    if got < needed { Err(Error::TooShort { argument, needed, got }) } else { Ok(()) }
}

/// `got` elements where exactly `needed` must be.
#[inline(always)]
pub(crate) const fn exactly(argument: Argument, needed: usize, got: usize) -> Result<(), Error> {
    if got != needed { Err(Error::Length { argument, needed, got }) } else { Ok(()) }
}

/// `got` elements where there must be a multiple of `unit`, which is not zero.
#[inline(always)]
pub(crate) const fn evenly(argument: Argument, unit: usize, got: usize) -> Result<usize, Error> {
    match got.checked_div(unit) {
        Some(times) if times > 0 && times * unit == got => Ok(times),
        _ => Err(Error::Uneven { argument, unit, got }),
    }
}

/// Refuses a setting for which `valid` does not hold; NaN never does.
#[inline(always)]
pub(crate) const fn setting(valid: bool, what: &'static str) -> Result<(), Error> {
    if valid { Ok(()) } else { Err(Error::Setting(what)) }
}

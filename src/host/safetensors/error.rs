//! Why weights could not be taken from `PyTorch`, or given to it.

use core::fmt;
use std::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use crate::host::{HostError, Shown};

/// Why a file of weights was refused, or a network cannot be written as one. Each names the tensor that it is about.
#[derive(Debug)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file is no safetensors file, or one that was cut short or altered.
    File(String),
    /// No tensor is named as those of a recurrent layer.
    NoCell,
    /// Several parts of the file could be the one that is looked for.
    Ambiguous {
        /// Which part: `rnn`, `head` or `embedding`.
        part: &'static str,
        /// The prefixes of their names.
        prefixes: Vec<String>,
    },
    /// No tensor has a prefix that was given.
    Prefix {
        /// Of which part: `rnn`, `head` or `embedding`.
        part: &'static str,
        /// The prefix.
        given: String,
        /// Prefixes that tensors have.
        prefixes: Vec<String>,
    },
    /// A tensor is missing.
    Missing {
        /// Its name.
        name: String,
        /// The shape that it should have, as far as the others tell.
        expected: Option<Vec<usize>>,
    },
    /// There is a tensor for which the network has no place.
    Unexpected {
        /// Its name.
        name: String,
        /// Its shape.
        found: Vec<usize>,
    },
    /// A tensor has another shape than the others ask for.
    Shape {
        /// Its name.
        name: String,
        /// The shape that it should have.
        expected: Vec<usize>,
        /// The shape that it has.
        found: Vec<usize>,
        /// The symbols of the vocabulary, if the shape depends on them.
        symbols: Option<usize>,
    },
    /// A tensor should be a matrix with one row and one column at least.
    NoMatrix {
        /// Its name.
        name: String,
        /// The shape that it has.
        found: Vec<usize>,
    },
    /// Means or deviations in the metadata are not what the network needs.
    Standard {
        /// The entry.
        key: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The recurrent weights are those of no cell.
    Recurrent {
        /// The tensor.
        name: String,
        /// Its shape.
        found: Vec<usize>,
    },
    /// A tensor's numbers are neither `F32` nor `F16` nor `BF16`.
    Type {
        /// Its name.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// What its numbers are.
        found: String,
    },
    /// A tensor has a number that is not finite.
    NotFinite {
        /// Its name.
        name: String,
    },
    /// The file's metadata says that its tensors are to be understood in another way.
    Metadata {
        /// The entry.
        key: &'static str,
        /// What it should say.
        expected: &'static str,
        /// What it says.
        found: String,
    },
    /// There is no vocabulary, or one that is none.
    Vocabulary(String),
    /// The network is none that `PyTorch` or this crate could have.
    Unsupported(String),
    /// The network could not be made.
    Host(HostError),
}

/// A shape as people write it: `48 x 16`.
pub(super) struct Shape<'a>(pub(super) &'a [usize]);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("a single number");
        }
        for (i, size) in self.0.iter().enumerate() {
            if i == 8 {
                return f.write_str(" x ...");
            }
            write!(f, "{}{size}", if i == 0 { "" } else { " x " })?;
        }
        Ok(())
    }
}

/// Some prefixes, with quotes.
fn list(prefixes: &[String]) -> String {
    let quoted: Vec<_> = prefixes.iter().take(4).map(|prefix| format!("'{}'", Shown(prefix))).collect();
    quoted.join(" or ")
}

/// What a tensor that is too many may come from.
fn origin(name: &str) -> &'static str {
    if name.ends_with("_reverse") {
        "bidirectional networks cannot be imported"
    } else if name.contains("weight_hr_l") {
        "networks with proj_size cannot be imported"
    } else {
        "leave it out of the file, or give the prefix of the part that is meant"
    }
}

impl fmt::Display for WeightsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(why) => write!(f, "not a safetensors file that can be used: {why}"),
            Self::NoCell => f.write_str(
                "no tensor is named weight_ih_l0 or ends with that name: save the state dict of a module that has a \
                 torch.nn.RNN, GRU or LSTM",
            ),
            Self::Ambiguous { part, prefixes } => {
                let list = list(prefixes);
                write!(f, "the prefix of the {part}'s tensors could be {list}: say which with --{part}-prefix")
            }
            Self::Prefix { part, given, prefixes } => {
                write!(f, "no tensor of the {part} has the prefix '{}'", Shown(given))?;
                match prefixes.is_empty() {
                    true => write!(f, ": leave --{part}-prefix out"),
                    false => write!(f, ": --{part}-prefix could be {}", list(prefixes)),
                }
            }
            Self::Missing { name, expected: Some(shape) } => {
                write!(f, "the tensor {} is missing; its shape should be {}", Shown(name), Shape(shape))
            }
            Self::Missing { name, expected: None } => write!(f, "the tensor {} is missing", Shown(name)),
            Self::Unexpected { name, found } => {
                let (name, found, origin) = (Shown(name), Shape(found), origin(name));
                write!(f, "the network has no place for the tensor {name} of shape {found}: {origin}")
            }
            Self::Shape { name, expected, found, symbols } => {
                let (expected, found) = (Shape(expected), Shape(found));
                write!(f, "the tensor {} has the shape {found} where {expected} is needed", Shown(name))?;
                match symbols {
                    Some(symbols) => write!(f, " for the {symbols} symbols of the vocabulary"),
                    None => Ok(()),
                }
            }
            Self::NoMatrix { name, found } => write!(
                f,
                "the tensor {} has the shape {}, where a matrix with a row and a column at least is needed",
                Shown(name),
                Shape(found)
            ),
            Self::Standard { key, why } => write!(f, "the metadata's {key} {why}"),
            Self::Recurrent { name, found } => write!(
                f,
                "the tensor {} has the shape {}, which is no cell's: with h hidden units it is h x h for RNN, 3h x h for \
                 GRU, 4h x h for LSTM",
                Shown(name),
                Shape(found)
            ),
            Self::Type { name, shape, found } => write!(
                f,
                "the tensor {} of shape {} has numbers of type {found}: convert them to F32, F16 or BF16",
                Shown(name),
                Shape(shape)
            ),
            Self::NotFinite { name } => {
                write!(f, "the tensor {} has a number that is not finite: train anew with a smaller rate", Shown(name))
            }
            Self::Metadata { key, expected, found } => {
                write!(f, "the metadata says that {key} is {}, and only {expected} can be imported", Shown(found))
            }
            Self::Vocabulary(what) | Self::Unsupported(what) => f.write_str(what),
            Self::Host(error) => error.fmt(f),
        }
    }
}

/// Why something is not the JSON that it should be: on one line, and not endless, whatever it quotes.
pub(super) struct Json(pub(super) serde_json::Error);

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (why, place) =
            (self.0.to_string(), format!(" at line {} column {}", self.0.line(), self.0.column()));
        write!(f, "{}{place}", Shown(why.strip_suffix(&place).unwrap_or(&why)))
    }
}

impl core::error::Error for WeightsError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Host(error) => Some(error),
            _ => None,
        }
    }
}

impl From<HostError> for WeightsError {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}

impl From<crate::cell::NoStack> for WeightsError {
    fn from(error: crate::cell::NoStack) -> Self {
        Self::Unsupported(error.to_string())
    }
}

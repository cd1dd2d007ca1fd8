//! What can go wrong on a host: each with one line that says what is wrong and what to do.

use core::fmt;
use std::{io, path::PathBuf, string::String};

use super::checkpoint::CheckpointError;
use super::text::TextError;
use crate::error::Error;
use crate::format::FormatError;
use crate::vocab::VocabError;

/// Why a host could not train, read or write a model.
#[derive(Debug)]
#[non_exhaustive]
pub enum HostError {
    /// A text could not be read.
    Text(TextError),
    /// A vocabulary could not be made, or a text has symbols that it does not know.
    Vocab(VocabError),
    /// A model file could not be read.
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        source: FormatError,
    },
    /// A checkpoint could not be used.
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CheckpointError,
    },
    /// A checkpoint, where a model is needed.
    IsCheckpoint {
        /// The file.
        path: PathBuf,
    },
    /// A model of readings, such as a forecaster, where one of a text is needed.
    NoVocabulary {
        /// The file.
        path: PathBuf,
    },
    /// A model that is no forecaster, where one is needed.
    NoForecaster {
        /// The file.
        path: PathBuf,
    },
    /// A file could not be opened, read or written.
    File {
        /// The file.
        path: PathBuf,
        /// What was tried, such as "write".
        action: &'static str,
        /// What the operating system says.
        source: io::Error,
    },
    /// There is not enough memory.
    Memory {
        /// Bytes that the sizes ask for.
        needed: usize,
        /// Bytes that there are, where the system says so.
        available: Option<usize>,
    },
    /// The text is too short for the batch and the window.
    TooShort {
        /// Tokens to train on.
        tokens: usize,
        /// Tokens needed.
        needed: usize,
    },
    /// A setting is out of range.
    Setting(String),
    /// The arithmetic refused.
    Model(Error),
}

/// Units of memory, the largest first.
const UNITS: [(f64, &str); 6] =
    [(1e18, "EB"), (1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];

/// A number of bytes in the largest unit that leaves at least one.
struct Bytes(usize);

impl fmt::Display for Bytes {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Sums of sizes stop at the largest number that there is, whatever its width.
        if self.0 == usize::MAX {
            f.write_str("more than ")?;
        }
        let bytes = self.0 as f64;
        let (unit, name) = UNITS.into_iter().find(|&(unit, _)| bytes >= unit).unwrap_or((1e3, "kB"));
        write!(f, "{:.1} {name}", bytes / unit)
    }
}

/// What to do about a file.
pub(super) fn advice(action: &str, kind: io::ErrorKind) -> &'static str {
    use io::ErrorKind as Kind;
    match kind {
        Kind::NotFound | Kind::NotADirectory if action == "write" => {
            "create its folder first, or choose another one"
        }
        Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => {
            "free some space, or choose a place with more"
        }
        Kind::IsADirectory => "give the name of a file",
        Kind::InvalidInput if action == "write" => "give the name of a file",
        Kind::InvalidData => "give the name of a file that ends",
        _ => "check the path and its permissions",
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(error) => error.fmt(f),
            Self::Vocab(error) => error.fmt(f),
            Self::Format { path, source } => write!(f, "cannot use {}: {source}", path.display()),
            Self::Checkpoint { path, source } => write!(f, "cannot use {}: {source}", path.display()),
            Self::IsCheckpoint { path } => write!(
                f,
                "cannot use {}: it is a checkpoint, not a model file: recurve train --resume goes on from it",
                path.display()
            ),
            Self::NoVocabulary { path } => write!(
                f,
                "cannot use {}: the model has no vocabulary: give one that was trained on a text",
                path.display()
            ),
            Self::NoForecaster { path } => write!(
                f,
                "cannot use {}: the model is no forecaster, or one that does not say what it looks back on: give one that \
                 was written by recurve forecast --out",
                path.display()
            ),
            Self::File { path, action, source } => {
                write!(f, "cannot {action} {}: {source}: {}", path.display(), advice(action, source.kind()))
            }
            Self::Memory { needed, available } => {
                write!(f, "these sizes need {} of memory", Bytes(*needed))?;
                if let Some(available) = available {
                    write!(f, " and {} are available", Bytes(*available))?;
                }
                f.write_str(": choose a smaller hidden size, batch or window")
            }
            Self::TooShort { tokens, needed } => write!(
                f,
                "the text has {tokens} tokens to train on, and one window for each sequence of the batch needs \
                 {needed}: give more text, or a smaller batch or window"
            ),
            Self::Setting(what) => f.write_str(what),
            Self::Model(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for HostError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Text(error) => Some(error),
            Self::Vocab(error) => Some(error),
            Self::Format { source, .. } => Some(source),
            Self::Checkpoint { source, .. } => Some(source),
            Self::File { source, .. } => Some(source),
            Self::Model(error) => Some(error),
            Self::IsCheckpoint { .. }
            | Self::NoVocabulary { .. }
            | Self::NoForecaster { .. }
            | Self::Memory { .. }
            | Self::TooShort { .. }
            | Self::Setting(_) => None,
        }
    }
}

impl From<Error> for HostError {
    fn from(error: Error) -> Self {
        Self::Model(error)
    }
}

impl From<CheckpointError> for HostError {
    fn from(source: CheckpointError) -> Self {
        Self::Checkpoint { path: "the checkpoint".into(), source }
    }
}

impl From<TextError> for HostError {
    fn from(error: TextError) -> Self {
        Self::Text(error)
    }
}

impl From<VocabError> for HostError {
    fn from(error: VocabError) -> Self {
        Self::Vocab(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn bytes_have_a_unit_that_suits_them() {
        assert_eq!([0, 999_999, 1_000_000].map(|n| Bytes(n).to_string()), ["0.0 kB", "1000.0 kB", "1.0 MB"]);
        assert_eq!(Bytes(2_500_000_000).to_string(), "2.5 GB");
        let most = if usize::BITS == 64 { "more than 18.4 EB" } else { "more than 4.3 GB" };
        assert_eq!(Bytes(usize::MAX).to_string(), most);
    }
}

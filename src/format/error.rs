//! Why bytes are not a model file.

use core::fmt;

use super::{FIRST_VERSION, VERSION};
use crate::vocab::VocabError;

/// Why bytes are not a model, or not the one that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum FormatError {
    /// The bytes do not begin as a model file does.
    Magic,
    /// The file is of another version.
    Version {
        /// Its version.
        found: u32,
    },
    /// The file has another length than it says: it was cut short, or something follows it.
    Length {
        /// The length that it should have.
        needed: usize,
        /// The length that it has.
        got: usize,
    },
    /// The checksum is another: the file was altered.
    Checksum,
    /// The bytes do not begin at a multiple of four.
    Alignment,
    /// The target is big-endian; weights cannot be read in place.
    Endianness,
    /// A field has a value without meaning, or sizes that do not fit each other; the offset of the field.
    Field(usize),
    /// The vocabulary is none.
    Vocab(VocabError),
    /// The file holds a model of another cell or of other sizes than asked for.
    Mismatch,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Magic => f.write_str("not a model file"),
            Self::Version { found } => {
                write!(
                    f,
                    "a model file of version {found}; this build reads versions {FIRST_VERSION} to {VERSION}"
                )
            }
            Self::Length { needed, got } => {
                write!(
                    f,
                    "a model file of {needed} bytes was expected, there are {got}: cut short or altered"
                )
            }
            Self::Checksum => f.write_str("the checksum does not match: the file was altered"),
            Self::Alignment => f.write_str("the model does not begin at a multiple of four bytes"),
            Self::Endianness => {
                f.write_str("models are little-endian and cannot be read in place on this target")
            }
            Self::Field(offset) => write!(f, "the header is inconsistent at byte {offset}"),
            Self::Vocab(error) => error.fmt(f),
            Self::Mismatch => f.write_str("the file holds a model of another cell or of other sizes"),
        }
    }
}

impl core::error::Error for FormatError {}

//! A corpus: a text as symbols, the vocabulary of those that occur, and their tokens.

use std::{borrow::Cow, path::Path, string::String, vec::Vec};

use super::{HostError, text};
use crate::clean::Clean;
use crate::vocab::{Alphabet, MAX_SYMBOLS, Symbols, VocabError};

/// A text, as characters or as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Corpus {
    /// Read as UTF-8.
    Chars(String),
    /// Read as bytes.
    Bytes(Vec<u8>),
}

impl Corpus {
    /// Reads a file.
    ///
    /// # Errors
    /// [`HostError::Text`] if it cannot be read, is empty, or is not UTF-8 where characters are wanted.
    pub fn read(path: impl AsRef<Path>, alphabet: Alphabet) -> Result<Self, HostError> {
        Ok(match alphabet {
            Alphabet::Chars => Self::Chars(text::read(path)?),
            Alphabet::Bytes => Self::Bytes(text::read_bytes(path)?),
        })
    }

    /// Characters or bytes.
    #[must_use]
    pub const fn alphabet(&self) -> Alphabet {
        match self {
            Self::Chars(_) => Alphabet::Chars,
            Self::Bytes(_) => Alphabet::Bytes,
        }
    }

    /// The same, cleaned.
    #[must_use]
    pub fn clean(self, clean: Clean) -> Self {
        match self {
            Self::Chars(text) => match clean.apply(&text) {
                Cow::Borrowed(_) => Self::Chars(text),
                Cow::Owned(text) => Self::Chars(text),
            },
            Self::Bytes(text) => match clean.apply_bytes(&text) {
                Cow::Borrowed(_) => Self::Bytes(text),
                Cow::Owned(text) => Self::Bytes(text),
            },
        }
    }

    /// The distinct symbols, ascending.
    ///
    /// # Errors
    /// [`VocabError::TooManySymbols`] above [`MAX_SYMBOLS`].
    pub fn vocabulary(&self) -> Result<Vec<u32>, VocabError> {
        let mut codes: Vec<u32> = match self {
            Self::Chars(text) => text.chars().map(u32::from).collect(),
            Self::Bytes(text) => text.iter().copied().map(u32::from).collect(),
        };
        codes.sort_unstable();
        codes.dedup();
        match codes.len() {
            found if found > MAX_SYMBOLS => Err(VocabError::TooManySymbols { found, room: MAX_SYMBOLS }),
            _ => Ok(codes),
        }
    }

    /// The tokens of the text.
    ///
    /// # Errors
    /// [`VocabError::Unknown`] for a symbol outside of the vocabulary.
    pub fn tokens(&self, symbols: Symbols<'_>) -> Result<Vec<u16>, VocabError> {
        match self {
            Self::Chars(text) => symbols.tokens(text).collect(),
            Self::Bytes(text) => symbols.byte_tokens(text).collect(),
        }
    }
}

//! A corpus: a text as symbols, the vocabulary of those that occur, and their tokens.

use std::{path::Path, string::String, vec, vec::Vec};

use super::{HostError, text};
use crate::clean::{Clean, make_letters};
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

    /// The same, cleaned; in the memory that it has.
    #[must_use]
    pub fn clean(self, clean: Clean) -> Self {
        match (self, clean) {
            (text, Clean::None) => text,
            (Self::Chars(text), Clean::Letters) => {
                let mut text = text.into_bytes();
                make_letters(&mut text);
                // Letters and spaces are UTF-8.
                Self::Chars(String::from_utf8(text).unwrap_or_default())
            }
            (Self::Bytes(mut text), Clean::Letters) => {
                make_letters(&mut text);
                Self::Bytes(text)
            }
        }
    }

    /// The distinct symbols, ascending.
    ///
    /// # Errors
    /// [`VocabError::TooManySymbols`] above [`MAX_SYMBOLS`].
    pub fn vocabulary(&self) -> Result<Vec<u32>, VocabError> {
        let mut seen = Seen::default();
        match self {
            Self::Chars(text) => text.chars().for_each(|symbol| seen.insert(symbol.into())),
            Self::Bytes(text) => text.iter().for_each(|&symbol| seen.insert(symbol.into())),
        }
        match seen.len() {
            found if found > MAX_SYMBOLS => Err(VocabError::TooManySymbols { found, room: MAX_SYMBOLS }),
            _ => Ok(seen.codes()),
        }
    }

    /// The tokens of the text.
    ///
    /// # Errors
    /// [`VocabError::Unknown`] for a symbol outside of the vocabulary.
    pub fn tokens(&self, symbols: Symbols<'_>) -> Result<Vec<u16>, VocabError> {
        match self {
            Self::Chars(text) => all(|| symbols.tokens(text)),
            Self::Bytes(text) => all(|| symbols.byte_tokens(text)),
        }
    }
}

/// Collects tokens once there is known to be no error among them: then the room that they need is known, too.
fn all<I>(tokens: impl Fn() -> I) -> Result<Vec<u16>, VocabError>
where
    I: Iterator<Item = Result<u16, VocabError>>,
{
    let mut len = 0;
    for token in tokens() {
        token?;
        len += 1;
    }
    let mut all = Vec::with_capacity(len);
    all.extend(tokens().flatten());
    Ok(all)
}

/// The symbols of a text: a bit for each code point that there is, so that a text of any length takes no more.
struct Seen(Vec<u64>);

impl Default for Seen {
    fn default() -> Self {
        Self(vec![0; (char::MAX as usize + 1).div_ceil(64)])
    }
}

impl Seen {
    fn insert(&mut self, code: u32) {
        if let Some(bits) = self.0.get_mut(code as usize / 64) {
            *bits |= 1 << (code % 64);
        }
    }

    fn len(&self) -> usize {
        self.0.iter().map(|bits| bits.count_ones() as usize).sum()
    }

    /// The symbols, ascending.
    fn codes(&self) -> Vec<u32> {
        (0..=u32::from(char::MAX)).filter(|&code| self.has(code)).collect()
    }

    fn has(&self, code: u32) -> bool {
        self.0.get(code as usize / 64).is_some_and(|bits| bits >> (code % 64) & 1 == 1)
    }
}

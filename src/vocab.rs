//! Vocabularies: symbols of a text, numbered in the order of their code points.
//!
//! A symbol is a character (any of Unicode) or a byte; its token is its position. [`Vocab`] owns its symbols in a
//! `heapless` vector, [`Symbols`] borrows them from anywhere: a model file in flash, or a slice on the host.

use core::fmt;

/// What the symbols of a vocabulary are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Alphabet {
    /// Characters: Unicode scalar values.
    #[default]
    Chars,
    /// Bytes, 0 to 255.
    Bytes,
}

/// Why there is no vocabulary, no token or no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum VocabError {
    /// The text has more distinct symbols than the vocabulary has room for.
    TooManySymbols {
        /// Distinct symbols in the text.
        found: usize,
        /// Room.
        room: usize,
    },
    /// A character of the text is not in the vocabulary.
    Unknown {
        /// The character; of a byte, the one with its number.
        symbol: char,
        /// Symbols before it in the text.
        position: usize,
    },
    /// A list of symbols is not strictly ascending, or has one that is no character or byte.
    Malformed {
        /// The position in the list.
        position: usize,
    },
    /// A token is outside of the vocabulary.
    Token {
        /// The token.
        token: u16,
        /// The size of the vocabulary.
        symbols: usize,
    },
    /// Bytes were given to a vocabulary of characters, or characters were asked of one of bytes.
    WrongAlphabet,
    /// The text has more symbols than the buffer has room for.
    NoRoom,
}

impl fmt::Display for VocabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooManySymbols { found, room } => {
                write!(f, "the text has {found} distinct symbols, the vocabulary has room for {room}")
            }
            Self::Unknown { symbol, position } => {
                write!(f, "{symbol:?} (symbol {position} of the text) is not in the vocabulary")
            }
            Self::Malformed { position } => {
                write!(f, "symbol {position} of the vocabulary is out of order or no symbol")
            }
            Self::Token { token, symbols } => {
                write!(f, "token {token} is outside of a vocabulary of {symbols} symbols")
            }
            Self::WrongAlphabet => {
                f.write_str("the vocabulary's symbols are of the other kind, bytes or characters")
            }
            Self::NoRoom => f.write_str("the text is longer than the buffer"),
        }
    }
}

impl core::error::Error for VocabError {}

/// The largest vocabulary: tokens are `u16`, and there are at most 65,535 of them.
pub const MAX_SYMBOLS: usize = u16::MAX as usize;

/// A vocabulary of up to `V` symbols.
///
/// ```
/// use recurve::Vocab;
///
/// let vocab = Vocab::<8>::from_text("时间机器，时间")?;
/// let symbols = vocab.symbols();
/// assert_eq!(symbols.len(), 5);
/// let mut tokens = [0; 2];
/// assert_eq!(symbols.encode("机器", &mut tokens)?, 2);
/// let text: heapless::String<16> = symbols.decode(tokens)?;
/// assert_eq!(text, "机器");
/// # Ok::<(), recurve::VocabError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocab<const V: usize> {
    codes: heapless::Vec<u32, V>,
    alphabet: Alphabet,
}

impl<const V: usize> Vocab<V> {
    /// The characters of a text.
    ///
    /// # Errors
    /// [`VocabError::TooManySymbols`]
    pub fn from_text(text: &str) -> Result<Self, VocabError> {
        Self::collect(Alphabet::Chars, text.chars().map(u32::from))
    }

    /// The bytes of a text.
    ///
    /// # Errors
    /// [`VocabError::TooManySymbols`]
    pub fn from_bytes(text: &[u8]) -> Result<Self, VocabError> {
        Self::collect(Alphabet::Bytes, text.iter().copied().map(u32::from))
    }

    fn collect(alphabet: Alphabet, text: impl Iterator<Item = u32> + Clone) -> Result<Self, VocabError> {
        let mut codes = heapless::Vec::new();
        let room = V.min(MAX_SYMBOLS);
        for code in text.clone() {
            if let Err(position) = codes.binary_search(&code)
                && (codes.len() >= room || codes.insert(position, code).is_err())
            {
                return Err(VocabError::TooManySymbols { found: distinct(text), room });
            }
        }
        Ok(Self { codes, alphabet })
    }

    /// The vocabulary, borrowed.
    #[must_use]
    pub fn symbols(&self) -> Symbols<'_> {
        Symbols { codes: &self.codes, alphabet: self.alphabet }
    }
}

/// The number of distinct codes, without memory for them: a pass over the text for each.
fn distinct(text: impl Iterator<Item = u32> + Clone) -> usize {
    let next = |last: Option<u32>| text.clone().filter(|&code| last.is_none_or(|last| code > last)).min();
    core::iter::successors(next(None), |&last| next(Some(last))).count()
}

/// A vocabulary, borrowed: strictly ascending codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbols<'a> {
    codes: &'a [u32],
    alphabet: Alphabet,
}

impl<'a> Symbols<'a> {
    /// A vocabulary of these code points or bytes, in this order.
    ///
    /// # Errors
    /// [`VocabError::Malformed`] unless they are symbols and strictly ascending, [`VocabError::TooManySymbols`]
    /// above [`MAX_SYMBOLS`].
    pub const fn new(codes: &'a [u32], alphabet: Alphabet) -> Result<Self, VocabError> {
        if codes.len() > MAX_SYMBOLS {
            return Err(VocabError::TooManySymbols { found: codes.len(), room: MAX_SYMBOLS });
        }
        // The smallest code that may come next, in words that the compiler can evaluate.
        let (mut left, mut smallest) = (codes, 0);
        while let [code, rest @ ..] = left {
            let is_symbol = match alphabet {
                Alphabet::Chars => char::from_u32(*code).is_some(),
                Alphabet::Bytes => *code <= 0xff,
            };
            if !is_symbol || *code < smallest {
                return Err(VocabError::Malformed { position: codes.len() - left.len() });
            }
            (left, smallest) = (rest, *code + 1);
        }
        Ok(Self { codes, alphabet })
    }

    /// Codes that [`new`](Self::new) has accepted before.
    #[cfg(feature = "std")]
    pub(crate) const fn checked_before(codes: &'a [u32], alphabet: Alphabet) -> Self {
        Self { codes, alphabet }
    }

    /// The number of symbols.
    #[must_use]
    pub const fn len(self) -> usize {
        self.codes.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.codes.is_empty()
    }

    /// Characters or bytes.
    #[must_use]
    pub const fn alphabet(self) -> Alphabet {
        self.alphabet
    }

    /// The code points or bytes, ascending.
    #[must_use]
    pub const fn codes(self) -> &'a [u32] {
        self.codes
    }

    /// The token of a symbol.
    #[must_use]
    pub fn token(self, symbol: char) -> Option<u16> {
        self.codes.binary_search(&u32::from(symbol)).ok().and_then(|token| u16::try_from(token).ok())
    }

    /// The symbol of a token; of a byte, the character with its number.
    #[must_use]
    pub fn symbol(self, token: u16) -> Option<char> {
        self.codes.get(usize::from(token)).and_then(|&code| char::from_u32(code))
    }

    /// The tokens of a text, by character or by byte as the alphabet is.
    pub fn tokens<'t>(self, text: &'t str) -> impl Iterator<Item = Result<u16, VocabError>> + use<'a, 't> {
        let (chars, bytes) = match self.alphabet {
            Alphabet::Chars => (text, ""),
            Alphabet::Bytes => ("", text),
        };
        let symbols = chars.chars().chain(bytes.bytes().map(char::from));
        symbols.enumerate().map(move |(position, symbol)| self.known(symbol, position))
    }

    /// The tokens of bytes; each is [`VocabError::WrongAlphabet`] if the alphabet is not bytes.
    pub fn byte_tokens<'t>(
        self,
        text: &'t [u8],
    ) -> impl Iterator<Item = Result<u16, VocabError>> + use<'a, 't> {
        text.iter().enumerate().map(move |(position, &byte)| match self.alphabet {
            Alphabet::Bytes => self.known(char::from(byte), position),
            Alphabet::Chars => Err(VocabError::WrongAlphabet),
        })
    }

    fn known(self, symbol: char, position: usize) -> Result<u16, VocabError> {
        self.token(symbol).ok_or(VocabError::Unknown { symbol, position })
    }

    /// Writes the tokens of a text and says how many there are.
    ///
    /// # Errors
    /// [`VocabError::Unknown`] for a symbol outside of the vocabulary, [`VocabError::NoRoom`] for more tokens than fit.
    pub fn encode(self, text: &str, tokens: &mut [u16]) -> Result<usize, VocabError> {
        let mut count = 0;
        for token in self.tokens(text) {
            *tokens.get_mut(count).ok_or(VocabError::NoRoom)? = token?;
            count += 1;
        }
        Ok(count)
    }

    /// The text of tokens, in up to `N` bytes.
    ///
    /// # Errors
    /// [`VocabError::WrongAlphabet`] if the symbols are bytes: see [`decode_bytes`](Self::decode_bytes);
    /// [`VocabError::NoRoom`] for more text than fits, [`VocabError::Token`] for a token outside of the vocabulary.
    pub fn decode<const N: usize>(
        self,
        tokens: impl IntoIterator<Item = u16>,
    ) -> Result<heapless::String<N>, VocabError> {
        if self.alphabet != Alphabet::Chars {
            return Err(VocabError::WrongAlphabet);
        }
        let mut text = heapless::String::new();
        for token in tokens {
            text.push(self.known_token(token)?).map_err(|_| VocabError::NoRoom)?;
        }
        Ok(text)
    }

    /// The bytes of tokens, up to `N`: those that they stand for, or those of their characters in UTF-8.
    ///
    /// # Errors
    /// [`VocabError::NoRoom`] for more bytes than fit, [`VocabError::Token`] for a token outside of the vocabulary.
    pub fn decode_bytes<const N: usize>(
        self,
        tokens: impl IntoIterator<Item = u16>,
    ) -> Result<heapless::Vec<u8, N>, VocabError> {
        let mut bytes = heapless::Vec::new();
        for token in tokens {
            let symbol = self.known_token(token)?;
            let written = match (self.alphabet, u8::try_from(symbol)) {
                (Alphabet::Bytes, Ok(byte)) => bytes.push(byte).map_err(|_| VocabError::NoRoom),
                _ => {
                    let mut utf8 = [0; 4];
                    let utf8 = symbol.encode_utf8(&mut utf8).as_bytes();
                    bytes.extend_from_slice(utf8).map_err(|_| VocabError::NoRoom)
                }
            };
            written?;
        }
        Ok(bytes)
    }

    fn known_token(self, token: u16) -> Result<char, VocabError> {
        self.symbol(token).ok_or(VocabError::Token { token, symbols: self.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_symbols_are_counted() {
        let error = Vocab::<3>::from_text("hello world").unwrap_err();
        assert_eq!(error, VocabError::TooManySymbols { found: 8, room: 3 });
        assert!(Vocab::<8>::from_text("hello world").is_ok());
    }

    #[test]
    fn bytes_and_characters_differ() {
        assert_eq!(Vocab::<4>::from_text("é").unwrap().symbols().len(), 1);
        let bytes = Vocab::<4>::from_bytes("é".as_bytes()).unwrap();
        assert_eq!(bytes.symbols().codes(), [0xa9, 0xc3]);
        assert!(bytes.symbols().tokens("é").eq([Ok(1), Ok(0)]));
        assert!(
            bytes
                .symbols()
                .byte_tokens(&[0xa9, 0x00])
                .eq([Ok(0), Err(VocabError::Unknown { symbol: '\0', position: 1 })])
        );
    }

    #[test]
    fn unknown_symbols_are_named() {
        let vocab = Vocab::<4>::from_text("abc").unwrap();
        assert_eq!(
            vocab.symbols().encode("abxc", &mut [0; 9]),
            Err(VocabError::Unknown { symbol: 'x', position: 2 })
        );
        assert_eq!(vocab.symbols().encode("abc", &mut [0; 2]), Err(VocabError::NoRoom));
        assert_eq!(vocab.symbols().decode::<1>([0, 1]), Err(VocabError::NoRoom));
        assert_eq!(vocab.symbols().decode::<8>([3]), Err(VocabError::Token { token: 3, symbols: 3 }));
    }

    #[test]
    fn lists_are_checked() {
        let malformed = |position| Err(VocabError::Malformed { position });
        assert_eq!(Symbols::new(&[1, 1], Alphabet::Chars), malformed(1));
        assert_eq!(Symbols::new(&[0xd800], Alphabet::Chars), malformed(0));
        assert_eq!(Symbols::new(&[5, 256], Alphabet::Bytes), malformed(1));
        assert!(Symbols::new(&[], Alphabet::Bytes).is_ok());
    }
}

//! The vocabulary of weights: a symbol for each row of an embedding, in its order.

use std::{format, string::String, vec::Vec};

use serde_json::Value;

use super::{WeightsError, error::Json, file::entries};
use crate::host::Corpus;
use crate::vocab::{Alphabet, MAX_SYMBOLS, Symbols, VocabError};

/// Bytes of JSON at most: twice what all symbols take if each is escaped and has a line of its own.
const LONGEST: usize = 1 << 22;

/// The symbols of some weights, in any order.
///
/// A network's vocabulary is always in ascending order. Weights for another one are brought into it as they are
/// imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    codes: Vec<u32>,
    alphabet: Alphabet,
}

impl Vocabulary {
    /// The vocabulary of a network.
    #[must_use]
    pub fn of(symbols: Symbols<'_>) -> Self {
        Self { codes: symbols.codes().to_vec(), alphabet: symbols.alphabet() }
    }

    /// The symbols of a text, in ascending order.
    ///
    /// # Errors
    /// [`VocabError::TooManySymbols`] for more than [`MAX_SYMBOLS`].
    pub fn of_corpus(corpus: &Corpus) -> Result<Self, VocabError> {
        Ok(Self { codes: corpus.vocabulary()?, alphabet: corpus.alphabet() })
    }

    /// Reads a list in JSON: of characters, each a string, or of bytes, each a number.
    ///
    /// ```
    /// use recurve::host::safetensors::Vocabulary;
    ///
    /// assert_eq!(Vocabulary::from_json(r#"["b", "\n", "a"]"#)?.len(), 3);
    /// assert_eq!(Vocabulary::from_json("[0, 10, 255]")?.to_json(), "[0,10,255]");
    /// assert!(Vocabulary::from_json(r#"["a", "a"]"#).is_err());
    /// # Ok::<(), recurve::host::safetensors::WeightsError>(())
    /// ```
    ///
    /// # Errors
    /// [`WeightsError::Vocabulary`] for anything else, for a symbol that is there twice, and for more than
    /// [`MAX_SYMBOLS`].
    pub fn from_json(json: &str) -> Result<Self, WeightsError> {
        if json.len() > LONGEST {
            return wrong("the vocabulary is longer than a list of all symbols that there can be".into());
        }
        let entries = entries(json.as_bytes());
        if entries > MAX_SYMBOLS {
            return wrong(too_many(entries));
        }
        if json.trim_start().trim_start_matches('[').trim_start().starts_with('"') {
            let list: Vec<char> = serde_json::from_str(json).map_err(no_list)?;
            Self::new(list.into_iter().map(u32::from).collect(), Alphabet::Chars)
        } else {
            let list: Vec<u8> = serde_json::from_str(json).map_err(no_list)?;
            Self::new(list.into_iter().map(u32::from).collect(), Alphabet::Bytes)
        }
    }

    fn new(codes: Vec<u32>, alphabet: Alphabet) -> Result<Self, WeightsError> {
        if codes.is_empty() || codes.len() > MAX_SYMBOLS {
            return wrong(too_many(codes.len()));
        }
        let vocabulary = Self { codes, alphabet };
        let order = vocabulary.order();
        let twice = order.windows(2).find(|pair| vocabulary.codes[pair[0]] == vocabulary.codes[pair[1]]);
        match twice {
            Some(pair) => {
                let (first, second) = (pair[0], pair[1]);
                wrong(format!("entries {first} and {second} of the vocabulary (counted from 0) are the same"))
            }
            None => Ok(vocabulary),
        }
    }

    /// The list in JSON, as [`from_json`](Self::from_json) reads it.
    #[must_use]
    pub fn to_json(&self) -> String {
        let symbol = |&code: &u32| match self.alphabet {
            Alphabet::Bytes => Value::from(code),
            Alphabet::Chars => char::from_u32(code).map_or(Value::Null, |c| Value::from(String::from(c))),
        };
        format!("{}", Value::Array(self.codes.iter().map(symbol).collect()))
    }

    /// The number of symbols.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there is none, which cannot be.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// Characters or bytes.
    #[must_use]
    pub const fn alphabet(&self) -> Alphabet {
        self.alphabet
    }

    /// The places of the symbols in ascending order.
    pub(super) fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.codes.len()).collect();
        order.sort_by_key(|&place| self.codes[place]);
        order
    }

    /// The symbols in ascending order.
    pub(super) fn ascending(&self) -> Vec<u32> {
        let mut codes = self.codes.clone();
        codes.sort_unstable();
        codes
    }
}

fn wrong<T>(what: String) -> Result<T, WeightsError> {
    Err(WeightsError::Vocabulary(what))
}

fn too_many(count: usize) -> String {
    format!("the vocabulary has {count} symbols; there must be 1 to {MAX_SYMBOLS}")
}

fn no_list(error: serde_json::Error) -> WeightsError {
    let is_word = format!("{error}").starts_with("invalid value: string");
    let advice =
        if is_word { "; in place of a word such as \"<unk>\", put a character that no text has" } else { "" };
    WeightsError::Vocabulary(format!(
        "the vocabulary is no JSON list of single characters, or of bytes as numbers: {}{advice}",
        Json(error)
    ))
}

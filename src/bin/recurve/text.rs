//! From a file to tokens.

use std::path::Path;

use recurve::host::{Corpus, Network, text::Clean};
use recurve::vocab::Alphabet;
use recurve::{Symbols, VocabError};

use crate::args::ReadingArgs;
use crate::failure::Failure;

/// A text with its own vocabulary.
pub struct Text {
    pub alphabet: Alphabet,
    pub clean: Clean,
    pub codes: Vec<u32>,
    pub tokens: Vec<u16>,
}

impl Text {
    /// Reads and cleans a file; without one, the built-in book.
    pub fn read(path: Option<&Path>, reading: &ReadingArgs) -> Result<Self, Failure> {
        let alphabet = if reading.bytes { Alphabet::Bytes } else { Alphabet::Chars };
        let corpus = corpus(path, alphabet)?;
        let corpus = corpus.clean(reading.clean);
        let codes = corpus.vocabulary().map_err(|error| too_many(&error))?;
        let tokens = corpus.tokens(Symbols::new(&codes, alphabet)?)?;
        Ok(Self { alphabet, clean: reading.clean, codes, tokens })
    }

    /// The same as a model reads it.
    pub fn for_model(path: Option<&Path>, network: &Network) -> Result<Self, Failure> {
        let symbols = network.symbols();
        let name = path.map_or_else(|| "the built-in book".into(), |path| path.display().to_string());
        let tokens = encode(network, corpus(path, symbols.alphabet())?, &name)?;
        let codes = symbols.codes().to_vec();
        Ok(Self { alphabet: symbols.alphabet(), clean: network.clean(), codes, tokens })
    }
}

/// A file's text, or the built-in book.
fn corpus(path: Option<&Path>, alphabet: Alphabet) -> Result<Corpus, Failure> {
    Ok(match (path, alphabet) {
        (Some(path), alphabet) => Corpus::read(path, alphabet)?,
        (None, Alphabet::Bytes) => Corpus::Bytes(lipsum::LIBER_PRIMUS.into()),
        (None, Alphabet::Chars) => Corpus::Chars(lipsum::LIBER_PRIMUS.into()),
    })
}

pub fn too_many(error: &VocabError) -> Failure {
    Failure::new(format!("{error}: read it with --bytes or --clean letters"))
}

/// The tokens of a text for a model that was trained on another one; `name` says what the text is.
pub fn encode(network: &Network, corpus: Corpus, name: &str) -> Result<Vec<u16>, Failure> {
    let unknown = |error| match error {
        VocabError::Unknown { symbol, position } => {
            Failure::new(format!("{}: {WHAT_TO_DO}", named(network, symbol, position, name)))
        }
        error => error.into(),
    };
    corpus.clean(network.clean()).tokens(network.symbols()).map_err(unknown)
}

const WHAT_TO_DO: &str = "leave it out, or train a model on a text that has it";

fn named(network: &Network, symbol: char, position: usize, name: &str) -> String {
    let cleaned = if network.clean() == Clean::None { "" } else { ", once cleaned," };
    let (kind, shown) = match network.symbols().alphabet() {
        Alphabet::Chars => ("character", format!("{symbol:?}")),
        Alphabet::Bytes => ("byte", format!("{:#04x}", u32::from(symbol))),
    };
    let nth = position + 1;
    format!("{kind} {nth} of {name}{cleaned} is {shown}, which is not in the model's vocabulary")
}

/// Text that is safe to show in a terminal: control characters other than line ends and tabs become `\u{fffd}`.
pub fn printable(text: &[u8]) -> String {
    let shown =
        |c: char| if c.is_control() && c != '\n' && c != '\t' { char::REPLACEMENT_CHARACTER } else { c };
    String::from_utf8_lossy(text).chars().map(shown).collect()
}

//! A model whose cell, sizes and vocabulary are known at run time, and its file.

use std::{format, path::Path, vec::Vec};

use rand_core::SeedableRng;
use rand_pcg::Pcg32;

use super::{Buffer, HostError, buffer::check_available, read_model, stored};
use crate::cell::{AnyCell, Cell, Extent, Inputs};
use crate::clean::Clean;
use crate::error::Error;
use crate::format::ModelFile;
use crate::init::Init;
use crate::lanes::best_lanes;
use crate::loss::{Perplexity, Targets};
use crate::model::ModelShape;
use crate::sample::Sampler;
use crate::vocab::{Alphabet, Symbols, VocabError};

/// Steps of a window of [`Network::evaluate`].
const EVALUATION_WINDOW: usize = 64;

/// A language model on the heap: any cell, any sizes.
#[derive(Clone, Debug)]
pub struct Network {
    shape: ModelShape<AnyCell>,
    clean: Clean,
    alphabet: Alphabet,
    codes: Vec<u32>,
    params: Buffer,
}

impl<'a> From<&'a Network> for ModelFile<'a> {
    fn from(network: &'a Network) -> Self {
        network.file()
    }
}

impl Network {
    /// A network for this vocabulary, with all weights zero. The cell's inputs are the vocabulary's symbols.
    ///
    /// # Errors
    /// [`HostError::Vocab`] for codes that are not a vocabulary, [`HostError::Setting`] for one of another size than
    /// the cell's inputs or a hidden size of zero, [`HostError::Memory`] if the weights do not fit.
    pub fn new(cell: AnyCell, codes: Vec<u32>, alphabet: Alphabet, clean: Clean) -> Result<Self, HostError> {
        Symbols::new(&codes, alphabet)?;
        let empty = cell.layers().iter().any(|layer| layer.hidden() == 0);
        if codes.len() != cell.inputs() || codes.is_empty() || empty {
            let (inputs, hidden, symbols) = (cell.inputs(), cell.hidden(), codes.len());
            let sizes = format!("{inputs} inputs and {hidden} hidden units do not fit {symbols} symbols");
            return Err(HostError::Setting(sizes));
        }
        let shape = ModelShape { cell, outputs: codes.len() };
        check_available(shape.params_len().saturating_mul(size_of::<f32>()))?;
        Ok(Self { shape, clean, alphabet, codes, params: Buffer::zeroed(shape.params_len())? })
    }

    /// Draws initial weights.
    pub fn init(&mut self, seed: u64) {
        let drawn = self.shape.init(&mut self.params, Init::TOKENS, &mut Pcg32::seed_from_u64(seed));
        debug_assert_eq!(drawn, Ok(()), "the buffer was made for this shape");
    }

    /// The sizes.
    #[must_use]
    pub const fn shape(&self) -> ModelShape<AnyCell> {
        self.shape
    }

    /// All weights, flat.
    #[must_use]
    pub fn params(&self) -> &[f32] {
        &self.params
    }

    /// All weights, flat, to be changed.
    pub fn params_mut(&mut self) -> &mut [f32] {
        &mut self.params
    }

    /// How texts are cleaned before they become tokens.
    #[must_use]
    pub const fn clean(&self) -> Clean {
        self.clean
    }

    /// The vocabulary.
    #[must_use]
    pub fn symbols(&self) -> Symbols<'_> {
        Symbols::checked_before(&self.codes, self.alphabet)
    }

    /// The network as a file's contents.
    #[must_use]
    pub fn file(&self) -> ModelFile<'_> {
        ModelFile::new(self.shape, &self.params).with_symbols(self.symbols()).with_clean(self.clean)
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// [`HostError::File`] if it cannot be read, [`HostError::Format`] if it is no model,
    /// [`HostError::NoVocabulary`] if it is one of readings and not of a text.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, HostError> {
        read_model(path, Self::of)
    }

    /// Reads the bytes of a model file, at any alignment; if it is one of less than four, they are copied first.
    ///
    /// # Errors
    /// [`HostError::Format`] if they are no model, [`HostError::NoVocabulary`] if they are one of readings.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HostError> {
        stored::parse_model(bytes, Self::of)
    }

    /// The network of a file; there is no room for its weights before all else is known to be right.
    fn of(file: ModelFile<'_>) -> Result<Self, HostError> {
        let symbols = file.symbols.ok_or_else(|| HostError::NoVocabulary { path: "the model".into() })?;
        let codes = symbols.codes().to_vec();
        let mut network = Self::new(file.shape.cell, codes, symbols.alphabet(), file.clean)?;
        network.params.copy_from_slice(file.weights);
        Ok(network)
    }

    /// Writes a model file, whole or not at all: under a temporary name beside it, synced, then renamed.
    ///
    /// # Errors
    /// [`HostError::File`] if it cannot be written; a file of this name is then as it was.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), HostError> {
        stored::write_model(path.as_ref(), self.file())
    }

    /// The perplexity of a text in one pass, from a zero state, over every token that has one before it.
    ///
    /// # Errors
    /// [`HostError::Model`] for a token outside of the vocabulary or a loss that is not finite.
    pub fn evaluate(&self, tokens: &[u16]) -> Result<Perplexity, HostError> {
        let extent = Extent { batch: 1, window: EVALUATION_WINDOW.min(tokens.len()) };
        let mut state = Buffer::zeroed(self.shape.state_len(1))?;
        let mut tape = Buffer::zeroed(self.shape.tape_len(extent))?;
        let mut scratch = Buffer::zeroed(self.shape.loss_scratch_len(extent))?;
        let mut perplexity = Perplexity::default();
        let (inputs, targets) = (tokens.split_last().map_or(&[][..], |(_, rest)| rest), tokens.get(1..));
        let windows =
            inputs.chunks(EVALUATION_WINDOW).zip(targets.unwrap_or_default().chunks(EVALUATION_WINDOW));
        for (inputs, targets) in windows {
            let rows = (Inputs::Tokens(inputs), Targets::Tokens(targets));
            let loss = best_lanes!(lanes => {
                self.shape.loss(lanes, &self.params, rows.0, rows.1, &mut state, &mut tape, &mut scratch)
            })?;
            perplexity.add_mean(loss, inputs.len() as u64);
        }
        Ok(perplexity)
    }

    /// A text of `length` tokens that follows `prefix`; without a prefix, the first is drawn uniformly.
    ///
    /// # Errors
    /// [`HostError::Model`] for a token outside of the vocabulary or logits that are not finite.
    pub fn sample(
        &self,
        prefix: &[u16],
        length: usize,
        sampler: Sampler,
        seed: u64,
    ) -> Result<Vec<u16>, HostError> {
        let mut state = Buffer::zeroed(self.shape.state_len(1))?;
        let mut logits = Buffer::zeroed(self.shape.outputs)?;
        let mut scratch = Buffer::zeroed(self.shape.step_scratch_len(1))?;
        let mut rng = Pcg32::seed_from_u64(seed);
        let text = self.shape.generate(
            &self.params,
            prefix,
            &mut state,
            &mut logits,
            &mut scratch,
            sampler,
            &mut rng,
        )?;
        Ok(text.take(length).collect::<Result<_, Error>>()?)
    }

    /// The text of tokens, as the bytes of UTF-8 or as the bytes that they stand for.
    ///
    /// # Errors
    /// [`HostError::Vocab`] for a token outside of the vocabulary.
    pub fn decode(&self, tokens: &[u16]) -> Result<Vec<u8>, HostError> {
        let mut text = Vec::with_capacity(tokens.len());
        for &token in tokens {
            let unknown = VocabError::Token { token, symbols: self.codes.len() };
            let symbol = self.symbols().symbol(token).ok_or(unknown)?;
            match self.alphabet {
                Alphabet::Chars => text.extend_from_slice(symbol.encode_utf8(&mut [0; 4]).as_bytes()),
                Alphabet::Bytes => text.push(symbol as u8),
            }
        }
        Ok(text)
    }
}

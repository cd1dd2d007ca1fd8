//! Model files: weights that are read in place, from flash or from a file.
//!
//! All numbers are little-endian. The file's own address must be a multiple of four.
//!
//! | bytes | what |
//! |---|---|
//! | 0–7 | magic, `RECURVE\n` |
//! | 8–11 | version: 2 of a forecaster, 1 of any other model |
//! | 12–15 | CRC-32 (ISO-HDLC) of all bytes from 16 on |
//! | 16–19 | bytes of the whole file |
//! | 20 | cell: 0 Elman, 1 feedforward, 2 GRU, 3 LSTM, 4 embedding; of a stack, the first layer |
//! | 21 | activation: 0 tanh, 1 `ReLU`; 0 for those without a choice |
//! | 22 | symbols: 0 characters, 1 bytes; 0 for a model without |
//! | 23 | cleaning: 0 none, 1 letters |
//! | 24–27, 28–31, 32–35 | inputs d, hidden units h (of the first layer), outputs q |
//! | 36–39 | symbols of the vocabulary; 0 for a model without |
//! | 40 | reset gate of a GRU: 0 applied after the recurrent product, 1 before it; 0 for other cells |
//! | 41 | layers above the first; 0 for a single cell |
//! | 42–43 | zero |
//! | 44–47 | of a forecaster, the values that it looks back on, 1 or more; 0 of any other model |
//! | 48–55 | zero |
//! | 56 | normalisation: 1 of inputs, 2 of outputs, 3 of both, 0 none |
//! | 57–63 | zero |
//! | 8 for each layer above | cell, activation and reset gate as above, zero; hidden units, four bytes |
//! | then | weights, `f32`, in the order of [`ModelShape`] |
//! | then | as far as they are normalised: d means and d deviations of inputs, q means and q deviations of outputs, `f32` |
//! | the rest | symbols, `u32`, ascending |

mod error;
mod header;
mod include;
mod layers;
mod normalization;

use core::num::NonZeroU32;

pub use error::FormatError;
#[cfg(feature = "std")]
pub(crate) use header::claimed_len;
pub use include::StoredCell;
#[doc(hidden)]
pub use include::{
    assert_file, included, included_codes, included_standard, included_symbols, included_window, symbols,
    weights_bytes,
};
pub use normalization::Normalization;

use crate::cell::{AnyCell, Cell};
use crate::clean::Clean;
use crate::model::{Model, ModelShape};
use crate::params::Flat;
use crate::vocab::{Alphabet, Symbols};
pub(crate) use header::MAGIC;
use header::{Header, alphabet, check, checksum, clean, field, not_zero, window, word};
use layers::{Codes, LAYER_BYTES, above_bytes};
use normalization::normalization_len;

/// Bytes before the layers above the first, and before the weights where there are none.
pub const HEADER_BYTES: usize = 64;

/// The highest version that this crate writes and reads: of forecasters.
pub const VERSION: u32 = 2;

/// The version of all other models.
const FIRST_VERSION: u32 = 1;

/// A model with what it needs to be used, borrowed: from a file's bytes, or on its way to one.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ModelFile<'a> {
    /// The cell, and the sizes.
    pub shape: ModelShape<AnyCell>,
    /// The cleaning that texts need before they become tokens.
    pub clean: Clean,
    /// The vocabulary, if inputs and outputs are symbols: one for each input and each output.
    pub symbols: Option<Symbols<'a>>,
    /// Means and deviations, if readings and outputs have units.
    pub normalization: Normalization<'a>,
    /// Of a forecaster, the values that it looks back on.
    pub window: Option<NonZeroU32>,
    /// All weights, flat.
    pub weights: &'a [f32],
}

impl<'a> ModelFile<'a> {
    /// Reads a model in place; nothing is copied.
    ///
    /// # Errors
    /// Any [`FormatError`] but [`Mismatch`](FormatError::Mismatch).
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FormatError> {
        check(bytes)?;
        let (header, body) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(FormatError::Magic)?;
        let (above, body) =
            body.split_at_checked(above_bytes(header)).ok_or(FormatError::Field(field::LAYERS))?;
        let shape = parse_shape(header, above)?;
        let (clean, window) = (clean(header)?, window(header)?);
        if !body.len().is_multiple_of(4) {
            return Err(FormatError::Field(field::LENGTH));
        }
        let words: &[u32] = bytemuck::try_cast_slice(body).map_err(|_| FormatError::Alignment)?;
        let (weights, rest) =
            words.split_at_checked(shape.params_len()).ok_or(FormatError::Field(field::INPUTS))?;
        let (inputs, outputs) = (shape.cell.inputs(), shape.outputs);
        let len = normalization_len(header[field::NORMALIZATION], inputs, outputs);
        let (numbers, codes) = rest.split_at_checked(len).ok_or(FormatError::Field(field::NORMALIZATION))?;
        let mut numbers = bytemuck::must_cast_slice(numbers);
        let normalization = Normalization::take(header[field::NORMALIZATION], inputs, outputs, &mut numbers);
        if codes.len() != word(header, field::SYMBOLS) as usize {
            return Err(FormatError::Field(field::SYMBOLS));
        }
        let symbols = parse_symbols(header, codes)?;
        let weights = bytemuck::must_cast_slice(weights);
        let file = Self { shape, clean, symbols, normalization, window, weights };
        file.check_sizes()?;
        Ok(file)
    }

    /// What must hold of a model that is read, and of one that is written.
    fn check_sizes(&self) -> Result<(), FormatError> {
        check_not_empty(self.shape)?;
        let (inputs, outputs) = (self.shape.cell.inputs(), self.shape.outputs);
        if self.weights.len() != self.shape.params_len() {
            return Err(FormatError::Field(field::INPUTS));
        }
        if !self.normalization.is_valid(inputs, outputs) {
            return Err(FormatError::Field(field::NORMALIZATION));
        }
        match self.symbols.map(Symbols::len) {
            Some(symbols) if symbols != inputs || symbols != outputs => {
                Err(FormatError::Field(field::SYMBOLS))
            }
            _ => Ok(()),
        }
    }

    /// A model of these sizes without vocabulary, on its way to a file.
    #[must_use]
    pub fn new(shape: ModelShape<AnyCell>, weights: &'a [f32]) -> Self {
        let normalization = Normalization::default();
        Self { shape, clean: Clean::None, symbols: None, normalization, window: None, weights }
    }

    /// A typed model without vocabulary, on its way to a file.
    pub fn of<C, const H: usize, const O: usize>(model: &'a Model<C, H, O>) -> Self
    where
        C: StoredCell<H>,
    {
        Self::new(ModelShape { cell: C::CELL, outputs: O }, model.as_flat())
    }

    /// The same with a vocabulary. A file needs a symbol for each input and each output of the model.
    #[must_use]
    pub const fn with_symbols(self, symbols: Symbols<'a>) -> Self {
        Self { symbols: Some(symbols), ..self }
    }

    /// The same with means and deviations. A file needs one for each input and each output that is normalised.
    #[must_use]
    pub const fn with_normalization(self, normalization: Normalization<'a>) -> Self {
        Self { normalization, ..self }
    }

    /// The same with the values that a forecaster looks back on.
    #[must_use]
    pub const fn with_window(self, window: NonZeroU32) -> Self {
        Self { window: Some(window), ..self }
    }

    /// The same with the cleaning that texts need.
    #[must_use]
    pub const fn with_clean(self, clean: Clean) -> Self {
        Self { clean, ..self }
    }

    /// The bytes of the file.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        let symbols = self.symbols.map_or(0, Symbols::len);
        let above = self.shape.cell.layers().len().saturating_sub(1) * LAYER_BYTES;
        let words = self.weights.len().saturating_add(self.normalization.numbers().count());
        (HEADER_BYTES + above).saturating_add(words.saturating_add(symbols).saturating_mul(4))
    }

    /// Writes the file to `to`, which must be [`byte_len`](Self::byte_len) long.
    ///
    /// ```
    /// use recurve::format::{FormatError, ModelFile};
    /// use recurve::{CharRnn, params::Flat};
    ///
    /// #[repr(align(4))]
    /// struct Aligned([u8; 64 + 4 * CharRnn::<3, 2>::LEN]);
    /// let mut bytes = Aligned([0; _]);
    ///
    /// let mut model = CharRnn::<3, 2>::ZERO;
    /// model.head.b_q[1] = 0.5;
    /// ModelFile::of(&model).emit(&mut bytes.0)?;
    /// let file = ModelFile::parse(&bytes.0)?;
    /// assert_eq!(CharRnn::<3, 2>::from_file(&file)?, &model);
    /// assert_eq!(CharRnn::<3, 4>::from_file(&file), Err(FormatError::Mismatch));
    /// # Ok::<(), FormatError>(())
    /// ```
    ///
    /// # Errors
    /// [`FormatError::Length`] for another length, or a file beyond 4 GB; [`FormatError::Field`] for sizes that do not
    /// fit the weights or the vocabulary.
    pub fn emit(&self, to: &mut [u8]) -> Result<(), FormatError> {
        let needed = self.byte_len();
        let length = u32::try_from(needed).map_err(|_| FormatError::Length { needed, got: to.len() })?;
        if to.len() != needed {
            return Err(FormatError::Length { needed, got: to.len() });
        }
        self.check_sizes()?;
        let codes = self.symbols.map_or(&[][..], Symbols::codes);
        let (header, body) = to.split_first_chunk_mut::<HEADER_BYTES>().ok_or(FormatError::Magic)?;
        self.emit_header(header, length, codes.len())?;
        let (above, body) =
            body.split_at_mut_checked(above_bytes(header)).ok_or(FormatError::Field(field::LAYERS))?;
        let layers = self.shape.cell.layers().iter().skip(1);
        for (to, layer) in above.as_chunks_mut().0.iter_mut().zip(layers) {
            *to = layers::emit_above(*layer)?;
        }
        let numbers = self.weights.iter().chain(self.normalization.numbers());
        let words = numbers.map(|w| w.to_bits()).chain(codes.iter().copied());
        for (to, word) in body.as_chunks_mut().0.iter_mut().zip(words) {
            *to = word.to_le_bytes();
        }
        let checksum = checksum(to);
        if let Some(to) = to.get_mut(field::CHECKSUM..field::LENGTH) {
            to.copy_from_slice(&checksum.to_le_bytes());
        }
        Ok(())
    }

    fn emit_header(&self, to: &mut Header, length: u32, symbols: usize) -> Result<(), FormatError> {
        let (first, above) =
            self.shape.cell.layers().split_first().ok_or(FormatError::Field(field::LAYERS))?;
        let Codes { cell, activation, reset } = Codes::of(*first);
        let alphabet = match self.symbols.map(Symbols::alphabet) {
            None | Some(Alphabet::Chars) => 0,
            Some(Alphabet::Bytes) => 1,
        };
        let clean = match self.clean {
            Clean::None => 0,
            Clean::Letters => 1,
        };
        let version = if self.window.is_some() { VERSION } else { FIRST_VERSION };
        let window = self.window.map_or(0, NonZeroU32::get);
        let sizes = [first.inputs(), first.hidden(), self.shape.outputs, symbols];
        to.fill(0);
        to[..8].copy_from_slice(MAGIC);
        to[field::VERSION..field::CHECKSUM].copy_from_slice(&version.to_le_bytes());
        to[field::LENGTH..field::CELL].copy_from_slice(&length.to_le_bytes());
        to[field::CELL..field::INPUTS].copy_from_slice(&[cell, activation, alphabet, clean]);
        for (to, size) in to[field::INPUTS..field::RESET].as_chunks_mut().0.iter_mut().zip(sizes) {
            *to = u32::try_from(size).map_err(|_| FormatError::Field(field::INPUTS))?.to_le_bytes();
        }
        to[field::RESET] = reset;
        to[field::LAYERS] = u8::try_from(above.len()).map_err(|_| FormatError::Field(field::LAYERS))?;
        to[field::WINDOW..field::WINDOW + 4].copy_from_slice(&window.to_le_bytes());
        to[field::NORMALIZATION] = self.normalization.code();
        Ok(())
    }
}

impl<C: StoredCell<H>, const H: usize, const O: usize> Model<C, H, O> {
    /// The weights of a file, in place.
    ///
    /// # Errors
    /// [`FormatError::Mismatch`] if the file's cell or sizes are not those of this type.
    pub fn from_file<'a>(file: &ModelFile<'a>) -> Result<&'a Self, FormatError> {
        if file.shape != (ModelShape { cell: C::CELL, outputs: O }) {
            return Err(FormatError::Mismatch);
        }
        Self::from_flat(file.weights).ok_or(FormatError::Mismatch)
    }
}

/// The cell and the sizes.
fn parse_shape(header: &Header, above: &[u8]) -> Result<ModelShape<AnyCell>, FormatError> {
    if header[field::NORMALIZATION] > 3 {
        return Err(FormatError::Field(field::NORMALIZATION));
    }
    if let Some(at) = not_zero(header) {
        return Err(FormatError::Field(at));
    }
    let outputs = word(header, field::OUTPUTS) as usize;
    let shape = ModelShape { cell: layers::parse(header, above)?, outputs };
    check_not_empty(shape)?;
    Ok(shape)
}

fn check_not_empty(shape: ModelShape<AnyCell>) -> Result<(), FormatError> {
    let sizes = [shape.cell.inputs(), shape.outputs];
    let hidden = shape.cell.layers().iter().map(|layer| layer.hidden());
    let empty = sizes.into_iter().chain(hidden).any(|size| size == 0);
    if empty { Err(FormatError::Field(field::INPUTS)) } else { Ok(()) }
}

/// The vocabulary, if there is one.
fn parse_symbols<'a>(header: &Header, codes: &'a [u32]) -> Result<Option<Symbols<'a>>, FormatError> {
    match (codes, alphabet(header)?) {
        ([], Alphabet::Chars) => Ok(None),
        ([], Alphabet::Bytes) => Err(FormatError::Field(field::ALPHABET)),
        (codes, alphabet) => Symbols::new(codes, alphabet).map(Some).map_err(FormatError::Vocab),
    }
}

#[cfg(test)]
mod tests;

//! Model files: weights that are read in place, from flash or from a file.
//!
//! All numbers are little-endian. The file's own address must be a multiple of four.
//!
//! | bytes | what |
//! |---|---|
//! | 0–7 | magic, `RECURVE\n` |
//! | 8–11 | version, 1 |
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
//! | 42–55 | zero |
//! | 56 | normalisation: 1 of inputs, 2 of outputs, 3 of both, 0 none |
//! | 57–63 | zero |
//! | 8 for each layer above | cell, activation and reset gate as above, zero; hidden units, four bytes |
//! | then | weights, `f32`, in the order of [`ModelShape`] |
//! | then | as far as they are normalised: d means and d deviations of inputs, q means and q deviations of outputs, `f32` |
//! | the rest | symbols, `u32`, ascending |

mod include;
mod layers;

pub use include::StoredCell;
#[doc(hidden)]
pub use include::{
    assert_file, included, included_codes, included_standard, included_symbols, symbols, weights_bytes,
};

use core::fmt;

use crc::{CRC_32_ISO_HDLC, Crc};

use crate::cell::{AnyCell, Cell};
use crate::clean::Clean;
use crate::model::{Model, ModelShape};
use crate::params::{Flat, take};
use crate::standard::StandardView;
use crate::vocab::{Alphabet, Symbols, VocabError};
use layers::{Codes, LAYER_BYTES};

const MAGIC: &[u8; 8] = b"RECURVE\n";
const CHECKED: usize = 16;
/// Where the header says how a GRU applies its reset gate.
const RESET: usize = 40;
/// Where it says how many layers there are above the first.
const LAYERS: usize = 41;

/// Where it says what is normalised.
const NORMALIZED: usize = 56;

/// Bytes before the layers above the first, and before the weights where there are none.
pub const HEADER_BYTES: usize = 64;

/// The version that this crate writes and reads.
pub const VERSION: u32 = 1;

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
                write!(f, "a model file of version {found}; this build reads version {VERSION}")
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

/// How readings become the inputs of a model, and its outputs numbers in their units; each only if that is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Normalization<'a> {
    /// To be applied to inputs, d channels.
    pub inputs: Option<StandardView<'a>>,
    /// To be inverted of outputs, q channels.
    pub outputs: Option<StandardView<'a>>,
}

impl<'a> Normalization<'a> {
    /// What the header says of it.
    fn code(self) -> u8 {
        u8::from(self.inputs.is_some()) + 2 * u8::from(self.outputs.is_some())
    }

    /// Takes it off what follows the weights.
    fn take(code: u8, inputs: usize, outputs: usize, from: &mut &'a [f32]) -> Self {
        let mut side = |wanted: bool, channels: usize| {
            wanted.then(|| StandardView { mean: take(from, channels), deviation: take(from, channels) })
        };
        Self { inputs: side(code & 1 != 0, inputs), outputs: side(code & 2 != 0, outputs) }
    }

    /// Its numbers, in their order.
    fn numbers(self) -> impl Iterator<Item = &'a f32> {
        let sides = [self.inputs, self.outputs].into_iter().flatten();
        sides.flat_map(|side| side.mean.iter().chain(side.deviation))
    }

    /// Whether it is one for so many channels.
    fn is_valid(self, inputs: usize, outputs: usize) -> bool {
        self.inputs.is_none_or(|side| side.is_valid(inputs))
            && self.outputs.is_none_or(|side| side.is_valid(outputs))
    }
}

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
        let (above, body) = body.split_at_checked(above_bytes(header)).ok_or(FormatError::Field(LAYERS))?;
        let shape = parse_shape(header, above)?;
        let clean = match header[23] {
            0 => Clean::None,
            1 => Clean::Letters,
            _ => return Err(FormatError::Field(23)),
        };
        let words: &[u32] = bytemuck::try_cast_slice(body).map_err(|_| FormatError::Alignment)?;
        let (weights, rest) = words.split_at_checked(shape.params_len()).ok_or(FormatError::Field(24))?;
        let (inputs, outputs) = (shape.cell.inputs(), shape.outputs);
        let len = normalization_len(header[NORMALIZED], inputs, outputs);
        let (numbers, codes) = rest.split_at_checked(len).ok_or(FormatError::Field(NORMALIZED))?;
        let mut numbers = bytemuck::must_cast_slice(numbers);
        let normalization = Normalization::take(header[NORMALIZED], inputs, outputs, &mut numbers);
        if codes.len() != word(header, 36) as usize {
            return Err(FormatError::Field(36));
        }
        let symbols = parse_symbols(codes, header[22])?;
        let weights = bytemuck::must_cast_slice(weights);
        let file = Self { shape, clean, symbols, normalization, weights };
        file.check_sizes()?;
        Ok(file)
    }

    /// What must hold of a model that is read, and of one that is written.
    fn check_sizes(&self) -> Result<(), FormatError> {
        check_not_empty(self.shape)?;
        let (inputs, outputs) = (self.shape.cell.inputs(), self.shape.outputs);
        if self.weights.len() != self.shape.params_len() {
            return Err(FormatError::Field(24));
        }
        if !self.normalization.is_valid(inputs, outputs) {
            return Err(FormatError::Field(NORMALIZED));
        }
        match self.symbols.map(Symbols::len) {
            Some(symbols) if symbols != inputs || symbols != outputs => Err(FormatError::Field(36)),
            _ => Ok(()),
        }
    }

    /// A model of these sizes without vocabulary, on its way to a file.
    #[must_use]
    pub fn new(shape: ModelShape<AnyCell>, weights: &'a [f32]) -> Self {
        Self { shape, clean: Clean::None, symbols: None, normalization: Normalization::default(), weights }
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
            body.split_at_mut_checked(above_bytes(header)).ok_or(FormatError::Field(LAYERS))?;
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
        if let Some(to) = to.get_mut(12..CHECKED) {
            to.copy_from_slice(&checksum.to_le_bytes());
        }
        Ok(())
    }

    fn emit_header(
        &self,
        to: &mut [u8; HEADER_BYTES],
        length: u32,
        symbols: usize,
    ) -> Result<(), FormatError> {
        let (first, above) = self.shape.cell.layers().split_first().ok_or(FormatError::Field(LAYERS))?;
        let Codes { cell, activation, reset } = Codes::of(*first);
        let alphabet = match self.symbols.map(Symbols::alphabet) {
            None | Some(Alphabet::Chars) => 0,
            Some(Alphabet::Bytes) => 1,
        };
        let clean = match self.clean {
            Clean::None => 0,
            Clean::Letters => 1,
        };
        let sizes = [first.inputs(), first.hidden(), self.shape.outputs, symbols];
        to.fill(0);
        to[..8].copy_from_slice(MAGIC);
        to[8..12].copy_from_slice(&VERSION.to_le_bytes());
        to[16..20].copy_from_slice(&length.to_le_bytes());
        to[20..24].copy_from_slice(&[cell, activation, alphabet, clean]);
        for (to, size) in to[24..40].as_chunks_mut().0.iter_mut().zip(sizes) {
            *to = u32::try_from(size).map_err(|_| FormatError::Field(24))?.to_le_bytes();
        }
        to[RESET] = reset;
        to[LAYERS] = u8::try_from(above.len()).map_err(|_| FormatError::Field(LAYERS))?;
        to[NORMALIZED] = self.normalization.code();
        Ok(())
    }
}

impl<'a> ModelFile<'a> {
    /// A typed model without vocabulary, on its way to a file.
    pub fn of<C, const H: usize, const O: usize>(model: &'a Model<C, H, O>) -> Self
    where
        C: StoredCell<H>,
    {
        Self::new(ModelShape { cell: C::CELL, outputs: O }, model.as_flat())
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

/// Checks what does not need the body's meaning: magic, version, length and checksum.
const fn check(bytes: &[u8]) -> Result<(), FormatError> {
    if cfg!(target_endian = "big") {
        return Err(FormatError::Endianness);
    }
    let Some((header, _)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Err(FormatError::Length { needed: HEADER_BYTES, got: bytes.len() });
    };
    let mut i = 0;
    while i < MAGIC.len() {
        if header[i] != MAGIC[i] {
            return Err(FormatError::Magic);
        }
        i += 1;
    }
    if word(header, 8) != VERSION {
        return Err(FormatError::Version { found: word(header, 8) });
    }
    let needed = word(header, 16) as usize;
    if needed != bytes.len() {
        return Err(FormatError::Length { needed, got: bytes.len() });
    }
    if word(header, 12) != checksum(bytes) {
        return Err(FormatError::Checksum);
    }
    Ok(())
}

/// The checksum of a whole file.
const fn checksum(bytes: &[u8]) -> u32 {
    const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
    match bytes.split_at_checked(CHECKED) {
        Some((_, checked)) => CRC.checksum(checked),
        None => 0,
    }
}

/// The little-endian number at an offset.
const fn word(header: &[u8; HEADER_BYTES], at: usize) -> u32 {
    u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}

/// Bytes of the layers above the first.
const fn above_bytes(header: &[u8; HEADER_BYTES]) -> usize {
    header[LAYERS] as usize * LAYER_BYTES
}

/// Numbers of a normalisation with this code.
const fn normalization_len(code: u8, inputs: usize, outputs: usize) -> usize {
    let of_inputs = if code & 1 != 0 { inputs.saturating_mul(2) } else { 0 };
    let of_outputs = if code & 2 != 0 { outputs.saturating_mul(2) } else { 0 };
    of_inputs.saturating_add(of_outputs)
}

fn parse_shape(header: &[u8; HEADER_BYTES], above: &[u8]) -> Result<ModelShape<AnyCell>, FormatError> {
    if header[NORMALIZED] > 3 {
        return Err(FormatError::Field(NORMALIZED));
    }
    let unused = header.iter().enumerate().skip(LAYERS + 1).filter(|&(at, _)| at != NORMALIZED);
    if let Some((at, _)) = unused.into_iter().find(|&(_, &byte)| byte != 0) {
        return Err(FormatError::Field(at));
    }
    let shape = ModelShape { cell: layers::parse(header, above)?, outputs: word(header, 32) as usize };
    check_not_empty(shape)?;
    Ok(shape)
}

fn check_not_empty(shape: ModelShape<AnyCell>) -> Result<(), FormatError> {
    let sizes = [shape.cell.inputs(), shape.outputs];
    let hidden = shape.cell.layers().iter().map(|layer| layer.hidden());
    if sizes.into_iter().chain(hidden).any(|size| size == 0) { Err(FormatError::Field(24)) } else { Ok(()) }
}

fn parse_symbols(codes: &[u32], alphabet: u8) -> Result<Option<Symbols<'_>>, FormatError> {
    let alphabet = match alphabet {
        0 => Alphabet::Chars,
        1 => Alphabet::Bytes,
        _ => return Err(FormatError::Field(22)),
    };
    if codes.is_empty() {
        return if alphabet == Alphabet::Chars { Ok(None) } else { Err(FormatError::Field(22)) };
    }
    Symbols::new(codes, alphabet).map(Some).map_err(FormatError::Vocab)
}

#[cfg(test)]
mod tests;

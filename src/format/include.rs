//! Model files as part of a program, checked while it is compiled: [`include_model!`](crate::include_model).

use core::num::NonZeroU32;

use super::header::{Header, alphabet, check, clean, field, not_zero, window, word};
use super::layers::{Codes, LAYER_BYTES, above_bytes};
use super::normalization::normalization_len;
use super::{FormatError, HEADER_BYTES};
use crate::cell::{
    Activation, AnyCell, Elman, Embedding, Feedforward, Gru, Layer, Lstm, Reset, Stack, TypedCell,
};
use crate::model::Model;
use crate::params::Flat;
use crate::standard::Standard;
use crate::vocab::Symbols;

/// A typed cell that model files can hold: what their header says of it.
pub trait StoredCell<const H: usize>: TypedCell<H> {
    /// The kinds and sizes of its layers.
    const CELL: AnyCell;
}

impl<const I: usize, const H: usize, A: Activation> StoredCell<H> for Elman<I, H, A> {
    const CELL: AnyCell = AnyCell::of(Layer::Elman(Self::SHAPE));
}

impl<const V: usize, const D: usize> StoredCell<D> for Embedding<V, D> {
    const CELL: AnyCell = AnyCell::of(Layer::Embedding(Self::SHAPE));
}

impl<const I: usize, const H: usize, A: Activation> StoredCell<H> for Feedforward<I, H, A> {
    const CELL: AnyCell = AnyCell::of(Layer::Feedforward(Self::SHAPE));
}

impl<const I: usize, const H: usize, F: Reset> StoredCell<H> for Gru<I, H, F> {
    const CELL: AnyCell = AnyCell::of(Layer::Gru(Self::SHAPE));
}

impl<const I: usize, const H: usize> StoredCell<H> for Lstm<I, H> {
    const CELL: AnyCell = AnyCell::of(Layer::Lstm(Self::SHAPE));
}

impl<A, B, const M: usize, const H: usize> StoredCell<H> for Stack<A, B>
where
    A: StoredCell<M>,
    B: StoredCell<H, Vector = [f32; M]>,
{
    const CELL: AnyCell = match A::CELL.then(B::CELL) {
        Ok(cell) => cell,
        Err(_) => panic!("a stack of so many layers does not go into a model file"),
    };
}

/// Whether a file is one, as an error of compilation if it is not.
///
/// For [`include_model!`](crate::include_model).
#[doc(hidden)]
pub const fn assert_file(file: &[u8]) {
    match check(file) {
        Ok(()) => {}
        Err(FormatError::Magic) => panic!("not a model file"),
        Err(FormatError::Version { .. }) => panic!("a model file of another version"),
        Err(FormatError::Length { .. }) => panic!("the model file was cut short, or something follows it"),
        Err(FormatError::Checksum) => panic!("the model file was altered: its checksum does not match"),
        Err(FormatError::Endianness) => panic!("models are little-endian and cannot be read on this target"),
        Err(_) => panic!("the model file is inconsistent"),
    }
    assert_fields(header_of(file));
    let before = HEADER_BYTES + above_bytes(header_of(file));
    let after = symbols(file).saturating_add(standards(file)).saturating_mul(4);
    let fits = before.saturating_add(after) <= file.len();
    assert!(fits, "the model file's layers, its vocabulary or its normalisation are inconsistent");
}

/// Whether those bytes of the header have a meaning that no type is compared with.
const fn assert_fields(header: &Header) {
    assert!(clean(header).is_ok(), "the model file's cleaning has no meaning");
    assert!(header[field::NORMALIZATION] <= 3, "the model file's normalisation has no meaning");
    let symbols = word(header, field::SYMBOLS);
    let fit = header[field::ALPHABET] <= if symbols == 0 { 0 } else { 1 };
    assert!(fit, "the model file's alphabet has no meaning");
    let fit =
        symbols == 0 || (symbols == word(header, field::INPUTS) && symbols == word(header, field::OUTPUTS));
    assert!(fit, "the model file's vocabulary has another size than its inputs or outputs");
    assert!(window(header).is_ok(), "the model file's version and its window do not fit each other");
    assert!(not_zero(header).is_none(), "the model file's unused bytes are not zero");
}

/// Bytes of weights in a file that [`assert_file`] accepts.
#[doc(hidden)]
#[must_use]
pub const fn weights_bytes(file: &[u8]) -> usize {
    let body = file.len() - HEADER_BYTES - above_bytes(header_of(file));
    let after = symbols(file).saturating_add(standards(file));
    body.saturating_sub(after.saturating_mul(4))
}

/// Means and deviations in a file.
const fn standards(file: &[u8]) -> usize {
    let header = header_of(file);
    normalization_len(
        header[field::NORMALIZATION],
        word(header, field::INPUTS) as usize,
        word(header, field::OUTPUTS) as usize,
    )
}

/// Symbols of the vocabulary in a file that [`assert_file`] accepts.
#[doc(hidden)]
#[must_use]
pub const fn symbols(file: &[u8]) -> usize {
    word(header_of(file), field::SYMBOLS) as usize
}

/// The weights of a file that [`assert_file`] accepts, `BYTES` of them.
#[doc(hidden)]
#[must_use]
pub const fn included<C: StoredCell<H>, const H: usize, const O: usize, const BYTES: usize>(
    file: &[u8],
) -> Model<C, H, O> {
    let header = header_of(file);
    let layers = C::CELL.layers();
    let fit = header[field::LAYERS] as usize + 1 == layers.len();
    assert!(fit, "the file holds a model with another number of layers");
    let mut i = 0;
    while i < layers.len() {
        assert_layer(layers[i], file, i);
        i += 1;
    }
    if let [first, ..] = layers {
        let fit = word(header, field::INPUTS) as usize == first.sizes().0;
        assert!(fit, "the file's number of inputs is another");
    }
    assert!(word(header, field::OUTPUTS) as usize == O, "the file's number of outputs is another");
    assert!(BYTES == Model::<C, H, O>::BYTES, "the file's weights are of another size");
    bytemuck::must_cast(*chunk::<BYTES>(file, HEADER_BYTES + above_bytes(header)))
}

/// Whether layer `i` of the file is that of the type.
const fn assert_layer(layer: Layer, file: &[u8], i: usize) {
    let (said, hidden) = said_of_layer(file, i);
    let codes = Codes::of(layer);
    assert!(said.cell == codes.cell, "the file holds a model of another cell");
    assert!(said.activation == codes.activation, "the file holds a model of another activation");
    assert!(said.reset == codes.reset, "the file holds a model with another reset gate");
    assert!(hidden as usize == layer.sizes().1, "the file's number of hidden units is another");
}

/// What the file says of its layer `i`: the codes and the number of hidden units.
const fn said_of_layer(file: &[u8], i: usize) -> (Codes, u32) {
    let Some(above) = i.checked_sub(1) else {
        return (Codes::of_first(header_of(file)), word(header_of(file), field::HIDDEN));
    };
    let layer = chunk::<LAYER_BYTES>(file, HEADER_BYTES + above * LAYER_BYTES);
    let [cell, activation, reset, zero, hidden @ ..] = *layer;
    assert!(zero == 0, "the model file's unused bytes are not zero");
    (Codes { cell, activation, reset }, u32::from_le_bytes(hidden))
}

/// The code points or bytes of the vocabulary of a file that [`assert_file`] accepts, `N` of them.
#[doc(hidden)]
#[must_use]
pub const fn included_codes<const N: usize>(file: &[u8]) -> [u32; N] {
    let mut codes = [0; N];
    let mut i = 0;
    while i < N {
        codes[i] = u32::from_le_bytes(*chunk(file, file.len() - 4 * (N - i)));
        i += 1;
    }
    codes
}

/// Those codes as a vocabulary.
#[doc(hidden)]
#[must_use]
pub const fn included_symbols<'a>(file: &[u8], codes: &'a [u32]) -> Symbols<'a> {
    assert!(!codes.is_empty(), "the model file has no vocabulary");
    let Ok(alphabet) = alphabet(header_of(file)) else { panic!("the model file's alphabet has no meaning") };
    match Symbols::new(codes, alphabet) {
        Ok(symbols) => symbols,
        Err(_) => panic!("the model file's vocabulary is none"),
    }
}

/// Means and deviations of the inputs, or else the outputs, of a file that [`assert_file`] accepts.
#[doc(hidden)]
#[must_use]
pub const fn included_standard<const N: usize>(file: &[u8], of_outputs: bool) -> Standard<N> {
    let header = header_of(file);
    let (bit, channels) =
        if of_outputs { (2, word(header, field::OUTPUTS)) } else { (1, word(header, field::INPUTS)) };
    assert!(header[field::NORMALIZATION] & bit != 0, "the model file has no means and deviations of these");
    assert!(channels as usize == N, "the file's number of channels is another");
    let before = if of_outputs {
        normalization_len(header[field::NORMALIZATION] & 1, word(header, field::INPUTS) as usize, 0)
    } else {
        0
    };
    let from = HEADER_BYTES + above_bytes(header) + weights_bytes(file) + 4 * before;
    let (mean, deviation): ([f32; N], [f32; N]) = (floats(file, from), floats(file, from + 4 * N));
    let mut i = 0;
    while i < N {
        let valid = mean[i].is_finite() && deviation[i] > 0.0 && deviation[i].is_finite();
        assert!(valid, "the model file's means or deviations are none");
        i += 1;
    }
    Standard { mean, deviation }
}

/// What the forecaster of a file that [`assert_file`] accepts looks back on.
#[doc(hidden)]
#[must_use]
pub const fn included_window(file: &[u8]) -> NonZeroU32 {
    match window(header_of(file)) {
        Ok(Some(window)) => window,
        _ => panic!("the model file is no forecaster's: it has no window"),
    }
}

/// `N` floats from an offset on.
const fn floats<const N: usize>(file: &[u8], from: usize) -> [f32; N] {
    let mut floats = [0.0; N];
    let mut i = 0;
    while i < N {
        floats[i] = f32::from_le_bytes(*chunk(file, from + 4 * i));
        i += 1;
    }
    floats
}

const fn header_of(file: &[u8]) -> &Header {
    chunk(file, 0)
}

/// `N` bytes from an offset on.
const fn chunk<const N: usize>(file: &[u8], from: usize) -> &[u8; N] {
    match file.split_at(from).1.first_chunk() {
        Some(chunk) => chunk,
        None => panic!("the model file is too short"),
    }
}

/// A model file as part of the program: a `&'static Model<…>` of the type that is asked for.
///
/// The file, named as for [`include_bytes!`], is checked while the program is compiled: its magic number, version,
/// length and checksum, and that its cell and sizes are those of the type. Nothing is left to do at run time, and
/// nothing but the weights becomes part of the program: they are read where they lie, in flash.
/// [`include_symbols!`](crate::include_symbols) does the same with the vocabulary, [`include_standard!`](crate::include_standard) with
/// the means and deviations of a model of readings, [`include_window!`](crate::include_window) with a forecaster's window.
///
/// ```
/// use recurve::{CharRnn, Symbols, include_model, include_symbols};
///
/// // recurve train tests/data/abc.txt --hidden 4 --batch 1 --window 9 --epochs 200 --lr 0.03 --valid 0 --out tests/data/abc.rcv
/// static MODEL: &CharRnn<3, 4> = include_model!("../../tests/data/abc.rcv");
/// static SYMBOLS: Symbols<'_> = include_symbols!("../../tests/data/abc.rcv");
///
/// let (mut state, mut logits, mut scratch) = Default::default();
/// let a = SYMBOLS.token('a').ok_or("no such symbol")?;
/// MODEL.step(a, &mut state, &mut logits, &mut scratch)?;
/// assert_eq!(SYMBOLS.symbol(1), Some('b'));
/// assert!(logits[1] > logits[0] && logits[1] > logits[2]); // b follows a
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// Use it in a `static`, as here: what is wrong with a file that is included within a function is said by a build, and not by
/// `cargo check`.
///
/// Files whose names or places are known only at run time are for [`ModelFile::parse`](crate::format::ModelFile::parse).
#[macro_export]
macro_rules! include_model {
    ($file:expr $(,)?) => {{
        const FILE: &[u8] = ::core::include_bytes!($file);
        #[allow(long_running_const_eval, reason = "the checksum of a large file takes a while")]
        const BYTES: usize = {
            $crate::format::assert_file(FILE);
            $crate::format::weights_bytes(FILE)
        };
        const { &$crate::format::included::<_, _, _, BYTES>(FILE) }
    }};
}

/// The vocabulary of a model file as part of the program, [`Symbols<'static>`](Symbols).
///
/// See [`include_model!`](crate::include_model).
#[macro_export]
macro_rules! include_symbols {
    ($file:expr $(,)?) => {{
        const FILE: &[u8] = ::core::include_bytes!($file);
        #[allow(long_running_const_eval, reason = "the checksum of a large file takes a while")]
        const SYMBOLS: usize = {
            $crate::format::assert_file(FILE);
            $crate::format::symbols(FILE)
        };
        const CODES: &[u32; SYMBOLS] = &$crate::format::included_codes(FILE);
        const { $crate::format::included_symbols(FILE, CODES) }
    }};
}

/// Means and deviations of a model file as part of the program: `include_standard!("model.rcv", inputs)` or `outputs`, a
/// [`Standard`](crate::Standard) of the number of channels that is asked for.
///
/// ```
/// use recurve::{Gru, Model, Standard, include_model, include_standard, params::Flat};
///
/// // Of examples/gestures: three axes of an accelerometer in, four classes out.
/// static MODEL: &Model<Gru<3, 16>, 16, 4> = include_model!("../../examples/gestures/gestures.rcv");
/// static UNITS: Standard<3> = include_standard!("../../examples/gestures/gestures.rcv", inputs);
///
/// let (mut state, mut logits, mut scratch) = (Flat::ZERO, [0.0; 4], Flat::ZERO);
/// for mut reading in [[0.01, -0.02, 1.0], [0.4, 0.1, 0.9]] {
///     UNITS.apply(&mut reading)?; // refuses what is not finite
///     MODEL.step(&reading, &mut state, &mut logits, &mut scratch)?;
/// }
/// # Ok::<(), recurve::Error>(())
/// ```
///
/// See [`include_model!`](crate::include_model).
#[macro_export]
macro_rules! include_standard {
    ($file:expr, inputs $(,)?) => {
        $crate::include_standard!(@ $file, false)
    };
    ($file:expr, outputs $(,)?) => {
        $crate::include_standard!(@ $file, true)
    };
    (@ $file:expr, $of_outputs:literal) => {{
        const FILE: &[u8] = ::core::include_bytes!($file);
        #[allow(long_running_const_eval, reason = "the checksum of a large file takes a while")]
        const CHECKED: &[u8] = {
            $crate::format::assert_file(FILE);
            FILE
        };
        const { $crate::format::included_standard(CHECKED, $of_outputs) }
    }};
}

/// What the forecaster of a model file looks back on, as part of the program: a [`NonZeroU32`](core::num::NonZeroU32) for
/// [`SeriesInputs`](crate::SeriesInputs), which has an example.
///
/// See [`include_model!`](crate::include_model).
#[macro_export]
macro_rules! include_window {
    ($file:expr $(,)?) => {{
        const FILE: &[u8] = ::core::include_bytes!($file);
        #[allow(long_running_const_eval, reason = "the checksum of a large file takes a while")]
        const WINDOW: ::core::num::NonZeroU32 = {
            $crate::format::assert_file(FILE);
            $crate::format::included_window(FILE)
        };
        WINDOW
    }};
}

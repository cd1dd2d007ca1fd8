//! Round trips of model files, and what is refused: every flipped bit, every truncation, every inconsistent field.

use super::*;
use crate::standard::StandardView;
use crate::vocab::VocabError;
use crate::{CharRnn, Elman, Embedding, Feedforward, Gru, Lstm, Relu, ResetBefore, Stack};

const LEN: usize = HEADER_BYTES + 4 * (CharRnn::<3, 2>::LEN + 3);

#[repr(align(4))]
struct Aligned([u8; LEN + 4]);

fn written() -> Aligned {
    let mut model = CharRnn::<3, 2>::ZERO;
    for (i, w) in model.as_flat_mut().iter_mut().enumerate() {
        *w = i as f32 - 7.5;
    }
    let mut bytes = Aligned([0; _]);
    let symbols = Symbols::new(&[97, 98, 0x4e2d], Alphabet::Chars).unwrap();
    let file = ModelFile::of(&model).with_symbols(symbols).with_clean(Clean::Letters);
    file.emit(&mut bytes.0[..LEN]).unwrap();
    bytes
}

/// The file with some bytes changed and its checksum made right again.
fn altered(at: usize, bytes: &[u8]) -> Result<(), FormatError> {
    let mut file = written();
    file.0[at..at + bytes.len()].copy_from_slice(bytes);
    let sum = checksum(&file.0[..LEN]).to_le_bytes();
    file.0[12..16].copy_from_slice(&sum);
    ModelFile::parse(&file.0[..LEN]).map(|_| ())
}

#[test]
fn round_trip_in_place() {
    let bytes = written();
    let file = ModelFile::parse(&bytes.0[..LEN]).unwrap();
    assert_eq!(file.weights.as_ptr().cast(), bytes.0[HEADER_BYTES..].as_ptr());
    assert_eq!((file.weights[0], file.weights[15], file.clean), (-7.5, 7.5, Clean::Letters));
    assert_eq!(file.symbols.unwrap().codes(), [97, 98, 0x4e2d]);
    let mut again = [0; LEN];
    file.emit(&mut again).unwrap();
    assert_eq!(again, bytes.0[..LEN]);
}

/// A model of this cell, written and read again.
fn comes_back<C: StoredCell<2>>() -> ModelShape<AnyCell> {
    let mut model = Model::<C, 2, 3>::ZERO;
    model.as_flat_mut().fill(0.5);
    let file = ModelFile::of(&model);
    let mut words = std::vec![0_u32; file.byte_len() / 4];
    let bytes = bytemuck::must_cast_slice_mut(&mut words);
    file.emit(bytes).unwrap();
    let read = ModelFile::parse(bytes).unwrap();
    assert_eq!(read, file);
    assert_eq!(Model::<C, 2, 3>::from_file(&read), Ok(&model));
    read.shape
}

#[test]
fn every_cell_comes_back() {
    let shapes = [
        comes_back::<Elman<3, 2>>(),
        comes_back::<Elman<3, 2, Relu>>(),
        comes_back::<Feedforward<3, 2>>(),
        comes_back::<Gru<3, 2>>(),
        comes_back::<Gru<3, 2, ResetBefore>>(),
        comes_back::<Lstm<3, 2>>(),
        comes_back::<Stack<Embedding<3, 5>, Gru<5, 2>>>(),
        comes_back::<Stack<Lstm<3, 2>, Lstm<2, 2>>>(),
        comes_back::<Stack<Lstm<3, 4>, Lstm<4, 2>>>(),
        comes_back::<Stack<Gru<3, 4, ResetBefore>, Stack<Elman<4, 1, Relu>, Feedforward<1, 2>>>>(),
    ];
    for (i, shape) in shapes.iter().enumerate() {
        assert!(!shapes[..i].contains(shape));
    }
}

/// A file of two layers with a byte changed and its checksum made right again.
fn altered_stack(at: usize, value: u8) -> Result<(), FormatError> {
    let model = Model::<Stack<Elman<3, 4>, Lstm<4, 2>>, 2, 3>::ZERO;
    let file = ModelFile::of(&model);
    let mut words = std::vec![0_u32; file.byte_len() / 4];
    let bytes = bytemuck::must_cast_slice_mut::<_, u8>(&mut words);
    file.emit(bytes).unwrap();
    bytes[at] = value;
    let sum = checksum(bytes).to_le_bytes();
    bytes[12..16].copy_from_slice(&sum);
    ModelFile::parse(bytes).map(|_| ())
}

#[test]
fn fields_of_layers_are_checked() {
    assert_eq!(altered_stack(64, 3), Ok(()));
    // Cell, activation, one that an LSTM has not, reset gate, the zero and the hidden units of the second layer.
    for (at, value) in [(64, 9), (65, 2), (65, 1), (66, 1), (67, 1), (68, 0)] {
        assert_eq!(altered_stack(at, value), Err(FormatError::Field(at)), "{at}: {value}");
    }
    assert_eq!(altered_stack(28, 0), Err(FormatError::Field(24)));
    // More layers than there are bytes, than a model may have, and fewer than the weights are for.
    for layers in [255, 9, 0] {
        assert!(matches!(altered_stack(field::LAYERS, layers), Err(FormatError::Field(_))), "{layers}");
    }
}

#[test]
fn every_flipped_bit_and_every_truncation_is_refused() {
    let mut bytes = written();
    for bit in 0..LEN * 8 {
        bytes.0[bit / 8] ^= 1 << (bit % 8);
        assert!(ModelFile::parse(&bytes.0[..LEN]).is_err(), "bit {bit}");
        bytes.0[bit / 8] ^= 1 << (bit % 8);
    }
    for len in (0..LEN).chain([LEN + 4]) {
        assert!(matches!(ModelFile::parse(&bytes.0[..len]), Err(FormatError::Length { .. })), "{len} bytes");
    }
}

#[test]
fn what_could_not_be_read_is_not_written() {
    let model = CharRnn::<3, 2>::ZERO;
    let mut bytes = Aligned([0; _]);
    for codes in [&[][..], &[97], &[97, 98], &[97, 98, 99, 100]] {
        let file = ModelFile::of(&model).with_symbols(Symbols::new(codes, Alphabet::Chars).unwrap());
        assert_eq!(file.emit(&mut bytes.0[..file.byte_len()]), Err(FormatError::Field(36)), "{codes:?}");
    }
}

#[test]
fn misaligned_bytes_are_refused() {
    let bytes = written();
    let mut moved = Aligned([0; _]);
    moved.0[1..=LEN].copy_from_slice(&bytes.0[..LEN]);
    assert_eq!(ModelFile::parse(&moved.0[1..=LEN]), Err(FormatError::Alignment));
}

#[test]
fn fields_are_checked_even_under_a_right_checksum() {
    for found in [0, 3, 255] {
        assert_eq!(altered(8, &[found]), Err(FormatError::Version { found: found.into() }));
    }
    // A window belongs to version 2, and version 2 has one.
    assert_eq!(altered(8, &[2]), Err(FormatError::Field(44)));
    assert_eq!(altered(44, &[1]), Err(FormatError::Field(44)));
    assert_eq!(altered(47, &[1]), Err(FormatError::Field(44)));
    for (at, value) in [
        (20, 9),
        (21, 2),
        (22, 2),
        (23, 2),
        (40, 1),
        (42, 1),
        (43, 1),
        (48, 1),
        (55, 1),
        (56, 4),
        (57, 1),
        (63, 1),
    ] {
        assert_eq!(altered(at, &[value]), Err(FormatError::Field(at)));
    }
    assert_eq!(altered(20, &[3, 1]), Err(FormatError::Field(21)));
    assert_eq!(altered(24, &[0]), Err(FormatError::Field(24)));
    assert_eq!(altered(24, &[0xff; 4]), Err(FormatError::Field(24)));
    assert_eq!(altered(28, &[3]), Err(FormatError::Field(24)));
    assert_eq!(altered(36, &[2]), Err(FormatError::Field(36)));
    assert_eq!(altered(LEN - 4, &[98, 0]), Err(FormatError::Vocab(VocabError::Malformed { position: 2 })));
}

/// Two layers, so that what is normalised does not follow the weights of one.
type Normalized = Model<Stack<Gru<2, 4>, Elman<4, 2>>, 2, 3>;

/// A model of 2 inputs and 3 outputs, with what is normalised by this code.
fn normalized(code: u8) -> (std::vec::Vec<u32>, usize) {
    let mut model = Normalized::ZERO;
    model.as_flat_mut().fill(0.25);
    let numbers = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let view = |n: usize| StandardView { mean: &numbers[..n], deviation: &numbers[6 - n..] };
    let normalization =
        Normalization { inputs: (code & 1 != 0).then(|| view(2)), outputs: (code & 2 != 0).then(|| view(3)) };
    let file = ModelFile::of(&model).with_normalization(normalization);
    let mut words = std::vec![0_u32; file.byte_len() / 4];
    let bytes = bytemuck::must_cast_slice_mut(&mut words);
    file.emit(bytes).unwrap();
    let read = ModelFile::parse(bytes).unwrap();
    assert_eq!((read, read.normalization), (file, normalization));
    assert_eq!(bytes[field::NORMALIZATION], code);
    (words, HEADER_BYTES + LAYER_BYTES + Normalized::BYTES)
}

#[test]
fn means_and_deviations_come_back() {
    for code in 0..4 {
        let (words, weights_end) = normalized(code);
        let bytes: &[u8] = bytemuck::must_cast_slice(&words);
        assert_eq!(weights_end, HEADER_BYTES + LAYER_BYTES + weights_bytes(bytes));
        if code & 1 != 0 {
            let standard = included_standard::<2>(bytes, false);
            assert_eq!((standard.mean, standard.deviation), ([1.0, 2.0], [5.0, 6.0]));
        }
        if code & 2 != 0 {
            let standard = included_standard::<3>(bytes, true);
            assert_eq!((standard.mean, standard.deviation), ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]));
        }
    }
}

#[test]
fn a_window_comes_back() {
    let model = CharRnn::<3, 2>::ZERO;
    let plain = ModelFile::of(&model);
    let file = plain.with_window(NonZeroU32::MAX);
    assert_eq!(file.byte_len(), plain.byte_len());
    let mut words = std::vec![0_u32; file.byte_len() / 4];
    let bytes = bytemuck::must_cast_slice_mut::<_, u8>(&mut words);
    for (file, version) in [(plain, 1), (file, 2)] {
        file.emit(bytes).unwrap();
        assert_eq!((ModelFile::parse(bytes), bytes[8]), (Ok(file), version));
        assert_file(bytes);
    }
}

#[test]
fn means_and_deviations_that_are_none_are_refused() {
    let bad = |code: u8, change: &dyn Fn(&mut [u8], usize)| {
        let (mut words, weights_end) = normalized(code);
        let bytes: &mut [u8] = bytemuck::must_cast_slice_mut(&mut words);
        change(bytes, weights_end);
        let sum = checksum(bytes).to_le_bytes();
        bytes[12..16].copy_from_slice(&sum);
        ModelFile::parse(bytes).map(|_| ())
    };
    let refused = Err(FormatError::Field(field::NORMALIZATION));
    for value in [f32::NAN, f32::INFINITY] {
        let put = |at: usize| {
            move |b: &mut [u8], end: usize| b[end + 4 * at..][..4].copy_from_slice(&value.to_le_bytes())
        };
        for at in 0..10 {
            assert_eq!(bad(3, &put(at)), refused, "{value} at {at}");
        }
    }
    for at in [2, 3, 7, 8, 9] {
        for value in [0.0_f32, -1.0] {
            let put = |b: &mut [u8], end: usize| b[end + 4 * at..][..4].copy_from_slice(&value.to_le_bytes());
            assert_eq!(bad(3, &put), refused);
        }
    }
    // More or less than there is.
    assert_eq!(bad(1, &|bytes, _| bytes[field::NORMALIZATION] = 3), refused);
    assert_eq!(bad(3, &|bytes, _| bytes[field::NORMALIZATION] = 1), Err(FormatError::Field(36)));
    assert_eq!(bad(1, &|bytes, _| bytes[field::NORMALIZATION] = 0), Err(FormatError::Field(36)));
}

#[test]
fn means_and_deviations_that_do_not_fit_are_not_written() {
    let model = Normalized::ZERO;
    let one = StandardView { mean: &[0.0], deviation: &[1.0] };
    let uneven = StandardView { mean: &[0.0; 3], deviation: &[1.0; 1] };
    let flat = StandardView { mean: &[0.0; 2], deviation: &[0.0; 2] };
    for normalization in [
        Normalization { inputs: Some(one), outputs: None },
        Normalization { inputs: Some(flat), outputs: None },
        Normalization { inputs: None, outputs: Some(one) },
        Normalization { inputs: None, outputs: Some(uneven) },
    ] {
        let file = ModelFile::of(&model).with_normalization(normalization);
        let mut words = std::vec![0_u32; file.byte_len() / 4];
        let bytes = bytemuck::must_cast_slice_mut(&mut words);
        assert_eq!(file.emit(bytes), Err(FormatError::Field(field::NORMALIZATION)));
    }
}

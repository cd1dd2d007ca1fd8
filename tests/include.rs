//! Included model files: the same weights as read at run time, in place, of any size and any cell.
//!
//! The files besides `abc.rcv` were made by `recurve train tests/data/abc.txt --batch 1 --window 9 --epochs 20 --lr 0.03
//! --valid 0` with `--cell lstm --hidden 4` (`lstm.rcv`), `--cell gru --layers 2 --hidden 3` (`stack.rcv`) and `--cell lstm
//! --embedding 2 --hidden 3` (`embedding.rcv`).

use recurve::format::{ModelFile, StoredCell};
use recurve::params::Flat;
use recurve::{CharRnn, Embedding, Gru, Lstm, Model, Stack, Symbols, include_model, include_symbols};

static MODEL: &CharRnn<3, 4> = include_model!("data/abc.rcv");
static LSTM: &Model<Lstm<3, 4>, 4, 3> = include_model!("data/lstm.rcv");
static STACK: &Model<Stack<Gru<3, 3>, Gru<3, 3>>, 3, 3> = include_model!("data/stack.rcv");
static EMBEDDING: &Model<Stack<Embedding<3, 2>, Lstm<2, 3>>, 3, 3> = include_model!("data/embedding.rcv");
static SYMBOLS: Symbols<'_> = include_symbols!("data/abc.rcv");
static LARGE: &CharRnn<28, 32> = include_model!("../no_std_check/model.rcv");

/// A file at an address that is a multiple of four.
#[repr(C, align(4))]
struct Aligned<const N: usize>([u8; N]);

/// That an included model is what its file says at run time, and what was learned: b follows a, c follows b.
fn check<C: StoredCell<H>, const H: usize>(included: &Model<C, H, 3>, file: &[u8], symbols: Symbols<'_>) {
    let file = ModelFile::parse(file).expect("a model file");
    assert_eq!(file.shape.cell, C::CELL);
    let parsed = Model::<C, H, 3>::from_file(&file).expect("the same type");
    assert_eq!(included.as_flat(), parsed.as_flat());
    assert_eq!(included.as_flat(), file.weights);
    assert_eq!(file.symbols, Some(symbols));
    assert_eq!(symbols.codes(), ['a', 'b', 'c'].map(u32::from));

    let (mut state, mut scratch) = (C::State::<1>::ZERO, C::StepScratch::<1>::ZERO);
    for token in [0, 1, 2, 0, 1, 2, 0, 1, 2] {
        let mut logits = [0.0; 3];
        included.step(token, &mut state, &mut logits, &mut scratch).expect("a valid step");
        let next = usize::from(token + 1) % 3;
        assert!(logits.iter().all(|&o| o <= logits[next]), "after {token}: {logits:?}");
    }
}

macro_rules! check {
    ($model:expr, $file:literal) => {{
        static FILE: Aligned<{ include_bytes!($file).len() }> = Aligned(*include_bytes!($file));
        check($model, &FILE.0, include_symbols!($file));
    }};
}

#[test]
fn compile_time_and_run_time_agree() {
    check!(MODEL, "data/abc.rcv");
    check!(LSTM, "data/lstm.rcv");
    check!(STACK, "data/stack.rcv");
    check!(EMBEDDING, "data/embedding.rcv");
    assert_eq!(SYMBOLS.symbol(2), Some('c'));
}

#[test]
fn a_model_may_be_a_constant_of_a_function() {
    let model: &'static CharRnn<3, 4> = include_model!("data/abc.rcv");
    assert_eq!(model.as_flat(), MODEL.as_flat());
    assert!(LARGE.as_flat().iter().any(|&w| w != 0.0));
}

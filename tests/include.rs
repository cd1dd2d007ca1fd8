//! Included model files: the same weights as read at run time, in place, and of any size.

use recurve::format::ModelFile;
use recurve::params::Flat;
use recurve::{CharRnn, Symbols, include_model, include_symbols};

static MODEL: &CharRnn<3, 4> = include_model!("data/abc.rcv");
static SYMBOLS: Symbols<'_> = include_symbols!("data/abc.rcv");
static LARGE: &CharRnn<28, 32> = include_model!("../no_std_check/model.rcv");

/// The file at an address that is a multiple of four.
#[repr(C, align(4))]
struct Aligned([u8; include_bytes!("data/abc.rcv").len()]);

#[test]
fn compile_time_and_run_time_agree() {
    static FILE: Aligned = Aligned(*include_bytes!("data/abc.rcv"));
    let file = ModelFile::parse(&FILE.0).unwrap();
    assert_eq!(CharRnn::<3, 4>::from_file(&file), Ok(MODEL));
    assert_eq!(file.symbols, Some(SYMBOLS));
    assert_eq!(SYMBOLS.codes(), ['a', 'b', 'c'].map(u32::from));
}

#[test]
fn a_model_may_be_a_constant_of_a_function() {
    let model: &'static CharRnn<3, 4> = include_model!("data/abc.rcv");
    assert_eq!(model.as_flat(), MODEL.as_flat());
    assert!(LARGE.as_flat().iter().any(|&w| w != 0.0));
}

//! The parser of `include_model!`, `include_symbols!` and `include_standard!`, which a compiler runs: it takes what
//! `ModelFile::parse` takes and nothing else, gives the same numbers, and refuses in words of its own.
#![no_main]

use std::panic::{UnwindSafe, catch_unwind, set_hook, take_hook};

use libfuzzer_sys::fuzz_target;
use recurve::cell::AnyCell;
use recurve::format::{
    ModelFile, StoredCell, assert_file, included, included_codes, included_standard, included_symbols,
    symbols, weights_bytes,
};
use recurve::params::Flat;
use recurve::{
    CharRnn, Elman, Embedding, Gru, Lstm, Model, ModelShape, ResetBefore, Stack, Standard, StandardView,
};
use recurve_fuzz::Aligned;

/// What is compiled, or nothing if the compiler would say why not.
fn compiled<T>(f: impl FnOnce() -> T + UnwindSafe) -> Option<T> {
    catch_unwind(f).ok()
}

/// Whether a message is one of the parser's, which all speak of the file or of models.
fn is_refusal(message: &str) -> bool {
    message.contains("file") || message.starts_with("models are")
}

fn check_model<C: StoredCell<H>, const H: usize, const O: usize, const BYTES: usize>(bytes: &[u8])
where
    Model<C, H, O>: UnwindSafe,
{
    let shape: ModelShape<AnyCell> = ModelShape { cell: C::CELL, outputs: O };
    let parsed = ModelFile::parse(bytes).unwrap();
    let model = (weights_bytes(bytes) == BYTES)
        .then(|| compiled(|| Box::new(included::<C, H, O, BYTES>(bytes))))
        .flatten();
    assert_eq!(model.is_some(), parsed.shape == shape);
    if let Some(model) = model {
        assert!(model.as_flat().iter().map(|w| w.to_bits()).eq(parsed.weights.iter().map(|w| w.to_bits())));
    }
}

macro_rules! check_models {
    ($bytes:expr, $($cell:ty, $h:literal, $o:literal;)*) => {
        $(check_model::<$cell, $h, $o, { <Model<$cell, $h, $o> as Flat>::BYTES }>($bytes);)*
    };
}

fn check_symbols<const N: usize>(bytes: &[u8]) {
    if symbols(bytes) == N {
        let codes = included_codes::<N>(bytes);
        let included = compiled(|| included_symbols(bytes, &codes).codes().to_vec());
        let parsed = ModelFile::parse(bytes).unwrap().symbols.map(|symbols| symbols.codes().to_vec());
        assert_eq!(included, parsed);
    }
}

fn check_standard<const N: usize>(bytes: &[u8], of_outputs: bool) {
    let parsed = ModelFile::parse(bytes).unwrap().normalization;
    let parsed = if of_outputs { parsed.outputs } else { parsed.inputs };
    let same = |standard: &Standard<N>, view: StandardView<'_>| standard.view() == view;
    match (compiled(|| included_standard::<N>(bytes, of_outputs)), parsed) {
        (Some(standard), Some(view)) => assert!(same(&standard, view)),
        (None, Some(view)) => assert_ne!(view.mean.len(), N),
        (included, None) => assert!(included.is_none()),
    }
}

/// Whether everything that can be included of a file for 3 symbols, 2 channels or 3 is.
fn all_included(bytes: &[u8]) -> bool {
    let standards = [false, true].map(|of_outputs| {
        compiled(|| included_standard::<2>(bytes, of_outputs)).is_some()
            || compiled(|| included_standard::<3>(bytes, of_outputs)).is_some()
            || bytes[56] & (1 + u8::from(of_outputs)) == 0
    });
    let is_symbols = match symbols(bytes) {
        0 => true,
        3 => compiled(|| included_symbols(bytes, &included_codes::<3>(bytes)).len()).is_some(),
        _ => false,
    };
    let is_model = weights_bytes(bytes) == CharRnn::<3, 4>::BYTES
        && compiled(|| Box::new(included::<Elman<3, 4>, 4, 3, { CharRnn::<3, 4>::BYTES }>(bytes))).is_some();
    standards == [true; 2] && is_symbols && is_model
}

fuzz_target!(
    init: {
        let abort = take_hook();
        set_hook(Box::new(move |info| {
            if !info.payload_as_str().is_some_and(is_refusal) {
                abort(info);
            }
        }));
    },
    |data: &[u8]| {
        let aligned = Aligned::new(data);
        let bytes = aligned.bytes();
        let accepted = compiled(|| assert_file(bytes)).is_some();
        if ModelFile::parse(bytes).is_err() {
            assert!(!accepted || !all_included(bytes));
            return;
        }
        assert!(accepted);
        check_models!(bytes,
            Elman<3, 4>, 4, 3;
            Gru<3, 2>, 2, 3;
            Gru<3, 2, ResetBefore>, 2, 3;
            Lstm<2, 2>, 2, 3;
            Stack<Embedding<3, 2>, Lstm<2, 2>>, 2, 3;
            Stack<Elman<2, 3>, Gru<3, 2>>, 2, 3;
        );
        check_symbols::<3>(bytes);
        check_standard::<2>(bytes, false);
        check_standard::<3>(bytes, true);
    }
);

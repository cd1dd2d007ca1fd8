//! Models that read numbers: they come back with their means and deviations, and what does not fit is refused.

use core::num::NonZeroU32;

use proptest::prelude::*;
use recurve::cell::{ActivationKind, AnyCell, Cell, CellKind};
use recurve::format::{ModelFile, Normalization};
use recurve::host::safetensors::{Import, export};
use recurve::{ModelShape, StandardView};

use crate::round_trip::{kinds, weights};
use crate::theirs::{Theirs, file, gru, imported, theirs};

/// Means and deviations of some channels.
type Side = Option<(Vec<f32>, Vec<f32>)>;

/// What a model of readings is made of.
#[derive(Clone, Debug)]
struct Made {
    shape: ModelShape<AnyCell>,
    weights: Vec<f32>,
    sides: [Side; 2],
    window: Option<NonZeroU32>,
}

impl Made {
    fn file(&self) -> ModelFile<'_> {
        let [inputs, outputs] = [0, 1]
            .map(|side| self.sides[side].as_ref().map(|(mean, deviation)| StandardView { mean, deviation }));
        let file =
            ModelFile::new(self.shape, &self.weights).with_normalization(Normalization { inputs, outputs });
        self.window.map_or(file, |window| file.with_window(window))
    }
}

fn side(channels: usize) -> impl Strategy<Value = Side> {
    use prop::num::f32::{NORMAL, POSITIVE, SUBNORMAL};
    let deviation = prop::collection::vec(POSITIVE | NORMAL | SUBNORMAL, channels);
    prop::option::of((weights(channels), deviation))
}

fn models() -> impl Strategy<Value = Made> {
    let sizes = (1..6_usize, 1..5_usize, 1..4_usize, 1..5_usize);
    (kinds(), any::<bool>(), sizes).prop_flat_map(|(kind, rectified, (inputs, hidden, layers, outputs))| {
        let relu = rectified && kind == CellKind::Elman;
        let activation = if relu { ActivationKind::Relu } else { ActivationKind::Tanh };
        let cell = AnyCell::deep(kind, activation, inputs, hidden, layers).unwrap();
        let shape = ModelShape { cell, outputs };
        let window = prop::option::of((1..=u32::MAX).prop_map(|n| NonZeroU32::new(n).unwrap()));
        (weights(shape.params_len()), side(inputs), side(outputs), window).prop_map(
            move |(weights, inputs, outputs, window)| Made {
                shape,
                weights,
                sides: [inputs, outputs],
                window,
            },
        )
    })
}

/// The bytes of a model file.
fn emitted(file: ModelFile<'_>) -> Vec<u8> {
    let mut bytes = vec![0; file.byte_len()];
    file.emit(&mut bytes).unwrap();
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn all_models_come_back_bit_by_bit(made in models()) {
        let exported = export(made.file()).unwrap();
        let read = Import::default().readings(&exported).unwrap();
        prop_assert_eq!(emitted(read.file()), emitted(made.file()));
        prop_assert_eq!(export(&read).unwrap(), exported);
    }
}

/// A GRU of two units with three inputs and four outputs.
fn sensor() -> Vec<Theirs> {
    let mut tensors = gru();
    tensors.truncate(4);
    tensors.extend(theirs(&[("head.weight", &[4, 2]), ("head.bias", &[4])]));
    tensors
}

#[test]
fn sizes_are_those_of_the_tensors() {
    let model = Import::default().readings(&file(&sensor(), &[])).unwrap();
    let shape = model.shape();
    assert_eq!((shape.cell.inputs(), shape.cell.hidden(), shape.outputs), (3, 2, 4));
    let file = model.file();
    assert!(
        file.symbols.is_none() && file.window.is_none() && file.normalization == Normalization::default()
    );

    // The weights are where those of a model with a vocabulary are.
    let bytes = crate::theirs::file(&gru(), &[]);
    let square = Import::default().readings(&bytes).unwrap();
    assert_eq!(square.params(), imported(&gru()).unwrap().params());
}

#[test]
fn means_and_deviations_are_in_the_metadata() {
    let metadata = [("input_mean", "[1, -2.5,\n3e2]"), ("input_deviation", " [1,2,0.1] "), ("window", "7")];
    let model = Import::default().readings(&file(&sensor(), &metadata)).unwrap();
    let inputs = model.file().normalization.inputs.unwrap();
    assert_eq!((inputs.mean, inputs.deviation), (&[1.0, -2.5, 300.0][..], &[1.0, 2.0, 0.1][..]));
    assert_eq!(model.file().window, NonZeroU32::new(7));
    for (key, found, words) in [
        ("input_mean", "[1,2]", "one for each channel"),
        ("input_mean", "[1,2,3,4]", "one for each channel"),
        ("input_mean", "[1,2,NaN]", "finite"),
        ("input_mean", "[1,2,1e39]", "finite"),
        ("input_mean", "[1,2,three]", "finite"),
        ("input_mean", "1,2,3", "a list"),
        ("input_mean", "", "a list"),
        ("input_deviation", "[1,0,1]", "above 0"),
        ("input_deviation", "[1,inf,1]", "above 0"),
        ("input_deviation", "[1,-1,1]", "above 0"),
        ("window", "0", "from 1"),
        ("window", "4294967296", "from 1"),
    ] {
        let mut metadata = metadata;
        *metadata.iter_mut().find(|(name, _)| *name == key).unwrap() = (key, found);
        let error = Import::default().readings(&file(&sensor(), &metadata)).unwrap_err().to_string();
        assert!([key, words, found].iter().all(|word| error.contains(word)), "{error}");
    }
    let one = [("output_mean", "[0,0,0,0]")];
    let error = Import::default().readings(&file(&sensor(), &one)).unwrap_err().to_string();
    assert!(error.contains("output_deviation is missing"), "{error}");
}

#[test]
fn what_is_no_model_of_readings() {
    let refused =
        |tensors: &[Theirs]| Import::default().readings(&file(tensors, &[])).unwrap_err().to_string();
    for i in 0..6 {
        let mut tensors = sensor();
        let name = tensors.remove(i).name;
        let error = refused(&tensors);
        assert!(error.contains(&name) && error.contains("missing"), "{error}");
    }
    let mut embedded = sensor();
    embedded.extend(theirs(&[("embedding.weight", &[5, 3])]));
    let error = refused(&embedded);
    assert!(error.contains("embedding.weight") && error.contains("5 x 3"), "{error}");
    let mut wide = sensor();
    wide[0] = theirs(&[("rnn.weight_ih_l0", &[5, 3])]).remove(0);
    let error = refused(&wide);
    assert!(error.contains("5 x 3") && error.contains("6 x 3") && !error.contains("vocabulary"), "{error}");
    for (i, name, shape, more) in [
        (0, "rnn.weight_ih_l0", &[6, 0][..], None),
        (4, "head.weight", &[0, 2], Some(("head.bias", &[0][..]))),
    ] {
        let mut tensors = sensor();
        tensors[i] = theirs(&[(name, shape)]).remove(0);
        if let Some(bias) = more {
            tensors[5] = theirs(&[bias]).remove(0);
        }
        let error = refused(&tensors);
        assert!(error.contains("no inputs or no outputs"), "{error}");
    }
}

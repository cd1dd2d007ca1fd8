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
        (weights(shape.params_len()), side(inputs), side(outputs), 1..=u32::MAX).prop_map(
            move |(weights, of_inputs, of_outputs, window)| {
                let is_forecaster = inputs == 2 && of_inputs.is_some() && of_outputs.is_some();
                let window = NonZeroU32::new(window).filter(|_| is_forecaster);
                Made { shape, weights, sides: [of_inputs, of_outputs], window }
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
    let metadata = [("input_mean", "[1, -2.5,\n3e2]"), ("input_deviation", " [1,2,0.1] ")];
    let model = Import::default().readings(&file(&sensor(), &metadata)).unwrap();
    let inputs = model.file().normalization.inputs.unwrap();
    assert_eq!((inputs.mean, inputs.deviation), (&[1.0, -2.5, 300.0][..], &[1.0, 2.0, 0.1][..]));
    for (key, found, words) in [
        ("input_mean", "[1,2]", "input_mean has 2 numbers, and the network has 3"),
        ("input_mean", "[1,2,3,4]", "input_mean has 4 numbers, and the network has 3"),
        ("input_mean", "[1,2,NaN]", "has NaN, which is no finite number"),
        ("input_mean", "[1,2,1e39]", "has 1e39, which is no finite number"),
        ("input_mean", "[1,2,three]", "has three, which is no finite number"),
        ("input_mean", "1,2,3", "is 1,2,3, which is no list"),
        ("input_mean", "", "is no list"),
        ("input_deviation", "[1,0,1]", "input_deviation has 0, which is not above 0"),
        ("input_deviation", "[1,inf,1]", "has inf, which is no finite number"),
        ("input_deviation", "[1,1,-1]", "has -1, which is not above 0"),
        ("input_deviation", "[1,1,1e-50]", "has 0, which is not above 0"),
    ] {
        let mut metadata = metadata;
        *metadata.iter_mut().find(|(name, _)| *name == key).unwrap() = (key, found);
        let error = Import::default().readings(&file(&sensor(), &metadata)).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let one = [("output_mean", "[0,0,0,0]")];
    let error = Import::default().readings(&file(&sensor(), &one)).unwrap_err().to_string();
    assert!(error.contains("output_deviation is missing"), "{error}");
}

#[test]
fn only_a_forecaster_has_a_window() {
    let mut tensors = sensor();
    tensors[0] = theirs(&[("rnn.weight_ih_l0", &[6, 2])]).remove(0);
    let units = |window| {
        let [inputs, outputs] = ["[1,1]", "[1,1,1,1]"];
        let sides = [("input_mean", inputs), ("input_deviation", inputs), ("output_mean", outputs)];
        [&sides[..], &[("output_deviation", outputs), ("window", window)]].concat()
    };
    let read = |metadata: &[(&str, &str)]| Import::default().readings(&file(&tensors, metadata));
    assert_eq!(read(&units("7")).unwrap().file().window, NonZeroU32::new(7));
    assert_eq!(read(&units("7")[2..]).unwrap().file().window, None);
    for window in ["0", "4294967296", "hann"] {
        let error = read(&units(window)).unwrap_err().to_string();
        assert!(error.contains("window") && error.contains(window), "{error}");
        assert!(read(&[("window", window)]).is_ok());
    }
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
    assert!(error.contains("embedding.weight of shape 5 x 3") && error.contains("reads symbols"), "{error}");
    let error =
        Import::default().readings(&file(&gru(), &[("vocabulary", "[1,2,3]")])).unwrap_err().to_string();
    assert!(error.contains("has a vocabulary"), "{error}");
    let mut wide = sensor();
    wide[0] = theirs(&[("rnn.weight_ih_l0", &[5, 3])]).remove(0);
    let error = refused(&wide);
    assert!(error.contains("5 x 3") && error.contains("6 x 3") && !error.contains("vocabulary"), "{error}");
    for (i, name, shape) in [
        (0, "rnn.weight_ih_l0", &[6, 0][..]),
        (0, "rnn.weight_ih_l0", &[6]),
        (4, "head.weight", &[0, 2]),
        (4, "head.weight", &[]),
    ] {
        let mut tensors = sensor();
        tensors[i] = theirs(&[(name, shape)]).remove(0);
        let error = refused(&tensors);
        assert!(error.contains(name) && error.contains("where a matrix"), "{error}");
    }
}

/// Also where it could be an embedding by its shape.
#[test]
fn the_output_layer_s_bias_is_what_is_missing() {
    for inputs in [2, 3] {
        let tensors = theirs(&[
            ("rnn.weight_ih_l0", &[6, inputs]),
            ("rnn.weight_hh_l0", &[6, 2]),
            ("rnn.bias_ih_l0", &[6]),
            ("rnn.bias_hh_l0", &[6]),
            ("fc.weight", &[1, 2]),
        ]);
        let error = Import::default().readings(&file(&tensors, &[])).unwrap_err().to_string();
        assert!(error.contains("fc.bias is missing"), "{error}");
    }
}

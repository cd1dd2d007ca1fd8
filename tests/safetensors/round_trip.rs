//! What is exported and imported is what it was; what others write is understood.

use half::{bf16, f16};
use proptest::prelude::*;
use recurve::Sampler;
use recurve::cell::{ActivationKind, AnyCell, Cell, CellKind, GruShape, ResetKind};
use recurve::clean::Clean;
use recurve::host::Network;
use recurve::host::safetensors::{Import, Vocabulary, WeightsError, export};
use recurve::vocab::Alphabet;
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use crate::theirs::{Theirs, file, gru, imported, sixteenths, theirs};

pub fn kinds() -> impl Strategy<Value = CellKind> {
    prop_oneof![Just(CellKind::Elman), Just(CellKind::Gru), Just(CellKind::Lstm)]
}

/// A cell that PyTorch has, for so many symbols.
fn cells(symbols: usize) -> impl Strategy<Value = AnyCell> {
    let sizes = (1..6_usize, 1..4_usize, prop::option::of(1..5_usize));
    (kinds(), any::<bool>(), sizes).prop_map(move |(kind, rectified, (hidden, layers, embedding))| {
        let relu = rectified && kind == CellKind::Elman;
        let activation = if relu { ActivationKind::Relu } else { ActivationKind::Tanh };
        let deep = |inputs| AnyCell::deep(kind, activation, inputs, hidden, layers).unwrap();
        match embedding {
            None => deep(symbols),
            Some(width) => {
                let embedding = AnyCell::new(CellKind::Embedding, ActivationKind::Tanh, symbols, width);
                embedding.then(deep(width)).unwrap()
            }
        }
    })
}

/// Any number that is finite, zeros of both signs among them.
pub fn weights(count: usize) -> impl Strategy<Value = Vec<f32>> {
    use prop::num::f32::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    prop::collection::vec(POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO, count)
}

fn vocabularies() -> impl Strategy<Value = (Vec<u32>, Alphabet)> {
    let bytes = prop::collection::btree_set(any::<u8>().prop_map(u32::from), 1..6);
    let chars = prop::collection::btree_set(any::<char>().prop_map(u32::from), 1..6);
    prop_oneof![
        bytes.prop_map(|codes| (codes.into_iter().collect(), Alphabet::Bytes)),
        chars.prop_map(|codes| (codes.into_iter().collect(), Alphabet::Chars)),
    ]
}

fn networks() -> impl Strategy<Value = Network> {
    let cleans = prop_oneof![Just(Clean::None), Just(Clean::Letters)];
    (vocabularies(), cleans)
        .prop_flat_map(|(vocabulary, clean)| (cells(vocabulary.0.len()), Just(vocabulary), Just(clean)))
        .prop_flat_map(|(cell, (codes, alphabet), clean)| {
            let network = Network::new(cell, codes, alphabet, clean).unwrap();
            (weights(network.params().len()), Just(network))
        })
        .prop_map(|(weights, mut network)| {
            network.params_mut().copy_from_slice(&weights);
            network
        })
}

fn bits(network: &Network) -> Vec<u32> {
    network.params().iter().map(|w| w.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn all_networks_come_back_bit_by_bit(network in networks()) {
        let file = export(&network).unwrap();
        let read = Import::default().network(&file).unwrap();
        prop_assert_eq!(read.file().shape, network.file().shape);
        prop_assert_eq!((read.symbols(), read.clean()), (network.symbols(), network.clean()));
        prop_assert_eq!(bits(&read), bits(&network));
        prop_assert_eq!(export(&read).unwrap(), file);
    }

    /// A vocabulary in another order is other rows of weights, and the same network.
    #[test]
    fn the_order_of_a_vocabulary_changes_no_network(network in networks(), turned in 0..6_usize) {
        let symbols = network.symbols().len();
        let order: Vec<usize> = (0..symbols).map(|place| (place + turned) % symbols).collect();
        let tensors = permuted(&export(&network).unwrap(), &order);
        let codes: Vec<u32> = order.iter().map(|&place| network.symbols().codes()[place]).collect();
        let json = match network.symbols().alphabet() {
            Alphabet::Bytes => serde_json::to_string(&codes).unwrap(),
            Alphabet::Chars => {
                serde_json::to_string(&codes.iter().map(|&c| char::from_u32(c)).collect::<Vec<_>>()).unwrap()
            }
        };
        let mut import = Import::default();
        import.activation = Some(network.shape().cell.layers().last().unwrap().activation());
        import.vocabulary = Some(Vocabulary::from_json(&json).unwrap());
        let read = import.network(&file(&tensors, &[])).unwrap();
        prop_assert_eq!(read.symbols(), network.symbols());
        prop_assert_eq!(bits(&read), bits(&network));
    }
}

/// The tensors of a file with what depends on symbols in another order.
fn permuted(file: &[u8], order: &[usize]) -> Vec<Theirs> {
    let read = SafeTensors::deserialize(file).unwrap();
    let has_embedding = read.tensor("embedding.weight").is_ok();
    let turn = |name: &str, shape: &[usize], bytes: &[u8]| -> Vec<u8> {
        let row = bytes.len() / shape[0];
        let rows = || order.iter().flat_map(|&from| &bytes[from * row..(from + 1) * row]).copied();
        match name {
            "head.weight" | "head.bias" | "embedding.weight" => rows().collect(),
            "rnn.weight_ih_l0" if !has_embedding => {
                let columns = bytes.chunks_exact(4 * order.len());
                columns
                    .flat_map(|row| order.iter().flat_map(|&from| &row[4 * from..4 * from + 4]))
                    .copied()
                    .collect()
            }
            _ => bytes.to_vec(),
        }
    };
    let tensors = read.iter().map(|(name, view)| Theirs {
        name: name.into(),
        shape: view.shape().into(),
        dtype: view.dtype(),
        bytes: turn(name, view.shape(), view.data()),
    });
    tensors.collect()
}

#[test]
fn names_and_shapes_are_those_of_a_state_dict() {
    let embedding = AnyCell::new(CellKind::Embedding, ActivationKind::Tanh, 3, 4);
    let cell = embedding.then(AnyCell::deep(CellKind::Gru, ActivationKind::Tanh, 4, 2, 2).unwrap()).unwrap();
    let network = Network::new(cell, vec![97, 98, 99], Alphabet::Chars, Clean::Letters).unwrap();
    let bytes = export(&network).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let mut tensors: Vec<_> =
        header.tensors().into_iter().map(|(name, info)| (name, info.shape.clone())).collect();
    tensors.sort();
    let expected = [
        ("embedding.weight", vec![3, 4]),
        ("head.bias", vec![3]),
        ("head.weight", vec![3, 2]),
        ("rnn.bias_hh_l0", vec![6]),
        ("rnn.bias_hh_l1", vec![6]),
        ("rnn.bias_ih_l0", vec![6]),
        ("rnn.bias_ih_l1", vec![6]),
        ("rnn.weight_hh_l0", vec![6, 2]),
        ("rnn.weight_hh_l1", vec![6, 2]),
        ("rnn.weight_ih_l0", vec![6, 4]),
        ("rnn.weight_ih_l1", vec![6, 2]),
    ];
    assert_eq!(tensors, expected.map(|(name, shape)| (name.to_owned(), shape)));
    let metadata = header.metadata().clone().unwrap();
    for (key, value) in [
        ("format", "pt"),
        ("cell", "gru"),
        ("layout", "outputs x inputs"),
        ("gate_order", "r,z,n"),
        ("reset_gate", "after"),
        ("clean", "letters"),
        ("vocabulary", r#"["a","b","c"]"#),
    ] {
        assert_eq!(metadata[key], value);
    }
    assert!(metadata["biases"].starts_with("r and z summed"));
    // Tensors begin at a multiple of eight bytes.
    assert_eq!(bytes[0] % 8, 0);
}

#[test]
fn biases_are_summed_but_for_the_candidate_s() {
    let network = imported(&gru()).unwrap();
    let x: Vec<f32> = (0..6).map(sixteenths).collect();
    let params = network.params();
    // w_xg (3×4), w_hg (2×4), b_g (4), w_xn (3×2), w_hn (2×2), b_xn (2), b_hn (2)
    assert_eq!(params[20..24], [2.0 * x[0], 2.0 * x[1], 2.0 * x[2], 2.0 * x[3]]);
    assert_eq!(params[34..38], [x[4], x[5], x[4], x[5]]);
    // The first input's part of the gates is the first column of theirs.
    assert_eq!(params[..4], [0, 3, 6, 9].map(sixteenths));
    let exported = export(&network).unwrap();
    let read = SafeTensors::deserialize(&exported).unwrap();
    let second = read.tensor("rnn.bias_hh_l0").unwrap();
    let zeros = [[0; 4]; 4].concat();
    assert_eq!(second.data()[..16], zeros);
    assert_eq!(second.data()[16..], [x[4].to_le_bytes(), x[5].to_le_bytes()].concat());
}

/// `save_model` leaves one of two tensors out that share their numbers, and notes it.
#[test]
fn tied_weights_are_both() {
    let mut tensors = theirs(&[("rnn.weight_ih_l0", &[9, 3]), ("rnn.weight_hh_l0", &[9, 3])]);
    tensors.extend(theirs(&[("rnn.bias_ih_l0", &[9]), ("rnn.bias_hh_l0", &[9])]));
    tensors.extend(theirs(&[("decoder.weight", &[3, 3]), ("decoder.bias", &[3])]));
    let symbols = ("vocabulary", r#"["a","b","c"]"#);
    let tied = file(&tensors, &[symbols, ("encoder.weight", "decoder.weight")]);
    tensors.extend(theirs(&[("encoder.weight", &[3, 3])]));
    let expected = imported(&tensors).unwrap();
    assert_eq!(expected.shape().cell.layers().len(), 2);
    assert_eq!(bits(&Import::default().network(&tied).unwrap()), bits(&expected));
}

#[test]
fn halves_are_converted() {
    let network = imported(&gru()).unwrap();
    for dtype in [Dtype::F16, Dtype::BF16] {
        let mut tensors = gru();
        for tensor in &mut tensors {
            let count = tensor.bytes.len() / 4;
            let half = |i| match dtype {
                Dtype::F16 => f16::from_f32(sixteenths(i)).to_le_bytes(),
                _ => bf16::from_f32(sixteenths(i)).to_le_bytes(),
            };
            (tensor.dtype, tensor.bytes) = (dtype, (0..count).flat_map(half).collect());
        }
        assert_eq!(imported(&tensors).unwrap().params(), network.params());
    }
}

#[test]
fn the_activation_is_a_flag_or_in_the_metadata() {
    let rnn = theirs(&[
        ("rnn.weight_ih_l0", &[2, 3]),
        ("rnn.weight_hh_l0", &[2, 2]),
        ("rnn.bias_ih_l0", &[2]),
        ("rnn.bias_hh_l0", &[2]),
        ("head.weight", &[3, 2]),
        ("head.bias", &[3]),
    ]);
    let activation = |given, metadata: &[(&str, &str)]| {
        let mut import = Import::default();
        import.activation = given;
        let metadata = [&[("vocabulary", "[1,2,3]")], metadata].concat();
        import.network(&file(&rnn, &metadata)).map(|network| network.shape().cell.layers()[0].activation())
    };
    let (tanh, relu) = (ActivationKind::Tanh, ActivationKind::Relu);
    assert_eq!(activation(None, &[]).unwrap(), tanh);
    assert_eq!(activation(Some(relu), &[]).unwrap(), relu);
    assert_eq!(activation(None, &[("activation", "relu")]).unwrap(), relu);
    assert_eq!(activation(Some(tanh), &[("activation", "relu")]).unwrap(), tanh);
    assert!(matches!(activation(None, &[("activation", "gelu")]), Err(WeightsError::Metadata { .. })));
}

#[test]
fn what_pytorch_has_not_is_not_exported() {
    let tanh = ActivationKind::Tanh;
    let cell = |kind, inputs, hidden| AnyCell::new(kind, tanh, inputs, hidden);
    let before = GruShape { inputs: 3, hidden: 2, reset: ResetKind::Before };
    for (cell, word) in [
        (cell(CellKind::Feedforward, 3, 2), "feedforward"),
        (before.into(), "before"),
        (cell(CellKind::Embedding, 3, 2), "no recurrent layer"),
        (cell(CellKind::Gru, 3, 2).then(cell(CellKind::Lstm, 2, 2)).unwrap(), "of one kind"),
        (cell(CellKind::Gru, 3, 2).then(cell(CellKind::Gru, 2, 4)).unwrap(), "2 and 4"),
        (cell(CellKind::Gru, 3, 3).then(cell(CellKind::Embedding, 3, 3)).unwrap(), "an embedding"),
        (
            cell(CellKind::Elman, 3, 2)
                .then(AnyCell::new(CellKind::Elman, ActivationKind::Relu, 2, 2))
                .unwrap(),
            "of one kind",
        ),
    ] {
        assert_eq!(cell.inputs(), 3);
        let network = Network::new(cell, vec![97, 98, 99], Alphabet::Chars, Clean::None).unwrap();
        let message = export(&network).unwrap_err().to_string();
        assert!(message.contains(word) && message.contains("PyTorch"), "{message}");
    }
}

#[test]
fn an_imported_network_writes() {
    let network = imported(&gru()).unwrap();
    let text = network.sample(&[0], 9, Sampler::new(0.0, 1).unwrap(), 0).unwrap();
    assert_eq!(text.len(), 9);
}

//! Three steps of gradient descent here and in `PyTorch`, from the same weights on the same text; the files are made by
//! `tests/golden/torch_steps.py`, which also says how `PyTorch` is to train.

use std::fs;
use std::path::Path;

use recurve::Sgd;
use recurve::cell::{ActivationKind, CellKind};
use recurve::host::safetensors::{Import, Vocabulary};
use recurve::host::{AnyOptimizer, Corpus, Network, Settings, Trainer, tensors};
use safetensors::SafeTensors;

const CASES: [(&str, CellKind); 6] = [
    ("rnn_tanh", CellKind::Elman),
    ("rnn_relu", CellKind::Elman),
    ("gru", CellKind::Gru),
    ("gru_embedding", CellKind::Gru),
    ("lstm", CellKind::Lstm),
    ("lstm_deep", CellKind::Lstm),
];

/// Of a tensor's norm.
const TOLERANCE: f64 = 1e-5;

fn read(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/torch").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text() -> Corpus {
    Corpus::Chars(String::from_utf8(read("text.txt")).unwrap())
}

/// What the shapes cannot say, and the vocabulary for files without it.
fn import(name: &str) -> Import {
    let mut import = Import::default();
    import.activation = (name == "rnn_relu").then_some(ActivationKind::Relu);
    import.vocabulary = name.contains("after").then(|| Vocabulary::of_corpus(&text()).unwrap());
    import
}

/// The losses of three steps as the script takes them.
fn train(network: &mut Network) -> Vec<f32> {
    let tokens = text().tokens(network.symbols()).unwrap();
    let mut settings = Settings::new(3, 5, AnyOptimizer::Sgd(Sgd { lr: 0.5, momentum: 0.0 }));
    settings.clip = 0.5;
    let mut trainer = Trainer::new(network, &tokens, settings).unwrap();
    (0..3).map(|_| trainer.step().unwrap()).collect()
}

fn norm(x: impl Iterator<Item = f64>) -> f64 {
    x.map(|x| x * x).sum::<f64>().sqrt()
}

#[test]
fn three_steps_are_those_of_pytorch() {
    for (name, kind) in CASES {
        let before = read(&format!("{name}.before.safetensors"));
        let after = read(&format!("{name}.after.safetensors"));
        let mut network = import(name).network(&before).unwrap();
        assert_eq!(network.shape().cell.layers().last().unwrap().kind(), kind);
        let start = network.params().to_vec();
        let losses = train(&mut network);

        let (_, header) = SafeTensors::read_metadata(&after).unwrap();
        let expected: Vec<f64> =
            serde_json::from_str(&header.metadata().as_ref().unwrap()["losses"]).unwrap();
        for (loss, expected) in losses.iter().zip(expected) {
            assert!((f64::from(*loss) - expected).abs() < TOLERANCE, "{name}: {loss} {expected}");
        }
        let mut of_after = import("after");
        of_after.activation = import(name).activation;
        let expected = of_after.network(&after).unwrap();
        let mut from = 0;
        for tensor in tensors(network.shape()) {
            let range = from..from + tensor.len();
            let pairs = || network.params()[range.clone()].iter().zip(&expected.params()[range.clone()]);
            let error = norm(pairs().map(|(a, b)| f64::from(*a) - f64::from(*b)));
            let size = norm(pairs().map(|(_, b)| f64::from(*b)));
            assert!(error < TOLERANCE * size, "{name}, {}: {error} of {size}", tensor.label());
            assert_ne!(start[range.clone()], network.params()[range], "{name}, {}", tensor.label());
            from += tensor.len();
        }
    }
}

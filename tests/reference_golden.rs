//! Checks the f64 reference against the tensors that `PyTorch` computed (`tests/golden/make.py`).

#[allow(dead_code, reason = "each test crate uses its part of the golden files")]
mod golden;
#[allow(dead_code, reason = "each test crate uses its part of the reference")]
mod reference;

use golden::{Golden, Rows, Run};
use reference::elman::Elman;
use reference::embedding::Embedding;
use reference::feedforward::Feedforward;
use reference::gru::Gru;
use reference::loss::Targets;
use reference::lstm::Lstm;
use reference::network::{Network, Window};
use reference::objective::{Objective, Readout};
use reference::optim::{AdamW, Optimizer, Sgd, clip, global_norm};
use reference::stack::{Layer, Stack};
use reference::{Activation, Cell, one_hot};

/// Both sides compute in f64, so only the order of sums differs.
const TOLERANCE: f64 = 1e-12;

#[track_caller]
fn assert_close(what: &str, actual: &[f64], expected: &[f64]) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    for (i, (a, e)) in actual.iter().zip(expected).enumerate() {
        assert!(
            (a - e).abs() <= TOLERANCE * a.abs().max(e.abs()).max(1.0),
            "{what}[{i}]: {a:e} is not {e:e}"
        );
    }
}

/// A window of a golden file as the reference takes it.
fn window(golden: &Golden, index: usize) -> Window {
    let rows = &golden.windows[index];
    let x = match &rows.x {
        Rows::Tokens(tokens) => one_hot(tokens, golden.inputs),
        Rows::Vectors(x) => x.clone(),
    };
    let targets = match &rows.targets {
        Rows::Tokens(tokens) => Targets::Tokens(tokens.clone()),
        Rows::Vectors(y) => match golden.delta {
            Some(delta) => Targets::Huber(y.clone(), delta),
            None => Targets::Vectors(y.clone()),
        },
    };
    let readout = golden.readout.as_deref().map(|readout| match readout {
        "last" => Readout::Last,
        "mean" => Readout::Mean,
        other => panic!("unknown readout {other}"),
    });
    let objective = Objective { targets, readout, lengths: rows.lengths.clone() };
    Window { batch: golden.batch, x, objective }
}

fn check_first<C: Cell>(golden: &Golden, network: &Network<C>) {
    let (forward, gradients) = network.gradients(&window(golden, 0), &golden.state);
    let first = &golden.first;
    assert_close("h", &forward.h, &first.h);
    assert_close("logits", &forward.logits, &first.logits);
    assert_close("loss", &[forward.loss], &[first.loss]);
    assert_close("state", &forward.state, &first.state);
    for (name, gradient) in gradients.parameters.tensors() {
        assert_close(name, gradient, first.gradients.get(name));
    }
    assert_close("d_state", &gradients.state, &first.d_state);
    if let Rows::Vectors(_) = golden.windows[0].x {
        assert_close("d_x", &gradients.x, &first.d_x);
    }
}

fn optimizer(run: &Run, count: usize) -> Box<dyn Optimizer> {
    match run.optimizer {
        golden::Optimizer::Sgd { lr, momentum } => Box::new(Sgd::new(lr, momentum, count)),
        golden::Optimizer::AdamW { lr, betas, eps, weight_decay } => {
            Box::new(AdamW::new(lr, betas, eps, weight_decay, count))
        }
    }
}

fn check_run<C: Cell>(golden: &Golden, network: &Network<C>, run: &Run) {
    let mut weights = network.flat();
    let mut state = golden.state.clone();
    let mut optimizer = optimizer(run, weights.len());
    let (mut losses, mut norms) = (Vec::new(), Vec::new());
    for index in 0..golden.windows.len() {
        let (forward, gradients) = network.with_flat(&weights).gradients(&window(golden, index), &state);
        let mut flat = gradients.parameters.flat();
        norms.push(match run.clip {
            Some(max_norm) => clip(&mut flat, max_norm),
            None => global_norm(&flat),
        });
        optimizer.step(&mut weights, &flat);
        losses.push(forward.loss);
        state = forward.state;
    }
    assert_close("losses", &losses, &run.losses);
    assert_close("norms", &norms, &run.norms);
    assert_close("weights", &weights, &run.weights.flat());
    assert_close("state", &state, &run.state);
}

fn check<C: Cell>(golden: &Golden, cell: C) {
    let network = Network::new(cell, golden.outputs).with_flat(&golden.weights.flat());
    let names: Vec<&str> = golden.weights.0.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(network.tensors().iter().map(|(name, _)| *name).collect::<Vec<_>>(), names);
    check_first(golden, &network);
    for run in &golden.runs {
        check_run(golden, &network, run);
    }
}

#[test]
fn the_reference_computes_what_pytorch_computes() {
    for name in golden::NAMES {
        println!("{name}");
        let golden = golden::load(name);
        let activation = match golden.activation.as_str() {
            "tanh" => Activation::Tanh,
            "relu" => Activation::Relu,
            other => panic!("unknown activation {other}"),
        };
        let mut inputs = golden.inputs;
        let layers = golden.layers.iter().map(|(kind, hidden)| {
            let (d, h) = (std::mem::replace(&mut inputs, *hidden), *hidden);
            match kind.as_str() {
                "elman" => Layer::Elman(Elman::zeros(d, h, activation)),
                "feedforward" => Layer::Feedforward(Feedforward::zeros(d, h, activation)),
                "gru" => Layer::Gru(Gru::zeros(d, h, true)),
                "embedding" => Layer::Embedding(Embedding::zeros(d, h)),
                "lstm" => Layer::Lstm(Lstm::zeros(d, h)),
                other => panic!("unknown cell {other}"),
            }
        });
        check(&golden, Stack(layers.collect()));
    }
}

#[test]
fn every_golden_file_is_in_the_list() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let files = directory.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<String> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let mut listed = golden::NAMES.map(String::from).to_vec();
    found.sort();
    listed.sort();
    assert_eq!(found, listed);
}

//! The crate against the tensors that `PyTorch` computed in f64 (`tests/golden/make.py`): forward pass, loss, every
//! gradient, and weights after three windows of training by three rules.

#[allow(dead_code, reason = "each test crate uses its part of the helpers")]
mod common;
#[allow(dead_code, reason = "each test crate uses its part of the golden files")]
mod golden;
#[allow(dead_code, reason = "each test crate uses its part of the reference")]
mod reference;

use recurve::cell::{ActivationKind, AnyCell, CellKind, Extent};
use recurve::params::Flat;
use recurve::{
    Adam, CharRnn, ModelShape, Objective, Optimizer, Sgd, Targets, Workspace, clip_norm, optim::global_norm,
};

use common::compare::Tolerance;
use common::problem::Rows;
use common::states::by_part;
use common::{Outcome, Problem};
use golden::{Golden, Run, Tensors};

/// The numbers given are exact in f32, so what differs is rounding alone, a few of 6e-8 for sums of up to twelve
/// terms, through four steps and three windows. Measured: 3e-7 of a tensor's norm, 9e-7 of an element; three times
/// that leaves room for other instruction sets.
const TOLERANCE: Tolerance = Tolerance { norm: 1e-6, element: 3e-6 };

#[expect(clippy::cast_possible_truncation, reason = "given numbers are exact in f32, settings may round")]
fn f32_of(x: f64) -> f32 {
    x as f32
}

fn f32s(x: &[f64]) -> Vec<f32> {
    x.iter().copied().map(f32_of).collect()
}

fn rows(rows: &golden::Rows, width: usize) -> Rows {
    match rows {
        golden::Rows::Tokens(t) => {
            Rows::Tokens(t.iter().map(|&t| u16::try_from(t).expect("small")).collect())
        }
        golden::Rows::Vectors(x) => Rows::Vectors(f32s(x), width),
    }
}

/// Window `index` of a file, from the file's weights and state.
fn problem(golden: &Golden, index: usize) -> Problem {
    let activation = match golden.activation.as_str() {
        "tanh" => ActivationKind::Tanh,
        "relu" => ActivationKind::Relu,
        other => panic!("unknown activation {other}"),
    };
    let mut width = golden.inputs;
    let layers = golden.layers.iter().map(|(kind, hidden)| {
        let kind: CellKind = kind.parse().expect("a kind of cell");
        AnyCell::new(kind, activation, std::mem::replace(&mut width, *hidden), *hidden)
    });
    let cell = layers.reduce(|below, above| below.then(above).expect("they fit")).expect("a layer");
    // A layer without memory has none in the file; in the crate its state is its last output, which nothing reads.
    let state = f32s(&by_part(cell, &golden.state, golden.batch, 0.25));
    let window = &golden.windows[index];
    Problem {
        shape: ModelShape { cell, outputs: golden.outputs },
        extent: Extent { batch: golden.batch, window: golden.steps },
        params: f32s(&golden.weights.flat()),
        state,
        inputs: rows(&window.x, golden.inputs),
        targets: rows(&window.targets, golden.outputs),
    }
}

/// The outcome of a window of a file, which [`problem`] made.
fn outcome(golden: &Golden, index: usize, problem: &Problem) -> Outcome {
    let targets = match (problem.targets.targets(), golden.delta) {
        (Targets::Vectors(y), Some(delta)) => Targets::Huber { y, delta: f32_of(delta) },
        (targets, _) => targets,
    };
    let objective = match golden.readout.as_deref() {
        None => Objective::from(targets),
        Some("last") => Objective::last(targets),
        Some("mean") => Objective::mean(targets),
        Some(other) => panic!("unknown readout {other}"),
    };
    match &golden.windows[index].lengths {
        Some(lengths) => problem.gradient_for(objective.with_lengths(lengths)),
        None if golden.readout.is_some() => problem.gradient_for(objective),
        None => problem.gradient_for(targets),
    }
}

/// A flat slice against named tensors, one by one.
fn check_tensors(mut actual: &[f32], expected: &Tensors) {
    for (name, values) in &expected.0 {
        let (tensor, rest) = actual.split_at(values.len());
        TOLERANCE.check(name, tensor, values);
        actual = rest;
    }
    assert!(actual.is_empty());
}

/// The state after a window; the file has it for cells with memory.
fn check_state(problem: &Problem, actual: &[f32], expected: &[f64]) {
    if !expected.is_empty() {
        TOLERANCE.check("state", &problem.remembered(actual), expected);
    }
}

fn check_first(golden: &Golden) {
    let problem = problem(golden, 0);
    let (outcome, expected) = (outcome(golden, 0, &problem), &golden.first);
    let (h, logits, _) = problem.steps();
    TOLERANCE.check("H", &h, &expected.h);
    // States of sequences that are over are cleared by way of the tape, so it does not show H then.
    if golden.windows[0].lengths.is_none() {
        TOLERANCE.check("H of the window", &outcome.h, &expected.h);
    }
    TOLERANCE.check("logits", &logits, &expected.logits);
    TOLERANCE.check("loss", &[outcome.loss], &[expected.loss]);
    check_state(&problem, &outcome.state, &expected.state);
    check_tensors(&outcome.grads, &expected.gradients);
}

fn optimizer(run: &Run) -> Box<dyn Optimizer> {
    match run.optimizer {
        golden::Optimizer::Sgd { lr, momentum } => {
            Box::new(Sgd { lr: f32_of(lr), momentum: f32_of(momentum) })
        }
        golden::Optimizer::AdamW { lr, betas: (beta1, beta2), eps, weight_decay } => Box::new(Adam {
            lr: f32_of(lr),
            beta1: f32_of(beta1),
            beta2: f32_of(beta2),
            epsilon: f32_of(eps),
            weight_decay: f32_of(weight_decay),
        }),
    }
}

fn check_run(golden: &Golden, run: &Run) {
    let start = problem(golden, 0);
    let (mut params, mut state) = (start.params.clone(), start.state.clone());
    let optimizer = optimizer(run);
    let mut memory = vec![0.0; optimizer.state_len(params.len())];
    let (mut losses, mut norms) = (Vec::new(), Vec::new());
    for index in 0..golden.windows.len() {
        let window = Problem { params: params.clone(), state, ..problem(golden, index) };
        let mut outcome = outcome(golden, index, &window);
        let norm = match run.clip {
            Some(limit) => clip_norm(&mut outcome.grads, f32_of(limit)),
            None => global_norm(&outcome.grads),
        };
        norms.push(norm.expect("finite gradients"));
        optimizer.step(&mut params, &outcome.grads, &mut memory).expect("finite gradients");
        losses.push(outcome.loss);
        state = outcome.state;
    }
    TOLERANCE.check("losses", &losses, &run.losses);
    TOLERANCE.check("norms", &norms, &run.norms);
    check_tensors(&params, &run.weights);
    check_state(&start, &state, &run.state);
}

#[test]
fn the_crate_computes_what_pytorch_computes() {
    for name in golden::NAMES {
        println!("{name}");
        let golden = golden::load(name);
        check_first(&golden);
        for run in &golden.runs {
            println!("{name}: {:?}", run.optimizer);
            check_run(&golden, run);
        }
    }
}

/// Windows of the language model through the types that users meet: weights in `Model`, buffers in `Workspace`.
#[test]
fn a_typed_model_trains_as_pytorch_does() {
    let golden = golden::load("char_rnn");
    let run = &golden.runs[0];
    let mut model = CharRnn::<6, 9>::ZERO;
    let mut grads = CharRnn::<6, 9>::ZERO;
    let mut workspace = Workspace::<_, 9, 6, 3, 4>::ZERO;
    let mut state = [[0.0; 9]; 3];
    model.as_flat_mut().copy_from_slice(&f32s(&golden.weights.flat()));
    state.as_flat_mut().copy_from_slice(&f32s(&golden.state));

    let (optimizer, limit) = (optimizer(run), f32_of(run.clip.expect("the first run clips")));
    for (index, &expected) in run.losses.iter().enumerate() {
        let window = problem(&golden, index);
        let (inputs, targets) = (window.inputs.inputs(), window.targets.targets());
        grads.set_zero();
        let loss = model.gradient(inputs, targets, &mut state, &mut workspace, &mut grads);
        TOLERANCE.check("loss", &[loss.expect("a valid window")], &[expected]);
        clip_norm(grads.as_flat_mut(), limit).expect("finite gradients");
        optimizer.step(model.as_flat_mut(), grads.as_flat(), &mut []).expect("finite gradients");
    }
    check_tensors(model.as_flat(), &run.weights);
    check_state(&problem(&golden, 0), state.as_flat(), &run.state);
}

//! The contender recurve: `Trainer` for windows; on the lanes of this machine a step, from a token or a one-hot vector, with
//! sizes that are known when the program runs, or `typed`, when it is compiled.

use peers::{CLIP, LR, Work, serve};
use recurve::cell::{ActivationKind, AnyCell, CellKind, Input, TypedCell};
use recurve::clean::Clean;
use recurve::host::{AnyOptimizer, Network, Settings, Trainer};
use recurve::lanes::LaneKind;
use recurve::params::Flat;
use recurve::vocab::Alphabet;
use recurve::{Elman, Gru, Inputs, Lstm, Model, Sgd};

/// The vocabulary of typed models.
const V: usize = 28;

fn main() {
    let (mode, work) = Work::from_args();
    let kind: CellKind = work.cell.parse().expect("a cell");
    let cell = AnyCell::new(kind, ActivationKind::Tanh, work.vocab, work.hidden);
    let codes = (0..work.vocab as u32).collect();
    let mut network = Network::new(cell, codes, Alphabet::Chars, Clean::None).expect("a network");
    network.params_mut().copy_from_slice(&work.params);
    match mode.as_str() {
        "train" => train(&work, &mut network),
        "vectors" => steps(&network, one_hot(&work).chunks(work.vocab).map(Inputs::Vectors)),
        "typed" => typed(&work, &network, work.tokens.iter().map(|&token| Input::Token(token))),
        "typed vectors" => {
            let vectors = one_hot(&work);
            typed(&work, &network, vectors.as_chunks().0.iter().map(Input::Vector));
        }
        _ => steps(&network, work.tokens.chunks(1).map(Inputs::Tokens)),
    }
}

fn train(work: &Work, network: &mut Network) {
    let optimizer = AnyOptimizer::Sgd(Sgd { lr: LR, momentum: 0.0 });
    let mut settings = Settings::new(work.batch, work.window, optimizer);
    (settings.clip, settings.threads) = (CLIP, work.threads);
    let mut trainer = Trainer::new(network, &work.tokens, settings).expect("a trainer");
    serve(1, || trainer.step().expect("a finite loss"));
}

/// A vector for each token. All that it holds is multiplied with, zeros like other numbers.
fn one_hot(work: &Work) -> Vec<f32> {
    let mut vectors = vec![0.0; work.tokens.len() * work.vocab];
    for (vector, &token) in vectors.chunks_mut(work.vocab).zip(&work.tokens) {
        vector[usize::from(token)] = 1.0;
    }
    vectors
}

fn steps<'a>(network: &Network, inputs: impl Iterator<Item = Inputs<'a>> + Clone) {
    let shape = network.shape();
    let mut state = vec![0.0; shape.state_len(1)];
    let mut scratch = vec![0.0; shape.step_scratch_len(1)];
    let mut logits = vec![0.0; shape.outputs];
    let (kind, mut inputs) = (LaneKind::best(), inputs.cycle());
    serve(64, || {
        let inputs = inputs.next().expect("inputs");
        let step = shape.step_on(kind, network.params(), inputs, &mut state, &mut logits, &mut scratch);
        step.expect("finite outputs");
        logits[0]
    });
}

fn typed<'a>(work: &Work, network: &Network, inputs: impl Iterator<Item = Input<'a, [f32; V]>> + Clone) {
    match (work.cell.as_str(), work.hidden) {
        ("elman", 32) => steps_of::<Elman<V, 32>, 32>(network, inputs),
        ("elman", 64) => steps_of::<Elman<V, 64>, 64>(network, inputs),
        ("elman", 128) => steps_of::<Elman<V, 128>, 128>(network, inputs),
        ("elman", 256) => steps_of::<Elman<V, 256>, 256>(network, inputs),
        ("gru", 32) => steps_of::<Gru<V, 32>, 32>(network, inputs),
        ("gru", 64) => steps_of::<Gru<V, 64>, 64>(network, inputs),
        ("gru", 128) => steps_of::<Gru<V, 128>, 128>(network, inputs),
        ("gru", 256) => steps_of::<Gru<V, 256>, 256>(network, inputs),
        ("lstm", 32) => steps_of::<Lstm<V, 32>, 32>(network, inputs),
        ("lstm", 64) => steps_of::<Lstm<V, 64>, 64>(network, inputs),
        ("lstm", 128) => steps_of::<Lstm<V, 128>, 128>(network, inputs),
        ("lstm", 256) => steps_of::<Lstm<V, 256>, 256>(network, inputs),
        (cell, hidden) => panic!("no type for {cell} of {hidden}"),
    }
}

fn steps_of<'a, C: TypedCell<H, Vector = [f32; V]>, const H: usize>(
    network: &Network,
    inputs: impl Iterator<Item = Input<'a, [f32; V]>> + Clone,
) {
    let model = Model::<C, H, V>::from_flat(network.params()).expect("as many weights");
    let (mut state, mut scratch) = (C::State::<1>::boxed(), C::StepScratch::<1>::boxed());
    let (mut logits, mut inputs) = ([0.0; V], inputs.cycle());
    serve(64, || {
        let input = inputs.next().expect("inputs");
        model.step(input, &mut state, &mut logits, &mut scratch).expect("finite outputs");
        logits[0]
    });
}

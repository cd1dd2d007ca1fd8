//! The contender recurve: `Trainer` for windows, a step on the lanes of this machine.

#[path = "../../../common/step.rs"]
mod on_lanes;

use peers::{CLIP, LR, Work, serve};
use recurve::cell::{ActivationKind, AnyCell, CellKind};
use recurve::clean::Clean;
use recurve::host::{AnyOptimizer, Network, Settings, Trainer};
use recurve::lanes::LaneKind;
use recurve::vocab::Alphabet;
use recurve::{Inputs, Sgd};

use on_lanes::Step;

fn main() {
    let (mode, work) = Work::from_args();
    let cell = AnyCell::new(CellKind::Elman, ActivationKind::Tanh, work.vocab, work.hidden);
    let codes = (0..work.vocab as u32).collect();
    let mut network = Network::new(cell, codes, Alphabet::Chars, Clean::None).expect("a network");
    network.params_mut().copy_from_slice(&work.params);
    match mode.as_str() {
        "train" => train(&work, &mut network),
        _ => steps(&work, &network),
    }
}

fn train(work: &Work, network: &mut Network) {
    let optimizer = AnyOptimizer::Sgd(Sgd { lr: LR, momentum: 0.0 });
    let mut settings = Settings::new(work.batch, work.window, optimizer);
    (settings.clip, settings.threads) = (CLIP, work.threads);
    let mut trainer = Trainer::new(network, &work.tokens, settings).expect("a trainer");
    serve(1, || trainer.step().expect("a finite loss"));
}

fn steps(work: &Work, network: &Network) {
    let shape = network.shape();
    let mut state = vec![0.0; shape.state_len(1)];
    let mut scratch = vec![0.0; shape.step_scratch_len(1)];
    let mut logits = vec![0.0; shape.outputs];
    let (kind, mut tokens) = (LaneKind::best(), work.tokens.chunks(1).cycle());
    serve(64, || {
        let inputs = Inputs::Tokens(tokens.next().expect("tokens"));
        let (params, state) = (network.params(), &mut state[..]);
        let (logits, scratch) = (&mut logits[..], &mut scratch[..]);
        kind.run(Step { shape, params, inputs, state, logits, scratch }).expect("finite outputs");
        logits[0]
    });
}

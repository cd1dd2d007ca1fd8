//! Operations whose instructions are counted by `run`, beside this file: `instructions LANES OPERATION`.
//!
//! Each is a function of its own name, so that only what happens inside is counted.

#[path = "../common/mod.rs"]
mod common;

use std::hint::black_box;

use recurve::cell::CellKind::{Elman, Gru, Lstm};
use recurve::cell::{ActivationKind, AnyCell, CellKind};
use recurve::clean::Clean;
use recurve::host::{AnyOptimizer, Network, Settings, Trainer};
use recurve::lanes::LaneKind;
use recurve::vocab::Alphabet;
use recurve::{Adam, Inputs, Sgd};

const V: usize = 28;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(lanes), Some(operation)) = (args.next(), args.next()) else {
        return Ok(()); // by `cargo test --all-targets`
    };
    let lanes: LaneKind = lanes.parse()?;
    let sgd = AnyOptimizer::Sgd(Sgd { lr: 0.1, momentum: 0.0 });
    match operation.as_str() {
        "step_32" => steps(one(Elman, 32), lanes),
        "step_64" => steps(one(Elman, 64), lanes),
        "step_256" => steps(one(Elman, 256), lanes),
        "step_gru" => steps(one(Gru, 64), lanes),
        "step_lstm" => steps(one(Lstm, 64), lanes),
        "window_64" => windows(one(Elman, 64), (1, 32), sgd, lanes),
        "window_128" => windows(one(Elman, 128), (32, 8), sgd, lanes),
        "window_256" => windows(one(Elman, 256), (32, 8), sgd, lanes),
        "window_batch" => windows(one(Elman, 32), (256, 8), sgd, lanes),
        "window_gru" => windows(one(Gru, 100), (32, 8), sgd, lanes),
        "window_lstm" => windows(one(Lstm, 100), (32, 8), sgd, lanes),
        "window_layers" => windows(two(Gru, 64), (32, 8), sgd, lanes),
        "window_adam" => windows(one(Elman, 64), (1, 32), AnyOptimizer::Adam(Adam::new(0.01)), lanes),
        _ => return Err("no such operation".into()),
    }
    Ok(())
}

/// A single cell.
fn one(kind: CellKind, hidden: usize) -> AnyCell {
    AnyCell::new(kind, ActivationKind::Tanh, V, black_box(hidden))
}

/// Two of them.
fn two(kind: CellKind, hidden: usize) -> AnyCell {
    AnyCell::deep(kind, ActivationKind::Tanh, V, black_box(hidden), 2).expect("a stack")
}

fn network(cell: AnyCell) -> Network {
    let codes = (0..V as u32).collect();
    let mut network = Network::new(cell, codes, Alphabet::Chars, Clean::None).expect("a network");
    network.init(1);
    network
}

/// A step from a token to the outputs.
fn steps(cell: AnyCell, lanes: LaneKind) {
    let network = network(cell);
    let shape = network.shape();
    let (mut state, mut scratch) = (vec![0.1; shape.state_len(1)], vec![0.0; shape.step_scratch_len(1)]);
    let mut logits = vec![0.0; V];
    counted_step(|| {
        let inputs = Inputs::Tokens(&[3]);
        shape.step_on(lanes, network.params(), inputs, &mut state, &mut logits, &mut scratch)
    });
    black_box(logits);
}

/// A window forward and backward, clipping, and the optimiser.
fn windows(cell: AnyCell, (batch, length): (usize, usize), optimizer: AnyOptimizer, lanes: LaneKind) {
    let mut network = network(cell);
    let tokens = common::tokens(batch * (length + 1), V);
    let mut settings = Settings::new(batch, length, optimizer);
    (settings.clip, settings.lanes) = (0.1, lanes);
    let mut trainer = Trainer::new(&mut network, &tokens, settings).expect("a trainer");
    counted_window(&mut trainer);
}

#[inline(never)]
fn counted_step(step: impl FnOnce() -> Result<(), recurve::Error>) {
    step().expect("finite outputs");
}

#[inline(never)]
fn counted_window(trainer: &mut Trainer<'_>) {
    trainer.step().expect("a finite loss");
}

//! The order of a text, and a run that goes wrong.

use super::*;
use crate::cell::{ActivationKind, AnyCell, CellKind};
use crate::clean::Clean;
use crate::error::Quantity;
use crate::host::AnyOptimizer;
use crate::lanes::LaneKind;
use crate::optim::Sgd;
use crate::vocab::Alphabet;

const HIDDEN: usize = 32;

fn network() -> Network {
    let cell = AnyCell::new(CellKind::Elman, ActivationKind::Tanh, 2, HIDDEN);
    Network::new(cell, [97, 98].into(), Alphabet::Chars, Clean::None).unwrap()
}

fn settings() -> Settings {
    let mut settings = Settings::new(1, 4, AnyOptimizer::Sgd(Sgd { lr: 0.1, momentum: 0.0 }));
    settings.lanes = LaneKind::Portable;
    settings
}

/// Hidden units in pairs of opposite signs: what they say cancels on the way forward, and adds up on the way back, more
/// than a thousandfold at each step.
fn poison(params: &mut [f32]) {
    let [w_hh, b_h, w_hq] = [2, 2 + HIDDEN, 3 + HIDDEN].map(|rows| rows * HIDDEN);
    params.fill(0.0);
    params[w_hh..b_h].fill(1e3);
    for unit in 0..HIDDEN {
        let sign = if unit % 2 == 0 { 0.5 } else { -0.5 };
        (params[unit], params[HIDDEN + unit]) = (sign, sign);
        params[w_hq + 2 * unit] = 1e34;
    }
}

#[test]
fn sequences_lie_side_by_side() {
    let rows: Vec<_> = time_major(&[0, 1, 2, 10, 11, 12, 99], 3, 2).collect();
    assert_eq!(rows, [0, 10, 1, 11, 2, 12]);
}

#[test]
fn a_step_that_fails_changes_nothing() {
    let tokens = [0, 1, 1, 0, 1, 0, 1, 1, 0, 0, 0, 0, 1];
    let (mut network, mut other) = (network(), network());
    network.init(1);
    other.init(1);
    let params = network.params().to_vec();
    let mut trainer = Trainer::new(&mut network, &tokens, settings()).unwrap();
    let mut healthy = Trainer::new(&mut other, &tokens, settings()).unwrap();

    poison(trainer.network.params_mut());
    let error = trainer.step().unwrap_err();
    assert!(matches!(error, HostError::Model(Error::NotFinite(Quantity::Gradient))), "{error}");
    assert_eq!((trainer.steps(), &trainer.state[..]), (0, &[0.0; HIDDEN][..]));

    trainer.network.params_mut().copy_from_slice(&params);
    for _ in 0..4 {
        assert_eq!(trainer.step().unwrap().to_bits(), healthy.step().unwrap().to_bits());
    }
    assert_eq!(trainer.network.params(), healthy.network.params());
}

#[test]
fn no_step_has_no_perplexity() {
    let mut network = network();
    let trainer = Trainer::new(&mut network, &[0, 1, 0, 1, 0], settings()).unwrap();
    assert!(trainer.train_perplexity().is_nan());
}

//! The order of a text, and a run that goes wrong.

use super::*;
use crate::cell::{ActivationKind, AnyCell, CellKind, Dropout};
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

/// Text in which no two windows are alike.
fn tokens(len: usize) -> Vec<u16> {
    (0..len).map(|i| u16::from((i * i / 7 + i / 3) % 5 < 2)).collect()
}

/// The weights after so many steps.
fn trained(settings: Settings, steps: usize) -> Vec<f32> {
    let mut network = network();
    network.init(3);
    let mut trainer = Trainer::new(&mut network, &tokens(60), settings).unwrap();
    (0..steps).for_each(|_| assert!(trainer.step().is_ok()));
    network.params().to_vec()
}

#[test]
fn a_shuffled_epoch_begins_within_the_first_window_and_is_as_long_as_any() {
    let text = tokens(60);
    let mut settings = Settings { shuffle_offset: true, batch: 2, ..settings() };
    settings.seed = 11;
    let mut network = network();
    let mut trainer = Trainer::new(&mut network, &text, settings).unwrap();
    // ⌊(60 − 3) / 2⌋ = 28 tokens of each sequence are six windows of four and the one after.
    assert_eq!((trainer.windows(), trainer.rows.len()), (6, 56));
    let mut offsets = Vec::new();
    for epoch in 0..40 {
        let offset = settings.offset(epoch);
        let expected: Vec<_> = time_major(&text[offset..], 28, 2).collect();
        assert_eq!(trainer.rows, expected, "epoch {epoch}");
        offsets.push(offset);
        (0..6).for_each(|_| assert!(trainer.step().is_ok()));
        assert_eq!((trainer.epochs(), &trainer.state[..]), (epoch + 1, &[0.0; 2 * HIDDEN][..]));
    }
    offsets.sort_unstable();
    offsets.dedup();
    assert_eq!(offsets, [0, 1, 2, 3]);
    assert_eq!(Settings { shuffle_offset: false, ..settings }.offset(7), 0);
}

#[test]
fn a_text_must_have_room_for_offsets() {
    let mut settings = settings();
    let mut network = network();
    assert!(Trainer::new(&mut network, &tokens(5), settings).is_ok());
    settings.shuffle_offset = true;
    let error = Trainer::new(&mut network, &tokens(7), settings).unwrap_err();
    assert!(matches!(error, HostError::TooShort { tokens: 7, needed: 8 }), "{error}");
    assert_eq!(Trainer::new(&mut network, &tokens(8), settings).unwrap().windows(), 1);
}

#[test]
fn dropout_is_seeded_and_every_step_has_its_own() {
    let with = |outputs, seed| Settings { dropout: Dropout::new(0.0, outputs).unwrap(), seed, ..settings() };
    assert_eq!(trained(with(0.5, 1), 9), trained(with(0.5, 1), 9));
    assert_ne!(trained(with(0.5, 1), 9), trained(with(0.5, 2), 9));
    assert_ne!(trained(with(0.5, 1), 9), trained(with(0.0, 1), 9));
    assert_eq!(trained(with(0.0, 1), 9), trained(settings(), 9));
    let of = |step| masks(with(0.5, 1).dropout, 1, step);
    (0..100).for_each(|step| assert_ne!(of(step), of(step + 1)));
}

#[test]
fn the_best_weights_are_kept() {
    let mut network = network();
    network.init(1);
    let settings = Settings { keep_best: true, ..settings() };
    let text = tokens(60);
    let mut trainer = Trainer::new(&mut network, &text, settings).unwrap();
    assert_eq!((trainer.best(), trainer.restore_best()), (None, None));
    trainer.step().unwrap();
    assert!(!trainer.offer(f32::NAN) && trainer.best().is_none());
    assert!(trainer.offer(3.0));
    let (best, figure) = (trainer.network().params().to_vec(), trainer.train_perplexity());
    trainer.step().unwrap();
    assert!(!trainer.offer(3.0) && !trainer.offer(f32::NAN) && !trainer.offer(7.0));
    let expected = Best { perplexity: 3.0, train_perplexity: figure, steps: 1, epochs: 0 };
    assert_eq!(trainer.restore_best(), Some(expected));
    assert_eq!(trainer.network().params(), best);

    trainer.step().unwrap();
    assert!(trainer.offer(2.0));
    let last = trainer.network().params().to_vec();
    assert_eq!(trainer.restore_best(), None, "they are the last");
    assert_eq!(trainer.network().params(), last);
}

#[test]
fn what_is_added_takes_memory() {
    let network = network();
    let of = |settings: Settings| TrainerMemory::of(network.shape(), &settings, 1000).total();
    let (plain, weights) = (of(settings()), 4 * network.params().len());
    assert_eq!(of(Settings { keep_best: true, ..settings() }), plain + weights);
    assert_eq!(of(Settings { shuffle_offset: true, ..settings() }), plain + 2000);
    let dropout = Dropout::new(0.0, 0.5).unwrap();
    assert_eq!(of(Settings { dropout, ..settings() }), plain + 2 * 4 * 4 * HIDDEN);
}

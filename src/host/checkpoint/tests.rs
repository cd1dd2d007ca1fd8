//! What is refused: every truncation, every flipped bit, other runs. What goes on: all else, to the same bits.

use std::string::{String, ToString};

use super::*;
use crate::cell::{ActivationKind, AnyCell, CellKind, Dropout};
use crate::clean::Clean;
use crate::error::{Error, Quantity};
use crate::host::{AnyOptimizer, Network, Settings, Trainer};
use crate::optim::{Adam, Sgd};
use crate::vocab::Alphabet;

const STEPS: u64 = 23;

fn network(hidden: usize) -> Network {
    let cell = AnyCell::new(CellKind::Gru, ActivationKind::Tanh, 3, hidden);
    let mut network = Network::new(cell, [97, 98, 99].into(), Alphabet::Chars, Clean::None).unwrap();
    network.init(3);
    network
}

fn tokens() -> Vec<u16> {
    (0..60_u16).map(|i| (i * i / 7 + i / 3) % 3).collect()
}

/// With all that a run can have.
fn settings() -> Settings {
    let mut settings = Settings::new(2, 4, AnyOptimizer::Adam(Adam::new(0.01)));
    settings.dropout = Dropout::new(0.1, 0.2).unwrap();
    (settings.shuffle_offset, settings.keep_best, settings.clip) = (true, true, 1.0);
    settings
}

/// Steps up to this number, at a rate that falls, some of them offered.
fn run(trainer: &mut Trainer<'_>, until: u64) {
    while trainer.steps() < until {
        trainer.set_lr(0.01 / (1.0 + trainer.steps() as f32));
        trainer.step().unwrap();
        if trainer.steps().is_multiple_of(5) {
            trainer.offer(10.0 + (trainer.steps() as f32 - 10.0).abs());
        }
    }
}

fn after(steps: u64) -> Checkpoint {
    let mut network = network(4);
    let mut trainer = Trainer::new(&mut network, &tokens(), settings()).unwrap();
    run(&mut trainer, steps);
    trainer.checkpoint("notes\nof mine").unwrap()
}

#[test]
fn a_resumed_run_is_the_run() {
    let whole = after(STEPS);
    for steps in 0..=STEPS {
        let mut network = network(4);
        network.params_mut().fill(7.0);
        let mut trainer = Trainer::new(&mut network, &tokens(), settings()).unwrap();
        let read = Checkpoint::from_bytes(after(steps).bytes().to_vec()).unwrap();
        assert_eq!((read.steps(), read.notes()), (steps, "notes\nof mine"));
        trainer.resume(&read).unwrap();
        run(&mut trainer, STEPS);
        assert!(trainer.checkpoint("notes\nof mine").unwrap() == whole, "from step {steps}");
        assert_eq!(trainer.restore_best().unwrap().steps, 10);
    }
}

#[test]
fn every_truncation_and_every_flipped_bit_is_refused() {
    let good = after(7).bytes().to_vec();
    for len in 0..good.len() {
        assert!(Checkpoint::from_bytes(good[..len].to_vec()).is_err(), "{len} bytes");
    }
    assert!(Checkpoint::from_bytes([&good[..], &[0]].concat()).is_err());
    std::println!("{} truncations, {} flips", good.len(), 8 * good.len());
    for bit in 0..8 * good.len() {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(Checkpoint::from_bytes(bytes).is_err(), "bit {bit}");
    }
}

/// What a checkpoint with these bytes instead, and the right checksum, is refused with; nothing has changed then.
fn refused(at: usize, instead: &[u8]) -> CheckpointError {
    let mut bytes = after(7).bytes().to_vec();
    bytes[at..at + instead.len()].copy_from_slice(instead);
    let sum = checksum(&bytes);
    bytes[12..16].copy_from_slice(&sum.to_le_bytes());
    let mut network = network(4);
    let mut trainer = Trainer::new(&mut network, &tokens(), settings()).unwrap();
    let before = trainer.checkpoint("").unwrap();
    let error = Checkpoint::from_bytes(bytes).and_then(|read| trainer.resume(&read)).unwrap_err();
    assert_eq!(trainer.checkpoint("").unwrap(), before);
    match error {
        HostError::Checkpoint { source, .. } => source,
        error => panic!("{error}"),
    }
}

#[test]
fn nothing_that_it_says_of_itself_is_trusted() {
    let end = after(7).bytes().len();
    // As many epochs of six steps as can be counted, and a step of the next.
    let far = [u64::MAX / 6, u64::MAX / 6 * 6 + 1].map(u64::to_le_bytes).concat();
    for (at, instead, what) in [
        (24, &[0xff; 4][..], "the length of its texts"),
        (28, &[0xff; 8], "the length of its texts"),
        (28, &[0; 4], "the number of its weights"),
        (32, &[9; 8], "its position"),
        (40, &[0xff; 8], "its position"),
        (32, &far, "its position"),
        (51, &[0xff], "its position"),
        (52, &[1], "what it says to hold"),
        (56, &[4], "what it says to hold"),
        (56, &[1], "what it says to hold"),
        (88, &[0], "its position"),
        (96, &f32::NAN.to_le_bytes(), "its position"),
        (HEADER, &[0xff], "a text of it"),
    ] {
        assert_eq!(refused(at, instead), CheckpointError::Field(what), "byte {at}");
    }
    assert_eq!(refused(end - 4, &f32::NAN.to_le_bytes()), CheckpointError::NotFinite);
    let lying = [&after(0).bytes()[..16], &[0xff; 8], &[0; 16]].concat();
    assert!(matches!(Checkpoint::from_bytes(lying), Err(HostError::Checkpoint { .. })));
}

/// What a run with these settings says to a checkpoint of the usual ones.
fn told(hidden: usize, tokens: &[u16], settings: Settings) -> String {
    let mut network = network(hidden);
    let mut trainer = Trainer::new(&mut network, tokens, settings).unwrap();
    trainer.resume(&after(7)).unwrap_err().to_string()
}

#[test]
fn another_run_is_refused_by_name() {
    let mut other = tokens();
    other[59] = 2 - other[59];
    assert!(told(4, &other, settings()).contains("its run had text 60 tokens with checksum "));
    assert!(told(5, &tokens(), settings()).contains("layers gru tanh 3 to 4"));
    let sgd = AnyOptimizer::Sgd(Sgd { lr: 0.1, momentum: 0.0 });
    let slow = AnyOptimizer::Adam(Adam::new(0.001));
    for (settings, words) in [
        (Settings { batch: 3, ..settings() }, "batch 2, this one has 3"),
        (Settings { window: 5, ..settings() }, "window 4, this one has 5"),
        (Settings { clip: 2.0, ..settings() }, "clip 1, this one has 2"),
        (Settings { seed: 1, ..settings() }, "seed 0, this one has 1"),
        (Settings { optimizer: sgd, ..settings() }, "optimizer adam, this one has sgd"),
        (Settings { optimizer: slow, ..settings() }, "lr 0.01, this one has 0.001"),
        (Settings { dropout: Dropout::NONE, ..settings() }, "had dropout "),
        (Settings { shuffle_offset: false, ..settings() }, "shuffled offset true, this one has false"),
        (Settings { keep_best: false, ..settings() }, "best weights kept true, this one has false"),
    ] {
        let message = told(4, &tokens(), settings);
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_run_that_has_diverged_has_no_checkpoint() {
    let mut network = network(4);
    network.params_mut()[0] = f32::INFINITY;
    let trainer = Trainer::new(&mut network, &tokens(), settings()).unwrap();
    let error = trainer.checkpoint("").unwrap_err();
    assert!(matches!(error, HostError::Model(Error::NotFinite(Quantity::Weight))), "{error}");
}

#[test]
fn a_checkpoint_equals_itself_whatever_its_figures_are() {
    let mut network = network(4);
    let mut trainer = Trainer::new(&mut network, &tokens(), settings()).unwrap();
    trainer.offer(10.0);
    assert!(trainer.best().unwrap().train_perplexity.is_nan());
    let made = trainer.checkpoint("").unwrap();
    let read = Checkpoint::from_bytes(made.bytes().to_vec()).unwrap();
    assert_eq!(made, read);
    trainer.resume(&read).unwrap();
    assert_eq!(trainer.checkpoint("").unwrap(), made);
}

#[test]
fn a_missing_fact_is_named() {
    for (then, now, words) in [
        ("a: 1", "a: 1\nb: 2", "had b none, this one has 2"),
        ("a: 1\nb: 2", "a: 1", "had b 2, this one has none"),
        ("", "", ""),
    ] {
        let message = check_same(then, now).err().map_or_else(String::new, |error| error.to_string());
        assert!(message.contains(words) && message.is_empty() == words.is_empty(), "{message}");
    }
    let endless = std::format!("a: \r\u{1b}{}", "x".repeat(100_000));
    let message = check_same(&endless, "a: 1").unwrap_err().to_string();
    assert!(message.contains(r"had a \r\u{1b}xx") && message.len() < 300, "{message}");
    let [then, now] = [1, 2].map(|last| std::format!("a: {}{last}", "x,".repeat(1000)));
    let message = check_same(&then, &now).unwrap_err().to_string();
    assert!(message.contains("had a ...x,x,") && message.contains("x,1, this one has ...x,x,"), "{message}");
    assert!(message.contains("x,2: go on") && message.len() < 300, "{message}");
    assert_ne!(describe(&[1, 2]), describe(&[2, 1]));
}

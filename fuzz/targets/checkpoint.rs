//! A checkpoint: bytes as they are, or one of a short run with some of them changed and its checksum mended. What is taken
//! comes back to the byte and its run goes on, of all tensors or of the output layer; the rest is refused in one line, and leaves the run as it was.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use recurve::cell::{ActivationKind, AnyCell, CellKind, Dropout};
use recurve::host::checkpoint::Checkpoint;
use recurve::host::{AnyOptimizer, HostError, Network, Settings, Trainer, text::Clean};
use recurve::{Adam, Sgd, Trained, vocab::Alphabet};
use recurve_fuzz::{Source, assert_line, checksum};

const TOKENS: [u16; 26] = [0, 1, 2, 2, 1, 0, 0, 2, 1, 0, 1, 2, 0, 0, 2, 1, 1, 0, 2, 1, 0, 0, 1, 2, 1, 0];

/// Checkpoints of each run, after some of its steps.
static GOOD: LazyLock<[Vec<Vec<u8>>; 4]> = LazyLock::new(|| RUNS.map(run));

/// Whether a run has all that a run can have, and whether it trains the output layer alone.
type Run = (bool, bool);

const RUNS: [Run; 4] = [(false, false), (true, false), (false, true), (true, true)];

fn network() -> Network {
    let cell = AnyCell::new(CellKind::Elman, ActivationKind::Tanh, 3, 2);
    Network::new(cell, vec![97, 98, 99], Alphabet::Chars, Clean::None).unwrap()
}

fn settings((full, head): Run) -> Settings {
    let mut settings = Settings::new(2, 3, AnyOptimizer::Sgd(Sgd { lr: 0.1, momentum: 0.5 }));
    if full {
        settings.optimizer = AnyOptimizer::Adam(Adam::new(0.01));
        settings.dropout = Dropout::new(0.1, 0.2).unwrap();
        (settings.shuffle_offset, settings.keep_best, settings.clip) = (true, true, 1.0);
    }
    if head {
        settings.trained = Trained::HEAD;
    }
    settings
}

fn run(run: Run) -> Vec<Vec<u8>> {
    let mut network = network();
    network.init(1);
    let mut trainer = Trainer::new(&mut network, &TOKENS, settings(run)).unwrap();
    let step = |steps| {
        let bytes = trainer.checkpoint("stale 0\n").unwrap().bytes().to_vec();
        trainer.step().unwrap();
        trainer.offer(9.0 - steps as f32);
        bytes
    };
    (0..6).map(step).collect()
}

/// Changes some bytes, takes some out or puts some in, where the rest of the input says.
fn change(bytes: &mut Vec<u8>, mut source: Source<'_>) {
    while !source.0.is_empty() && !bytes.is_empty() {
        let at = source.word() as usize % bytes.len();
        let (kind, count) = (source.below(5), 1 + source.below(8));
        let end = (at + count).min(bytes.len());
        match kind {
            0 => bytes[at..end].iter_mut().for_each(|byte| *byte = source.byte()),
            1 => {
                bytes[at..end].iter_mut().zip(source.float().to_le_bytes()).for_each(|(to, from)| *to = from)
            }
            2 => bytes[at] ^= 1 << source.below(8),
            3 => drop(bytes.drain(at..end)),
            _ => drop(bytes.splice(at..at, (0..count).map(|_| source.byte()))),
        }
    }
}

/// Makes the length and the checksum right.
fn mend(bytes: &mut [u8]) {
    if bytes.len() >= 24 {
        let length = bytes.len() as u64;
        bytes[16..24].copy_from_slice(&length.to_le_bytes());
        let sum = checksum(&bytes[16..]);
        bytes[12..16].copy_from_slice(&sum.to_le_bytes());
    }
}

fn refused(error: &HostError) {
    assert!(matches!(error, HostError::Checkpoint { .. }), "{error}");
    assert_line(&error.to_string());
}

fuzz_target!(|data: &[u8]| {
    let mut source = Source(data);
    let (run, made_up, mended) = (source.below(4), source.flag(), source.flag());
    let mut bytes = if made_up {
        source.0.to_vec()
    } else {
        let mut bytes = GOOD[run][source.below(6)].clone();
        change(&mut bytes, source);
        bytes
    };
    if mended {
        mend(&mut bytes);
    }
    let read = match Checkpoint::from_bytes(bytes.clone()) {
        Ok(read) => read,
        Err(error) => return refused(&error),
    };
    assert_eq!(read.bytes(), bytes);
    let mut network = network();
    let mut trainer = Trainer::new(&mut network, &TOKENS, settings(RUNS[run])).unwrap();
    let before = trainer.checkpoint("").unwrap();
    if let Err(error) = trainer.resume(&read) {
        refused(&error);
        assert!(trainer.checkpoint("").unwrap() == before);
        return;
    }
    assert!(trainer.checkpoint(read.notes()).unwrap() == read);
    assert_eq!(trainer.steps(), read.steps());
    // Weights may be any numbers: a loss, or an error.
    for _ in 0..3 {
        let _ = trainer.step().inspect(|loss| assert!(loss.is_finite()));
        trainer.offer(trainer.train_perplexity());
    }
    let _ = trainer.restore_best();
});

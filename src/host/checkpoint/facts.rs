//! What must be the same in the run that goes on: one fact a line, `name: value`, in words of its own: what a type's `Debug`
//! says may change with the type, and a checkpoint from before would be refused.

use std::{boxed::Box, format, string::String, string::ToString, vec::Vec};

use crc::{CRC_64_XZ, Crc};

use super::{CheckpointError, Difference};
use crate::cell::Layer;
use crate::host::{AnyOptimizer, HostError, Network, Settings, select::names};
use crate::lanes::{Lanes, on_lanes};
use crate::optim::{Adam, Sgd};
use crate::vocab::Alphabet;

/// Compares facts, each a line `name: value`, of the run that a checkpoint is of with those of this run.
///
/// # Errors
/// [`CheckpointError::Different`] names the first that differs.
///
/// ```
/// use recurve::host::checkpoint::check_same;
///
/// assert!(check_same("batch: 32\nseed: 1", "batch: 32\nseed: 1").is_ok());
/// let error = check_same("batch: 32\nseed: 1", "batch: 32\nseed: 2").unwrap_err();
/// assert!(error.to_string().contains("its run had seed 1, this one has 2"));
/// ```
pub fn check_same(then: &str, now: &str) -> Result<(), HostError> {
    let (mut then, mut now) = (then.lines(), now.lines());
    loop {
        match (then.next(), now.next()) {
            (None, None) => return Ok(()),
            (then, now) if then == now => {}
            (then, now) => return Err(different(then, now).into()),
        }
    }
}

/// Characters of a fact that a difference holds at most: more than any vocabulary takes, and not what a file of any length
/// may say.
const LONGEST: usize = 700_000;

/// Facts of which one is missing have none to name.
fn different(then: Option<&str>, now: Option<&str>) -> CheckpointError {
    let ((then_name, then), (now_name, now)) = (parts(then), parts(now));
    let same_name = then_name == now_name;
    let value = |value: Option<&str>| value.unwrap_or("none").chars().take(LONGEST).collect();
    CheckpointError::Different(Box::new(Difference {
        what: now_name.or(then_name).unwrap_or("facts").into(),
        then: value(then.filter(|_| same_name || now_name.is_none())),
        now: value(now),
    }))
}

/// Tokens in few words: how many, and a checksum of 64 bits.
#[must_use]
pub fn describe(tokens: &[u16]) -> String {
    const CRC: Crc<u64> = Crc::<u64>::new(&CRC_64_XZ);
    let mut digest = CRC.digest();
    tokens.iter().for_each(|token| digest.update(&token.to_le_bytes()));
    format!("{} tokens with checksum {:016x}", tokens.len(), digest.finalize())
}

/// The name and the value of a line.
fn parts(line: Option<&str>) -> (Option<&str>, Option<&str>) {
    line.and_then(|line| line.split_once(": ")).unzip()
}

/// What must be the same of a text, as [`describe`] says it, of a network and of settings.
pub(in crate::host) fn facts(text: &str, network: &Network, settings: &Settings) -> String {
    let Settings { batch, window, clip, dropout, trained, shuffle_offset, keep_best, seed, .. } = *settings;
    let fused = on_lanes!(settings.lanes, lanes => is_fused(lanes));
    let lines = [
        format!("text: {text}"),
        format!("cleaning: {}", network.clean().name()),
        format!("vocabulary: {}", symbols(network)),
        format!("layers: {}", layers(network.shape().cell.layers())),
        format!("batch: {batch}"),
        format!("window: {window}"),
        optimizer(settings.optimizer),
        format!("clip: {clip}"),
        format!("dropout: {}", dropout.outputs()),
        format!("input dropout: {}", dropout.inputs()),
        format!("trained tensors: {}", names(network.shape(), trained)),
        format!("shuffled offset: {shuffle_offset}"),
        format!("best weights kept: {keep_best}"),
        format!("seed: {seed}"),
        format!("multiply-adds rounded once: {fused}"),
    ];
    lines.join("\n")
}

/// `bytes 0, 10, 255`: the numbers of the symbols.
fn symbols(network: &Network) -> String {
    let alphabet = match network.symbols().alphabet() {
        Alphabet::Chars => "characters",
        Alphabet::Bytes => "bytes",
    };
    let codes: Vec<_> = network.symbols().codes().iter().map(u32::to_string).collect();
    format!("{alphabet} {}", codes.join(", "))
}

const fn is_fused<L: Lanes>(_: L) -> bool {
    L::FUSED
}

/// `gru tanh 28 to 256`, with what else makes it another cell.
fn layers(layers: &[Layer]) -> String {
    let all: Vec<_> = layers.iter().map(|&layer| one(layer)).collect();
    all.join(", ")
}

fn one(layer: Layer) -> String {
    let (inputs, hidden) = layer.sizes();
    let reset = layer.reset().map_or_else(String::new, |reset| format!(" with reset {}", reset.name()));
    format!("{} {} {inputs} to {hidden}{reset}", layer.kind(), layer.activation().name())
}

fn optimizer(optimizer: AnyOptimizer) -> String {
    match optimizer {
        AnyOptimizer::Sgd(Sgd { lr, momentum }) => {
            format!("optimizer: sgd\nlr: {lr}\nmomentum: {momentum}")
        }
        AnyOptimizer::Adam(Adam { lr, beta1, beta2, epsilon, weight_decay }) => format!(
            "optimizer: adam\nlr: {lr}\nbeta1: {beta1}\nbeta2: {beta2}\nepsilon: {epsilon}\nweight decay: {weight_decay}"
        ),
    }
}

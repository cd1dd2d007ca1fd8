//! A language model on a chip: weights in flash write text, weights in RAM are trained. What is compared with the host is
//! here; a program to copy is `examples/firmware`.
//!
//! `model.rcv` was trained on a desktop, and can be made again:
//!
//! ```text
//! recurve train no_std_check/text.txt --hidden 32 --batch 2 --window 32 --epochs 150 --lr 0.01 --valid 0 \
//!     --out no_std_check/model.rcv
//! ```

use heapless::String;
use recurve::params::Flat;
use recurve::{
    Adam, CharRnn, Elman, Error, Inputs, Optimizer, Sampler, Symbols, Targets, VocabError, Workspace,
    clip_norm, clip_value, include_model, include_symbols, loss,
};

use crate::hash::Hash;
use crate::memory::{Memory, cut};
use crate::report::Report;
use crate::rng::XorShift;

/// Symbols: a to z, space and full stop.
pub const V: usize = 28;
/// Hidden units, and steps of a window, of the network that is trained here.
#[cfg(not(feature = "small"))]
pub const H: usize = 32;
#[cfg(not(feature = "small"))]
pub const T: usize = 16;
#[cfg(feature = "small")]
pub const H: usize = 8;
#[cfg(feature = "small")]
pub const T: usize = 8;

/// Windows of the training run, and those that a pass over its text has.
const WINDOWS: usize = 200;
pub const PASS: usize = 10;

/// The text that is learnt on the chip, as far as a pass reaches.
const TEXT: &str = "a chip that learns from what it sees needs no cloud and no heap. it needs a few kilobytes and some \
    patience. it reads a line again and again until it knows what comes next.";

pub const ADAM: Adam = Adam::new(0.01);

pub type Network = CharRnn<V, H>;
pub type Buffers = Workspace<Elman<V, H>, H, V, 1, T>;
pub type Moments = [f32; ADAM.state_len(Network::LEN)];

/// The model that was trained on a desktop: weights and vocabulary in flash, checked when this was compiled.
pub static MODEL: &CharRnn<V, 32> = include_model!("../model.rcv");
pub static SYMBOLS: Symbols<'_> = include_symbols!("../model.rcv");

/// What training works in.
pub struct Training<'a> {
    pub model: &'a mut Network,
    pub grads: &'a mut Network,
    pub moments: &'a mut Moments,
    pub workspace: &'a mut Buffers,
}

impl Training<'_> {
    pub const LEN: usize = 2 * Network::LEN + Moments::LEN + Buffers::LEN;

    /// Cut out of memory, all zero.
    pub fn new(memory: &mut Memory) -> Result<Training<'_>, Failed> {
        let mut room = memory.zeroed();
        let (model, grads) = (cut(&mut room)?, cut(&mut room)?);
        Ok(Training { model, grads, moments: cut(&mut room)?, workspace: cut(&mut room)? })
    }
}

/// Something did not go as it should.
#[derive(Clone, Copy)]
pub struct Failed;

impl From<Error> for Failed {
    fn from(_: Error) -> Self {
        Self
    }
}

impl From<VocabError> for Failed {
    fn from(_: VocabError) -> Self {
        Self
    }
}

/// Runs the model in flash and lets it write, then trains one in RAM.
pub fn show(report: &mut Report<'_>, memory: &mut Memory) -> Result<(), Failed> {
    predict(report)?;
    write(report)?;
    train(report, memory)
}

/// The model in flash over a fixed sequence: every logit and every probability.
fn predict(report: &mut Report<'_>) -> Result<(), Failed> {
    let (mut state, mut logits, mut scratch) = ([[0.0; 32]], [0.0; V], [[0.0; 32]]);
    let (mut of_logits, mut of_probabilities) = (Hash::new(), Hash::new());
    for token in SYMBOLS.tokens("sphinx of black quartz judge my vow. how vexingly quick daft zebras jump.") {
        MODEL.step(token?, &mut state, &mut logits, &mut scratch)?;
        of_logits.add(&logits);
        loss::softmax(&mut logits);
        of_probabilities.add(&logits);
    }
    report.word("hash logits").hex(of_logits.0).end();
    report.word("hash probabilities").hex(of_probabilities.0).end();
    Ok(())
}

/// Tokens in, text out: what the model in flash writes after a few words.
fn write(report: &mut Report<'_>) -> Result<(), Failed> {
    let mut prefix = [0; 4];
    SYMBOLS.encode("the ", &mut prefix)?;
    let (mut state, mut logits, mut scratch) = ([[0.0; 32]], [0.0; V], [[0.0; 32]]);
    let mut rng = XorShift(0x9e37_79b9);
    let sampler = Sampler::new(0.7, 5)?;
    let tokens = MODEL.generate(&prefix, &mut state, &mut logits, &mut scratch, sampler, &mut rng)?;
    let text: String<60> = SYMBOLS.decode(tokens.take(60).map_while(Result::ok))?;
    report.word("text the").word(&text).end();
    Ok(())
}

/// Truncated back-propagation through time, on the chip.
fn train(report: &mut Report<'_>, memory: &mut Memory) -> Result<(), Failed> {
    let text = lesson()?;
    let Training { model, grads, moments, workspace } = Training::new(memory)?;
    model.init(recurve::init::Init::TOKENS, &mut XorShift(0x9e37_79b9));
    let (mut first, mut last) = (None, 0.0);
    let mut state = [[0.0; H]];
    for window in 0..WINDOWS {
        let start = window % PASS * T;
        if start == 0 {
            state = [[0.0; H]];
        }
        let inputs = text.get(start..start + T).unwrap_or_default();
        let targets = text.get(start + 1..start + T + 1).unwrap_or_default();
        grads.set_zero();
        last =
            model.gradient(Inputs::Tokens(inputs), Targets::Tokens(targets), &mut state, workspace, grads)?;
        clip_value(grads.as_flat_mut(), 5.0)?;
        clip_norm(grads.as_flat_mut(), 1.0)?;
        ADAM.step(model.as_flat_mut(), grads.as_flat(), moments)?;
        first = first.or(Some(last));
    }
    let first = first.unwrap_or(0.0);
    report.word("loss").milli(first).milli(last).end();
    let mut hash = Hash::new();
    hash.add(model.as_flat());
    report.word("hash trained").hex(hash.0).end();
    if last < 0.8 * first { Ok(()) } else { Err(Failed) }
}

/// The tokens of the text that is learnt.
pub fn lesson() -> Result<[u16; PASS * T + 1], Failed> {
    let mut tokens = [0; PASS * T + 1];
    for (to, token) in tokens.iter_mut().zip(SYMBOLS.tokens(TEXT)) {
        *to = token?;
    }
    Ok(tokens)
}

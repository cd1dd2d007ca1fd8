//! A language model on a chip: weights in flash write text, weights in RAM are trained.

use recurve::cell::Inputs;
use recurve::params::Flat;
use recurve::{
    Adam, CharRnn, Elman, Error, Optimizer, Targets, Workspace, clip_norm, clip_value,
};

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

/// Windows of the training run.
const WINDOWS: usize = 200;

pub const ADAM: Adam = Adam::new(0.01);

pub type Network = CharRnn<V, H>;
pub type Buffers = Workspace<Elman<V, H>, H, V, 1, T>;
pub type Moments = [f32; 2 * Network::LEN + 2];

/// All that training needs; a board keeps it in a `static`, which is zero and so takes no flash.
pub struct Memory {
    pub model: Network,
    pub grads: Network,
    pub moments: Moments,
    pub workspace: Buffers,
}

impl Memory {
    pub const ZERO: Self =
        Self { model: Flat::ZERO, grads: Flat::ZERO, moments: Flat::ZERO, workspace: Flat::ZERO };

    /// Sets all to zero.
    pub fn clear(&mut self) {
        self.model.set_zero();
        self.grads.set_zero();
        self.moments.set_zero();
        self.workspace.set_zero();
    }
}

/// What did not go as it should.
#[derive(Clone, Copy)]
pub struct Failed;

impl From<Error> for Failed {
    fn from(_: Error) -> Self {
        Self
    }
}

/// Tokens in an order without meaning.
pub fn walk<const N: usize>() -> [u16; N] {
    core::array::from_fn(|t| (t * t % 28) as u16)
}

/// FNV-1a over the bits of floats.
struct Hash(u32);

impl Hash {
    const fn new() -> Self {
        Self(0x811c_9dc5)
    }

    fn add(&mut self, floats: &[f32]) {
        for byte in floats.iter().flat_map(|x| x.to_bits().to_le_bytes()) {
            self.0 = (self.0 ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    }
}

/// Runs the model in flash, then trains one in RAM.
pub fn show(report: &mut Report<'_>, memory: &mut Memory) -> Result<(), Failed> {
    train(report, memory)
}

fn train(report: &mut Report<'_>, memory: &mut Memory) -> Result<(), Failed> {
    let text: [u16; 10 * T + 1] = walk();
    let Memory { model, grads, moments, workspace } = memory;
    model.init(&mut XorShift(0x9e37_79b9));
    let (mut first, mut last) = (None, 0.0);
    let mut state = [[0.0; H]];
    let starts = (0..10).map(|window| window * T).cycle();
    for start in starts.take(WINDOWS) {
        if start == 0 {
            state = [[0.0; H]];
        }
        let inputs = text.get(start..start + T).unwrap_or_default();
        let targets = text.get(start + 1..start + T + 1).unwrap_or_default();
        grads.set_zero();
        last = model.gradient(Inputs::Tokens(inputs), Targets::Tokens(targets), &mut state, workspace, grads)?;
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
    if last < first / 2.0 { Ok(()) } else { Err(Failed) }
}

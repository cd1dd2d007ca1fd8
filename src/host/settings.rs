//! How a network is trained: the sizes of a window, the rule that changes weights, and its limits.

use crate::cell::{AnyCell, Dropout, Extent};
use crate::error::Error;
use crate::lanes::LaneKind;
use crate::model::ModelShape;
use crate::optim::{Adam, Optimizer, Sgd};
use crate::trained::Trained;

/// An optimiser that is chosen at run time.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum AnyOptimizer {
    /// See [`Sgd`].
    Sgd(Sgd),
    /// See [`Adam`].
    Adam(Adam),
}

impl AnyOptimizer {
    /// The learning rate.
    #[must_use]
    pub const fn lr(&self) -> f32 {
        match self {
            Self::Sgd(sgd) => sgd.lr,
            Self::Adam(adam) => adam.lr,
        }
    }

    /// Changes the learning rate.
    pub const fn set_lr(&mut self, lr: f32) {
        match self {
            Self::Sgd(sgd) => sgd.lr = lr,
            Self::Adam(adam) => adam.lr = lr,
        }
    }
}

impl Optimizer for AnyOptimizer {
    fn state_len(&self, params: usize) -> usize {
        match self {
            Self::Sgd(sgd) => sgd.state_len(params),
            Self::Adam(adam) => adam.state_len(params),
        }
    }

    fn step_on(
        &self,
        kind: LaneKind,
        params: &mut [f32],
        grads: &[f32],
        state: &mut [f32],
    ) -> Result<(), Error> {
        match self {
            Self::Sgd(sgd) => sgd.step_on(kind, params, grads, state),
            Self::Adam(adam) => adam.step_on(kind, params, grads, state),
        }
    }
}

/// How to train.
///
/// ```
/// use recurve::Adam;
/// use recurve::host::{AnyOptimizer, Settings};
///
/// let mut settings = Settings::new(32, 35, AnyOptimizer::Adam(Adam::new(0.002)));
/// assert!(settings.clip.is_infinite());
/// settings.clip = 1.0;
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// Sequences B that are trained side by side.
    pub batch: usize,
    /// Steps T of a window.
    pub window: usize,
    /// The rule that changes weights.
    pub optimizer: AnyOptimizer,
    /// The largest norm of the gradient; infinity for any.
    pub clip: f32,
    /// What is dropped of the cell's inputs and outputs; each step has masks of its own.
    pub dropout: Dropout,
    /// Which tensors are trained: see [`select`](super::select). The others keep their bits.
    pub trained: Trained,
    /// Whether each epoch begins at another of the first `window` tokens, so that windows are not always cut at the same
    /// places.
    pub shuffle_offset: bool,
    /// Whether to keep room for the weights that [`offer`](super::Trainer::offer) finds best.
    pub keep_best: bool,
    /// Seed of masks and of where epochs begin.
    pub seed: u64,
    /// The vector registers to train on: [`LaneKind::best`] for speed, another to compare.
    pub lanes: LaneKind,
    /// Threads that share the work; more than one need the feature `rayon`. They change no bit of the result.
    pub threads: usize,
}

impl Settings {
    /// Windows of `window` steps of `batch` sequences, any gradient, nothing dropped, nothing frozen, a fixed order, the
    /// fastest registers of this machine, one thread.
    #[must_use]
    pub fn new(batch: usize, window: usize, optimizer: AnyOptimizer) -> Self {
        Self {
            batch,
            window,
            optimizer,
            clip: f32::INFINITY,
            dropout: Dropout::NONE,
            trained: Trained::ALL,
            shuffle_offset: false,
            keep_best: false,
            seed: 0,
            lanes: LaneKind::best(),
            threads: 1,
        }
    }

    /// Floats of the weights that the optimiser gets apart from those that are frozen: none if all are trained.
    pub(super) fn copied_len(&self, shape: ModelShape<AnyCell>) -> usize {
        if self.trained == Trained::ALL { 0 } else { shape.trained_len(self.trained) }
    }

    /// The sizes of a window.
    pub(super) const fn extent(&self) -> Extent {
        Extent { batch: self.batch, window: self.window }
    }
}

/// The masks of a step.
#[expect(clippy::cast_possible_truncation, reason = "32 bits of each are mixed")]
pub(super) const fn masks(dropout: Dropout, seed: u64, step: u64) -> Dropout {
    let seed = (seed ^ (seed >> 32)) as u32;
    dropout.seeded(seed.wrapping_mul(0x9e37_79b9).wrapping_add(step as u32))
}

//! The training loop: windows of a text in a fixed order, so that anyone can reproduce a run.
//!
//! With n training tokens and batch B, K = ⌊n/B⌋ and sequence b is the tokens b·K … (b+1)·K − 1. Window w of length T
//! reads wT … wT + T − 1 of each sequence and predicts wT + 1 … wT + T, for every w with wT + T + 1 ≤ K. The state is
//! carried from window to window and is zero at the start of each epoch; the loss is the mean over B·T.
//!
//! With [`Settings::shuffle_offset`], an epoch leaves out its first o tokens, o drawn from 0 … T − 1, and K is
//! ⌊(n − T + 1)/B⌋, so that all epochs are equally long.

use std::{string::String, vec::Vec};

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg32;

use super::checkpoint::describe;
use super::threads::Threads;
use super::{AnyOptimizer, Buffer, HostError, Network, Settings, TrainerMemory, settings::masks};
use crate::cell::{Cell, Inputs};
use crate::error::Error;
use crate::lanes::on_lanes;
use crate::loss::{Perplexity, Targets};
use crate::optim::{Optimizer, clip_norm_on};
use crate::trained::Trained;

/// A network in training.
///
/// ```
/// use recurve::cell::{ActivationKind, AnyCell, CellKind};
/// use recurve::host::{AnyOptimizer, Corpus, Network, Settings, Trainer, text::Clean};
/// use recurve::Adam;
///
/// let corpus = Corpus::Chars("the quick brown fox ".repeat(50)).clean(Clean::Letters);
/// let codes = corpus.vocabulary()?;
/// let cell = AnyCell::new(CellKind::Elman, ActivationKind::Tanh, codes.len(), 24);
/// let mut network = Network::new(cell, codes, corpus.alphabet(), Clean::Letters)?;
/// network.init(1);
/// let tokens = corpus.tokens(network.symbols())?;
///
/// let mut settings = Settings::new(4, 10, AnyOptimizer::Adam(Adam::new(0.01)));
/// settings.clip = 1.0;
/// let mut trainer = Trainer::new(&mut network, &tokens, settings)?;
/// while trainer.epochs() < 20 {
///     trainer.step()?;
/// }
/// assert!(trainer.train_perplexity() < 1.5);
/// # Ok::<(), recurve::host::HostError>(())
/// ```
#[derive(Debug)]
pub struct Trainer<'n> {
    network: &'n mut Network,
    settings: Settings,
    crew: Threads,
    /// The optimiser of the settings, with the learning rate of now.
    optimizer: AnyOptimizer,
    /// The text in few words.
    text: String,
    /// The text, if each epoch cuts it anew.
    tokens: Vec<u16>,
    /// Tokens in time-major order: token k of sequence b at k·B + b.
    rows: Vec<u16>,
    windows: usize,
    next: usize,
    epochs: u64,
    steps: u64,
    epoch: Perplexity,
    last_epoch: Option<Perplexity>,
    state: Buffer,
    /// The state as it was before the window.
    state_before: Buffer,
    tape: Buffer,
    scratch: Buffer,
    grads: Buffer,
    /// The weights that are trained, if others are frozen.
    trained: Buffer,
    optimizer_state: Buffer,
    best_params: Buffer,
    best: Option<Best>,
}

/// Where a run did best on a text that it does not learn from.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Best {
    /// The perplexity of that text.
    pub perplexity: f32,
    /// [`Trainer::train_perplexity`] at that time.
    pub train_perplexity: f32,
    /// Steps taken by then.
    pub steps: u64,
    /// Epochs completed by then.
    pub epochs: u64,
}

impl<'n> Trainer<'n> {
    /// Starts a run on these tokens; the network's weights are where it starts from.
    ///
    /// # Errors
    /// [`HostError::Setting`] for a batch or window of zero or nothing to train, [`HostError::TooShort`] unless each sequence
    /// of the batch has a whole window, [`HostError::Memory`] if there is not enough, [`HostError::Model`] for a token
    /// outside of the vocabulary.
    pub fn new(network: &'n mut Network, tokens: &[u16], settings: Settings) -> Result<Self, HostError> {
        let Settings { batch, window, optimizer, .. } = settings;
        if batch == 0 || window == 0 {
            return Err(HostError::Setting("the batch and the window must be at least 1".into()));
        }
        let spare = if settings.shuffle_offset { window - 1 } else { 0 };
        let needed = window.saturating_add(1).saturating_mul(batch).saturating_add(spare);
        if tokens.len() < needed {
            return Err(HostError::TooShort { tokens: tokens.len(), needed });
        }
        let length = (tokens.len() - spare) / batch;
        let (shape, extent) = (network.shape(), settings.extent());
        let dropping = shape.with_dropout(settings.dropout, Inputs::Tokens(&[]));
        let trained_len = shape.trained_len(settings.trained);
        if trained_len == 0 {
            return Err(HostError::Setting("something must be trained: all tensors are frozen".into()));
        }
        let best_len = if settings.keep_best { shape.params_len() } else { 0 };
        Inputs::Tokens(tokens).check(tokens.len(), shape.cell.inputs())?;
        TrainerMemory::of(shape, &settings, tokens.len()).check_beside_weights()?;
        Ok(Self {
            rows: time_major(&tokens[settings.offset(0)..], length, batch).collect(),
            tokens: if settings.shuffle_offset { tokens.to_vec() } else { Vec::new() },
            text: describe(tokens),
            windows: (length - 1) / window,
            next: 0,
            epochs: 0,
            steps: 0,
            epoch: Perplexity::default(),
            last_epoch: None,
            state: Buffer::zeroed(shape.state_len(batch))?,
            state_before: Buffer::zeroed(shape.state_len(batch))?,
            tape: Buffer::zeroed(dropping.tape_len(extent))?,
            scratch: Buffer::zeroed(
                dropping.scratch_len(extent).saturating_add(shape.pack_len(settings.threads)),
            )?,
            grads: Buffer::zeroed(trained_len)?,
            trained: Buffer::zeroed(settings.copied_len(shape))?,
            optimizer_state: Buffer::zeroed(optimizer.state_len(trained_len))?,
            best_params: Buffer::zeroed(best_len)?,
            best: None,
            crew: Threads::new(settings.threads)?,
            optimizer,
            network,
            settings,
        })
    }

    /// Trains on the next window and says its mean loss in nats.
    ///
    /// # Errors
    /// [`HostError::Model`] if the loss or the gradient is not finite; weights, state and position are then as they
    /// were.
    pub fn step(&mut self) -> Result<f32, HostError> {
        self.state_before.copy_from_slice(&self.state);
        // A gradient that is not finite is found when the window has already moved the state on.
        let loss = self.crew.clone().inside(|| self.learn());
        let loss = loss.inspect_err(|_| self.state.copy_from_slice(&self.state_before))?;
        self.epoch.add_mean(loss, self.tokens_per_step() as u64);
        self.steps += 1;
        self.next += 1;
        if self.next == self.windows {
            self.end_epoch();
        }
        Ok(loss)
    }

    /// Changes the weights by what the next window says.
    fn learn(&mut self) -> Result<f32, Error> {
        let Settings { batch, window, clip, lanes, .. } = self.settings;
        let rows = batch * window;
        let read = self.rows[self.next * rows..].split_at(rows).0;
        let predicted = self.rows[self.next * rows + batch..].split_at(rows).0;
        let dropout = masks(self.settings.dropout, self.settings.seed, self.steps);
        let shape = self.network.shape().with_dropout(dropout, Inputs::Tokens(&[]));
        let loss = on_lanes!(lanes, lanes => shape.new_gradient_of(
            self.settings.trained,
            &self.crew,
            lanes,
            self.network.params(),
            Inputs::Tokens(read),
            Targets::Tokens(predicted),
            &mut self.state,
            &mut self.tape,
            &mut self.scratch,
            &mut self.grads,
        ))?;
        clip_norm_on(lanes, &mut self.grads, clip)?;
        self.change()?;
        Ok(loss)
    }

    /// Changes the weights that are trained by their gradients.
    fn change(&mut self) -> Result<(), Error> {
        let (shape, lanes, trained) = (self.network.shape(), self.settings.lanes, self.settings.trained);
        let (grads, state) = (&self.grads, &mut self.optimizer_state);
        if trained == Trained::ALL {
            return self.optimizer.step_on(lanes, self.network.params_mut(), grads, state);
        }
        shape.gather(trained, self.network.params(), &mut self.trained)?;
        self.optimizer.step_on(lanes, &mut self.trained, grads, state)?;
        shape.scatter(trained, &self.trained, self.network.params_mut())
    }

    fn end_epoch(&mut self) {
        self.next = 0;
        self.epochs += 1;
        self.last_epoch = Some(core::mem::take(&mut self.epoch));
        self.state.fill(0.0);
        self.cut();
    }

    /// Cuts the text as this epoch wants it, if not all want it alike.
    fn cut(&mut self) {
        if self.settings.shuffle_offset {
            let (batch, length) = (self.settings.batch, self.rows.len() / self.settings.batch);
            let tokens = &self.tokens[self.settings.offset(self.epochs)..];
            self.rows.clear();
            self.rows.extend(time_major(tokens, length, batch));
        }
    }

    /// Keeps the weights as they are now if this perplexity, of a text that is not learned from, is the lowest so far;
    /// says whether it is; NaN never is. They are kept if [`Settings::keep_best`] is set, the figures always.
    pub fn offer(&mut self, perplexity: f32) -> bool {
        let better = self.best.map_or(!perplexity.is_nan(), |best| perplexity < best.perplexity);
        if better {
            let train_perplexity = self.train_perplexity();
            self.best = Some(Best { perplexity, train_perplexity, steps: self.steps, epochs: self.epochs });
            let len = self.best_params.len();
            self.best_params.copy_from_slice(&self.network.params()[..len]);
        }
        better
    }

    /// Where the perplexity that was [offered](Self::offer) was lowest.
    #[must_use]
    pub const fn best(&self) -> Option<Best> {
        self.best
    }

    /// Goes back to the weights that were kept, if they are not those of now, and says where they are from.
    pub fn restore_best(&mut self) -> Option<Best> {
        let kept = self.settings.keep_best.then_some(self.best).flatten();
        let best = kept.filter(|best| best.steps < self.steps)?;
        self.network.params_mut().copy_from_slice(&self.best_params);
        Some(best)
    }

    /// The network as it is now.
    #[must_use]
    pub fn network(&self) -> &Network {
        self.network
    }

    /// Windows of an epoch.
    #[must_use]
    pub const fn windows(&self) -> usize {
        self.windows
    }

    /// Tokens predicted by a step: B·T.
    #[must_use]
    pub const fn tokens_per_step(&self) -> usize {
        self.settings.batch * self.settings.window
    }

    /// Epochs completed.
    #[must_use]
    pub const fn epochs(&self) -> u64 {
        self.epochs
    }

    /// Steps taken.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// The perplexity of the last full epoch, each token as it was trained; of the epoch so far if there is none; NaN
    /// before the first step.
    #[must_use]
    pub fn train_perplexity(&self) -> f32 {
        self.last_epoch.unwrap_or(self.epoch).value()
    }

    /// Changes the learning rate for the steps to come.
    pub const fn set_lr(&mut self, lr: f32) {
        self.optimizer.set_lr(lr);
    }
}

impl Settings {
    /// The token that an epoch begins with.
    fn offset(&self, epoch: u64) -> usize {
        if !self.shuffle_offset {
            return 0;
        }
        let mut rng = Pcg32::seed_from_u64(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(epoch));
        // Windows are much shorter than 2³²: the remainder prefers no token by more than a share of 2⁻³² of them.
        rng.next_u64() as usize % self.window
    }
}

/// Cuts tokens into `batch` sequences of this length and lays them side by side, step by step.
fn time_major(tokens: &[u16], length: usize, batch: usize) -> impl Iterator<Item = u16> {
    (0..length * batch).map(move |row| tokens[row % batch * length + row / batch])
}

mod resume;
#[cfg(test)]
mod tests;

//! Where a run stands: its counters and figures, as a checkpoint holds them.

use super::CheckpointError;
use crate::host::Best;
use crate::loss::Perplexity;

/// Numbers of 64 bits.
const WORDS: usize = 11;
/// More steps than any run takes: counting on from there never overflows, nor does counting their tokens.
const MAX_STEPS: u64 = 1 << 40;
/// Bytes of a position.
pub(super) const BYTES: usize = 8 * WORDS;

/// Counters and figures of a run between two steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::host) struct Position {
    pub epochs: u64,
    pub steps: u64,
    /// The learning rate of the step before.
    pub lr: f32,
    pub epoch: Perplexity,
    pub last_epoch: Option<Perplexity>,
    pub best: Option<Best>,
}

impl Position {
    pub(super) fn emit(&self) -> [u8; BYTES] {
        let [epoch, last] = [self.epoch, self.last_epoch.unwrap_or_default()].map(|of| {
            let (total, lost, tokens) = of.parts();
            [pair(total, lost), tokens]
        });
        let best = self
            .best
            .map_or([0; 3], |best| [pair(best.perplexity, best.train_perplexity), best.steps, best.epochs]);
        let flags = u64::from(self.last_epoch.is_some()) + 2 * u64::from(self.best.is_some());
        let numbers = [self.epochs, self.steps, pair(self.lr, 0.0), flags];
        let words = numbers.into_iter().chain(epoch).chain(last).chain(best);
        let mut bytes = [0; BYTES];
        for (to, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
            *to = word.to_le_bytes();
        }
        bytes
    }

    /// Takes a position off [`BYTES`] bytes.
    pub(super) fn parse(from: &[u8]) -> Result<Self, CheckpointError> {
        let mut words = [0; WORDS];
        for (word, from) in words.iter_mut().zip(from.as_chunks().0) {
            *word = u64::from_le_bytes(*from);
        }
        let [epochs, steps, lr, flags, epoch, tokens, last, last_tokens, best, best_steps, best_epochs] =
            words;
        let figures = |sum, tokens| Perplexity::from_parts(halves(sum).0, halves(sum).1, tokens);
        let (perplexity, train_perplexity) = halves(best);
        let best = Best { perplexity, train_perplexity, steps: best_steps, epochs: best_epochs };
        let position = Self {
            epochs,
            steps,
            lr: halves(lr).0,
            epoch: figures(epoch, tokens),
            last_epoch: (flags & 1 != 0).then(|| figures(last, last_tokens)),
            best: (flags & 2 != 0).then_some(best),
        };
        // Nothing may stand where there is nothing to say.
        let is_whole = position.emit() == from;
        if is_whole { Ok(position) } else { Err(CheckpointError::Field("what it says to hold")) }
    }

    /// Steps taken in this epoch, if the position is one of a run with so many steps in an epoch.
    pub(in crate::host) fn next(&self, windows: usize, tokens_per_step: usize) -> Option<usize> {
        let before = self.epochs.checked_mul(windows as u64)?;
        let next = usize::try_from(self.steps.checked_sub(before)?).ok().filter(|&next| next < windows)?;
        let tokens = (next as u64).checked_mul(tokens_per_step as u64)?;
        let of_epoch = (windows as u64).checked_mul(tokens_per_step as u64)?;
        let of_last = self.last_epoch.map(|last| last.tokens()) == (self.epochs > 0).then_some(of_epoch);
        let of_best = self.best.is_none_or(|best| {
            best.steps <= self.steps && best.epochs <= self.epochs && !best.perplexity.is_nan()
        });
        let possible = self.steps <= MAX_STEPS && self.lr.is_finite() && self.lr >= 0.0;
        (possible && self.epoch.tokens() == tokens && of_last && of_best).then_some(next)
    }
}

fn pair(first: f32, second: f32) -> u64 {
    u64::from(first.to_bits()) | u64::from(second.to_bits()) << 32
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half")]
const fn halves(word: u64) -> (f32, f32) {
    (f32::from_bits(word as u32), f32::from_bits((word >> 32) as u32))
}

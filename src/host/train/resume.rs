//! Checkpoints of a run, and going on from one.

use super::Trainer;
use crate::error::{Error, Quantity};
use crate::host::checkpoint::{Checkpoint, CheckpointError, Position, check_same, facts};
use crate::host::{Buffer, HostError};

impl Trainer<'_> {
    /// The run as it stands, to be written to a file, with notes of the caller's for whoever goes on.
    ///
    /// # Errors
    /// [`HostError::Model`] if not all weights are finite; [`HostError::Memory`] if there is not enough.
    pub fn checkpoint(&self, notes: &str) -> Result<Checkpoint, HostError> {
        let floats = [self.network.params(), &self.state, &self.optimizer_state, &self.best_params];
        if !floats.into_iter().flatten().all(|float| float.is_finite()) {
            return Err(Error::NotFinite(Quantity::Weight).into());
        }
        let position = Position {
            epochs: self.epochs,
            steps: self.steps,
            lr: self.optimizer.lr(),
            epoch: self.epoch,
            last_epoch: self.last_epoch,
            best: self.best,
        };
        Checkpoint::new(position, &self.facts(), notes, floats)
    }

    /// Goes on from where a run was that was begun with the same text, network and settings; the number of threads may
    /// be another. All that follows has the bits that it would have had in that run.
    ///
    /// # Errors
    /// [`HostError::Checkpoint`] if the checkpoint is of another run, and names the difference. Nothing has changed then.
    pub fn resume(&mut self, from: &Checkpoint) -> Result<(), HostError> {
        check_same(from.facts(), &self.facts())?;
        let position = from.position();
        let next = position.next(self.windows, self.tokens_per_step());
        let next = next.ok_or(CheckpointError::Field("its position"))?;
        check_floats(from.floats(), self.floats_mut().map(|to| to.len()))?;
        let (numbers, _) = from.floats().as_chunks();
        let places = self.floats_mut().into_iter().flat_map(|to| to.iter_mut());
        places.zip(numbers).for_each(|(to, from)| *to = f32::from_le_bytes(*from));
        self.next = next;
        self.optimizer.set_lr(position.lr);
        (self.epochs, self.steps) = (position.epochs, position.steps);
        (self.epoch, self.last_epoch, self.best) = (position.epoch, position.last_epoch, position.best);
        self.cut();
        Ok(())
    }

    fn facts(&self) -> std::string::String {
        facts(&self.text, self.network, &self.settings)
    }

    /// All that steps change, in the order of the file.
    fn floats_mut(&mut self) -> [&mut [f32]; 4] {
        let kept: [&mut Buffer; 3] = [&mut self.state, &mut self.optimizer_state, &mut self.best_params];
        let [state, optimizer_state, best] = kept.map(|buffer| &mut **buffer);
        [self.network.params_mut(), state, optimizer_state, best]
    }
}

/// Refuses another number of floats, and any that is not finite.
fn check_floats(bytes: &[u8], parts: [usize; 4]) -> Result<(), CheckpointError> {
    let (floats, rest) = bytes.as_chunks();
    let needed = parts.into_iter().fold(0, usize::saturating_add);
    if floats.len() != needed || !rest.is_empty() {
        return Err(CheckpointError::Field("the number of its weights"));
    }
    let finite = floats.iter().all(|float| f32::from_le_bytes(*float).is_finite());
    if finite { Ok(()) } else { Err(CheckpointError::NotFinite) }
}

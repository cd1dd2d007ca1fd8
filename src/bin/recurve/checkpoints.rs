//! Checkpoints of `recurve train`: when they are written, and what they hold beside the trainer's own.

use std::path::PathBuf;
use std::time::Instant;

use recurve::host::checkpoint::{Checkpoint, CheckpointError, check_same};
use recurve::host::{HostError, Trainer};

use crate::failure::Failure;
use crate::past::Past;

/// Time or steps between two checkpoints.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Every {
    Steps(u64),
    Seconds(f64),
}

impl Default for Every {
    fn default() -> Self {
        Self::Seconds(30.0)
    }
}

/// Where checkpoints are written, and when.
#[derive(Debug)]
pub struct Checkpoints {
    path: PathBuf,
    every: Every,
    /// What must be the same in the run that goes on.
    facts: String,
    written: Instant,
    /// Steps that the run had taken by then, if one was written.
    steps: Option<u64>,
}

impl Checkpoints {
    pub fn new(path: PathBuf, every: Every, facts: String) -> Self {
        Self { path, every, facts, written: Instant::now(), steps: None }
    }

    /// Whether it is time to write one.
    pub fn is_due(&self, steps: u64) -> bool {
        match self.every {
            Every::Steps(every) => steps.is_multiple_of(every),
            Every::Seconds(every) => self.written.elapsed().as_secs_f64() >= every,
        }
    }

    /// Steps that the run had taken when one was written; none before the first.
    pub const fn steps(&self) -> Option<u64> {
        self.steps
    }

    /// Writes one. The outer error says that there is nothing worth writing, the inner one that it was not written.
    pub fn write(&mut self, trainer: &Trainer<'_>, past: &Past) -> Result<Result<(), HostError>, HostError> {
        let checkpoint = trainer.checkpoint(&format!("{}{SEPARATOR}{}", self.facts, past.lines()))?;
        let written = checkpoint.write(&self.path);
        self.written = Instant::now();
        if written.is_ok() {
            self.steps = Some(trainer.steps());
        }
        Ok(written)
    }
}

/// Goes on from a file, if it is a checkpoint of the same run.
pub fn resume(trainer: &mut Trainer<'_>, path: &PathBuf, facts: &str) -> Result<Past, Failure> {
    let read = Checkpoint::read(path)?;
    let resumed = check(&read, facts).and_then(|past| trainer.resume(&read).map(|()| past));
    Ok(resumed.map_err(|error| match error {
        HostError::Checkpoint { source, .. } => HostError::Checkpoint { path: path.into(), source },
        error => error,
    })?)
}

fn check(read: &Checkpoint, facts: &str) -> Result<Past, HostError> {
    let notes = CheckpointError::Field("what it says of a run of this command");
    let Some((then, past)) = read.notes().split_once(SEPARATOR) else { return Err(notes.into()) };
    check_same(then, facts)?;
    Ok(Past::parse(past).filter(|past| past.fits(read.steps())).ok_or(notes)?)
}

/// Between facts and what is remembered.
const SEPARATOR: &str = "\n\n";

//! Checkpoints of `recurve train`: when they are written, and what they hold beside the trainer's own.

use std::fmt::Write;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, Instant};

use recurve::host::checkpoint::{Checkpoint, CheckpointError, check_same};
use recurve::host::{HostError, Trainer};

use crate::failure::Failure;
use crate::session::Point;

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

/// What a run remembers beside the trainer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// How long it has taken.
    pub elapsed: Duration,
    /// How much of that was training.
    pub training: Duration,
    /// Epochs since the best.
    pub stale: u64,
    pub curve: Vec<Point>,
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
    Ok(Past::parse(past).ok_or(notes)?)
}

/// Between facts and what is remembered.
const SEPARATOR: &str = "\n\n";

impl Past {
    /// Lines of a name and numbers.
    fn lines(&self) -> String {
        let (elapsed, training) = (self.elapsed.as_secs_f64(), self.training.as_secs_f64());
        let mut lines = format!("seconds {elapsed} {training}\nstale {}\n", self.stale);
        for Point { step, train, valid } in &self.curve {
            // The standard library promises that a String takes all.
            let _ = writeln!(lines, "point {step} {train} {}", valid.unwrap_or(f32::NAN));
        }
        lines
    }

    fn parse(lines: &str) -> Option<Self> {
        let mut past = Self::default();
        for line in lines.lines() {
            let words: Vec<_> = line.split(' ').collect();
            match words[..] {
                ["seconds", elapsed, training] => {
                    (past.elapsed, past.training) = (duration(elapsed)?, duration(training)?);
                }
                ["stale", epochs] => past.stale = number::<u32>(epochs)?.into(),
                ["point", step, train, valid] => past.curve.push(Point {
                    step: number(step)?,
                    train: number(train)?,
                    valid: Some(number(valid)?).filter(|valid: &f32| !valid.is_nan()),
                }),
                _ => return None,
            }
        }
        Some(past)
    }
}

fn number<T: FromStr>(word: &str) -> Option<T> {
    word.parse().ok()
}

fn duration(word: &str) -> Option<Duration> {
    // Time can be added to what is shorter than the world is old.
    Duration::try_from_secs_f64(number(word)?).ok().filter(|time| time.as_secs() < 1 << 48)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_is_read_as_it_was_written() {
        let point = Point { step: 7, train: 1.25, valid: None };
        let past = Past {
            elapsed: Duration::from_millis(1500),
            training: Duration::from_millis(1250),
            stale: 3,
            curve: vec![point, Point { valid: Some(0.1), ..point }],
        };
        assert_eq!(Past::parse(&past.lines()), Some(past));
        for lines in [
            "seconds -1 0",
            "seconds 1e300 0",
            "seconds 1e19 0",
            "stale x",
            "stale 4294967296",
            "point 1 2",
            "else 1",
            "\n",
        ] {
            assert_eq!(Past::parse(lines), None, "{lines}");
        }
    }
}

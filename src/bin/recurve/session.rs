//! A training run as a user sees it: its limits, its clock, and what is shown while it goes on.

mod budget;

use std::time::{Duration, Instant};

use recurve::Perplexity;
use recurve::error::Quantity;
use recurve::host::{Best, HostError, Trainer};
use recurve::optim::Schedule;

use crate::checkpoints::Checkpoints;
use crate::past::{Past, Point};
use crate::progress::{Progress, Status};
use crate::{interrupt, sample};
use budget::Budget;

/// Points of a curve over a whole run.
const POINTS: f64 = 100.0;
/// Samples of text that are shown over a whole run.
const SAMPLES: f64 = 10.0;
/// Characters of such a sample.
const SAMPLE_LENGTH: usize = 72;
/// The most that validation may add to the time of training.
const VALIDATION_SHARE: f64 = 0.08;
/// The same for samples.
const SAMPLE_SHARE: f64 = 0.02;

/// Where a run ends: at whichever comes first.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub epochs: Option<u64>,
    pub steps: Option<u64>,
    pub seconds: Option<f64>,
}

impl Limits {
    /// The share of the run that is done; 1 where it ends.
    fn done(&self, trainer: &Trainer<'_>, elapsed: Duration) -> f64 {
        let steps = trainer.steps() as f64;
        let parts = [
            self.epochs.map(|epochs| steps / (epochs as f64 * trainer.windows() as f64)),
            self.steps.map(|limit| steps / limit as f64),
            self.seconds.map(|limit| elapsed.as_secs_f64() / limit),
        ];
        parts.into_iter().flatten().fold(0.0, f64::max)
    }
}

/// How a run is led.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub limits: Limits,
    /// The learning rate, and what becomes of it.
    pub lr: f32,
    pub schedule: Schedule,
    /// Epochs without a better perplexity of the held-out text after which the run ends.
    pub patience: Option<u64>,
    /// Of the samples of text.
    pub seed: u64,
    /// Whether anybody will see the curve.
    pub plotted: bool,
}

/// Why a run has ended in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Limit,
    Stale,
    Interrupted,
    /// A checkpoint could not be written.
    Unsaved,
}

/// What a run has come to.
#[derive(Debug)]
pub struct Outcome {
    pub train_perplexity: f32,
    pub valid_perplexity: Option<f32>,
    pub tokens_per_second: f64,
    pub steps: u64,
    pub epochs: u64,
    pub seconds: f64,
    pub tokens: u64,
    pub end: End,
    /// Where the weights are from, if not from the end.
    pub kept: Option<Best>,
    pub curve: Vec<Point>,
    /// Why a checkpoint could not be written.
    pub unsaved: Option<HostError>,
}

/// Why a run has ended before its time.
#[derive(Debug)]
pub struct Stopped {
    pub error: HostError,
    /// Whether the perplexity has become infinite.
    pub diverged: bool,
    /// Epochs after which the weights did best, if they are those.
    pub kept: Option<u64>,
    /// The step at or after which it happened.
    pub at: u64,
    /// Steps that the weights have taken.
    pub steps: u64,
    /// Steps of the last checkpoint, if one was written.
    pub saved: Option<u64>,
}

/// A run that goes on.
pub struct Session<'a, 'n> {
    trainer: Trainer<'n>,
    valid: &'a [u16],
    plan: Plan,
    progress: Progress,
    checkpoints: Option<Checkpoints>,
    started: Instant,
    /// Time that the run had taken before it was resumed.
    before: Duration,
    training: Duration,
    interval: Perplexity,
    curve: Vec<Point>,
    /// The last perplexity of the held-out text, and after how many steps it was measured.
    validated: Option<(u64, f32)>,
    /// Epochs that have been validated.
    epochs: u64,
    /// Of these, since the best.
    stale: u64,
    next_point: f64,
    next_sample: f64,
    validation: Budget,
    samples: Budget,
}

impl<'a, 'n> Session<'a, 'n> {
    pub fn new(trainer: Trainer<'n>, valid: &'a [u16], plan: Plan, progress: Progress) -> Self {
        Self {
            trainer,
            valid,
            plan,
            progress,
            checkpoints: None,
            started: Instant::now(),
            before: Duration::ZERO,
            training: Duration::ZERO,
            interval: Perplexity::default(),
            curve: Vec::new(),
            validated: None,
            epochs: 0,
            stale: 0,
            next_point: 1.0 / POINTS,
            next_sample: 1.0 / SAMPLES,
            validation: Budget::new(VALIDATION_SHARE),
            samples: Budget::new(SAMPLE_SHARE),
        }
    }

    /// The same with checkpoints.
    pub fn saved_to(self, checkpoints: Option<Checkpoints>) -> Self {
        Self { checkpoints, ..self }
    }

    /// The same of a run whose trainer was resumed, and which has this past.
    pub fn resumed(self, past: Past) -> Self {
        let epochs = self.trainer.epochs();
        let Past { elapsed: before, training, stale, curve } = past;
        let session = Self { before, training, stale, curve, epochs, ..self };
        let done = session.done();
        Self { next_point: next(done, POINTS), next_sample: next(done, SAMPLES), ..session }
    }

    /// Trains until a limit is reached, nothing gets better, or it is asked to end. If something goes wrong, the weights that did
    /// best come back, if there are any.
    pub fn run(mut self) -> Result<Outcome, Stopped> {
        let ended = match self.train() {
            Ok((end, unsaved)) => self.finish(end, unsaved),
            Err(stopped) => Err(stopped),
        };
        let kept = |best: Best| best.epochs;
        ended.map_err(|stopped| Stopped { kept: self.trainer.restore_best().map(kept), ..stopped })
    }

    /// The steps: why there are no more, and why a checkpoint could not be written.
    fn train(&mut self) -> Result<(End, Option<HostError>), Stopped> {
        let end = loop {
            let done = self.done();
            if done >= 1.0 {
                break End::Limit;
            }
            if interrupt::asked() {
                break End::Interrupted;
            }
            if self.plan.patience.is_some_and(|patience| self.stale >= patience) {
                break End::Stale;
            }
            self.step(done)?;
            self.look()?;
            if self.checkpoints.as_ref().is_some_and(|all| all.is_due(self.trainer.steps()))
                && let Err(error) = self.save()?
            {
                return Ok((End::Unsaved, Some(error)));
            }
        };
        let unsaved = self.save()?.err();
        Ok((end, unsaved))
    }

    fn done(&self) -> f64 {
        self.plan.limits.done(&self.trainer, self.elapsed())
    }

    fn elapsed(&self) -> Duration {
        self.before + self.started.elapsed()
    }

    /// Writes a checkpoint, if any are wanted and the last is not of now.
    fn save(&mut self) -> Result<Result<(), HostError>, Stopped> {
        let past = Past {
            elapsed: self.elapsed(),
            training: self.training,
            stale: self.stale,
            curve: self.curve.clone(),
        };
        let Some(checkpoints) = &mut self.checkpoints else { return Ok(Ok(())) };
        if checkpoints.steps() == Some(self.trainer.steps()) {
            return Ok(Ok(()));
        }
        checkpoints.write(&self.trainer, &past).map_err(|error| self.stopped(error))
    }

    fn step(&mut self, done: f64) -> Result<(), Stopped> {
        let started = Instant::now();
        self.trainer.set_lr(self.plan.lr * self.plan.schedule.factor(done as f32));
        let loss = self
            .trainer
            .step()
            .map_err(|error| Stopped { at: self.trainer.steps() + 1, ..self.stopped(error) })?;
        self.training += started.elapsed();
        // Its perplexity is beyond any number; a guess at random has the number of symbols.
        if loss > f32::MAX.ln() {
            let error = recurve::Error::NotFinite(Quantity::Loss).into();
            return Err(Stopped { diverged: true, ..self.stopped(error) });
        }
        self.interval.add_mean(loss, self.trainer.tokens_per_step() as u64);
        Ok(())
    }

    /// Shows how it goes, and from time to time looks closer.
    fn look(&mut self) -> Result<(), Stopped> {
        if self.trainer.epochs() > self.epochs {
            self.epochs = self.trainer.epochs();
            self.stale = if self.validate()? { 0 } else { self.stale + 1 };
        }
        let done = self.done();
        if done >= self.next_point {
            self.next_point = next(done, POINTS);
            self.point()?;
        }
        if done >= self.next_sample {
            self.next_sample = next(done, SAMPLES);
            self.sample()?;
        }
        if self.progress.is_due() {
            self.progress.show(&self.status(done));
        }
        Ok(())
    }

    fn stopped(&self, error: HostError) -> Stopped {
        let steps = self.trainer.steps();
        let saved = self.checkpoints.as_ref().and_then(Checkpoints::steps);
        Stopped { error, diverged: false, kept: None, at: steps, steps, saved }
    }

    fn tokens(&self) -> u64 {
        self.trainer.steps() * self.trainer.tokens_per_step() as u64
    }

    fn tokens_per_second(&self) -> f64 {
        self.tokens() as f64 / self.training.as_secs_f64().max(1e-9)
    }

    fn status(&self, done: f64) -> Status {
        let elapsed = self.elapsed().as_secs_f64();
        Status {
            done,
            epoch: (self.trainer.epochs() + 1).min(self.plan.limits.epochs.unwrap_or(u64::MAX)),
            epochs: self.plan.limits.epochs,
            tokens_per_second: self.tokens_per_second(),
            train: self.curve.last().map_or_else(|| self.interval.value(), |point| point.train),
            valid: self.validated.map(|(_, valid)| valid),
            seconds_left: elapsed * (1.0 - done) / done.max(1e-9),
        }
    }

    /// A point of the curve, validated if there is time for it.
    fn point(&mut self) -> Result<(), Stopped> {
        let train = std::mem::take(&mut self.interval).value();
        let guess = self.valid.len() as f64 / self.tokens_per_second();
        let wanted = !self.valid.is_empty() && (self.plan.plotted || self.progress.is_shown());
        let mut valid = self.current();
        if valid.is_none() && wanted {
            let (network, tokens) = (self.trainer.network(), self.valid);
            let measured =
                self.validation.spend(self.training, guess, || network.evaluate(tokens)).transpose();
            valid = measured.map_err(|error| self.stopped(error))?.map(|perplexity| perplexity.value());
            self.validated = valid.map(|valid| (self.trainer.steps(), valid)).or(self.validated);
        }
        self.curve.push(Point { step: self.trainer.steps(), train, valid });
        Ok(())
    }

    fn sample(&mut self) -> Result<(), Stopped> {
        if !self.progress.is_shown() {
            return Ok(());
        }
        let (network, seed) = (self.trainer.network(), self.plan.seed.wrapping_add(self.trainer.steps()));
        let guess = SAMPLE_LENGTH as f64 / self.tokens_per_second();
        let words = self.samples.spend(self.training, guess, || sample::words(network, SAMPLE_LENGTH, seed));
        if let Some(words) = words.transpose().map_err(|error| self.stopped(error))? {
            self.progress.sample(&words);
        }
        Ok(())
    }

    /// The perplexity of the held-out text, if it was measured after the last step.
    fn current(&self) -> Option<f32> {
        self.validated.filter(|&(step, _)| step == self.trainer.steps()).map(|(_, valid)| valid)
    }

    /// Measures the held-out text, if there is one; says whether the weights are the best so far.
    fn validate(&mut self) -> Result<bool, Stopped> {
        if self.valid.is_empty() {
            return Ok(true);
        }
        let measured = self.current().map_or_else(
            || self.trainer.network().evaluate(self.valid).map(|perplexity| perplexity.value()),
            Ok,
        );
        let perplexity = measured.map_err(|error| self.stopped(error))?;
        self.validated = Some((self.trainer.steps(), perplexity));
        Ok(self.trainer.offer(perplexity))
    }

    fn finish(&mut self, end: End, unsaved: Option<HostError>) -> Result<Outcome, Stopped> {
        self.progress.end();
        let seconds = self.elapsed().as_secs_f64();
        self.validate()?;
        let valid = self.current();
        if self.interval.tokens() > 0 {
            let (step, train) = (self.trainer.steps(), self.interval.value());
            self.curve.push(Point { step, train, valid: None });
        }
        if let Some(last) = self.curve.last_mut() {
            last.valid = valid;
        }
        let kept = self.trainer.restore_best();
        Ok(Outcome {
            train_perplexity: kept.map_or(self.trainer.train_perplexity(), |best| best.train_perplexity),
            valid_perplexity: kept.map_or(valid, |best| Some(best.perplexity)),
            tokens_per_second: self.tokens_per_second(),
            steps: self.trainer.steps(),
            epochs: self.trainer.epochs(),
            seconds,
            tokens: self.tokens(),
            end,
            kept,
            curve: std::mem::take(&mut self.curve),
            unsaved,
        })
    }
}

/// What must be done for the next of so many points of a run.
fn next(done: f64, points: f64) -> f64 {
    ((done * points).floor() + 1.0) / points
}

//! How a run is led: what the flags say, and what suits most texts where they say nothing.

use std::thread;

use recurve::cell::Dropout;
use recurve::host::Settings;
use recurve::optim::Schedule;

use crate::args::{Keep, OptimizerKind, ScheduleKind, TrainArgs};
use crate::failure::Failure;
use crate::session::{Limits, Plan};

/// Passes over the text where nothing limits the run.
const EPOCHS: u64 = 12;
/// Share of the outputs that is dropped.
const DROPOUT: f32 = 0.0;
/// Share of the run while the learning rate rises.
const WARM_UP: f32 = 0.05;
/// Share of the learning rate that is left at the end.
const FLOOR: f32 = 0.02;

/// Refuses flags that contradict each other.
pub fn check(args: &TrainArgs) -> Result<(), Failure> {
    if args.patience.is_some() && args.valid == 0.0 {
        return Err(Failure::usage(
            "--patience needs a held-out text to judge by, and --valid 0 holds out none",
        ));
    }
    if args.weight_decay.is_some() && args.optimizer == OptimizerKind::Sgd {
        return Err(Failure::usage("--weight-decay is for --optimizer adam: sgd has none"));
    }
    Ok(())
}

/// The settings of the trainer.
pub fn settings(args: &TrainArgs) -> Result<Settings, Failure> {
    let optimizer = args.optimizer.with(lr(args), args.weight_decay.unwrap_or(0.0));
    let mut settings = Settings::new(args.batch, args.window, optimizer);
    settings.clip = args.clip;
    settings.dropout =
        Dropout::new(args.input_dropout, args.dropout.unwrap_or(DROPOUT)).map_err(Failure::setting)?;
    settings.shuffle_offset = args.shuffle_offset;
    settings.keep_best = args.keep == Keep::Best && args.valid > 0.0;
    settings.seed = args.seed;
    let processors = || thread::available_parallelism().map_or(1, usize::from);
    settings.threads = args.threads.unwrap_or_else(processors);
    Ok(settings)
}

/// What the session needs to know.
pub fn plan(args: &TrainArgs) -> Result<Plan, Failure> {
    Ok(Plan {
        limits: limits(args),
        lr: lr(args),
        schedule: schedule(args)?,
        patience: args.patience,
        seed: args.seed,
        plotted: args.plot.is_some(),
    })
}

fn lr(args: &TrainArgs) -> f32 {
    args.lr.unwrap_or(match args.optimizer {
        OptimizerKind::Sgd => 1.0,
        OptimizerKind::Adam => 0.002,
    })
}

fn schedule(args: &TrainArgs) -> Result<Schedule, Failure> {
    match args.schedule.unwrap_or(ScheduleKind::Cosine) {
        ScheduleKind::Constant => Ok(Schedule::Constant),
        ScheduleKind::Cosine => Schedule::cosine(WARM_UP, FLOOR).map_err(Failure::setting),
    }
}

fn limits(args: &TrainArgs) -> Limits {
    let TrainArgs { epochs, steps, max_seconds, .. } = *args;
    let unlimited = steps.is_some() || max_seconds.is_some();
    Limits { epochs: epochs.or((!unlimited).then_some(EPOCHS)), steps, seconds: max_seconds }
}

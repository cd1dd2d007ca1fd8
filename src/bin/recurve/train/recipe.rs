//! How a run is led: what the flags say, and what suits most texts where they say nothing.

use std::thread;

use recurve::cell::{AnyCell, CellKind, Dropout};
use recurve::host::{Settings, checkpoint::describe, select};
use recurve::optim::Schedule;
use recurve::{ModelShape, Trained};

use crate::args::{Keep, OptimizerKind, ScheduleKind, TrainArgs};
use crate::failure::Failure;
use crate::report::grouped;
use crate::session::{Limits, Plan};

/// Hidden units.
const HIDDEN: usize = 256;
/// Passes over the text of a plain run that nothing limits.
const EPOCHS: u64 = 12;
/// Characters that are learned, in all passes together, where nothing is said; what two cores learn in one to three minutes.
const CHARACTERS: u64 = 5_000_000;
/// The fewest and the most passes that this may mean.
const PASSES: (u64, u64) = (6, 30);
/// Share of the outputs that is dropped.
const DROPOUT: f32 = 0.2;
/// Share of the inputs that is dropped.
const INPUT_DROPOUT: f32 = 0.1;
/// The highest learning rate.
const PEAK: f32 = 0.005;
/// Share of the run while the learning rate rises.
const WARM_UP: f32 = 0.05;
/// Share of the learning rate that is left at the end.
const FLOOR: f32 = 0.02;

/// Weights times tokens of a window that is shared by threads where nothing is said: with fewer, two processors were not
/// faster than one.
const SHARED: usize = 1 << 23;

/// Refuses flags that contradict each other.
pub fn check(args: &TrainArgs) -> Result<(), Failure> {
    if args.patience.is_some() && args.valid == 0.0 {
        return Err(Failure::usage(
            "--patience needs a held-out text to judge by, and --valid 0 holds out none",
        ));
    }
    if args.weight_decay.is_some() && optimizer(args) == OptimizerKind::Sgd {
        return Err(Failure::usage("--weight-decay is for --optimizer adam: sgd has none"));
    }
    Ok(())
}

/// The settings of the trainer, for a network of this shape.
pub fn settings(args: &TrainArgs, shape: ModelShape<AnyCell>) -> Result<Settings, Failure> {
    let optimizer = optimizer(args).with(lr(args), args.weight_decay.unwrap_or(0.0));
    let mut settings = Settings::new(args.batch, args.window, optimizer);
    settings.clip = args.clip;
    settings.dropout = dropout(args)?;
    settings.trained = trained(args, shape)?;
    settings.shuffle_offset = args.shuffle_offset;
    settings.keep_best = args.keep == Keep::Best && args.valid > 0.0;
    settings.seed = args.seed;
    settings.threads = args.threads.unwrap_or_else(|| threads(args, shape));
    Ok(settings)
}

/// One for each processor, but for windows that are done before it pays to share them.
fn threads(args: &TrainArgs, shape: ModelShape<AnyCell>) -> usize {
    let window = shape.params_len().saturating_mul(args.batch).saturating_mul(args.window);
    if window < SHARED { 1 } else { thread::available_parallelism().map_or(1, usize::from) }
}

/// What the session needs to know.
pub fn plan(args: &TrainArgs, tokens: usize) -> Result<Plan, Failure> {
    Ok(Plan {
        limits: limits(args, tokens),
        lr: lr(args),
        schedule: schedule(args)?,
        patience: args.patience,
        seed: args.seed,
        plotted: args.plot.is_some(),
    })
}

/// How the run is led, with all that was not said, as flags that lead to the same run.
pub fn line(args: &TrainArgs, plan: &Plan, settings: &Settings, shape: ModelShape<AnyCell>) -> String {
    let mut line = format!("recipe: {}", network(args));
    let optimizer = match optimizer(args) {
        OptimizerKind::Sgd => "sgd",
        OptimizerKind::Adam => "adam",
    };
    let schedule = if plan.schedule == Schedule::Constant { "constant" } else { "cosine" };
    line += &format!(
        " --batch {} --window {} --optimizer {optimizer} --lr {} --clip {} --schedule {schedule} --dropout {} --input-dropout {}",
        args.batch,
        args.window,
        plan.lr,
        settings.clip,
        settings.dropout.outputs(),
        settings.dropout.inputs()
    );
    let Limits { epochs, steps, seconds } = plan.limits;
    let others = [
        args.weight_decay.map(|decay| format!(" --weight-decay {decay}")),
        epochs.map(|n| format!(" --epochs {n}")),
        steps.map(|n| format!(" --steps {n}")),
        seconds.map(|s| format!(" --max-seconds {s}")),
        plan.patience.map(|n| format!(" --patience {n}")),
        args.shuffle_offset.then(|| " --shuffle-offset".into()),
        (args.keep == Keep::Last).then(|| " --keep last".into()),
    ];
    line.extend(others.into_iter().flatten());
    line + &format!(
        " --valid {} --seed {} ({} parameters)",
        args.valid,
        args.seed,
        grouped(shape.params_len() as u64)
    )
}

/// How the text is read, what the network is made of, and what of it is trained.
fn network(args: &TrainArgs) -> String {
    if let Some(init) = &args.init {
        return format!("--init {} --train {}", init.display(), args.train);
    }
    let (kind, hidden) = cell(args);
    let bytes = if args.reading.bytes { " --bytes" } else { "" };
    let embedding = args.layers.embedding.map_or_else(String::new, |width| format!(" --embedding {width}"));
    format!(
        "--clean {}{bytes} --cell {kind} --hidden {hidden} --layers {}{embedding} --train {}",
        args.reading.clean, args.layers.layers, args.train
    )
}

/// What must be the same in a run that goes on from a checkpoint, beside what the trainer compares.
pub fn facts(args: &TrainArgs, plan: &Plan, valid: &[u16]) -> String {
    let mut lines = vec![
        format!("--valid: {}", args.valid),
        format!("held-out text: {}", describe(valid)),
        format!("--patience: {}", or_none(plan.patience)),
        format!("--schedule: {}", course(plan.schedule)),
    ];
    if plan.schedule != Schedule::Constant {
        let Limits { epochs, steps, seconds } = plan.limits;
        lines.push(format!("--epochs: {}", or_none(epochs)));
        lines.push(format!("--steps: {}", or_none(steps)));
        lines.push(format!("--max-seconds: {}", or_none(seconds)));
    }
    lines.join("\n")
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "none".into(), |value| value.to_string())
}

/// The schedule as its flag names it, with the shares that no flag changes.
fn course(schedule: Schedule) -> String {
    match schedule {
        Schedule::Cosine { warm_up, floor, .. } => format!("cosine from {floor} after {warm_up}"),
        _ => "constant".into(),
    }
}

fn optimizer(args: &TrainArgs) -> OptimizerKind {
    args.optimizer.unwrap_or_default()
}

fn lr(args: &TrainArgs) -> f32 {
    args.lr.unwrap_or(match optimizer(args) {
        OptimizerKind::Sgd => 1.0,
        OptimizerKind::Adam if is_plain(args) => 0.002,
        OptimizerKind::Adam => PEAK,
    })
}

/// Whether the network, its weights or the rule that changes them was chosen: then the run is led as in the textbooks, and
/// nothing is added that the flags do not name.
const fn is_plain(args: &TrainArgs) -> bool {
    let network = args.init.is_some() || args.cell.is_some() || args.hidden.is_some();
    network || args.optimizer.is_some() || args.lr.is_some()
}

/// The cell and its hidden units.
pub fn cell(args: &TrainArgs) -> (CellKind, usize) {
    let usual = if is_plain(args) { CellKind::Elman } else { CellKind::Gru };
    (args.cell.unwrap_or(usual), args.hidden.unwrap_or(HIDDEN))
}

fn dropout(args: &TrainArgs) -> Result<Dropout, Failure> {
    let [inputs, outputs] = if is_plain(args) { [0.0; 2] } else { [INPUT_DROPOUT, DROPOUT] };
    Dropout::new(args.input_dropout.unwrap_or(inputs), args.dropout.unwrap_or(outputs))
        .map_err(Failure::setting)
}

fn trained(args: &TrainArgs, shape: ModelShape<AnyCell>) -> Result<Trained, Failure> {
    select(shape, &args.train).map_err(|error| Failure::usage(format!("--train: {error}")))
}

fn schedule(args: &TrainArgs) -> Result<Schedule, Failure> {
    let usual = if is_plain(args) { ScheduleKind::Constant } else { ScheduleKind::Cosine };
    match args.schedule.unwrap_or(usual) {
        ScheduleKind::Constant => Ok(Schedule::Constant),
        ScheduleKind::Cosine => Schedule::cosine(WARM_UP, FLOOR).map_err(Failure::setting),
    }
}

fn limits(args: &TrainArgs, tokens: usize) -> Limits {
    let TrainArgs { epochs, steps, max_seconds, .. } = *args;
    let unlimited = steps.is_some() || max_seconds.is_some();
    Limits { epochs: epochs.or((!unlimited).then(|| passes(args, tokens))), steps, seconds: max_seconds }
}

/// Passes over so many tokens.
fn passes(args: &TrainArgs, tokens: usize) -> u64 {
    if is_plain(args) { EPOCHS } else { (CHARACTERS / tokens.max(1) as u64).clamp(PASSES.0, PASSES.1) }
}

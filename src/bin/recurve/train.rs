//! `recurve train`: checks everything, trains, and hands over the results.

mod recipe;
mod results;

use std::path::Path;
use std::thread;

use recurve::host::baseline::{BaselineError, OrderReport, perplexities};
use recurve::host::text::split;
use recurve::host::{HostError, Network, Trainer, TrainerMemory, check_writable, write_whole};
use recurve::{Error, ModelShape};

use crate::args::TrainArgs;
use crate::checkpoints::{self, Checkpoints};
use crate::failure::Failure;
use crate::files::check_different;
use crate::plot::{self, Picture};
use crate::progress::Progress;
use crate::session::{Outcome, Session, Stopped};
use crate::text::Text;
use crate::{baseline, interrupt, report};

/// The largest model file: its length is a number of 32 bits.
const MAX_FILE: usize = u32::MAX as usize;

pub fn run(args: &TrainArgs) -> Result<(), Failure> {
    recipe::check(args)?;
    interrupt::catch()?;
    check_files(args)?;
    let (text, mut network) = match &args.init {
        Some(model) => continued(args, model)?,
        None => begun(args)?,
    };
    let settings = recipe::settings(args, network.shape())?;
    let (train, valid) = split(&text.tokens, args.valid);
    let plan = recipe::plan(args, train.len())?;
    let recipe = recipe::line(args, &plan, &settings, network.shape());
    let mut trainer = Trainer::new(&mut network, train, settings)?;
    check_held_out(args, valid)?;
    let facts = recipe::facts(args, &plan, valid);
    let resumed = args.resume.as_ref().map(|path| checkpoints::resume(&mut trainer, path, &facts));
    let past = resumed.transpose()?.unwrap_or_default();
    let every = args.checkpoint_every.unwrap_or_default();
    let saved = args.checkpoint.clone().map(|path| Checkpoints::new(path, every, facts));
    let progress = Progress::new(args.quiet);
    progress.note(&recipe);
    let (ended, n_grams) = thread::scope(|scope| {
        let compared = !valid.is_empty() && (args.plot.is_some() || !args.json);
        let count = || perplexities(train, valid, text.codes.len(), baseline::ORDER);
        let n_grams = compared.then(|| scope.spawn(count));
        let session = Session::new(trainer, valid, plan, progress);
        (session.saved_to(saved).resumed(past).run(), n_grams.map_or(Ok(Vec::new()), wait))
    });
    match ended {
        Ok(mut outcome) => {
            let unsaved = outcome.unsaved.take().map(|error| not_saved(args, &error, outcome.steps));
            let handed_over = hand_over(args, &network, &outcome, &n_grams?);
            match unsaved {
                Some(failure) => Err(failure.beside(handed_over.err())),
                None => handed_over,
            }
        }
        Err(stopped) => Err(rescue(args, &network, &stopped)),
    }
}

/// Refuses to write one file twice, or over one that is read; to write the model over the one of --init, and a checkpoint
/// over the one of --resume, is what people mean.
fn check_files(args: &TrainArgs) -> Result<(), Failure> {
    let [out, plot, checkpoint] = [
        ("--out", args.out.as_deref()),
        ("--plot", args.plot.as_deref()),
        ("--checkpoint", args.checkpoint.as_deref()),
    ];
    let (init, resume) = (("--init", args.init.as_deref()), ("--resume", args.resume.as_deref()));
    check_different(&[("the text", args.text.as_deref()), out, plot, checkpoint])?;
    [[init, plot], [init, checkpoint], [resume, out], [resume, plot]]
        .iter()
        .try_for_each(|pair| check_different(pair))
}

type Counted<'s> = thread::ScopedJoinHandle<'s, Result<Vec<OrderReport>, BaselineError>>;

fn wait(n_grams: Counted<'_>) -> Result<Vec<OrderReport>, Failure> {
    let failed = |_| Failure::new("the n-gram table could not be made: use --json to go without it");
    Ok(n_grams.join().map_err(failed)??)
}

/// The text and a network with weights to go on from.
fn continued(args: &TrainArgs, model: &Path) -> Result<(Text, Network), Failure> {
    let network = Network::read(model)?;
    let text = Text::for_model(args.text.as_deref(), &network)?;
    check_places(args)?;
    Ok((text, network))
}

/// The text and a network with initial weights.
fn begun(args: &TrainArgs) -> Result<(Text, Network), Failure> {
    let text = Text::read(args.text.as_deref(), &args.reading)?;
    check_places(args)?;
    let mut network = network(args, &text)?;
    network.init(args.seed);
    Ok((text, network))
}

fn check_places(args: &TrainArgs) -> Result<(), Failure> {
    let written = [&args.out, &args.plot, &args.checkpoint];
    Ok(written.into_iter().flatten().try_for_each(|path| check_writable(path))?)
}

/// The network, all zero, if memory and a file can hold it.
fn network(args: &TrainArgs, text: &Text) -> Result<Network, Failure> {
    let (kind, hidden) = recipe::cell(args);
    let cell = args.layers.cells(kind, hidden, text.codes.len())?;
    let shape = ModelShape { cell, outputs: text.codes.len() };
    let settings = recipe::settings(args, shape)?;
    TrainerMemory::of(shape, &settings, text.tokens.len()).check()?;
    let network = Network::new(cell, text.codes.clone(), text.alphabet, text.clean)?;
    let bytes = network.file().byte_len();
    if args.out.is_some() && bytes > MAX_FILE {
        let message = format!(
            "the model file would have {bytes} bytes, and {MAX_FILE} is the most: choose a smaller --hidden"
        );
        return Err(Failure::new(message));
    }
    Ok(network)
}

fn check_held_out(args: &TrainArgs, valid: &[u16]) -> Result<(), Failure> {
    if args.valid > 0.0 && valid.len() < 2 {
        let held_out = valid.len();
        let message = format!(
            "--valid {} holds out {held_out} of the text's characters, and perplexity needs 2: \
             hold out more, or none with --valid 0",
            args.valid
        );
        return Err(Failure::new(message));
    }
    Ok(())
}

/// Says where a run went wrong, where its weights are and what to do.
fn rescue(args: &TrainArgs, network: &Network, stopped: &Stopped) -> Failure {
    let Stopped { error, diverged, at, saved, .. } = stopped;
    let what = if *diverged { "the perplexity is beyond any number".into() } else { error.to_string() };
    let astray = *diverged || matches!(error, HostError::Model(Error::NotFinite(_)));
    let advice = if astray { ": choose a smaller --lr, or a smaller --clip" } else { "" };
    let model = args.out.as_deref().map_or_else(String::new, |path| left(path, network, stopped, astray));
    let checkpoint = args.checkpoint.as_deref().zip(*saved).map_or_else(String::new, |(path, steps)| {
        format!("; the checkpoint after step {steps} is in {}", path.display())
    });
    Failure::new(format!("{what} at step {at}, so the training was stopped{advice}{model}{checkpoint}"))
}

/// Writes the weights that such a run has left, and says which, unless they have gone astray and would replace others.
fn left(path: &Path, network: &Network, stopped: &Stopped, astray: bool) -> String {
    let whose = match stopped.kept {
        Some(epoch) => format!("of epoch {epoch}, the best on held-out text,"),
        None if astray && path.exists() => return format!("; {} was left as it was", path.display()),
        None if stopped.diverged => return "; no model was written".into(),
        // The step before may have thrown them away, and the one after has noticed.
        None if !network.params().iter().all(|weight| weight.is_finite()) => {
            return "; no model was written, as its weights are not finite".into();
        }
        None => format!("as it was after step {}", stopped.steps),
    };
    match network.write(path) {
        Ok(()) => format!("; the model {whose} was written to {}", path.display()),
        Err(error) => format!("; {error}"),
    }
}

/// Why a run ended in good order and yet too early.
fn not_saved(args: &TrainArgs, error: &HostError, steps: u64) -> Failure {
    let before = match &args.checkpoint {
        Some(path) if path.exists() => ", and the checkpoint from before was left alone",
        _ => "",
    };
    Failure::new(format!("{error}; the training was stopped after step {steps}{before}"))
}

/// Writes the files, then prints the results, even where a file could not be written: they may have taken hours.
fn hand_over(
    args: &TrainArgs,
    network: &Network,
    outcome: &Outcome,
    n_grams: &[OrderReport],
) -> Result<(), Failure> {
    let model = args.out.as_deref().map_or(Ok(()), |path| network.write(path).map_err(Failure::from));
    let plot = args.plot.as_deref().map_or(Ok(()), |path| draw(path, args, network, outcome, n_grams));
    let written =
        (args.out.as_deref().filter(|_| model.is_ok()), args.plot.as_deref().filter(|_| plot.is_ok()));
    let printed = results::print(args, network, outcome, n_grams, written);
    model.and(plot).and(printed)
}

fn draw(
    path: &Path,
    args: &TrainArgs,
    network: &Network,
    outcome: &Outcome,
    n_grams: &[OrderReport],
) -> Result<(), Failure> {
    let name = args.text.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy());
    let title = format!("{}: {}", name.as_deref().unwrap_or(BOOK), report::layers(network.shape().cell));
    let best = n_grams.iter().min_by(|a, b| a.perplexity.total_cmp(&b.perplexity)).copied();
    let svg = plot::svg(&Picture { title: &title, curve: &outcome.curve, best_n_gram: best })?;
    Ok(write_whole(path, svg.as_bytes())?)
}

/// The name of the built-in text.
const BOOK: &str = "Liber primus";

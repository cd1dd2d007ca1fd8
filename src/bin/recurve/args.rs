//! The command line: flags, defaults and help.

mod values;
mod weights;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args as Group, Parser, Subcommand};
use recurve::cell::{ActivationKind, AnyCell, CellKind, NoStack};
use recurve::host::text::Clean;
use recurve::lanes::LaneKind;

use crate::checkpoints::Every;
pub use values::{Keep, OptimizerKind, ScheduleKind};
use values::{held_out, order, positive, seconds, share, size, temperature, total, vocabulary};
pub use weights::{ExportArgs, ImportArgs};

/// Recurrent neural networks that learn a text, character by character.
#[derive(Debug, Parser)]
#[command(
    name = "recurve",
    version,
    after_help = "Example: recurve train && recurve train book.txt --out book.rcv"
)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a model on a text
    #[command(after_help = TRAIN_HELP)]
    Train(TrainArgs),
    /// Measure the perplexity of a model on a text
    #[command(after_help = "Example: recurve eval book.rcv other.txt")]
    Eval(EvalArgs),
    /// Let a model write
    #[command(after_help = "Example: recurve sample book.rcv --prefix 'time travel' --length 500")]
    Sample(SampleArgs),
    /// Show what a model file holds, and the memory that the model needs
    #[command(after_help = "Example: recurve inspect book.rcv --batch 1 --window 16")]
    Inspect(InspectArgs),
    /// Make a model of weights that PyTorch has trained
    #[command(after_help = weights::IMPORT_HELP)]
    Import(ImportArgs),
    /// Write a model's weights as PyTorch reads them
    #[command(after_help = weights::EXPORT_HELP)]
    Export(ExportArgs),
    /// Measure n-gram models of a text: what a network has to beat
    #[command(after_help = "Example: recurve baseline book.txt --clean letters --order 8")]
    Baseline(BaselineArgs),
    /// Train and measure a forecaster of a column of numbers
    #[command(
        after_help = "Example: recurve forecast power.csv --column load --horizon 3 --season 24 --svg load.svg"
    )]
    Forecast(ForecastArgs),
    /// Measure speed
    #[command(subcommand)]
    Bench(BenchCommand),
}

const TRAIN_HELP: &str = "\
Without --cell, --hidden, --init, --optimizer and --lr, the run is led as has done well on several texts: --cell gru
--lr 0.005 --schedule cosine --dropout 0.2 --input-dropout 0.1, for as many --epochs as make 5 million characters, 6 to
30. With any of them it is led as in the textbooks, but for what other flags say: --cell elman --dropout 0
--input-dropout 0 --schedule constant --epochs 12.

Example: recurve train book.txt --clean letters --out book.rcv --plot book.svg";

/// How a text is read.
#[derive(Debug, Group)]
pub struct ReadingArgs {
    /// none, or letters: every run of characters other than A-Z a-z becomes one space, in lower case
    #[arg(long, value_name = "HOW", default_value_t)]
    pub clean: Clean,
    /// Read bytes instead of the characters of UTF-8
    #[arg(long)]
    pub bytes: bool,
}

/// What a network between its inputs and its outputs is made of.
#[derive(Debug, Group)]
pub struct LayerArgs {
    /// Cells on top of each other, each reading the hidden units of the one below
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = values::layers)]
    pub layers: usize,
    /// Read each symbol as a learned vector of N elements, and not as one-hot
    #[arg(long, value_name = "N", value_parser = size)]
    pub embedding: Option<usize>,
}

impl LayerArgs {
    /// The layers, of cells of this kind with so many hidden units, for a vocabulary of so many symbols.
    pub fn cells(&self, kind: CellKind, hidden: usize, symbols: usize) -> Result<AnyCell, NoStack> {
        let deep = |inputs| AnyCell::deep(kind, ActivationKind::Tanh, inputs, hidden, self.layers);
        match self.embedding {
            Some(width) => {
                AnyCell::new(CellKind::Embedding, ActivationKind::Tanh, symbols, width).then(deep(width)?)
            }
            None => deep(symbols),
        }
    }
}

#[derive(Debug, Group)]
pub struct TrainArgs {
    /// The text to learn; without one, a book by Cicero that is built in
    pub text: Option<PathBuf>,
    /// The cell: elman, gru, lstm, or feedforward (no hidden state) [default: gru, or elman: see below]
    #[arg(long, value_parser = values::cell)]
    pub cell: Option<CellKind>,
    /// Hidden units, of each layer [default: 256]
    #[arg(long, value_name = "N", value_parser = size)]
    pub hidden: Option<usize>,
    #[command(flatten)]
    pub layers: LayerArgs,
    /// Go on from this model's weights: it says the cell, the sizes, the vocabulary, and how the text is read
    #[arg(
        long,
        value_name = "MODEL",
        conflicts_with_all = ["cell", "hidden", "layers", "embedding", "clean", "bytes"]
    )]
    pub init: Option<PathBuf>,
    /// What is trained, with commas between: all, head, biases, layers by number from 1 at the inputs, tensors by the names
    /// that inspect prints; the rest keeps its bits
    #[arg(long, value_name = "WHAT", default_value = "all")]
    pub train: String,
    /// Sequences that are trained side by side
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = size)]
    pub batch: usize,
    /// Steps that gradients flow back
    #[arg(long, value_name = "N", default_value_t = 35, value_parser = size)]
    pub window: usize,
    /// The rule that changes weights [default: adam]
    #[arg(long, value_enum)]
    pub optimizer: Option<OptimizerKind>,
    /// Learning rate [default: 0.002 for adam, 1 for sgd; or see below]
    #[arg(long, value_name = "X", value_parser = positive)]
    pub lr: Option<f32>,
    /// The largest norm of the gradient; inf for any
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = values::bound)]
    pub clip: f32,
    /// Share of each weight, biases too, that a step takes away, in units of the learning rate (AdamW); not for sgd
    #[arg(long, value_name = "X", value_parser = temperature)]
    pub weight_decay: Option<f32>,
    /// Course of the learning rate: constant, or cosine, which rises to --lr in the first 5 % of the run and then falls to
    /// 2 % of it [default: see below]
    #[arg(long, value_enum, value_name = "COURSE", hide_possible_values = true)]
    pub schedule: Option<ScheduleKind>,
    /// Share of the cell's outputs, of several --layers those of the last, that the training leaves out, others each time
    /// [default: see below]
    #[arg(long, value_name = "P", value_parser = values::dropout)]
    pub dropout: Option<f32>,
    /// Share of the characters read that the training leaves out, others each time [default: see below]
    #[arg(long, value_name = "P", value_parser = values::dropout)]
    pub input_dropout: Option<f32>,
    /// Let each epoch begin at another of the first characters, so that it cuts windows at other places
    #[arg(long)]
    pub shuffle_offset: bool,
    /// Which weights to keep: best, those of the epoch after which the held-out text was least perplexing, or last
    #[arg(long, value_enum, value_name = "WHICH", default_value_t, hide_possible_values = true)]
    pub keep: Keep,
    /// Stop after N epochs that have not made the held-out text less perplexing
    #[arg(long, value_name = "N", value_parser = total)]
    pub patience: Option<u64>,
    /// Passes over the text [default: see below, or no limit with --steps or --max-seconds]
    #[arg(long, value_name = "N", value_parser = total)]
    pub epochs: Option<u64>,
    /// Windows to train on at most
    #[arg(long, value_name = "N", value_parser = total)]
    pub steps: Option<u64>,
    /// Time to train at most
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub max_seconds: Option<f64>,
    /// Seed of the initial weights and of the samples
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Share of the text, at its end, that is held out to measure perplexity; 0 for none
    #[arg(long, value_name = "FRACTION", default_value_t = 0.1, value_parser = share)]
    pub valid: f64,
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Threads that share the work; they change no bit of the result [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = values::threads)]
    pub threads: Option<usize>,
    /// Write the model to this file
    #[arg(long, value_name = "MODEL")]
    pub out: Option<PathBuf>,
    /// Write to this file, from time to time and at the end, all that --resume needs
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Steps between two checkpoints, or seconds: 30s [default: 30s]
    #[arg(long, value_name = "N", value_parser = values::every, requires = "checkpoint")]
    pub checkpoint_every: Option<Every>,
    /// Go on from this checkpoint; text and flags must be those of the run that wrote it, but for where files are written,
    /// --threads, and, unless with --schedule cosine, --epochs, --steps and --max-seconds
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    /// Draw perplexity over steps to this file
    #[arg(long, value_name = "FILE.svg")]
    pub plot: Option<PathBuf>,
    /// Print the results as one line of JSON
    #[arg(long)]
    pub json: bool,
    /// No progress on stderr
    #[arg(long)]
    pub quiet: bool,
}

#[derive(Debug, Group)]
pub struct EvalArgs {
    /// A model file
    pub model: PathBuf,
    /// The text; it is read and cleaned as the one that the model was trained on
    pub text: PathBuf,
    /// Print the results as one line of JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Group)]
pub struct SampleArgs {
    /// A model file
    pub model: PathBuf,
    /// The text to go on from; it is cleaned as the one that the model was trained on
    #[arg(long, value_name = "S", default_value = "")]
    pub prefix: OsString,
    /// Characters, or bytes, to generate
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = size)]
    pub length: usize,
    /// Below 1 bolder, above 1 wilder, 0 always the most probable
    #[arg(long, value_name = "X", default_value_t = crate::sample::TEMPERATURE, value_parser = temperature)]
    pub temperature: f32,
    /// Choose among the N most probable only
    #[arg(long, value_name = "N", value_parser = size)]
    pub top_k: Option<usize>,
    /// Seed of the choices
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

#[derive(Debug, Group)]
pub struct InspectArgs {
    /// A model file
    pub model: PathBuf,
    /// Sequences side by side, for the memory of training
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = size)]
    pub batch: usize,
    /// Steps of a window, for the memory of training
    #[arg(long, value_name = "N", default_value_t = 35, value_parser = size)]
    pub window: usize,
    /// Print the results as one line of JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Group)]
pub struct BaselineArgs {
    /// The text
    pub text: PathBuf,
    /// The highest order: a character is predicted from up to N - 1 before it
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = order)]
    pub order: usize,
    /// Share of the text, at its end, that is held out
    #[arg(long, value_name = "FRACTION", default_value_t = 0.1, value_parser = held_out)]
    pub valid: f64,
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Print the results as one line of JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Group)]
pub struct ForecastArgs {
    /// A CSV file whose first line names its columns
    pub file: PathBuf,
    /// The column to forecast; its values follow each other in equal steps of time
    #[arg(long, value_name = "NAME")]
    pub column: String,
    /// Values to forecast, from each one on
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = size)]
    pub horizon: usize,
    /// Values after which the series repeats, to compare with the forecast that it does
    #[arg(long, value_name = "N", value_parser = size)]
    pub season: Option<usize>,
    /// Values that a forecast looks back on [default: 32, or a season and a quarter if that is more]
    #[arg(long, value_name = "N", value_parser = size)]
    pub window: Option<usize>,
    /// The cell: elman, gru, lstm, or feedforward (no hidden state)
    #[arg(long, default_value_t = CellKind::Gru, value_parser = values::cell)]
    pub cell: CellKind,
    /// Hidden units, of each layer
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = size)]
    pub hidden: usize,
    /// Cells on top of each other, each reading the hidden units of the one below
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = values::layers)]
    pub layers: usize,
    /// Windows that are trained side by side
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = size)]
    pub batch: usize,
    /// Passes over the series
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = total)]
    pub epochs: u64,
    /// Learning rate in the beginning; it falls to zero
    #[arg(long, value_name = "X", default_value_t = 0.01, value_parser = positive)]
    pub lr: f32,
    /// The largest norm of the gradient; inf for any
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = values::bound)]
    pub clip: f32,
    /// Errors beyond X standard deviations count by their size, not their square: for series with outliers
    #[arg(long, value_name = "X", value_parser = positive)]
    pub huber: Option<f32>,
    /// Share of the series, at its end, that is held out
    #[arg(long, value_name = "FRACTION", default_value_t = 0.2, value_parser = held_out)]
    pub valid: f64,
    /// Seed of the initial weights and of the order
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// The character between the columns
    #[arg(long, value_name = "C", default_value = ",", value_parser = values::delimiter)]
    pub delimiter: u8,
    /// Write the model to this file
    #[arg(long, value_name = "MODEL")]
    pub out: Option<PathBuf>,
    /// Draw forecast and truth to this file
    #[arg(long, value_name = "FILE.svg")]
    pub svg: Option<PathBuf>,
    /// Print the results as one line of JSON
    #[arg(long)]
    pub json: bool,
    /// No progress on stderr
    #[arg(long)]
    pub quiet: bool,
}

#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Training: windows of random tokens, forward, backward, clipping and SGD
    #[command(after_help = "Example: recurve bench train --hidden 256 --vocab 28 --batch 32 --window 35")]
    Train(BenchTrainArgs),
    /// Inference: one sequence, token by token, cell and output layer
    #[command(after_help = "Example: recurve bench step --hidden 128 --vocab 28")]
    Step(BenchStepArgs),
}

/// What both benchmarks take.
#[derive(Debug, Group)]
pub struct BenchArgs {
    /// The cell: elman, gru, lstm, or feedforward (no hidden state)
    #[arg(long, default_value_t, value_parser = values::cell)]
    pub cell: CellKind,
    /// Hidden units, of each layer
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = size)]
    pub hidden: usize,
    #[command(flatten)]
    pub layers: LayerArgs,
    /// Symbols of the vocabulary
    #[arg(long, value_name = "N", default_value_t = 28, value_parser = vocabulary)]
    pub vocab: usize,
    /// The vector registers to run on: auto, portable, avx2 or avx512, as far as this computer has them
    #[arg(long, value_name = "LANES", default_value = "auto")]
    pub lanes: LaneKind,
    /// How long to measure
    #[arg(long, value_name = "S", default_value_t = 2.0, value_parser = seconds)]
    pub seconds: f64,
    /// Print the results as one line of JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Group)]
pub struct BenchTrainArgs {
    #[command(flatten)]
    pub common: BenchArgs,
    /// Sequences side by side
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = size)]
    pub batch: usize,
    /// Steps of a window
    #[arg(long, value_name = "N", default_value_t = 35, value_parser = size)]
    pub window: usize,
    /// Threads that share the work
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = values::threads)]
    pub threads: usize,
}

#[derive(Debug, Group)]
pub struct BenchStepArgs {
    #[command(flatten)]
    pub common: BenchArgs,
}

/// Prints what clap has to say: help and version as they are, errors as one line.
pub fn refuse(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
        }
        _ => {
            let text = error.render().to_string();
            let first: Vec<_> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
            let first = first.join(" ");
            let message = first.strip_prefix("error: ").unwrap_or(&first);
            let _ = writeln!(std::io::stderr(), "recurve: {message}; --help shows the usage");
        }
    }
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn definitions_are_consistent() {
        super::Args::command().debug_assert();
    }
}

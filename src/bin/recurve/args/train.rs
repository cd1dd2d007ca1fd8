//! The flags of `train`.

use std::path::PathBuf;

use clap::Args as Group;
use recurve::cell::CellKind;

use super::shared::{LayerArgs, ReadingArgs};
use super::values::{
    self, Keep, OptimizerKind, ScheduleKind, positive, seconds, share, size, temperature, total,
};
use crate::checkpoints::Every;

pub const HELP: &str = "\
Without --cell, --hidden, --init, --optimizer and --lr, the run is led as has done well on several texts: --cell gru
--lr 0.005 --schedule cosine --dropout 0.2 --input-dropout 0.1, for as many --epochs as make 5 million characters, 6 to
30. With any of them it is led as in the textbooks, but for what other flags say: --cell elman --dropout 0
--input-dropout 0 --schedule constant --epochs 12.

Example: recurve train book.txt --clean letters --out book.rcv --plot book.svg";

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
    /// Which weights to keep: best, those after an epoch or at the end to which the held-out text was least perplexing, or
    /// last; those of --init as they were are not among them
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
    /// Threads that share the work; they change no bit of the result [default: one for each processor, or
    /// one by itself for a small network]
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

//! The two benchmarks and their flags.

use clap::{Args as Group, Subcommand};
use recurve::cell::CellKind;
use recurve::lanes::LaneKind;

use super::shared::LayerArgs;
use super::values::{self, seconds, size, vocabulary};

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

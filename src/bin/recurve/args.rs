//! The command line: commands, flags, defaults and help.

mod baseline;
mod bench;
mod forecast;
mod models;
mod shared;
mod train;
mod values;
mod weights;

use std::io::Write;
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub use baseline::BaselineArgs;
pub use bench::{BenchArgs, BenchCommand, BenchStepArgs, BenchTrainArgs};
pub use forecast::ForecastArgs;
pub use models::{EvalArgs, InspectArgs, SampleArgs};
pub use shared::ReadingArgs;
pub use train::TrainArgs;
pub use values::{Keep, OptimizerKind, ScheduleKind};
pub use weights::{ExportArgs, ImportArgs};

/// Recurrent neural networks that learn a text, character by character, or to forecast a series of numbers.
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
    #[command(after_help = train::HELP)]
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
    /// Train and measure a forecaster of a column of numbers, or forecast with one
    #[command(
        after_help = "Example: recurve forecast power.csv --column load --horizon 3 --season 24 --svg load.svg"
    )]
    Forecast(ForecastArgs),
    /// Measure speed
    #[command(subcommand)]
    Bench(BenchCommand),
}

impl Args {
    /// What the process was called with. A number below zero is a value, which can be out of its range.
    pub fn from_command_line() -> Result<Self, clap::Error> {
        let command = Self::command().mut_subcommands(with_numbers);
        Self::from_arg_matches(&command.try_get_matches()?)
    }
}

/// The same command and its subcommands with arguments that take numbers below zero for values.
fn with_numbers(command: clap::Command) -> clap::Command {
    let takes = |arg: &clap::Arg| arg.get_action().takes_values();
    let command = command.mut_args(|arg| if takes(&arg) { arg.allow_negative_numbers(true) } else { arg });
    command.mut_subcommands(with_numbers)
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
            let similar =
                [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
            let similar = similar.into_iter().find_map(|kind| error.get(kind));
            let tip = similar.map_or_else(String::new, |name| format!("; there is {name}"));
            let _ = writeln!(std::io::stderr(), "recurve: {message}{tip}; --help shows the usage");
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

//! The `recurve` command: trains, evaluates, samples, inspects, imports and exports character-level language models, and
//! trains forecasters of series.
//!
//! Results go to stdout, progress to stderr. It exits with 0 on success, 2 on bad usage and 1 otherwise, then with one
//! line on stderr that says what is wrong and what to do.

mod args;
mod baseline;
mod bench;
mod checkpoints;
mod eval;
mod export;
mod failure;
mod files;
mod forecast;
mod import;
mod inspect;
mod interrupt;
mod past;
mod plot;
mod progress;
mod report;
mod sample;
mod session;
mod text;
mod train;

use std::io::Write;
use std::process::ExitCode;

use args::{Args, BenchCommand, Command};
use failure::Failure;

fn main() -> ExitCode {
    let args = match Args::from_command_line() {
        Ok(args) => args,
        Err(error) => return args::refuse(&error),
    };
    match run(&args.command) {
        // Whoever reads the results has read enough.
        Ok(()) | Err(Failure::ClosedPipe) => ExitCode::SUCCESS,
        Err(Failure::Message(message)) => {
            say(&message);
            ExitCode::FAILURE
        }
        Err(Failure::Usage(message)) => {
            say(&message);
            ExitCode::from(2)
        }
    }
}

/// One line on stderr.
fn say(message: &str) {
    let _ = writeln!(std::io::stderr(), "recurve: {}", message.replace(char::is_control, " "));
}

fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Train(args) => train::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Sample(args) => sample::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Import(args) => import::run(args),
        Command::Export(args) => export::run(args),
        Command::Baseline(args) => baseline::run(args),
        Command::Forecast(args) => forecast::run(args),
        Command::Bench(BenchCommand::Train(args)) => bench::train(args),
        Command::Bench(BenchCommand::Step(args)) => bench::step(args),
    }
}

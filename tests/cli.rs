//! The command line as a user runs it: results, exit codes, messages, and what is left on the disk.
#![cfg(feature = "cli")]

#[path = "cli/bad_input.rs"]
mod bad_input;
#[path = "cli/bad_usage.rs"]
mod bad_usage;
#[path = "cli/checkpoints.rs"]
mod checkpoints;
#[path = "cli/commands.rs"]
mod commands;
#[path = "cli/forecast.rs"]
mod forecast;
#[path = "cli/process.rs"]
mod process;
#[path = "cli/run.rs"]
mod run;
#[path = "cli/training.rs"]
mod training;
#[path = "cli/weights.rs"]
mod weights;

//! The flags of `baseline`.

use std::path::PathBuf;

use clap::Args as Group;

use super::shared::ReadingArgs;
use super::values::{held_out, order};

#[derive(Debug, Group)]
pub struct BaselineArgs {
    /// The text; without one, a book by Cicero that is built in
    pub text: Option<PathBuf>,
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

//! The flags of the commands that use a model: `eval`, `sample` and `inspect`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args as Group;

use super::values::{size, temperature};

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

//! The flags of `forecast`.

use std::path::PathBuf;

use clap::Args as Group;
use recurve::cell::CellKind;

use super::values::{self, Keep, positive, seconds, share, size, total};

#[derive(Debug, Group)]
pub struct ForecastArgs {
    /// A CSV file whose first line names its columns
    pub file: PathBuf,
    /// The column to forecast; its values follow each other in equal steps of time
    #[arg(long, value_name = "NAME")]
    pub column: String,
    /// Forecast with this model, as --out has written it, and do not train; it says the horizon, the window and the cell
    #[arg(
        long,
        value_name = "MODEL",
        conflicts_with_all = [
            "horizon", "window", "cell", "hidden", "layers", "batch", "epochs", "max_seconds", "keep", "lr", "clip", "huber",
            "seed", "out"
        ]
    )]
    pub model: Option<PathBuf>,
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
    /// Passes over the series [default: 100, or no limit with --max-seconds]
    #[arg(long, value_name = "N", value_parser = total)]
    pub epochs: Option<u64>,
    /// Time to train at most
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub max_seconds: Option<f64>,
    /// Which weights to keep: best, those after an epoch that did best on the last fifth of what --valid leaves, which is then not
    /// trained on, by RMSE, or with --huber by MAE; or last, those at the end, as where there are too few values to compare
    #[arg(long, value_enum, value_name = "WHICH", default_value_t, hide_possible_values = true)]
    pub keep: Keep,
    /// Learning rate in the beginning; it falls to zero
    #[arg(long, value_name = "X", default_value_t = 0.01, value_parser = positive)]
    pub lr: f32,
    /// The largest norm of the gradient; inf for any
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = values::bound)]
    pub clip: f32,
    /// Errors beyond X standard deviations count by their size, not their square: for series with outliers
    #[arg(long, value_name = "X", value_parser = positive)]
    pub huber: Option<f32>,
    /// Share of the series, at its end, that is held out to measure errors on; 0 for none [default: 0.2; with --model all that a
    /// window comes before, which it may have been trained on]
    #[arg(long, value_name = "FRACTION", value_parser = share)]
    pub valid: Option<f64>,
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

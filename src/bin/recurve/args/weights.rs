//! The flags of `import` and `export`.

use std::path::PathBuf;

use clap::Args as Group;
use recurve::cell::ActivationKind;
use recurve::host::text::Clean;

pub const IMPORT_HELP: &str = "\
The file holds the state dict of a module with a torch.nn.RNN, GRU or LSTM, a Linear that makes the outputs, and perhaps
an Embedding: safetensors.torch.save_file(model.state_dict(), FILE). Cell, sizes and layers are told from it.

Examples: recurve import gru.safetensors --text book.txt --clean letters --out gru.rcv
          recurve import sensor.safetensors --readings --out sensor.rcv";

pub const EXPORT_HELP: &str = "\
The file loads with strict=True into a module whose parts are called rnn, head and embedding.

Example: recurve export gru.rcv --safetensors gru.safetensors";

#[derive(Debug, Group)]
pub struct ImportArgs {
    /// A safetensors file
    pub weights: PathBuf,
    /// The text that the network learned: its symbols, by code point, are the vocabulary [default: the file's metadata]
    #[arg(long, value_name = "TEXT", conflicts_with = "vocab")]
    pub text: Option<PathBuf>,
    /// The vocabulary in the order of the weights: a JSON list of characters, or of bytes as numbers
    #[arg(long, value_name = "FILE")]
    pub vocab: Option<PathBuf>,
    /// The network reads numbers, such as readings of sensors, and has no vocabulary; the file's metadata may have lists of
    /// their means and deviations, such as "[0.5,-1]": input_mean, input_deviation, output_mean, output_deviation
    #[arg(long, conflicts_with_all = ["text", "vocab", "clean", "bytes", "embedding_prefix"])]
    pub readings: bool,
    /// How texts are cleaned, none or letters [default: the file's metadata, or none]
    #[arg(long, value_name = "HOW")]
    pub clean: Option<Clean>,
    /// Read bytes of the text instead of the characters of UTF-8
    #[arg(long, requires = "text")]
    pub bytes: bool,
    /// The activation of a torch.nn.RNN: tanh or relu [default: the file's metadata, or tanh]
    #[arg(long, value_name = "NAME")]
    pub activation: Option<ActivationKind>,
    /// What the names of the recurrent layers' tensors begin with, such as rnn. [default: found]
    #[arg(long, value_name = "PREFIX")]
    pub rnn_prefix: Option<String>,
    /// What the names of the output layer's tensors begin with [default: found]
    #[arg(long, value_name = "PREFIX")]
    pub head_prefix: Option<String>,
    /// What the name of the embedding's tensor begins with [default: found]
    #[arg(long, value_name = "PREFIX")]
    pub embedding_prefix: Option<String>,
    /// The network was made with bias=False: biases that the file lacks are zero, those of all recurrent layers, of the output
    /// layer, or of both
    #[arg(long)]
    pub without_biases: bool,
    /// Write the model to this file
    #[arg(long, value_name = "MODEL")]
    pub out: PathBuf,
    /// Print what was imported as a JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Group)]
pub struct ExportArgs {
    /// A model file
    pub model: PathBuf,
    /// Write the weights to this file
    #[arg(long, value_name = "OUT")]
    pub safetensors: PathBuf,
    /// Print what was exported as a JSON object
    #[arg(long)]
    pub json: bool,
}

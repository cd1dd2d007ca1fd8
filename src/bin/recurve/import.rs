//! `recurve import`: a model of weights that PyTorch has trained.

use std::path::Path;

use recurve::host::safetensors::{Import, Vocabulary, WeightsError};
use recurve::host::{Corpus, check_writable, read_whole};
use recurve::vocab::Alphabet;

use crate::args::ImportArgs;
use crate::failure::Failure;
use crate::files::check_different;
use crate::report;
use crate::text;

pub fn run(args: &ImportArgs) -> Result<(), Failure> {
    let ImportArgs { weights, text, vocab, out, .. } = args;
    let (text, vocab) = (text.as_deref(), vocab.as_deref());
    check_different(&[
        ("the weights", Some(weights)),
        ("--text", text),
        ("--vocab", vocab),
        ("--out", Some(out)),
    ])?;
    check_writable(out)?;
    let bytes = read_whole(weights)?;
    let mut import = Import::default();
    import.clean = args.clean;
    import.activation = args.activation;
    import.rnn_prefix.clone_from(&args.rnn_prefix);
    import.head_prefix.clone_from(&args.head_prefix);
    import.embedding_prefix.clone_from(&args.embedding_prefix);
    import.without_biases = args.without_biases;
    if args.readings {
        let model = import
            .readings(&bytes)
            .map_err(|error| refused(args, &error, || without_biases(&import).readings(&bytes).is_ok()))?;
        model.write(out)?;
        return report::print_written(model.file(), "model", out, model.file().byte_len(), args.json);
    }
    import.vocabulary = match (text, vocab) {
        (Some(text), _) => Some(of_text(args, &import, &bytes, text)?),
        (None, Some(file)) => Some(listed(file)?),
        (None, None) => None,
    };
    let network = import
        .network(&bytes)
        .map_err(|error| refused(args, &error, || without_biases(&import).network(&bytes).is_ok()))?;
    network.write(out)?;
    report::print_written(network.file(), "model", out, network.file().byte_len(), args.json)
}

/// The symbols of a text that is cleaned as texts will be.
fn of_text(args: &ImportArgs, import: &Import, weights: &[u8], path: &Path) -> Result<Vocabulary, Failure> {
    let alphabet = if args.bytes { Alphabet::Bytes } else { Alphabet::Chars };
    let clean = import.clean_of(weights).map_err(|error| refused(args, &error, || false))?;
    let corpus = Corpus::read(path, alphabet)?.clean(clean);
    Vocabulary::of_corpus(&corpus).map_err(|error| text::too_many(&error))
}

fn listed(path: &Path) -> Result<Vocabulary, Failure> {
    let json = String::from_utf8(read_whole(path)?)
        .map_err(|_| Failure::new(format!("{} is not UTF-8, as JSON must be", path.display())))?;
    Vocabulary::from_json(&json)
        .map_err(|error| Failure::new(format!("cannot use {}: {error}", path.display())))
}

fn without_biases(import: &Import) -> Import {
    let mut import = import.clone();
    import.without_biases = true;
    import
}

/// What is wrong, and what would be right if biases need not be there.
fn refused(args: &ImportArgs, error: &WeightsError, needs_no_bias: impl Fn() -> bool) -> Failure {
    let what = match error {
        WeightsError::Missing { name, .. } if name.contains("bias") && needs_no_bias() => {
            ": --without-biases is for a network made with bias=False"
        }
        WeightsError::Vocabulary(_) if args.readings => ": leave --readings out",
        WeightsError::Vocabulary(_) if args.text.is_none() && args.vocab.is_none() => {
            ": --text takes a text, --vocab a list; --readings is for a network that reads numbers"
        }
        _ => "",
    };
    Failure::new(format!("cannot import {}: {error}{what}", args.weights.display()))
}

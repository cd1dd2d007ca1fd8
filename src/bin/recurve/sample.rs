//! `recurve sample`: text that a model writes.

use std::ffi::OsStr;

use recurve::Sampler;
use recurve::host::{Corpus, HostError, Network};
use recurve::vocab::Alphabet;

use crate::args::SampleArgs;
use crate::failure::Failure;
use crate::{report, text};

/// A little bolder than the model: what people like to read.
pub const TEMPERATURE: f32 = 0.8;

pub fn run(args: &SampleArgs) -> Result<(), Failure> {
    let network = Network::read(&args.model)?;
    let prefix = prefix(&network, &args.prefix)?;
    let sampler =
        Sampler::new(args.temperature, args.top_k.unwrap_or(usize::MAX)).map_err(HostError::Model)?;
    let generated = network.sample(&prefix, args.length, sampler, args.seed)?;
    let mut text = network.decode(&prefix)?;
    text.extend(network.decode(&generated)?);
    if network.symbols().alphabet() == Alphabet::Chars {
        text.push(b'\n');
    }
    report::print(&text)
}

fn prefix(network: &Network, prefix: &OsStr) -> Result<Vec<u16>, Failure> {
    if prefix.is_empty() {
        return Ok(Vec::new());
    }
    let corpus = match network.symbols().alphabet() {
        Alphabet::Bytes => Corpus::Bytes(prefix.as_encoded_bytes().into()),
        Alphabet::Chars => {
            let not_utf8 = || Failure::new("the prefix is not UTF-8, which this model needs: convert it");
            Corpus::Chars(prefix.to_str().ok_or_else(not_utf8)?.into())
        }
    };
    text::encode(network, corpus, "the prefix")
}

/// A few words for people, of a network in training or just trained; they begin as after a space.
pub fn words(network: &Network, length: usize, seed: u64) -> Result<String, HostError> {
    let sampler = Sampler::new(TEMPERATURE, usize::MAX)?;
    let space = network.symbols().token(' ');
    let tokens = network.sample(space.as_slice(), length, sampler, seed)?;
    Ok(text::printable(&network.decode(&tokens)?))
}

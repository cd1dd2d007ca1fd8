//! Trains a language model on a text, measures it on the end of the text, and lets it write.
//!
//! ```text
//! cargo run --release --example language -- book.txt book.rcv
//! ```
//!
//! Without a text it learns the Apache licence that this crate comes with, in a few seconds; the second file, if one is named,
//! is the model's. `recurve train book.txt --clean letters --out book.rcv` does the like with its own defaults, and more.

use std::error::Error;

use recurve::cell::{ActivationKind, AnyCell, CellKind, Dropout};
use recurve::host::text::{Clean, split};
use recurve::host::{AnyOptimizer, Corpus, Network, Settings, Trainer};
use recurve::vocab::Alphabet;
use recurve::{Adam, Sampler};

const HIDDEN: usize = 64;
const EPOCHS: u64 = 30;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let corpus = match args.next() {
        Some(path) => Corpus::read(path, Alphabet::Chars)?,
        None => Corpus::Chars(include_str!("../LICENSE-APACHE").into()),
    };
    let corpus = corpus.clean(Clean::Letters);
    let codes = corpus.vocabulary()?;
    let cell = AnyCell::new(CellKind::Gru, ActivationKind::Tanh, codes.len(), HIDDEN);
    let mut network = Network::new(cell, codes, corpus.alphabet(), Clean::Letters)?;
    network.init(1);
    let tokens = corpus.tokens(network.symbols())?;
    let (train, valid) = split(&tokens, 0.1);

    let mut settings = Settings::new(8, 32, AnyOptimizer::Adam(Adam::new(0.005)));
    settings.clip = 1.0;
    settings.dropout = Dropout::new(0.1, 0.2)?;
    learn(&mut network, train, valid, settings)?;
    println!("held-out perplexity {:.2}\n", network.evaluate(valid)?.value());

    let prefix = tokens.get(..1).unwrap_or_default();
    let text = network.sample(prefix, 300, Sampler::new(0.7, usize::MAX)?, 1)?;
    println!("{}", String::from_utf8(network.decode(&text)?)?);
    match args.next() {
        Some(path) => Ok(network.write(path)?),
        None => Ok(()),
    }
}

/// Goes over the text again and again, and keeps the weights that did best on the part that was held out.
fn learn(
    network: &mut Network,
    train: &[u16],
    valid: &[u16],
    mut settings: Settings,
) -> Result<(), Box<dyn Error>> {
    settings.keep_best = true;
    let mut trainer = Trainer::new(network, train, settings)?;
    for epoch in 1..=EPOCHS {
        while trainer.epochs() < epoch {
            trainer.step()?;
        }
        let perplexity = trainer.network().evaluate(valid)?.value();
        trainer.offer(perplexity);
        if epoch % 5 == 0 {
            let training = trainer.train_perplexity();
            println!("epoch {epoch}: training perplexity {training:.2}, held-out {perplexity:.2}");
        }
    }
    trainer.restore_best();
    Ok(())
}

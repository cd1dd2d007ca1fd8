//! `recurve eval`: the perplexity of a model on a text.

use recurve::host::{Corpus, Network};
use serde_json::json;

use crate::args::EvalArgs;
use crate::failure::Failure;
use crate::report::{self, grouped, number};
use crate::text;

pub fn run(args: &EvalArgs) -> Result<(), Failure> {
    let network = Network::read(&args.model)?;
    let corpus = Corpus::read(&args.text, network.symbols().alphabet())?;
    let name = args.text.display().to_string();
    let tokens = text::encode(&network, corpus, &name)?;
    if tokens.len() < 2 {
        let message =
            format!("{name} has a single character, and none before it to predict it from: give more");
        return Err(Failure::new(message));
    }
    let perplexity = network.evaluate(&tokens)?;
    let (value, nats, tokens) = (perplexity.value(), perplexity.nats_per_token(), perplexity.tokens());
    if args.json {
        return report::print_json(
            &json!({ "perplexity": number(value), "nats_per_token": number(nats), "tokens": tokens }),
        );
    }
    let tokens = grouped(tokens);
    report::print(format!("perplexity {value:.4} ({nats:.5} nats per token, {tokens} tokens)\n").as_bytes())
}

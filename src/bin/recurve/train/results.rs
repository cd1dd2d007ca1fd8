//! What a training run prints.

use std::path::Path;

use recurve::host::Network;
use recurve::host::baseline::OrderReport;
use serde_json::{Value, json};

use crate::args::TrainArgs;
use crate::failure::Failure;
use crate::report::{self, decimals, grouped, number, table};
use crate::sample;
use crate::session::{End, Outcome};

/// Characters of the sample at the end.
const SAMPLE_LENGTH: usize = 300;

/// Prints the results; `written` are the model and the plot, where they were.
pub fn print(
    args: &TrainArgs,
    network: &Network,
    outcome: &Outcome,
    n_grams: &[OrderReport],
    written: (Option<&Path>, Option<&Path>),
) -> Result<(), Failure> {
    if args.json {
        return report::print_json(&object(network, outcome));
    }
    let mut text = summary(network, outcome) + "\n" + &comparison(network, outcome, n_grams);
    // A network that has just been trained may still be unable to write.
    if let Ok(words) = sample::words(network, SAMPLE_LENGTH, args.seed) {
        text += &format!("\nit writes:\n{}\n", words.trim_end());
    }
    if let Some(path) = written.0 {
        let bytes = grouped(network.file().byte_len() as u64);
        text += &format!("\nmodel written to {} ({bytes} bytes)\n", path.display());
    } else if args.out.is_none() {
        text += "\nthe model was not kept: --out FILE writes it\n";
    }
    if let Some(path) = written.1 {
        text += &format!("plot written to {}\n", path.display());
    }
    report::print(text.as_bytes())
}

fn object(network: &Network, outcome: &Outcome) -> Value {
    json!({
        "train_perplexity": number(outcome.train_perplexity),
        "valid_perplexity": outcome.valid_perplexity.map_or(Value::Null, number),
        "tokens_per_second": outcome.tokens_per_second,
        "steps": outcome.steps,
        "epochs": outcome.epochs,
        "seconds": outcome.seconds,
        "parameters": network.params().len(),
    })
}

fn summary(network: &Network, outcome: &Outcome) -> String {
    let sizes = [network.params().len() as u64, outcome.epochs, outcome.steps, outcome.tokens];
    let [parameters, epochs, steps, tokens] = sizes.map(grouped);
    let speed = grouped(outcome.tokens_per_second.round() as u64);
    let (layers, symbols) = (report::layers(network.shape().cell), network.symbols().len());
    let end = match outcome.end {
        End::Limit => "trained for",
        End::Stale => "stopped early after",
        End::Interrupted => "interrupted after",
        End::Unsaved => "stopped after",
    };
    let kept = outcome.kept.map_or_else(String::new, |best| {
        format!("kept the weights of epoch {}, the best on held-out text\n", grouped(best.epochs))
    });
    format!(
        "{layers}, {symbols} symbols, {parameters} parameters\n\
         {end} {epochs} epochs, {steps} steps, {tokens} tokens in {:.1} s, {speed} tokens per second\n{kept}",
        outcome.seconds
    )
}

/// The network's perplexities beside those of the n-gram models.
fn comparison(network: &Network, outcome: &Outcome, n_grams: &[OrderReport]) -> String {
    let train = format!("training perplexity {}\n", decimals(outcome.train_perplexity));
    let Some(valid) = outcome.valid_perplexity else { return train };
    let mut rows: Vec<[String; 3]> = n_grams.iter().map(row).collect();
    let weights = format!("{} weights", grouped(network.params().len() as u64));
    rows.push(["this network".into(), decimals(valid), weights]);
    let beaten: Vec<_> = n_grams.iter().filter(|report| f64::from(valid) < report.perplexity).collect();
    let verdict = match beaten.len() {
        0 => "it beats none of them\n".into(),
        all if all == n_grams.len() => format!("it beats all {all} of them\n"),
        some => format!("it beats {some} of {} of them\n", n_grams.len()),
    };
    format!("{train}\nheld-out text:\n{}{verdict}", table(["model", "perplexity", "stored"], &rows))
}

fn row(report: &OrderReport) -> [String; 3] {
    let contexts = match report.contexts {
        1 => "1 context".into(),
        n => format!("{} contexts", grouped(n as u64)),
    };
    [format!("{}-gram", report.order), format!("{:.2}", report.perplexity), contexts]
}

//! `recurve baseline`: what n-gram models make of a text.

use recurve::host::baseline::{OrderReport, perplexities};
use recurve::host::text::split;
use serde_json::json;

use crate::args::BaselineArgs;
use crate::failure::Failure;
use crate::report::{self, count, grouped, table};
use crate::text::Text;

/// The highest order that a network is compared with.
pub const ORDER: usize = 6;

pub fn run(args: &BaselineArgs) -> Result<(), Failure> {
    let text = Text::read(args.text.as_deref(), &args.reading)?;
    let (train, valid) = split(&text.tokens, args.valid);
    let reports = perplexities(train, valid, text.codes.len(), args.order)?;
    if args.json {
        let list: Vec<f64> = reports.iter().map(|report| report.perplexity).collect();
        return report::print_json(&json!({ "perplexity": list }));
    }
    let rows: Vec<_> = reports.iter().map(row).collect();
    let headings = ["order", "perplexity", "contexts stored", "possible contexts"];
    let sizes = [text.codes.len(), train.len(), valid.len()].map(|n| grouped(n as u64));
    let [symbols, train, valid] = sizes;
    let head = format!("{symbols} symbols, {train} tokens to count, {valid} held out\n");
    report::print((head + &table(headings, &rows)).as_bytes())
}

fn row(report: &OrderReport) -> [String; 4] {
    [
        report.order.to_string(),
        format!("{:.2}", report.perplexity),
        grouped(report.contexts as u64),
        count(report.possible_contexts),
    ]
}

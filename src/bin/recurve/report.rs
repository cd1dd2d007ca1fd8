//! Results on stdout: lines for people, one JSON object for programs.

use std::io::Write;
use std::path::Path;

use recurve::cell::{AnyCell, Cell, CellKind, Layer};
use recurve::format::{ModelFile, Normalization};
use serde_json::{Value, json};

use crate::failure::Failure;

/// Writes all of it, or says why not.
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| Failure::stdout(&error))
}

pub fn print_json(object: &Value) -> Result<(), Failure> {
    print(format!("{object}\n").as_bytes())
}

/// Says what of a model was written, and where to; the keys are those of `inspect`.
pub fn print_written(
    model: ModelFile<'_>,
    what: &str,
    to: &Path,
    bytes: usize,
    json: bool,
) -> Result<(), Failure> {
    let (cell, outputs) = (model.shape.cell, model.shape.outputs);
    let Normalization { inputs, outputs: of_outputs } = model.normalization;
    if json {
        return print_json(&json!({
            "cell": cell.layers().last().map(|layer| layer.kind().name()),
            "hidden": cell.hidden(),
            "inputs": cell.inputs(),
            "outputs": outputs,
            "normalized": { "inputs": inputs.is_some(), "outputs": of_outputs.is_some() },
            "parameters": model.weights.len(),
            "file_bytes": bytes,
        }));
    }
    let (layers, size) = (layers(cell), grouped(bytes as u64));
    let normalized = |is| if is { " (normalised)" } else { "" };
    let sizes = match model.symbols {
        Some(_) => format!("{outputs} symbols"),
        None => format!(
            "{} inputs{}, {outputs} outputs{}",
            cell.inputs(),
            normalized(inputs.is_some()),
            normalized(of_outputs.is_some())
        ),
    };
    let lines = format!("{layers}, {sizes}\n{what} written to {} ({size} bytes)\n", to.display());
    print(lines.as_bytes())
}

/// A number with the digits that it has as `f32`; null if it is not finite.
pub fn number(x: f32) -> Value {
    x.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

/// A number with two decimals; a dash if there is none, as of nothing trained.
pub fn decimals(x: f32) -> String {
    if x.is_nan() { "–".into() } else { format!("{x:.2}") }
}

/// 1234567 as `1,234,567`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count that may be beyond all integers.
pub fn count(n: f64) -> String {
    if n < 1e15 { grouped(n as u64) } else { format!("{n:.1e}") }
}

/// A number with about four digits.
pub fn short(x: f64) -> String {
    let digits = if x == 0.0 || !x.is_finite() { 0 } else { x.abs().log10().floor() as i32 };
    match digits {
        -4..=6 => format!("{x:.*}", (3 - digits).max(0) as usize),
        _ => format!("{x:.3e}"),
    }
}

/// The layers of a network in a few words: what each is, and how many units it has.
pub fn layers(cell: AnyCell) -> String {
    let alike = |a: &Layer, b: &Layer| (a.kind(), a.hidden()) == (b.kind(), b.hidden());
    let words = |layers: &[Layer]| match layers {
        [layer] if layer.kind() == CellKind::Embedding => format!("embedding of {}", layer.hidden()),
        [layer] => format!("{}, {} hidden units", layer.kind(), layer.hidden()),
        layers => format!("{}, {} x {} hidden units", layers[0].kind(), layers.len(), layers[0].hidden()),
    };
    cell.layers().chunk_by(alike).map(words).collect::<Vec<_>>().join(", ")
}

/// Columns under their headings, the numbers to the right.
pub fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.fold(headings[column].chars().count(), usize::max)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |cells: &[String; N]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:>width$}"));
        padded.collect::<Vec<_>>().join("  ") + "\n"
    };
    std::iter::once(&headings.map(String::from)).chain(rows).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use recurve::cell::ActivationKind;

    #[test]
    fn numbers() {
        assert_eq!(number(4.35).to_string(), "4.35");
        assert_eq!([number(f32::NAN), number(f32::INFINITY)], [Value::Null, Value::Null]);
        assert_eq!([4.356, f32::NAN, f32::INFINITY].map(decimals), ["4.36", "–", "inf"]);
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([count(27.0), count(1e15)], ["27", "1.0e15"]);
    }

    #[test]
    fn numbers_keep_four_digits() {
        assert_eq!([0.0, 1.5, 123.456, -0.012_340_1].map(short), ["0.000", "1.500", "123.5", "-0.01234"]);
        assert_eq!([1_234_567.0, 1e9, 1e-9, f64::NAN].map(short), ["1234567", "1.000e9", "1.000e-9", "NaN"]);
    }

    #[test]
    fn layers_in_words() {
        let deep = |kind, inputs, hidden, layers| {
            AnyCell::deep(kind, ActivationKind::Tanh, inputs, hidden, layers).unwrap()
        };
        let grus = deep(CellKind::Gru, 16, 64, 2);
        assert_eq!(layers(grus), "gru, 2 x 64 hidden units");
        let all = deep(CellKind::Embedding, 28, 16, 1).then(grus).unwrap();
        let all = all.then(deep(CellKind::Lstm, 64, 8, 1)).unwrap();
        assert_eq!(layers(all), "embedding of 16, gru, 2 x 64 hidden units, lstm, 8 hidden units");
    }

    #[test]
    fn columns_line_up() {
        let rows = [["1".into(), "10,000".into()]];
        assert_eq!(table(["order", "n"], &rows), "order       n\n    1  10,000\n");
    }
}

//! A column of numbers from a CSV file, and what can be wrong with it, by line.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder, Trim};
use recurve::host::{HostError, Shown};

use crate::failure::Failure;

/// Names of columns that a message lists.
const LISTED: usize = 8;

/// The numbers of a column, from the first line after the one that names it to the last.
pub fn read(path: &Path, column: &str, delimiter: u8) -> Result<Vec<f64>, Failure> {
    let file = |source| HostError::File { path: path.into(), action: "read", source };
    parse(File::open(path).map_err(file)?, path, column, delimiter)
}

/// The same of what has been opened; `path` is its name in messages.
pub fn parse(from: impl Read, path: &Path, column: &str, delimiter: u8) -> Result<Vec<f64>, Failure> {
    let mut reader = ReaderBuilder::new().delimiter(delimiter).trim(Trim::All).from_reader(from);
    let headers = reader.byte_headers().map_err(|error| failed(path, error))?.clone();
    let index = find(path, &headers, column)?;
    let mut values = Vec::new();
    for record in reader.byte_records() {
        let record = record.map_err(|error| failed(path, error))?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = record.get(index).unwrap_or_default();
        values.push(number(cell).map_err(|what| {
            Failure::new(format!("line {line} of {}, column {column:?}: {what}", path.display()))
        })?);
    }
    if values.is_empty() {
        let message =
            format!("{} has no line after the one that names its columns: give a series", path.display());
        return Err(Failure::new(message));
    }
    Ok(values)
}

/// The place of a column among all.
fn find(path: &Path, headers: &ByteRecord, column: &str) -> Result<usize, Failure> {
    // Some programs begin files with a mark.
    let name = |header: &[u8]| String::from_utf8_lossy(header).trim_start_matches('\u{feff}').to_owned();
    let names: Vec<String> = headers.iter().map(name).collect();
    let mut places = names.iter().enumerate().filter(|(_, name)| *name == column).map(|(i, _)| i);
    match (places.next(), places.next()) {
        (Some(index), None) => Ok(index),
        (Some(_), Some(_)) => {
            let file = path.display();
            Err(Failure::new(format!("{file} has several columns {column:?}: give each a name of its own")))
        }
        (None, _) => {
            let file = path.display();
            let hint = if names.len() == 1 { ", or --delimiter if these are several" } else { "" };
            let known = list(&names);
            Err(Failure::new(format!(
                "{file} has no column {column:?}, only {known}: give one of them as --column{hint}"
            )))
        }
    }
}

/// Names as a message lists them: not all, if there are many.
fn list(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(LISTED).map(|name| format!("\"{}\"", Shown(name))).collect();
    let more = names.len().saturating_sub(LISTED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    shown.join(", ") + &rest
}

/// The number in a cell, or what is wrong with it.
fn number(cell: &[u8]) -> Result<f64, String> {
    let text = String::from_utf8_lossy(cell);
    let shown = Shown(&text);
    match text.parse::<f64>() {
        Ok(x) if x.is_finite() => Ok(x),
        _ if text.is_empty() => Err("the value is missing: fill it in, or leave the line out".into()),
        Ok(_) => Err(format!("\"{shown}\" is not finite: fill in a number, or leave the line out")),
        Err(_) if text.replacen(',', ".", 1).parse::<f64>().is_ok() => {
            Err(format!("\"{shown}\" is not a number: write the decimal point as a point"))
        }
        Err(_) => Err(format!("\"{shown}\" is not a number: correct it, or choose another column")),
    }
}

/// What the reader has against the file.
fn failed(path: &Path, error: csv::Error) -> Failure {
    let file = path.display().to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(source) => HostError::File { path: path.into(), action: "read", source }.into(),
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => Failure::new(format!(
            "line {} of {file} has {len} cells where the first has {expected_len}: correct it, or leave it out",
            pos.map_or(0, |pos| pos.line())
        )),
        other => Failure::new(format!("{file} is no CSV file: {other:?}: check how it was written")),
    }
}

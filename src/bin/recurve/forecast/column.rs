//! A column of numbers from a CSV file, and what can be wrong with it, by line.

use std::cell::Cell;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use csv::{ByteRecord, Position, ReaderBuilder, Trim};
use recurve::host::forecast::LIMIT;
use recurve::host::{Shown, read_whole};

use crate::failure::Failure;

/// Names of columns that a message lists.
const LISTED: usize = 8;

/// Bytes of a line at most, from quote to quote if it has some.
const LINE: usize = 1 << 18;

/// The numbers of a column, from the first line after the one that names it to the last.
pub fn read(path: &Path, column: &str, delimiter: u8) -> Result<Vec<f64>, Failure> {
    parse(&read_whole(path)?, path, column, delimiter)
}

/// The same of a file's bytes; `path` is its name in messages.
///
/// They are read twice: there is no room for numbers before all are known to be there.
pub fn parse(from: &[u8], path: &Path, column: &str, delimiter: u8) -> Result<Vec<f64>, Failure> {
    let mut count = 0_usize;
    each(from, path, column, delimiter, |_| count += 1)?;
    if count == 0 {
        let message =
            format!("{} has no line after the one that names its columns: give a series", path.display());
        return Err(Failure::new(message));
    }
    let mut values = Vec::with_capacity(count);
    each(from, path, column, delimiter, |value| values.push(value))?;
    Ok(values)
}

/// Calls `f` with each number of a column.
fn each(
    from: &[u8],
    path: &Path,
    column: &str,
    delimiter: u8,
    mut f: impl FnMut(f64),
) -> Result<(), Failure> {
    let room = Cell::new(LINE);
    let lines = Lines { rest: from, room: &room };
    let mut reader = ReaderBuilder::new().delimiter(delimiter).trim(Trim::All).from_reader(lines);
    let headers = reader.byte_headers().map_err(|error| failed(path, 1, error))?.clone();
    if headers.is_empty() {
        return Err(Failure::new(format!("{} is empty: give a series", path.display())));
    }
    let index = find(path, &headers, column)?;
    let mut record = ByteRecord::new();
    room.set(LINE);
    let mut before = reader.position().clone();
    while reader
        .read_byte_record(&mut record)
        .map_err(|error| failed(path, first_line(from, &before), error))?
    {
        room.set(LINE);
        // The reader passes over empty lines, where a value may be missing.
        if reader.position().line() > before.line() + 1 + newlines(&record) {
            let line = first_line(from, &before);
            let file = path.display();
            return Err(Failure::new(format!(
                "line {line} of {file} is empty: fill in a value, or take it out"
            )));
        }
        before = reader.position().clone();
        let line = record.position().map_or(0, Position::line);
        let value = number(record.get(index).unwrap_or_default());
        f(value.map_err(|what| {
            Failure::new(format!("line {line} of {}, column {column:?}: {what}", path.display()))
        })?);
    }
    Ok(())
}

/// Ends of lines within a record's quotes.
fn newlines(record: &ByteRecord) -> u64 {
    record.as_slice().iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// The line that begins where a record has ended, of whose end two bytes may have been read or one.
fn first_line(from: &[u8], end: &Position) -> u64 {
    let read = usize::try_from(end.byte()).unwrap_or(usize::MAX);
    let half = from.get(..read).is_some_and(|read| read.ends_with(b"\r"));
    end.line() + u64::from(half)
}

/// Bytes that are handed out as long as no line is too long: a reader keeps the whole of one.
struct Lines<'a> {
    rest: &'a [u8],
    /// What may still be handed out before a line ends.
    room: &'a Cell<usize>,
}

impl Read for Lines<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if !self.rest.is_empty() && self.room.get() == 0 {
            return Err(ErrorKind::InvalidData.into());
        }
        let len = to.len().min(self.room.get()).min(self.rest.len());
        let (given, rest) = self.rest.split_at(len);
        to[..len].copy_from_slice(given);
        self.rest = rest;
        self.room.set(self.room.get() - len);
        Ok(len)
    }
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
        Ok(x) if x.abs() <= LIMIT => Ok(x),
        Ok(x) if x.is_finite() => Err(format!(
            "\"{shown}\" is beyond {LIMIT:e}, the most that can be reckoned with: scale the column"
        )),
        _ if text.is_empty() => Err("the value is missing: fill it in, or leave the line out".into()),
        Ok(_) => Err(format!("\"{shown}\" is not finite: fill in a number, or leave the line out")),
        Err(_) if text.replace([',', '\'', '_', ' '], "").parse::<f64>().is_ok() => Err(format!(
            "\"{shown}\" is not a number: write a point before decimals, and nothing between thousands"
        )),
        Err(_) => Err(format!("\"{shown}\" is not a number: correct it, or choose another column")),
    }
}

/// What the reader has against the file, of which it was reading the record that begins on this line.
fn failed(path: &Path, line: u64, error: csv::Error) -> Failure {
    let file = path.display().to_string();
    match error.into_kind() {
        // What is read is in memory: there is nothing else that could fail.
        csv::ErrorKind::Io(_) => Failure::new(format!(
            "line {line} of {file} has more than {LINE} bytes: check how the file was written"
        )),
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => Failure::new(format!(
            "line {} of {file} has {len} cells where the first has {expected_len}: correct it, or leave it out",
            pos.map_or(0, |pos| pos.line())
        )),
        other => Failure::new(format!("{file} is no CSV file: {other:?}: check how it was written")),
    }
}

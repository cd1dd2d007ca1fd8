//! What flags accept: numbers within their ranges, names within their lists.

use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use recurve::cell::{CellKind, MAX_LAYERS};
use recurve::host::{AnyOptimizer, baseline::MAX_ORDER};
use recurve::vocab::MAX_SYMBOLS;
use recurve::{Adam, Sgd};

use crate::checkpoints::Every;

/// Cells on top of each other, at most; there may be an embedding below them.
const MAX_DEPTH: usize = MAX_LAYERS - 1;

/// The optimisers by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OptimizerKind {
    /// Stochastic gradient descent without momentum
    Sgd,
    /// Adam
    #[default]
    Adam,
}

impl OptimizerKind {
    /// With this learning rate and, for Adam, this decay of weights.
    pub fn with(self, lr: f32, weight_decay: f32) -> AnyOptimizer {
        match self {
            Self::Sgd => AnyOptimizer::Sgd(Sgd { lr, momentum: 0.0 }),
            Self::Adam => AnyOptimizer::Adam(Adam { weight_decay, ..Adam::new(lr) }),
        }
    }
}

/// The courses of the learning rate by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ScheduleKind {
    /// Always the same
    Constant,
    /// Up for 5 % of the run, then down by half a cosine
    Cosine,
}

/// Which weights are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Keep {
    /// Those that did best on what is not trained on
    #[default]
    Best,
    /// Those at the end
    Last,
}

/// A number for which `accepted` holds.
fn number<T: FromStr>(text: &str, accepted: impl FnOnce(&T) -> bool, range: &str) -> Result<T, String> {
    text.parse().ok().filter(accepted).ok_or_else(|| format!("it must be {range}"))
}

pub fn size(text: &str) -> Result<usize, String> {
    number(text, |&n| n >= 1, "a whole number from 1")
}

pub fn threads(text: &str) -> Result<usize, String> {
    number(text, |n| (1..=1024).contains(n), "a whole number from 1 to 1024")
}

/// Any cell but an embedding, which goes in front of one.
pub fn cell(name: &str) -> Result<CellKind, String> {
    let cell = name.parse().ok().filter(|kind| *kind != CellKind::Embedding);
    cell.ok_or_else(|| "there are elman, feedforward, gru and lstm".into())
}

pub fn layers(text: &str) -> Result<usize, String> {
    number(text, |n| (1..=MAX_DEPTH).contains(n), &format!("a whole number from 1 to {MAX_DEPTH}"))
}

pub fn total(text: &str) -> Result<u64, String> {
    number(text, |&n| n >= 1, "a whole number from 1")
}

pub fn order(text: &str) -> Result<usize, String> {
    number(text, |n| (1..=MAX_ORDER).contains(n), &format!("a whole number from 1 to {MAX_ORDER}"))
}

pub fn vocabulary(text: &str) -> Result<usize, String> {
    number(text, |n| (1..=MAX_SYMBOLS).contains(n), &format!("a whole number from 1 to {MAX_SYMBOLS}"))
}

pub fn positive(text: &str) -> Result<f32, String> {
    number(text, |x: &f32| *x > 0.0 && x.is_finite(), "a number above 0")
}

pub fn dropout(text: &str) -> Result<f32, String> {
    number(text, |x| (0.0..1.0).contains(x), "a number from 0 to below 1")
}

pub fn bound(text: &str) -> Result<f32, String> {
    number(text, |&x: &f32| x > 0.0, "a number above 0, or inf")
}

pub fn temperature(text: &str) -> Result<f32, String> {
    number(text, |x: &f32| *x >= 0.0 && x.is_finite(), "a number from 0")
}

pub fn seconds(text: &str) -> Result<f64, String> {
    number(text, |&x: &f64| x > 0.0 && Duration::try_from_secs_f64(x).is_ok(), "a number of seconds above 0")
}

/// So many steps, or so many seconds.
pub fn every(text: &str) -> Result<Every, String> {
    let every = match text.strip_suffix('s') {
        Some(text) => seconds(text).map(Every::Seconds),
        None => total(text).map(Every::Steps),
    };
    every.map_err(|_| "it must be a number of steps from 1, or of seconds, such as 30s".into())
}

pub fn share(text: &str) -> Result<f64, String> {
    number(text, |x| (0.0..1.0).contains(x), "a number from 0 to below 1")
}

pub fn delimiter(text: &str) -> Result<u8, String> {
    match (text, text.as_bytes()) {
        ("\\t" | "tab", _) => Ok(b'\t'),
        (_, &[c]) if c.is_ascii_punctuation() && c != b'"' || c == b' ' || c == b'\t' => Ok(c),
        _ => Err("it must be a single character such as , or ; or tab".into()),
    }
}

pub fn held_out(text: &str) -> Result<f64, String> {
    number(text, |&x: &f64| x > 0.0 && x < 1.0, "a number between 0 and 1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!([size("0"), size("-1"), size("x"), size("1.5")].map(|r| r.is_ok()), [false; 4]);
        assert_eq!((size("1"), total("18446744073709551615")), (Ok(1), Ok(u64::MAX)));
        assert!(positive("0").is_err() && positive("nan").is_err() && positive("inf").is_err());
        assert_eq!((bound("inf"), positive("1e-3")), (Ok(f32::INFINITY), Ok(1e-3)));
        assert!(bound("NaN").is_err() && bound("-1").is_err());
        assert!(temperature("-0.1").is_err() && temperature("0").is_ok());
        assert!(seconds("1e300").is_err() && seconds("0").is_err() && seconds("0.5").is_ok());
        assert!(share("1").is_err() && share("0").is_ok() && held_out("0").is_err());
        assert!(cell("gru").is_ok() && cell("embedding").is_err() && cell("").is_err());
        assert!(layers("0").is_err() && layers("9").is_err() && layers("8").is_ok());
        assert_eq!([",", ";", "tab", "\\t", "\t"].map(delimiter), [b',', b';', b'\t', b'\t', b'\t'].map(Ok));
        assert!(["", ",,", "a", "\"", "é"].iter().all(|text| delimiter(text).is_err()));
        assert_eq!((every("7"), every("0.5s")), (Ok(Every::Steps(7)), Ok(Every::Seconds(0.5))));
        assert!(["0", "0s", "s", "1.5", "-1s", "1m", ""].iter().all(|text| every(text).is_err()));
        assert!(order("65").is_err() && vocabulary("65536").is_err() && vocabulary("65535").is_ok());
    }
}

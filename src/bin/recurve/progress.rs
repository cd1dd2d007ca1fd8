//! How a run goes on, on stderr: a bar in a terminal, lines now and then elsewhere, nothing if that is wanted.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::report::{decimals, grouped};

/// The bar's length in its own units.
const LENGTH: u64 = 1000;
/// Time between two states of the bar.
const BAR_INTERVAL: Duration = Duration::from_millis(100);
/// Time between two lines.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// Where a run stands.
#[derive(Debug)]
pub struct Status {
    /// From 0 to 1.
    pub done: f64,
    pub epoch: u64,
    pub epochs: Option<u64>,
    pub tokens_per_second: f64,
    pub train: f32,
    pub valid: Option<f32>,
    pub seconds_left: f64,
}

impl Status {
    fn line(&self) -> String {
        let mut line = format!("epoch {}", self.epoch);
        if let Some(epochs) = self.epochs {
            line += &format!("/{epochs}");
        }
        let speed = grouped(self.tokens_per_second.round() as u64);
        line += &format!(", {speed} tok/s, train {}", decimals(self.train));
        if let Some(valid) = self.valid {
            line += &format!(", valid {}", decimals(valid));
        }
        line + &format!(", {} left", clock(self.seconds_left))
    }
}

/// Seconds as `1:02` or `1:02:03`.
fn clock(seconds: f64) -> String {
    let all = seconds.round() as u64;
    let (hours, minutes, seconds) = (all / 3600, all / 60 % 60, all % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// How it is shown.
enum Display {
    Nothing,
    Lines,
    Bar(ProgressBar),
}

/// The view on a run.
pub struct Progress {
    display: Display,
    last: Instant,
}

impl Progress {
    pub fn new(quiet: bool) -> Self {
        let display = match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => Display::Nothing,
            (false, false) => Display::Lines,
            (false, true) => Display::Bar(bar()),
        };
        Self { display, last: Instant::now() }
    }

    pub fn is_shown(&self) -> bool {
        !matches!(self.display, Display::Nothing)
    }

    /// Whether enough time has passed to show something new.
    pub fn is_due(&self) -> bool {
        match self.display {
            Display::Nothing => false,
            Display::Lines => self.last.elapsed() >= LINE_INTERVAL,
            Display::Bar(_) => self.last.elapsed() >= BAR_INTERVAL,
        }
    }

    pub fn show(&mut self, status: &Status) {
        self.message(status.done, status.line());
    }

    /// Shows how far the run is, from 0 to 1, and a line about it.
    pub fn message(&mut self, done: f64, text: String) {
        self.last = Instant::now();
        match &self.display {
            Display::Nothing => {}
            Display::Lines => line(&text),
            Display::Bar(bar) => {
                bar.set_position((done * LENGTH as f64) as u64);
                bar.set_message(text);
            }
        }
    }

    /// Shows a line that stays.
    pub fn note(&self, text: &str) {
        match &self.display {
            Display::Nothing => {}
            Display::Lines => line(text),
            Display::Bar(bar) => bar.println(text),
        }
    }

    /// Shows what the network writes by now.
    pub fn sample(&self, text: &str) {
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.note(&format!("  {text}"));
    }

    pub fn end(&self) {
        if let Display::Bar(bar) = &self.display {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(LENGTH), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:12.cyan/blue} {wide_msg}") {
        bar.set_style(style);
    }
    bar
}

/// A line on stderr; that nobody can read it is no reason to stop.
fn line(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_fits_a_terminal() {
        let status = Status {
            done: 0.5,
            epoch: 100,
            epochs: Some(500),
            tokens_per_second: 123_456.7,
            train: 12.345,
            valid: Some(23.456),
            seconds_left: 3723.0,
        };
        let line = status.line();
        assert_eq!(line, "epoch 100/500, 123,457 tok/s, train 12.35, valid 23.46, 1:02:03 left");
        assert!(line.len() + 13 < 84 && clock(62.0) == "1:02");
    }
}

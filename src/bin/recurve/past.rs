//! What a run remembers beside its trainer, as lines of a checkpoint's notes.

use std::fmt::Write;
use std::str::FromStr;
use std::time::Duration;

/// Perplexities after a number of steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub step: u64,
    /// Over the steps since the point before, as they were trained.
    pub train: f32,
    pub valid: Option<f32>,
}

/// What a run remembers beside the trainer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// How long it has taken.
    pub elapsed: Duration,
    /// How much of that was training.
    pub training: Duration,
    /// Epochs since the best.
    pub stale: u64,
    pub curve: Vec<Point>,
}

impl Past {
    /// Lines of a name and numbers.
    pub fn lines(&self) -> String {
        let (elapsed, training) = (self.elapsed.as_secs_f64(), self.training.as_secs_f64());
        let mut lines = format!("seconds {elapsed} {training}\nstale {}\n", self.stale);
        for Point { step, train, valid } in &self.curve {
            // The standard library promises that a String takes all.
            let _ = writeln!(lines, "point {step} {train} {}", valid.unwrap_or(f32::NAN));
        }
        lines
    }

    /// What such lines say; nothing if a line says something else.
    pub fn parse(lines: &str) -> Option<Self> {
        let mut past = Self::default();
        for line in lines.lines() {
            let words: Vec<_> = line.split(' ').collect();
            match words[..] {
                ["seconds", elapsed, training] => {
                    (past.elapsed, past.training) = (duration(elapsed)?, duration(training)?);
                }
                ["stale", epochs] => past.stale = number::<u32>(epochs)?.into(),
                ["point", step, train, valid] => past.curve.push(Point {
                    step: number(step)?,
                    train: perplexity(train)??,
                    valid: perplexity(valid)?,
                }),
                _ => return None,
            }
        }
        // A plot ends at the last point.
        past.curve.is_sorted_by_key(|point| point.step).then_some(past)
    }

    /// Whether it can be that of a run that has taken so many steps.
    pub fn fits(&self, steps: u64) -> bool {
        self.curve.last().is_none_or(|point| point.step <= steps)
    }
}

fn number<T: FromStr>(word: &str) -> Option<T> {
    word.parse().ok()
}

/// A perplexity, or NaN for none. It is 1 or more but for rounding; a plot could not show 0.
fn perplexity(word: &str) -> Option<Option<f32>> {
    let x: f32 = number(word)?;
    (x.is_nan() || x > 0.99).then_some((!x.is_nan()).then_some(x))
}

fn duration(word: &str) -> Option<Duration> {
    // Time can be added to what is shorter than the world is old.
    Duration::try_from_secs_f64(number(word)?).ok().filter(|time| time.as_secs() < 1 << 48)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_is_read_as_it_was_written() {
        let point = Point { step: 7, train: 1.25, valid: None };
        let past = Past {
            elapsed: Duration::from_millis(1500),
            training: Duration::from_millis(1250),
            stale: 3,
            curve: vec![point, Point { valid: Some(1.5), ..point }],
        };
        assert!(past.fits(7) && !past.fits(6) && Past::default().fits(0));
        assert_eq!(Past::parse(&past.lines()), Some(past));
        for lines in [
            "seconds -1 0",
            "seconds 1e300 0",
            "seconds 1e19 0",
            "stale x",
            "stale 4294967296",
            "point 1 2",
            "point 1 0 NaN",
            "point 1 NaN NaN",
            "point 1 2 -1",
            "point 2 3 NaN\npoint 1 3 NaN",
            "else 1",
            "\n",
        ] {
            assert_eq!(Past::parse(lines), None, "{lines}");
        }
    }
}

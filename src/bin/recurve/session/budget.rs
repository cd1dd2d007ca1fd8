//! Time for work beside the training.

use std::time::{Duration, Instant};

/// Keeps work beside the training to a share of its time.
pub struct Budget {
    share: f64,
    spent: Duration,
    last: Option<Duration>,
}

impl Budget {
    pub const fn new(share: f64) -> Self {
        Self { share, spent: Duration::ZERO, last: None }
    }

    /// Does the work if there is time for it, as it took the last time or as is guessed.
    pub fn spend<T>(&mut self, training: Duration, guess: f64, work: impl FnOnce() -> T) -> Option<T> {
        let cost = self.last.map_or(guess, |last| last.as_secs_f64());
        if self.spent.as_secs_f64() + cost > training.as_secs_f64() * self.share {
            return None;
        }
        let started = Instant::now();
        let done = work();
        self.last = Some(started.elapsed());
        self.spent += started.elapsed();
        Some(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_hold() {
        let mut budget = Budget::new(0.1);
        let minute = Duration::from_secs(60);
        assert!(budget.spend(minute, 7.0, || ()).is_none());
        assert!(budget.spend(minute, 5.0, || ()).is_some());
        budget.spent = Duration::from_secs(6);
        assert!(budget.spend(minute, 0.0, || ()).is_none());
    }
}

//! What a window is trained for: which outputs have targets, and how long each sequence is.
//!
//! ```text
//! each:  L = 1/N Σ_b Σ_{t < n_b} ℓ(O_tb, y_tb)              N = Σ_b n_b
//! last:  L = 1/N Σ_b ℓ(O_{n_b − 1, b}, y_b)                 N = sequences with n_b > 0
//! mean:  L = 1/N Σ_b ℓ(1/n_b Σ_{t < n_b} O_tb, y_b)
//! ```
//!
//! So every output that is compared with a target is a weighted sum of rows of O, and its gradient goes back to those rows
//! with the same weights.

use super::loss::{Targets, loss, loss_backward};
use super::row;

/// How the outputs of a sequence become one.
#[derive(Clone, Copy, Debug)]
pub enum Readout {
    /// The outputs of its last step.
    Last,
    /// The mean of the outputs of all its steps.
    Mean,
}

/// Targets, and what they belong to.
#[derive(Clone, Debug)]
pub struct Objective {
    /// A target for each row or, with a readout, for each sequence.
    pub targets: Targets,
    /// Whether a sequence has one target, and for what.
    pub readout: Option<Readout>,
    /// n_b, the steps of each sequence, if not all are as long as the window.
    pub lengths: Option<Vec<usize>>,
}

impl From<Targets> for Objective {
    /// A target for each row.
    fn from(targets: Targets) -> Self {
        Self { targets, readout: None, lengths: None }
    }
}

/// An output that is compared with a target.
struct Compared {
    /// The rows of O that it is made of, and their weights.
    rows: Vec<(usize, f64)>,
    target: usize,
}

impl Objective {
    /// n_b of a window of so many steps.
    pub fn length(&self, b: usize, steps: usize) -> usize {
        self.lengths.as_ref().map_or(steps, |lengths| lengths[b])
    }

    fn compared(&self, batch: usize, steps: usize) -> Vec<Compared> {
        let mut all = Vec::new();
        for b in 0..batch {
            let n = self.length(b, steps);
            let rows = (0..n).map(|t| t * batch + b);
            match self.readout {
                None => all.extend(rows.map(|row| Compared { rows: vec![(row, 1.0)], target: row })),
                Some(_) if n == 0 => {}
                Some(Readout::Last) => {
                    all.push(Compared { rows: vec![((n - 1) * batch + b, 1.0)], target: b });
                }
                Some(Readout::Mean) => {
                    all.push(Compared { rows: rows.map(|row| (row, 1.0 / n as f64)).collect(), target: b });
                }
            }
        }
        all
    }

    /// The outputs that are compared, and their targets.
    fn pairs(&self, compared: &[Compared], logits: &[f64], outputs: usize) -> (Vec<f64>, Targets) {
        let sum =
            |one: &Compared, j| one.rows.iter().map(|(i, share)| share * row(logits, *i, outputs)[j]).sum();
        let read = compared.iter().flat_map(|one| (0..outputs).map(move |j| sum(one, j))).collect();
        let targets: Vec<usize> = compared.iter().map(|one| one.target).collect();
        (read, self.targets.pick(&targets, outputs))
    }

    /// The mean loss of a window whose outputs are `logits` (T·B × `outputs`).
    pub fn loss(&self, logits: &[f64], outputs: usize, batch: usize) -> f64 {
        let compared = self.compared(batch, logits.len() / outputs / batch);
        let (read, targets) = self.pairs(&compared, logits, outputs);
        loss(&read, outputs, &targets)
    }

    /// The gradient of [`Objective::loss`] with respect to `logits`, in the same layout.
    pub fn loss_backward(&self, logits: &[f64], outputs: usize, batch: usize) -> Vec<f64> {
        let compared = self.compared(batch, logits.len() / outputs / batch);
        let (read, targets) = self.pairs(&compared, logits, outputs);
        let d_read = loss_backward(&read, outputs, &targets);
        let mut d_logits = vec![0.0; logits.len()];
        for (one, d_o) in compared.iter().zip(d_read.chunks_exact(outputs)) {
            for &(i, share) in &one.rows {
                (0..outputs).for_each(|j| d_logits[i * outputs + j] += share * d_o[j]);
            }
        }
        d_logits
    }
}

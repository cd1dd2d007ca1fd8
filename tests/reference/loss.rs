//! Losses over n rows of outputs, and what they are made of.
//!
//! ```text
//! softmax(o)_j  = exp o_j / Σ_k exp o_k
//! cross-entropy = 1/n Σ_rows −log softmax(o)_token        ∂/∂o_j = (softmax(o)_j − [j = token]) / n
//! squared error = 1/n Σ_rows ½ Σ_j (o_j − y_j)²           ∂/∂o_j = (o_j − y_j) / n
//! Huber's loss  = 1/n Σ_rows Σ_j ρ(o_j − y_j)             ∂/∂o_j = (o_j − y_j, but not beyond ±δ) / n
//!          ρ(r) = ½ r² where |r| ≤ δ, else δ (|r| − ½ δ)
//! perplexity    = exp(−1/n Σ log P(x_t given x_{t−1}, …, x_1))
//! ```
//!
//! The squared error is thus half the squared distance, summed over the outputs and averaged over the rows.

use super::{one_hot, row};

/// What the outputs ought to be; the kind of target chooses the loss.
#[derive(Clone, Debug)]
pub enum Targets {
    /// One token per row: softmax and cross-entropy.
    Tokens(Vec<usize>),
    /// One vector per row: half the squared distance.
    Vectors(Vec<f64>),
    /// One vector per row, and δ: Huber's loss.
    Huber(Vec<f64>, f64),
}

impl Targets {
    /// The targets of these rows, each `outputs` long if it is a vector.
    pub fn pick(&self, rows: &[usize], outputs: usize) -> Self {
        let vectors = |y: &[f64]| rows.iter().flat_map(|&i| row(y, i, outputs).to_vec()).collect();
        match self {
            Self::Tokens(tokens) => Self::Tokens(rows.iter().map(|&i| tokens[i]).collect()),
            Self::Vectors(y) => Self::Vectors(vectors(y)),
            Self::Huber(y, delta) => Self::Huber(vectors(y), *delta),
        }
    }
}

/// `log softmax(o)_j = o_j − m − log Σ_k exp(o_k − m)` with `m = max o`.
pub fn log_softmax(o: &[f64]) -> Vec<f64> {
    let max = o.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let log_sum = o.iter().map(|o| (o - max).exp()).sum::<f64>().ln();
    o.iter().map(|o| o - max - log_sum).collect()
}

/// `softmax(o)_j = exp(log softmax(o)_j)`.
pub fn softmax(o: &[f64]) -> Vec<f64> {
    log_softmax(o).iter().map(|p| p.exp()).collect()
}

/// exp(−1/n Σ log P) of the probabilities P that a model gave to the n tokens that came.
pub fn perplexity(probabilities: &[f64]) -> f64 {
    let log_sum: f64 = probabilities.iter().map(|p| p.ln()).sum();
    (-log_sum / probabilities.len() as f64).exp()
}

/// The mean loss over all rows of `logits`, each `outputs` long.
pub fn loss(logits: &[f64], outputs: usize, targets: &Targets) -> f64 {
    let rows = logits.chunks_exact(outputs);
    let n = rows.len() as f64;
    let sum: f64 = match targets {
        Targets::Tokens(tokens) => rows.zip(tokens).map(|(o, &token)| -log_softmax(o)[token]).sum(),
        Targets::Vectors(y) => rows.zip(y.chunks_exact(outputs)).map(|(o, y)| half_square(o, y)).sum(),
        Targets::Huber(y, delta) => logits.iter().zip(y).map(|(o, y)| rho(o - y, *delta)).sum(),
    };
    sum / n
}

/// The gradient of [`loss`] with respect to `logits`, in the same layout.
pub fn loss_backward(logits: &[f64], outputs: usize, targets: &Targets) -> Vec<f64> {
    let n = (logits.len() / outputs) as f64;
    let less = |p: &[f64], y: &[f64]| p.iter().zip(y).map(|(p, y)| p - y).collect::<Vec<_>>();
    let slopes = match targets {
        Targets::Tokens(tokens) => {
            let p: Vec<f64> = logits.chunks_exact(outputs).flat_map(softmax).collect();
            less(&p, &one_hot(tokens, outputs))
        }
        Targets::Vectors(y) => less(logits, y),
        Targets::Huber(y, delta) => less(logits, y).into_iter().map(|r| r.clamp(-delta, *delta)).collect(),
    };
    slopes.iter().map(|slope| slope / n).collect()
}

/// ρ of Huber's loss.
fn rho(r: f64, delta: f64) -> f64 {
    if r.abs() <= delta { 0.5 * r * r } else { delta * (r.abs() - 0.5 * delta) }
}

/// `½ Σ_j (o_j − y_j)²`.
fn half_square(o: &[f64], y: &[f64]) -> f64 {
    0.5 * o.iter().zip(y).map(|(o, y)| (o - y).powi(2)).sum::<f64>()
}

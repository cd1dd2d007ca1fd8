//! Losses over n rows of outputs, and what they are made of.
//!
//! ```text
//! softmax(o)_j  = exp o_j / Σ_k exp o_k
//! cross-entropy = 1/n Σ_rows −log softmax(o)_token        ∂/∂o_j = (softmax(o)_j − [j = token]) / n
//! squared error = 1/n Σ_rows ½ Σ_j (o_j − y_j)²           ∂/∂o_j = (o_j − y_j) / n
//! perplexity    = exp(−1/n Σ log P(x_t given x_{t−1}, …, x_1))
//! ```
//!
//! The squared error is thus half the squared distance, summed over the outputs and averaged over the rows.

/// What the outputs ought to be; the kind of target chooses the loss.
#[derive(Clone, Debug)]
pub enum Targets {
    /// One token per row: softmax and cross-entropy.
    Tokens(Vec<usize>),
    /// One vector per row: half the squared distance.
    Vectors(Vec<f64>),
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
    };
    sum / n
}

/// The gradient of [`loss`] with respect to `logits`, in the same layout.
pub fn loss_backward(logits: &[f64], outputs: usize, targets: &Targets) -> Vec<f64> {
    let n = (logits.len() / outputs) as f64;
    let expected: Vec<f64> = match targets {
        Targets::Tokens(tokens) => super::one_hot(tokens, outputs),
        Targets::Vectors(y) => y.clone(),
    };
    let predicted: Vec<f64> = match targets {
        Targets::Tokens(_) => logits.chunks_exact(outputs).flat_map(softmax).collect(),
        Targets::Vectors(_) => logits.to_vec(),
    };
    predicted.iter().zip(&expected).map(|(p, y)| (p - y) / n).collect()
}

/// `½ Σ_j (o_j − y_j)²`.
fn half_square(o: &[f64], y: &[f64]) -> f64 {
    0.5 * o.iter().zip(y).map(|(o, y)| (o - y).powi(2)).sum::<f64>()
}

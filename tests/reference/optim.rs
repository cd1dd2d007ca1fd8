//! Clipping by the global norm, gradient descent with momentum, Adam with decoupled weight decay: on flat vectors.
//!
//! ```text
//! clip    g ← g · min(1, c / ‖g‖)
//! SGD     v ← μ v + g;   w ← w − η v                               (PyTorch's momentum; v = 0 at first)
//! AdamW   w ← w − η λ w                                            (every parameter, the biases too)
//!         m ← β₁ m + (1 − β₁) g;   v ← β₂ v + (1 − β₂) g²
//!         w ← w − η · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)     (t = 1 at the first step)
//! ```

/// ‖g‖ = √Σ g².
pub fn global_norm(g: &[f64]) -> f64 {
    g.iter().map(|g| g * g).sum::<f64>().sqrt()
}

/// Scales `g` by min(1, `max_norm` / ‖g‖) and returns the norm that it had.
pub fn clip(g: &mut [f64], max_norm: f64) -> f64 {
    let norm = global_norm(g);
    if norm > max_norm {
        g.iter_mut().for_each(|g| *g *= max_norm / norm);
    }
    norm
}

/// A rule that moves parameters against their gradients.
pub trait Optimizer {
    /// Moves the weights `w` by one step with the gradients `g`.
    fn step(&mut self, w: &mut [f64], g: &[f64]);
}

/// Gradient descent with momentum; with μ = 0, plain gradient descent.
#[derive(Clone, Debug)]
pub struct Sgd {
    /// η.
    pub lr: f64,
    /// μ.
    pub momentum: f64,
    /// v.
    pub velocity: Vec<f64>,
}

impl Sgd {
    /// The rule at rest, for `count` parameters.
    pub fn new(lr: f64, momentum: f64, count: usize) -> Self {
        Self { lr, momentum, velocity: vec![0.0; count] }
    }
}

impl Optimizer for Sgd {
    fn step(&mut self, w: &mut [f64], g: &[f64]) {
        for i in 0..w.len() {
            self.velocity[i] = self.momentum * self.velocity[i] + g[i];
            w[i] -= self.lr * self.velocity[i];
        }
    }
}

/// Adam with decoupled weight decay; with λ = 0, plain Adam.
#[derive(Clone, Debug)]
pub struct AdamW {
    /// η.
    pub lr: f64,
    /// β₁ and β₂.
    pub betas: (f64, f64),
    /// ε, added to the root.
    pub eps: f64,
    /// λ.
    pub weight_decay: f64,
    /// m, the mean of the gradients.
    pub m: Vec<f64>,
    /// v, the mean of their squares.
    pub v: Vec<f64>,
    /// t, how many steps were made.
    pub steps: i32,
}

impl AdamW {
    /// The rule at rest, for `count` parameters.
    pub fn new(lr: f64, betas: (f64, f64), eps: f64, weight_decay: f64, count: usize) -> Self {
        Self { lr, betas, eps, weight_decay, m: vec![0.0; count], v: vec![0.0; count], steps: 0 }
    }
}

impl Optimizer for AdamW {
    fn step(&mut self, w: &mut [f64], g: &[f64]) {
        self.steps += 1;
        let (beta1, beta2) = self.betas;
        let correction1 = 1.0 - beta1.powi(self.steps);
        let correction2 = 1.0 - beta2.powi(self.steps);
        for i in 0..w.len() {
            w[i] -= self.lr * self.weight_decay * w[i];
            self.m[i] = beta1 * self.m[i] + (1.0 - beta1) * g[i];
            self.v[i] = beta2 * self.v[i] + (1.0 - beta2) * g[i] * g[i];
            let (m, v) = (self.m[i] / correction1, self.v[i] / correction2);
            w[i] -= self.lr * m / (v.sqrt() + self.eps);
        }
    }
}

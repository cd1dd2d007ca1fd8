//! The naive f64 reference of the networks: the specification that everything else is tested against.
//!
//! It is written from the formulas with `Vec<f64>` and plain loops, one sequence and one step at a time, and
//! it knows nothing of the crate under test. Vectors are rows and multiply matrices from the left; matrices are
//! row-major.
//!
//! ```text
//! H_t = φ(X_t W_xh + H_{t−1} W_hh + b_h)     elman.rs         a cell turns X_t and its state into H_t
//! H_t = φ(X_t W_xh + b_h)                    feedforward.rs   a cell without a state
//! H_t = X_t W_e                              embedding.rs    a vector for each token
//! R_t, Z_t, N_t, H_t                         gru.rs           a cell with a reset and an update gate
//! I_t, F_t, G_t, O_t, C_t, H_t               lstm.rs          a cell with a memory beside H_t
//! H¹_t = X²_t, …                              stack.rs        cells on top of each other
//! O_t = H_t W_hq + b_q                       dense.rs         the output layer
//! L   = mean over B·T of ℓ(O_t, target_t)    loss.rs
//! … over fewer, or of the mean over t of O_t objective.rs    sequences of several lengths, or with one target
//! ∂L/∂(every parameter, X, H_0)              network.rs       back-propagation through the steps of a window
//! w ← w − η·(what the rule makes of ∂L/∂w)   optim.rs
//! ```
//!
//! A window of T steps of a batch of B sequences is time-major: row t·B + b belongs to step t of sequence b.
//! A further cell is a further file that implements [`Cell`]; batch, time, loss and training are written once.

pub mod dense;
pub mod differences;
pub mod elman;
pub mod embedding;
pub mod feedforward;
pub mod gru;
pub mod loss;
pub mod lstm;
pub mod matrix;
pub mod network;
pub mod objective;
pub mod optim;
pub mod random;
pub mod stack;

/// The function φ between the weighted sum and the hidden value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// φ(z) = tanh z.
    Tanh,
    /// φ(z) = max(z, 0).
    Relu,
}

impl Activation {
    /// φ(z).
    pub fn apply(self, z: f64) -> f64 {
        match self {
            Self::Tanh => z.tanh(),
            Self::Relu => z.max(0.0),
        }
    }

    /// φ′(z), in terms of the value h = φ(z); at its kink, `Relu` has the derivative 0.
    pub fn derivative(self, h: f64) -> f64 {
        match self {
            Self::Tanh => 1.0 - h * h,
            Self::Relu => f64::from(h > 0.0),
        }
    }
}

/// σ(z) = 1 / (1 + e⁻ᶻ).
pub fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// What one step of a cell gives for one sequence.
pub struct Step {
    /// The hidden values that the output layer reads: `hidden` numbers.
    pub h: Vec<f64>,
    /// What the next step of the same sequence receives: `state` numbers.
    pub state: Vec<f64>,
}

/// The gradients that leave one step of a cell backwards.
pub struct StepGradients {
    /// With respect to the input of the step: `inputs` numbers.
    pub d_x: Vec<f64>,
    /// With respect to the state before the step: `state` numbers.
    pub d_state: Vec<f64>,
}

/// A recurrent cell with its parameters; a value of the same type also holds the gradients of the parameters.
pub trait Cell: Clone {
    /// Length of an input vector.
    fn inputs(&self) -> usize;

    /// Length of the hidden vector that the output layer reads.
    fn hidden(&self) -> usize;

    /// How many numbers one sequence carries from step to step: none for a cell without memory.
    fn state(&self) -> usize;

    /// The names and values of the parameters, in the order in which they are laid out flat.
    fn tensors(&self) -> Vec<(&'static str, &[f64])>;

    /// The same parameters in the same order, to write to.
    fn tensors_mut(&mut self) -> Vec<&mut [f64]>;

    /// One step of one sequence: from the input `x` and the `state` before it to the hidden values and the state
    /// after it.
    fn step(&self, x: &[f64], state: &[f64]) -> Step;

    /// The same step backwards. `d_h` comes from the output layer, `d_state` from the step after it (zero at the
    /// last step). The gradients of the parameters are added to `d_cell`.
    fn step_backward(
        &self,
        x: &[f64],
        state: &[f64],
        d_h: &[f64],
        d_state: &[f64],
        d_cell: &mut Self,
    ) -> StepGradients;
}

/// Row `index` of a row-major matrix with rows of `width` numbers.
pub fn row(matrix: &[f64], index: usize, width: usize) -> &[f64] {
    &matrix[index * width..][..width]
}

/// Tokens as vectors: row i is zero but for a one at `tokens[i]`.
pub fn one_hot(tokens: &[usize], size: usize) -> Vec<f64> {
    tokens.iter().flat_map(|&token| (0..size).map(move |i| f64::from(i == token))).collect()
}

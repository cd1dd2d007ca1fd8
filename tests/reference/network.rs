//! A cell and an output layer over one window: forward, loss, and truncated back-propagation through time.
//!
//! The window starts from a given state and ends in a state that the next window may start from. Gradients flow
//! back through all T steps to the initial state and are cut there: what came before the window is a constant.
//!
//! ```text
//! for t = 0 … T−1:      H_t, S_t = cell(X_t, S_{t−1});   O_t = H_t W_hq + b_q
//! for t = T−1 … 0:      ∂L/∂H_t from the output layer,    ∂L/∂S_t from step t+1 (zero at t = T−1)
//! ```

use super::dense::Dense;
use super::objective::Objective;
use super::{Cell, row};

/// A cell and the output layer that reads its hidden values; or the gradients of their parameters.
#[derive(Clone, Debug)]
pub struct Network<C> {
    /// The recurrent part.
    pub cell: C,
    /// The output layer.
    pub dense: Dense,
}

/// T steps of B sequences, time-major: row t·B + b belongs to step t of sequence b.
#[derive(Clone, Debug)]
pub struct Window {
    /// B.
    pub batch: usize,
    /// X (T·B × inputs); for tokens see [`super::one_hot`].
    pub x: Vec<f64>,
    /// What the outputs are compared with.
    pub objective: Objective,
}

/// What the forward pass of a window computes.
#[derive(Clone, Debug)]
pub struct Forward {
    /// H (T·B × hidden).
    pub h: Vec<f64>,
    /// O (T·B × outputs).
    pub logits: Vec<f64>,
    /// The mean loss over all targets.
    pub loss: f64,
    /// The state after the last step (B × state); zero of sequences that are over before it.
    pub state: Vec<f64>,
    /// The state before each step (T·B × state), which the backward pass reads.
    pub states_before: Vec<f64>,
}

/// The gradients of the loss of one window.
#[derive(Clone, Debug)]
pub struct Gradients<C> {
    /// With respect to the parameters, in the parameters' own layout.
    pub parameters: Network<C>,
    /// With respect to X (T·B × inputs).
    pub x: Vec<f64>,
    /// With respect to the initial state (B × state).
    pub state: Vec<f64>,
}

impl<C: Cell> Network<C> {
    /// The cell with an output layer of zeros.
    pub fn new(cell: C, outputs: usize) -> Self {
        let dense = Dense::zeros(cell.hidden(), outputs);
        Self { cell, dense }
    }

    /// The names and values of all parameters: those of the cell, then `w_hq`, then `b_q`.
    pub fn tensors(&self) -> Vec<(&'static str, &[f64])> {
        let mut tensors = self.cell.tensors();
        tensors.push(("w_hq", &self.dense.w_hq));
        tensors.push(("b_q", &self.dense.b_q));
        tensors
    }

    /// How many parameters there are.
    pub fn count(&self) -> usize {
        self.tensors().iter().map(|(_, values)| values.len()).sum()
    }

    /// All parameters one after the other, in the order of [`Network::tensors`].
    pub fn flat(&self) -> Vec<f64> {
        self.tensors().iter().flat_map(|(_, values)| values.iter().copied()).collect()
    }

    /// A network of the same kind and sizes with these parameters, laid out as [`Network::flat`] gives them.
    pub fn with_flat(&self, flat: &[f64]) -> Self {
        assert_eq!(flat.len(), self.count());
        let mut network = self.clone();
        let mut rest = flat;
        let mut tensors = network.cell.tensors_mut();
        tensors.extend([&mut network.dense.w_hq[..], &mut network.dense.b_q[..]]);
        for tensor in tensors {
            let (values, after) = rest.split_at(tensor.len());
            tensor.copy_from_slice(values);
            rest = after;
        }
        network
    }

    /// Runs the window from `state` (B × state).
    pub fn forward(&self, window: &Window, state: &[f64]) -> Forward {
        let (cell, batch) = (&self.cell, window.batch);
        let rows = window.x.len() / cell.inputs();
        assert_eq!(state.len(), batch * cell.state());
        assert_eq!(rows % batch, 0, "every step has a row for each sequence");

        let (mut h, mut logits, mut states_before) = (Vec::new(), Vec::new(), Vec::new());
        let mut state = state.to_vec();
        for t in 0..rows / batch {
            states_before.extend_from_slice(&state);
            let mut state_after = Vec::new();
            for b in 0..batch {
                let x = row(&window.x, t * batch + b, cell.inputs());
                let step = cell.step(x, row(&state, b, cell.state()));
                logits.extend(self.dense.forward(&step.h));
                h.extend(step.h);
                state_after.extend(step.state);
            }
            state = state_after;
        }
        for b in (0..batch).filter(|&b| window.objective.length(b, rows / batch) < rows / batch) {
            state[b * cell.state()..][..cell.state()].fill(0.0);
        }
        let loss = window.objective.loss(&logits, self.dense.outputs, batch);
        Forward { h, logits, loss, state, states_before }
    }

    /// The gradients of the loss that [`Network::forward`] computed for the window.
    pub fn backward(&self, window: &Window, forward: &Forward) -> Gradients<C> {
        let (cell, batch) = (&self.cell, window.batch);
        let (d, s) = (cell.inputs(), cell.state());
        let d_logits = window.objective.loss_backward(&forward.logits, self.dense.outputs, batch);

        let mut parameters = self.with_flat(&vec![0.0; self.count()]);
        let mut d_x = vec![0.0; window.x.len()];
        let mut d_state = vec![0.0; batch * s];
        for t in (0..window.x.len() / d / batch).rev() {
            for b in 0..batch {
                let i = t * batch + b;
                let d_o = row(&d_logits, i, self.dense.outputs);
                let d_h = self.dense.backward(row(&forward.h, i, cell.hidden()), d_o, &mut parameters.dense);
                let step = cell.step_backward(
                    row(&window.x, i, d),
                    row(&forward.states_before, i, s),
                    &d_h,
                    row(&d_state, b, s),
                    &mut parameters.cell,
                );
                d_x[i * d..][..d].copy_from_slice(&step.d_x);
                d_state[b * s..][..s].copy_from_slice(&step.d_state);
            }
        }
        Gradients { parameters, x: d_x, state: d_state }
    }

    /// Forward, then backward.
    pub fn gradients(&self, window: &Window, state: &[f64]) -> (Forward, Gradients<C>) {
        let forward = self.forward(window, state);
        let gradients = self.backward(window, &forward);
        (forward, gradients)
    }
}

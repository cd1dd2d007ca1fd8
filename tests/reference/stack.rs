//! Cells of any kind on top of each other: at each step, `H_t` of one is `X_t` of the next.
//!
//! The state of a sequence is that of the first cell, then that of the second, and so on.

use super::elman::Elman;
use super::embedding::Embedding;
use super::feedforward::Feedforward;
use super::gru::Gru;
use super::lstm::Lstm;
use super::{Cell, Step, StepGradients};

/// A cell of any kind, or the gradients of its parameters.
#[derive(Clone, Debug)]
pub enum Layer {
    Elman(Elman),
    Embedding(Embedding),
    Feedforward(Feedforward),
    Gru(Gru),
    Lstm(Lstm),
}

/// Does the same with the cell inside.
macro_rules! of_kind {
    ($layer:expr, $cell:ident => $body:expr) => {
        match $layer {
            Layer::Elman($cell) => $body,
            Layer::Embedding($cell) => $body,
            Layer::Feedforward($cell) => $body,
            Layer::Gru($cell) => $body,
            Layer::Lstm($cell) => $body,
        }
    };
}

impl Layer {
    fn step_backward(
        &self,
        x: &[f64],
        state: &[f64],
        d_h: &[f64],
        d_state: &[f64],
        d_layer: &mut Self,
    ) -> StepGradients {
        match (self, d_layer) {
            (Self::Elman(cell), Self::Elman(d)) => cell.step_backward(x, state, d_h, d_state, d),
            (Self::Embedding(cell), Self::Embedding(d)) => cell.step_backward(x, state, d_h, d_state, d),
            (Self::Feedforward(cell), Self::Feedforward(d)) => cell.step_backward(x, state, d_h, d_state, d),
            (Self::Gru(cell), Self::Gru(d)) => cell.step_backward(x, state, d_h, d_state, d),
            (Self::Lstm(cell), Self::Lstm(d)) => cell.step_backward(x, state, d_h, d_state, d),
            _ => panic!("gradients of another kind of cell"),
        }
    }
}

/// At least one layer, from the inputs up; or the gradients of their parameters.
#[derive(Clone, Debug)]
pub struct Stack(pub Vec<Layer>);

impl Stack {
    /// How many parameters the last layer has.
    pub fn last_count(&self) -> usize {
        let last = self.0.last().expect("a layer");
        of_kind!(last, cell => cell.tensors().iter().map(|(_, values)| values.len()).sum())
    }

    /// Each layer's part of the numbers of one sequence.
    fn split<'a>(&self, mut state: &'a [f64]) -> Vec<&'a [f64]> {
        let mut parts = Vec::new();
        for layer in &self.0 {
            let (part, rest) = state.split_at(of_kind!(layer, cell => cell.state()));
            parts.push(part);
            state = rest;
        }
        assert!(state.is_empty());
        parts
    }

    fn steps(&self, x: &[f64], state: &[f64]) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for (layer, state) in self.0.iter().zip(self.split(state)) {
            let x = steps.last().map_or(x, |below| &below.h);
            let step = of_kind!(layer, cell => cell.step(x, state));
            steps.push(step);
        }
        steps
    }
}

/// A tensor's name with its layer; leaked, as there are few.
fn label(layer: usize, name: &str) -> &'static str {
    format!("{}.{name}", layer + 1).leak()
}

impl Cell for Stack {
    fn inputs(&self) -> usize {
        of_kind!(&self.0[0], cell => cell.inputs())
    }

    fn hidden(&self) -> usize {
        of_kind!(self.0.last().expect("a layer"), cell => cell.hidden())
    }

    fn state(&self) -> usize {
        self.0.iter().map(|layer| of_kind!(layer, cell => cell.state())).sum()
    }

    fn tensors(&self) -> Vec<(&'static str, &[f64])> {
        if let [only] = &self.0[..] {
            return of_kind!(only, cell => cell.tensors());
        }
        let layers = self.0.iter().enumerate();
        let named = layers.flat_map(|(i, layer)| {
            let tensors = of_kind!(layer, cell => cell.tensors());
            tensors.into_iter().map(move |(name, values)| (label(i, name), values))
        });
        named.collect()
    }

    fn tensors_mut(&mut self) -> Vec<&mut [f64]> {
        self.0.iter_mut().flat_map(|layer| of_kind!(layer, cell => cell.tensors_mut())).collect()
    }

    fn step(&self, x: &[f64], state: &[f64]) -> Step {
        let mut steps = self.steps(x, state);
        let state = steps.iter().flat_map(|step| step.state.iter().copied()).collect();
        Step { h: steps.pop().expect("a layer").h, state }
    }

    /// From the last layer to the first: the gradient of a layer's input is that of the output of the one below.
    fn step_backward(
        &self,
        x: &[f64],
        state: &[f64],
        d_h: &[f64],
        d_state: &[f64],
        d_cell: &mut Self,
    ) -> StepGradients {
        let steps = self.steps(x, state);
        let (states, d_states) = (self.split(state), self.split(d_state));
        let (mut d_x, mut d_state) = (d_h.to_vec(), Vec::new());
        for (i, layer) in self.0.iter().enumerate().rev() {
            let x = if i == 0 { x } else { &steps[i - 1].h };
            let own = layer.step_backward(x, states[i], &d_x, d_states[i], &mut d_cell.0[i]);
            d_x = own.d_x;
            d_state = [own.d_state, d_state].concat();
        }
        StepGradients { d_x, d_state }
    }
}

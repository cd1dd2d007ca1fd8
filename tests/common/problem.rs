//! Random problems, and their translation for the f64 reference.

use proptest::prelude::*;
use proptest::sample::select;
use recurve::cell::{ActivationKind, AnyCell, Cell, CellKind, Extent, GruShape, ResetKind};
use recurve::host::tensors;
use recurve::{Inputs, ModelShape, Targets};

use super::compare::f64s;
use crate::reference;
use crate::reference::elman::Elman;
use crate::reference::feedforward::Feedforward;
use crate::reference::gru::Gru;
use crate::reference::lstm::Lstm;
use crate::reference::network::{Forward, Network, Window};
use crate::reference::random::Random;

/// Widths that leave every remainder of tiles and registers, on both sides of each limit of `chains`.
pub const WIDTHS: [usize; 10] = [1, 2, 3, 5, 7, 17, 31, 33, 65, 67];

/// Everything that a problem depends on.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub kind: CellKind,
    pub activation: ActivationKind,
    pub reset: ResetKind,
    pub inputs: usize,
    pub hidden: usize,
    pub outputs: usize,
    pub batch: usize,
    pub window: usize,
    /// Whether inputs are tokens, and not vectors.
    pub reads_tokens: bool,
    /// Whether targets are tokens (cross-entropy), and not vectors (squared error).
    pub predicts_tokens: bool,
    pub seed: u64,
}

impl Sizes {
    /// The cell; the activation and where the reset gate is applied are for those that have a choice.
    pub fn cell(self) -> AnyCell {
        match AnyCell::new(self.kind, self.activation, self.inputs, self.hidden) {
            AnyCell::Gru(gru) => AnyCell::Gru(GruShape { reset: self.reset, ..gru }),
            cell => cell,
        }
    }
}

/// Sizes of any cell, any activation, any kind of inputs and targets.
pub fn sizes() -> impl Strategy<Value = Sizes> {
    let cells = (
        select(CellKind::ALL),
        select(vec![ActivationKind::Tanh, ActivationKind::Relu]),
        select(ResetKind::ALL),
        select(vec![1, 2, 3, 5, 9, 33]),
        select(WIDTHS.to_vec()),
        select(vec![1, 2, 3, 6, 29, 34, 66]),
    );
    let windows = (select(vec![1, 2, 3, 5]), 1..=5_usize, any::<bool>(), any::<bool>(), any::<u64>());
    (cells, windows).prop_map(
        |(
            (kind, activation, reset, inputs, hidden, outputs),
            (batch, window, reads_tokens, predicts_tokens, seed),
        )| {
            Sizes {
                kind,
                activation,
                reset,
                inputs,
                hidden,
                outputs,
                batch,
                window,
                reads_tokens,
                predicts_tokens,
                seed,
            }
        },
    )
}

/// Inputs or targets of several rows.
#[derive(Clone, Debug)]
pub enum Rows {
    Tokens(Vec<u16>),
    /// Vectors, and their length.
    Vectors(Vec<f32>, usize),
}

impl Rows {
    pub fn inputs(&self) -> Inputs<'_> {
        match self {
            Self::Tokens(tokens) => Inputs::Tokens(tokens),
            Self::Vectors(x, _) => Inputs::Vectors(x),
        }
    }

    pub fn targets(&self) -> Targets<'_> {
        match self {
            Self::Tokens(tokens) => Targets::Tokens(tokens),
            Self::Vectors(y, _) => Targets::Vectors(y),
        }
    }

    /// Some of the rows.
    pub fn pick(&self, rows: impl Iterator<Item = usize>) -> Self {
        match self {
            Self::Tokens(tokens) => Self::Tokens(rows.map(|row| tokens[row]).collect()),
            Self::Vectors(x, width) => {
                Self::Vectors(rows.flat_map(|row| &x[row * width..][..*width]).copied().collect(), *width)
            }
        }
    }
}

/// A model, a state and a window.
#[derive(Clone, Debug)]
pub struct Problem {
    pub shape: ModelShape<AnyCell>,
    pub extent: Extent,
    pub params: Vec<f32>,
    pub state: Vec<f32>,
    pub inputs: Rows,
    pub targets: Rows,
}

/// `count` numbers in −scale … scale.
#[expect(clippy::cast_possible_truncation, reason = "rounding is wanted")]
pub fn numbers(random: &mut Random, count: usize, scale: f64) -> Vec<f32> {
    random.values(count, scale).into_iter().map(|x| x as f32).collect()
}

fn tokens(random: &mut Random, count: usize, symbols: usize) -> Vec<u16> {
    let tokens = random.tokens(count, symbols);
    tokens.into_iter().map(|token| u16::try_from(token).expect("a small vocabulary")).collect()
}

/// 1/√n, so that a sum over n random weights is about as large as a term of it.
fn root(n: usize) -> f64 {
    f64::from(u32::try_from(n).expect("a small size")).sqrt().recip()
}

/// Does something with the reference's cell of a problem's kind and sizes, all weights zero.
macro_rules! on_reference {
    ($problem:expr, $cell:ident => $body:expr) => {{
        let activation = match $problem.shape.cell.activation() {
            ActivationKind::Relu => reference::Activation::Relu,
            _ => reference::Activation::Tanh,
        };
        match $problem.shape.cell {
            AnyCell::Elman(c) => {
                let $cell = Elman::zeros(c.inputs, c.hidden, activation);
                $body
            }
            AnyCell::Feedforward(c) => {
                let $cell = Feedforward::zeros(c.inputs, c.hidden, activation);
                $body
            }
            AnyCell::Gru(c) => {
                let $cell = Gru::zeros(c.inputs, c.hidden, c.reset == ResetKind::After);
                $body
            }
            AnyCell::Lstm(c) => {
                let $cell = Lstm::zeros(c.inputs, c.hidden);
                $body
            }
            other => panic!("no reference for {other:?}"),
        }
    }};
}

impl Problem {
    /// Draws a problem in which no gradient is a small difference of large numbers: pre-activations stay about
    /// ±1, and target vectors keep a distance from the outputs.
    pub fn new(sizes: Sizes) -> Self {
        let Sizes { inputs, hidden, outputs, batch, window, .. } = sizes;
        let shape = ModelShape { cell: sizes.cell(), outputs };
        let mut random = Random::new(sizes.seed);
        let rows = batch * window;

        let scale = if sizes.reads_tokens { 1.0 } else { root(inputs) };
        let mut params = Vec::new();
        for tensor in tensors(shape) {
            let scale = match tensor.name {
                name if name.starts_with("w_x") => scale,
                name if name.starts_with("w_h") => root(hidden),
                _ => 0.5,
            };
            params.extend(numbers(&mut random, tensor.len(), scale));
        }

        let x = if sizes.reads_tokens {
            Rows::Tokens(tokens(&mut random, rows, inputs))
        } else {
            Rows::Vectors(numbers(&mut random, rows * inputs, 1.0), inputs)
        };
        let y = if sizes.predicts_tokens {
            Rows::Tokens(tokens(&mut random, rows, outputs))
        } else {
            let y = numbers(&mut random, rows * outputs, 1.0).into_iter().map(|y| y + 4.0);
            Rows::Vectors(y.collect(), outputs)
        };
        let state = numbers(&mut random, shape.state_len(batch), 1.0);
        Self { shape, extent: Extent { batch, window }, params, state, inputs: x, targets: y }
    }

    /// The problem's window as the reference takes it.
    pub fn reference_window(&self, inputs: usize) -> Window {
        let whole = |tokens: &[u16]| tokens.iter().map(|&t| usize::from(t)).collect::<Vec<_>>();
        let x = match &self.inputs {
            Rows::Tokens(tokens) => reference::one_hot(&whole(tokens), inputs),
            Rows::Vectors(x, _) => f64s(x),
        };
        let targets = match &self.targets {
            Rows::Tokens(tokens) => reference::loss::Targets::Tokens(whole(tokens)),
            Rows::Vectors(y, _) => reference::loss::Targets::Vectors(f64s(y)),
        };
        Window { batch: self.extent.batch, x, targets }
    }

    /// The reference's answer.
    pub fn expected(&self) -> Expected {
        on_reference!(self, cell => self.answer(cell))
    }

    /// The reference's forward pass with other weights than the problem's.
    pub fn reference_forward(&self, params: &[f64]) -> Forward {
        on_reference!(self, cell => {
            let window = self.reference_window(self.shape.cell.inputs());
            let network = Network::new(cell, self.shape.outputs).with_flat(params);
            network.forward(&window, &self.reference_state(&network))
        })
    }

    /// The state as the reference takes it: of a layer without memory, which the crate's has, none.
    fn reference_state<C: reference::Cell>(&self, network: &Network<C>) -> Vec<f64> {
        let (batch, hidden) = (self.extent.batch, self.shape.cell.hidden());
        let remembers = network.cell.state() > 0;
        if remembers { by_sequence(&f64s(&self.state), batch, hidden) } else { Vec::new() }
    }

    fn answer<C: reference::Cell>(&self, cell: C) -> Expected {
        let window = self.reference_window(self.shape.cell.inputs());
        let network = Network::new(cell, self.shape.outputs).with_flat(&f64s(&self.params));
        // The crate's state of a layer without memory is its last output, which nothing reads.
        let (batch, hidden) = (self.extent.batch, self.shape.cell.hidden());
        let remembers = network.cell.state() > 0;
        let state = self.reference_state(&network);
        let (forward, gradients) = network.gradients(&window, &state);
        let last = forward.h[forward.h.len() - batch * hidden..].to_vec();
        let tensors = gradients.parameters.tensors();
        Expected {
            loss: forward.loss,
            margin: margin(&network, &window, &forward),
            state: if remembers { by_part(&forward.state, batch, hidden) } else { last },
            h: forward.h,
            logits: forward.logits,
            gradients: tensors.into_iter().map(|(name, values)| (name, values.to_vec())).collect(),
        }
    }
}

/// From the crate's layout of a state, H of all sequences and then C of all, to one sequence after the other.
pub fn by_sequence(state: &[f64], batch: usize, hidden: usize) -> Vec<f64> {
    transposed(state, batch, hidden)
}

/// The other way round.
pub fn by_part(state: &[f64], batch: usize, hidden: usize) -> Vec<f64> {
    transposed(state, state.len() / (batch * hidden), hidden)
}

/// A matrix of vectors with `width` elements, row-major with `columns` columns, transposed.
fn transposed(of: &[f64], columns: usize, width: usize) -> Vec<f64> {
    let rows = of.len() / (columns * width).max(1);
    let vectors = (0..columns).flat_map(|column| (0..rows).map(move |row| row * columns + column));
    vectors.flat_map(|vector| of[vector * width..][..width].iter().copied()).collect()
}

/// How near to zero any rectified unit's pre-activation z comes: rounding must not carry it across.
///
/// A unit shows max(z, 0), and with the signs of its weights changed max(−z, 0).
fn margin<C: reference::Cell>(network: &Network<C>, window: &Window, forward: &Forward) -> f64 {
    let negative: Vec<f64> = network.flat().iter().map(|w| -w).collect();
    let mirror = network.with_flat(&negative).cell;
    let mut states = forward.states_before.chunks_exact(mirror.state().max(1));
    let mirrored = window.x.chunks_exact(mirror.inputs());
    let mirrored = mirrored.flat_map(|x| mirror.step(x, states.next().unwrap_or_default()).h);
    mirrored.zip(&forward.h).map(|(m, h)| m.max(*h)).fold(f64::INFINITY, f64::min)
}

/// What the reference computes for a problem.
#[derive(Clone, Debug)]
pub struct Expected {
    pub loss: f64,
    /// See [`margin`]; without meaning for tanh.
    pub margin: f64,
    pub h: Vec<f64>,
    pub logits: Vec<f64>,
    pub state: Vec<f64>,
    pub gradients: Vec<(&'static str, Vec<f64>)>,
}

//! Random problems, and their translation for the f64 reference.

use proptest::prelude::*;
use proptest::sample::select;
use recurve::cell::{ActivationKind, AnyCell, Cell, CellKind, Extent, GruShape, Layer, ResetKind};
use recurve::host::tensors;
use recurve::{Inputs, ModelShape, Targets};

use super::compare::f64s;
use super::states::by_sequence;
use crate::reference;
use crate::reference::Cell as _;
use crate::reference::elman::Elman;
use crate::reference::embedding::Embedding;
use crate::reference::feedforward::Feedforward;
use crate::reference::gru::Gru;
use crate::reference::lstm::Lstm;
use crate::reference::network::{Forward, Network, Window};
use crate::reference::random::Random;
use crate::reference::stack::Stack;

/// Widths that leave every remainder of tiles and registers, on both sides of each limit of `chains`.
pub const WIDTHS: [usize; 10] = [1, 2, 3, 5, 7, 17, 31, 33, 65, 67];

/// Everything that a problem depends on.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub cell: AnyCell,
    pub outputs: usize,
    pub batch: usize,
    pub window: usize,
    /// Whether inputs are tokens, and not vectors.
    pub reads_tokens: bool,
    /// Whether targets are tokens (cross-entropy), and not vectors (squared error).
    pub predicts_tokens: bool,
    pub seed: u64,
}

/// A single cell; the activation and where the reset gate is applied are for those that have a choice.
pub fn cell(
    kind: CellKind,
    activation: ActivationKind,
    reset: ResetKind,
    inputs: usize,
    hidden: usize,
) -> AnyCell {
    match Layer::new(kind, activation, inputs, hidden) {
        Layer::Gru(gru) => GruShape { reset, ..gru }.into(),
        layer => layer.into(),
    }
}

/// A cell of any kind, or a stack of two or three of different widths, with these inputs and hidden units. Rectified
/// units are in the last layer only, where [`Expected::margin`] watches them.
pub fn cells(inputs: Vec<usize>, hidden: Vec<usize>) -> impl Strategy<Value = AnyCell> {
    let kind = || (select(CellKind::ALL), select(ResetKind::ALL));
    let below = prop::collection::vec((kind(), select(vec![1, 2, 5, 9, 33])), 0..=2);
    let activation = select(vec![ActivationKind::Tanh, ActivationKind::Relu]);
    (below, kind(), activation, select(inputs), select(hidden)).prop_map(
        |(below, (kind, reset), activation, inputs, hidden)| {
            let (mut stack, mut width) = (None::<AnyCell>, inputs);
            let below = below.into_iter().map(|((kind, reset), h)| (kind, ActivationKind::Tanh, reset, h));
            for (kind, activation, reset, h) in below.chain([(kind, activation, reset, hidden)]) {
                let layer = cell(kind, activation, reset, width, h);
                stack = Some(stack.map_or(layer, |stack| stack.then(layer).expect("they fit")));
                width = h;
            }
            stack.expect("a layer")
        },
    )
}

/// Sizes of any cell, any activation, any kind of inputs and targets.
pub fn sizes() -> impl Strategy<Value = Sizes> {
    let cells = (cells(vec![1, 2, 3, 5, 9, 33], WIDTHS.to_vec()), select(vec![1, 2, 3, 6, 29, 34, 66]));
    let windows = (select(vec![1, 2, 3, 5]), 1..=5_usize, any::<bool>(), any::<bool>(), any::<u64>());
    (cells, windows).prop_map(|((cell, outputs), (batch, window, reads_tokens, predicts_tokens, seed))| {
        Sizes { cell, outputs, batch, window, reads_tokens, predicts_tokens, seed }
    })
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

impl Problem {
    /// Draws a problem in which no gradient is a small difference of large numbers: pre-activations stay about
    /// ±1, and target vectors keep a distance from the outputs.
    pub fn new(sizes: Sizes) -> Self {
        let Sizes { cell, outputs, batch, window, .. } = sizes;
        let (inputs, shape) = (cell.inputs(), ModelShape { cell, outputs });
        let mut random = Random::new(sizes.seed);
        let rows = batch * window;

        let mut params = Vec::new();
        for tensor in tensors(shape) {
            let reads_tokens = sizes.reads_tokens && (tensor.name.starts_with("w_x") || tensor.name == "w_e");
            let scale = match tensor.rows {
                1 => 0.5,
                _ if reads_tokens && tensor.layer.is_none_or(|layer| layer == 1) => 1.0,
                rows => root(rows),
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
        Window { batch: self.extent.batch, x, objective: targets.into() }
    }

    /// The reference with these weights.
    pub fn reference_network(&self, params: &[f64]) -> Network<Stack> {
        let stack = Stack(self.shape.cell.layers().iter().map(|layer| reference_of(*layer)).collect());
        Network::new(stack, self.shape.outputs).with_flat(params)
    }

    /// The state as the reference takes it.
    pub fn reference_state(&self) -> Vec<f64> {
        by_sequence(self.shape.cell, &f64s(&self.state), self.extent.batch)
    }

    /// The reference's forward pass with other weights than the problem's.
    pub fn reference_forward(&self, params: &[f64]) -> Forward {
        let network = self.reference_network(params);
        network.forward(&self.reference_window(network.cell.inputs()), &self.reference_state())
    }

    /// The reference's answer.
    pub fn expected(&self) -> Expected {
        let network = self.reference_network(&f64s(&self.params));
        let window = self.reference_window(network.cell.inputs());
        let state = self.reference_state();
        let (forward, gradients) = network.gradients(&window, &state);
        let tensors = gradients.parameters.tensors();
        Expected {
            loss: forward.loss,
            margin: margin(&network, &window, &forward),
            state: forward.state,
            h: forward.h,
            logits: forward.logits,
            gradients: tensors.into_iter().map(|(name, values)| (name, values.to_vec())).collect(),
        }
    }

    /// A state of all sequences as the reference has it.
    pub fn remembered(&self, state: &[f32]) -> Vec<f32> {
        by_sequence(self.shape.cell, state, self.extent.batch)
    }

    /// Whether the last layer, and no other, has rectified units.
    pub fn is_rectified(&self) -> bool {
        self.shape.cell.layers().last().is_some_and(|layer| layer.activation() == ActivationKind::Relu)
    }
}

/// A layer for the reference, all zero.
pub fn reference_of(layer: Layer) -> reference::stack::Layer {
    use reference::stack::Layer as Reference;
    let activation = match layer.activation() {
        ActivationKind::Relu => reference::Activation::Relu,
        _ => reference::Activation::Tanh,
    };
    match layer {
        Layer::Elman(c) => Reference::Elman(Elman::zeros(c.inputs, c.hidden, activation)),
        Layer::Embedding(c) => Reference::Embedding(Embedding::zeros(c.inputs, c.hidden)),
        Layer::Feedforward(c) => Reference::Feedforward(Feedforward::zeros(c.inputs, c.hidden, activation)),
        Layer::Gru(c) => Reference::Gru(Gru::zeros(c.inputs, c.hidden, c.reset == ResetKind::After)),
        Layer::Lstm(c) => Reference::Lstm(Lstm::zeros(c.inputs, c.hidden)),
        other => panic!("no reference for {other:?}"),
    }
}

/// How near to zero the pre-activation z of any rectified unit of the last layer comes: rounding must not carry it
/// across.
///
/// A unit shows max(z, 0), and with the signs of its weights changed max(−z, 0).
fn margin(network: &Network<Stack>, window: &Window, forward: &Forward) -> f64 {
    let mut flat = network.flat();
    let end = flat.len() - network.dense.w_hq.len() - network.dense.b_q.len();
    flat[end - network.cell.last_count()..end].iter_mut().for_each(|w| *w = -*w);
    let mirror = network.with_flat(&flat).cell;
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

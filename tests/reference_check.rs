//! Checks the f64 reference itself: gradients against finite differences, parts against their definitions.

#[allow(dead_code, reason = "each test crate uses its part of the reference")]
mod reference;

use proptest::prelude::*;

use reference::elman::Elman;
use reference::embedding::Embedding;
use reference::feedforward::Feedforward;
use reference::gru::Gru;
use reference::loss::{Targets, log_softmax, loss, perplexity, softmax};
use reference::lstm::Lstm;
use reference::network::{Network, Window};
use reference::optim::{AdamW, Optimizer, Sgd, clip, global_norm};
use reference::random::Random;
use reference::stack::{Layer, Stack};
use reference::{Activation, Cell, differences, one_hot};

/// The largest difference between an analytic and a numeric derivative, relative to the larger of the two.
const RELATIVE: f64 = 1e-6;

/// The rounding error of a numeric derivative, relative to the loss; it matters where the derivative is small.
const ROUNDING: f64 = 1e-10;

/// Sizes of a network and of its window, mostly odd and all different, and the seed of its numbers.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    inputs: usize,
    hidden: usize,
    outputs: usize,
    batch: usize,
    steps: usize,
    seed: u64,
}

fn sizes() -> impl Strategy<Value = Sizes> {
    (1..6_usize, 1..8_usize, 2..7_usize, 1..4_usize, 1..6_usize, any::<u64>()).prop_map(
        |(inputs, hidden, outputs, batch, steps, seed)| Sizes { inputs, hidden, outputs, batch, steps, seed },
    )
}

/// Random targets of either kind.
fn targets(random: &mut Random, sizes: Sizes, vectors: bool) -> Targets {
    let rows = sizes.batch * sizes.steps;
    if vectors {
        Targets::Vectors(random.values(rows * sizes.outputs, 2.0))
    } else {
        Targets::Tokens(random.tokens(rows, sizes.outputs))
    }
}

/// A network around `cell` with random parameters, a window and an initial state, none of it zero.
fn problem<C: Cell>(cell: C, sizes: Sizes, vectors: bool) -> (Network<C>, Window, Vec<f64>) {
    let mut random = Random::new(sizes.seed);
    let network = Network::new(cell, sizes.outputs);
    let network = network.with_flat(&random.values(network.count(), 1.0));
    let x = random.values(sizes.batch * sizes.steps * sizes.inputs, 1.0);
    let window = Window { batch: sizes.batch, x, objective: targets(&mut random, sizes, vectors).into() };
    let state = random.values(sizes.batch * network.cell.state(), 1.0);
    (network, window, state)
}

/// Compares the gradients of the parameters, of X and of the initial state with finite differences; `kinks` says
/// that the cell is only piecewise smooth.
fn check_gradients<C: Cell>(cell: C, kinks: bool, sizes: Sizes, vectors: bool) -> Result<(), TestCaseError> {
    let (network, window, state) = problem(cell, sizes, vectors);
    let (forward, gradients) = network.gradients(&window, &state);
    let analytic = [gradients.parameters.flat(), gradients.x, gradients.state].concat();

    let at = [network.flat(), window.x.clone(), state].concat();
    let numeric = differences::derivatives(&at, |point| {
        let (parameters, rest) = point.split_at(network.count());
        let (x, state) = rest.split_at(window.x.len());
        let window = Window { x: x.to_vec(), ..window.clone() };
        let forward = network.with_flat(parameters).forward(&window, state);
        let active = if kinks { forward.h.iter().map(|&h| h > 0.0).collect() } else { Vec::new() };
        (forward.loss, active)
    });

    // proptest fails the test if too many cases are passed over.
    let checked = numeric.iter().flatten().count();
    prop_assume!(2 * checked > at.len());
    for (i, (&a, n)) in analytic.iter().zip(numeric).enumerate() {
        let Some(n) = n else { continue };
        let allowed = RELATIVE * a.abs().max(n.abs()) + ROUNDING * forward.loss.max(1.0);
        prop_assert!((a - n).abs() <= allowed, "component {i}: analytic {a:e}, numeric {n:e}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn elman_tanh_gradients_are_the_slopes_of_the_loss(sizes in sizes(), vectors: bool) {
        let cell = Elman::zeros(sizes.inputs, sizes.hidden, Activation::Tanh);
        check_gradients(cell, false, sizes, vectors)?;
    }

    #[test]
    fn elman_relu_gradients_are_the_slopes_of_the_loss(sizes in sizes(), vectors: bool) {
        let cell = Elman::zeros(sizes.inputs, sizes.hidden, Activation::Relu);
        check_gradients(cell, true, sizes, vectors)?;
    }

    #[test]
    fn feedforward_tanh_gradients_are_the_slopes_of_the_loss(sizes in sizes(), vectors: bool) {
        let cell = Feedforward::zeros(sizes.inputs, sizes.hidden, Activation::Tanh);
        check_gradients(cell, false, sizes, vectors)?;
    }

    #[test]
    fn feedforward_relu_gradients_are_the_slopes_of_the_loss(sizes in sizes(), vectors: bool) {
        let cell = Feedforward::zeros(sizes.inputs, sizes.hidden, Activation::Relu);
        check_gradients(cell, true, sizes, vectors)?;
    }

    #[test]
    fn gru_gradients_are_the_slopes_of_the_loss(sizes in sizes(), vectors: bool, resets_after: bool) {
        check_gradients(Gru::zeros(sizes.inputs, sizes.hidden, resets_after), false, sizes, vectors)?;
    }

    #[test]
    fn lstm_gradients_are_the_slopes_of_the_loss(sizes in sizes(), vectors: bool) {
        check_gradients(Lstm::zeros(sizes.inputs, sizes.hidden), false, sizes, vectors)?;
    }

    #[test]
    fn stack_gradients_are_the_slopes_of_the_loss(sizes in sizes(), between in 1..5_usize, vectors: bool) {
        let lower = Layer::Lstm(Lstm::zeros(sizes.inputs, between));
        let middle = Layer::Feedforward(Feedforward::zeros(between, 3, Activation::Tanh));
        let upper = Layer::Gru(Gru::zeros(3, sizes.hidden, true));
        check_gradients(Stack(vec![lower, middle, upper]), false, sizes, vectors)?;
    }

    #[test]
    fn gradients_reach_the_vectors_below_any_cell(sizes in sizes(), width in 1..5_usize, kind in 0..4, vectors: bool) {
        let above = match kind {
            0 => Layer::Elman(Elman::zeros(width, sizes.hidden, Activation::Tanh)),
            1 => Layer::Gru(Gru::zeros(width, sizes.hidden, true)),
            2 => Layer::Gru(Gru::zeros(width, sizes.hidden, false)),
            _ => Layer::Lstm(Lstm::zeros(width, sizes.hidden)),
        };
        let vectors_of_tokens = Layer::Embedding(Embedding::zeros(sizes.inputs, width));
        check_gradients(Stack(vec![vectors_of_tokens, above]), false, sizes, vectors)?;
    }

    #[test]
    fn two_windows_with_the_state_carried_are_one_long_window(sizes in sizes()) {
        let cell = Elman::zeros(sizes.inputs, sizes.hidden, Activation::Tanh);
        let (network, window, state) = problem(cell, sizes, true);
        let whole = network.forward(&window, &state);

        let Targets::Vectors(y) = &window.objective.targets else { unreachable!() };
        let rows = sizes.batch * (sizes.steps / 2);
        let part = |x: &[f64], y: &[f64], state: &[f64]| {
            let objective = Targets::Vectors(y.to_vec()).into();
            network.forward(&Window { batch: sizes.batch, x: x.to_vec(), objective }, state)
        };
        let first = part(&window.x[..rows * sizes.inputs], &y[..rows * sizes.outputs], &state);
        let second = part(&window.x[rows * sizes.inputs..], &y[rows * sizes.outputs..], &first.state);
        prop_assert_eq!([first.logits, second.logits].concat(), whole.logits);
        prop_assert_eq!(second.state, whole.state);
    }

    #[test]
    fn the_flat_vector_round_trips(sizes in sizes()) {
        let cell = Elman::zeros(sizes.inputs, sizes.hidden, Activation::Tanh);
        let (network, _, _) = problem(cell, sizes, true);
        let [w_xh, w_hh, b_h] = [&network.cell.w_xh, &network.cell.w_hh, &network.cell.b_h];
        let flat = [&w_xh[..], w_hh, b_h, &network.dense.w_hq, &network.dense.b_q].concat();
        prop_assert_eq!(network.flat(), flat);
    }
}

#[track_caller]
fn assert_near(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-14 * a.abs().max(b.abs()).max(1.0), "{a:e} is not {b:e}");
}

#[test]
fn an_elman_cell_that_forgets_is_a_feedforward_layer() {
    let sizes = Sizes { inputs: 3, hidden: 5, outputs: 4, batch: 2, steps: 3, seed: 1 };
    let layer = Feedforward::zeros(sizes.inputs, sizes.hidden, Activation::Tanh);
    let (feedforward, window, _) = problem(layer, sizes, false);

    let mut elman = Elman::zeros(sizes.inputs, sizes.hidden, Activation::Tanh);
    elman.w_xh.clone_from(&feedforward.cell.w_xh);
    elman.b_h.clone_from(&feedforward.cell.b_h);
    let elman = Network { cell: elman, dense: feedforward.dense.clone() };
    let state = Random::new(2).values(sizes.batch * sizes.hidden, 1.0);
    assert_eq!(elman.forward(&window, &state).logits, feedforward.forward(&window, &[]).logits);
}

#[test]
fn softmax_is_a_distribution_that_a_shift_does_not_change() {
    let p = softmax(&[0.0, 2f64.ln(), 5f64.ln()]);
    p.iter().zip([0.125, 0.25, 0.625]).for_each(|(&p, expected)| assert_near(p, expected));
    assert_eq!(log_softmax(&[1e4, 1e4 - 2.0]), log_softmax(&[0.0, -2.0]));
    assert_near(softmax(&[-800.0, 800.0])[1], 1.0);
}

#[test]
fn losses_are_means_over_rows() {
    let tokens = Targets::Tokens(vec![2, 0]);
    let logits = [0.0, 2f64.ln(), 5f64.ln(), 0.0, 0.0, 0.0];
    assert_near(loss(&logits, 3, &tokens), (-(0.625f64.ln()) + 3f64.ln()) / 2.0);
    assert_near(loss(&logits, 3, &tokens).exp(), perplexity(&[0.625, 1.0 / 3.0]));

    let vectors = Targets::Vectors(vec![1.0, 2.0, 3.0, 4.0]);
    assert_near(loss(&[1.0, 4.0, 0.0, 0.0], 2, &vectors), (0.5 * 4.0 + 0.5 * 25.0) / 2.0);
}

#[test]
fn a_uniform_model_has_the_vocabulary_size_as_perplexity() {
    let uniform = softmax(&[0.7; 28]);
    assert_near(perplexity(&uniform), 28.0);
}

#[test]
fn one_hot_rows_have_a_one_at_the_token() {
    assert_eq!(one_hot(&[1, 0], 3), [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
}

#[test]
fn clipping_shortens_long_gradients_and_leaves_short_ones() {
    let mut g = [3.0, -4.0];
    assert_eq!(clip(&mut g, 5.0), 5.0);
    assert_eq!(g, [3.0, -4.0]);
    assert_eq!(clip(&mut g, 1.0), 5.0);
    assert_near(g[0], 0.6);
    assert_near(g[1], -0.8);
    assert_near(global_norm(&g), 1.0);
}

#[test]
fn momentum_adds_up_earlier_gradients() {
    let (mut w, mut sgd) = ([1.0], Sgd::new(0.5, 0.5, 1));
    let path = [1.0, 1.0, 0.0].map(|g| {
        sgd.step(&mut w, &[g]);
        w[0]
    });
    // v = 1, 1.5, 0.75
    assert_eq!(path, [0.5, -0.25, -0.625]);
}

#[test]
fn adam_takes_steps_of_the_learning_rate_and_decays_apart_from_the_gradient() {
    // A constant gradient of any size: m̂ = g and √v̂ = |g|, so that every step is η g / (|g| + ε).
    let (mut w, mut adam) = ([1.0, -2.0], AdamW::new(0.25, (0.9, 0.999), 1.0, 0.0, 2));
    for step in 1..=3 {
        adam.step(&mut w, &[3.0, -1.0]);
        let t = f64::from(step);
        assert_near(w[0], 1.0 - t * 0.25 * 0.75);
        assert_near(w[1], -2.0 + t * 0.25 * 0.5);
    }

    let (mut w, mut adam) = ([2.0], AdamW::new(0.25, (0.9, 0.999), 1e-8, 0.5, 1));
    adam.step(&mut w, &[0.0]);
    assert_near(w[0], 2.0 * (1.0 - 0.25 * 0.5));
}

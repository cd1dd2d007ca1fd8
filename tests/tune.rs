//! Training the output layer alone: it is the output layer's part of training all, and nothing else changes.

#[allow(dead_code, reason = "each test crate uses its part of the helpers")]
mod common;
#[allow(dead_code, reason = "each test crate uses its part of the reference")]
mod reference;

use common::compare::{Tolerance, bits, f64s};
use common::problem::{Sizes, sizes};
use common::{Problem, each_lanes};
use proptest::prelude::*;
use recurve::cell::{Cell, TypedCell};
use recurve::lanes::{Lanes, Portable};
use recurve::params::Flat;
use recurve::{
    Adam, Dense, Embedding, Error, Gru, Inputs, Lstm, Model, Optimizer, Stack, Targets, Tuning, Workspace,
};

/// The same products, summed step by step and not over all rows at once.
const ROUNDING: Tolerance = Tolerance { norm: 2e-6, element: 1e-5 };

/// Loss and gradient of the output layer, step by step, and the state after.
fn tuned<L: Lanes>(problem: &Problem, lanes: L) -> (f32, Vec<f32>, Vec<f32>) {
    let (shape, batch) = (problem.shape, problem.extent.batch);
    let (cell, head) = problem.params.split_at(shape.cell.params_len());
    let mut state = problem.state.clone();
    let mut logits = vec![f32::NAN; batch * shape.outputs];
    let mut scratch = vec![f32::NAN; shape.step_scratch_len(batch)];
    let (mut loss, mut grads) = (0.0, vec![0.0; head.len()]);
    let share = 1.0 / problem.extent.rows() as f32;
    for t in 0..problem.extent.window {
        let rows = t * batch..(t + 1) * batch;
        let (x, y) = (problem.inputs.pick(rows.clone()), problem.targets.pick(rows));
        let step = shape.tune(
            lanes,
            (cell, head),
            x.inputs(),
            y.targets(),
            share,
            &mut state,
            &mut logits,
            &mut scratch,
            &mut grads,
        );
        loss += step.expect("a valid step");
    }
    (loss, grads, state)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn it_is_the_output_layer_s_part_of_a_window(sizes in sizes()) {
        let problem = Problem::new(sizes);
        let whole = problem.gradient();
        let (loss, grads, state) = tuned(&problem, Portable);
        let of_head = &whole.grads[problem.shape.cell.params_len()..];
        let least = 0.1 * f64::from(of_head.iter().fold(0.0_f32, |max, g| max.max(g.abs())));
        ROUNDING.check("loss", &[loss], &f64s(&[whole.loss]));
        ROUNDING.check_beside("gradient", &grads, &f64s(of_head), least);
        prop_assert_eq!(bits(&state), bits(&whole.state));
    }

    #[test]
    fn a_window_of_one_step_has_the_same_bits(sizes in sizes()) {
        // Up to 16 sequences are one block, as on a chip.
        let problem = Problem::new(Sizes { window: 1, ..sizes });
        let whole = problem.gradient();
        each_lanes!(lanes => {
            let whole = if lanes_fuse(lanes) { problem.gradient_with(lanes, 0) } else { whole.clone() };
            let (loss, grads, _) = tuned(&problem, lanes);
            prop_assert_eq!(loss.to_bits(), whole.loss.to_bits());
            prop_assert_eq!(bits(&grads), bits(&whole.grads[problem.shape.cell.params_len()..]));
        });
    }
}

fn lanes_fuse<L: Lanes>(_: L) -> bool {
    L::FUSED
}

type Cells = Stack<Embedding<5, 3>, Stack<Gru<3, 7>, Lstm<7, 6>>>;
type Network = Model<Cells, 6, 5>;
type Head = Dense<6, 5>;
const ADAM: Adam = Adam::new(0.05);

fn network() -> Box<Network> {
    let mut network = Network::boxed();
    let mut random = reference::random::Random::new(3);
    network.as_flat_mut().copy_from_slice(&common::problem::numbers(&mut random, Network::LEN, 0.5));
    network
}

#[test]
fn the_cell_keeps_its_bits_while_the_output_layer_learns() {
    let network = network();
    let before = bits(network.as_flat());
    let (mut head, mut grads, mut tuning) = (network.head, Head::ZERO, Tuning::ZERO);
    let mut moments = [0.0; ADAM.state_len(Head::LEN)];
    let text: [u16; 11] = [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0];
    let mut losses = Vec::new();
    for _ in 0..60 {
        grads.set_zero();
        let mut state = <Cells as TypedCell<6>>::State::<1>::ZERO;
        let mut loss = 0.0;
        for (x, y) in text.chunks(1).zip(text[1..].chunks(1)) {
            let (x, y) = (Inputs::Tokens(x), Targets::Tokens(y));
            loss += network.tune(&head, x, y, 0.1, &mut state, &mut tuning, &mut grads).expect("valid");
        }
        ADAM.step(head.as_flat_mut(), grads.as_flat(), &mut moments).expect("finite");
        losses.push(loss);
    }
    assert!(losses[59] < losses[0] - 0.1, "{losses:?}");
    assert_eq!(bits(network.as_flat()), before);

    // A step with the new output layer is a step of the model that has it.
    let mut copy = network.clone();
    copy.head = head;
    let mut states = [<Cells as TypedCell<6>>::State::<1>::ZERO; 2];
    let (mut logits, mut scratch) = ([[0.0; 5]; 2], Flat::ZERO);
    network.step_with(&head, 3_u16, &mut states[0], &mut logits[0], &mut scratch).expect("valid");
    copy.step(3_u16, &mut states[1], &mut logits[1], &mut scratch).expect("valid");
    assert_eq!((logits[0], states[0]), (logits[1], states[1]));
}

#[test]
fn a_step_that_fails_leaves_state_and_gradients() {
    let network = network();
    let mut tuning = Tuning::ZERO;
    let state = <Cells as TypedCell<6>>::State::<2>::ZERO;
    let mut head = network.head;
    let mut fails = |head: &Head, x: Inputs<'_>, y: Targets<'_>, share: f32| {
        let (mut after, mut grads) = (state, Head::ZERO);
        let result = network.tune(head, x, y, share, &mut after, &mut tuning, &mut grads);
        assert_eq!((after, grads), (state, Head::ZERO));
        result.expect_err("not valid")
    };
    let (x, y) = (Inputs::Tokens(&[0, 4]), Targets::Tokens(&[1, 2]));
    assert_eq!(fails(&head, Inputs::Tokens(&[0, 5]), y, 1.0), Error::Token { token: 5, symbols: 5 });
    assert_eq!(fails(&head, x, Targets::Tokens(&[1, 5]), 1.0), Error::Token { token: 5, symbols: 5 });
    assert!(matches!(fails(&head, Inputs::Tokens(&[0]), y, 1.0), Error::Length { .. }));
    assert!(matches!(fails(&head, x, Targets::Tokens(&[1]), 1.0), Error::Length { .. }));
    assert!(matches!(fails(&head, x, y, f32::NAN), Error::NotFinite(_)));
    assert!(matches!(fails(&head, x, Targets::Vectors(&[f32::INFINITY; 10]), 1.0), Error::NotFinite(_)));
    head.b_q[2] = f32::INFINITY;
    assert!(matches!(fails(&head, x, y, 1.0), Error::NotFinite(_)));
}

#[test]
fn memory_is_what_the_types_take() {
    let memory = Network::tuning_memory::<2>(ADAM.state_len(Head::LEN));
    let state = <Cells as TypedCell<6>>::State::<2>::BYTES;
    assert_eq!(
        [memory.weights, memory.gradients, memory.optimizer],
        [Head::BYTES, Head::BYTES, 2 * Head::BYTES + 8]
    );
    assert_eq!([memory.state, memory.tape, memory.scratch], [state, 0, Tuning::<Cells, 6, 5, 2>::BYTES]);
    let all = Network::training_memory::<2, 8>(ADAM.state_len(Network::LEN));
    assert!(memory.total() < all.total() / 4);
    assert_eq!(all.workspace(), Workspace::<Cells, 6, 5, 2, 8>::BYTES);
}

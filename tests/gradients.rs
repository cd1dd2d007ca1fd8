//! The crate's forward pass, loss and gradients against the f64 reference, and against themselves in other words:
//! batches and sequences, windows and steps, with room to spare and without.

#[allow(dead_code, reason = "each test crate uses its part of the helpers")]
mod common;
#[allow(dead_code, reason = "each test crate uses its part of the reference")]
mod reference;

use proptest::prelude::*;
use recurve::cell::{Cell, TypedCell};
use recurve::format::StoredCell;
use recurve::params::Flat;
use recurve::{
    CharRnn, Elman, Embedding, Feedforward, Gru, Lstm, Model, Relu, ResetBefore, Stack, Workspace,
};

use common::compare::{Tolerance, bits, typical_of};
use common::problem::{Expected, Rows, Sizes, sizes};
use common::{Outcome, Problem};

/// f32 keeps seven digits; sums over up to 67 terms and five steps lose less than one of them.
const FORWARD: Tolerance = Tolerance { norm: 4e-6, element: 1e-5 };

/// A gradient goes through every step twice; measured over thousands of problems: 7e-6.
const BACKWARD: Tolerance = Tolerance { norm: 3e-5, element: 1e-4 };

/// Pre-activations and outputs are sums of terms of about one, whose rounding stays where the terms cancel.
const TERMS: f64 = 0.25;

/// A rectified unit this near to its kink may be on either side of it in f32.
const MARGIN: f64 = 1e-5;

/// The seven tensors in one flat slice, against the reference's.
fn check_gradients(grads: &[f32], expected: &Expected) {
    // Sums over rows may cancel, so a tensor may be small by chance: a tenth of the others is its least size.
    let beside = 0.1 * typical_of(expected.gradients.iter().map(|(_, values)| values));
    let mut rest = grads;
    for (name, values) in &expected.gradients {
        let (tensor, after) = rest.split_at(values.len());
        BACKWARD.check_beside(name, tensor, values, beside);
        rest = after;
    }
    assert!(rest.is_empty());
}

fn check_outcome(problem: &Problem, outcome: &Outcome, expected: &Expected) {
    FORWARD.check("loss", &[outcome.loss], &[expected.loss]);
    FORWARD.check_beside("H", &outcome.h, &expected.h, TERMS);
    FORWARD.check_beside("state", &problem.remembered(&outcome.state), &expected.state, TERMS);
    check_gradients(&outcome.grads, expected);
}

fn is_near_a_kink(problem: &Problem, expected: &Expected) -> bool {
    problem.is_rectified() && expected.margin < MARGIN
}

fn add(a: &[f32], b: &[f32]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) + f64::from(*b)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_window_agrees_with_the_reference(sizes in sizes()) {
        let problem = Problem::new(sizes);
        let expected = problem.expected();
        prop_assume!(!is_near_a_kink(&problem, &expected));
        check_outcome(&problem, &problem.gradient(), &expected);
    }

    #[test]
    fn steps_agree_with_the_reference_and_are_a_window_bit_for_bit(sizes in sizes()) {
        let problem = Problem::new(sizes);
        let (h, logits, state) = problem.steps();
        FORWARD.check_beside("logits", &logits, &problem.expected().logits, TERMS);

        let window = problem.gradient();
        prop_assert_eq!(bits(&h), bits(&window.h));
        prop_assert_eq!(bits(&state), bits(&window.state));
        let (loss, state) = problem.loss();
        prop_assert_eq!(loss.to_bits(), window.loss.to_bits());
        prop_assert_eq!(bits(&state), bits(&window.state));
    }

    #[test]
    fn room_for_packed_weights_changes_no_bit(sizes in sizes()) {
        let problem = Problem::new(sizes);
        let without = problem.gradient();
        let (hidden, pack) = (sizes.cell.hidden().pow(2), problem.shape.pack_len(1));
        for room in [1, hidden, pack.max(1) - 1, pack, pack + 3] {
            let with = problem.gradient_with(recurve::lanes::Portable, room);
            prop_assert_eq!(with.loss.to_bits(), without.loss.to_bits());
            prop_assert_eq!(bits(&with.grads), bits(&without.grads), "room {}", room);
        }
    }

    #[test]
    fn a_batch_is_its_sequences_bit_for_bit(sizes in sizes()) {
        let problem = Problem::new(sizes);
        let (h, logits, _) = problem.steps();
        let whole = problem.gradient();
        for b in 0..sizes.batch {
            let alone = problem.sequence(b);
            let (own_h, own_logits, own_state) = alone.steps();
            let rows = |all: &[f32], width: usize| {
                let rows = all.chunks_exact(width).skip(b).step_by(sizes.batch);
                rows.flat_map(bits).collect::<Vec<_>>()
            };
            prop_assert_eq!(rows(&h, sizes.cell.hidden()), bits(&own_h));
            prop_assert_eq!(rows(&logits, sizes.outputs), bits(&own_logits));
            prop_assert_eq!(bits(&problem.state_of(&whole.state, b)), bits(&own_state));
        }
    }

    #[test]
    fn a_carried_state_makes_two_windows_one(sizes in sizes(), cut: prop::sample::Index) {
        let cut = 1 + cut.index(sizes.window);
        let steps = sizes.window + 1;
        let problem = Problem::new(Sizes { window: steps, ..sizes });
        let whole = problem.gradient();
        let first = problem.part(0..cut).gradient();
        let second = Problem { state: first.state, ..problem.part(cut..steps) }.gradient();
        prop_assert_eq!(bits(&[first.h, second.h].concat()), bits(&whole.h));
        prop_assert_eq!(bits(&second.state), bits(&whole.state));

        let sum = |loss: f32, steps: usize| f64::from(loss) * steps as f64;
        let sums = sum(first.loss, cut) + sum(second.loss, steps - cut);
        FORWARD.check("loss", &[whole.loss], &[sums / steps as f64]);
    }

    #[test]
    fn gradients_are_added(sizes in sizes()) {
        let problem = Problem::new(sizes);
        let once = problem.gradient();
        let mut grads = once.grads.clone();
        problem.add_gradient(recurve::lanes::Portable, 0, &mut grads).expect("a valid window");
        FORWARD.check("twice", &grads, &add(&once.grads, &once.grads));
    }
}

/// The typed face of a model for the sizes of its type, `B` sequences and `T` steps.
fn typed_gradient<C: TypedCell<H>, const H: usize, const O: usize, const B: usize, const T: usize>(
    problem: &Problem,
) -> Outcome {
    let model = Model::<C, H, O>::from_flat(&problem.params).expect("the problem's sizes");
    let mut grads = bytemuck::zeroed_box::<Model<C, H, O>>();
    let mut workspace = bytemuck::zeroed_box::<Workspace<C, H, O, B, T>>();
    let mut state = C::State::<B>::ZERO;
    state.as_flat_mut().copy_from_slice(&problem.state);

    let (inputs, targets) = (problem.inputs.inputs(), problem.targets.targets());
    let mut same_state = state;
    let loss = model.gradient(inputs, targets, &mut state, &mut workspace, &mut grads).expect("valid");
    let h = C::SHAPE.outputs(workspace.tape.as_flat(), problem.extent).to_vec();
    assert_eq!(model.loss(inputs, targets, &mut same_state, &mut workspace), Ok(loss));
    assert_eq!(same_state, state);
    Outcome { loss, h, state: state.as_flat().to_vec(), grads: grads.as_flat().to_vec() }
}

/// Steps of all sequences side by side, then of the first alone, through the typed face.
fn check_typed_steps<C: TypedCell<H>, const H: usize, const O: usize, const B: usize>(
    problem: &Problem,
    expected: &Expected,
) {
    let model = Model::<C, H, O>::from_flat(&problem.params).expect("the problem's sizes");
    let (mut state, mut scratch) = (C::State::<B>::ZERO, C::StepScratch::<B>::ZERO);
    let (mut one, mut one_scratch) = (C::State::<1>::ZERO, C::StepScratch::<1>::ZERO);
    state.as_flat_mut().copy_from_slice(&problem.state);
    one.as_flat_mut().copy_from_slice(&problem.state_of(&problem.state, 0));

    for (t, o) in expected.logits.chunks_exact(B * O).enumerate() {
        let rows = problem.inputs.pick(t * B..(t + 1) * B);
        let mut logits = [[0.0; O]; B];
        model.step_batch(rows.inputs(), &mut state, &mut logits, &mut scratch).expect("a valid step");
        FORWARD.check_beside("logits", logits.as_flat(), o, TERMS);

        let mut own = [0.0; O];
        match &rows {
            Rows::Tokens(tokens) => model.step(tokens[0], &mut one, &mut own, &mut one_scratch),
            Rows::Vectors(x, width) => {
                let x = C::Vector::from_flat(&x[..*width]).expect("the input's width");
                model.step(x, &mut one, &mut own, &mut one_scratch)
            }
        }
        .expect("a valid step");
        assert_eq!(own, logits[0]);
    }
    FORWARD.check_beside("state", &problem.remembered(state.as_flat()), &expected.state, TERMS);
}

/// One typed model against the reference, for every kind of input and target.
fn check_typed<C: StoredCell<H>, const H: usize, const O: usize, const B: usize, const T: usize>() {
    for (seed, [reads_tokens, predicts_tokens]) in
        (1..).zip([[false, false], [false, true], [true, false], [true, true]])
    {
        let sizes =
            Sizes { cell: C::CELL, outputs: O, batch: B, window: T, reads_tokens, predicts_tokens, seed };
        let problem = Problem::new(sizes);
        let expected = problem.expected();
        assert!(!is_near_a_kink(&problem, &expected), "take another seed");
        check_outcome(&problem, &typed_gradient::<C, H, O, B, T>(&problem), &expected);
        check_typed_steps::<C, H, O, B>(&problem, &expected);
    }
}

#[test]
fn typed_models_agree_with_the_reference() {
    check_typed::<Elman<3, 5, Relu>, 5, 4, 2, 3>();
    check_typed::<Elman<5, 33>, 33, 7, 3, 2>();
    check_typed::<Elman<2, 67>, 67, 35, 1, 5>();
    check_typed::<Feedforward<5, 17>, 17, 2, 3, 3>();
    check_typed::<Feedforward<2, 7, Relu>, 7, 3, 1, 4>();
    check_typed::<Gru<3, 5>, 5, 4, 2, 3>();
    check_typed::<Gru<2, 67>, 67, 35, 1, 5>();
    check_typed::<Gru<5, 33, ResetBefore>, 33, 7, 3, 2>();
    check_typed::<Lstm<3, 5>, 5, 4, 2, 3>();
    check_typed::<Lstm<5, 33>, 33, 7, 3, 4>();
    check_typed::<Embedding<5, 3>, 3, 4, 2, 3>();
    check_typed::<Stack<Embedding<5, 3>, Stack<Gru<3, 7>, Lstm<7, 6>>>, 6, 5, 2, 3>();
    check_typed::<Stack<Gru<3, 7>, Gru<7, 5>>, 5, 4, 2, 3>();
    check_typed::<Stack<Lstm<2, 9>, Elman<9, 33, Relu>>, 33, 4, 3, 4>();
    check_typed::<Stack<Elman<3, 5>, Stack<Gru<5, 2, ResetBefore>, Lstm<2, 17>>>, 17, 6, 2, 3>();
    check_typed::<Stack<Stack<Lstm<3, 4>, Lstm<4, 6>>, Feedforward<6, 5>>, 5, 6, 1, 5>();
}

#[test]
fn a_language_model_starts_as_uncertain_as_its_vocabulary_is_large() {
    let mut workspace = Workspace::<_, 7, 28, 1, 3>::ZERO;
    let (inputs, targets) = (recurve::Inputs::Tokens(&[1, 2, 3]), recurve::Targets::Tokens(&[2, 3, 27]));
    let loss = CharRnn::<28, 7>::ZERO.loss(inputs, targets, &mut [[0.0; 7]], &mut workspace);
    assert!((loss.expect("a valid window") - 28_f32.ln()).abs() < 1e-6);
}

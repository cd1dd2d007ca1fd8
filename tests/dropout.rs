//! Dropout: gradients against finite differences of a naive f64 network with the same masks, and the promises about bits:
//! any lanes, any crew, tokens as one-hot vectors, nothing dropped as no dropout.
#![cfg(feature = "proptest")]

#[allow(dead_code, reason = "each test crate uses its part of the helpers")]
mod common;
#[allow(dead_code, reason = "each test crate uses its part of the reference")]
mod reference;

use common::compare::{Tolerance, bits, f64s};
use common::crowd::Crowd;
use common::problem::{Rows, Sizes, cells, sizes};
use common::states::by_sequence;
use common::{Problem, each_lanes};
use proptest::prelude::*;
use recurve::cell::{
    ActivationKind, AnyCell, Backward, Block, Cell, CellKind, Dropout, DropoutShape, Dropped, Extent,
    GruShape, Inputs, ResetKind, TypedCell, Weights,
};
use recurve::crew::{Alone, Crew};
use recurve::lanes::{Lanes, Portable};
use recurve::loss::Goal;
use recurve::params::Flat;
use recurve::testing::GradientCheck;
use recurve::{
    Embedding, Error, Gru, Lstm, Model, ModelShape, Objective, ResetBefore, Stack, Targets, Workspace,
};
use reference::dense::Dense;

fn dropping(problem: &Problem, dropout: Dropout) -> ModelShape<DropoutShape<AnyCell>> {
    problem.shape.with_dropout(dropout, problem.inputs.inputs())
}

/// Loss, state and gradients, and the tape.
struct Answer {
    loss: f32,
    state: Vec<f32>,
    grads: Vec<f32>,
    tape: Vec<f32>,
}

fn answer<L: Lanes>(problem: &Problem, dropout: Dropout, lanes: L, crew: &impl Crew) -> Answer {
    answer_to(problem, problem.targets.targets(), dropout, lanes, crew)
}

/// With other targets than the problem's.
fn answer_to<L: Lanes>(
    problem: &Problem,
    goal: impl Goal,
    dropout: Dropout,
    lanes: L,
    crew: &impl Crew,
) -> Answer {
    let shape = dropping(problem, dropout);
    let mut state = problem.state.clone();
    let mut tape = vec![f32::NAN; shape.tape_len(problem.extent)];
    let mut scratch = vec![f32::NAN; shape.scratch_len(problem.extent) + shape.pack_len(crew.threads())];
    let mut grads = vec![0.0; problem.params.len()];
    let (inputs, params) = (problem.inputs.inputs(), &problem.params);
    let loss = shape
        .gradient_by(crew, lanes, params, inputs, goal, &mut state, &mut tape, &mut scratch, &mut grads)
        .expect("a valid window");
    Answer { loss, state, grads, tape }
}

/// The masks of outputs and inputs that a tape of one block has kept.
fn masks(problem: &Problem, tape: &[f32]) -> (Vec<f64>, Vec<f64>) {
    let Problem { shape, extent, .. } = problem;
    let kept = &tape[shape.tape_len(*extent)..];
    let outputs = extent.rows() * shape.cell.hidden();
    let inputs = kept.get(2 * outputs..).unwrap_or_default();
    (f64s(&kept[..outputs]), f64s(&inputs[..inputs.len() / 2]))
}

/// The outputs of a window, step by step from the formulas, with these masks.
fn naive_logits<C: reference::Cell>(
    cell: &C,
    head: &Dense,
    window: &reference::network::Window,
    state: &[f64],
    masks: &(Vec<f64>, Vec<f64>),
) -> Vec<f64> {
    let (d, h) = (cell.inputs(), cell.hidden());
    let dropped = |x: &[f64], masks: &[f64]| {
        x.iter().enumerate().map(|(i, x)| x * masks.get(i).unwrap_or(&1.0)).collect::<Vec<_>>()
    };
    let x = dropped(&window.x, &masks.1);
    let mut states: Vec<Vec<f64>> = state.chunks(cell.state().max(1)).map(<[f64]>::to_vec).collect();
    states.resize(window.batch, Vec::new());
    let mut logits = Vec::new();
    for row in 0..x.len() / d {
        let step = cell.step(&x[row * d..][..d], &states[row % window.batch]);
        logits.extend(head.forward(&dropped(&step.h, &masks.0[row * h..][..h])));
        states[row % window.batch] = step.state;
    }
    logits
}

/// Gradients against the differences of the naive loss.
fn check_by_differences(problem: &Problem, dropout: Dropout) {
    let answer = answer(problem, dropout, Portable, &Alone);
    let targets = problem.reference_window(problem.shape.cell.inputs()).objective.targets;
    compare(problem, &answer, |logits| reference::loss::loss(logits, problem.shape.outputs, &targets));
}

/// An answer against the differences of a loss of the naive outputs, with the answer's masks.
fn compare(problem: &Problem, answer: &Answer, loss_of: impl Fn(&[f64]) -> f64) {
    let masks = masks(problem, &answer.tape);
    let network = problem.reference_network(&f64s(&problem.params));
    let window = problem.reference_window(problem.shape.cell.inputs());
    let state = by_sequence(problem.shape.cell, &f64s(&problem.state), problem.extent.batch);
    let loss = |params: &[f64]| {
        let network = network.with_flat(params);
        (loss_of(&naive_logits(&network.cell, &network.dense, &window, &state, &masks)), Vec::new())
    };
    let params = f64s(&problem.params);
    let tolerance = Tolerance { norm: 1e-4, element: 1e-3 };
    tolerance.check("loss", &[answer.loss], &[loss(&params).0]);
    let gradients = reference::differences::derivatives(&params, loss);
    let gradients: Vec<f64> = gradients.into_iter().map(|d| d.expect("smooth")).collect();
    tolerance.check("gradients", &answer.grads, &gradients);
}

fn small(cell: AnyCell, reads_tokens: bool, seed: u64) -> Sizes {
    Sizes { cell, outputs: 4, batch: 2, window: 4, reads_tokens, predicts_tokens: true, seed }
}

/// A cell of 3 inputs and 5 hidden units.
fn one(kind: CellKind) -> AnyCell {
    AnyCell::new(kind, ActivationKind::Tanh, 3, 5)
}

/// The same in three layers, the first of them an embedding.
fn three() -> AnyCell {
    let [first, second] = [(CellKind::Embedding, 3, 2), (CellKind::Lstm, 2, 4)]
        .map(|(kind, inputs, hidden)| AnyCell::new(kind, ActivationKind::Tanh, inputs, hidden));
    let third = GruShape { inputs: 4, hidden: 5, reset: ResetKind::Before };
    first.then(second).and_then(|lower| lower.then(third.into())).expect("a stack")
}

#[test]
fn gradients_are_the_differences_of_a_naive_network_with_the_same_masks() {
    let before = GruShape { inputs: 3, hidden: 5, reset: ResetKind::Before };
    let cells = CellKind::ALL.iter().map(|kind| one(*kind)).chain([before.into(), three()]);
    for (seed, cell) in (0..4).flat_map(|seed| cells.clone().map(move |cell| (seed, cell))) {
        for (inputs, outputs) in [(0.3, 0.4), (0.0, 0.5)] {
            let dropout = Dropout::new(inputs, outputs).unwrap().seeded(seed);
            check_by_differences(&Problem::new(small(cell, false, u64::from(seed))), dropout);
        }
    }
}

/// One target for each sequence, of several lengths: what is dropped does not depend on what the outputs are for.
#[test]
fn sequences_of_several_lengths_with_a_target_each() {
    let (lengths, classes) = ([2, 4], [3, 1]);
    let objective = Objective::last(Targets::Tokens(&classes)).with_lengths(&lengths);
    for (cell, reads_tokens) in [(one(CellKind::Gru), false), (three(), false), (three(), true)] {
        let problem = Problem::new(small(cell, reads_tokens, 2));
        let dropout = Dropout::new(if reads_tokens { 0.0 } else { 0.3 }, 0.4).unwrap().seeded(5);
        let answer = answer_to(&problem, objective, dropout, Portable, &Alone);
        let shared = answer_to(&problem, objective, dropout, Portable, &Crowd(2));
        assert_eq!(bits(&answer.grads), bits(&shared.grads));
        let last = |logits: &[f64]| {
            let (q, batch) = (problem.shape.outputs, problem.extent.batch);
            let of = |b: usize| logits[((lengths[b] - 1) * batch + b) * q..][..q].to_vec();
            let targets = reference::loss::Targets::Tokens(classes.map(usize::from).to_vec());
            reference::loss::loss(&[of(0), of(1)].concat(), q, &targets)
        };
        compare(&problem, &answer, last);
        // The first is over, the second goes on.
        let [over, on] = [0, 1].map(|b| problem.state_of(&answer.state, b));
        assert!(over.iter().all(|&h| h == 0.0) && on.iter().all(|&h| h != 0.0));
    }
}

/// The same window with one-hot vectors for tokens.
fn with_vectors(problem: &Problem) -> Problem {
    let Rows::Tokens(tokens) = &problem.inputs else { panic!("tokens are wanted") };
    let width = problem.shape.cell.inputs();
    let one_hot = |&token: &u16| (0..width).map(move |i| if i == usize::from(token) { 1.0 } else { 0.0 });
    Problem { inputs: Rows::Vectors(tokens.iter().flat_map(one_hot).collect(), width), ..problem.clone() }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn tokens_are_dropped_as_their_one_hot_vectors(sizes in sizes(), seed: u32) {
        let problem = Problem::new(Sizes { reads_tokens: true, ..sizes });
        prop_assume!(!problem.is_rectified());
        let dropout = Dropout::new(0.4, 0.2).unwrap().seeded(seed);
        let of_tokens = answer(&problem, dropout, Portable, &Alone);
        let of_vectors = answer(&with_vectors(&problem), dropout, Portable, &Alone);
        let tolerance = Tolerance { norm: 3e-5, element: 1e-3 };
        tolerance.check("loss", &[of_tokens.loss], &[f64::from(of_vectors.loss)]);
        tolerance.check("gradients", &of_tokens.grads, &f64s(&of_vectors.grads));
    }

    #[test]
    fn any_lanes_and_any_crew_give_the_same_bits(sizes in sizes(), seed: u32, batch in 1..70_usize) {
        let problem = Problem::new(Sizes { batch, ..sizes });
        let dropout = Dropout::new(0.1, 0.5).unwrap().seeded(seed);
        let mut fused = None;
        each_lanes!(lanes => {
            let alone = answer(&problem, dropout, lanes, &Alone);
            for threads in [2, 5] {
                let shared = answer(&problem, dropout, lanes, &Crowd(threads));
                prop_assert_eq!(shared.loss.to_bits(), alone.loss.to_bits());
                prop_assert_eq!(bits(&shared.grads), bits(&alone.grads));
                prop_assert_eq!(bits(&shared.state), bits(&alone.state));
            }
            // Portable lanes round a multiply-add twice, all others once.
            if recurve::lanes::LaneKind::Portable.name() != name_of(lanes) {
                let grads = fused.get_or_insert_with(|| bits(&alone.grads));
                prop_assert_eq!(&*grads, &bits(&alone.grads));
            }
        });
    }

    #[test]
    fn nothing_dropped_is_no_dropout(sizes in sizes(), seed: u32) {
        let problem = Problem::new(sizes);
        let nothing = answer(&problem, Dropout::NONE.seeded(seed), Portable, &Alone);
        let plain = problem.gradient();
        prop_assert_eq!(nothing.loss.to_bits(), plain.loss.to_bits());
        prop_assert_eq!(bits(&nothing.grads), bits(&plain.grads));
        prop_assert_eq!(bits(&nothing.state), bits(&plain.state));
        prop_assert_eq!(nothing.tape.len(), problem.shape.tape_len(problem.extent));
    }

    #[test]
    fn a_step_drops_nothing(sizes in sizes()) {
        let problem = Problem::new(sizes);
        let shape = dropping(&problem, Dropout::new(0.5, 0.5).unwrap());
        let batch = problem.extent.batch;
        let inputs = problem.inputs.pick(0..batch);
        let (mut state, mut logits) = (problem.state.clone(), vec![0.0; batch * shape.outputs]);
        let mut scratch = vec![0.0; shape.step_scratch_len(batch)];
        shape.step(Portable, &problem.params, inputs.inputs(), &mut state, &mut logits, &mut scratch).unwrap();
        let (_, expected, expected_state) = problem.part(0..1).steps();
        prop_assert_eq!((bits(&logits), bits(&state)), (bits(&expected), bits(&expected_state)));
    }

    #[test]
    fn another_seed_drops_others(cell in cells(vec![1, 3], vec![67]), sizes in sizes(), seed: u32) {
        let problem = Problem::new(Sizes { cell, window: 5, ..sizes });
        let masks = |seed| {
            let dropout = Dropout::new(0.0, 0.5).unwrap().seeded(seed);
            masks(&problem, &answer(&problem, dropout, Portable, &Alone).tape).0
        };
        prop_assert_ne!(masks(seed), masks(seed.wrapping_add(1)));
        prop_assert_eq!(masks(seed), masks(seed));
    }
}

/// The kind of these lanes.
fn name_of<L: Lanes>(_: L) -> &'static str {
    if std::any::type_name::<L>().contains("Portable") { "portable" } else { "others" }
}

#[test]
fn gradients_of_input_vectors_go_through_their_masks() {
    const EXTENT: Extent = Extent { batch: 2, window: 3 };
    for &kind in CellKind::ALL {
        let inner = AnyCell::new(kind, ActivationKind::Tanh, 3, 5);
        let dropout = Dropout::new(0.4, 0.3).unwrap().seeded(9);
        let cell = DropoutShape { cell: inner, dropout, width: 3 };
        let mut random = reference::random::Random::new(5);
        let mut numbers = |count: usize| common::problem::numbers(&mut random, count, 0.8);
        let (params, x, d_h) = (numbers(cell.params_len()), numbers(6 * 3), numbers(6 * 5));
        let state = numbers(2 * cell.state_len());
        let (block, weights) = (Block::whole(EXTENT), Weights::in_place(&params));
        let mut tape = vec![f32::NAN; cell.tape_len(EXTENT)];
        let mut forward = |x: &[f32]| {
            cell.begin(&state, block, &mut tape);
            cell.forward(Portable, weights, Inputs::Vectors(x), block, &mut tape);
            tape.clone()
        };
        let tape = forward(&x);
        let mut d_x = vec![0.25; x.len()];
        let pass = Backward {
            block,
            tape: &mut tape.clone(),
            d_outputs: &mut d_h.clone(),
            d_inputs: Some(&mut d_x),
            scratch: &mut vec![f32::NAN; cell.backward_scratch_len(EXTENT)],
        };
        cell.backward(Portable, weights, pass);
        d_x.iter_mut().for_each(|d| *d -= 0.25);
        let report = GradientCheck::default()
            .run(&x, &d_x, |x| cell.outputs(&forward(x), EXTENT).iter().zip(&d_h).map(|(h, d)| h * d).sum())
            .unwrap();
        assert_eq!(report.checked, x.len());
        assert!(d_x.contains(&0.0), "nothing was dropped");
    }
}

/// The typed face gives the bits of the flat one.
fn check_typed<C: TypedCell<5>, X: Flat>(dropout: Dropout, problem: &Problem) {
    let model = Model::<C, 5, 4>::from_flat(&problem.params).unwrap();
    let mut workspace = bytemuck::zeroed_box::<Workspace<Dropped<C, X>, 5, 4, 2, 4>>();
    let mut grads = Model::<C, 5, 4>::boxed();
    let mut state = C::State::<2>::ZERO;
    state.as_flat_mut().copy_from_slice(&problem.state);
    let (inputs, targets) = (problem.inputs.inputs(), problem.targets.targets());
    let loss = model.gradient_dropped(dropout, inputs, targets, &mut state, &mut workspace, &mut grads);
    let expected = best_answer(problem, dropout);
    assert_eq!(loss.unwrap().to_bits(), expected.loss.to_bits());
    assert_eq!(bits(grads.as_flat()), bits(&expected.grads));
    assert_eq!(bits(state.as_flat()), bits(&expected.state));
}

/// On the lanes that the typed face chooses.
fn best_answer(problem: &Problem, dropout: Dropout) -> Answer {
    let mut found = None;
    each_lanes!(lanes => {
        found = Some(answer(problem, dropout, lanes, &Alone));
    });
    found.expect("there are lanes")
}

#[test]
fn typed_models() {
    let dropout = Dropout::new(0.3, 0.4).unwrap().seeded(3);
    let problem = |cell, reads_tokens| Problem::new(small(cell, reads_tokens, 8));
    check_typed::<Gru<3, 5>, [f32; 0]>(dropout, &problem(one(CellKind::Gru), true));
    check_typed::<Gru<3, 5>, [f32; 3]>(dropout, &problem(one(CellKind::Gru), false));
    check_typed::<Lstm<3, 5>, [f32; 3]>(dropout, &problem(one(CellKind::Lstm), false));
    type Three = Stack<Embedding<3, 2>, Stack<Lstm<2, 4>, Gru<4, 5, ResetBefore>>>;
    check_typed::<Three, [f32; 0]>(dropout, &problem(three(), true));
    check_typed::<Three, [f32; 3]>(dropout, &problem(three(), false));
}

#[test]
fn memory_is_known_beforehand() {
    type Plain = Model<Gru<3, 5>, 5, 4>;
    type OfTokens = Model<Dropped<Gru<3, 5>>, 5, 4>;
    type OfVectors = Model<Dropped<Gru<3, 5>, [f32; 3]>, 5, 4>;
    const ROWS: usize = 2 * 7;
    const { assert!(OfTokens::BYTES == Plain::BYTES) }
    let plain = Plain::training_memory::<2, 7>(0);
    let (tokens, vectors) = (OfTokens::training_memory::<2, 7>(0), OfVectors::training_memory::<2, 7>(0));
    assert_eq!(tokens.total(), plain.total() + 4 * ROWS * 2 * 5);
    assert_eq!(vectors.total(), tokens.total() + 4 * ROWS * 3 * 3);
    let extent = Extent { batch: 2, window: 7 };
    let dropout = Dropout::new(0.1, 0.1).unwrap();
    let of = |inputs| Plain::SHAPE.with_dropout(dropout, inputs).training_memory(extent, 0);
    assert_eq!((of(Inputs::Tokens(&[])), of(Inputs::Vectors(&[]))), (tokens, vectors));
}

#[test]
fn what_does_not_fit_is_refused() {
    for (inputs, outputs) in [(1.0, 0.0), (0.0, 1.0), (-0.1, 0.0), (0.0, f32::NAN), (f32::INFINITY, 0.0)] {
        assert!(matches!(Dropout::new(inputs, outputs), Err(Error::Setting(_))), "{inputs} {outputs}");
    }
    // Vectors are dropped from, and the workspace has no room for them.
    let problem = Problem::new(small(one(CellKind::Gru), false, 1));
    let model = Model::<Gru<3, 5>, 5, 4>::from_flat(&problem.params).unwrap();
    let mut workspace = bytemuck::zeroed_box::<Workspace<Dropped<Gru<3, 5>>, 5, 4, 2, 4>>();
    let (mut grads, mut state) = (Model::<Gru<3, 5>, 5, 4>::boxed(), [[0.0; 5]; 2]);
    let dropout = Dropout::new(0.3, 0.0).unwrap();
    let (inputs, targets) = (problem.inputs.inputs(), problem.targets.targets());
    let refused = model.gradient_dropped(dropout, inputs, targets, &mut state, &mut workspace, &mut grads);
    assert!(matches!(refused, Err(Error::TooShort { .. })), "{refused:?}");
    assert!(grads.as_flat().iter().all(|&g| g == 0.0) && state == [[0.0; 5]; 2]);
}

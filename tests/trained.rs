//! Training some tensors: their gradients are those of training all, and the others keep their bits.

#[allow(dead_code, reason = "each test crate uses its part of the helpers")]
mod common;
#[allow(dead_code, reason = "each test crate uses its part of the reference")]
mod reference;

use common::compare::{Tolerance, bits, typical_of};
use common::crowd::Crowd;
use common::problem::{Sizes, cells, sizes};
use common::{Problem, each_lanes};
use proptest::prelude::*;
use recurve::cell::{ActivationKind, AnyCell, Cell, CellKind, Dropout, TypedCell};
use recurve::clean::Clean;
use recurve::crew::{Alone, Crew};
use recurve::host::{AnyOptimizer, Network, Settings, Trainer, select, tensors};
use recurve::lanes::{Lanes, Portable};
use recurve::params::Flat;
use recurve::vocab::Alphabet;
use recurve::{
    Adam, Dense, Elman, Embedding, Error, Gru, Inputs, Lstm, Model, ModelShape, Stack, Targets, Trained,
    Workspace,
};

/// The set that these bits choose, and whether each tensor is in it.
fn chosen<C: Cell>(shape: ModelShape<C>, mask: u64) -> (Trained, Vec<bool>) {
    let cell = shape.cell.tensors();
    let parts = (0..cell).map(Trained::cell).chain([Trained::W_HQ, Trained::B_Q]);
    let is_in: Vec<_> = (0..cell + 2).map(|tensor| mask >> tensor & 1 != 0).collect();
    let parts = parts.zip(&is_in).filter_map(|(part, is_in)| is_in.then_some(part));
    (parts.fold(Trained::NONE, Trained::and), is_in)
}

/// Those of a flat vector's floats that belong to chosen tensors.
fn of_chosen(problem: &Problem, mask: u64, flat: &[f32]) -> Vec<f32> {
    let (_, is_in) = chosen(problem.shape, mask);
    let (mut rest, mut of) = (flat, Vec::new());
    for (tensor, is_in) in tensors(problem.shape).iter().zip(is_in) {
        let (part, after) = rest.split_at(tensor.len());
        of.extend_from_slice(if is_in { part } else { &[] });
        rest = after;
    }
    of
}

/// Loss, state and gradients of the chosen tensors, of the problem's shape or of one with dropout.
fn gradient<C: Cell, L: Lanes>(
    problem: &Problem,
    shape: ModelShape<C>,
    trained: Trained,
    lanes: L,
    crew: &impl Crew,
) -> (f32, Vec<f32>, Vec<f32>) {
    let extent = problem.extent;
    let mut state = problem.state.clone();
    let mut grads = vec![0.0; shape.trained_len(trained)];
    let loss = shape.gradient_of(
        trained,
        crew,
        lanes,
        &problem.params,
        problem.inputs.inputs(),
        problem.targets.targets(),
        &mut state,
        &mut vec![f32::NAN; shape.tape_len(extent)],
        &mut vec![f32::NAN; shape.scratch_len(extent) + shape.pack_len(crew.threads())],
        &mut grads,
    );
    (loss.expect("a valid window"), state, grads)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 8, ..ProptestConfig::default() })]

    /// More sequences than a block has, and more weights than one thread sums by itself.
    #[test]
    fn gradients_of_two_halves_are_those_of_training_all(
        cell in cells(vec![9], vec![20, 48]), batch in 65..140_usize, mask in any::<u64>(), seed in any::<u64>(),
    ) {
        let window = 8;
        let sizes = Sizes { cell, outputs: 6, batch, window, reads_tokens: true, predicts_tokens: true, seed };
        let problem = Problem::new(sizes);
        let (trained, _) = chosen(problem.shape, mask);
        let (all_loss, all_state, all) = gradient(&problem, problem.shape, Trained::ALL, Portable, &Alone);
        let expected = of_chosen(&problem, mask, &all);
        for threads in [1, 2, 5] {
            let (loss, state, grads) = gradient(&problem, problem.shape, trained, Portable, &Crowd(threads));
            prop_assert_eq!(loss.to_bits(), all_loss.to_bits());
            prop_assert_eq!(bits(&state), bits(&all_state));
            prop_assert_eq!(bits(&grads), bits(&expected));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn gradients_are_those_of_training_all(sizes in sizes(), mask in any::<u64>(), frozen in 0..12_u32) {
        // Often the first layers are frozen as a whole.
        let (problem, mask) = (Problem::new(sizes), mask << frozen);
        let (trained, _) = chosen(problem.shape, mask);
        each_lanes!(lanes => {
            let all = problem.gradient_with(lanes, 0);
            let expected = of_chosen(&problem, mask, &all.grads);
            for threads in [1, 3] {
                let (loss, state, grads) = gradient(&problem, problem.shape, trained, lanes, &Crowd(threads));
                prop_assert_eq!(loss.to_bits(), all.loss.to_bits());
                prop_assert_eq!(bits(&state), bits(&all.state));
                prop_assert_eq!(bits(&grads), bits(&expected));
            }
        });
    }

    #[test]
    fn dropout_drops_the_same(sizes in sizes(), mask in any::<u64>(), frozen in 0..12_u32, seed in any::<u32>()) {
        let (problem, mask) = (Problem::new(sizes), mask << frozen);
        let dropout = Dropout::new(0.3, 0.4).expect("shares").seeded(seed);
        let shape = problem.shape.with_dropout(dropout, problem.inputs.inputs());
        let (trained, _) = chosen(problem.shape, mask);
        let (loss, state, all) = gradient(&problem, shape, Trained::ALL, Portable, &Alone);
        let (of_chosen_loss, of_chosen_state, grads) = gradient(&problem, shape, trained, Portable, &Alone);
        prop_assert_eq!(of_chosen_loss.to_bits(), loss.to_bits());
        prop_assert_eq!(bits(&of_chosen_state), bits(&state));
        prop_assert_eq!(bits(&grads), bits(&of_chosen(&problem, mask, &all)));
    }

    #[test]
    fn gradients_are_the_reference_s(sizes in sizes(), mask in any::<u64>()) {
        let problem = Problem::new(sizes);
        let expected = problem.expected();
        prop_assume!(!problem.is_rectified() || expected.margin > 1e-5);
        let (trained, is_in) = chosen(problem.shape, mask);
        let (_, _, grads) = gradient(&problem, problem.shape, trained, Portable, &Alone);
        let beside = 0.1 * typical_of(expected.gradients.iter().map(|(_, values)| values));
        let mut rest = &grads[..];
        for ((name, values), _) in expected.gradients.iter().zip(is_in).filter(|(_, is_in)| *is_in) {
            let (tensor, after) = rest.split_at(values.len());
            Tolerance { norm: 2e-5, element: 1e-4 }.check_beside(name, tensor, values, beside);
            rest = after;
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn what_is_gathered_is_scattered(sizes in sizes(), mask in any::<u64>()) {
        let Problem { shape, params, .. } = &Problem::new(sizes);
        let (trained, _) = chosen(*shape, mask);
        let mut weights = vec![f32::NAN; shape.trained_len(trained)];
        shape.gather(trained, params, &mut weights).expect("these lengths");
        let problem = Problem::new(sizes);
        prop_assert_eq!(bits(&weights), bits(&of_chosen(&problem, mask, params)));

        let mut to = vec![7.0; params.len()];
        shape.scatter(trained, &weights, &mut to).expect("these lengths");
        prop_assert_eq!(bits(&of_chosen(&problem, mask, &to)), bits(&weights));
        prop_assert!(of_chosen(&problem, !mask, &to).iter().all(|w| *w == 7.0));

        let longer = vec![0.0; weights.len() + 1];
        let refused = [
            shape.scatter(trained, &longer, &mut to),
            shape.gather(trained, params, &mut longer.clone()),
            shape.gather(trained, &params[1..], &mut weights),
        ];
        prop_assert!(refused.iter().all(|result| matches!(result, Err(Error::Length { .. }))), "{refused:?}");
    }
}

type Cells = Stack<Embedding<5, 3>, Stack<Gru<3, 7>, Lstm<7, 6>>>;
type Deep = Model<Cells, 6, 5>;

#[test]
fn a_typed_model_says_the_same() {
    let mut model = Deep::boxed();
    let mut random = reference::random::Random::new(3);
    model.as_flat_mut().copy_from_slice(&common::problem::numbers(&mut random, Deep::LEN, 0.5));
    let text: [u16; 9] = [0, 1, 2, 3, 4, 0, 1, 2, 3];
    let (x, y) = (Inputs::Tokens(&text[..8]), Targets::Tokens(&text[1..]));
    let start = <Cells as TypedCell<6>>::State::<1>::ZERO;
    let mut workspace = Workspace::<Cells, 6, 5, 1, 8>::boxed();
    let (mut all, mut state) = (Deep::boxed(), start);
    let loss = model.gradient(x, y, &mut state, &mut workspace, &mut all).expect("a valid window");

    // The last layer: behind the embedding's tensor and the GRU's seven.
    let last = (8..11).map(Trained::cell).fold(Trained::HEAD, Trained::and);
    let mut grads = vec![0.0; Lstm::<7, 6>::LEN + Dense::<6, 5>::LEN];
    let mut state = start;
    let of = model.gradient_of(last, x, y, &mut state, &mut workspace, &mut grads).expect("a valid window");
    assert_eq!(of.to_bits(), loss.to_bits());
    assert_eq!(bits(&grads), bits(&all.as_flat()[Deep::LEN - grads.len()..]));

    let mut too_few = vec![0.0; grads.len() - 1];
    let (before, mut state) = (state, state);
    let result = model.gradient_of(last, x, y, &mut state, &mut workspace, &mut too_few);
    assert!(matches!(result, Err(Error::Length { .. })), "{result:?}");
    assert_eq!(state, before);
}

const SYMBOLS: [u32; 5] = [97, 98, 99, 100, 101];

/// The weights before and after some steps, of which only these tensors are trained.
fn run(cell: AnyCell, words: &str) -> (Network, Vec<f32>, Vec<f32>) {
    let mut network = Network::new(cell, SYMBOLS.to_vec(), Alphabet::Chars, Clean::None).expect("it fits");
    network.init(5);
    let before = network.params().to_vec();
    let mut settings = Settings::new(2, 6, AnyOptimizer::Adam(Adam { weight_decay: 0.1, ..Adam::new(0.05) }));
    settings.trained = select(network.shape(), words).expect("words with a meaning");
    settings.dropout = Dropout::new(0.1, 0.1).expect("shares");
    let text: Vec<u16> = (0..80).map(|i: u16| i * i % 5).collect();
    let mut trainer = Trainer::new(&mut network, &text, settings).expect("a text that is long enough");
    let losses: Vec<_> = (0..30).map(|_| trainer.step().expect("a finite step")).collect();
    assert!(losses[29] < losses[0], "{losses:?}");
    let after = network.params().to_vec();
    (network, before, after)
}

#[test]
fn a_trainer_leaves_frozen_tensors_alone() {
    let deep = AnyCell::deep(CellKind::Gru, ActivationKind::Tanh, 5, 12, 2).expect("two layers");
    for (words, moved) in [
        ("head", vec!["w_hq", "b_q"]),
        ("2,head", vec!["2.w_xg", "2.w_hg", "2.b_g", "2.w_xn", "2.w_hn", "2.b_xn", "2.b_hn", "w_hq", "b_q"]),
        ("biases", vec!["1.b_g", "1.b_xn", "1.b_hn", "2.b_g", "2.b_xn", "2.b_hn", "b_q"]),
        ("w_hn, 1.b_g", vec!["1.b_g", "1.w_hn", "2.w_hn"]),
    ] {
        let (network, before, after) = run(deep, words);
        let mut at = 0;
        for tensor in tensors(network.shape()) {
            let part = at..at + tensor.len();
            let changed = bits(&before[part.clone()]) != bits(&after[part.clone()]);
            assert_eq!(changed, moved.contains(&&*tensor.label()), "{words}: {}", tensor.label());
            at = part.end;
        }
    }
}

#[test]
fn words_without_meaning_are_refused() {
    let shape = ModelShape { cell: Elman::<5, 6>::SHAPE.into(), outputs: 5 };
    for words in ["", "tail", "2", "0", "head,,b_h", "1.w_xh", "2.b_q"] {
        let error = select(shape, words).expect_err("no meaning").to_string();
        assert!(error.contains("w_xh, w_hh, b_h, w_hq, b_q"), "{error}");
    }
    let wild = select(shape, &format!("a\n\u{1b}{}", "b".repeat(1000))).expect_err("no meaning").to_string();
    assert!(wild.contains("\"a\\n\\u{1b}bbb") && wild.len() < 300, "{wild}");
    for words in ["all", "1,head", "w_xh,w_hh,biases,w_hq"] {
        assert_eq!(select(shape, words).expect("words with a meaning"), Trained::ALL);
    }
}

#[test]
fn something_must_be_trained() {
    let cell = AnyCell::new(CellKind::Elman, ActivationKind::Tanh, 5, 4);
    let mut network = Network::new(cell, SYMBOLS.to_vec(), Alphabet::Chars, Clean::None).expect("it fits");
    let mut settings = Settings::new(1, 4, AnyOptimizer::Adam(Adam::new(0.05)));
    settings.trained = Trained::NONE;
    let error = Trainer::new(&mut network, &[0; 20], settings).expect_err("nothing to train");
    assert!(error.to_string().contains("frozen"), "{error}");
}

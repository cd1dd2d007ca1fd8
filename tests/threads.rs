//! Several blocks of sequences, and several threads: the reference's gradients, and the same bits for any crew.

#[allow(dead_code, reason = "each test crate uses its part of the helpers")]
mod common;
#[allow(dead_code, reason = "each test crate uses its part of the reference")]
mod reference;

use common::compare::{Tolerance, bits, typical_of};
use common::crowd::Crowd;
use common::problem::{Sizes, cells};
use common::{Problem, each_lanes};
use proptest::prelude::*;
use proptest::sample::select;
use recurve::lanes::{Lanes, Portable};
#[cfg(feature = "rayon")]
use recurve::{
    Sgd,
    cell::{ActivationKind, AnyCell, CellKind},
    clean::Clean,
    host::{AnyOptimizer, Network, Settings, Trainer},
    vocab::Alphabet,
};

/// Batches that are cut into blocks: none, one and a rest, several.
fn sizes() -> impl Strategy<Value = Sizes> {
    let model = (cells(vec![2, 3, 33], vec![5, 40, 130]), select(vec![1, 29]));
    let window = (select(vec![17, 64, 70, 133]), 1..=2_usize, any::<bool>(), any::<bool>(), any::<u64>());
    (model, window).prop_map(|((cell, outputs), (batch, window, reads_tokens, predicts_tokens, seed))| {
        Sizes { cell, outputs, batch, window, reads_tokens, predicts_tokens, seed }
    })
}

/// Loss, state and gradients of a window by several threads, with or without room for copies.
fn gradient<L: Lanes>(problem: &Problem, lanes: L, crowd: &Crowd, roomy: bool) -> (f32, Vec<f32>, Vec<f32>) {
    added_gradient(problem, lanes, crowd, roomy, vec![0.0; problem.params.len()])
}

/// The same, with gradients added to these.
fn added_gradient<L: Lanes>(
    problem: &Problem,
    lanes: L,
    crowd: &Crowd,
    roomy: bool,
    mut grads: Vec<f32>,
) -> (f32, Vec<f32>, Vec<f32>) {
    let (shape, extent) = (problem.shape, problem.extent);
    let room = if roomy { shape.pack_len(crowd.0) } else { 0 };
    let mut state = problem.state.clone();
    let loss = shape.gradient_by(
        crowd,
        lanes,
        &problem.params,
        problem.inputs.inputs(),
        problem.targets.targets(),
        &mut state,
        &mut vec![f32::NAN; shape.tape_len(extent)],
        &mut vec![f32::NAN; shape.scratch_len(extent) + room],
        &mut grads,
    );
    (loss.expect("a valid window"), state, grads)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(10) })]

    #[test]
    fn any_number_of_threads_gives_the_same_bits(sizes in sizes()) {
        let problem = Problem::new(sizes);
        each_lanes!(lanes => {
            let alone = problem.gradient_with(lanes, 0);
            for (threads, roomy) in [(1, true), (2, true), (3, false), (7, true)] {
                let (loss, state, grads) = gradient(&problem, lanes, &Crowd(threads), roomy);
                prop_assert_eq!(loss.to_bits(), alone.loss.to_bits());
                prop_assert_eq!(bits(&state), bits(&alone.state));
                prop_assert_eq!(bits(&grads), bits(&alone.grads), "{} threads", threads);
            }
        });
    }

    #[test]
    fn any_number_of_threads_adds_to_the_same_gradients(sizes in sizes()) {
        let problem = Problem::new(sizes);
        let added = |threads, roomy| {
            added_gradient(&problem, Portable, &Crowd(threads), roomy, problem.params.clone()).2
        };
        let alone = added(1, false);
        let (_, _, anew) = gradient(&problem, Portable, &Crowd(1), false);
        prop_assert!(anew.iter().all(|&x| x == 0.0) || alone != anew);
        for (threads, roomy) in [(1, true), (2, true), (3, false), (7, true)] {
            prop_assert_eq!(bits(&added(threads, roomy)), bits(&alone), "{} threads", threads);
        }
    }

    #[test]
    fn gradients_of_several_blocks_are_the_reference_s(sizes in sizes()) {
        let problem = Problem::new(sizes);
        let expected = problem.expected();
        prop_assume!(!problem.is_rectified() || expected.margin > 1e-5);
        let (loss, state, grads) = gradient(&problem, Portable, &Crowd(2), true);
        // Sums over up to 400 rows.
        let tolerance = Tolerance { norm: 1e-4, element: 3e-4 };
        tolerance.check("loss", &[loss], &[expected.loss]);
        tolerance.check_beside("state", &problem.remembered(&state), &expected.state, 0.25);
        let beside = 0.1 * typical_of(expected.gradients.iter().map(|(_, values)| values));
        let mut rest = &grads[..];
        for (name, values) in &expected.gradients {
            let (tensor, after) = rest.split_at(values.len());
            tolerance.check_beside(name, tensor, values, beside);
            rest = after;
        }
    }
}

/// Of each window by itself, in blocks and parts of tensors that several threads share.
#[cfg(feature = "rayon")]
#[test]
fn any_number_of_threads_trains_the_same_weights() {
    for batch in [1, 32, 133] {
        let trained = |threads| {
            let cell = AnyCell::new(CellKind::Gru, ActivationKind::Tanh, 29, 40);
            let mut network = Network::new(cell, (0..29).collect(), Alphabet::Chars, Clean::None).unwrap();
            network.init(1);
            let tokens: Vec<u16> = (0..24 * batch + 1).map(|i| (i * i % 29) as u16).collect();
            let optimizer = AnyOptimizer::Sgd(Sgd { lr: 0.5, momentum: 0.0 });
            let mut settings = Settings::new(batch, 7, optimizer);
            settings.threads = threads;
            let mut trainer = Trainer::new(&mut network, &tokens, settings).unwrap();
            for _ in 0..3 {
                trainer.step().unwrap();
            }
            bits(network.params())
        };
        let alone = trained(1);
        assert!([2, 3].into_iter().all(|threads| trained(threads) == alone), "{batch} sequences");
    }
}

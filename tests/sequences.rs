//! Objectives of windows: one target for a sequence or for each row, sequences of several lengths, Huber's loss. Against
//! a naive f64 loss and its finite differences, against each sequence by itself, on all lanes and any number of threads.

#[allow(dead_code, reason = "each test crate uses its part of the helpers")]
mod common;
#[allow(dead_code, reason = "each test crate uses its part of the reference")]
mod reference;

use proptest::prelude::*;
use proptest::sample::select;
use recurve::cell::{ActivationKind, AnyCell, Cell, CellKind};
use recurve::error::{Argument, Quantity};
use recurve::lanes::{Lanes, Portable, Scalar};
use recurve::{Error, Objective, Readout, Targets};

use common::Problem;
use common::compare::{Tolerance, bits, f64s, typical_of};
use common::crowd::Crowd;
use common::each_lanes;
use common::problem::{Rows, Sizes, cells};
use reference::differences::derivatives;
use reference::loss::log_softmax;

/// A problem and what it is trained for.
#[derive(Clone, Debug)]
struct Case {
    problem: Problem,
    readout: Option<Readout>,
    lengths: Vec<usize>,
    /// δ of Huber's loss, instead of the squared error.
    delta: Option<f32>,
}

/// Batches of up to `batch` sequences, not all of length 0.
fn cases(batch: usize) -> impl Strategy<Value = Case> {
    // Each weight takes two forward passes of the reference.
    let cells =
        cells(vec![1, 2, 3], vec![1, 2, 5]).prop_filter("few weights", |cell| cell.params_len() < 500);
    let model = (cells, select(vec![1, 3, 17]));
    let readouts = select(vec![None, Some(Readout::Last), Some(Readout::Mean)]);
    let objective = (readouts, any::<bool>(), select(vec![None, Some(0.5_f32), Some(4.0)]));
    let window = (1..=batch, 1..=5_usize, any::<bool>(), any::<u64>());
    (model, objective, window)
        .prop_flat_map(|(model, objective, window)| {
            let lengths = prop::collection::vec(0..=window.1, window.0);
            let lengths = lengths.prop_filter("something to learn", |all| all.iter().any(|&n| n > 0));
            (Just(model), Just(objective), Just(window), lengths)
        })
        .prop_map(|(model, objective, window, lengths)| {
            let (cell, outputs) = model;
            let (readout, predicts_tokens, delta) = objective;
            let (batch, window, reads_tokens, seed) = window;
            let sizes = Sizes { cell, outputs, batch, window, reads_tokens, predicts_tokens, seed };
            Case { problem: Problem::new(sizes), readout, lengths, delta }.closer()
        })
}

/// What a window gives: loss, state and gradients.
type Outcome = (f32, Vec<f32>, Vec<f32>);

impl Case {
    /// Target vectors on both sides of δ from outputs of about ±1; one target for each sequence where that is wanted.
    fn closer(mut self) -> Self {
        if let Rows::Vectors(y, _) = &mut self.problem.targets {
            y.iter_mut().enumerate().for_each(|(i, y)| *y -= if i % 2 == 0 { 4.0 } else { 1.0 });
        }
        if self.readout.is_some() {
            self.problem.targets = self.problem.targets.pick(0..self.problem.extent.batch);
        }
        self
    }

    fn targets(&self) -> Targets<'_> {
        match (self.problem.targets.targets(), self.delta) {
            (Targets::Vectors(y), Some(delta)) => Targets::Huber { y, delta },
            (targets, _) => targets,
        }
    }

    /// Without the lengths.
    fn unmasked(&self) -> Objective<'_> {
        match self.readout {
            None => Objective::from(self.targets()),
            Some(Readout::Last) => Objective::last(self.targets()),
            Some(_) => Objective::mean(self.targets()),
        }
    }

    fn objective(&self) -> Objective<'_> {
        self.unmasked().with_lengths(&self.lengths)
    }

    fn gradient<L: Lanes>(&self, lanes: L, crowd: &Crowd) -> Result<Outcome, Error> {
        self.gradient_of(self.objective(), lanes, crowd)
    }

    fn gradient_of<L: Lanes>(
        &self,
        objective: Objective<'_>,
        lanes: L,
        crowd: &Crowd,
    ) -> Result<Outcome, Error> {
        let Problem { shape, extent, params, inputs, .. } = &self.problem;
        let mut state = self.problem.state.clone();
        let mut tape = vec![f32::NAN; shape.tape_len(*extent)];
        let mut scratch = vec![f32::NAN; shape.scratch_len(*extent)];
        let mut grads = vec![0.0; params.len()];
        let (tape, scratch) = (&mut tape, &mut scratch);
        let loss = shape.gradient_by(
            crowd,
            lanes,
            params,
            inputs.inputs(),
            objective,
            &mut state,
            tape,
            scratch,
            &mut grads,
        )?;
        let mut other = self.problem.state.clone();
        let alone = shape.loss(lanes, params, inputs.inputs(), objective, &mut other, tape, scratch)?;
        assert_eq!((alone.to_bits(), bits(&other)), (loss.to_bits(), bits(&state)));
        Ok((loss, state, grads))
    }

    /// The loss by its definition, and on which side of each kink it is.
    fn naive(&self, params: &[f64]) -> (f64, Vec<bool>) {
        let (q, batch) = (self.problem.shape.outputs, self.problem.extent.batch);
        // The reference's own loss wants a target for each row.
        let mut problem = self.problem.clone();
        problem.targets = Rows::Tokens(vec![0; batch * problem.extent.window]);
        let forward = problem.reference_forward(params);
        let mut sides: Vec<bool> = forward.h.iter().map(|&h| h > 0.0).collect();
        let row = |t: usize, b: usize| forward.logits[(t * batch + b) * q..][..q].to_vec();
        let mut losses = Vec::new();
        for (b, &n) in self.lengths.iter().enumerate() {
            let mut compare = |o: &[f64], target| losses.push(self.naive_row(o, target, &mut sides));
            match self.readout {
                None => (0..n).for_each(|t| compare(&row(t, b), t * batch + b)),
                _ if n == 0 => {}
                Some(Readout::Last) => compare(&row(n - 1, b), b),
                Some(_) => {
                    let rows: Vec<_> = (0..n).map(|t| row(t, b)).collect();
                    let mean = |j: usize| rows.iter().map(|o| o[j]).sum::<f64>() / n as f64;
                    compare(&(0..q).map(mean).collect::<Vec<_>>(), b);
                }
            }
        }
        (losses.iter().sum::<f64>() / losses.len() as f64, sides)
    }

    fn naive_row(&self, o: &[f64], target: usize, sides: &mut Vec<bool>) -> f64 {
        match &self.problem.targets {
            Rows::Tokens(tokens) => -log_softmax(o)[usize::from(tokens[target])],
            Rows::Vectors(y, q) => {
                let y = &f64s(y)[target * q..][..*q];
                o.iter().zip(y).map(|(o, y)| self.naive_residual(o - y, sides)).sum()
            }
        }
    }

    fn naive_residual(&self, r: f64, sides: &mut Vec<bool>) -> f64 {
        let Some(delta) = self.delta.map(f64::from) else { return 0.5 * r * r };
        sides.push(r.abs() > delta);
        if r.abs() <= delta { 0.5 * r * r } else { delta * (r.abs() - 0.5 * delta) }
    }

    /// Sequence b by itself, without padding.
    fn alone(&self, b: usize) -> Self {
        let Self { problem, readout, delta, .. } = self.clone();
        let of_one = |problem: &Problem| Self {
            problem: problem.sequence(b).part(0..self.lengths[b]),
            readout,
            lengths: vec![self.lengths[b]],
            delta,
        };
        if readout.is_none() {
            return of_one(&problem);
        }
        let targets = problem.targets.pick(b..b + 1);
        let rows = Rows::Tokens(vec![0; problem.extent.rows()]);
        let mut one = of_one(&Problem { targets: rows, ..problem });
        one.problem.targets = targets;
        one
    }
}

const TOLERANCE: Tolerance = Tolerance { norm: 3e-5, element: 2e-4 };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn losses_and_gradients_are_those_of_the_definition(case in cases(4)) {
        let (loss, _, grads) = case.gradient(Portable, &Crowd(1)).expect("a valid window");
        let params = f64s(&case.problem.params);
        let (expected, _) = case.naive(&params);
        TOLERANCE.check_beside("loss", &[loss], &[expected], 0.1);
        let expected = derivatives(&params, |params| case.naive(params));
        let smooth: Vec<_> = expected.iter().zip(&grads).filter_map(|(e, &g)| Some(((*e)?, g))).collect();
        let (expected, grads): (Vec<f64>, Vec<f32>) = smooth.into_iter().unzip();
        let typical = typical_of([&expected].into_iter()).max(0.01);
        TOLERANCE.check_beside("gradient", &grads, &expected, typical);
    }

    #[test]
    fn a_batch_is_its_sequences_one_by_one(case in cases(4)) {
        let (loss, state, grads) = case.gradient(Portable, &Crowd(1)).expect("a valid window");
        let counts: Vec<usize> =
            case.lengths.iter().map(|&n| if case.readout.is_some() { n.min(1) } else { n }).collect();
        let total = counts.iter().sum::<usize>() as f64;
        let (mut expected, mut sum) = (0.0, vec![0.0; grads.len()]);
        for (b, &count) in counts.iter().enumerate() {
            let own = case.problem.state_of(&state, b);
            if case.lengths[b] < case.problem.extent.window {
                prop_assert!(own.iter().all(|&h| h == 0.0));
            }
            if count == 0 {
                continue;
            }
            let alone = case.alone(b);
            let (loss, after, grads) = alone.gradient(Portable, &Crowd(1)).expect("a valid window");
            let weight = count as f64 / total;
            expected += weight * f64::from(loss);
            sum.iter_mut().zip(&grads).for_each(|(sum, &g)| *sum += weight * f64::from(g));
            if case.lengths[b] == case.problem.extent.window {
                prop_assert_eq!(bits(&own), bits(&after));
            }
        }
        let tolerance = Tolerance { norm: 1e-5, element: 1e-4 };
        tolerance.check_beside("loss", &[loss], &[expected], 0.1);
        tolerance.check_beside("gradient", &grads, &sum, typical_of([&sum].into_iter()).max(0.01));
    }

    #[test]
    fn full_lengths_say_nothing_and_padding_does_not_matter(case in cases(4)) {
        let full = Case { lengths: vec![case.problem.extent.window; case.lengths.len()], ..case.clone() };
        let masked = full.gradient(Portable, &Crowd(1)).expect("a valid window");
        let plain = full.gradient_of(full.unmasked(), Portable, &Crowd(1)).expect("a valid window");
        prop_assert_eq!(bits(&masked.2), bits(&plain.2));
        prop_assert_eq!((masked.0.to_bits(), bits(&masked.1)), (plain.0.to_bits(), bits(&plain.1)));

        let (batch, mut other) = (case.lengths.len(), case.clone());
        if let Rows::Vectors(x, width) = &mut other.problem.inputs {
            for (row, x) in x.chunks_exact_mut(*width).enumerate() {
                if row / batch >= case.lengths[row % batch] {
                    x.fill(0.0);
                }
            }
        }
        let [one, two] = [case, other].map(|case| case.gradient(Portable, &Crowd(1)).expect("a valid window"));
        prop_assert_eq!(one.0.to_bits(), two.0.to_bits());
        // But for the sign of a zero.
        prop_assert_eq!(one.2, two.2);
    }

    #[test]
    fn lanes_and_threads_change_nothing(case in cases(70)) {
        let plain = case.gradient(Scalar, &Crowd(1)).expect("a valid window");
        let mut fused: Option<Outcome> = None;
        each_lanes!(lanes => {
            for threads in [1, 3] {
                let outcome = case.gradient(lanes, &Crowd(threads)).expect("a valid window");
                let expected = if fused_lanes(lanes) { &*fused.get_or_insert(outcome.clone()) } else { &plain };
                prop_assert_eq!(outcome.0.to_bits(), expected.0.to_bits());
                prop_assert_eq!(bits(&outcome.1), bits(&expected.1));
                prop_assert_eq!(bits(&outcome.2), bits(&expected.2));
            }
        });
    }
}

fn fused_lanes<L: Lanes>(_: L) -> bool {
    L::FUSED
}

/// A window of two sequences of three steps, with nothing wrong.
fn valid(readout: Option<Readout>) -> Case {
    let sizes = Sizes {
        cell: AnyCell::new(CellKind::Gru, ActivationKind::Tanh, 2, 3),
        outputs: 2,
        batch: 2,
        window: 3,
        reads_tokens: false,
        predicts_tokens: false,
        seed: 1,
    };
    Case { problem: Problem::new(sizes), readout, lengths: vec![3, 1], delta: Some(1.0) }.closer()
}

#[track_caller]
fn refused(case: &Case, error: Error) {
    assert_eq!(case.gradient(Portable, &Crowd(1)), Err(error));
}

#[test]
fn what_does_not_fit_is_refused() {
    for readout in [None, Some(Readout::Last), Some(Readout::Mean)] {
        let lengths = |lengths: &[usize]| Case { lengths: lengths.to_vec(), ..valid(readout) };
        for wrong in [&[][..], &[3], &[3, 3, 3]] {
            let error = Error::Length { argument: Argument::Lengths, needed: 2, got: wrong.len() };
            refused(&lengths(wrong), error);
        }
        refused(&lengths(&[1, 4]), Error::Steps { length: 4, window: 3 });
        refused(&lengths(&[0, 0]), Error::Setting("all sequences have length 0"));
        for delta in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            let error = Error::Setting("Huber's delta must be finite and above 0");
            refused(&Case { delta: Some(delta), ..valid(readout) }, error);
        }
        let mut case = valid(readout);
        let needed = if readout.is_some() { 4 } else { 12 };
        let Rows::Vectors(y, _) = &mut case.problem.targets else { panic!("vectors") };
        y.push(0.0);
        refused(&case, Error::Length { argument: Argument::Targets, needed, got: needed + 1 });
    }
}

/// Neither in what counts nor in padding, where it would reach the gradient.
#[test]
fn no_reading_may_be_other_than_finite() {
    for readout in [None, Some(Readout::Last), Some(Readout::Mean)] {
        for at in 0..12 {
            let mut case = valid(readout);
            let Rows::Vectors(x, _) = &mut case.problem.inputs else { panic!("vectors") };
            x[at] = f32::NAN;
            refused(&case, Error::NotFinite(Quantity::Loss));
        }
    }
}

#[test]
fn a_stream_of_steps_comes_to_the_window_s_loss() {
    let mut case = valid(None);
    case.problem = case.problem.sequence(0);
    let y = [0.5, -0.25];
    let objective = Objective::mean(Targets::Vectors(&y));
    let (loss, ..) = case.gradient_of(objective, Portable, &Crowd(1)).expect("a valid window");
    let (_, logits, _) = case.problem.steps();
    let mut mean = recurve::loss::RunningMean::<2>::default();
    logits.as_chunks::<2>().0.iter().for_each(|logits| mean.add(logits));
    let mut outputs = [0.0; 2];
    mean.value(&mut outputs);
    assert!((loss - recurve::loss::squared_error(&outputs, &y)).abs() < 1e-6);
    mean.clear();
    assert_eq!(mean, recurve::loss::RunningMean::default());
}

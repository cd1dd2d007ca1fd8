//! Every way in which a step, a window, clipping or an optimiser refuses: the error names what is wrong, and weights,
//! state and gradients are as they were.

#[allow(dead_code, reason = "each test crate uses its part of the helpers")]
mod common;
#[allow(dead_code, reason = "each test crate uses its part of the reference")]
mod reference;

use recurve::cell::{ActivationKind, AnyCell, CellKind, Extent};
use recurve::error::{Argument, Quantity};
use recurve::lanes::Portable;
use recurve::params::Flat;
use recurve::{CharRnn, Error, Inputs, ModelShape, Targets, Workspace, clip_norm};

use common::compare::bits;
use common::problem::{Problem, Sizes};

const D: usize = 3;
const H: usize = 5;
const V: usize = 4;
const B: usize = 2;
const T: usize = 3;

/// Everything that a caller lends for a window or a step, to be spoiled before the call.
#[derive(Clone, Debug)]
struct Call {
    shape: ModelShape<AnyCell>,
    params: Vec<f32>,
    tokens: Vec<u16>,
    x: Vec<f32>,
    wanted: Vec<u16>,
    y: Vec<f32>,
    /// Whether `x` is read, and not `tokens`; whether `y` is the target, and not `wanted`.
    vectors: bool,
    state: Vec<f32>,
    tape: Vec<f32>,
    scratch: Vec<f32>,
    grads: Vec<f32>,
    logits: Vec<f32>,
}

impl Call {
    /// A call with which nothing is wrong.
    fn valid(kind: CellKind, vectors: bool) -> Self {
        let extent = Extent { batch: B, window: T };
        let sizes = Sizes {
            cell: AnyCell::new(kind, ActivationKind::Tanh, D, H),
            outputs: V,
            batch: B,
            window: T,
            reads_tokens: true,
            predicts_tokens: true,
            seed: 5,
        };
        let problem = Problem::new(sizes);
        let shape = problem.shape;
        Self {
            shape,
            tokens: vec![0, 1, 2, 1, 0, 2],
            x: vec![0.5; B * T * D],
            wanted: vec![3, 1, 2, 0, 0, 3],
            y: vec![0.25; B * T * V],
            vectors,
            state: problem.state,
            tape: vec![0.0; shape.tape_len(extent)],
            scratch: vec![0.0; shape.scratch_len(extent)],
            grads: vec![0.125; problem.params.len()],
            logits: vec![0.75; B * V],
            params: problem.params,
        }
    }

    fn gradient(&mut self) -> Result<f32, Error> {
        let (inputs, targets) = if self.vectors {
            (Inputs::Vectors(&self.x), Targets::Vectors(&self.y))
        } else {
            (Inputs::Tokens(&self.tokens), Targets::Tokens(&self.wanted))
        };
        let (state, tape, scratch) = (&mut self.state, &mut self.tape, &mut self.scratch);
        self.shape.gradient(Portable, &self.params, inputs, targets, state, tape, scratch, &mut self.grads)
    }

    fn loss(&mut self) -> Result<f32, Error> {
        let (inputs, targets) = if self.vectors {
            (Inputs::Vectors(&self.x), Targets::Vectors(&self.y))
        } else {
            (Inputs::Tokens(&self.tokens), Targets::Tokens(&self.wanted))
        };
        let (state, tape, scratch) = (&mut self.state, &mut self.tape, &mut self.scratch);
        self.shape.loss(Portable, &self.params, inputs, targets, state, tape, scratch)
    }

    /// A step of the window's first rows.
    fn step(&mut self) -> Result<(), Error> {
        let inputs = if self.vectors {
            Inputs::Vectors(self.x.get(..B * D).unwrap_or(&self.x))
        } else {
            Inputs::Tokens(self.tokens.get(..B).unwrap_or(&self.tokens))
        };
        self.shape.step(Portable, &self.params, inputs, &mut self.state, &mut self.logits, &mut self.scratch)
    }

    /// The bits of what an error must leave alone.
    fn kept(&self) -> [Vec<u32>; 3] {
        [bits(&self.params), bits(&self.state), bits(&self.grads)]
    }
}

/// Spoils a valid call, which must then be refused with `error` by a window's gradient.
#[track_caller]
fn refused(kind: CellKind, vectors: bool, error: Error, spoil: impl Fn(&mut Call)) {
    let mut call = Call::valid(kind, vectors);
    spoil(&mut call);
    let before = call.kept();
    assert_eq!(call.gradient(), Err(error));
    assert_eq!(call.kept(), before, "{error}");
    // The loss alone has no gradients to refuse, and works in less scratch.
    if !matches!(
        error,
        Error::Length { argument: Argument::Grads, .. } | Error::TooShort { argument: Argument::Scratch, .. }
    ) {
        assert_eq!(call.loss(), Err(error));
        assert_eq!(call.kept(), before, "{error}");
    }
}

/// The same for a step, which also leaves the outputs alone.
#[track_caller]
fn step_refused(kind: CellKind, vectors: bool, error: Error, spoil: impl Fn(&mut Call)) {
    let mut call = Call::valid(kind, vectors);
    spoil(&mut call);
    let (before, logits) = (call.kept(), bits(&call.logits));
    assert_eq!(call.step(), Err(error));
    assert_eq!(call.kept(), before, "{error}");
    assert_eq!(bits(&call.logits), logits, "{error}");
}

fn length(argument: Argument, needed: usize, got: usize) -> Error {
    Error::Length { argument, needed, got }
}

fn uneven(argument: Argument, unit: usize, got: usize) -> Error {
    Error::Uneven { argument, unit, got }
}

fn too_short(argument: Argument, needed: usize, got: usize) -> Error {
    Error::TooShort { argument, needed, got }
}

fn all_kinds(check: impl Fn(CellKind, usize)) {
    for &kind in CellKind::ALL {
        check(kind, Call::valid(kind, false).params.len());
    }
}

#[test]
fn nothing_is_wrong_with_a_valid_call() {
    all_kinds(|kind, _| {
        for vectors in [false, true] {
            assert!(Call::valid(kind, vectors).gradient().is_ok());
            assert!(Call::valid(kind, vectors).loss().is_ok());
            assert_eq!(Call::valid(kind, vectors).step(), Ok(()));
        }
    });
}

#[test]
fn a_window_refuses_buffers_of_wrong_lengths() {
    all_kinds(|kind, n| {
        for vectors in [false, true] {
            let refused = |error, spoil: &dyn Fn(&mut Call)| refused(kind, vectors, error, spoil);
            refused(length(Argument::Params, n, n - 1), &|c| c.params.truncate(n - 1));
            refused(length(Argument::Params, n, n + 1), &|c| c.params.push(0.0));
            refused(length(Argument::Grads, n, n - 1), &|c| c.grads.truncate(n - 1));
            refused(length(Argument::Grads, n, n + 1), &|c| c.grads.push(0.0));
            let Call { shape, tape, scratch, .. } = Call::valid(kind, vectors);
            let s = shape.state_len(1);
            refused(uneven(Argument::State, s, B * s + 1), &|c| c.state.push(0.0));
            refused(uneven(Argument::State, s, s - 1), &|c| c.state.truncate(s - 1));
            refused(uneven(Argument::State, s, 0), &|c| c.state.clear());

            let (tape, scratch) = (tape.len(), scratch.len());
            refused(too_short(Argument::Tape, tape, tape - 1), &|c| c.tape.truncate(tape - 1));
            refused(too_short(Argument::Scratch, scratch, scratch - 1), &|c| c.scratch.truncate(scratch - 1));
        }
        let loss_alone = B * T * V;
        let mut call = Call::valid(kind, false);
        call.scratch.truncate(loss_alone - 1);
        assert_eq!(call.loss(), Err(too_short(Argument::Scratch, loss_alone, loss_alone - 1)));
    });
}

#[test]
fn a_window_refuses_rows_that_do_not_fit_the_batch_or_each_other() {
    all_kinds(|kind, _| {
        let rows = B * T;
        refused(kind, false, uneven(Argument::Inputs, B, rows - 1), |c| c.tokens.truncate(rows - 1));
        refused(kind, false, length(Argument::Targets, rows, rows - 1), |c| c.wanted.truncate(rows - 1));
        refused(kind, false, length(Argument::Targets, rows, rows + 1), |c| c.wanted.push(0));
        refused(kind, true, uneven(Argument::Inputs, B * D, rows * D - 1), |c| {
            c.x.truncate(rows * D - 1);
        });
        refused(kind, true, length(Argument::Targets, rows * V, rows * V - 1), |c| {
            c.y.truncate(rows * V - 1);
        });
        refused(kind, true, length(Argument::Targets, rows * V, rows * V + 1), |c| c.y.push(0.0));
        for few in [0, B - 1] {
            refused(kind, false, uneven(Argument::Inputs, B, few), |c| c.tokens.truncate(few));
            refused(kind, true, uneven(Argument::Inputs, B * D, few * D), |c| c.x.truncate(few * D));
        }
    });
}

#[test]
fn a_step_refuses_buffers_of_wrong_lengths() {
    all_kinds(|kind, n| {
        for vectors in [false, true] {
            let refused = |error, spoil: &dyn Fn(&mut Call)| step_refused(kind, vectors, error, spoil);
            refused(length(Argument::Params, n, n - 1), &|c| c.params.truncate(n - 1));
            refused(length(Argument::Logits, B * V, B * V - 1), &|c| c.logits.truncate(B * V - 1));
            refused(length(Argument::Logits, B * V, B * V + 1), &|c| c.logits.push(0.0));
            let shape = Call::valid(kind, vectors).shape;
            let (s, scratch) = (shape.state_len(1), shape.step_scratch_len(B));
            refused(uneven(Argument::State, s, B * s + 2), &|c| c.state.extend([0.0; 2]));
            refused(uneven(Argument::State, s, 0), &|c| c.state.clear());
            refused(too_short(Argument::Scratch, scratch, scratch - 1), &|c| c.scratch.truncate(scratch - 1));
        }
        step_refused(kind, false, length(Argument::Inputs, B, B - 1), |c| c.tokens.truncate(B - 1));
        step_refused(kind, true, length(Argument::Inputs, B * D, B * D - 1), |c| c.x.truncate(B * D - 1));
    });
}

#[test]
fn tokens_outside_of_the_vocabulary_are_refused_wherever_they_stand() {
    all_kinds(|kind, _| {
        for at in 0..B * T {
            for token in [3, u16::MAX] {
                let error = Error::Token { token, symbols: D };
                refused(kind, false, error, |c| c.tokens[at] = token);
                if at < B {
                    step_refused(kind, false, error, |c| c.tokens[at] = token);
                }
            }
            refused(kind, false, Error::Token { token: 4, symbols: V }, |c| c.wanted[at] = 4);
        }
    });
}

#[test]
fn numbers_that_are_not_finite_do_not_reach_weights_state_or_gradients() {
    all_kinds(|kind, n| {
        let not_finite = Error::NotFinite(Quantity::Loss);
        for at in 0..n {
            // Every weight matters: all tokens are read, no hidden unit is zero.
            for vectors in [false, true] {
                refused(kind, vectors, not_finite, |c| c.params[at] = f32::NAN);
            }
        }
        for at in 0..B * T * D {
            refused(kind, true, not_finite, |c| c.x[at] = f32::NAN);
        }
        for (at, bad) in (0..B * T * V).zip([f32::NAN, f32::INFINITY, f32::NEG_INFINITY].into_iter().cycle())
        {
            refused(kind, true, not_finite, |c| c.y[at] = bad);
        }
        refused(kind, true, not_finite, |c| c.params[n - 1] = f32::MAX);
        for at in 0..Call::valid(kind, false).state.len() {
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                refused(kind, false, Error::NotFinite(Quantity::State), |c| c.state[at] = bad);
                step_refused(kind, false, Error::NotFinite(Quantity::State), |c| c.state[at] = bad);
            }
        }
    });
}

#[test]
fn a_step_tells_of_outputs_that_are_not_finite() {
    all_kinds(|kind, n| {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut call = Call::valid(kind, false);
            call.params[n - 1] = bad;
            assert_eq!(call.step(), Err(Error::NotFinite(Quantity::Logit)));
        }
    });
}

/// A reading that is not finite must not poison the state of a stream.
#[test]
fn a_step_that_fails_leaves_the_state() {
    all_kinds(|kind, _| {
        for at in 0..B * D {
            let mut call = Call::valid(kind, true);
            call.x[at] = f32::NAN;
            let before = bits(&call.state);
            assert_eq!(call.step(), Err(Error::NotFinite(Quantity::Logit)));
            assert_eq!(bits(&call.state), before);
        }
    });
}

/// A layer of ReLU doubles its units at each step until they are infinite, and the one above makes 1 of that: the step
/// succeeds, and so does a window. What they leave is refused then.
#[test]
fn what_tanh_hides_is_refused_by_the_next_step() {
    let below = AnyCell::new(CellKind::Elman, ActivationKind::Relu, D, H);
    for above in [CellKind::Elman, CellKind::Gru, CellKind::Lstm] {
        let cell = below.then(AnyCell::new(above, ActivationKind::Tanh, H, H)).unwrap();
        let shape = ModelShape { cell, outputs: V };
        let mut params = vec![0.5; shape.params_len()];
        params[..D * H].fill(f32::MAX);
        let (mut state, mut logits) = (vec![0.0; shape.state_len(1)], [0.0; V]);
        let mut scratch = vec![0.0; shape.step_scratch_len(1)];
        let mut step = |state: &mut [f32]| {
            shape.step(Portable, &params, Inputs::Tokens(&[0]), state, &mut logits, &mut scratch)
        };
        assert_eq!((step(&mut state), state[0]), (Ok(()), f32::MAX));
        assert_eq!((step(&mut state), state[0]), (Ok(()), f32::INFINITY));
        let before = bits(&state);
        assert_eq!(step(&mut state), Err(Error::NotFinite(Quantity::State)));
        assert_eq!(bits(&state), before);
        state.fill(0.0);
        assert_eq!(step(&mut state), Ok(()));

        let extent = Extent { batch: 1, window: T };
        let (inputs, targets) = (Inputs::Tokens(&[0; T]), Targets::Tokens(&[0; T]));
        let (mut tape, mut scratch) =
            (vec![0.0; shape.tape_len(extent)], vec![0.0; shape.scratch_len(extent)]);
        let (mut grads, mut state) = (vec![0.0; params.len()], vec![0.0; state.len()]);
        let mut gradient = |state: &mut [f32], grads: &mut [f32]| {
            shape.gradient(Portable, &params, inputs, targets, state, &mut tape, &mut scratch, grads)
        };
        assert!(gradient(&mut state, &mut grads).is_ok());
        assert_eq!(clip_norm(&mut grads, 1.0), Err(Error::NotFinite(Quantity::Gradient)));
        assert_eq!(gradient(&mut state, &mut grads), Err(Error::NotFinite(Quantity::State)));
    }
}

#[test]
fn tanh_hides_an_infinite_reading() {
    let mut call = Call::valid(CellKind::Elman, true);
    call.x[0] = f32::INFINITY;
    assert_eq!(call.step(), Ok(()));
    assert!(call.state.iter().all(|h| h.is_finite()));
}

/// The typed model in a workspace for `T` steps: the answer to a window of the first `rows` tokens, and what it left.
fn typed_window<const T: usize>(rows: usize) -> (Result<f32, Error>, Vec<u32>) {
    const TOKENS: [u16; 8] = [0, 1, 2, 3, 2, 1, 0, 3];
    let mut model = CharRnn::<V, H>::ZERO;
    model.as_flat_mut().iter_mut().zip(1_u8..).for_each(|(w, i)| *w = f32::from(i) / 128.0);
    let (mut grads, mut state) = (CharRnn::<V, H>::ZERO, [[0.5; H]; B]);
    let mut workspace = Workspace::<_, H, V, B, T>::ZERO;
    let (inputs, targets) = (Inputs::Tokens(&TOKENS[..rows]), Targets::Tokens(&TOKENS[..rows]));
    let loss = model.gradient(inputs, targets, &mut state, &mut workspace, &mut grads);
    (loss, bits(&[grads.as_flat(), state.as_flat()].concat()))
}

#[test]
fn a_window_may_be_shorter_than_its_workspace_but_not_longer() {
    let (loss, left) = typed_window::<4>(2 * B);
    assert!(loss.is_ok());
    assert_eq!((loss, left), typed_window::<2>(2 * B));
    let (loss, left) = typed_window::<3>(4 * B);
    assert_eq!(loss, Err(too_short(Argument::Tape, (4 + 1) * B * H, (3 + 1) * B * H)));
    let untouched = [vec![0.0; CharRnn::<V, H>::LEN], vec![0.5; B * H]].concat();
    assert_eq!(left, bits(&untouched));
}

#[test]
fn batches_that_a_type_fixes_refuse_other_numbers_of_rows() {
    let model = CharRnn::<V, H>::ZERO;
    let (mut state, mut logits, mut scratch) = ([[0.5; H]; B], [[0.75; V]; B], [[0.0; H]; B]);
    for rows in [0, B - 1, B + 1] {
        let tokens = vec![0; rows];
        let error = model.step_batch(Inputs::Tokens(&tokens), &mut state, &mut logits, &mut scratch);
        assert_eq!(error, Err(length(Argument::Inputs, B, rows)));
    }
    assert_eq!((state, logits), ([[0.5; H]; B], [[0.75; V]; B]));
}

/// A cell of width zero, a model without outputs and a batch of none: errors or nothing to do, but no panic.
#[test]
fn sizes_of_zero_do_not_panic() {
    for &kind in CellKind::ALL {
        for (d, h, q) in [(0, 2, 2), (2, 0, 2), (2, 2, 0), (0, 0, 0)] {
            let shape = ModelShape { cell: AnyCell::new(kind, ActivationKind::Tanh, d, h), outputs: q };
            let mut call = Call { shape, params: vec![0.5; shape.params_len()], ..Call::valid(kind, true) };
            call.grads = vec![0.0; call.params.len()];
            for (rows, batch) in [(0, 0), (0, 1), (1, 1), (2, 1)] {
                (call.x, call.y) = (vec![0.5; rows * d], vec![0.5; rows * q]);
                (call.tokens, call.wanted) = (vec![0; rows], vec![0; rows]);
                (call.state, call.logits) = (vec![0.5; batch * h], vec![0.5; batch * q]);
                for vectors in [false, true] {
                    call.vectors = vectors;
                    let results = (call.gradient(), call.loss(), call.step());
                    println!("{kind} {d} {h} {q}, {rows} rows: {results:?}");
                }
            }
        }
    }
}

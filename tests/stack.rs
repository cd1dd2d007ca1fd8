//! Training and stepping a model of 256 hidden units needs less than 64 KiB of stack, in a debug build too.
//!
//! Its weights alone are 320 kB, so a model, a gradient or a workspace that were passed or returned by value anywhere
//! would end the process here.

use std::sync::{Mutex, PoisonError};
use std::thread;

use rand_pcg::Pcg32;
use rand_pcg::rand_core::SeedableRng;
use recurve::cell::{Dropout, Dropped, TypedCell};
use recurve::loss::Goal;
use recurve::params::Flat;
use recurve::{
    Adam, CharRnn, Elman, Embedding, Error, Feedforward, Gru, Inputs, Lstm, Model, Objective, Optimizer,
    Relu, ResetBefore, Sgd, Stack, Targets, Workspace, clip_norm,
};

const STACK: usize = 64 << 10;
/// For cells on top of each other: without optimisation, each way through a stack is a few frames more.
const DEEP_STACK: usize = 96 << 10;

const V: usize = 28;
const H: usize = 256;
const B: usize = 2;
const T: usize = 16;

type Net = CharRnn<V, H>;
const ADAM: Adam = Adam::new(0.01);

/// As on a chip, everything large is a static that takes no flash.
static MODEL: Mutex<Net> = Mutex::new(Net::ZERO);
static GRADS: Mutex<Net> = Mutex::new(Net::ZERO);
static WORKSPACE: Mutex<Workspace<Elman<V, H>, H, V, B, T>> = Mutex::new(Workspace::ZERO);
static OPTIMIZER: Mutex<[f32; ADAM.state_len(Net::LEN)]> = Mutex::new(Flat::ZERO);

/// Runs `f` in a thread with a small stack. A thread that needs more ends the whole process.
fn with_small_stack(size: usize, f: impl FnOnce() -> Result<(), Error> + Send + 'static) {
    let thread = thread::Builder::new().stack_size(size).spawn(f).expect("a thread");
    thread.join().expect("no panic").expect("no error");
}

/// A window of tokens, the next tokens as targets.
fn window() -> ([u16; B * T], [u16; B * T]) {
    let token = |row: usize| u16::try_from(row * 5 % V).unwrap_or(0);
    (std::array::from_fn(token), std::array::from_fn(|row| token(row + B)))
}

#[test]
fn training_and_stepping_in_statics() {
    with_small_stack(STACK, || {
        let [mut model, mut grads] =
            [&MODEL, &GRADS].map(|net| net.lock().unwrap_or_else(PoisonError::into_inner));
        let mut workspace = WORKSPACE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut memory = OPTIMIZER.lock().unwrap_or_else(PoisonError::into_inner);
        model.init(recurve::init::Init::TOKENS, &mut Pcg32::seed_from_u64(1));

        let (x, y) = window();
        let (inputs, targets) = (Inputs::Tokens(&x), Targets::Tokens(&y));
        let mut state = [[0.0; H]; B];
        let before = model.gradient(inputs, targets, &mut state, &mut workspace, &mut grads)?;
        clip_norm(grads.as_flat_mut(), 1.0)?;
        ADAM.step(model.as_flat_mut(), grads.as_flat(), &mut memory[..])?;
        Sgd { lr: 0.1, momentum: 0.0 }.step(model.as_flat_mut(), grads.as_flat(), &mut [])?;
        Sgd { lr: 0.1, momentum: 0.9 }.step(model.as_flat_mut(), grads.as_flat(), &mut memory[..Net::LEN])?;
        state.set_zero();
        let after = model.loss(inputs, targets, &mut state, &mut workspace)?;
        assert!(after < before, "{after} is not below {before}");

        let (mut state, mut logits, mut scratch) = ([[0.0; H]], [0.0; V], [[0.0; H]]);
        model.step(3_u16, &mut state, &mut logits, &mut scratch)?;
        model.step(&[0.5; V], &mut state, &mut logits, &mut scratch)
    });
}

/// Steps of a short window, in a workspace for `T`: how many there are is nothing to the stack, but takes time.
const SHORT: usize = 2;

/// Readings, and what is wanted of them: for each row, or for each sequence.
static READINGS: [f32; B * SHORT * V] = [0.25; B * SHORT * V];
static ROWS: [f32; B * SHORT * V] = [0.5; B * SHORT * V];
static SEQUENCES: [f32; B * V] = [-0.5; B * V];
static TEXT: [u16; B * SHORT] = [7, 3, 5, 7];

/// The same in zeroed allocations, for any cell and any objective.
fn train<C: TypedCell<H>, const H: usize>(
    stack: usize,
    inputs: Inputs<'static>,
    goal: impl Goal + Send + 'static,
) {
    const { assert!(2 * Model::<C, H, V>::BYTES > STACK, "two of them would fit") };
    with_small_stack(stack, move || {
        let mut model = Model::<C, H, V>::boxed();
        let mut grads = Model::<C, H, V>::boxed();
        let mut workspace = Workspace::<C, H, V, B, T>::boxed();
        model.init(recurve::init::Init::TOKENS, &mut Pcg32::seed_from_u64(1));

        let mut state = C::State::<B>::boxed();
        let before = model.gradient(inputs, goal, &mut state, &mut workspace, &mut grads)?;
        Sgd { lr: 0.01, momentum: 0.0 }.step(model.as_flat_mut(), grads.as_flat(), &mut [])?;
        state.set_zero();
        let after = model.loss(inputs, goal, &mut state, &mut workspace)?;
        assert!(after < before, "{after} is not below {before}");

        let (mut state, mut scratch) = (C::State::<1>::boxed(), C::StepScratch::<1>::boxed());
        let mut logits = [0.0; V];
        model.step(3_u16, &mut state, &mut logits, &mut scratch)
    });
}

/// Hidden units of cells whose weights do not fit on the stack with fewer either.
const W: usize = 96;

type Embedded<C> = Stack<Embedding<V, 16>, C>;

#[test]
fn any_cell_in_a_zeroed_allocation() {
    fn of<C: TypedCell<H>, const H: usize>(stack: usize) {
        for inputs in [Inputs::Vectors(&READINGS), Inputs::Tokens(&TEXT)] {
            train::<C, H>(stack, inputs, Targets::Tokens(&TEXT));
        }
    }
    of::<Feedforward<V, H, Relu>, H>(STACK);
    of::<Embedding<V, H>, H>(STACK);
    of::<Gru<V, W>, W>(STACK);
    of::<Gru<V, W, ResetBefore>, W>(STACK);
    of::<Lstm<V, W>, W>(STACK);
    of::<Embedded<Gru<16, W, ResetBefore>>, W>(STACK);
    of::<Stack<Elman<V, W>, Elman<W, W>>, W>(STACK);
    of::<Embedded<Stack<Gru<16, W>, Lstm<W, W>>>, W>(DEEP_STACK);
}

#[test]
fn any_objective() {
    fn of<C: TypedCell<W>>(stack: usize) {
        let inputs = Inputs::Vectors(&READINGS);
        train::<C, W>(stack, inputs, Targets::Vectors(&ROWS));
        train::<C, W>(stack, inputs, Targets::Huber { y: &ROWS, delta: 0.25 });
        let lengths = |objective: Objective<'static>| objective.with_lengths(&[SHORT, 1]);
        train::<C, W>(stack, inputs, lengths(Objective::from(Targets::Vectors(&ROWS))));
        train::<C, W>(stack, inputs, lengths(Objective::last(Targets::Huber { y: &SEQUENCES, delta: 0.25 })));
        train::<C, W>(stack, inputs, lengths(Objective::mean(Targets::Tokens(&[3, 5]))));
    }
    of::<Gru<V, W>>(STACK);
    of::<Embedded<Lstm<16, W>>>(STACK);
}

#[test]
fn dropout() {
    with_small_stack(STACK, || {
        let model = Model::<Gru<V, H>, H, V>::boxed();
        let mut grads = Model::<Gru<V, H>, H, V>::boxed();
        let mut workspace = Workspace::<Dropped<Gru<V, H>, [f32; V]>, H, V, B, T>::boxed();
        let (_, y) = window();
        let x = vec![0.25; B * T * V];
        let (inputs, targets) = (Inputs::Vectors(&x), Targets::Tokens(&y));
        let dropout = Dropout::new(0.1, 0.2)?.seeded(1);
        let mut state = <[[f32; H]; B]>::boxed();
        model.gradient_dropped(dropout, inputs, targets, &mut state, &mut workspace, &mut grads).map(|_| ())
    });
}

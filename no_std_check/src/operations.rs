//! The operations that are measured. Each is a function of its own, whose name the script looks up in the program.

use core::hint::black_box;
use core::mem::swap;

use recurve::cell::{Cell, TypedCell};
use recurve::kernels::{Mat, map, product, zip2_map};
use recurve::lanes::{Lanes, Portable};
use recurve::params::Flat;
use recurve::{
    Adam, Elman, Inputs, Optimizer, Sampler, Sgd, Tanh, Targets, clip_norm, clip_value, loss, math,
};

use crate::language::{ADAM, Buffers, Failed, H, Moments, Network, T, Training, V};
use crate::measure::measure;
use crate::memory::Memory;
use crate::report::Report;
use crate::rng::XorShift;
#[cfg(not(feature = "small"))]
use crate::{gated, stacked};

/// Vector inputs of the steps that are compared with other libraries.
pub const D: usize = 16;

static ELMAN_32: Elman<D, 32> = elman();
static ELMAN_64: Elman<D, 64> = elman();
static TOKENS_32: Elman<28, 32> = elman();

/// Weights between −1/8 and 1/8, made by the compiler.
const fn elman<const I: usize, const H: usize>() -> Elman<I, H> {
    Elman { w_xh: rows(1), w_hh: rows(2), b_h: rows::<1, H>(3)[0], activation: Tanh {} }
}

/// Rows of such weights.
pub const fn rows<const R: usize, const C: usize>(mut seed: u32) -> [[f32; C]; R] {
    let mut rows = [[0.0; C]; R];
    let mut i = 0;
    while i < R * C {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        rows[i / C][i % C] = ((seed >> 8) as f32 / 16_777_216.0 - 0.5) / 4.0;
        i += 1;
    }
    rows
}

type State<const H: usize> = [[f32; H]; 1];

#[inline(always)]
fn step<const I: usize, const H: usize>(
    cell: &Elman<I, H>,
    inputs: Inputs<'_>,
    state: &State<H>,
    next: &mut State<H>,
) {
    Elman::<I, H>::SHAPE.step(Portable, cell.as_flat(), inputs, state.as_flat(), next.as_flat_mut(), &mut []);
}

#[unsafe(no_mangle)]
#[inline(never)]
fn op_step_32(cell: &Elman<D, 32>, x: &[f32; D], state: &State<32>, next: &mut State<32>) {
    step(cell, Inputs::Vectors(x), state, next);
}

#[unsafe(no_mangle)]
#[inline(never)]
fn op_step_64(cell: &Elman<D, 64>, x: &[f32; D], state: &State<64>, next: &mut State<64>) {
    step(cell, Inputs::Vectors(x), state, next);
}

#[unsafe(no_mangle)]
#[inline(never)]
fn op_token_32(cell: &Elman<28, 32>, token: u16, state: &State<32>, next: &mut State<32>) {
    step(cell, Inputs::Tokens(&[token]), state, next);
}

/// What that step is made of, each a function of its own.
#[unsafe(no_mangle)]
#[inline(never)]
fn op_pieces_32(cell: &Elman<28, 32>, token: u16, state: &State<32>, [next]: &mut State<32>) {
    read(cell.w_xh.get(usize::from(token)).unwrap_or(&cell.b_h), &cell.b_h, next);
    recur(state, &cell.w_hh, next);
    activate(next);
}

/// next ← row + b
#[inline(never)]
fn read(row: &[f32; 32], b: &[f32; 32], next: &mut [f32; 32]) {
    zip2_map(Portable, next, row, b, |_, row, b| Portable.add(row, b));
}

/// next ← next + H W_hh
#[inline(never)]
fn recur(h: &State<32>, w_hh: &[[f32; 32]; 32], next: &mut [f32; 32]) {
    product(Portable, Mat::new(h.as_flattened(), 32), Mat::new(w_hh.as_flattened(), 32), next);
}

/// next ← tanh next
#[inline(never)]
fn activate(next: &mut [f32; 32]) {
    map(Portable, next, |x| math::tanh(Portable, x));
}

#[unsafe(no_mangle)]
#[inline(never)]
fn op_predict(
    model: &Network,
    token: u16,
    state: &mut [[f32; H]; 1],
    logits: &mut [f32; V],
    scratch: &mut [[f32; H]; 1],
) -> bool {
    model.step(token, state, logits, scratch).is_ok()
}

#[unsafe(no_mangle)]
#[inline(never)]
fn op_softmax_28(logits: &mut [f32; 28]) {
    loss::softmax(logits);
}

#[unsafe(no_mangle)]
#[inline(never)]
fn op_sample_28(logits: &mut [f32; 28], rng: &mut XorShift) -> u16 {
    Sampler::FAITHFUL.choose(logits, rng).unwrap_or(0)
}

#[unsafe(no_mangle)]
#[inline(never)]
fn op_tanh_64(x: &mut [f32; 64]) {
    map(Portable, x, |x| math::tanh(Portable, x));
}

#[unsafe(no_mangle)]
#[inline(never)]
fn op_window(
    model: &Network,
    text: &[u16; T + 1],
    state: &mut [[f32; H]; 1],
    workspace: &mut Buffers,
    grads: &mut Network,
) -> bool {
    let ([inputs @ .., _], [_, targets @ ..]) = (text, text);
    model.gradient(Inputs::Tokens(inputs), Targets::Tokens(targets), state, workspace, grads).is_ok()
}

#[unsafe(no_mangle)]
#[inline(never)]
fn op_clip(grads: &mut Network) -> bool {
    clip_value(grads.as_flat_mut(), 5.0).is_ok() && clip_norm(grads.as_flat_mut(), 1.0).is_ok()
}

#[unsafe(no_mangle)]
#[inline(never)]
fn op_adam(adam: &Adam, model: &mut Network, grads: &Network, moments: &mut Moments) -> bool {
    adam.step(model.as_flat_mut(), grads.as_flat(), moments.as_flat_mut()).is_ok()
}

#[unsafe(no_mangle)]
#[inline(never)]
fn op_sgd(sgd: &Sgd, model: &mut Network, grads: &Network) -> bool {
    sgd.step(model.as_flat_mut(), grads.as_flat(), &mut []).is_ok()
}

/// Measures all of them.
pub fn measure_all(report: &mut Report<'_>, memory: &mut Memory) -> Result<(), Failed> {
    measure_steps(report);
    #[cfg(not(feature = "small"))]
    {
        gated::measure_steps(report);
        stacked::measure_steps(report);
    }
    measure_values(report);
    measure_training(report, memory)
}

/// The cells alone, without output layer. Two buffers take turns as the state and room for the next.
fn measure_steps(report: &mut Report<'_>) {
    let x = black_box([0.5; D]);
    let cell = black_box(&ELMAN_32);
    let (mut state, mut next) = (&mut [[0.0; 32]], &mut [[0.0; 32]]);
    measure(report, "step_32", (D + 32) * 32, 2 * 32 * 4, || {
        op_step_32(cell, &x, state, next);
        swap(&mut state, &mut next);
    });
    let cell = black_box(&ELMAN_64);
    let (mut state, mut next) = (&mut [[0.0; 64]], &mut [[0.0; 64]]);
    measure(report, "step_64", (D + 64) * 64, 2 * 64 * 4, || {
        op_step_64(cell, &x, state, next);
        swap(&mut state, &mut next);
    });
    let cell = black_box(&TOKENS_32);
    let (mut state, mut next) = (&mut [[0.0; 32]], &mut [[0.0; 32]]);
    measure(report, "token_32", 32 * 32, 2 * 32 * 4, || {
        op_token_32(cell, black_box(3), state, next);
        swap(&mut state, &mut next);
    });
    measure(report, "pieces_32", 32 * 32, 2 * 32 * 4, || {
        op_pieces_32(cell, black_box(3), state, next);
        swap(&mut state, &mut next);
    });
}

fn measure_values(report: &mut Report<'_>) {
    let spread = |j: usize| (j % 13) as f32 - 6.0;
    let mut x: [f32; 64] = core::array::from_fn(spread);
    measure(report, "tanh_64", 64, 64 * 4, || op_tanh_64(black_box(&mut x)));
    let mut logits: [f32; 28] = core::array::from_fn(spread);
    measure(report, "softmax_28", 28, 28 * 4, || op_softmax_28(black_box(&mut logits)));
    let mut rng = XorShift(1);
    measure(report, "sample_28", 28, 28 * 4, || {
        black_box(op_sample_28(black_box(&mut logits), &mut rng));
    });
}

/// A step of the whole model, and what a training step is made of.
fn measure_training(report: &mut Report<'_>, memory: &mut Memory) -> Result<(), Failed> {
    let Training { model, grads, moments, workspace } = Training::new(memory)?;
    model.init(recurve::init::Init::TOKENS, &mut XorShift(1));
    let (mut state, mut logits, mut scratch) = ([[0.0; H]], [0.0; V], [[0.0; H]]);
    let macs = H * (H + V);
    measure(report, "predict", macs, (2 * H + V) * 4, || {
        black_box(op_predict(black_box(model), black_box(3), &mut state, &mut logits, &mut scratch));
    });

    let text = core::array::from_fn(|t| (t * t % V) as u16);
    let (weights, buffers) = (Network::BYTES, Buffers::BYTES + 4 * H);
    // Forward once, backward twice: to the hidden units and to the weights. Tokens cost no product.
    measure(report, "window", 3 * T * macs, 2 * weights + buffers, || {
        black_box(op_window(black_box(model), &text, &mut state, workspace, grads));
    });
    measure(report, "clip", Network::LEN, weights, || {
        black_box(op_clip(grads));
    });
    measure(report, "adam", Network::LEN, 4 * weights + 8, || {
        black_box(op_adam(black_box(&ADAM), model, grads, moments));
    });
    let sgd = Sgd { lr: 0.1, momentum: 0.0 };
    measure(report, "sgd", Network::LEN, 2 * weights, || {
        black_box(op_sgd(black_box(&sgd), model, grads));
    });
    Ok(())
}

//! Forecasts of numbers, with Huber's loss, of two sequences side by side of which one ends before the window does: a
//! window is measured, and a few windows train weights that are compared with the host's.

use core::hint::black_box;

use recurve::init::Init;
use recurve::{Elman, Inputs, Model, Objective, Targets, Workspace};

use crate::language::{Failed, T, V};
use crate::measure::measure;
use crate::memory::Memory;
use crate::report::Report;
use crate::rng::XorShift;
use crate::window;

/// Hidden units, sequences, and how long each of these is.
const N: usize = 16;
const B: usize = 2;
const LENGTHS: [usize; B] = [T, T - 5];

/// A number in, as many as the others have symbols out: the losses, which all share, stay compiled for one width.
type Network = Model<Elman<1, N>, N, V>;
type Buffers = Workspace<Elman<1, N>, N, V, B, T>;
type Window<'a> = window::Window<'a, Network, [[f32; N]; B], Buffers>;

/// What is read at each step of each sequence, and what comes after it.
struct Series {
    x: [[f32; B]; T],
    y: [[[f32; V]; B]; T],
}

static SERIES: Series = series();

/// What is further off is an outlier.
const DELTA: f32 = 0.5;
const RATE: f32 = 0.1;

/// Floats of a window.
pub const LEN: usize = Window::LEN;

fn new(memory: &mut Memory) -> Result<Window<'_>, Failed> {
    Window::new(memory, |model| model.init(Init::VECTORS, &mut XorShift(0x9e37_79b9)))
}

#[unsafe(no_mangle)]
#[inline(never)]
fn op_window_huber(window: &mut Window<'_>, series: &Series, lengths: &[usize; B]) -> Option<f32> {
    let Window { model, grads, state, workspace } = window;
    let targets = Targets::Huber { y: series.y.as_flattened().as_flattened(), delta: DELTA };
    let objective = Objective::from(targets).with_lengths(lengths);
    model.gradient(Inputs::Vectors(series.x.as_flattened()), objective, state, workspace, grads).ok()
}

/// Triangles between −1 and 1, with an outlier now and then.
const fn wave(t: usize, b: usize) -> f32 {
    let t = t + 3 * b;
    if t % 11 == 10 { 4.0 } else { (t % 8).abs_diff(4) as f32 / 2.0 - 1.0 }
}

const fn series() -> Series {
    let mut series = Series { x: [[0.0; B]; T], y: [[[0.0; V]; B]; T] };
    let mut place = 0;
    while place < T * B * V {
        let (t, b, j) = (place / V / B, place / V % B, place % V);
        series.x[t][b] = wave(t, b);
        series.y[t][b][j] = wave(t + 1 + j, b);
        place += 1;
    }
    series
}

pub fn measure_all(report: &mut Report<'_>, memory: &mut Memory) -> Result<(), Failed> {
    let mut window = new(memory)?;
    // Forward once, backward twice; but nothing flows back to what was read.
    let macs = B * T * (2 * N + 3 * N * (N + V));
    measure(report, "window_huber", macs, 4 * LEN, || {
        black_box(op_window_huber(&mut window, black_box(&SERIES), black_box(&LENGTHS)));
    });
    Ok(())
}

/// Learns a window by heart.
pub fn show(report: &mut Report<'_>, memory: &mut Memory) -> Result<(), Failed> {
    new(memory)?.learn(report, "forecast", RATE, |window, _| {
        op_window_huber(window, black_box(&SERIES), black_box(&LENGTHS))
    })
}

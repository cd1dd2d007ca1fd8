//! Truncated back-propagation through time with dropout, of the tokens that are read and of the cell's outputs: a window is
//! measured, and a few windows, each with masks of its own, train weights that are compared with the host's.

use core::hint::black_box;

use recurve::cell::{Dropout, Dropped};
use recurve::init::Init;
use recurve::{CharRnn, Elman, Inputs, Targets, Workspace};

use crate::language::{Failed, T, V, lesson};
use crate::measure::measure;
use crate::memory::Memory;
use crate::report::Report;
use crate::rng::XorShift;
use crate::window;

/// Hidden units.
const N: usize = 16;
type Network = CharRnn<V, N>;
type Buffers = Workspace<Dropped<Elman<V, N>>, N, V, 1, T>;
type Window<'a> = window::Window<'a, Network, [[f32; N]; 1], Buffers>;

const RATE: f32 = 1.0;

/// Floats of a window.
pub const LEN: usize = Window::LEN;

fn new(memory: &mut Memory) -> Result<Window<'_>, Failed> {
    Window::new(memory, |model| model.init(Init::TOKENS, &mut XorShift(0x9e37_79b9)))
}

#[unsafe(no_mangle)]
#[inline(never)]
fn op_window_dropped(window: &mut Window<'_>, dropout: Dropout, text: &[u16; T + 1]) -> Option<f32> {
    let Window { model, grads, state, workspace } = window;
    let ([inputs @ .., _], [_, targets @ ..]) = (text, text);
    let (inputs, targets) = (Inputs::Tokens(inputs), Targets::Tokens(targets));
    model.gradient_dropped(dropout, inputs, targets, state, workspace, grads).ok()
}

/// What is dropped of inputs and of outputs.
fn dropout() -> Result<Dropout, Failed> {
    Ok(black_box(Dropout::new(0.1, 0.2)?))
}

pub fn measure_all(report: &mut Report<'_>, memory: &mut Memory) -> Result<(), Failed> {
    let text = core::array::from_fn(|t| (t * t % V) as u16);
    let (mut window, dropout) = (new(memory)?, dropout()?);
    // As without dropout; the masks cost no product.
    measure(report, "window_dropped", 3 * T * N * (N + V), 4 * LEN, || {
        black_box(op_window_dropped(&mut window, dropout, black_box(&text)));
    });
    Ok(())
}

/// Learns the first tokens of the text by heart, each time without others of them.
pub fn show(report: &mut Report<'_>, memory: &mut Memory) -> Result<(), Failed> {
    let (text, dropout) = (lesson()?, dropout()?);
    let text = text.first_chunk().ok_or(Failed)?;
    new(memory)?.learn(report, "with dropout", RATE, |window, seed| {
        op_window_dropped(window, dropout.seeded(seed), text)
    })
}

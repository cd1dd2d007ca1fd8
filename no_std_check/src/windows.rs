//! Truncated back-propagation through time of cells with gates, of a stack, and of a cell behind an embedding: a window of
//! each is measured, and a few windows train weights that are compared with the host's.

use core::hint::black_box;

use recurve::cell::{ResetBefore, TypedCell};
use recurve::init::Init;
use recurve::{Elman, Embedding, Gru, Inputs, Lstm, Model, Stack, Targets, Workspace};

use crate::language::{Failed, H, T, V, lesson};
use crate::measure::measure;
use crate::memory::Memory;
use crate::report::Report;
use crate::rng::XorShift;
use crate::window::Window;

const RATE: f32 = 1.0;

/// Hidden units of the cells that are here for their form, and elements of a token's vector.
const N: usize = 16;
const E: usize = 8;

type GruBefore = Gru<V, N, ResetBefore>;
type Two = Stack<Elman<V, N>, Gru<N, N>>;
type Embedded = Stack<Embedding<V, E>, Elman<E, N>>;

/// A cell and its output layer.
type Of<'a, C, const N: usize> =
    Window<'a, Model<C, N, V>, <C as TypedCell<N>>::State<1>, Workspace<C, N, V, 1, T>>;

/// Floats of the largest.
pub const LEN: usize = Of::<Lstm<V, H>, H>::LEN;
const _: () = assert!(Of::<Gru<V, H>, H>::LEN <= LEN && Of::<GruBefore, N>::LEN <= LEN);
const _: () = assert!(Of::<Two, N>::LEN <= LEN && Of::<Embedded, N>::LEN <= LEN);

fn new<C: TypedCell<N>, const N: usize>(memory: &mut Memory) -> Result<Of<'_, C, N>, Failed> {
    const { assert!(4 * Of::<C, N>::LEN == Model::<C, N, V>::training_memory::<1, T>(0).total()) }
    Of::<C, N>::new(memory, |model| model.init(Init::TOKENS, &mut XorShift(0x9e37_79b9)))
}

#[inline(always)]
fn gradient<C: TypedCell<N>, const N: usize>(window: &mut Of<'_, C, N>, text: &[u16; T + 1]) -> Option<f32> {
    let Window { model, grads, state, workspace } = window;
    let ([inputs @ .., _], [_, targets @ ..]) = (text, text);
    model.gradient(Inputs::Tokens(inputs), Targets::Tokens(targets), state, workspace, grads).ok()
}

/// A window, of a name that the script looks up.
macro_rules! operation {
    ($name:ident, $cell:ty, $hidden:ident) => {
        #[unsafe(no_mangle)]
        #[inline(never)]
        fn $name(window: &mut Of<'_, $cell, $hidden>, text: &[u16; T + 1]) -> Option<f32> {
            gradient(window, text)
        }
    };
}

operation!(op_window_gru, Gru<V, H>, H);
operation!(op_window_lstm, Lstm<V, H>, H);
operation!(op_window_gru_before, GruBefore, N);
operation!(op_window_stack, Two, N);
operation!(op_window_embedding, Embedded, N);

pub fn measure_all(report: &mut Report<'_>, memory: &mut Memory) -> Result<(), Failed> {
    let text = core::array::from_fn(|t| (t * t % V) as u16);
    macro_rules! measured {
        ($name:literal, $op:ident, $cell:ty, $hidden:ident, $products:expr) => {
            let mut window = new::<$cell, $hidden>(memory)?;
            // Forward once, backward twice, as for the cell without gates.
            let (macs, ram) = (3 * T * ($products + $hidden * V), 4 * Of::<$cell, $hidden>::LEN);
            measure(report, $name, macs, ram, || {
                black_box($op(&mut window, black_box(&text)));
            });
        };
    }
    measured!("window_gru", op_window_gru, Gru<V, H>, H, 3 * H * H);
    measured!("window_lstm", op_window_lstm, Lstm<V, H>, H, 4 * H * H);
    measured!("window_gru_before", op_window_gru_before, GruBefore, N, 3 * N * N);
    measured!("window_stack", op_window_stack, Two, N, N * N + 3 * (N + N) * N);
    measured!("window_embedding", op_window_embedding, Embedded, N, (E + N) * N);
    Ok(())
}

/// Learns the first tokens of the text by heart, with each cell.
pub fn show(report: &mut Report<'_>, memory: &mut Memory) -> Result<(), Failed> {
    let text = lesson()?;
    let text = text.first_chunk().ok_or(Failed)?;
    macro_rules! learned {
        ($name:literal, $op:ident) => {
            new(memory)?.learn(report, $name, RATE, |window, _| $op(window, text))?;
        };
    }
    learned!("GRU", op_window_gru);
    learned!("LSTM", op_window_lstm);
    learned!("GRU, reset before", op_window_gru_before);
    learned!("stack", op_window_stack);
    learned!("embedding", op_window_embedding);
    Ok(())
}

//! Truncated back-propagation through time of cells with gates: a window of each is measured, and a few windows train
//! weights that are compared with the host's.

use core::hint::black_box;

use recurve::cell::TypedCell;
use recurve::params::Flat;
use recurve::{Gru, Inputs, Lstm, Model, Targets, Workspace};

use crate::hash::Hash;
use crate::language::{Failed, H, T, V, lesson};
use crate::measure::measure;
use crate::memory::{Memory, cut};
use crate::report::Report;
use crate::rng::XorShift;
use crate::tuned::descend;

const RATE: f32 = 1.0;
/// Windows that are trained on.
const WINDOWS: usize = 30;

/// What a window works in, and what it changes.
struct Window<'a, C: TypedCell<H>> {
    model: &'a mut Model<C, H, V>,
    grads: &'a mut Model<C, H, V>,
    state: &'a mut C::State<1>,
    workspace: &'a mut Workspace<C, H, V, 1, T>,
}

/// Floats of the larger.
pub const LEN: usize = Window::<Lstm<V, H>>::LEN;
const _: () = assert!(Window::<Gru<V, H>>::LEN <= LEN);

impl<C: TypedCell<H>> Window<'_, C> {
    const LEN: usize = Model::<C, H, V>::training_memory::<1, T>(0).total() / 4;

    /// With weights that are drawn.
    fn new(memory: &mut Memory) -> Result<Window<'_, C>, Failed> {
        let mut room = memory.zeroed();
        let (model, grads): (&mut Model<C, H, V>, _) = (cut(&mut room)?, cut(&mut room)?);
        model.init(recurve::init::Init::TOKENS, &mut XorShift(0x9e37_79b9));
        Ok(Window { model, grads, state: cut(&mut room)?, workspace: cut(&mut room)? })
    }

    #[inline(always)]
    fn gradient(&mut self, text: &[u16; T + 1]) -> Option<f32> {
        let ([inputs @ .., _], [_, targets @ ..]) = (text, text);
        let (inputs, targets) = (Inputs::Tokens(inputs), Targets::Tokens(targets));
        self.model.gradient(inputs, targets, self.state, self.workspace, self.grads).ok()
    }
}

/// A window, of a name that the script looks up.
macro_rules! operation {
    ($name:ident, $cell:ident) => {
        #[unsafe(no_mangle)]
        #[inline(never)]
        fn $name(window: &mut Window<'_, $cell<V, H>>, text: &[u16; T + 1]) -> Option<f32> {
            window.gradient(text)
        }
    };
}

operation!(op_window_gru, Gru);
operation!(op_window_lstm, Lstm);

pub fn measure_all(report: &mut Report<'_>, memory: &mut Memory) -> Result<(), Failed> {
    let text = core::array::from_fn(|t| (t * t % V) as u16);
    macro_rules! measured {
        ($name:literal, $op:ident, $cell:ident, $gates:literal) => {
            let mut window = Window::<$cell<V, H>>::new(memory)?;
            // Forward once, backward twice, as for the cell without gates.
            let (macs, ram) = (3 * T * H * ($gates * H + V), 4 * Window::<$cell<V, H>>::LEN);
            measure(report, $name, macs, ram, || {
                black_box($op(&mut window, black_box(&text)));
            });
        };
    }
    measured!("window_gru", op_window_gru, Gru, 3);
    measured!("window_lstm", op_window_lstm, Lstm, 4);
    Ok(())
}

pub fn show(report: &mut Report<'_>, memory: &mut Memory) -> Result<(), Failed> {
    train(report, "hash trained GRU", Window::<Gru<V, H>>::new(memory)?, op_window_gru)?;
    train(report, "hash trained LSTM", Window::<Lstm<V, H>>::new(memory)?, op_window_lstm)
}

/// Learns the first tokens of the text by heart.
fn train<'m, C: TypedCell<H>>(
    report: &mut Report<'_>,
    name: &str,
    mut window: Window<'m, C>,
    gradient: fn(&mut Window<'m, C>, &[u16; T + 1]) -> Option<f32>,
) -> Result<(), Failed> {
    let text = lesson()?;
    let text = text.first_chunk().ok_or(Failed)?;
    let (mut first, mut last) = (None, 0.0);
    for _ in 0..WINDOWS {
        window.state.set_zero();
        window.grads.set_zero();
        last = gradient(&mut window, text).ok_or(Failed)?;
        descend(RATE, window.model.as_flat_mut(), window.grads.as_flat());
        first = first.or(Some(last));
    }
    let mut hash = Hash::new();
    hash.add(window.model.as_flat());
    report.word(name).hex(hash.0).end();
    if last < 0.8 * first.unwrap_or(0.0) { Ok(()) } else { Err(Failed) }
}

//! The output layer alone is trained, on a text that the model in flash did not see. Its cell stays in flash: RAM holds
//! the output layer, its gradient, a state and what a step works in.

use core::hint::black_box;

use recurve::params::Flat;
use recurve::{CharRnn, Dense, Elman, Inputs, Targets, Tuning};

use crate::hash::Hash;
use crate::language::{Failed, MODEL, PASS, T, V, lesson};
use crate::measure::measure;
use crate::memory::{Memory, cut};
use crate::report::Report;

type Cell = Elman<V, 32>;
type Head = Dense<32, V>;
type State = [[f32; 32]; 1];
type Step = Tuning<Cell, 32, V, 1>;

const RATE: f32 = 0.5;
/// Times that the text is read.
const PASSES: usize = 8;

/// What is trained, and what that takes.
struct Tuned<'a> {
    head: &'a mut Head,
    grads: &'a mut Head,
    state: &'a mut State,
    step: &'a mut Step,
}

/// Floats of it.
pub const LEN: usize = 2 * Head::LEN + State::LEN + Step::LEN;
const _: () = assert!(4 * LEN == CharRnn::<V, 32>::tuning_memory::<1>(0).total());

impl Tuned<'_> {
    /// Begins with the model's own output layer.
    fn new(memory: &mut Memory) -> Result<Tuned<'_>, Failed> {
        let mut room = memory.zeroed();
        let (head, grads) = (cut(&mut room)?, cut(&mut room)?);
        *head = MODEL.head;
        Ok(Tuned { head, grads, state: cut(&mut room)?, step: cut(&mut room)? })
    }
}

/// One step of the model, and what it says about the output layer.
#[unsafe(no_mangle)]
#[inline(never)]
fn op_tune(tuned: &mut Tuned<'_>, token: u16, target: u16) -> Option<f32> {
    let Tuned { head, grads, state, step } = tuned;
    let (input, target) = (&[token], &[target]);
    let share = 1.0 / T as f32;
    MODEL.tune(head, Inputs::Tokens(input), Targets::Tokens(target), share, state, step, grads).ok()
}

pub fn measure_all(report: &mut Report<'_>, memory: &mut Memory) -> Result<(), Failed> {
    let mut tuned = Tuned::new(memory)?;
    // The output layer forward, and its gradient; a token costs the cell no product with its inputs.
    measure(report, "tune", 32 * (32 + 2 * V), 4 * LEN, || {
        black_box(op_tune(&mut tuned, black_box(3), black_box(4)));
    });
    Ok(())
}

/// Plain descent, written out so that the optimisers that are measured are compiled for their own sizes alone.
pub fn descend(rate: f32, params: &mut [f32], grads: &[f32]) {
    params.iter_mut().zip(grads).for_each(|(w, g)| *w -= rate * g);
}

/// Reads the text a few times, and takes a step of descent after every few tokens.
pub fn show(report: &mut Report<'_>, memory: &mut Memory) -> Result<(), Failed> {
    let (text, mut tuned) = (lesson()?, Tuned::new(memory)?);
    let (mut first, mut last) = (None, 0.0);
    for _ in 0..PASSES {
        last = 0.0;
        tuned.state.set_zero();
        for window in text.windows(T + 1).step_by(T) {
            tuned.grads.set_zero();
            for (token, target) in window.iter().zip(window.iter().skip(1)) {
                last += op_tune(&mut tuned, *token, *target).ok_or(Failed)? / PASS as f32;
            }
            descend(RATE, tuned.head.as_flat_mut(), tuned.grads.as_flat());
        }
        first = first.or(Some(last));
    }
    let first = first.unwrap_or(0.0);
    report.word("loss of the output layer's training").milli(first).milli(last).end();
    let mut hash = Hash::new();
    hash.add(tuned.head.as_flat());
    report.word("hash tuned").hex(hash.0).end();
    if last < 0.8 * first { Ok(()) } else { Err(Failed) }
}

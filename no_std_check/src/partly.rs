//! Some of the weights are trained, and the others are frozen: the biases and the output layer of a model in RAM, then a
//! layer in RAM above the cell of the model in flash.

use core::hint::black_box;

use recurve::params::Flat;
use recurve::{CharRnn, Dense, Elman, Inputs, Model, Targets, Trained, Workspace, frozen};

use crate::hash::Hash;
use crate::language::{Buffers, Failed, H, MODEL, Network, T, V, lesson};
use crate::measure::measure;
use crate::memory::{Memory, cut};
use crate::report::Report;
use crate::rng::XorShift;
use crate::tuned::descend;

/// b_h, the cell's third tensor, and the output layer.
const TRAINED: Trained = Trained::HEAD.and(Trained::cell(2));
type Weights = [f32; H + Dense::<H, V>::LEN];

/// Units of the layer above.
const ABOVE: usize = 16;
type Above = Model<Elman<H, ABOVE>, ABOVE, V>;
type Between = [[[f32; H]; 1]; T];

const RATE: f32 = 0.5;
/// Windows that are trained on.
const WINDOWS: usize = 30;

/// A model of which a part is trained.
struct Part<'a> {
    model: &'a mut Network,
    weights: &'a mut Weights,
    grads: &'a mut Weights,
    state: &'a mut [[f32; H]; 1],
    workspace: &'a mut Buffers,
}

/// A model that reads what a cell in flash makes of the text.
struct Upper<'a> {
    model: &'a mut Above,
    grads: &'a mut Above,
    states: (&'a mut [[f32; H]; 1], &'a mut [[f32; ABOVE]; 1]),
    between: &'a mut Between,
    scratch: &'a mut [[f32; H]; 1],
    workspace: &'a mut Workspace<Elman<H, ABOVE>, ABOVE, V, 1, T>,
}

/// Floats of either, and of the larger.
const PART: usize = Network::LEN + 2 * Weights::LEN + H + Buffers::LEN;
const UPPER: usize = Above::training_memory::<1, T>(0).total() / 4 + H + Between::LEN + H;
pub const LEN: usize = if PART > UPPER { PART } else { UPPER };

impl Part<'_> {
    fn new(memory: &mut Memory) -> Result<Part<'_>, Failed> {
        let mut room = memory.zeroed();
        let (model, weights): (&mut Network, &mut Weights) = (cut(&mut room)?, cut(&mut room)?);
        *model = *MODEL;
        model.gather(TRAINED, weights)?;
        let (grads, state) = (cut(&mut room)?, cut(&mut room)?);
        Ok(Part { model, weights, grads, state, workspace: cut(&mut room)? })
    }
}

impl Upper<'_> {
    fn new(memory: &mut Memory) -> Result<Upper<'_>, Failed> {
        let mut room = memory.zeroed();
        let (model, grads): (&mut Above, _) = (cut(&mut room)?, cut(&mut room)?);
        model.init(recurve::init::Init::VECTORS, &mut XorShift(0x9e37_79b9));
        let states = (cut(&mut room)?, cut(&mut room)?);
        let (between, scratch) = (cut(&mut room)?, cut(&mut room)?);
        Ok(Upper { model, grads, states, between, scratch, workspace: cut(&mut room)? })
    }
}

#[unsafe(no_mangle)]
#[inline(never)]
fn op_window_part(part: &mut Part<'_>, text: &[u16; T + 1]) -> Option<f32> {
    let ([inputs @ .., _], [_, targets @ ..]) = (text, text);
    let (inputs, targets) = (Inputs::Tokens(inputs), Targets::Tokens(targets));
    part.model.gradient_of(TRAINED, inputs, targets, part.state, part.workspace, part.grads).ok()
}

#[unsafe(no_mangle)]
#[inline(never)]
fn op_window_upper(upper: &mut Upper<'_>, text: &[u16; T + 1]) -> Option<f32> {
    let Upper { model, grads, states, between, scratch, workspace } = upper;
    let [_, targets @ ..] = text;
    for (x, h) in text.chunks(1).zip(between.iter_mut()) {
        frozen::step(&MODEL.cell, Inputs::Tokens(x), states.0, h, scratch).ok()?;
    }
    let inputs = Inputs::Vectors(between.as_flat());
    model.gradient(inputs, Targets::Tokens(targets), states.1, workspace, grads).ok()
}

pub fn measure_all(report: &mut Report<'_>, memory: &mut Memory) -> Result<(), Failed> {
    let text = core::array::from_fn(|t| (t * t % V) as u16);
    let mut part = Part::new(memory)?;
    // Forward, back to the hidden units, and to the weights of the output layer.
    measure(report, "window_part", T * H * (2 * H + 3 * V), 4 * PART, || {
        black_box(op_window_part(&mut part, black_box(&text)));
    });
    let mut upper = Upper::new(memory)?;
    // Below forward; above forward and back to the hidden units and the weights, of which the first give none to vectors.
    let macs = T * (H * H + 2 * H * ABOVE + 3 * ABOVE * (ABOVE + V));
    measure(report, "window_upper", macs, 4 * UPPER, || {
        black_box(op_window_upper(&mut upper, black_box(&text)));
    });
    Ok(())
}

/// Learns the first tokens of the text by heart, in either way.
pub fn show(report: &mut Report<'_>, memory: &mut Memory) -> Result<(), Failed> {
    let text = lesson()?;
    let text = text.first_chunk().ok_or(Failed)?;

    let mut part = Part::new(memory)?;
    let (mut first, mut last) = (None, 0.0);
    for _ in 0..WINDOWS {
        part.state.set_zero();
        part.grads.set_zero();
        last = op_window_part(&mut part, text).ok_or(Failed)?;
        descend(RATE, part.weights, part.grads);
        part.model.scatter(TRAINED, part.weights)?;
        first = first.or(Some(last));
    }
    let CharRnn { cell, .. } = &part.model;
    let is_frozen = cell.w_xh == MODEL.cell.w_xh && cell.w_hh == MODEL.cell.w_hh;
    learned(report, "of biases and output layer", part.model, first, last, is_frozen)?;

    let mut upper = Upper::new(memory)?;
    let (mut first, mut last) = (None, 0.0);
    for _ in 0..WINDOWS {
        upper.states.0.set_zero();
        upper.states.1.set_zero();
        upper.grads.set_zero();
        last = op_window_upper(&mut upper, text).ok_or(Failed)?;
        descend(RATE, upper.model.as_flat_mut(), upper.grads.as_flat());
        first = first.or(Some(last));
    }
    learned(report, "of a layer above", upper.model, first, last, true)
}

fn learned(
    report: &mut Report<'_>,
    what: &str,
    model: &impl Flat,
    first: Option<f32>,
    last: f32,
    is_well: bool,
) -> Result<(), Failed> {
    let first = first.unwrap_or(0.0);
    report.word("loss").word(what).milli(first).milli(last).end();
    let mut hash = Hash::new();
    hash.add(model.as_flat());
    report.word("hash").word(what).hex(hash.0).end();
    if is_well && last < 0.8 * first { Ok(()) } else { Err(Failed) }
}

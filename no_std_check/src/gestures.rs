//! A classifier of gestures in flash, `examples/gestures`: readings of an accelerometer in, one after another, and a class
//! out. The readings are made up by the same generator as on the desktop, which needs no sensor.

#[path = "../../examples/gestures/motion.rs"]
mod motion;

use core::hint::black_box;

use recurve::loss::RunningMean;
use recurve::params::Flat;
use recurve::{Gru, Model, Standard, include_model, include_standard};

use crate::hash::Hash;
use crate::language::Failed;
use crate::measure::measure;
use crate::report::Report;
use crate::rng::XorShift;
use motion::{Gesture, Motion, STEPS};

/// Axes, hidden units, classes, and readings of a gesture: one second of them.
const I: usize = 3;
const H: usize = 16;
const O: usize = Gesture::ALL.len();
const T: usize = *STEPS.end();

type Network = Model<Gru<I, H>, H, O>;
type Readings = [[f32; I]; T];

static MODEL: &Network = include_model!("../../examples/gestures/gestures.rcv");
static UNITS: Standard<I> = include_standard!("../../examples/gestures/gestures.rcv", inputs);

/// Gestures of each kind that are shown.
const EACH: usize = 5;

/// The mean of the logits of all readings, which are in g.
#[unsafe(no_mangle)]
#[inline(never)]
fn op_gesture(readings: &Readings, logits: &mut [f32; O]) -> bool {
    let (mut state, mut scratch) = ([[0.0; H]], Flat::ZERO);
    let mut mean = RunningMean::default();
    for reading in readings {
        let mut reading = *reading;
        let units = UNITS.apply(&mut reading);
        if units.and_then(|()| MODEL.step(&reading, &mut state, logits, &mut scratch)).is_err() {
            return false;
        }
        mean.add(logits);
    }
    mean.value(logits);
    true
}

/// The class that the logits favour.
fn class(logits: &[f32; O]) -> usize {
    let best = logits.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
    best.map_or(0, |(class, _)| class)
}

fn record(gesture: Gesture, rng: &mut XorShift) -> Readings {
    let mut motion = Motion::new(gesture, rng);
    core::array::from_fn(|_| motion.reading(rng))
}

pub fn measure_all(report: &mut Report<'_>) {
    let readings = record(Gesture::Shake, &mut XorShift(1));
    let mut logits = [0.0; O];
    let macs = T * (3 * (I + H) * H + H * O);
    // Readings need not be kept: they are here because a gesture is measured as a whole.
    let ram = Network::STEP_MEMORY.total() + size_of::<RunningMean<O>>();
    measure(report, "gesture", macs, ram, || {
        black_box(op_gesture(black_box(&readings), &mut logits));
    });
}

/// Unseen gestures, all of which must be known.
pub fn show(report: &mut Report<'_>) -> Result<(), Failed> {
    let (mut hash, mut rng, mut right) = (Hash::new(), XorShift(77), 0);
    let mut logits = [0.0; O];
    for n in 0..EACH * O {
        let gesture = Gesture::ALL.get(n % O).ok_or(Failed)?;
        if !op_gesture(&record(*gesture, &mut rng), &mut logits) {
            return Err(Failed);
        }
        right += usize::from(class(&logits) == n % O);
        hash.add(&logits);
    }
    report.word("hash gestures").hex(hash.0).end();
    if right == EACH * O { Ok(()) } else { Err(Failed) }
}

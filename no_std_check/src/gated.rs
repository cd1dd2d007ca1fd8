//! Cells with gates, alone: one step each of 32 and 64 units is measured, and a few are compared with the host.

use core::hint::black_box;
use core::mem::swap;

use recurve::cell::{Cell, GruShape, LstmShape, ResetBefore, TypedCell};
use recurve::lanes::Portable;
use recurve::params::Flat;
use recurve::{Gru, Inputs, Lstm};

use crate::hash::Hash;
use crate::measure::measure;
use crate::operations::{D, rows};
use crate::report::Report;

static GRU_32: [f32; Gru::<D, 32>::LEN] = rows::<1, _>(4)[0];
static GRU_64: [f32; Gru::<D, 64>::LEN] = rows::<1, _>(5)[0];
static GRU_BEFORE_32: [f32; Gru::<D, 32, ResetBefore>::LEN] = rows::<1, _>(8)[0];
static LSTM_32: [f32; Lstm::<D, 32>::LEN] = rows::<1, _>(6)[0];
static LSTM_64: [f32; Lstm::<D, 64>::LEN] = rows::<1, _>(7)[0];

/// Steps that are compared.
const STEPS: usize = 20;

/// What a step reads, writes and works in.
pub struct Buffers<const STATE: usize, const SCRATCH: usize> {
    pub state: [f32; STATE],
    pub next: [f32; STATE],
    scratch: [f32; SCRATCH],
}

impl<const STATE: usize, const SCRATCH: usize> Buffers<STATE, SCRATCH> {
    pub const ZERO: Self = Self { state: [0.0; STATE], next: [0.0; STATE], scratch: [0.0; SCRATCH] };
    pub const BYTES: usize = size_of::<Self>();

    #[inline(always)]
    pub fn step(&mut self, cell: impl Cell, params: &[f32], inputs: Inputs<'_>) {
        cell.step(Portable, params, inputs, &self.state, &mut self.next, &mut self.scratch);
    }
}

const fn gru(hidden: usize) -> GruShape {
    GruShape { hidden, ..Gru::<D, 32>::SHAPE }
}

const fn lstm(hidden: usize) -> LstmShape {
    LstmShape { hidden, ..Lstm::<D, 32>::SHAPE }
}

/// An operation of a name that the script looks up.
macro_rules! operation {
    ($name:ident, $shape:expr, $weights:ident, $buffers:ty) => {
        #[unsafe(no_mangle)]
        #[inline(never)]
        fn $name(params: &[f32; $weights.len()], x: &[f32; D], buffers: &mut $buffers) {
            buffers.step($shape, params, Inputs::Vectors(x));
        }
    };
}

type Gru32 = Buffers<32, { 4 * 32 }>;
type Gru64 = Buffers<64, { 4 * 64 }>;
type Lstm32 = Buffers<{ 2 * 32 }, { 4 * 32 }>;
type Lstm64 = Buffers<{ 2 * 64 }, { 4 * 64 }>;

operation!(op_gru_32, gru(32), GRU_32, Gru32);
operation!(op_gru_64, gru(64), GRU_64, Gru64);
operation!(op_gru_before_32, Gru::<D, 32, ResetBefore>::SHAPE, GRU_BEFORE_32, Gru32);
operation!(op_lstm_32, lstm(32), LSTM_32, Lstm32);
operation!(op_lstm_64, lstm(64), LSTM_64, Lstm64);

/// The cells without output layer.
pub fn measure_steps(report: &mut Report<'_>) {
    let x = black_box([0.5; D]);
    macro_rules! measured {
        ($name:literal, $op:ident, $weights:ident, $buffers:ty, $gates:literal, $hidden:literal) => {
            let mut buffers = <$buffers>::ZERO;
            measure(report, $name, $gates * (D + $hidden) * $hidden, <$buffers>::BYTES, || {
                $op(black_box(&$weights), &x, &mut buffers);
            });
        };
    }
    measured!("gru_32", op_gru_32, GRU_32, Gru32, 3, 32);
    measured!("gru_64", op_gru_64, GRU_64, Gru64, 3, 64);
    measured!("gru_before_32", op_gru_before_32, GRU_BEFORE_32, Gru32, 3, 32);
    measured!("lstm_32", op_lstm_32, LSTM_32, Lstm32, 4, 32);
    measured!("lstm_64", op_lstm_64, LSTM_64, Lstm64, 4, 64);
}

/// Every state on the way of a few steps.
pub fn show(report: &mut Report<'_>) {
    let mut hash = Hash::new();
    let (mut gru, mut before, mut lstm) = (Gru32::ZERO, Gru32::ZERO, Lstm32::ZERO);
    for t in 0..STEPS {
        let x = core::array::from_fn(|i| ((3 * t + i) % 7) as f32 / 7.0 - 0.5);
        op_gru_32(black_box(&GRU_32), &x, &mut gru);
        swap(&mut gru.state, &mut gru.next);
        hash.add(&gru.state);
        op_gru_before_32(black_box(&GRU_BEFORE_32), &x, &mut before);
        swap(&mut before.state, &mut before.next);
        hash.add(&before.state);
        op_lstm_32(black_box(&LSTM_32), &x, &mut lstm);
        swap(&mut lstm.state, &mut lstm.next);
        hash.add(&lstm.state);
    }
    report.word("hash gated").hex(hash.0).end();
}

//! Cells on top of each other, alone: a step of two cells with gates, and one of an embedding in front of such a cell. Both
//! are measured, and a few steps are compared with the host.

use core::hint::black_box;
use core::mem::swap;

use recurve::cell::TypedCell;
use recurve::params::Flat;
use recurve::{Embedding, Gru, Inputs, Stack};

use crate::gated::Buffers;
use crate::hash::Hash;
use crate::language::V;
use crate::measure::measure;
use crate::operations::{D, rows};
use crate::report::Report;

/// Elements of a token's vector.
const E: usize = 8;

type Two = Stack<Gru<D, 32>, Gru<32, 32>>;
type Embedded = Stack<Embedding<V, E>, Gru<E, 32>>;

static TWO: [f32; Two::LEN] = rows::<1, _>(9)[0];
static EMBEDDED: [f32; Embedded::LEN] = rows::<1, _>(10)[0];

/// Steps that are compared.
const STEPS: usize = 20;

type TwoBuffers = Buffers<{ 2 * 32 }, { 2 * 4 * 32 }>;
type EmbeddedBuffers = Buffers<{ E + 32 }, { 4 * 32 }>;

#[unsafe(no_mangle)]
#[inline(never)]
fn op_stack_32(params: &[f32; Two::LEN], x: &[f32; D], buffers: &mut TwoBuffers) {
    buffers.step(Two::SHAPE, params, Inputs::Vectors(x));
}

#[unsafe(no_mangle)]
#[inline(never)]
fn op_embedding_32(params: &[f32; Embedded::LEN], token: u16, buffers: &mut EmbeddedBuffers) {
    buffers.step(Embedded::SHAPE, params, Inputs::Tokens(&[token]));
}

/// Without output layer.
pub fn measure_steps(report: &mut Report<'_>) {
    let x = black_box([0.5; D]);
    let mut buffers = TwoBuffers::ZERO;
    measure(report, "stack_32", 3 * ((D + 32) + (32 + 32)) * 32, TwoBuffers::BYTES, || {
        op_stack_32(black_box(&TWO), &x, &mut buffers);
    });
    let mut buffers = EmbeddedBuffers::ZERO;
    measure(report, "embedding_32", 3 * (E + 32) * 32, EmbeddedBuffers::BYTES, || {
        op_embedding_32(black_box(&EMBEDDED), black_box(3), &mut buffers);
    });
}

/// Every state on the way of a few steps.
pub fn show(report: &mut Report<'_>) {
    let mut hash = Hash::new();
    let (mut two, mut embedded) = (TwoBuffers::ZERO, EmbeddedBuffers::ZERO);
    for t in 0..STEPS {
        let x = core::array::from_fn(|i| ((3 * t + i) % 7) as f32 / 7.0 - 0.5);
        op_stack_32(black_box(&TWO), &x, &mut two);
        swap(&mut two.state, &mut two.next);
        hash.add(&two.state);
        op_embedding_32(black_box(&EMBEDDED), (t * t % V) as u16, &mut embedded);
        swap(&mut embedded.state, &mut embedded.next);
        hash.add(&embedded.state);
    }
    report.word("hash stacked").hex(hash.0).end();
}

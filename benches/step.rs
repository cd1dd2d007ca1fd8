//! A step of one sequence, from a token to the outputs of 28 symbols: `cargo bench --bench step`.

mod common;

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand_core::SeedableRng;
use rand_pcg::Pcg32;
use recurve::cell::{ActivationKind, AnyCell, CellKind, TypedCell};
use recurve::init::Init;
use recurve::lanes::LaneKind;
use recurve::params::Flat;
use recurve::{Elman, Gru, Inputs, Lstm, Model, ModelShape};

const V: usize = 28;

fn step(c: &mut Criterion) {
    let mut group = c.benchmark_group("step");
    group.throughput(Throughput::Elements(1));
    all_cells::<32>(&mut group);
    all_cells::<64>(&mut group);
    all_cells::<128>(&mut group);
    all_cells::<256>(&mut group);
}

fn all_cells<const H: usize>(group: &mut BenchmarkGroup<'_, WallTime>) {
    sized::<Elman<V, H>, H>(group, CellKind::Elman);
    sized::<Gru<V, H>, H>(group, CellKind::Gru);
    sized::<Lstm<V, H>, H>(group, CellKind::Lstm);
}

/// With sizes that the compiler knows, and with the same at run time.
fn sized<C: TypedCell<H>, const H: usize>(group: &mut BenchmarkGroup<'_, WallTime>, kind: CellKind) {
    let mut model = Box::new(Model::<C, H, V>::ZERO);
    model.init(Init::TOKENS, &mut Pcg32::seed_from_u64(1));
    let tokens = common::tokens(64, V);
    let name = format!("{kind}, {H}");

    let (mut state, mut scratch) = (Box::new(C::State::<1>::ZERO), Box::new(C::StepScratch::<1>::ZERO));
    let (mut next, mut logits) = (tokens.iter().cycle(), [0.0; V]);
    group.bench_function(BenchmarkId::new("typed", &name), |bench| {
        bench.iter(|| {
            let token = *next.next().expect("tokens without end");
            model.step(token, &mut state, &mut logits, &mut scratch).expect("finite outputs");
            logits[0]
        });
    });

    let cell = AnyCell::new(kind, ActivationKind::Tanh, V, black_box(H));
    let shape = ModelShape { cell, outputs: V };
    let (mut state, mut scratch) = (vec![0.0; shape.state_len(1)], vec![0.0; shape.step_scratch_len(1)]);
    let mut next = tokens.chunks(1).cycle();
    group.bench_function(BenchmarkId::new("sized at run time", &name), |bench| {
        bench.iter(|| {
            let inputs = Inputs::Tokens(next.next().expect("tokens without end"));
            let lanes = LaneKind::best();
            let step = shape.step_on(lanes, model.as_flat(), inputs, &mut state, &mut logits, &mut scratch);
            step.expect("finite outputs");
        });
    });
}

criterion_group! {
    name = benches;
    config = common::criterion();
    targets = step
}
criterion_main!(benches);

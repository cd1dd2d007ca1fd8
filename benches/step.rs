//! A step of one sequence, from a token to the outputs of 28 symbols: `cargo bench --bench step`.

mod common;
#[path = "common/step.rs"]
mod on_lanes;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand_core::SeedableRng;
use rand_pcg::Pcg32;
use recurve::init::Init;
use recurve::lanes::LaneKind;
use recurve::params::Flat;
use recurve::{CharRnn, Elman, Inputs, Model};

use on_lanes::Step;

const V: usize = 28;

fn step(c: &mut Criterion) {
    let mut group = c.benchmark_group("step");
    group.throughput(Throughput::Elements(1));
    sized::<32>(&mut group);
    sized::<64>(&mut group);
    sized::<128>(&mut group);
    sized::<256>(&mut group);
}

/// With sizes that the compiler knows, and with the same at run time.
fn sized<const H: usize>(group: &mut BenchmarkGroup<'_, WallTime>) {
    let mut model = Box::new(CharRnn::<V, H>::ZERO);
    model.init(Init::TOKENS, &mut Pcg32::seed_from_u64(1));
    let tokens = common::tokens(64, V);

    let (mut next, mut state, mut scratch) = (tokens.iter().cycle(), [[0.0; H]], [[0.0; H]]);
    let mut logits = [0.0; V];
    group.bench_function(BenchmarkId::new("typed", H), |bench| {
        bench.iter(|| {
            let token = *next.next().expect("tokens without end");
            model.step(token, &mut state, &mut logits, &mut scratch).expect("finite outputs");
            logits[0]
        });
    });

    let (mut next, mut state, mut scratch) = (tokens.chunks(1).cycle(), [0.0; H], [0.0; H]);
    group.bench_function(BenchmarkId::new("sized at run time", H), |bench| {
        bench.iter(|| {
            let inputs = Inputs::Tokens(next.next().expect("tokens without end"));
            let (params, logits) = (model.as_flat(), &mut logits[..]);
            let step = Step {
                shape: std::hint::black_box(Model::<Elman<V, H>, H, V>::SHAPE),
                params,
                inputs,
                state: &mut state,
                logits,
                scratch: &mut scratch,
            };
            LaneKind::best().run(step).expect("finite outputs");
        });
    });
}

criterion_group! {
    name = benches;
    config = common::criterion();
    targets = step
}
criterion_main!(benches);

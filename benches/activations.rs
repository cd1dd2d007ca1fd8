//! The elementary functions, per value: `cargo bench --bench activations`.

mod common;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use recurve::kernels::map;
use recurve::lanes::{LaneKind, Lanes, OnLanes};
use recurve::math;

/// Values that stay in the nearest cache.
const VALUES: usize = 1024;

#[derive(Clone, Copy)]
enum Function {
    Tanh,
    Sigmoid,
    Exp,
    Ln,
}

struct Apply<'a>(Function, &'a mut [f32]);

impl OnLanes for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn on<L: Lanes>(self, lanes: L) {
        let Self(function, values) = self;
        // Outside of `run`, closures would be compiled for other registers.
        lanes.run(
            #[inline(always)]
            || match function {
                Function::Tanh => map(
                    lanes,
                    values,
                    #[inline(always)]
                    |x| math::tanh(lanes, x),
                ),
                Function::Sigmoid => map(
                    lanes,
                    values,
                    #[inline(always)]
                    |x| math::sigmoid(lanes, x),
                ),
                Function::Exp => map(
                    lanes,
                    values,
                    #[inline(always)]
                    |x| math::exp(lanes, x),
                ),
                Function::Ln => map(
                    lanes,
                    values,
                    #[inline(always)]
                    |x| math::ln(lanes, x),
                ),
            },
        );
    }
}

fn activations(c: &mut Criterion) {
    let mut group = c.benchmark_group("activations");
    group.throughput(Throughput::Elements(VALUES as u64));
    let values: Vec<f32> = common::floats(VALUES).iter().map(|x| 4.0 * (x + 1.001)).collect();
    let functions = [
        ("tanh", Function::Tanh),
        ("sigmoid", Function::Sigmoid),
        ("exp", Function::Exp),
        ("ln", Function::Ln),
    ];
    for (name, function) in functions {
        let mut buffer = values.clone();
        group.bench_function(name, |bench| {
            bench.iter(|| {
                buffer.copy_from_slice(&values);
                LaneKind::best().run(Apply(function, &mut buffer));
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = common::criterion();
    targets = activations
}
criterion_main!(benches);

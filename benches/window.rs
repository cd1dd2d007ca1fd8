//! A window of training, in tokens: forward, backward, clipping, SGD. `cargo bench --bench window`.

mod common;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use recurve::Sgd;
use recurve::cell::{ActivationKind, AnyCell, CellKind};
use recurve::clean::Clean;
use recurve::host::{AnyOptimizer, Network, Settings, Trainer};
use recurve::vocab::Alphabet;

/// Vocabulary, hidden units, batch, window: those of benches/peers/run.
const SIZES: &[[usize; 4]] = &[
    [28, 64, 1, 32],
    [28, 32, 1024, 32],
    [28, 128, 32, 35],
    [28, 256, 32, 35],
    [28, 512, 32, 35],
    [96, 256, 50, 50],
];

fn window(c: &mut Criterion) {
    let mut group = c.benchmark_group("window");
    group.sample_size(20);
    let kinds = [CellKind::Elman, CellKind::Gru, CellKind::Lstm];
    for (kind, &[vocab, hidden, batch, window]) in
        kinds.into_iter().flat_map(|kind| common::measured(SIZES).iter().map(move |sizes| (kind, sizes)))
    {
        let cell = AnyCell::new(kind, ActivationKind::Tanh, vocab, hidden);
        let mut network =
            Network::new(cell, (0..vocab as u32).collect(), Alphabet::Chars, Clean::None).expect("a network");
        network.init(1);
        let tokens = common::tokens(batch * (4 * window + 1), vocab);
        let optimizer = AnyOptimizer::Sgd(Sgd { lr: 0.1, momentum: 0.0 });
        let mut settings = Settings::new(batch, window, optimizer);
        settings.clip = 1.0;
        let mut trainer = Trainer::new(&mut network, &tokens, settings).expect("a trainer");

        group.throughput(Throughput::Elements((batch * window) as u64));
        let sizes = format!("{kind}, V {vocab}, H {hidden}, {batch}×{window}");
        group.bench_function(BenchmarkId::from_parameter(sizes), |bench| {
            bench.iter(|| trainer.step().expect("a finite loss"));
        });
    }
}

criterion_group! {
    name = benches;
    config = common::criterion();
    targets = window
}
criterion_main!(benches);

//! The three products, in multiply-adds: `cargo bench --bench kernels`.

mod common;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use recurve::crew::Alone;
use recurve::kernels::{Factor, Mat, Start, product, product_at, product_at_len};
use recurve::lanes::{LaneKind, Lanes, OnLanes};

/// Rows of A, columns of A, columns of B: a step, the steps of a batch, a window's output layer.
const SIZES: &[[usize; 3]] = &[[1, 64, 64], [1, 256, 256], [32, 128, 128], [32, 512, 512], [1120, 256, 28]];

#[derive(Clone, Copy)]
enum Kernel {
    /// C += A · B
    Rows,
    /// The same with a copy of B in panels, as in a window.
    Panels,
    /// C += Aᵀ · B
    Gradient,
}

struct Run<'a> {
    kernel: Kernel,
    a: Mat<'a>,
    b: Mat<'a>,
    c: &'a mut [f32],
    pack: &'a [f32],
    room: &'a mut [f32],
}

impl OnLanes for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn on<L: Lanes>(self, lanes: L) {
        let Self { kernel, a, b, c, pack, room } = self;
        match kernel {
            Kernel::Rows => product(lanes, a, b, c),
            Kernel::Panels => Factor::new(b, a.rows(), pack).product(lanes, a, c),
            Kernel::Gradient => product_at(lanes, a, &(0..a.cols), b, Start::Held, c, room),
        }
    }
}

struct Pack<'a>(Mat<'a>, usize, &'a mut [f32]);

impl OnLanes for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn on<L: Lanes>(self, lanes: L) {
        Factor::pack(&Alone, lanes, self.0, self.1, self.2);
    }
}

fn kernels(criterion: &mut Criterion) {
    for (name, kernel) in
        [("product", Kernel::Rows), ("product, packed", Kernel::Panels), ("gradient", Kernel::Gradient)]
    {
        let mut group = criterion.benchmark_group(name);
        for &[m, k, n] in common::measured(SIZES) {
            // The gradient's sum is over the rows of A and of B.
            let (b_rows, c_rows) = if matches!(kernel, Kernel::Gradient) { (m, k) } else { (k, m) };
            let (a, b) = (common::floats(m * k), common::floats(b_rows * n));
            let (a, b) = (Mat::new(&a, k), Mat::new(&b, n));
            let mut c = vec![0.0; c_rows * n];
            let mut pack = vec![0.0; Factor::pack_len(b_rows, n)];
            let mut room = vec![0.0; product_at_len(k)];
            group.throughput(Throughput::Elements((m * k * n) as u64));
            for lanes in LaneKind::available() {
                lanes.run(Pack(b, m, &mut pack));
                group.bench_function(BenchmarkId::new(lanes.name(), format!("{m}×{k}×{n}")), |bench| {
                    bench.iter(|| {
                        lanes.run(Run { kernel, a, b, c: &mut c, pack: &pack, room: &mut room });
                    });
                });
            }
        }
    }
}

criterion_group! {
    name = benches;
    config = common::criterion();
    targets = kernels
}
criterion_main!(benches);

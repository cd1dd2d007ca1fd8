//! What the benchmarks share.

use std::time::Duration;

use criterion::Criterion;
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg32;
use recurve::init::uniform;

/// Short enough that `cargo bench` lasts a few minutes.
#[allow(dead_code, reason = "not every program that has tokens is a benchmark")]
pub fn criterion() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2))
}

/// Floats between −1 and 1.
#[allow(dead_code, reason = "not every benchmark has floats")]
pub fn floats(count: usize) -> Vec<f32> {
    let mut floats = vec![0.0; count];
    uniform(&mut floats, 1.0, &mut Pcg32::seed_from_u64(1));
    floats
}

/// Tokens of a vocabulary.
#[allow(dead_code, reason = "not every benchmark has tokens")]
pub fn tokens(count: usize, vocab: usize) -> Vec<u16> {
    let mut rng = Pcg32::seed_from_u64(1);
    (0..count).map(|_| (rng.next_u32() as usize % vocab) as u16).collect()
}

/// All sizes under `cargo bench`; the first only where `cargo test --all-targets` makes sure that they run.
#[allow(dead_code, reason = "not every benchmark has sizes")]
pub fn measured<T>(sizes: &[T]) -> &[T] {
    if std::env::args().any(|arg| arg == "--bench") { sizes } else { &sizes[..1] }
}

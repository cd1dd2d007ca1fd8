//! The most multiply-adds that these lanes can do: chains that do not wait for each other, in registers.

use std::hint::black_box;
use std::time::Instant;

use recurve::lanes::Lanes;

/// Independent chains: enough to hide the time that one multiply-add takes, few enough for 16 registers.
const CHAINS: usize = 12;
/// Links of each chain in a trial, some ten microseconds: short enough to run undisturbed at times.
const LINKS: usize = 10_000;
/// Trials; the fastest counts.
const TRIALS: usize = 100;

/// Billions of additions and multiplications per second, on one core.
pub fn gflops<L: Lanes>(lanes: L) -> f64 {
    let flop = (2 * L::WIDTH * CHAINS * LINKS) as f64;
    let mut best = f64::INFINITY;
    for _ in 0..TRIALS {
        let started = Instant::now();
        black_box(multiply_adds(lanes, black_box(0.999), black_box(0.001)));
        best = best.min(started.elapsed().as_secs_f64());
    }
    flop / best / 1e9
}

/// x ← x · a + b in each chain, with numbers that stay normal; their sum at last, so that none can be left out.
fn multiply_adds<L: Lanes>(lanes: L, a: f32, b: f32) -> f32 {
    let mut chains: [L::F; CHAINS] = std::array::from_fn(|i| lanes.splat(i as f32));
    let (a, b) = (lanes.splat(a), lanes.splat(b));
    for _ in 0..LINKS {
        for x in &mut chains {
            *x = lanes.mul_add(*x, a, b);
        }
    }
    let mut sums = [0.0; recurve::lanes::FOLD];
    lanes.store(chains.into_iter().fold(lanes.splat(0.0), |sum, x| lanes.add(sum, x)), &mut sums);
    sums.iter().sum()
}

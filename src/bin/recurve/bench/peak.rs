//! The most multiply-adds that these lanes can do: chains that do not wait for each other, in registers.

use std::hint::black_box;
use std::time::Instant;

use recurve::lanes::{Lanes, OnLanes};

/// Independent chains: enough to hide the time that one multiply-add takes, few enough for 16 registers.
const CHAINS: usize = 12;
/// Links of each chain: some milliseconds, in which other programs get in the way as they do while a network is trained.
const LINKS: usize = 1_000_000;

/// Billions of additions and multiplications per second, on one core.
pub struct Peak;

impl OnLanes for Peak {
    type Output = f64;

    #[inline(always)]
    fn on<L: Lanes>(self, lanes: L) -> f64 {
        gflops(lanes)
    }
}

#[inline(always)]
fn gflops<L: Lanes>(lanes: L) -> f64 {
    let flop = (2 * L::WIDTH * CHAINS * LINKS) as f64;
    let started = Instant::now();
    black_box(multiply_adds(lanes, black_box(0.999), black_box(0.001)));
    flop / started.elapsed().as_secs_f64() / 1e9
}

/// x ← x · a + b in each chain, with numbers that stay normal; their sum at last, so that none can be left out.
#[inline(always)]
fn multiply_adds<L: Lanes>(lanes: L, a: f32, b: f32) -> f32 {
    let mut chains = [lanes.splat(0.5); CHAINS];
    let (a, b) = (lanes.splat(a), lanes.splat(b));
    for _ in 0..LINKS {
        for x in &mut chains {
            *x = lanes.mul_add(*x, a, b);
        }
    }
    let mut sums = [0.0; recurve::lanes::FOLD];
    for x in chains {
        let sum = lanes.add(lanes.load(&sums), x);
        lanes.store(sum, &mut sums);
    }
    sums.iter().sum()
}

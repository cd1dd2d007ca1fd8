//! Reproducible random numbers for tests: the same seed gives the same numbers everywhere.

use rand_pcg::Pcg32;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// A seeded source of weights, vectors and tokens.
pub struct Random(Pcg32);

impl Random {
    /// The source with this seed.
    pub fn new(seed: u64) -> Self {
        Self(Pcg32::seed_from_u64(seed))
    }

    /// `count` numbers, uniform in −scale … scale. For a `scale` that is a power of two, each is exact in f32.
    pub fn values(&mut self, count: usize, scale: f64) -> Vec<f64> {
        (0..count).map(|_| self.value() * scale).collect()
    }

    /// `count` tokens below `vocabulary`.
    pub fn tokens(&mut self, count: usize, vocabulary: usize) -> Vec<usize> {
        (0..count).map(|_| self.0.next_u32() as usize % vocabulary).collect()
    }

    /// A multiple of 2⁻²³ in −1 ≤ value < 1.
    fn value(&mut self) -> f64 {
        f64::from(self.0.next_u32() >> 8) / f64::from(1 << 23) - 1.0
    }
}

//! A random number generator for a chip: xorshift32 (G. Marsaglia, 2003).
//!
//! Generation takes whatever implements `rand_core::Rng` of `rand_core` 0.10, here by way of a [`TryRng`] that
//! cannot fail. A chip's own generator is wrapped alike, or a crate such as `rand_pcg` 0.10 is used.

use core::convert::Infallible;

use rand_core::{TryRng, utils};

/// The state, which is never zero.
pub struct XorShift(u32);

impl XorShift {
    /// Starts from a seed; the same seed writes the same text.
    pub const fn new(seed: u32) -> Self {
        Self(if seed == 0 { 1 } else { seed })
    }
}

impl TryRng for XorShift {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        Ok(self.0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        utils::next_u64_via_u32(self)
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        utils::fill_bytes_via_next_word(to, || self.try_next_u32())
    }
}

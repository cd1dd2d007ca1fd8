//! One panic path, so that `run` can see that a program which has one does not link.

use core::hint::black_box;

/// Element 3 of as many as nobody knows.
pub fn fourth(of: &[u8]) -> u8 {
    black_box(of)[3]
}

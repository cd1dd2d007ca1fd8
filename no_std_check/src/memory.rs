//! The RAM of all tasks: lent to one after another, each of which cuts out of it what it needs.

use recurve::params::Flat;

use crate::language::{Failed, Training};
use crate::tuned;
#[cfg(not(feature = "small"))]
use crate::{dropped, forecasts, partly, windows};

/// As many floats as the largest task needs; a board keeps them in a `static`, which is zero and so takes no flash.
pub struct Memory([f32; LEN]);

#[cfg(not(feature = "small"))]
const LEN: usize =
    most(&[Training::LEN, tuned::LEN, partly::LEN, windows::LEN, forecasts::LEN, dropped::LEN]);
#[cfg(feature = "small")]
const LEN: usize = most(&[Training::LEN, tuned::LEN]);

const fn most(mut of: &[usize]) -> usize {
    let mut most = 0;
    while let [len, rest @ ..] = of {
        most = if *len > most { *len } else { most };
        of = rest;
    }
    most
}

impl Memory {
    pub const ZERO: Self = Self([0.0; LEN]);

    /// All of it, made zero.
    pub fn zeroed(&mut self) -> &mut [f32] {
        self.0.fill(0.0);
        &mut self.0
    }
}

/// Cuts a value out of memory.
pub fn cut<'a, F: Flat>(room: &mut &'a mut [f32]) -> Result<&'a mut F, Failed> {
    let (part, rest) = core::mem::take(room).split_at_mut_checked(F::LEN).ok_or(Failed)?;
    *room = rest;
    F::from_flat_mut(part).ok_or(Failed)
}

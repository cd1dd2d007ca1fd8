//! What truncated back-propagation through time works in and changes, whatever the model; and how it learns a window by
//! heart.

use recurve::params::Flat;

use crate::hash::Hash;
use crate::language::Failed;
use crate::memory::{Memory, cut};
use crate::report::Report;
use crate::tuned::descend;

/// Windows that are trained on.
const WINDOWS: u32 = 30;

/// A model `M` with states `S`, trained in a workspace `W`.
pub struct Window<'a, M, S, W> {
    pub model: &'a mut M,
    pub grads: &'a mut M,
    pub state: &'a mut S,
    pub workspace: &'a mut W,
}

impl<M: Flat, S: Flat, W: Flat> Window<'_, M, S, W> {
    /// Floats of it.
    pub const LEN: usize = 2 * M::LEN + S::LEN + W::LEN;

    /// Cut out of memory, with weights that are drawn.
    pub fn new(memory: &mut Memory, draw: impl FnOnce(&mut M)) -> Result<Window<'_, M, S, W>, Failed> {
        let mut room = memory.zeroed();
        let (model, grads) = (cut(&mut room)?, cut(&mut room)?);
        draw(model);
        Ok(Window { model, grads, state: cut(&mut room)?, workspace: cut(&mut room)? })
    }

    /// Trains with the gradients of some windows, which are asked for by their numbers, and shows the weights' hash.
    pub fn learn(
        mut self,
        report: &mut Report<'_>,
        name: &str,
        rate: f32,
        mut gradient: impl FnMut(&mut Self, u32) -> Option<f32>,
    ) -> Result<(), Failed> {
        let (mut first, mut last) = (None, 0.0);
        for number in 0..WINDOWS {
            self.state.set_zero();
            self.grads.set_zero();
            last = gradient(&mut self, number).ok_or(Failed)?;
            descend(rate, self.model.as_flat_mut(), self.grads.as_flat());
            first = first.or(Some(last));
        }
        let mut hash = Hash::new();
        hash.add(self.model.as_flat());
        report.word("hash trained").word(name).hex(hash.0).end();
        if last < 0.8 * first.unwrap_or(0.0) { Ok(()) } else { Err(Failed) }
    }
}

//! A step on lanes that are chosen at run time.

use recurve::cell::Cell;
use recurve::lanes::{Lanes, OnLanes};
use recurve::{Error, Inputs, ModelShape};

pub struct Step<'a, C> {
    pub shape: ModelShape<C>,
    pub params: &'a [f32],
    pub inputs: Inputs<'a>,
    pub state: &'a mut [f32],
    pub logits: &'a mut [f32],
    pub scratch: &'a mut [f32],
}

impl<C: Cell> OnLanes for Step<'_, C> {
    type Output = Result<(), Error>;

    #[inline(always)]
    fn on<L: Lanes>(self, lanes: L) -> Self::Output {
        self.shape.step(lanes, self.params, self.inputs, self.state, self.logits, self.scratch)
    }
}

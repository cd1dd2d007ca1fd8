//! All gradients in place, on one thread, of one block: what there is room for without `std`.

use super::{Done, Goal, Room, Sizes, Window};
use crate::cell::{Cell, Gradient};
use crate::crew::Crew;
use crate::kernels::Start;
use crate::lanes::Lanes;
use crate::model::ModelShape;
use crate::params::take_mut;
use crate::trained::Trained;

/// No room is needed.
pub(in crate::bptt) fn products_len<C: Cell>(_: ModelShape<C>, _: usize) -> usize {
    0
}

impl<S: Sizes, G: Goal> Window<'_, S, G> {
    /// Sums all gradients that are wanted, one after another and not in a loop: so each has sizes that the compiler knows.
    #[inline(always)]
    pub(in crate::bptt) fn accumulate<L: Lanes>(
        &self,
        trained: Trained,
        _: &impl Crew,
        lanes: L,
        done: &Done<'_>,
        Room { start, .. }: Room<'_>,
        mut grads: &mut [f32],
    ) {
        if start == Start::Zero {
            grads.fill(0.0);
        }
        macro_rules! sum {
            ($($tensor:literal)*) => {$(
                if let Some((rows, cols)) = self.sizes.shape().cell.tensor($tensor)
                    && trained.has_cell($tensor)
                {
                    self.all_of_cell::<L, $tensor>(lanes, done, take_mut(&mut grads, rows * cols));
                }
            )*};
        }
        sum!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        // A deep stack has more, whose sizes the compiler need not know.
        for tensor in (16..self.sizes.shape().cell.tensors()).filter(|&tensor| trained.has_cell(tensor)) {
            let (rows, cols) = self.sizes.shape().cell.tensor(tensor).unwrap_or_default();
            let grads = take_mut(&mut grads, rows * cols);
            self.of_cell(lanes, done, done.all(), tensor, Gradient::in_place(&(0..rows), grads));
        }
        let ([(rows, cols), _], [w_hq, b_q]) = (self.sizes.shape().head().tensors(), trained.head());
        if w_hq {
            self.all_of_head::<L, 0>(lanes, done, take_mut(&mut grads, rows * cols));
        }
        if b_q {
            self.all_of_head::<L, 1>(lanes, done, grads);
        }
    }

    /// Sums the gradient of a whole tensor of the cell.
    #[inline(never)]
    fn all_of_cell<L: Lanes, const TENSOR: usize>(&self, lanes: L, done: &Done<'_>, grads: &mut [f32]) {
        let (rows, cols) = self.sizes.shape().cell.tensor(TENSOR).unwrap_or_default();
        if let Some(grads) = grads.get_mut(..rows * cols) {
            self.of_cell(lanes, done, done.all(), TENSOR, Gradient::in_place(&(0..rows), grads));
        }
    }

    /// Sums the gradient of a whole tensor of the output layer.
    #[inline(never)]
    fn all_of_head<L: Lanes, const TENSOR: usize>(&self, lanes: L, done: &Done<'_>, grads: &mut [f32]) {
        let (rows, cols) = self.sizes.shape().head().tensors()[TENSOR];
        if let Some(grads) = grads.get_mut(..rows * cols) {
            self.of_head::<L, TENSOR>(lanes, done, done.all(), Gradient::in_place(&(0..rows), grads));
        }
    }
}

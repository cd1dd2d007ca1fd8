//! A window from its arguments to its loss and, if they are wanted, its gradients.

use super::buffers::{Buffers, sums_len};
use super::sizes::Sizes;
use super::sums::Room;
use super::window::Window;
use crate::cell::{Block, Inputs};
use crate::crew::{Alone, Crew};
use crate::error::{Argument, Error, exactly};
use crate::kernels::Start;
use crate::lanes::{Lanes, inlined};
use crate::loss::{Goal, Sum};
use crate::model::check_state;
use crate::params::take_mut;
use crate::trained::Trained;

/// A window, and what it is worked on with.
pub(super) struct Task<'a, S, G> {
    pub(super) sizes: S,
    pub(super) params: &'a [f32],
    pub(super) inputs: Inputs<'a>,
    pub(super) goal: G,
    pub(super) state: &'a mut [f32],
    pub(super) tape: &'a mut [f32],
    pub(super) scratch: &'a mut [f32],
}

impl<S: Sizes, G: Goal> Task<'_, S, G> {
    /// See [`ModelShape::gradient_of`](crate::ModelShape::gradient_of); sums start from `start`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn gradient<L: Lanes>(
        self,
        lanes: L,
        trained: Trained,
        crew: &impl Crew,
        start: Start,
        grads: &mut [f32],
    ) -> Result<f32, Error> {
        let Self { sizes, params, inputs, goal, state, tape, scratch } = self;
        exactly(Argument::Grads, sizes.shape().trained_len(trained), grads.len())?;
        let window = Window::new(sizes, params, inputs, goal, state)?;
        let (mut buffers, mut pack) =
            Buffers::new(sizes.shape(), window.extent, window.blocks(), tape, scratch, true)?;
        let sums = take_mut(&mut pack, sums_len(sizes.shape(), window.blocks()));
        check_state(lanes, state)?;

        let (cell, head) = window.pack(crew, lanes, params, pack);
        let mut total = Sum::default();
        crew.each(
            buffers.blocks(),
            inlined!(|(block, mut buffers): (Block, Buffers<'_>)| {
                lanes.run(inlined!(|| {
                    let loss = window.forward(lanes, cell, head, state, block, &mut buffers);
                    if let Some(frozen) = trained.frozen() {
                        window.backward(lanes, cell, head, block.with_frozen(frozen), &mut buffers);
                    }
                    loss
                }))
            }),
            inlined!(|loss| total.add(loss)),
        );
        let loss = window.mean(total)?;
        window.carry(&mut buffers, state);
        let room = Room { start, sums, products: pack };
        window.accumulate(trained, crew, lanes, &buffers.done(), room, grads);
        window.clear_ended(buffers.tape, state);
        Ok(loss)
    }

    /// See [`ModelShape::loss`](crate::ModelShape::loss).
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn loss<L: Lanes>(self, lanes: L) -> Result<f32, Error> {
        let Self { sizes, params, inputs, goal, state, tape, scratch } = self;
        let window = Window::new(sizes, params, inputs, goal, state)?;
        let (mut buffers, pack) =
            Buffers::new(sizes.shape(), window.extent, window.blocks(), tape, scratch, false)?;
        check_state(lanes, state)?;

        let (cell, head) = window.pack(&Alone, lanes, params, pack);
        let mut total = Sum::default();
        for (block, mut buffers) in buffers.blocks() {
            total.add(window.forward(lanes, cell, head, state, block, &mut buffers));
        }
        let loss = window.mean(total)?;
        window.carry(&mut buffers, state);
        window.clear_ended(buffers.tape, state);
        Ok(loss)
    }
}

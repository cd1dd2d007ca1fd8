//! The gradients in parts, which the threads of a crew share.

use core::ops::Range;

use super::{Done, Goal, Sizes, Window};
use crate::cell::{Cell, Gradient};
use crate::crew::Crew;
use crate::kernels::product_at_len;
use crate::lanes::{Lanes, inlined};
use crate::model::ModelShape;
use crate::params::take_mut;
use crate::trained::Trained;

/// A layer of the model.
#[derive(Clone, Copy)]
enum Layer {
    Cell,
    Head,
}

/// Rows of a tensor of weights.
struct Part {
    layer: Layer,
    tensor: usize,
    rows: Range<usize>,
    cols: usize,
}

/// A part with its gradient, and room to sum it.
struct Job<'a> {
    part: Part,
    room: &'a mut [f32],
    grads: &'a mut [f32],
}

/// All weights that are trained in their order, each tensor in as many parts as there are threads.
#[inline(always)]
fn parts<C: Cell>(shape: ModelShape<C>, trained: Trained, threads: usize) -> impl Iterator<Item = Part> {
    let of_cell =
        (0..).map_while(move |i| Some((Layer::Cell, i, shape.cell.tensor(i)?, trained.has_cell(i))));
    let of_head = shape.head().tensors().into_iter().zip(trained.head()).enumerate();
    let of_head = of_head.map(|(i, (size, is_trained))| (Layer::Head, i, size, is_trained));
    let all = of_cell.chain(of_head).filter(|&(.., is_trained)| is_trained);
    all.flat_map(move |(layer, tensor, (rows, cols), _)| {
        let step = rows.div_ceil(threads.max(1)).max(1);
        let first = (0..rows).step_by(step);
        first.map(move |first| Part {
            layer,
            tensor,
            rows: first..rows.min(first.saturating_add(step)),
            cols,
        })
    })
}

/// Floats of room for all gradients at once.
pub(in crate::bptt) fn products_len<C: Cell>(shape: ModelShape<C>, threads: usize) -> usize {
    parts(shape, Trained::ALL, threads)
        .map(|part| product_at_len(part.rows.len()))
        .fold(0, usize::saturating_add)
}

impl<S: Sizes, G: Goal> Window<'_, S, G> {
    /// Sums all gradients that are wanted, each with room to do it fast, as far as there is any.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(in crate::bptt) fn accumulate<L: Lanes>(
        &self,
        trained: Trained,
        crew: &impl Crew,
        lanes: L,
        done: &Done<'_>,
        mut room: &mut [f32],
        mut grads: &mut [f32],
    ) {
        let jobs = parts(self.sizes.shape(), trained, crew.threads()).map(inlined!(move |part: Part| Job {
            room: take_mut(&mut room, product_at_len(part.rows.len())),
            grads: take_mut(&mut grads, part.rows.len() * part.cols),
            part,
        }));
        crew.each(jobs, inlined!(|job| lanes.run(inlined!(|| self.sum(lanes, done, job)))), |()| {});
    }

    /// Sums a gradient.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sum<L: Lanes>(&self, lanes: L, done: &Done<'_>, job: Job<'_>) {
        let Job { part: Part { layer, tensor, rows, .. }, room, grads } = job;
        let to = Gradient { rows: &rows, room, grads };
        match (layer, tensor) {
            (Layer::Head, 0) => self.of_head::<L, 0>(lanes, done, to),
            (Layer::Head, _) => self.of_head::<L, 1>(lanes, done, to),
            (Layer::Cell, _) => self.of_cell(lanes, done, tensor, to),
        }
    }
}

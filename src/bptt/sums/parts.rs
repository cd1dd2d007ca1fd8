//! The gradients in parts, which the threads of a crew share.
//!
//! ```text
//! for each half of the blocks: for each tensor: for each part of its rows: sum over the blocks of the half
//! gradients += sums of the second half
//! ```
//!
//! With two threads each has a half of its own rather than rows of both: what it reads it has written itself, see [`Crew`].

use core::ops::Range;

use super::{Done, Goal, Room, Sizes, Window};
use crate::cell::{Cell, Gradient};
use crate::crew::Crew;
use crate::kernels::{Start, product_at_len, zip_map};
use crate::lanes::{Lanes, inlined};
use crate::model::ModelShape;
use crate::params::take_mut;
use crate::trained::Trained;

/// Multiply-adds that are not worth a second thread.
const FEW: usize = 1 << 20;

/// Elements of sums that one thread adds at least.
const CHUNK: usize = 1 << 15;

/// A layer of the model.
#[derive(Clone, Copy)]
enum Layer {
    Cell,
    Head,
}

/// Rows of a tensor of weights.
#[derive(Clone)]
struct Part {
    layer: Layer,
    tensor: usize,
    rows: Range<usize>,
    cols: usize,
}

/// A part with the blocks it is summed over, its gradient and what that starts from, and room to sum it.
struct Job<'a> {
    part: Part,
    blocks: Range<usize>,
    start: Start,
    grads: &'a mut [f32],
    room: &'a mut [f32],
}

/// All weights that are trained in their order, each tensor in so many parts.
#[inline(always)]
fn parts<C: Cell>(shape: ModelShape<C>, trained: Trained, count: usize) -> impl Iterator<Item = Part> {
    let of_cell =
        (0..).map_while(move |i| Some((Layer::Cell, i, shape.cell.tensor(i)?, trained.has_cell(i))));
    let of_head = shape.head().tensors().into_iter().zip(trained.head()).enumerate();
    let of_head = of_head.map(|(i, (size, is_trained))| (Layer::Head, i, size, is_trained));
    let all = of_cell.chain(of_head).filter(|&(.., is_trained)| is_trained);
    all.flat_map(move |(layer, tensor, (rows, cols), _)| {
        let step = rows.div_ceil(count.max(1)).max(1);
        let first = (0..rows).step_by(step);
        first.map(move |first| Part {
            layer,
            tensor,
            rows: first..rows.min(first.saturating_add(step)),
            cols,
        })
    })
}

/// Floats of room for all gradients at once; for one after another if there is but one thread.
pub(in crate::bptt) fn products_len<C: Cell>(shape: ModelShape<C>, threads: usize) -> usize {
    let rooms = |count| parts(shape, Trained::ALL, count).map(|part| product_at_len(part.rows.len()));
    if threads <= 1 {
        return rooms(1).max().unwrap_or(0);
    }
    // Of one block, or of two halves.
    let (one, half) = (rooms(threads), rooms(threads.div_ceil(2)));
    one.fold(0, usize::saturating_add).max(half.fold(0, usize::saturating_add).saturating_mul(2))
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
        room: Room<'_>,
        grads: &mut [f32],
    ) {
        if crew.threads() == 1 || self.extent.rows().saturating_mul(grads.len()) < FEW {
            self.one_by_one(trained, lanes, done, room, grads);
        } else {
            self.side_by_side(trained, crew, lanes, done, room, grads);
        }
    }

    /// One tensor after the other, half after half, so that all that is summed stays in a cache.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn one_by_one<L: Lanes>(
        &self,
        trained: Trained,
        lanes: L,
        done: &Done<'_>,
        Room { start, sums, products }: Room<'_>,
        mut grads: &mut [f32],
    ) {
        for part in parts(self.sizes.shape(), trained, 1) {
            let grads = take_mut(&mut grads, part.rows.len() * part.cols);
            let sums = sums.get_mut(..grads.len()).unwrap_or_default();
            let of_halves = [(start, &mut *grads), (Start::Zero, &mut *sums)];
            for (blocks, (start, grads)) in done.halves().zip(of_halves) {
                let job = Job { part: part.clone(), blocks, start, grads, room: &mut *products };
                lanes.run(inlined!(|| self.sum(lanes, done, job)));
            }
            if done.halves().count() > 1 {
                add(lanes, grads, sums);
            }
        }
    }

    /// All parts of all tensors, by all threads.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn side_by_side<L: Lanes>(
        &self,
        trained: Trained,
        crew: &impl Crew,
        lanes: L,
        done: &Done<'_>,
        Room { start, sums, mut products }: Room<'_>,
        grads: &mut [f32],
    ) {
        let halves = done.halves().count();
        let (shape, count) = (self.sizes.shape(), crew.threads().div_ceil(halves));
        let of_halves = [(start, &mut *grads), (Start::Zero, &mut *sums)];
        let jobs = done.halves().zip(of_halves).flat_map(inlined!(|(blocks, (start, mut to))| {
            parts(shape, trained, count).map(inlined!(move |part: Part| {
                let grads = take_mut(&mut to, part.rows.len() * part.cols);
                Job { part, blocks: blocks.clone(), start, grads, room: &mut [] }
            }))
        }));
        let jobs = jobs.map(inlined!(|job: Job<'_>| {
            let room = take_mut(&mut products, product_at_len(job.part.rows.len()));
            Job { room, ..job }
        }));
        crew.each(jobs, inlined!(|job| lanes.run(inlined!(|| self.sum(lanes, done, job)))), |()| {});
        if halves > 1 {
            let chunk = CHUNK.max(grads.len().div_ceil(crew.threads()));
            let chunks = grads.chunks_mut(chunk).zip(sums.chunks(chunk));
            crew.each(chunks, inlined!(|(to, from): (&mut [f32], &[f32])| add(lanes, to, from)), |()| {});
        }
    }

    /// Sums a gradient.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sum<L: Lanes>(&self, lanes: L, done: &Done<'_>, job: Job<'_>) {
        let Job { part: Part { layer, tensor, rows, .. }, blocks, start, grads, room } = job;
        let to = Gradient { rows: &rows, start, grads, room };
        match (layer, tensor) {
            (Layer::Head, 0) => self.of_head::<L, 0>(lanes, done, blocks, to),
            (Layer::Head, _) => self.of_head::<L, 1>(lanes, done, blocks, to),
            (Layer::Cell, _) => self.of_cell(lanes, done, blocks, tensor, to),
        }
    }
}

/// to += from
#[inline(never)]
fn add<L: Lanes>(lanes: L, to: &mut [f32], from: &[f32]) {
    lanes.run(inlined!(|| zip_map(
        lanes,
        to,
        from.get(..to.len()).unwrap_or_default(),
        inlined!(|a, b| lanes.add(a, b))
    )));
}

//! States: how the crate lays them out for several sequences, and the reference for one after another.
//!
//! The crate has, of each layer in turn, H of all sequences and then what else it remembers of all. The reference has all
//! of the first sequence and then all of the second, and nothing of layers without memory: their state, the last
//! output, is never read.

use recurve::cell::{AnyCell, Cell, CellKind};

/// A part of the state of one sequence.
#[derive(Clone, Copy, Debug)]
struct Part {
    width: usize,
    remembered: bool,
}

fn parts(cell: AnyCell) -> Vec<Part> {
    let of = |kind| match kind {
        CellKind::Lstm => vec![true, true],
        CellKind::Elman | CellKind::Gru => vec![true],
        _ => vec![false],
    };
    let layers = cell.layers().iter();
    layers
        .flat_map(|layer| {
            let width = layer.hidden();
            of(layer.kind()).into_iter().map(move |remembered| Part { width, remembered })
        })
        .collect()
}

/// What the crate has of one sequence.
pub fn of_sequence<T: Copy>(cell: AnyCell, state: &[T], batch: usize, b: usize) -> Vec<T> {
    pick(&parts(cell), state, batch, b)
}

/// From the crate's layout to the reference's.
pub fn by_sequence<T: Copy>(cell: AnyCell, state: &[T], batch: usize) -> Vec<T> {
    let parts = parts(cell);
    let remembered = |b| {
        let mut all = &pick(&parts, state, batch, b)[..];
        let mut kept = Vec::new();
        for part in &parts {
            let (own, rest) = all.split_at(part.width);
            kept.extend_from_slice(if part.remembered { own } else { &[] });
            all = rest;
        }
        kept
    };
    (0..batch).flat_map(remembered).collect()
}

fn pick<T: Copy>(parts: &[Part], mut state: &[T], batch: usize, b: usize) -> Vec<T> {
    let mut picked = Vec::new();
    for part in parts {
        let (all, rest) = state.split_at(batch * part.width);
        picked.extend_from_slice(&all[b * part.width..][..part.width]);
        state = rest;
    }
    picked
}

/// From the reference's layout to the crate's; `fill` stands where nothing is remembered.
pub fn by_part<T: Copy>(cell: AnyCell, state: &[T], batch: usize, fill: T) -> Vec<T> {
    let each = state.len() / batch;
    let (mut all, mut from) = (Vec::new(), 0);
    for Part { width, remembered } in parts(cell) {
        for b in 0..batch {
            let own = b * each + from;
            all.extend((own..own + width).map(|i| if remembered { state[i] } else { fill }));
        }
        from += if remembered { width } else { 0 };
    }
    all
}

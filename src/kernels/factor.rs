//! A matrix of weights as the right factor of products, in place or copied: B or its transpose.
//!
//! Where to find the elements is all that differs. Sums are split as in [`product`](super::product), so all ways give
//! the same bits:
//!
//! - with room for a copy and many rows to be multiplied, it stands in [`Panels`];
//! - with room and few rows, the transpose is copied as it is, and B itself needs no copy;
//! - without, Bᵀ is gathered from as many rows of B as a register has lanes. That needs no memory but costs loads,
//!   and is what a chip does.

use core::{array::from_fn, convert::identity};

use super::transpose::copy_transposed;
use super::{Mat, Panels, affine, chains, product};
use crate::crew::{Alone, Crew};
use crate::lanes::{FOLD, Lanes, inlined};
use crate::params::{rows_mut, take};

/// From this many rows on, panels pay.
const MANY: usize = 4;

/// Elements of a matrix from which on its copies are made by two threads. That makes training of 512 gated units 2 to 3 %
/// faster, and with a quarter of the elements nothing.
const SHARED: usize = 1 << 18;

/// Whether panels are used: never without `std`, where there are seldom caches and code is dear.
#[inline(always)]
const fn in_panels(rows: usize) -> bool {
    cfg!(feature = "std") && rows >= MANY
}

/// A matrix of weights, ready to be multiplied with.
#[derive(Clone, Copy, Debug)]
pub enum Factor<'a> {
    /// B in place, or a copy of it as it is.
    Rows(Mat<'a>),
    /// Bᵀ, for B in place.
    Columns(Mat<'a>),
    /// A copy in panels.
    Panels(Panels<'a>),
}

impl<'a> Factor<'a> {
    /// Floats for copies of a matrix and of its transpose.
    #[inline(always)]
    #[must_use]
    pub const fn pack_len(rows: usize, cols: usize) -> usize {
        Panels::len(rows, cols).saturating_add(Panels::len(cols, rows))
    }

    /// Makes the copies that products with `many` rows want of B and Bᵀ, large ones on two threads; nothing if there
    /// is too little room.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn pack<L: Lanes>(crew: &impl Crew, lanes: L, b: Mat<'_>, many: usize, room: &mut [f32]) {
        let Some((plain, transposed)) = room.split_at_mut_checked(Panels::len(b.rows(), b.cols)) else {
            return;
        };
        if in_panels(many) {
            let copies = [(true, transposed), (false, plain)].into_iter();
            let copy = identity(inlined!(|(is_transposed, room): (bool, &mut [f32])| match is_transposed {
                true => Panels::pack_transposed(lanes, b, room),
                false => Panels::pack(lanes, b, room),
            }));
            if b.data.len() < SHARED {
                Alone.each(copies, copy, |()| {});
            } else {
                crew.each(copies, copy, |()| {});
            }
        } else if transposed.len() >= b.data.len() {
            if cfg!(feature = "std") {
                copy_transposed(b, b.rows(), identity, transposed);
                return;
            }
            // A chip pays for code.
            for (k, to) in rows_mut(transposed, b.rows()).take(b.cols).enumerate() {
                for (j, to) in to.iter_mut().enumerate() {
                    *to = b.data.get(j * b.cols + k).copied().unwrap_or(0.0);
                }
            }
        }
    }

    /// B, with what [`pack`](Self::pack) made for it.
    #[inline(always)]
    #[must_use]
    pub fn new(b: Mat<'a>, many: usize, pack: &'a [f32]) -> Self {
        match pack.get(..Panels::len(b.rows(), b.cols)) {
            Some(plain) if in_panels(many) && !pack.is_empty() => {
                Self::Panels(Panels::new(plain, b.rows(), b.cols))
            }
            _ => Self::Rows(b),
        }
    }

    /// Bᵀ, with what [`pack`](Self::pack) made for it.
    #[inline(always)]
    #[must_use]
    pub fn transposed(b: Mat<'a>, many: usize, pack: &'a [f32]) -> Self {
        let rest = pack.get(Panels::len(b.rows(), b.cols)..).unwrap_or_default();
        match rest.get(..Panels::len(b.cols, b.rows())) {
            Some(copy) if in_panels(many) && !rest.is_empty() => {
                Self::Panels(Panels::new(copy, b.cols, b.rows()))
            }
            Some(copy) if !rest.is_empty() => {
                Self::Rows(Mat::new(copy.get(..b.data.len()).unwrap_or_default(), b.rows()))
            }
            _ => Self::Columns(b),
        }
    }

    /// C (m×n) += A (m×k) · B.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn product<L: Lanes>(self, lanes: L, a: Mat<'_>, c: &mut [f32]) {
        match self {
            Self::Rows(b) => product(lanes, a, b.anew(), c),
            Self::Panels(b) => b.product(lanes, a, c),
            Self::Columns(b) => match chains(b.rows()) {
                4 => gathered::<L, 4>(lanes, a, b, c),
                2 => gathered::<L, 2>(lanes, a, b, c),
                _ => gathered::<L, 1>(lanes, a, b, c),
            },
        }
    }

    /// C (m×n) ← A (m×k) · B.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn overwrite<L: Lanes>(self, lanes: L, a: Mat<'_>, c: &mut [f32]) {
        match self {
            // A bias without elements is zero.
            Self::Panels(b) => b.affine(lanes, a, &[], c),
            _ => {
                c.fill(0.0);
                self.product(lanes, a, c);
            }
        }
    }

    /// C (m×n) ← bias + A (m×k) · B, for a B that is not transposed.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn affine<L: Lanes>(self, lanes: L, a: Mat<'_>, bias: &[f32], c: &mut [f32]) {
        match self {
            Self::Rows(b) | Self::Columns(b) => affine(lanes, a, b, bias, c),
            Self::Panels(b) => b.affine(lanes, a, bias, c),
        }
    }
}

/// The product row by row, a register of columns at a time.
#[cfg_attr(not(debug_assertions), inline(always))]
fn gathered<L: Lanes, const P: usize>(lanes: L, a: Mat<'_>, b: Mat<'_>, c: &mut [f32]) {
    for (a, c) in a.iter().zip(rows_mut(c, b.rows())) {
        let mut rest = b.data;
        for c in c.chunks_mut(L::WIDTH) {
            gathered_register::<L, P>(
                lanes,
                a,
                Mat::new(take(&mut rest, c.len() * b.cols), b.cols).anew(),
                c,
            );
        }
    }
}

/// c += a · Bᵀ for a B of as many rows as c has elements, at most a register's.
#[cfg_attr(not(debug_assertions), inline(always))]
fn gathered_register<L: Lanes, const P: usize>(lanes: L, a: &[f32], b: Mat<'_>, c: &mut [f32]) {
    let rows: [&[f32]; FOLD] = from_fn(|l| if l < c.len() { b.row(l) } else { &[] });
    let mut sums = [lanes.splat(0.0); P];
    sums[0] = lanes.load(c);
    let (groups, rest) = a.as_chunks::<P>();
    for (group, a) in groups.iter().enumerate() {
        for p in 0..P {
            sums[p] = lanes.mul_add(lanes.splat(a[p]), column(lanes, &rows, group * P + p), sums[p]);
        }
    }
    for p in 0..P {
        if let Some(a) = rest.get(p) {
            sums[p] = lanes.mul_add(lanes.splat(*a), column(lanes, &rows, groups.len() * P + p), sums[p]);
        }
    }
    let mut total = sums[0];
    for p in 1..P {
        total = lanes.add(total, sums[p]);
    }
    lanes.store(total, c);
}

/// Element k of as many rows as a register has lanes.
#[cfg_attr(not(debug_assertions), inline(always))]
fn column<L: Lanes>(lanes: L, rows: &[&[f32]; FOLD], k: usize) -> L::F {
    lanes.gather(inlined!(|l| rows[l].get(k).copied().unwrap_or(0.0)))
}

//! Which elements of a window are dropped: a hash of the seed, the row and the element's place in it decides.

use super::Block;
use crate::lanes::inlined;
use crate::params::{rows_mut, take_mut};

/// The masks of all rows of a window: for each element what it is multiplied with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask {
    /// The hash below which an element is dropped: the probability in units of 2⁻³².
    bound: u32,
    key: u32,
}

/// 2³²
const ALL: f32 = 4_294_967_296.0;

impl Mask {
    /// Nothing is dropped.
    pub(super) const NONE: Self = Self { bound: 0, key: 0 };

    /// Drops with this probability, from 0 to below 1.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 2³²")]
    pub(super) const fn new(rate: f32, key: u32) -> Self {
        Self { bound: (rate * ALL) as u32, key }
    }

    /// What an element is multiplied with if it is not dropped.
    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "it was made of so many digits")]
    const fn kept(self) -> f32 {
        1.0 / (1.0 - self.bound as f32 / ALL)
    }

    /// The key of a row.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "rows beyond 2³² may repeat")]
    const fn row(self, row: usize) -> u32 {
        mix(self.key.wrapping_add(row as u32))
    }

    /// What an element is multiplied with that has this hash.
    #[inline(always)]
    const fn factor(self, hash: u32) -> f32 {
        if hash < self.bound { 0.0 } else { self.kept() }
    }

    /// Each token, and what becomes of the one of its one-hot vector, from row `first` on.
    #[inline(always)]
    pub(super) fn ones(self, first: usize, tokens: &[u16]) -> impl Iterator<Item = (u16, f32)> {
        (first..).zip(tokens).map(inlined!(move |(row, &token): (usize, &u16)| {
            (token, self.factor(mix(self.row(row).wrapping_add(u32::from(token)))))
        }))
    }

    /// Writes the masks of a block, whose rows have `width` elements.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn draw(self, block: Block, width: usize, mut mask: &mut [f32]) {
        let (bound, kept) = (self.bound, self.kept());
        let (rows, runs) = block.runs();
        for first in runs {
            let run = take_mut(&mut mask, rows * width);
            for (row, mask) in (first..).zip(rows_mut(run, width)) {
                let key = self.row(row);
                for (element, mask) in (0_u32..).zip(mask) {
                    *mask = if mix(key.wrapping_add(element)) < bound { 0.0 } else { kept };
                }
            }
        }
    }
}

/// A hash of 32 bits: `lowbias32` (C. Wellons, Prospecting for hash functions, 2018), which needs no 64-bit product.
#[inline(always)]
pub(super) const fn mix(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    let x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::cell::Extent;

    fn drawn(mask: Mask, block: Block, width: usize) -> Vec<f32> {
        let mut all = std::vec![-1.0; block.extent.rows() * width];
        mask.draw(block, width, &mut all);
        all
    }

    #[test]
    fn as_many_are_dropped_as_was_asked_for_and_the_mean_stays() {
        let block = Block::whole(Extent { batch: 50, window: 40 });
        for rate in [0.1_f32, 0.5, 0.9] {
            let all = drawn(Mask::new(rate, mix(3)), block, 100);
            let dropped = all.iter().filter(|&&m| m == 0.0).count() as f32 / all.len() as f32;
            assert!(
                (dropped - rate).abs() < 4.0 * (rate * (1.0 - rate) / all.len() as f32).sqrt(),
                "{dropped}"
            );
            assert!(all.iter().all(|&m| m == 0.0 || m == 1.0 / (1.0 - rate)));
            let mean = all.iter().sum::<f32>() / all.len() as f32;
            assert!((mean - 1.0).abs() < 0.03, "{mean}");
        }
    }

    /// Neither rows nor columns nor neighbours know of each other.
    #[test]
    fn elements_are_independent() {
        let all = drawn(Mask::new(0.5, mix(9)), Block::whole(Extent { batch: 1, window: 256 }), 256);
        for lag in [1, 2, 255, 256, 257, 512] {
            let pairs = all.iter().zip(&all[lag..]);
            let (same, of) = (pairs.clone().filter(|(a, b)| a == b).count() as f32, pairs.count() as f32);
            assert!((same / of - 0.5).abs() < 4.0 * (0.25 / of).sqrt(), "lag {lag}: {same} of {of}");
        }
    }

    #[test]
    fn a_block_has_its_part_of_the_masks_of_all() {
        let (mask, extent, width) = (Mask::new(0.3, 7), Extent { batch: 5, window: 3 }, 4);
        let all = drawn(mask, Block::whole(extent), width);
        let block = Block { first: 2, extent: Extent { batch: 2, window: 3 }, ..Block::whole(extent) };
        let part = drawn(mask, block, width);
        for (row, of_all) in [2, 3, 7, 8, 12, 13].into_iter().enumerate() {
            assert_eq!(part[row * width..][..width], all[of_all * width..][..width]);
            let ones: Vec<_> = mask.ones(of_all, &[3, 3]).collect();
            assert_eq!(ones[0], (3, all[of_all * width + 3]));
        }
    }
}

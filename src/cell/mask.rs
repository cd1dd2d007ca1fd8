//! Which elements of a window are dropped: a hash of the seed, the row and the element's place in it decides.

use super::Block;
use crate::params::{rows_mut, take_mut};

/// The masks of all rows of a window: for each element what it is multiplied with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mask {
    pub(super) rate: f32,
    pub(super) key: u32,
}

impl Mask {
    /// What an element is multiplied with if it is not dropped.
    #[inline(always)]
    fn kept(self) -> f32 {
        1.0 / (1.0 - self.rate)
    }

    /// The number below which an element's hash must be for it to be dropped.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 2³²")]
    fn bound(self) -> u32 {
        (self.rate * 4_294_967_296.0) as u32
    }

    /// The key of a row.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "rows beyond 2³² may repeat")]
    const fn row(self, row: usize) -> u32 {
        mix(self.key.wrapping_add(row as u32))
    }

    /// What an element of a row is multiplied with.
    #[inline(always)]
    pub(super) fn at(self, row: usize, element: u16) -> f32 {
        let hash = mix(self.row(row).wrapping_add(u32::from(element)));
        if hash < self.bound() { 0.0 } else { self.kept() }
    }

    /// Writes the masks of a block, whose rows have `width` elements.
    #[inline(always)]
    pub(super) fn draw(self, block: Block, width: usize, mut mask: &mut [f32]) {
        let (bound, kept) = (self.bound(), self.kept());
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
    use super::*;
    use crate::cell::Extent;

    fn drawn(mask: Mask, block: Block, width: usize) -> std::vec::Vec<f32> {
        let mut all = std::vec![-1.0; block.extent.rows() * width];
        mask.draw(block, width, &mut all);
        all
    }

    #[test]
    fn as_many_are_dropped_as_was_asked_for_and_the_mean_stays() {
        let block = Block::whole(Extent { batch: 50, window: 40 });
        for rate in [0.1_f32, 0.5, 0.9] {
            let all = drawn(Mask { rate, key: mix(3) }, block, 100);
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
        let all = drawn(Mask { rate: 0.5, key: mix(9) }, Block::whole(Extent { batch: 1, window: 256 }), 256);
        for lag in [1, 2, 255, 256, 257, 512] {
            let pairs = all.iter().zip(&all[lag..]);
            let (same, of) = (pairs.clone().filter(|(a, b)| a == b).count() as f32, pairs.count() as f32);
            assert!((same / of - 0.5).abs() < 4.0 * (0.25 / of).sqrt(), "lag {lag}: {same} of {of}");
        }
    }

    #[test]
    fn a_block_has_its_part_of_the_masks_of_all() {
        let (mask, extent, width) = (Mask { rate: 0.3, key: 7 }, Extent { batch: 5, window: 3 }, 4);
        let all = drawn(mask, Block::whole(extent), width);
        let block = Block { first: 2, extent: Extent { batch: 2, window: 3 }, batch: 5 };
        let part = drawn(mask, block, width);
        for (row, of_all) in [2, 3, 7, 8, 12, 13].into_iter().enumerate() {
            assert_eq!(part[row * width..][..width], all[of_all * width..][..width]);
            for element in 0..width {
                let at = mask.at(of_all, u16::try_from(element).unwrap());
                assert_eq!(at, all[of_all * width + element]);
            }
        }
    }
}

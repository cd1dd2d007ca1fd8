//! Products of all kinds of sizes on the portable lanes, which may go through assembly, and one by one: the same bits.
//! Where the lanes fuse, only the host does it one by one, since a fused multiply-add in software takes doubles.

use recurve::kernels::{Mat, affine, product};
use recurve::lanes::{FusedScalar, Lanes, Portable, Scalar};

use crate::hash::Hash;
use crate::language::Failed;
use crate::report::Report;

/// Rows of A, columns of A, columns of B: around the lengths of blocks, of rounds, and of chains.
const M: [usize; 2] = [1, 3];
const K: [usize; 16] = [1, 2, 3, 4, 5, 7, 8, 9, 11, 15, 16, 17, 31, 32, 33, 64];
const MOST: usize = 80;

/// Elements of A, of B and of what is there before, a few of them zeros of either sign.
static ANY: [f32; 64 * MOST] = any();
/// All products are zeros, of which those with a negative weight are negative.
static ZEROS: [f32; 3 * 64] = [0.0; 3 * 64];
/// What is there before may be a negative zero too, and keeps its sign or loses it.
static NEGATIVE_ZEROS: [f32; 3 * MOST] = [-0.0; 3 * MOST];

const fn any<const N: usize>() -> [f32; N] {
    let mut of = [0.0; N];
    let (mut i, mut seed) = (0, 1_u32);
    while i < N {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let x = (seed >> 8) as f32 / 8_388_608.0 - 1.0;
        of[i] = if seed >> 29 == 0 { 0.0 * x } else { x };
        i += 1;
    }
    of
}

/// Both ways, at all sizes.
pub fn show(report: &mut Report<'_>) -> Result<(), Failed> {
    let portable = hash(Portable);
    report.word("hash products").hex(portable).end();
    let scalar = match (Portable::FUSED, cfg!(target_os = "none")) {
        (false, _) => hash(Scalar),
        (true, false) => hash(FusedScalar),
        (true, true) => portable,
    };
    if portable == scalar { Ok(()) } else { Err(Failed) }
}

fn hash<L: Lanes>(lanes: L) -> u32 {
    let mut hash = Hash::new();
    for n in (1..=40).chain([48, 63, 64, 65, MOST]) {
        for k in K {
            for m in M {
                both(lanes, m, k, n, &ANY, &ANY, &mut hash);
                both(lanes, m, k, n, &ZEROS, &NEGATIVE_ZEROS, &mut hash);
            }
        }
    }
    hash.0
}

/// C = start + A · B, with rows of the start or with its first row in each.
#[inline(never)]
fn both<L: Lanes>(lanes: L, m: usize, k: usize, n: usize, a: &[f32], start: &[f32], hash: &mut Hash) {
    let mut room = [0.0; 3 * MOST];
    let c = room.get_mut(..m * n).unwrap_or_default();
    let a = Mat::new(a.get(..m * k).unwrap_or_default(), k);
    let b = Mat::new(ANY.get(..k * n).unwrap_or_default(), n);
    for (c, start) in c.iter_mut().zip(start) {
        *c = *start;
    }
    product(lanes, a, b, c);
    hash.add(c);
    affine(lanes, a, b, start.get(..n).unwrap_or_default(), c);
    hash.add(c);
}

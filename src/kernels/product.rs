//! C += A · B and C += Aᵀ · B where they are, in register tiles.
//!
//! ```text
//! for each row i of C, each column j:
//!     for k: c[i][j] += a[i][k] · b[k][j]
//! ```
//!
//! The real code departs from this:
//!
//! 1. Rows of B are contiguous, so `WIDTH` columns j are computed at once and no sum crosses lanes.
//! 2. A tile of several rows and several registers of columns stays in registers over the whole sum, so that each
//!    load of A or B serves several multiply-adds.
//! 3. A narrow product would wait for one addition after another. Its sums are therefore split into
//!    [`chains`]: k goes to partial sum k mod P, the first of which starts from c[i][j]; at the end they are
//!    added in order. P depends on the number of columns only, never on the tile or the lanes.
//! 4. Columns left over by the registers are computed in a register that overlaps its left neighbour, and only the
//!    new ones are stored: lanes are independent, so the overlap is wasted but not wrong.
//! 5. A's elements serve one tile after another, so a compiler that unrolls the sum spreads all of them over registers
//!    beforehand and spills these: half a KiB of stack on a Cortex-M55, where it also costs time. On Arm some of A is
//!    therefore hidden and read anew for each tile, see `reads_late` and `hidden`.

use core::{array::from_fn, hint::black_box, ops::Range};

use super::Mat;
use super::row::{row, rows_sum};
use crate::lanes::{FOLD, Lanes, inlined};

/// The number P of partial sums for a product with `cols` columns; see the module's third note.
#[inline(always)]
#[must_use]
pub const fn chains(cols: usize) -> usize {
    match cols {
        0..=32 => 4,
        33..=64 => 2,
        _ => 1,
    }
}

/// Does the same with [`chains`] as a constant.
macro_rules! with_chains {
    ($cols:expr, $chains:ident => $body:expr) => {
        match chains($cols) {
            4 => {
                const $chains: usize = 4;
                $body
            }
            2 => {
                const $chains: usize = 2;
                $body
            }
            _ => {
                const $chains: usize = 1;
                $body
            }
        }
    };
}

/// C (m×n) += A (m×k) · B (k×n).
#[inline(always)]
pub fn product<L: Lanes>(lanes: L, a: Mat<'_>, b: Mat<'_>, c: &mut [f32]) {
    rows(lanes, a, b, None, c);
}

/// C (m×n) ← bias + A (m×k) · B (k×n), with the bias (n) in each row: a layer of weights.
#[inline(always)]
pub fn affine<L: Lanes>(lanes: L, a: Mat<'_>, b: Mat<'_>, bias: &[f32], c: &mut [f32]) {
    rows(lanes, a, b, Some(bias), c);
}

/// One row by itself, or several. Each row of C starts from `start`, or from what it holds.
#[inline(always)]
fn rows<L: Lanes>(lanes: L, a: Mat<'_>, b: Mat<'_>, start: Option<&[f32]>, c: &mut [f32]) {
    // A chip has no cache lines to read in order, and pays for code.
    if cfg!(feature = "std") && c.len() == b.cols && b.cols >= L::WIDTH {
        with_chains!(b.cols, P => row::<L, P>(lanes, a.data, b, start, c));
    } else {
        several(lanes, a, b, start, c);
    }
}

/// In assembly, if there is some for these lanes and sizes, else in tiles: the same bits.
#[cfg_attr(feature = "std", inline(never))]
#[cfg_attr(not(feature = "std"), inline(always))]
fn several<L: Lanes>(lanes: L, a: Mat<'_>, b: Mat<'_>, start: Option<&[f32]>, c: &mut [f32]) {
    lanes.run(inlined!(|| with_chains!(b.cols, P => {
        #[cfg(all(feature = "vldm", target_arch = "arm", target_abi = "eabihf", target_os = "none"))]
        if L::VLDM && super::vldm::product::<P>(a, b, start, c) {
            return;
        }
        tiles::<L, P>(lanes, Rows(a), b, start, c);
    })));
}

/// C (m×n) += Aᵀ · B for the m columns of A from `first` on and B (r×n): the sum over rows r, in their order.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn product_at_in_place<L: Lanes>(lanes: L, a: Mat<'_>, first: usize, b: Mat<'_>, c: &mut [f32]) {
    tiles::<L, 1>(lanes, Columns { a, first }, b, None, c);
}

/// c += the rows of B, in their order.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn column_sums<L: Lanes>(lanes: L, b: Mat<'_>, c: &mut [f32]) {
    // A chip has few registers for sums, and pays for code.
    if cfg!(feature = "std") && b.cols >= L::WIDTH {
        return rows_sum(lanes, b, c);
    }
    for row in b.iter() {
        super::zip_map(lanes, c, row, inlined!(|c, b| lanes.add(c, b)));
    }
}

/// The factor whose elements are each spread over a register: for the rows i … i + R − 1 of C, `P` positions k of
/// the sum at a time.
trait Left: Copy {
    /// Whether there are so many rows. To have asked once spares the compiler to ask for each element.
    fn has(self, rows: usize) -> bool;
    /// All whole groups of `P` positions, in order.
    fn groups<const R: usize, const P: usize>(self, i: usize) -> impl Iterator<Item = [[f32; P]; R]>;
    /// The positions that are left, zero beyond the end.
    fn rest<const R: usize, const P: usize>(self, i: usize) -> [[f32; P]; R];
}

/// So many groups at the end of a row are read anew for each tile where the module's fifth note asks for it.
const LATE: usize = 4;

/// Whether they are: with vector registers, for 16 or 32 positions, which would be unrolled.
#[inline(always)]
const fn reads_late(chains: usize, groups: usize) -> bool {
    cfg!(all(target_arch = "arm", target_abi = "eabihf")) && chains == 4 && matches!(groups, LATE | 8)
}

/// A row's index; where floats are software, the compiler does not see that it is the same for each tile, and does not
/// keep a pointer to every row of B instead.
#[inline(always)]
fn hidden(row: usize, chains: usize) -> usize {
    let hide = cfg!(all(target_arch = "arm", target_abi = "eabi")) && chains == 4;
    if hide { black_box(row) } else { row }
}

/// B for one of several rows; where there are many registers, the compiler does not see that it is the same for each row,
/// and does not read columns of it once for all and keep them on the stack.
#[inline(always)]
fn for_row(b: Mat<'_>, rows: usize) -> Option<Mat<'_>> {
    let hide = cfg!(all(not(feature = "std"), target_arch = "aarch64")) && rows > 1;
    if hide { Some(Mat::new(black_box(b.data).get(..b.data.len())?, b.cols)) } else { Some(b) }
}

/// A as it is: positions follow each other in a row.
#[derive(Clone, Copy)]
struct Rows<'a>(Mat<'a>);

impl Left for Rows<'_> {
    #[inline(always)]
    fn has(self, rows: usize) -> bool {
        rows.checked_mul(self.0.cols).is_some_and(|len| len <= self.0.data.len())
    }
    #[inline(always)]
    fn groups<const R: usize, const P: usize>(self, i: usize) -> impl Iterator<Item = [[f32; P]; R]> {
        let count = self.0.cols / P;
        let rows: [&[[f32; P]]; R] =
            from_fn(|r| self.0.row(i + r).as_chunks().0.get(..count).unwrap_or_default());
        let late: [&[[f32; P]; LATE]; R] = from_fn(|r| match rows[r].last_chunk() {
            Some(late) if reads_late(P, count) => black_box(late),
            _ => const { &[[0.0; P]; LATE] },
        });
        let early = if reads_late(P, count) { count - LATE } else { count };
        (0..count).map(move |group| {
            from_fn(|r| {
                let late = late[r].get(group.wrapping_sub(early));
                late.or_else(inlined!(|| rows[r].get(group))).copied().unwrap_or([0.0; P])
            })
        })
    }
    #[inline(always)]
    fn rest<const R: usize, const P: usize>(self, i: usize) -> [[f32; P]; R] {
        from_fn(|r| {
            let rest = self.0.row(i + r).as_chunks::<P>().1;
            from_fn(|p| rest.get(p).copied().unwrap_or(0.0))
        })
    }
}

/// A read by columns, from one on: positions are rows of it. Only for `P` = 1.
#[derive(Clone, Copy)]
struct Columns<'a> {
    a: Mat<'a>,
    first: usize,
}

impl Left for Columns<'_> {
    #[inline(always)]
    fn has(self, _: usize) -> bool {
        true
    }
    #[inline(always)]
    fn groups<const R: usize, const P: usize>(self, i: usize) -> impl Iterator<Item = [[f32; P]; R]> {
        const { assert!(P == 1) }
        self.a.iter().map(move |row| {
            let part =
                row.get(self.first + i..).and_then(|row| row.first_chunk()).copied().unwrap_or([0.0; R]);
            from_fn(|r| [part[r]; P])
        })
    }
    #[inline(always)]
    fn rest<const R: usize, const P: usize>(self, _: usize) -> [[f32; P]; R] {
        [[0.0; P]; R]
    }
}

/// All of C in tiles, as tall as the registers allow; what is left over in tiles of half the height.
#[cfg_attr(not(debug_assertions), inline(always))]
fn tiles<L: Lanes, const P: usize>(lanes: L, a: impl Left, b: Mat<'_>, start: Option<&[f32]>, c: &mut [f32]) {
    let n = b.cols;
    if n == 0 {
        return;
    }
    // A tile of R rows holds 2·R·P registers of sums; half of the registers are left to A, B and products. A chip takes
    // half of that: a compiler that unrolls the sum does one row after the other, and keeps B on the stack meanwhile.
    let tallest = L::REGISTERS / (if cfg!(feature = "std") { 4 } else { 8 } * P);
    let rows = c.len() / n;
    if !a.has(rows) {
        return;
    }
    let mut i = 0;
    while tallest >= 8 && i + 8 <= rows {
        strip::<L, 8, 2, P>(lanes, a, i, b, start, c);
        i += 8;
    }
    while tallest >= 4 && i + 4 <= rows {
        strip::<L, 4, 2, P>(lanes, a, i, b, start, c);
        i += 4;
    }
    while tallest >= 2 && i + 2 <= rows {
        strip::<L, 2, 2, P>(lanes, a, i, b, start, c);
        i += 2;
    }
    while i < rows {
        let Some(b) = for_row(b, rows) else { return };
        // Half of the registers hold C·P sums, but at most 8: more chains would not run faster.
        match L::REGISTERS.min(16) / (2 * P) {
            8.. => strip::<L, 1, 8, P>(lanes, a, i, b, start, c),
            4.. => strip::<L, 1, 4, P>(lanes, a, i, b, start, c),
            2.. => strip::<L, 1, 2, P>(lanes, a, i, b, start, c),
            _ => strip::<L, 1, 1, P>(lanes, a, i, b, start, c),
        }
        i += 1;
    }
}

/// `R` rows of C from row i on: tiles of `C` registers of columns, then of one, then the overlapping last.
#[cfg_attr(not(debug_assertions), inline(always))]
fn strip<L: Lanes, const R: usize, const C: usize, const P: usize>(
    lanes: L,
    a: impl Left,
    i: usize,
    b: Mat<'_>,
    start: Option<&[f32]>,
    c: &mut [f32],
) {
    let n = b.cols;
    let mut j = 0;
    while j + C * L::WIDTH <= n {
        tile::<L, R, C, P>(lanes, a, i, b, start, c, j..j + C * L::WIDTH, 0);
        j += C * L::WIDTH;
    }
    while j + L::WIDTH <= n {
        tile::<L, R, 1, P>(lanes, a, i, b, start, c, j..j + L::WIDTH, 0);
        j += L::WIDTH;
    }
    if j < n {
        let first = n.saturating_sub(L::WIDTH);
        tile::<L, R, 1, P>(lanes, a, i, b, start, c, first..n, j - first);
    }
}

/// Rows i … i + R − 1 of C, the columns of `at`; the first `skip` of them are not stored.
#[cfg_attr(not(debug_assertions), inline(always))]
#[allow(clippy::too_many_arguments, reason = "a tile is cut out of three matrices")]
fn tile<L: Lanes, const R: usize, const C: usize, const P: usize>(
    lanes: L,
    a: impl Left,
    i: usize,
    b: Mat<'_>,
    start: Option<&[f32]>,
    c: &mut [f32],
    at: Range<usize>,
    skip: usize,
) {
    let mut sums = [[[lanes.splat(0.0); C]; R]; P];
    for (r, sums) in sums[0].iter_mut().enumerate() {
        *sums = load(lanes, start.unwrap_or(Mat::new(c, b.cols).row(i + r)), &at);
    }
    let mut rest = b.data;
    for a in a.groups::<R, P>(hidden(i, P)) {
        let Some((rows, below)) = rest.split_at_checked(P * b.cols) else { break };
        rest = below;
        for p in 0..P {
            let row = load(lanes, Mat::new(rows, b.cols).row(p), &at);
            add_products(lanes, &mut sums[p], from_fn(|r| a[r][p]), row);
        }
    }
    let a = a.rest::<R, P>(i);
    for p in 0..P {
        if let Some(row) = rest.get(p * b.cols..(p + 1) * b.cols) {
            add_products(lanes, &mut sums[p], from_fn(|r| a[r][p]), load(lanes, row, &at));
        }
    }
    for r in 0..R {
        let mut total = sums[0][r];
        for p in 1..P {
            for c in 0..C {
                total[c] = lanes.add(total[c], sums[p][r][c]);
            }
        }
        let row = c.get_mut((i + r) * b.cols..).and_then(|rest| rest.get_mut(at.clone())).unwrap_or_default();
        store(lanes, total, row, skip);
    }
}

/// The registers of the columns `at` of a row.
#[cfg_attr(not(debug_assertions), inline(always))]
fn load<L: Lanes, const C: usize>(lanes: L, row: &[f32], at: &Range<usize>) -> [L::F; C] {
    let row = row.get(at.clone()).unwrap_or_default();
    let mut registers = [lanes.splat(0.0); C];
    for c in 0..C {
        if let Some(part) = row.get(c * L::WIDTH..) {
            registers[c] = lanes.load(part);
        }
    }
    registers
}

/// One position of the sum: a register of A's elements times one of B's, for each pair.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn add_products<L: Lanes, const R: usize, const C: usize>(
    lanes: L,
    sums: &mut [[L::F; C]; R],
    a: [f32; R],
    b: [L::F; C],
) {
    for r in 0..R {
        let a = lanes.splat(a[r]);
        for c in 0..C {
            sums[r][c] = lanes.mul_add(a, b[c], sums[r][c]);
        }
    }
}

/// Stores registers over a row, but for its first `skip` elements.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn store<L: Lanes, const C: usize>(lanes: L, registers: [L::F; C], row: &mut [f32], skip: usize) {
    if skip == 0 {
        // Not by an iterator, which holds a copy of all registers in memory where floats are software.
        for c in 0..C {
            if let Some(to) = row.get_mut(c * L::WIDTH..) {
                lanes.store(registers[c], to);
            }
        }
    } else if let Some(&v) = registers.first() {
        let mut new = [0.0; FOLD];
        lanes.store(v, &mut new);
        for (to, x) in row.iter_mut().zip(new).skip(skip) {
            *to = x;
        }
    }
}

//! C += A · B in assembly for a Cortex-M with a single-precision FPU: the portable product, bit for bit, but with
//! loads of 15 weights by one instruction where the compiler makes one of each.
//!
//! ```text
//! for each row of C, each block of 16 columns:
//!     for p in 0..P:                                 the chains of `product`
//!         s = if p == 0 { c[block] } else { 0 }      16 registers
//!         for k = p, p + P, …: s += a[k] · b[k][block]
//!         c[block] = if p == 0 { s } else { c[block] + s }
//! ```
//!
//! The assembly departs from this:
//!
//! 1. 16 registers hold sums, one an element of A and 15 weights. The 16th weight follows when the others are used up.
//! 2. Multiplication and addition are two instructions: VMLA would give the same bits, but takes three cycles.
//! 3. A chain other than the first starts from its first product, not from zero. It may then be −0 where it should
//!    be +0, which nobody sees: the first starts from c + 0, which is never −0, and neither is any sum that begins so.
//! 4. Four positions of a chain per round, the rest one by one.
//! 5. Columns left over are in a block that overlaps its left neighbour. It is computed first, elsewhere, and of it
//!    only the new columns are stored.

use super::Mat;
use crate::params::{rows, rows_mut};

/// Columns of a block.
const BLOCK: usize = 16;

/// C ← start + A · B, or C += A · B, with `P` chains; or false, and nothing done, if that is not for this assembly:
/// narrow products, and sizes that do not fit together.
#[inline(always)]
pub(super) fn product<const P: usize>(a: Mat<'_>, b: Mat<'_>, start: Option<&[f32]>, c: &mut [f32]) -> bool {
    let n = b.cols;
    let whole = a.cols >= P && n >= BLOCK && a.cols.checked_mul(n) == Some(b.data.len());
    let fits =
        whole && start.is_none_or(|start| start.len() == n) && a.rows().checked_mul(n) == Some(c.len());
    if fits {
        for (x, c) in rows(a.data, a.cols).zip(rows_mut(c, n)) {
            row::<P>(x, b, start, c);
        }
    }
    fits
}

/// A row c of C, x of A: its whole blocks, and the rest by way of one that ends with the row.
#[inline(always)]
fn row<const P: usize>(x: &[f32], b: Mat<'_>, start: Option<&[f32]>, c: &mut [f32]) {
    let start = start.map_or(c.as_ptr(), <[f32]>::as_ptr);
    let (n, new) = (b.cols, b.cols % BLOCK);
    let mut last = [0.0; BLOCK];
    // SAFETY: `product` has made sure that x is not shorter than P, that B has as many rows, and that the start and
    // c are rows of n >= BLOCK. The blocks end with such a row, or with `last`.
    unsafe {
        if new > 0 {
            let first = n - BLOCK;
            blocks::<P>(1, x, b.data.as_ptr().add(first), n, start.add(first), last.as_mut_ptr());
        }
        blocks::<P>(n / BLOCK, x, b.data.as_ptr(), n, start, c.as_mut_ptr());
    }
    for (c, last) in c.iter_mut().rev().zip(last.into_iter().rev()).take(new) {
        *c = last;
    }
}

/// `s[j] = s[j] · s0` for registers of weights.
macro_rules! times_x {
    ($($j:literal)*) => { concat!($("vmul.f32 s", $j, ", s", $j, ", s0\n"),*) };
}

/// `sum = sum + s[j]`
macro_rules! add {
    ($($j:literal => $sum:literal),*) => { concat!($("vadd.f32 s", $sum, ", s", $sum, ", s", $j, "\n"),*) };
}

/// The first position of a chain, and x behind it.
macro_rules! first_position {
    () => {
        concat!(
            "vldr s0, [{x}]\n",
            "vldm {w}, {{s16-s31}}\n",
            times_x!(16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31),
            "add {w}, {w}, {row}, lsl #{shift}\n",
        )
    };
}

/// The position that is `$i` steps of the chain behind x; w goes on to the next.
macro_rules! position {
    ($i:literal) => {
        concat!(
            "vldr s0, [{x}, #4*{P}*", $i, "]\n",
            "vldm {w}, {{s1-s15}}\n",
            times_x!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15),
            add!(1 => 16, 2 => 17, 3 => 18, 4 => 19, 5 => 20, 6 => 21, 7 => 22, 8 => 23, 9 => 24, 10 => 25),
            add!(11 => 26, 12 => 27, 13 => 28, 14 => 29, 15 => 30),
            "vldr s1, [{w}, #60]\n",
            "add {w}, {w}, {row}, lsl #{shift}\n",
            "vmul.f32 s1, s1, s0\n",
            "vadd.f32 s31, s31, s1\n",
        )
    };
}

/// c ← start + x · B for `count` blocks of columns; `w` is the first of them in B's first row.
///
/// # Safety
/// `start` and `c` must be valid for as many elements as the blocks have, and equal or apart; `w` for as many in each
/// of `x.len()` rows of which one begins `n` elements after the other. `count` > 0, `x.len()` >= `P`.
#[inline(never)]
unsafe fn blocks<const P: usize>(
    count: usize,
    x: &[f32],
    w: *const f32,
    n: usize,
    start: *const f32,
    c: *mut f32,
) {
    // SAFETY: a block reads 16 elements at `start`, then at c, and writes them at c; both go on by 16. For each of P
    // chains it reads every P-th element of x, and 16 elements of the same rows at `w`, which goes on by 16 as well.
    // `last` counts down to the end of the chain, so no element is read beyond x, or row beyond the same of B.
    // No stack; all registers that change are operands.
    unsafe {
        core::arch::asm!(
            // A block: the first chain begins with what is there.
            "2:",
            "vldm {start}!, {{s16-s31}}",
            "mov {p}, #{P}",
            ".if {P} > 1",
            "mov {x}, #0",
            "vmov s0, {x}",
            add!(0 => 16, 0 => 17, 0 => 18, 0 => 19, 0 => 20, 0 => 21, 0 => 22, 0 => 23),
            add!(0 => 24, 0 => 25, 0 => 26, 0 => 27, 0 => 28, 0 => 29, 0 => 30, 0 => 31),
            ".endif",
            "sub {x}, {a}, {p}, lsl #2",
            "mls {w}, {row}, {p}, {b}",
            "adds {left}, {many}, {p}",
            "bge 5f",
            "b 7f",
            // A further chain.
            "3:",
            "sub {x}, {a}, {p}, lsl #2",
            "mls {w}, {row}, {p}, {b}",
            first_position!(),
            "adds {left}, {many}, {p}",
            "bge 6f",
            "add {x}, {x}, #4*{P}",
            "sub {left}, {left}, #{P}",
            "b 7f",
            // Four positions at a time, while there are as many.
            "4:",
            "add {x}, {x}, #16*{P}",
            "5:",
            position!(0),
            "6:",
            position!(1),
            position!(2),
            position!(3),
            "subs {left}, {left}, #4*{P}",
            "bge 4b",
            "adds {left}, {left}, #3*{P}",
            "blt 9f",
            "add {x}, {x}, #16*{P}",
            "b 8f",
            // The others one by one.
            "7:",
            "adds {left}, {left}, #3*{P}",
            "blt 9f",
            "8:",
            position!(0),
            "add {x}, {x}, #4*{P}",
            "subs {left}, {left}, #{P}",
            "bge 8b",
            // A further chain is added to what is there.
            "9:",
            ".if {P} > 1",
            "cmp {p}, #{P}",
            "beq 12f",
            "vldm {c}, {{s0-s15}}",
            add!(0 => 16, 1 => 17, 2 => 18, 3 => 19, 4 => 20, 5 => 21, 6 => 22, 7 => 23),
            add!(8 => 24, 9 => 25, 10 => 26, 11 => 27, 12 => 28, 13 => 29, 14 => 30, 15 => 31),
            "12:",
            ".endif",
            "vstm {c}, {{s16-s31}}",
            ".if {P} > 1",
            "subs {p}, {p}, #1",
            "bne 3b",
            ".endif",
            "add {b}, {b}, #64",
            "add {c}, {c}, #64",
            "subs {count}, {count}, #1",
            "bne 2b",
            P = const P,
            shift = const P.trailing_zeros(),
            count = inout(reg) count => _,
            start = inout(reg) start => _,
            a = in(reg) x.as_ptr().add(P),
            b = inout(reg) w.wrapping_add(P * n) => _,
            c = inout(reg) c => _,
            row = in(reg) 4 * n,
            many = in(reg) x.len() as isize - 1 - 4 * P as isize,
            x = out(reg) _,
            w = out(reg) _,
            left = out(reg) _,
            p = out(reg) _,
            out("d0") _, out("d1") _, out("d2") _, out("d3") _, out("d4") _, out("d5") _, out("d6") _, out("d7") _,
            out("d8") _, out("d9") _, out("d10") _, out("d11") _, out("d12") _, out("d13") _, out("d14") _,
            out("d15") _,
            options(nostack),
        );
    }
}

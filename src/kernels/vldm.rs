//! C += A · B in assembly, for a Cortex-M with a single-precision FPU: the bits of the portable product, but 15
//! weights are loaded by one instruction (VLDM), where the compiler loads each by one of its own.
//!
//! ```text
//! for each row of C, each block of 16 columns:
//!     for p in 0..P:                                  the chains of `product`
//!         s = if p == 0 { c[block] } else { 0 }       16 registers
//!         for k in p, p + P, …: s += a[k] · b[k][block]
//!         c[block] = if p == 0 { s } else { c[block] + s }
//! ```
//!
//! The assembly departs from this:
//!
//! 1. Sums take 16 of the 32 registers, an element of A one and weights 15. The block's last weight follows when
//!    the others have been used.
//! 2. Multiplication and addition are two instructions: VMLA gives the same bits, but takes three cycles.
//! 3. A chain after the first begins with its first product, instead of adding it to zero. It may then be −0 where
//!    +0 is meant, but to add either to anything but −0 is the same. So the first chain begins with c + 0, which is not
//!    −0, and a sum that begins so never becomes it. A sum that has one chain only begins with c itself.
//! 4. Four positions k of a chain at a time, then those left over one by one.
//! 5. Columns left over are in a block that overlaps its left neighbour. It is computed first and elsewhere, and
//!    only its new columns are stored.

use core::arch::asm;

use super::Mat;
use crate::params::{rows, rows_mut};

/// Columns of a block.
const BLOCK: usize = 16;

/// C ← start + A · B, or C += A · B without a start, with `P` chains. False, and nothing done, for what is left to the
/// portable product: fewer columns than a block, fewer positions than chains, sizes that do not fit together.
#[inline(always)]
pub(super) fn product<const P: usize>(a: Mat<'_>, b: Mat<'_>, start: Option<&[f32]>, c: &mut [f32]) -> bool {
    let (k, n) = (a.cols, b.cols);
    let fits = k.checked_mul(n) == Some(b.data.len()) && start.is_none_or(|start| start.len() == n);
    if !fits || n < BLOCK || k < P {
        return false;
    }
    for (x, c) in rows(a.data, k).zip(rows_mut(c, n)) {
        if x.len() == k && c.len() == n {
            // SAFETY: B has a row of n elements for each of the k of x, and c and the start are such rows.
            unsafe { row::<P>(x, b, start, c) };
        }
    }
    true
}

/// A row of C: first what its whole blocks leave over, then these.
///
/// # Safety
/// B must have `x.len()` >= `P` rows, of as many elements as c and the start have, at least [`BLOCK`].
#[inline(always)]
unsafe fn row<const P: usize>(x: &[f32], b: Mat<'_>, start: Option<&[f32]>, c: &mut [f32]) {
    let n = b.cols;
    let (first, new) = (n - BLOCK, n % BLOCK);
    let (w, to) = (b.data.as_ptr(), c.as_mut_ptr());
    let start = start.map_or(to.cast_const(), <[f32]>::as_ptr);
    let mut last = [0.0; BLOCK];
    // SAFETY: a block from column n − 16 on ends with the rows, and with `last`; whole blocks are within the rows.
    unsafe {
        if new > 0 {
            blocks::<P>(1, x, w.add(first), n, start.add(first), last.as_mut_ptr());
        }
        blocks::<P>(n / BLOCK, x, w, n, start, to);
    }
    for (c, last) in c.iter_mut().rev().zip(last.into_iter().rev()).take(new) {
        *c = last;
    }
}

/// s[j] ← s[j] · s0, the element of A
macro_rules! times_x {
    ($($j:literal)*) => { concat!($("vmul.f32 s", $j, ", s", $j, ", s0\n"),*) };
}

/// sum ← sum + s[j]
macro_rules! add {
    ($($j:literal => $sum:literal),*) => { concat!($("vadd.f32 s", $sum, ", s", $sum, ", s", $j, "\n"),*) };
}

/// The position at x, which is the first of its chain: products are sums. w goes on to the next.
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

/// The position that is `$i` steps of the chain behind x; w is there and goes on to the next.
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

/// c ← start + x · B for `count` blocks of columns, the first of which begins at `w` in the first row of B.
///
/// A function of its own, because it saves many registers and its code is a kilobyte.
///
/// # Safety
/// `start` and `c` must be valid for 16 · `count` elements, and equal or apart; `w` for as many in each of `x.len()`
/// rows, which begin `n` elements after each other. `count` >= 1, `x.len()` >= `P`.
#[inline(never)]
unsafe fn blocks<const P: usize>(
    count: usize,
    x: &[f32],
    w: *const f32,
    n: usize,
    start: *const f32,
    c: *mut f32,
) {
    // {a} and {b} are behind the first P elements of x and rows of B, so chain P − {p} begins {p} before them. {left} is
    // the number of elements of x behind the next four of the chain, negative if it has no four.
    //
    // SAFETY: for each block, 16 elements are read at {start} and at c and written at c, and all go on by 16. A chain
    // reads every P-th element of x, as {left} tells, and 16 elements of the same rows of B. Nothing is pushed on the
    // stack, and all registers that change are outputs.
    unsafe {
        asm!(
            // A block. The first chain begins with what is there.
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
            "adds {left}, {end}, {p}",
            "bge 5f",
            "b 7f",
            // A further chain begins with its first product.
            "3:",
            "sub {x}, {a}, {p}, lsl #2",
            "mls {w}, {row}, {p}, {b}",
            first_position!(),
            "adds {left}, {end}, {p}",
            "bge 6f",
            "add {x}, {x}, #4*{P}",
            "sub {left}, {left}, #{P}",
            "b 7f",
            // Four positions at a time.
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
            // Those left over.
            "7:",
            "adds {left}, {left}, #3*{P}",
            "blt 9f",
            "8:",
            position!(0),
            "add {x}, {x}, #4*{P}",
            "subs {left}, {left}, #{P}",
            "bge 8b",
            // The chain is complete; all but the first are added to those before.
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
            // The next block.
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
            end = in(reg) x.len() as isize - 1 - 4 * P as isize,
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

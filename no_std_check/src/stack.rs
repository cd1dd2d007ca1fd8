//! The peak of a function's stack: the memory below is painted, and afterwards searched for where the paint ends.

use core::{arch::asm, hint::black_box, ptr};

const PAINT: u32 = 0xa5a5_a5a5;

/// No more than this is painted: far beyond what is promised, and less than what an operating system leaves.
const DEPTH: usize = 64 * 1024;

/// The stack pointer. WebAssembly has none to read, but a variable whose address is asked for is at its stack's end.
#[inline(always)]
fn pointer() -> usize {
    let sp: usize;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: reads a register.
    unsafe {
        asm!("mov {}, rsp", out(reg) sp, options(nomem, nostack, preserves_flags));
    }
    #[cfg(any(target_arch = "arm", target_arch = "aarch64"))]
    // SAFETY: reads a register.
    unsafe {
        asm!("mov {}, sp", out(reg) sp, options(nomem, nostack, preserves_flags));
    }
    #[cfg(target_arch = "riscv32")]
    // SAFETY: reads a register.
    unsafe {
        asm!("mv {}, sp", out(reg) sp, options(nomem, nostack, preserves_flags));
    }
    #[cfg(target_arch = "wasm32")]
    {
        let variable = 0_u32;
        sp = core::ptr::from_ref(black_box(&variable)).addr();
    }
    sp
}

/// The bytes of stack that `f` used at most; `end` is the lowest address of it. Of WebAssembly's, the part that is in its
/// memory: what the engine keeps for itself cannot be seen.
#[inline(never)]
pub fn peak(end: usize, mut f: impl FnMut()) -> usize {
    let top = pointer() & !3;
    let lowest = end.max(top.saturating_sub(DEPTH));
    paint(lowest);
    f();
    let touched = first_touched(lowest, top);
    black_box(());
    top - touched
}

/// Paints from `lowest` up to this function's own frame.
#[inline(never)]
fn paint(lowest: usize) {
    // This function's own frame may lie below the address that was read, as may 128 bytes that x86-64 grants to a
    // leaf function. No operation uses less.
    let top = pointer() - if cfg!(target_arch = "x86_64") { 192 } else { 64 };
    let mut at = lowest;
    while at < top {
        // SAFETY: stack of this thread that no function uses.
        unsafe { ptr::write_volatile(ptr::with_exposed_provenance_mut(at), PAINT) };
        at += 4;
    }
}

/// The first address from `lowest` on that was written to, or `top`.
#[inline(never)]
fn first_touched(lowest: usize, top: usize) -> usize {
    let mut at = lowest;
    // SAFETY: stack of this thread, painted before.
    while at < top && unsafe { ptr::read_volatile(ptr::with_exposed_provenance::<u32>(at)) } == PAINT {
        at += 4;
    }
    at
}

//! The peak of a function's stack: the memory below is painted, and afterwards searched for where the paint ends.

#[cfg(not(target_arch = "wasm32"))]
use core::arch::asm;
use core::{hint::black_box, ptr};

const PAINT: u32 = 0xa5a5_a5a5;

/// No more than this is painted: far beyond what is promised, and less than what an operating system leaves.
const DEPTH: usize = 64 * 1024;

/// The stack pointer: no frame that is in use lies below it.
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
        sp = end_of_frame();
    }
    sp
}

/// WebAssembly has no stack pointer to read. This function's frame is its one variable, which fills whole units of the
/// stack, so the caller's frame begins where the variable ends.
#[cfg(target_arch = "wasm32")]
#[inline(never)]
fn end_of_frame() -> usize {
    #[repr(align(16))]
    struct Frame([u8; 16]);
    let mut frame = Frame([0; 16]);
    // SAFETY: a variable. Volatile, it stays in memory, where `black_box` would keep a pointer to it too.
    unsafe { ptr::write_volatile(&mut frame.0[0], 0) };
    (&raw const frame).addr() + size_of::<Frame>()
}

/// The bytes of stack that `f` used at most; `end` is the lowest address of it. Of WebAssembly's, the part that is in its
/// memory: what the engine keeps for itself cannot be seen. This function calls others, so x86-64 grants it no bytes below
/// its stack pointer.
#[inline(never)]
pub fn peak(end: usize, mut f: impl FnMut()) -> usize {
    let top = pointer() & !3;
    let lowest = end.max(top.saturating_sub(DEPTH));
    paint(lowest, top);
    f();
    let touched = first_touched(lowest, top);
    black_box(());
    top - touched
}

/// Paints from `lowest` up to `top`. It is part of its caller, whose frame ends at `top`: a frame of its own would be
/// counted as used.
#[inline(always)]
fn paint(lowest: usize, top: usize) {
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

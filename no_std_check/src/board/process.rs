//! A Linux process without a C library, for targets without an operating system: what code inside a kernel gets.

use core::arch::{asm, global_asm};
use core::ptr;

use crate::{Board, Memory, firmware};

#[cfg(target_arch = "x86_64")]
global_asm!(".global _start", "_start:", "and rsp, -16", "call {start}", start = sym start);
#[cfg(target_arch = "aarch64")]
global_asm!(".global _start", "_start:", "bl {start}", start = sym start);

/// Asks the kernel, which knows a call by its number.
#[cfg(target_arch = "x86_64")]
fn call(number: usize, a: usize, b: usize, c: usize) {
    // SAFETY: the two calls that are made read memory or do not return.
    unsafe {
        asm!(
            "syscall", inout("rax") number => _, in("rdi") a, in("rsi") b, in("rdx") c,
            out("rcx") _, out("r11") _, options(nostack),
        );
    }
}

/// Asks the kernel, which knows a call by its number.
#[cfg(target_arch = "aarch64")]
fn call(number: usize, a: usize, b: usize, c: usize) {
    // SAFETY: the two calls that are made read memory or do not return.
    unsafe {
        asm!("svc 0", in("x8") number, inout("x0") a => _, in("x1") b, in("x2") c, options(nostack));
    }
}

const WRITE: usize = if cfg!(target_arch = "x86_64") { 1 } else { 64 };
const EXIT: usize = if cfg!(target_arch = "x86_64") { 60 } else { 93 };

struct Process;

impl Board for Process {
    fn write(&mut self, line: &str) {
        call(WRITE, 1, line.as_ptr().expose_provenance(), line.len());
    }

    fn ticks(&self) -> Option<u64> {
        None
    }

    fn stack_end(&self) -> usize {
        0
    }
}

extern "C" fn start() -> ! {
    static mut MEMORY: Memory = Memory::ZERO;
    // SAFETY: the process starts once, and nothing else refers to it.
    let memory = unsafe { &mut *ptr::addr_of_mut!(MEMORY) };
    let ok = firmware(&mut Process, memory);
    loop {
        call(EXIT, usize::from(!ok), 0, 0);
    }
}

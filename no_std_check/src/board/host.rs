//! The host: the C library's start-up code calls `main`. It computes what the boards are compared with.

use core::ffi::{c_int, c_void};
use core::ptr;

use crate::{Board, Memory, firmware};

unsafe extern "C" {
    fn write(file: c_int, bytes: *const c_void, count: usize) -> isize;
}

struct Host;

impl Board for Host {
    fn write(&mut self, line: &str) {
        // SAFETY: the bytes of a string. A line that cannot be written is missed by who reads them.
        let _ = unsafe { write(1, line.as_ptr().cast(), line.len()) };
    }

    fn ticks(&self) -> Option<u64> {
        None
    }

    fn stack_end(&self) -> usize {
        0
    }
}

/// The C library's entry point; 0 if all is well.
#[unsafe(no_mangle)]
extern "C" fn main() -> c_int {
    static mut MEMORY: Memory = Memory::ZERO;
    // SAFETY: `main` is called once, and nothing else refers to it.
    let memory = unsafe { &mut *ptr::addr_of_mut!(MEMORY) };
    c_int::from(!firmware(&mut Host, memory))
}

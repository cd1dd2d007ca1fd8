//! WebAssembly: a module with one import, which takes lines, and one export, which runs.

use core::ptr;

use crate::{Board, Memory, firmware};

#[link(wasm_import_module = "board")]
unsafe extern "C" {
    fn write(line: *const u8, len: usize);
}

struct Wasm;

impl Board for Wasm {
    fn write(&mut self, line: &str) {
        // SAFETY: the bytes of a string; the script next to this crate decodes them.
        unsafe { write(line.as_ptr(), line.len()) };
    }

    fn ticks(&self) -> Option<u64> {
        None
    }

    fn stack_end(&self) -> usize {
        0
    }
}

/// 0 if all is well; to be called once.
#[unsafe(no_mangle)]
extern "C" fn run() -> u32 {
    static mut MEMORY: Memory = Memory::ZERO;
    // SAFETY: called once, and nothing else refers to it.
    let memory = unsafe { &mut *ptr::addr_of_mut!(MEMORY) };
    u32::from(!firmware(&mut Wasm, memory))
}

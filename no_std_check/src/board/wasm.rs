//! WebAssembly: a module that imports what takes lines and what tells the time, and exports what runs.

use core::ptr;

use crate::{Board, Memory, firmware};

#[link(wasm_import_module = "board")]
unsafe extern "C" {
    fn write(line: *const u8, len: usize);
    /// Instructions executed, or −1 unless the script made the module count them.
    safe fn executed() -> i64;
}

struct Wasm;

impl Board for Wasm {
    fn write(&mut self, line: &str) {
        // SAFETY: the bytes of a string; the script next to this crate decodes them.
        unsafe { write(line.as_ptr(), line.len()) };
    }

    fn ticks(&self) -> Option<u64> {
        u64::try_from(executed()).ok()
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

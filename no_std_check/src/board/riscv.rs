//! RISC-V: start-up by `riscv-rt`, the virt machine's serial port, its power switch, and the counter of instructions.

use core::arch::asm;
use core::ptr;

use riscv_rt::entry;

use crate::{Board, Memory, firmware};

/// The data register of a 16550 serial port.
const UART: *mut u8 = ptr::without_provenance_mut(0x1000_0000);
/// The register that ends the emulation.
const POWER: *mut u32 = ptr::without_provenance_mut(0x0010_0000);

unsafe extern "C" {
    /// The lowest address of the stack: where `.bss` and an empty heap end, from riscv-rt's `link.x`.
    static __sheap: u8;
}

struct RiscV;

impl Board for RiscV {
    fn write(&mut self, line: &str) {
        for &byte in line.as_bytes() {
            // SAFETY: the serial port's register; QEMU's is never full.
            unsafe { UART.write_volatile(byte) };
        }
    }

    fn ticks(&self) -> Option<u64> {
        loop {
            let (high, low, again): (u32, u32, u32);
            // SAFETY: reads counters.
            unsafe {
                asm!("csrr {}, minstreth", out(reg) high, options(nostack));
                asm!("csrr {}, minstret", out(reg) low, options(nostack));
                asm!("csrr {}, minstreth", out(reg) again, options(nostack));
            }
            if high == again {
                return Some((u64::from(high) << 32) | u64::from(low));
            }
        }
    }

    fn stack_end(&self) -> usize {
        (&raw const __sheap).addr()
    }
}

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::ZERO;
    // SAFETY: `main` runs once, and nothing else refers to it.
    let memory = unsafe { &mut *ptr::addr_of_mut!(MEMORY) };
    let ok = firmware(&mut RiscV, memory);
    const PASS: u32 = 0x5555;
    const FAIL: u32 = 0x1_3333;
    loop {
        // SAFETY: the register that ends the emulation.
        unsafe { POWER.write_volatile(if ok { PASS } else { FAIL }) };
    }
}

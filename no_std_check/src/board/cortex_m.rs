//! Cortex-M: start-up by `cortex-m-rt`, lines by semihosting, SysTick as the clock.

use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use core::{ffi::CStr, ptr};

use cortex_m_rt::{entry, exception};
use heapless::Vec;

use crate::{Board, Memory, firmware};

/// SysTick's registers: control, reload value, current value.
const SYST_CSR: *mut u32 = ptr::without_provenance_mut(0xe000_e010);
const SYST_RVR: *mut u32 = ptr::without_provenance_mut(0xe000_e014);
const SYST_CVR: *mut u32 = ptr::without_provenance_mut(0xe000_e018);

/// SysTick counts 24 bits, down; how often it has come to zero.
static WRAPS: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" {
    /// The lowest address of the stack, from cortex-m-rt's `link.x`.
    static _stack_end: u8;
}

struct CortexM;

impl Board for CortexM {
    fn write(&mut self, line: &str) {
        let mut terminated = Vec::<u8, 192>::new();
        if terminated.extend_from_slice(line.as_bytes()).is_ok()
            && terminated.push(0).is_ok()
            && let Ok(line) = CStr::from_bytes_until_nul(&terminated)
        {
            const SYS_WRITE0: usize = 4;
            semihosting(SYS_WRITE0, line.as_ptr().addr());
        }
    }

    fn ticks(&self) -> Option<u64> {
        loop {
            let wraps = WRAPS.load(Relaxed);
            // SAFETY: reads a register that every Cortex-M of the list has.
            let current = unsafe { SYST_CVR.read_volatile() };
            if WRAPS.load(Relaxed) == wraps {
                return Some((u64::from(wraps) << 24) + u64::from(0xff_ffff - current));
            }
        }
    }

    fn stack_end(&self) -> usize {
        (&raw const _stack_end).addr()
    }
}

/// Asks the debugger, here QEMU, for a service.
fn semihosting(service: usize, parameter: usize) {
    // SAFETY: the debugger reads what the parameter points to; r0 receives its answer.
    unsafe {
        asm!("bkpt #0xab", inout("r0") service => _, in("r1") parameter, options(nostack));
    }
}

#[exception]
fn SysTick() {
    // Nobody else writes it, and a Cortex-M0 has no atomic addition.
    WRAPS.store(WRAPS.load(Relaxed).wrapping_add(1), Relaxed);
}

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::ZERO;
    // SAFETY: SysTick's registers; its handler is above.
    unsafe {
        SYST_RVR.write_volatile(0xff_ffff);
        SYST_CVR.write_volatile(0);
        // Enabled, with interrupt, on the core's clock.
        SYST_CSR.write_volatile(7);
    }
    let ok = firmware(&mut CortexM, MEMORY);
    const SYS_EXIT: usize = 0x18;
    const APPLICATION_EXIT: usize = 0x2_0026;
    const RUN_TIME_ERROR: usize = 0x2_0023;
    loop {
        semihosting(SYS_EXIT, if ok { APPLICATION_EXIT } else { RUN_TIME_ERROR });
    }
}

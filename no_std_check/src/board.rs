//! Start-up, output and clock of each kind of board: one file each, of which one is compiled.

#[cfg(all(target_arch = "arm", target_os = "none"))]
mod cortex_m;
#[cfg(target_os = "linux")]
mod host;
#[cfg(all(any(target_arch = "aarch64", target_arch = "x86_64"), target_os = "none"))]
mod process;
#[cfg(target_arch = "riscv32")]
mod riscv;
#[cfg(target_arch = "wasm32")]
mod wasm;

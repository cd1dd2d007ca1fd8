//! One firmware for all boards: a language model is read from flash, run, trained in RAM, sampled from and measured,
//! without `std`, without a heap and without a panic path. `./run` builds it, runs it and compares what it prints.
//!
//! - No `std`, no `alloc`: this crate and `recurve` are built without them, so nothing here can allocate.
//! - No panic: the panic handler calls a function that does not exist. If the compiler could not rule out every panic
//!   in this program, it does not link. That needs optimisation: build it with `--release`. With the feature `panics` it
//!   has one, and `run` sees to it that this does not link.
//! - The same bits everywhere: logits, trained weights and products of many sizes are printed as hashes, which the host
//!   prints as well.
//!
//! A board's own part, start-up, output and clock, is one file of `board/`.

#![no_std]
#![no_main]

mod board;
#[cfg(not(feature = "small"))]
mod dropped;
#[cfg(not(feature = "small"))]
mod forecasts;
#[cfg(not(feature = "small"))]
mod gated;
#[cfg(not(feature = "small"))]
mod gestures;
mod hash;
mod language;
mod measure;
mod memory;
mod operations;
#[cfg(feature = "panics")]
mod panics;
#[cfg(not(feature = "small"))]
mod partly;
mod products;
mod refusals;
mod report;
mod rng;
mod stack;
#[cfg(not(feature = "small"))]
mod stacked;
mod tuned;
#[cfg(not(feature = "small"))]
mod window;
#[cfg(not(feature = "small"))]
mod windows;

use language::Failed;
use memory::Memory;
use report::Report;

/// What a board can do, apart from computing.
trait Board {
    /// Writes a line; it ends in `\n`.
    fn write(&mut self, line: &str);
    /// Ticks since the start, in proportion to the instructions executed, if the board can count them.
    fn ticks(&self) -> Option<u64>;
    /// The end of the stack: no address below it may be written to.
    fn stack_end(&self) -> usize;
}

/// The whole program, the same for all boards; whether all went well.
fn firmware(board: &mut dyn Board, memory: &mut Memory) -> bool {
    let mut report = Report::new(board);
    #[cfg(feature = "panics")]
    panics::fourth(b"none");
    let outcome = measured(&mut report, memory).and_then(|()| shown(&mut report, memory));
    report.word(if outcome.is_ok() { "ok" } else { "failed" }).end();
    outcome.is_ok()
}

/// What everything costs.
fn measured(report: &mut Report<'_>, memory: &mut Memory) -> Result<(), Failed> {
    operations::measure_all(report, memory)?;
    tuned::measure_all(report, memory)?;
    #[cfg(not(feature = "small"))]
    {
        partly::measure_all(report, memory)?;
        windows::measure_all(report, memory)?;
        forecasts::measure_all(report, memory)?;
        dropped::measure_all(report, memory)?;
        gestures::measure_all(report);
    }
    report.word("measured").end();
    Ok(())
}

/// What everything results in.
fn shown(report: &mut Report<'_>, memory: &mut Memory) -> Result<(), Failed> {
    language::show(report, memory)?;
    tuned::show(report, memory)?;
    products::show(report)?;
    refusals::show(report, memory)?;
    #[cfg(not(feature = "small"))]
    {
        gated::show(report);
        stacked::show(report);
        partly::show(report, memory)?;
        windows::show(report, memory)?;
        forecasts::show(report, memory)?;
        dropped::show(report, memory)?;
        gestures::show(report)?;
    }
    Ok(())
}

// SAFETY: no such function exists; the declaration is there to make the linker fail, never to be called.
unsafe extern "C" {
    safe fn recurve_has_a_panic_path() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    recurve_has_a_panic_path()
}

//! Counts what an operation costs, and prints it:
//!
//! ```text
//! op NAME per UNITS ram BYTES ticks TICKS stack BYTES
//! ```
//!
//! `UNITS` are multiply-accumulates, or values; ticks are missing where a board has no clock that counts instructions.

use crate::report::Report;
use crate::stack;

/// Runs `op`, which may be repeated, twice: for its ticks and for its stack.
pub fn measure(report: &mut Report<'_>, name: &str, units: usize, ram: usize, mut op: impl FnMut()) {
    let ticks =
        ticks(report, &mut op).zip(ticks(report, || ())).map(|(all, empty)| all.saturating_sub(empty));
    let stack = stack::peak(report.board.stack_end(), op);
    report.word("op").word(name).word("per").number(units as u64).word("ram").number(ram as u64);
    if let Some(ticks) = ticks {
        report.word("ticks").number(ticks);
    }
    report.word("stack").number(stack as u64).end();
}

#[inline(never)]
fn ticks(report: &Report<'_>, mut op: impl FnMut()) -> Option<u64> {
    let before = report.board.ticks()?;
    op();
    Some(report.board.ticks()?.wrapping_sub(before))
}

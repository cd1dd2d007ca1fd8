//! Ctrl-C, or a request to terminate: the first asks the training to end, the second ends the process.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::Failure;

static ASKED: AtomicBool = AtomicBool::new(false);

/// Exit code of a process that an interrupt has ended, by convention 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// From now on Ctrl-C, SIGTERM and SIGHUP are only noted.
pub fn catch() -> Result<(), Failure> {
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
        eprintln!("finishing; Ctrl-C again stops at once");
    })
    .map_err(|error| Failure::new(format!("cannot catch Ctrl-C: {error}: try again")))
}

/// Whether it has been pressed.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

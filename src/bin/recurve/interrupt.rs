//! Ctrl-C, or on Unix SIGTERM: the first asks the training to end, the second ends the process.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use crate::failure::Failure;

static ASKED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Exit code of a process that Ctrl-C has ended, by convention 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// From now on the first request to end is only noted.
pub fn catch() -> Result<(), Failure> {
    terminated().map_err(|error| Failure::new(format!("cannot catch SIGTERM: {error}: try again")))?;
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
        let _ = writeln!(io::stderr(), "finishing; Ctrl-C again stops at once");
    })
    .map_err(|error| Failure::new(format!("cannot catch Ctrl-C: {error}: try again")))
}

/// The same of SIGTERM. A hang-up is left as it is, since `nohup` has it ignored.
#[cfg(unix)]
fn terminated() -> io::Result<()> {
    use signal_hook::consts::SIGTERM;
    use signal_hook::flag;

    flag::register_conditional_shutdown(SIGTERM, 128 + SIGTERM, Arc::clone(&ASKED))?;
    flag::register(SIGTERM, Arc::clone(&ASKED)).map(|_| ())
}

#[cfg(not(unix))]
fn terminated() -> io::Result<()> {
    Ok(())
}

/// Whether the training is asked to end.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

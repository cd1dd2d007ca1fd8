//! What `recurve train` remembers in a checkpoint beside the trainer: lines that say the same when written and read again,
//! and whose curve can be drawn; or they are refused.
#![no_main]

#[path = "../../src/bin/recurve/failure.rs"]
#[allow(dead_code, reason = "a plot needs a part of it")]
mod failure;
#[path = "../../src/bin/recurve/past.rs"]
mod past;
#[path = "../../src/bin/recurve/plot.rs"]
#[allow(dead_code, reason = "forecasts are not drawn here")]
mod plot;
#[path = "../../src/bin/recurve/report.rs"]
#[allow(dead_code, reason = "a plot needs a part of it")]
mod report;

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use past::Past;
use plot::{Picture, svg};

fuzz_target!(|lines: &str| {
    let Some(past) = Past::parse(lines) else { return };
    assert_eq!(Past::parse(&past.lines()).as_ref(), Some(&past));
    // A run that goes on adds the time that it takes.
    let year = Duration::from_secs(366 * 24 * 3600);
    assert!(past.elapsed + year > past.elapsed && past.training + year > past.training);
    if let Some(last) = past.curve.last() {
        assert!(past.fits(last.step));
        svg(&Picture { title: "it", curve: &past.curve, best_n_gram: None }).unwrap();
    }
});

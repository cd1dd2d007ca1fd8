//! Parts of training by themselves, with any numbers: the output layer alone, a cell that is only read below one that is
//! trained, and the gradients of input vectors. Each is what it is as a part of the whole.
#![no_main]

#[path = "parts/frozen.rs"]
mod frozen;
#[path = "parts/inputs.rs"]
mod inputs;
#[path = "parts/tune.rs"]
mod tune;

use libfuzzer_sys::fuzz_target;
use recurve_fuzz::Source;

fuzz_target!(|data: &[u8]| {
    let source = &mut Source(data);
    match source.below(3) {
        0 => tune::check(source),
        1 => frozen::check(source),
        _ => inputs::check(source),
    }
});

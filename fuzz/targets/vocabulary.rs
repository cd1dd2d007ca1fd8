//! A vocabulary in JSON: one that says the same when written and read again, or a message of one line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recurve::host::safetensors::Vocabulary;
use recurve_fuzz::assert_line;

fuzz_target!(|json: &str| {
    match Vocabulary::from_json(json) {
        Ok(vocabulary) => {
            assert!(!vocabulary.is_empty());
            assert_eq!(Vocabulary::from_json(&vocabulary.to_json()).unwrap(), vocabulary);
        }
        Err(error) => assert_line(&error.to_string()),
    }
});

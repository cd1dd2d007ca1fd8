//! A safetensors file: a network that comes back to the byte, or a message of one line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recurve::cell::ActivationKind;
use recurve::host::safetensors::{Import, Vocabulary, export};
use recurve_fuzz::{Source, assert_line};

fuzz_target!(|data: &[u8]| {
    let mut source = Source(data);
    let choices = source.byte();
    let mut import = Import::default();
    if choices & 2 != 0 {
        import.vocabulary = Some(Vocabulary::from_json(r#"["c","a","b"]"#).unwrap());
    }
    if choices & 4 != 0 {
        import.activation = Some(ActivationKind::Relu);
    }
    if choices & 8 != 0 {
        import.rnn_prefix = Some("rnn".into());
    }
    // Bytes as they are; or a header up to the first zero, with its length, and tensors as long as need be.
    let bytes = if choices & 1 == 0 {
        source.0.to_vec()
    } else {
        let end = source.0.iter().position(|&byte| byte == 0).unwrap_or(source.0.len());
        let (header, tensors) = source.0.split_at(end);
        let padding = 4 * usize::from(choices >> 4) * usize::from(choices >> 4);
        let length = (header.len() as u64).to_le_bytes();
        [&length[..], header, tensors.get(1..).unwrap_or_default(), &vec![0; padding]].concat()
    };
    match import.network(&bytes) {
        Ok(network) => {
            let Ok(file) = export(&network) else { return };
            let again = Import::default().network(&file).unwrap();
            assert_eq!(export(&again).unwrap(), file);
        }
        Err(error) => assert_line(&error.to_string()),
    }
});

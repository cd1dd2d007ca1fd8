//! A safetensors file: a network or a model of readings that comes back to the byte, or a message of one line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recurve::cell::ActivationKind;
use recurve::clean::Clean;
use recurve::host::safetensors::{Import, Vocabulary, export};
use recurve_fuzz::{Source, assert_line};

fuzz_target!(|data: &[u8]| {
    let mut source = Source(data);
    let (choices, more) = (source.byte(), source.byte());
    let mut import = Import::default();
    if choices & 2 != 0 {
        const LISTS: [&str; 4] = [r#"["c","a","b"]"#, "[2,0,1]", r#"["b","a"]"#, r#"["e","d","c","b","a"]"#];
        import.vocabulary = Some(Vocabulary::from_json(LISTS[usize::from(more & 3)]).unwrap());
    }
    if choices & 4 != 0 {
        import.activation = Some(ActivationKind::Relu);
    }
    if choices & 8 != 0 {
        import.rnn_prefix = Some("rnn".into());
    }
    import.head_prefix = (more & 4 != 0).then(|| "head".into());
    import.embedding_prefix = (more & 8 != 0).then(|| "embedding".into());
    import.clean = (more & 16 != 0).then_some(Clean::Letters);
    import.without_biases = more & 64 != 0;
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
    if more & 32 != 0 {
        return match import.readings(&bytes) {
            Ok(model) => {
                let mut written = vec![0; model.file().byte_len()];
                model.file().emit(&mut written).unwrap();
                let file = export(&model).unwrap();
                let again = Import::default().readings(&file).unwrap();
                assert_eq!(export(&again).unwrap(), file);
            }
            Err(error) => assert_line(&error.to_string()),
        };
    }
    let clean = import.clean_of(&bytes);
    match import.network(&bytes) {
        Ok(network) => {
            assert_eq!(clean.unwrap(), network.clean());
            let Ok(file) = export(&network) else { return };
            let again = Import::default().network(&file).unwrap();
            assert_eq!(export(&again).unwrap(), file);
        }
        Err(error) => assert_line(&error.to_string()),
    }
});

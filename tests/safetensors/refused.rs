//! Files that are refused, each with a message that names the tensor and both shapes.

use recurve::host::safetensors::{Import, Vocabulary, WeightsError};
use safetensors::tensor::Dtype;

use crate::theirs::{Theirs, file, gru, imported, theirs};

fn message(tensors: &[Theirs]) -> String {
    imported(tensors).unwrap_err().to_string()
}

fn says(message: &str, words: &[&str]) {
    assert!(words.iter().all(|word| message.contains(word)), "{words:?} in {message:?}");
    assert!(!message.contains('\n'));
}

#[test]
fn missing_tensors() {
    for (i, shape) in
        ["6 x 3", "6 x 2", "should be 6", "should be 6", "3 x 2", "should be 3"].into_iter().enumerate()
    {
        let mut tensors = gru();
        let name = tensors.remove(i).name;
        says(&message(&tensors), &[&name, "missing", shape]);
    }
    says(&message(&theirs(&[("fc.weight", &[3, 2])])), &["weight_ih_l0"]);
}

#[test]
fn tensors_that_are_too_many() {
    for (name, shape, words) in [
        ("fc.weight", &[1, 7][..], "1 x 7"),
        ("rnn.weight_ih_l0_reverse", &[6, 3], "bidirectional"),
        ("rnn.weight_hr_l0", &[2, 2], "proj_size"),
        ("other.weight_ih_l1", &[6, 2], "6 x 2"),
        ("steps", &[], "a single number"),
    ] {
        let mut tensors = gru();
        tensors.extend(theirs(&[(name, shape)]));
        let message = message(&tensors);
        // A matrix without a bias could be an embedding, but this one is of other sizes.
        says(&message, &[name, words]);
    }
}

#[test]
fn shapes_that_do_not_fit() {
    for (i, found, expected) in [
        (0, &[6, 4][..], "6 x 3"),
        (0, &[6], "6 x 3"),
        (1, &[5, 2], "h x h"),
        (1, &[6], "h x h"),
        (1, &[0, 5], "h x h"),
        (1, &[6, 0], "h x h"),
        (1, &[], "h x h"),
        (2, &[5], "where 6"),
        (3, &[2, 3], "where 6"),
        (4, &[2, 3], "3 x 2 is needed for the 3 symbols"),
        (5, &[1, 3], "where 3 is needed"),
    ] {
        let mut tensors = gru();
        let name = tensors[i].name.clone();
        tensors[i] = theirs(&[(&name, found)]).remove(0);
        let shape: Vec<_> = found.iter().map(usize::to_string).collect();
        let shape = if found.is_empty() { "a single number".into() } else { shape.join(" x ") };
        says(&message(&tensors), &[&name, &shape, expected]);
    }
    let mut deep = gru();
    deep.extend(theirs(&[("rnn.weight_ih_l1", &[6, 3]), ("rnn.weight_hh_l1", &[6, 2])]));
    says(&message(&deep), &["rnn.weight_ih_l1", "6 x 3", "6 x 2"]);
    let mut embedded = gru();
    embedded.extend(theirs(&[("e.weight", &[3])]));
    says(&message(&embedded), &["e.weight", "shape 3 where 3 x 3"]);
    embedded[6] = theirs(&[("e.weight", &[4, 3])]).remove(0);
    says(&message(&embedded), &["e.weight", "4 x 3", "3 x 3"]);
    let mut ten = gru();
    ten.extend(theirs(&[("rnn.weight_ih_l9", &[6, 2])]));
    says(&message(&ten), &["has 10 recurrent layers", "up to 9 layers"]);
    let mut sky = gru();
    sky.extend(theirs(&[("rnn.weight_ih_l18446744073709551615", &[6, 2])]));
    says(&message(&sky), &["up to 9 layers"]);
}

#[test]
fn types_that_cannot_be_converted() {
    for (dtype, name) in [(Dtype::F64, "F64"), (Dtype::I64, "I64"), (Dtype::I8, "I8")] {
        let mut tensors = gru();
        let count = tensors[2].bytes.len() / 4;
        (tensors[2].dtype, tensors[2].bytes) = (dtype, vec![0; count * dtype.bitsize() / 8]);
        says(&message(&tensors), &["rnn.bias_ih_l0", "shape 6", name, "F32"]);
    }
}

#[test]
fn numbers_that_are_not_finite() {
    let mut tensors = gru();
    tensors[4].bytes[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    says(&message(&tensors), &["head.weight", "not finite"]);
    let mut tensors = gru();
    for bias in [2, 3] {
        tensors[bias].bytes[..4].copy_from_slice(&f32::MAX.to_le_bytes());
    }
    says(&message(&tensors), &["rnn.bias_ih_l0", "not finite"]);
}

#[test]
fn vocabularies() {
    let tensors = gru();
    let with = |json: &str| Import::default().network(&file(&tensors, &[("vocabulary", json)]));
    says(&with(r#"["a","b"]"#).unwrap_err().to_string(), &["weight_ih_l0", "6 x 3", "6 x 2", "2 symbols"]);
    says(&Import::default().network(&file(&tensors, &[])).unwrap_err().to_string(), &["no vocabulary"]);
    for (json, words) in [
        (r#"["a","b","<unk>"]"#, "<unk>"),
        (r#"["a","b",""]"#, "single characters"),
        (r#"["a","b","a"]"#, "entries 0 and 2"),
        (r#"["a",1]"#, "single characters"),
        (r#"{"a":0}"#, "JSON list"),
        ("[0,1,256]", "as numbers"),
        ("[]", "0 symbols"),
        ("", "JSON list"),
        ("[[[[", "JSON list"),
    ] {
        says(&Vocabulary::from_json(json).unwrap_err().to_string(), &[words]);
        assert!(with(json).is_err());
    }
    let advised = |json| Vocabulary::from_json(json).unwrap_err().to_string().contains("<unk>");
    assert!(!advised("[1,256]") && !advised("{}") && advised(r#"["word"]"#));
    let long = format!(r#"["{}"]"#, "a".repeat(100_000));
    let message = Vocabulary::from_json(&long).unwrap_err().to_string();
    says(&message, &["aaa...", "line 1 column 100003"]);
    assert!(message.len() < 400);
    let all: Vec<String> = ('\0'..).take(65_536).map(String::from).collect();
    let json = serde_json::to_string(&all).unwrap();
    says(&Vocabulary::from_json(&json).unwrap_err().to_string(), &["65536 symbols"]);
    let json = serde_json::to_string(&all[..65_535]).unwrap();
    assert_eq!(Vocabulary::from_json(&json).unwrap().len(), 65_535);
}

#[test]
fn other_conventions() {
    for (key, value) in [("gate_order", "z,r,n"), ("reset_gate", "before"), ("clean", "all")] {
        let metadata = [("vocabulary", "[1,2,3]"), (key, value)];
        let error = Import::default().network(&file(&gru(), &metadata)).unwrap_err();
        says(&error.to_string(), &[key, value]);
    }
    let mut import = Import::default();
    import.activation = Some(recurve::cell::ActivationKind::Relu);
    let error = import.network(&file(&gru(), &[("vocabulary", "[1,2,3]")])).unwrap_err();
    says(&error.to_string(), &["gru", "only torch.nn.RNN"]);
}

#[test]
fn prefixes_that_are_not_there() {
    let bytes = file(&gru(), &[("vocabulary", "[1,2,3]")]);
    let mut import = Import::default();
    import.rnn_prefix = Some("gru".into());
    says(&import.network(&bytes).unwrap_err().to_string(), &["rnn has the prefix 'gru'", "could be 'rnn.'"]);
    import.rnn_prefix = Some("rnn".into());
    import.embedding_prefix = Some("emb.".into());
    says(&import.network(&bytes).unwrap_err().to_string(), &["embedding has the prefix 'emb.'", "'head.'"]);
    (import.embedding_prefix, import.head_prefix) = (None, Some("head".into()));
    assert!(import.network(&bytes).is_ok());
}

/// With the shapes that they really have, which are those of no cell.
#[test]
fn networks_of_other_kinds() {
    let mut both_ways = theirs(&[
        ("rnn.weight_ih_l0", &[6, 3]),
        ("rnn.weight_hh_l0", &[6, 2]),
        ("rnn.bias_ih_l0", &[6]),
        ("rnn.bias_hh_l0", &[6]),
        ("head.weight", &[3, 4]),
        ("head.bias", &[3]),
    ]);
    let back: Vec<_> =
        both_ways[..4].iter().map(|t| (t.name.clone() + "_reverse", t.shape.clone())).collect();
    back.iter().for_each(|(name, shape)| both_ways.extend(theirs(&[(name, shape)])));
    says(&message(&both_ways), &["_reverse", "bidirectional"]);
    let projected = theirs(&[
        ("lstm.weight_ih_l0", &[16, 3]),
        ("lstm.weight_hh_l0", &[16, 2]),
        ("lstm.weight_hr_l0", &[2, 4]),
        ("lstm.bias_ih_l0", &[16]),
        ("lstm.bias_hh_l0", &[16]),
        ("head.weight", &[3, 2]),
        ("head.bias", &[3]),
    ]);
    says(&message(&projected), &["lstm.weight_hr_l0", "2 x 4", "proj_size"]);
}

#[test]
fn output_layers_without_a_bias() {
    let mut tensors = gru();
    tensors.pop();
    tensors[4].name = "fc.weight".into();
    says(&message(&tensors), &["fc.bias", "missing", "should be 3"]);
    tensors[0] = theirs(&[("rnn.weight_ih_l0", &[6, 5])]).remove(0);
    tensors.extend(theirs(&[("encoder.weight", &[3, 5])]));
    says(&message(&tensors), &["fc.bias", "missing", "should be 3"]);
}

#[test]
fn files_that_are_something_else() {
    for (start, words) in [
        (&b"PK\x03\x04\0\0\x08\x08"[..], ["torch.save", "save_file"]),
        (b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46", ["torch.save", "save_file"]),
        (b"RECURVE\n", ["a model of recurve", "no import"]),
        (b"RECURVEC", ["a checkpoint", "--resume"]),
    ] {
        let bytes = [start, &[0; 100]].concat();
        says(&Import::default().network(&bytes).unwrap_err().to_string(), &words);
    }
}

/// A header of 640 bytes makes a file begin as one of torch.save does.
#[test]
fn files_that_begin_like_something_else() {
    let symbols = r#"["a","b","c"]"#;
    let noted = |spaces: usize| file(&gru(), &[("vocabulary", symbols), ("note", &" ".repeat(spaces))]);
    let alike = (0..1000).map(noted).find(|bytes| bytes.starts_with(b"\x80\x02"));
    assert!(Import::default().network(&alike.expect("some header has 640 bytes")).is_ok());
}

/// Every truncation, and every flipped bit of the header: refused, or (in a name of the metadata, or where the bits of a
/// shape say the same) a network, but never a panic.
#[test]
fn damaged_files() {
    let good = file(&gru(), &[("vocabulary", r#"["a","b","c"]"#)]);
    for length in 0..good.len() {
        let error = Import::default().network(&good[..length]).unwrap_err();
        assert!(matches!(error, WeightsError::File(_)), "{length}: {error}");
    }
    let header = 8 + usize::from(u16::from_le_bytes([good[0], good[1]]));
    for bit in 0..8 * header {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Err(error) = Import::default().network(&bytes) {
            says(&error.to_string(), &[]);
        }
    }
}

fn headed(claimed: u64, header: &str, data: usize) -> Vec<u8> {
    [&claimed.to_le_bytes()[..], header.as_bytes(), &vec![0; data]].concat()
}

#[test]
fn sizes_are_not_trusted() {
    let refused =
        |bytes: &[u8]| says(&Import::default().network(bytes).unwrap_err().to_string(), &["safetensors"]);
    // Forty bytes whose header, or whose tensor, claims more.
    refused(&headed(4 << 30, "{}", 30));
    refused(&headed(u64::MAX, "{}", 30));
    let tensor = |shape: &str, end: u64| {
        let header = format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":[0,{end}]}}}}"#);
        headed(header.len() as u64, &header, 0)
    };
    refused(&tensor("[1073741824]", 4 << 30));
    refused(&tensor("[4611686018427387903]", u64::MAX - 3));
    refused(&tensor("[18446744073709551615,18446744073709551615]", 16));
    // What ends where addresses end, once more is added to it.
    let many: Vec<String> = (0..8_u64)
        .map(|i| {
            let (from, to) = (i << 61, ((i + 1) << 61).wrapping_sub(u64::from(i == 7)));
            let len = to - from;
            format!(r#""{i}":{{"dtype":"U8","shape":[{len}],"data_offsets":[{from},{to}]}}"#)
        })
        .collect();
    let header = format!("{{{}}}", many.join(","));
    refused(&headed(header.len() as u64, &header, 0));
    // A header of four megabytes, a million entries, a thousand brackets.
    let long = format!("{{}}{}", " ".repeat(1 << 22));
    refused(&headed(long.len() as u64, &long, 0));
    let shape = format!("[{}0]", "0,".repeat(100_000));
    refused(&tensor(&shape, 0));
    let deep = "[".repeat(1000);
    refused(&headed(1000, &deep, 0));
    refused(&headed(4, "{\"\u{fffd}", 0));
}

//! Networks made with `bias=False`: with zeros, where that is said.

use recurve::host::safetensors::{Import, WeightsError};

use crate::theirs::{Theirs, file, theirs};

const SYMBOLS: [(&str, &str); 1] = [("vocabulary", r#"["a","b","c"]"#)];

/// Two layers of so many gates with an embedding, all of two units.
fn network(gates: usize) -> Vec<Theirs> {
    let (matrix, rows) = ([2 * gates, 2], [2 * gates]);
    let mut tensors = theirs(&[("embedding.weight", &[3, 2]), ("head.weight", &[3, 2]), ("head.bias", &[3])]);
    for (name, shape) in [("weight", &matrix[..]), ("bias", &rows[..])] {
        let names = ["ih_l0", "hh_l0", "ih_l1", "hh_l1"].map(|end| format!("rnn.{name}_{end}"));
        tensors.extend(theirs(&names.each_ref().map(|name| (&**name, shape))));
    }
    tensors
}

fn read(tensors: &[Theirs], without_biases: bool) -> Result<Vec<u32>, WeightsError> {
    let mut import = Import::default();
    import.without_biases = without_biases;
    let network = import.network(&file(tensors, &SYMBOLS))?;
    Ok(network.params().iter().map(|x| x.to_bits()).collect())
}

fn is_of(part: &str, tensor: &Theirs) -> bool {
    tensor.name.starts_with(part) && tensor.name.contains("bias")
}

#[test]
fn are_zero() {
    for (gates, parts) in
        [1, 3, 4].into_iter().flat_map(|gates| [(gates, "rnn"), (gates, "head"), (gates, "")])
    {
        let (mut zero, mut without) = (network(gates), network(gates));
        for tensor in zero.iter_mut().filter(|tensor| is_of(parts, tensor)) {
            tensor.bytes.fill(0);
        }
        without.retain(|tensor| !is_of(parts, tensor));
        assert_eq!(read(&without, true).unwrap(), read(&zero, false).unwrap(), "{gates} gates, {parts:?}");
        let error = read(&without, false).unwrap_err();
        assert!(matches!(&error, WeightsError::Missing { name, .. } if name.contains("bias")), "{error}");
    }
}

/// Biases that are there are read, and weights must be there.
#[test]
fn are_all_or_none() {
    let all = network(4);
    assert_eq!(read(&all, true).unwrap(), read(&all, false).unwrap());
    for i in (0..all.len()).filter(|&i| all[i].name != "head.bias") {
        let mut tensors = all.clone();
        let name = tensors.remove(i).name;
        let error = read(&tensors, true).unwrap_err().to_string();
        // Without it the output layer's weight is what is left of its shape.
        let expected = if name == "embedding.weight" { "rnn" } else { &*name };
        assert!(error.contains(expected), "{name}: {error}");
    }
}

#[test]
fn of_a_model_of_readings_are_zero() {
    let mut import = Import::default();
    import.without_biases = true;
    let sizes: [(&str, &[usize]); 3] =
        [("rnn.weight_ih_l0", &[8, 2]), ("rnn.weight_hh_l0", &[8, 2]), ("fc.weight", &[1, 2])];
    let model = import.readings(&file(&theirs(&sizes), &[])).unwrap();
    let (weights, biases) = model.params().split_at(8 * 4);
    assert!(weights.iter().all(|&w| w != 0.0));
    assert_eq!((&biases[..8], model.params().last()), (&[0.0; 8][..], Some(&0.0)));
}

/// A square matrix by itself may be an embedding, and the output layer missing.
#[test]
fn do_not_make_an_embedding_an_output_layer() {
    let mut tensors = theirs(&[("rnn.weight_ih_l0", &[9, 3]), ("rnn.weight_hh_l0", &[9, 3])]);
    tensors.extend(theirs(&[("encoder.weight", &[3, 3])]));
    let mut import = Import::default();
    import.without_biases = true;
    let bytes = file(&tensors, &SYMBOLS);
    let error = import.network(&bytes).unwrap_err();
    assert!(matches!(&error, WeightsError::Missing { name, .. } if name == "head.weight"), "{error}");
    import.head_prefix = Some("encoder".into());
    assert!(import.network(&bytes).is_ok());
    // Readings have no embedding.
    import.head_prefix = None;
    assert!(import.readings(&file(&tensors, &[])).is_ok());
}

/// Two matrices of the same shape, and neither has a bias.
#[test]
fn do_not_tell_an_output_layer_from_an_embedding() {
    let mut tensors = network(3);
    tensors.retain(|tensor| tensor.name != "head.bias");
    let named = |head: &str| {
        let mut tensors = tensors.clone();
        for tensor in &mut tensors {
            tensor.name = tensor.name.replace("embedding.", "encoder.").replace("head.", head);
        }
        tensors
    };
    for head in ["decoder.", "unembed.", "embed_out."] {
        let error = read(&named(head), true).unwrap_err();
        assert!(matches!(&error, WeightsError::Ambiguous { part: "head", .. }), "{error}");
    }
    let tensors = named("decoder.");
    let mut import = Import::default();
    (import.without_biases, import.head_prefix) = (true, Some("decoder".into()));
    let by_head = import.network(&file(&tensors, &SYMBOLS)).unwrap();
    (import.head_prefix, import.embedding_prefix) = (None, Some("encoder".into()));
    assert_eq!(import.network(&file(&tensors, &SYMBOLS)).unwrap().params(), by_head.params());
}

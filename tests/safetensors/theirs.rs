//! Files as others write them.

use recurve::host::Network;
use recurve::host::safetensors::{Import, WeightsError};
use safetensors::tensor::{Dtype, TensorView};

/// A tensor: its name, its shape, the type of its numbers, their bytes.
#[derive(Clone)]
pub struct Theirs {
    pub name: String,
    pub shape: Vec<usize>,
    pub dtype: Dtype,
    pub bytes: Vec<u8>,
}

/// Tensors of `F32` that count up in sixteenths, which every type holds exactly.
pub fn theirs(list: &[(&str, &[usize])]) -> Vec<Theirs> {
    let tensor = |&(name, shape): &(&str, &[usize])| {
        let count = shape.iter().product::<usize>();
        let bytes = (0..count).flat_map(|i| sixteenths(i).to_le_bytes()).collect();
        Theirs { name: name.into(), shape: shape.into(), dtype: Dtype::F32, bytes }
    };
    list.iter().map(tensor).collect()
}

pub fn sixteenths(i: usize) -> f32 {
    f32::from(u8::try_from(i % 200).unwrap()) / 16.0 - 5.0
}

/// A GRU of two units for three symbols, one layer.
pub fn gru() -> Vec<Theirs> {
    theirs(&[
        ("rnn.weight_ih_l0", &[6, 3]),
        ("rnn.weight_hh_l0", &[6, 2]),
        ("rnn.bias_ih_l0", &[6]),
        ("rnn.bias_hh_l0", &[6]),
        ("head.weight", &[3, 2]),
        ("head.bias", &[3]),
    ])
}

pub fn file(tensors: &[Theirs], metadata: &[(&str, &str)]) -> Vec<u8> {
    let metadata = metadata.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    safetensors::serialize(tensors.iter().map(view), Some(metadata)).unwrap()
}

fn view(t: &Theirs) -> (&str, TensorView<'_>) {
    (&t.name, TensorView::new(t.dtype, t.shape.clone(), &t.bytes).unwrap())
}

/// Imports it with the vocabulary a, b, c.
pub fn imported(tensors: &[Theirs]) -> Result<Network, WeightsError> {
    Import::default().network(&file(tensors, &[("vocabulary", r#"["a","b","c"]"#)]))
}

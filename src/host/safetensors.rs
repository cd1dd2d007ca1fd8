//! Weights from and to `PyTorch`, as files of [safetensors](https://github.com/huggingface/safetensors).
//!
//! A file holds the state dict of a module made of `torch.nn.RNN`, `GRU` or `LSTM` with one layer or more, of a
//! `Linear` that makes logits of its hidden units, and perhaps of an `Embedding` in front. [`export`] writes one
//! that `load_state_dict(strict=True)` takes if its parts are named `rnn`, `head` and `embedding`; [`Import`] reads one
//! whatever they are named.
//!
//! | ours | theirs |
//! |---|---|
//! | W_xh (d×h), W_hh (h×h) | `weight_ih_l0` (h×d), `weight_hh_l0` (h×h): transposed |
//! | b_h | `bias_ih_l0` + `bias_hh_l0`: summed when read, zeros in the second when written |
//! | an LSTM's W_x, W_h and b, gates i, f, g, o | the same, in this order |
//! | a GRU's W_xg, W_hg and b_g, gates r and z; W_xn, W_hn, b_xn and b_hn | gates r, z, n; the last third of the two biases stays apart |
//! | W_e (v×d) | the embedding's `weight` (v×d), as it is |
//! | W_hq (h×q), b_q | the output layer's `weight` (q×h), transposed, and `bias` |
//!
//! What is exported, imported and exported again is the same file. A model that reads numbers and has no vocabulary is
//! imported by [`Import::readings`].
//!
//! A trained second bias makes `PyTorch` take two steps in the place of one. To train there as here, hold
//! `bias_hh_l0` at zero, of a GRU its first two thirds: `tests/golden/torch_steps.py` does.
//!
//! ```
//! use recurve::cell::{ActivationKind, AnyCell, CellKind};
//! use recurve::host::safetensors::{Import, Vocabulary, export};
//! use recurve::host::{Network, text::Clean};
//! use recurve::vocab::Alphabet;
//!
//! let cell = AnyCell::new(CellKind::Gru, ActivationKind::Tanh, 3, 8);
//! let mut network = Network::new(cell, vec!['a' as u32, 'b' as u32, 'c' as u32], Alphabet::Chars, Clean::None)?;
//! network.init(1);
//! let file = export(&network)?;
//!
//! // The file knows its vocabulary; one of PyTorch's that does not is given it.
//! let mut import = Import::default();
//! assert_eq!(import.network(&file)?.params(), network.params());
//! import.vocabulary = Some(Vocabulary::from_json(r#"["a", "b", "c"]"#)?);
//! assert_eq!(export(&import.network(&file)?)?, file);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod error;
mod file;
mod layout;
mod metadata;
mod names;
mod read;
mod readings;
#[cfg(test)]
mod tests;
mod vocabulary;
mod write;

pub use error::WeightsError;
pub use read::Import;
pub use readings::ReadingsModel;
pub use vocabulary::Vocabulary;
pub use write::export;

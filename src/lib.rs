//! Recurrent neural networks of fixed size, without heap or operating system.
#![no_std]

#[cfg(feature = "std")]
extern crate std;

pub mod bptt;
pub mod cell;
pub mod clean;
pub mod error;
pub mod format;
pub mod head;
#[cfg(feature = "std")]
pub mod host;
pub mod init;
pub mod kernels;
pub mod lanes;
pub mod loss;
pub mod math;
pub mod model;
pub mod optim;
pub mod params;
pub mod sample;
#[cfg(feature = "proptest")]
pub mod testing;
pub mod vocab;

pub use bptt::Workspace;
pub use cell::{Elman, Feedforward, Inputs, Relu, Tanh};
pub use error::Error;
pub use head::Dense;
pub use loss::{Perplexity, Targets};
pub use model::{CharRnn, Model, ModelShape};
pub use optim::{Adam, Optimizer, Sgd, clip_norm, clip_value};
pub use sample::Sampler;
pub use vocab::{Symbols, Vocab, VocabError};

#[cfg(doctest)]
#[doc = include_str!("../tests/compile_fail.md")]
struct MustNotCompile;

//! What needs an operating system or a heap: texts, training, files, and the models that a network is compared with.
//!
//! - [`text`] reads a file, cleans it and holds out its end; [`Corpus`] turns it into tokens.
//! - [`Network`] is a model of any cell and any sizes, read from and written to a file.
//! - [`Trainer`] trains one, window after window, in an order that anyone can reproduce.
//! - [`checkpoint`]: a run that was stopped goes on and ends in the same bits.
//! - [`forecast`] trains on a series of numbers.
//! - `safetensors` (feature `safetensors`) takes weights from `PyTorch`, and gives them back.
//! - [`baseline`] is the count-based language model that a network has to beat.
//!
//! # Example
//! ```
//! use recurve::host::{baseline, text};
//!
//! let clean = text::Clean::Letters.apply("To be, or not to be: that is the question.").into_owned();
//! assert_eq!(clean, "to be or not to be that is the question ");
//! let tokens: Vec<u16> = clean.bytes().map(u16::from).collect();
//! let (train, valid) = text::split(&tokens, 0.25);
//! let by_order = baseline::perplexities(train, valid, 256, 2)?;
//! assert!(by_order[1].perplexity < 256.0);
//! # Ok::<(), baseline::BaselineError>(())
//! ```

pub mod baseline;
pub mod checkpoint;
pub mod forecast;
#[cfg(feature = "safetensors")]
pub mod safetensors;
pub mod text;

mod buffer;
mod channels;
mod corpus;
mod error;
mod file;
mod network;
mod read;
mod select;
mod settings;
mod shown;
mod stored;
mod summary;
mod threads;
mod train;

pub use buffer::Buffer;
pub use corpus::Corpus;
pub use error::HostError;
pub use file::{check_writable, write_whole};
pub use network::Network;
pub use read::read_whole;
pub use select::select;
pub use settings::{AnyOptimizer, Settings};
pub use shown::Shown;
pub use stored::read_model;
pub use summary::{Tensor, TrainerMemory, tensors};
pub use train::{Best, Trainer};

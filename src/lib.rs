//! Recurrent neural networks of fixed size: trained on a desktop, run and trained further on a chip.
//!
//! The core is `#![no_std]`, allocates nothing and, built with `lto = "fat"` and for speed, has no panic path. Weights are
//! plain structs of arrays whose sizes are const generics; states, tapes and scratch are lent by the caller; the arithmetic
//! is written once, over vector registers ([`lanes`]) and flat slices, and gives the same bits whatever the width of the
//! registers; only whether a multiply-add rounds once or twice may change them.
//!
//! # A language model in twenty lines
//! The network of *Dive into Deep Learning*, chapter 9: a hidden state carried through time,
//! H_t = tanh(X_t W_xh + H_{t−1} W_hh + b_h), a softmax over the vocabulary at every step, cross-entropy, truncated
//! back-propagation through time.
//!
//! ```
//! use rand_core::SeedableRng;
//! use recurve::{Adam, CharRnn, Inputs, Optimizer, Targets, Vocab, Workspace, clip_norm, init::Init, params::Flat};
//!
//! const TEXT: &str = "time and tide wait for no man, ";
//! let vocab = Vocab::<16>::from_text(TEXT)?;
//! let mut text = [0; TEXT.len()];
//! vocab.symbols().encode(TEXT, &mut text)?;
//!
//! type Network = CharRnn<16, 32>;                       // 16 symbols, 32 hidden units
//! let mut model = Network::ZERO;
//! model.init(Init::TOKENS, &mut rand_pcg::Pcg32::seed_from_u64(1));
//! let mut grads = Network::ZERO;                        // gradients have the model's own shape
//! const ADAM: Adam = Adam::new(0.01);
//! let mut moments = [0.0; ADAM.state_len(Network::LEN)];
//! let mut workspace = Workspace::<_, 32, 16, 1, 30>::ZERO; // 1 sequence, 30 steps
//!
//! let mut loss = f32::INFINITY;
//! for _ in 0..150 {
//!     let mut state = [[0.0; 32]];
//!     grads.set_zero();
//!     let (inputs, targets) = (Inputs::Tokens(&text[..30]), Targets::Tokens(&text[1..]));
//!     loss = model.gradient(inputs, targets, &mut state, &mut workspace, &mut grads)?;
//!     clip_norm(grads.as_flat_mut(), 1.0)?;
//!     ADAM.step(model.as_flat_mut(), grads.as_flat(), &mut moments)?;
//! }
//! assert!(loss.exp() < 1.1); // perplexity: next to no doubt is left
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # One matrix or two
//! Concatenating [X, H] and stacking W_xh on W_hh gives the same step: a recurrent layer is an ordinary layer that
//! reads its own output. Nor does the number of parameters depend on the number of steps.
//!
//! ```
//! use recurve::kernels::{Mat, product};
//! use recurve::lanes::Portable;
//! use recurve::{Elman, Model, params::Flat};
//!
//! let mut model = Model::<Elman<2, 3>, 3, 2>::ZERO;
//! model.cell.w_xh = [[0.5, -1.0, 0.25], [1.0, 0.5, -0.5]];
//! model.cell.w_hh = [[0.1, 0.2, 0.3], [-0.3, 0.4, 0.1], [0.2, -0.1, 0.5]];
//! let (x, h) = ([1.0, -2.0], [0.5, 0.25, -1.0]);
//!
//! // [X, H] times [W_xh; W_hh], one under the other, is X W_xh + H W_hh.
//! let side_by_side = [x[0], x[1], h[0], h[1], h[2]];
//! let stacked = &model.cell.as_flat()[..5 * 3];
//! let mut a = model.cell.b_h;
//! product(Portable, Mat::new(&side_by_side, 5), Mat::new(stacked, 3), &mut a);
//!
//! let (mut state, mut logits, mut scratch) = ([h], [0.0; 2], [[0.0; 3]]);
//! model.step(&x, &mut state, &mut logits, &mut scratch)?;
//! for j in 0..3 {
//!     assert!((state[0][j] - a[j].tanh()).abs() < 1e-6);
//! }
//! # Ok::<(), recurve::Error>(())
//! ```
//!
//! # Map
//! A module imports only from those above it in this table.
//!
//! | module | what it holds |
//! |---|---|
//! | [`error`], [`lanes`], [`crew`] | errors as small values; vector registers behind one trait; threads behind another |
//! | [`math`], [`kernels`], [`params`], [`init`] | exp, tanh, ln; matrix products and sums; plain data as flat slices; initial weights |
//! | [`cell`], [`head`], [`loss`], [`standard`], [`series`] | [`Elman`], [`Gru`], [`Lstm`], [`Feedforward`]; [`Stack`], [`Embedding`]; [`Dense`]; softmax, cross-entropy, regression, [`Objective`], [`Perplexity`]; readings in their units; inputs of a forecaster |
//! | [`model`], [`trained`] | [`Model`], [`CharRnn`], and [`ModelShape`] for sizes known at run time; which tensors are trained, and which are frozen |
//! | [`bptt`], [`tune`], [`frozen`], [`memory`], [`optim`], [`vocab`], [`clean`], [`sample`], [`format`] | gradients of a window, with dropout or without; of the output layer alone; cells that are only read; bytes known beforehand; [`Sgd`], [`Adam`], clipping, schedules; text to tokens and back; generation; model files |
//! | `testing` (feature `proptest`) | strategies for models and sequences, a gradient checker |
//! | `host` (feature `std`) | texts, training, files, n-gram baselines |
//!
//! # Types outside, views inside
//! [`Model`] and its parts have their sizes in their types: a wrong shape does not compile. Each names the arithmetic
//! that it stands for, a [`cell::Cell`] with sizes as plain numbers that works on flat slices. A host uses those
//! directly, for any size without recompiling; through a typed model the sizes are constants again.
//!
//! # Features
//! - `std` (on by default): the module `host`, and lanes for AVX2 and AVX-512 that are chosen when the program runs.
//!   Without it the crate needs neither `std` nor `alloc`.
//! - `rayon`: training on several threads.
//! - `safetensors`: weights from and to `PyTorch`, in `host::safetensors`.
//! - `cli`: the command `recurve`; includes `rayon` and `safetensors`.
//! - `proptest`: the module `testing`.
//! - `defmt`: `defmt::Format` for errors.
//! - `vldm`: products in assembly on a Cortex-M with a single-precision FPU (M4F, M7, M33). The bits are the same.
//!   Only for targets named `…eabihf`; elsewhere it does nothing. An M55 is faster without it.
//! - `fused`: multiply-adds that round once, where the target has them: RISC-V with F, AArch64. Faster, with the bits of a
//!   desktop's AVX lanes instead of those of a chip without.
//!
//! # Numbers
//! Everything is `f32`. Softmax subtracts the maximum, cross-entropy never takes the logarithm of a rounded zero, and
//! a loss or gradient that is not finite is an error before any weight changes. Errors of the elementary functions
//! are listed in [`math`]. Sums have an order that depends on sizes only, see [`kernels`].

#![no_std]
#![warn(clippy::std_instead_of_core)]

#[cfg(any(feature = "std", test))]
extern crate std;

pub mod bptt;
pub mod cell;
pub mod clean;
pub mod crew;
pub mod error;
pub mod format;
pub mod frozen;
pub mod head;
#[cfg(feature = "std")]
pub mod host;
pub mod init;
pub mod kernels;
pub mod lanes;
pub mod loss;
pub mod math;
pub mod memory;
pub mod model;
pub mod optim;
pub mod params;
pub mod sample;
pub mod series;
pub mod standard;
#[cfg(feature = "proptest")]
pub mod testing;
pub mod trained;
pub mod tune;
pub mod vocab;

pub use bptt::Workspace;
pub use cell::{
    Elman, Embedding, Feedforward, Gru, Inputs, Lstm, Relu, ResetAfter, ResetBefore, Stack, Tanh,
};
pub use error::Error;
pub use head::Dense;
pub use loss::{Objective, Perplexity, Readout, Targets};
pub use memory::{StepMemory, TrainingMemory};
pub use model::{CharRnn, Model, ModelShape};
pub use optim::{Adam, Optimizer, Sgd, clip_norm, clip_value};
pub use sample::Sampler;
pub use series::SeriesInputs;
pub use standard::{Standard, StandardView};
pub use trained::Trained;
pub use tune::Tuning;
pub use vocab::{Symbols, Vocab, VocabError};

/// The examples of the README, compiled and run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../tests/compile_fail.md")]
struct MustNotCompile;

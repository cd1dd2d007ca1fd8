//! Recurrent neural networks of fixed size, without heap or operating system.
#![no_std]
#![forbid(clippy::todo)]

#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "std")]
pub mod host;
pub mod lanes;
pub mod math;

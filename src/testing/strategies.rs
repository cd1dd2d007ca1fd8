//! Strategies for models, states and sequences. They shrink towards zero weights and the first token.

use core::ops::RangeInclusive;
use std::{boxed::Box, vec::Vec};

use bytemuck::zeroed_box;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::params::Flat;

/// Models, or any other plain data, with weights between ±`scale`; boxed, and never on the stack.
pub fn models<M: Flat>(scale: f32) -> impl Strategy<Value = Box<M>> {
    vectors(M::LEN, scale).prop_map(|weights| {
        let mut model = zeroed_box::<M>();
        model.as_flat_mut().copy_from_slice(&weights);
        model
    })
}

/// States with elements between −1 and 1, as tanh leaves them.
pub fn states<S: Flat>() -> impl Strategy<Value = Box<S>> {
    models(1.0)
}

/// `length` vectors' elements between ±`scale`.
pub fn vectors(length: usize, scale: f32) -> impl Strategy<Value = Vec<f32>> {
    // Multiples of a small power of two, so that failures print short.
    vec((-1024..=1024_i16).prop_map(move |x| f32::from(x) * (scale / 1024.0)), length)
}

/// `length` tokens of a vocabulary of `symbols`, which must not be zero.
pub fn tokens(symbols: u16, length: usize) -> impl Strategy<Value = Vec<u16>> {
    vec(0..symbols, length)
}

/// Texts of a length in this range, over a vocabulary of `symbols`.
pub fn sequences(symbols: u16, length: RangeInclusive<usize>) -> impl Strategy<Value = Vec<u16>> {
    vec(0..symbols, length)
}

//! Activation functions φ of the hidden layer, and their derivatives in terms of the output.

use core::{fmt, str::FromStr};

use crate::kernels::{map, zip_map};
use crate::lanes::{Lanes, inlined};
use crate::math;
use crate::params::{Flat, plain_data};

/// An activation function as a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ActivationKind {
    /// φ(x) = tanh x
    #[default]
    Tanh,
    /// φ(x) = max(x, 0)
    Relu,
}

impl ActivationKind {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Tanh, Self::Relu];

    /// The name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tanh => "tanh",
            Self::Relu => "relu",
        }
    }

    /// x ← φ(x)
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn apply<L: Lanes>(self, lanes: L, x: &mut [f32]) {
        match self {
            Self::Tanh => map(lanes, x, inlined!(|x| math::tanh(lanes, x))),
            Self::Relu => {
                let zero = lanes.splat(0.0);
                map(lanes, x, inlined!(|x| lanes.select_lt(x, zero, zero, x)));
            }
        }
    }

    /// d ← d · φ′, with φ′ from the output h = φ(x): 1 − h² for tanh, 1 or 0 for ReLU (0 at 0).
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn backward<L: Lanes>(self, lanes: L, d: &mut [f32], h: &[f32]) {
        let (zero, one) = (lanes.splat(0.0), lanes.splat(1.0));
        match self {
            Self::Tanh => {
                zip_map(lanes, d, h, inlined!(|d, h| lanes.mul(d, lanes.sub(one, lanes.mul(h, h)))));
            }
            Self::Relu => zip_map(lanes, d, h, inlined!(|d, h| lanes.select_lt(zero, h, d, zero))),
        }
    }
}

impl fmt::Display for ActivationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for ActivationKind {
    type Err = UnknownActivation;

    fn from_str(name: &str) -> Result<Self, UnknownActivation> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name).ok_or(UnknownActivation)
    }
}

/// A name that is no activation's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownActivation;

impl fmt::Display for UnknownActivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such activation; there are tanh and relu")
    }
}

impl core::error::Error for UnknownActivation {}

/// An activation function as a type: a parameter of a typed cell, without size.
pub trait Activation: Flat {
    /// The same as a value.
    const KIND: ActivationKind;
}

plain_data! {
    /// φ(x) = tanh x, between −1 and 1.
    pub struct Tanh [] [] {}
}

plain_data! {
    /// φ(x) = max(x, 0), the rectified linear unit.
    pub struct Relu [] [] {}
}

impl Activation for Tanh {
    const KIND: ActivationKind = ActivationKind::Tanh;
}

impl Activation for Relu {
    const KIND: ActivationKind = ActivationKind::Relu;
}

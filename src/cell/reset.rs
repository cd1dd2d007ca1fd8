//! Where a [`Gru`](super::Gru) applies its reset gate.

use crate::params::{Flat, plain_data};

/// Where the reset gate is applied, as a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResetKind {
    /// To the candidate's recurrent part, after the product: R_t ∘ (H_{t−1} W_hn + b_hn).
    #[default]
    After,
    /// To the hidden units, before the product: (R_t ∘ H_{t−1}) W_hn.
    Before,
}

impl ResetKind {
    /// All of them.
    pub const ALL: &[Self] = &[Self::After, Self::Before];

    /// The name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::After => "after",
            Self::Before => "before",
        }
    }
}

/// Where the reset gate is applied, as a type: a parameter of a [`Gru`](super::Gru), without size.
pub trait Reset: Flat {
    /// The same as a value.
    const KIND: ResetKind;
    /// b_hn, the bias within the reset gate's reach: h floats, or none.
    type Bias<const H: usize>: Flat;
}

plain_data! {
    /// After the recurrent product: the form of `PyTorch`, of Keras (`reset_after=True`) and of ONNX
    /// (`linear_before_reset=1`).
    pub struct ResetAfter [] [] {}
}

plain_data! {
    /// Before the recurrent product: the original form (Cho et al., 2014).
    pub struct ResetBefore [] [] {}
}

impl Reset for ResetAfter {
    const KIND: ResetKind = ResetKind::After;
    type Bias<const H: usize> = [f32; H];
}

impl Reset for ResetBefore {
    const KIND: ResetKind = ResetKind::Before;
    type Bias<const H: usize> = [f32; 0];
}

//! Means and deviations within a model file.

use crate::params::take;
use crate::standard::StandardView;

/// How readings become the inputs of a model, and its outputs numbers in their units; each only if that is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Normalization<'a> {
    /// To be applied to inputs, d channels.
    pub inputs: Option<StandardView<'a>>,
    /// To be inverted of outputs, q channels.
    pub outputs: Option<StandardView<'a>>,
}

impl<'a> Normalization<'a> {
    /// What the header says of it.
    pub(super) fn code(self) -> u8 {
        u8::from(self.inputs.is_some()) + 2 * u8::from(self.outputs.is_some())
    }

    /// Takes it off what follows the weights.
    pub(super) fn take(code: u8, inputs: usize, outputs: usize, from: &mut &'a [f32]) -> Self {
        let mut side = |wanted: bool, channels: usize| {
            wanted.then(|| StandardView { mean: take(from, channels), deviation: take(from, channels) })
        };
        Self { inputs: side(code & 1 != 0, inputs), outputs: side(code & 2 != 0, outputs) }
    }

    /// Its numbers, in their order.
    pub(super) fn numbers(self) -> impl Iterator<Item = &'a f32> {
        let sides = [self.inputs, self.outputs].into_iter().flatten();
        sides.flat_map(|side| side.mean.iter().chain(side.deviation))
    }

    /// Whether it is one for so many channels.
    pub(super) fn is_valid(self, inputs: usize, outputs: usize) -> bool {
        self.inputs.is_none_or(|side| side.is_valid(inputs))
            && self.outputs.is_none_or(|side| side.is_valid(outputs))
    }
}

/// Numbers of a normalisation with this code.
pub(super) const fn normalization_len(code: u8, inputs: usize, outputs: usize) -> usize {
    let of_inputs = if code & 1 != 0 { inputs.saturating_mul(2) } else { 0 };
    let of_outputs = if code & 2 != 0 { outputs.saturating_mul(2) } else { 0 };
    of_inputs.saturating_add(of_outputs)
}

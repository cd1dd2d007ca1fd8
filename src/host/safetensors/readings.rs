//! A model that reads numbers, as of sensors, with what they are normalised by; it has no vocabulary.

use core::num::NonZeroU32;
use std::path::Path;

use crate::cell::AnyCell;
use crate::format::{ModelFile, Normalization};
use crate::host::channels::Channels;
use crate::host::{Buffer, HostError, stored};
use crate::model::ModelShape;

/// A model of readings on the heap: sizes, weights, means and deviations. [`Import::readings`](super::Import::readings) makes one
/// of what `PyTorch` has trained; [`read_model`](crate::host::read_model) borrows one from a file.
#[derive(Clone, Debug)]
pub struct ReadingsModel {
    shape: ModelShape<AnyCell>,
    params: Buffer,
    inputs: Option<Channels>,
    outputs: Option<Channels>,
    window: Option<NonZeroU32>,
}

impl ReadingsModel {
    /// With all weights zero.
    pub(super) fn new(
        shape: ModelShape<AnyCell>,
        [inputs, outputs]: [Option<Channels>; 2],
        window: Option<NonZeroU32>,
    ) -> Result<Self, HostError> {
        Ok(Self { shape, params: Buffer::zeroed(shape.params_len())?, inputs, outputs, window })
    }

    /// The sizes.
    #[must_use]
    pub const fn shape(&self) -> ModelShape<AnyCell> {
        self.shape
    }

    /// All weights, flat.
    #[must_use]
    pub fn params(&self) -> &[f32] {
        &self.params
    }

    /// All weights, flat, to be changed.
    pub fn params_mut(&mut self) -> &mut [f32] {
        &mut self.params
    }

    /// The model as a file's contents.
    #[must_use]
    pub fn file(&self) -> ModelFile<'_> {
        let [inputs, outputs] = [&self.inputs, &self.outputs].map(|side| side.as_ref().map(Channels::view));
        let file =
            ModelFile::new(self.shape, &self.params).with_normalization(Normalization { inputs, outputs });
        self.window.map_or(file, |window| file.with_window(window))
    }

    /// Writes a model file, whole or not at all.
    ///
    /// # Errors
    /// [`HostError::File`] if it cannot be written, [`HostError::Format`] beyond 4 GB; a file of this name is then as it was.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), HostError> {
        stored::write_model(path.as_ref(), self.file())
    }
}

impl<'a> From<&'a ReadingsModel> for ModelFile<'a> {
    fn from(model: &'a ReadingsModel) -> Self {
        model.file()
    }
}

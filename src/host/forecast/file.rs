//! A forecaster's file: a model of readings that says what it looks back on.

use std::path::Path;

use super::{ForecastSettings, Forecaster, INPUTS};
use crate::cell::Cell;
use crate::format::{ModelFile, Normalization};
use crate::host::channels::Channels;
use crate::host::stored::{parse_model, write_model};
use crate::host::{Buffer, HostError, read_model};

impl<'a> From<&'a Forecaster> for ModelFile<'a> {
    fn from(forecaster: &'a Forecaster) -> Self {
        forecaster.file()
    }
}

impl Forecaster {
    /// The model as a file's contents: two inputs and an output for each step of the horizon, as the module's formulas have
    /// them, with what they are normalised by, and the window.
    #[must_use]
    pub fn file(&self) -> ModelFile<'_> {
        let normalization =
            Normalization { inputs: Some(self.inputs.view()), outputs: Some(self.outputs.view()) };
        let file = ModelFile::new(self.shape, &self.params).with_normalization(normalization);
        file.with_window(self.settings.looks_back())
    }

    /// Writes a model file, whole or not at all.
    ///
    /// # Errors
    /// [`HostError::File`] if it cannot be written; a file of this name is then as it was.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), HostError> {
        write_model(path.as_ref(), self.file())
    }

    /// Reads a model file, to forecast with it.
    ///
    /// ```no_run
    /// use recurve::host::forecast::Forecaster;
    ///
    /// let forecaster = Forecaster::read("load.rcv")?;
    /// let next = forecaster.forecast(&vec![0.0; forecaster.window() + 1])?;
    /// assert_eq!(next.len(), forecaster.horizon());
    /// # Ok::<(), recurve::host::HostError>(())
    /// ```
    ///
    /// # Errors
    /// [`HostError::File`] if it cannot be read, [`HostError::Format`] if it is no model, [`HostError::NoForecaster`] if it is
    /// another one.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, HostError> {
        read_model(path, Self::of)
    }

    /// Reads the bytes of a model file, at any alignment.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HostError> {
        parse_model(bytes, Self::of)
    }

    /// The forecaster of a file.
    fn of(file: ModelFile<'_>) -> Result<Self, HostError> {
        let Normalization { inputs, outputs } = file.normalization;
        let facts = inputs.zip(outputs).zip(file.window.and_then(|window| window.get().try_into().ok()));
        let (Some(((inputs, outputs), window)), INPUTS, None) =
            (facts, file.shape.cell.inputs(), file.symbols)
        else {
            return Err(HostError::NoForecaster { path: "the model".into() });
        };
        let mut params = Buffer::zeroed(file.weights.len())?;
        params.copy_from_slice(file.weights);
        let settings =
            ForecastSettings { window, horizon: file.shape.outputs, ..ForecastSettings::default() };
        let [inputs, outputs] = [inputs, outputs].map(Channels::copied);
        Ok(Self { shape: file.shape, settings, params, inputs, outputs })
    }
}

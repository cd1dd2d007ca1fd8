//! Means and deviations on the heap.

use std::{vec, vec::Vec};

use super::HostError;
use crate::standard::{StandardView, fit};

/// Mean and standard deviation of channels, as [`StandardView`] borrows them.
#[derive(Clone, Debug)]
pub(super) struct Channels {
    pub(super) mean: Vec<f32>,
    pub(super) deviation: Vec<f32>,
}

impl Channels {
    /// Those of rows of readings.
    pub(super) fn of(rows: &[f32], channels: usize) -> Result<Self, HostError> {
        let (mut mean, mut deviation) = (vec![0.0; channels], vec![0.0; channels]);
        fit(rows, &mut mean, &mut deviation)?;
        Ok(Self { mean, deviation })
    }

    pub(super) fn copied(view: StandardView<'_>) -> Self {
        Self { mean: view.mean.to_vec(), deviation: view.deviation.to_vec() }
    }

    pub(super) fn view(&self) -> StandardView<'_> {
        StandardView { mean: &self.mean, deviation: &self.deviation }
    }
}

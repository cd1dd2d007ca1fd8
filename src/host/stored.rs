//! Model files of any kind: of a text, of readings, of a forecaster.

use std::{path::Path, vec};

use super::{Buffer, HostError, checkpoint, read, write_whole};
use crate::format::{FormatError, ModelFile, claimed_len};

/// Reads a model file, and hands what it holds to `f`.
///
/// ```no_run
/// let horizon = recurve::host::read_model("load.rcv", |file| Ok(file.shape.outputs))?;
/// # Ok::<(), recurve::host::HostError>(())
/// ```
///
/// # Errors
/// [`HostError::File`] if it cannot be read, [`HostError::Format`] or [`HostError::IsCheckpoint`] if it is no model, and what
/// `f` finds.
pub fn read_model<T>(
    path: impl AsRef<Path>,
    f: impl FnOnce(ModelFile<'_>) -> Result<T, HostError>,
) -> Result<T, HostError> {
    let path = path.as_ref();
    let read = read::checked(path, check_start).and_then(|bytes| parse_model(&bytes, f));
    read.map_err(|error| match error {
        HostError::Format { source, .. } => HostError::Format { path: path.into(), source },
        HostError::IsCheckpoint { .. } => HostError::IsCheckpoint { path: path.into() },
        HostError::NoVocabulary { .. } => HostError::NoVocabulary { path: path.into() },
        HostError::NoForecaster { .. } => HostError::NoForecaster { path: path.into() },
        error => error,
    })
}

/// Writes a model file, whole or not at all.
pub(super) fn write_model(path: &Path, file: ModelFile<'_>) -> Result<(), HostError> {
    let mut bytes = vec![0; file.byte_len()];
    file.emit(&mut bytes).map_err(|source| HostError::Format { path: path.into(), source })?;
    write_whole(path, &bytes)
}

/// [`read_model`] of a file's bytes, at any alignment; if it is one of less than four, they are copied first.
pub(super) fn parse_model<T>(
    bytes: &[u8],
    f: impl FnOnce(ModelFile<'_>) -> Result<T, HostError>,
) -> Result<T, HostError> {
    check_kind(bytes)?;
    match ModelFile::parse(bytes) {
        Err(FormatError::Alignment) => {
            let mut aligned = Buffer::zeroed(bytes.len().div_ceil(4))?;
            aligned.bytes_mut()[..bytes.len()].copy_from_slice(bytes);
            f(ModelFile::parse(&aligned.bytes()[..bytes.len()]).map_err(format)?)
        }
        file => f(file.map_err(format)?),
    }
}

/// Refuses a file by its beginning and its length, if it has one.
fn check_start(start: &[u8], len: Option<u64>) -> Result<(), HostError> {
    check_kind(start)?;
    let needed = claimed_len(start).map_err(format)?;
    match len {
        Some(len) if len != needed as u64 => {
            let got = usize::try_from(len).unwrap_or(usize::MAX);
            Err(format(FormatError::Length { needed, got }))
        }
        _ => Ok(()),
    }
}

/// Refuses a checkpoint by its name.
fn check_kind(start: &[u8]) -> Result<(), HostError> {
    if start.starts_with(checkpoint::MAGIC) {
        return Err(HostError::IsCheckpoint { path: "the model".into() });
    }
    Ok(())
}

fn format(source: FormatError) -> HostError {
    HostError::Format { path: "the model".into(), source }
}

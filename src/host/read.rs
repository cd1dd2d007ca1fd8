//! Files that are read: no more memory is taken than a file has bytes, and none for one whose beginning is wrong.

use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    path::Path,
    vec::Vec,
};

use super::HostError;

/// Bytes that are looked at before the others are read.
const START: u64 = 256;

/// Bytes that are taken at most from what has no length: a device or a pipe may never end.
const ENDLESS: u64 = 1 << 30;

/// Reads a file.
///
/// # Errors
/// [`HostError::File`] if it cannot be read, or if it is a device or a pipe that does not end within 1 GiB.
pub fn read_whole(path: &Path) -> Result<Vec<u8>, HostError> {
    read(path).map_err(|source| HostError::File { path: path.into(), action: "read", source })
}

pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let (mut file, len) = open(path)?;
    let mut bytes = Vec::new();
    rest(&mut file, len, &mut bytes)?;
    Ok(bytes)
}

/// A file, and how many bytes it has, if it can have a number of them.
fn open(path: &Path) -> io::Result<(File, Option<u64>)> {
    let file = File::open(path)?;
    let about = file.metadata()?;
    match about.len() {
        _ if about.is_dir() => Err(ErrorKind::IsADirectory.into()),
        // Some files of the system's say that they have none.
        len if about.is_file() && len > 0 => Ok((file, Some(len))),
        _ => Ok((file, None)),
    }
}

/// Adds what is left of a file to the bytes that were read of it.
fn rest(file: &mut File, len: Option<u64>, bytes: &mut Vec<u8>) -> io::Result<()> {
    if let Some(len) = len {
        let left = usize::try_from(len).unwrap_or(usize::MAX).saturating_sub(bytes.len());
        bytes.try_reserve_exact(left).map_err(|_| ErrorKind::OutOfMemory)?;
        file.take(left as u64).read_to_end(bytes)?;
        return Ok(());
    }
    file.take(ENDLESS).read_to_end(bytes)?;
    if bytes.len() as u64 >= ENDLESS {
        return Err(io::Error::new(ErrorKind::InvalidData, "it does not end within 1 GiB"));
    }
    Ok(())
}

/// Reads a file that says in its beginning how long it is.
///
/// `check` is given the beginning and the length of the file, if it has one.
pub(super) fn checked<E: Into<HostError>>(
    path: &Path,
    check: impl FnOnce(&[u8], Option<u64>) -> Result<(), E>,
) -> Result<Vec<u8>, HostError> {
    let failed = |source| HostError::File { path: path.into(), action: "read", source };
    let (mut file, len) = open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    (&mut file).take(START).read_to_end(&mut bytes).map_err(failed)?;
    check(&bytes, len).map_err(Into::into)?;
    rest(&mut file, len, &mut bytes).map_err(failed)?;
    Ok(bytes)
}

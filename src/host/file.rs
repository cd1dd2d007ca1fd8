//! Files that are written whole or not at all.

use std::{
    borrow::ToOwned,
    fs::{self, File, Metadata},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use tempfile::{Builder, NamedTempFile};

use super::HostError;

/// Writes a file under a temporary name in the same folder, syncs it, and renames it.
///
/// A new file has the permissions that the system gives to new files, one that was there keeps its own. A symbolic link
/// stays, and the file that it leads to is written.
///
/// # Errors
/// [`HostError::File`]; a file of this name is then as it was, and no temporary file is left.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), HostError> {
    write(path, bytes).map_err(|source| HostError::File { path: path.into(), action: "write", source })
}

/// Finds out beforehand whether a file can be written where it shall be.
///
/// # Errors
/// [`HostError::File`] if its folder is not there or cannot be written to, or if something is there that is not a file
/// to be replaced: a folder, a device, a pipe.
pub fn check_writable(path: &Path) -> Result<(), HostError> {
    let tried = target(path).and_then(|(real, before)| temporary_beside(&real, before.as_ref()));
    tried.map(drop).map_err(|source| HostError::File { path: path.into(), action: "write", source })
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (real, before) = target(path)?;
    let mut temporary = temporary_beside(&real, before.as_ref())?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    temporary.persist(&real).map_err(|failed| failed.error)?;
    // The rename itself lasts once its folder is synced, where the system can do that.
    #[cfg(unix)]
    File::open(folder(&real))?.sync_all()?;
    Ok(())
}

/// The file behind all symbolic links, and what is known of it if it is there.
fn target(path: &Path) -> io::Result<(PathBuf, Option<Metadata>)> {
    match fs::metadata(path) {
        Ok(before) if before.is_dir() => Err(ErrorKind::IsADirectory.into()),
        Ok(before) if !before.is_file() => {
            Err(io::Error::new(ErrorKind::InvalidInput, "it is a device or a pipe"))
        }
        Ok(before) => Ok((fs::canonicalize(path)?, Some(before))),
        Err(error) if error.kind() == ErrorKind::NotFound => match fs::read_link(path) {
            // A link to a file that is yet to be written. Links in a circle are another kind of error.
            Ok(link) => target(&folder(path).join(link)),
            Err(_) => Ok((path.to_owned(), None)),
        },
        Err(error) => Err(error),
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(unix)]
fn temporary_beside(path: &Path, before: Option<&Metadata>) -> io::Result<NamedTempFile> {
    use fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    // Temporary files are for their owner alone unless told otherwise; of these bits, the umask takes its share.
    let new = Permissions::from_mode(0o666);
    let temporary =
        Builder::new().prefix(PREFIX).suffix(SUFFIX).permissions(new).tempfile_in(folder(path))?;
    if let Some(before) = before {
        temporary.as_file().set_permissions(Permissions::from_mode(before.permissions().mode() & 0o777))?;
    }
    Ok(temporary)
}

#[cfg(not(unix))]
fn temporary_beside(path: &Path, _: Option<&Metadata>) -> io::Result<NamedTempFile> {
    Builder::new().prefix(PREFIX).suffix(SUFFIX).tempfile_in(folder(path))
}

const PREFIX: &str = ".recurve-";
const SUFFIX: &str = ".tmp";

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::string::ToString;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn permissions_are_those_of_any_other_file() {
        let folder = tempfile::tempdir().unwrap();
        let [plain, whole] = ["plain", "whole"].map(|name| folder.path().join(name));
        fs::write(&plain, "").unwrap();
        write_whole(&whole, b"1").unwrap();
        assert_eq!(mode(&whole), mode(&plain));
        for kept in [0o640, 0o600, 0o777] {
            fs::set_permissions(&whole, fs::Permissions::from_mode(kept)).unwrap();
            write_whole(&whole, b"2").unwrap();
            assert_eq!((mode(&whole), &fs::read(&whole).unwrap()[..]), (kept, &b"2"[..]));
        }
    }

    #[test]
    fn links_lead_to_the_file() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let [first, second] = ["first", "second"].map(|name| here.path().join(name));
        let real = there.path().join("real");
        symlink("second", &first).unwrap();
        symlink(&real, &second).unwrap();
        // Where nothing is at the end yet, and where there is.
        for bytes in [b"1", b"2"] {
            check_writable(&first).unwrap();
            write_whole(&first, bytes).unwrap();
            assert_eq!(fs::read(&real).unwrap(), bytes);
            assert!(fs::symlink_metadata(&first).unwrap().is_symlink());
            assert!(fs::symlink_metadata(&second).unwrap().is_symlink());
        }
    }

    #[test]
    fn only_files_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let circle = folder.path().join("circle");
        symlink("circle", &circle).unwrap();
        for (path, why) in [
            (Path::new("/dev/null"), "a device or a pipe"),
            (folder.path(), "is a directory: give the name of a file"),
            (&circle, "circle"),
        ] {
            for refused in [check_writable(path), write_whole(path, b"")] {
                let error = refused.unwrap_err().to_string();
                assert!(error.contains(why), "{error}");
            }
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

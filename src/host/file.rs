//! Files that are written whole or not at all.

use std::{
    borrow::ToOwned,
    format,
    fs::{self, File, Metadata},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    string::String,
};

use crc::{CRC_32_ISO_HDLC, Crc};
use tempfile::{Builder, NamedTempFile};

use super::HostError;

/// Writes a file under a temporary name in the same folder, syncs it, and renames it.
///
/// A new file has the permissions that the system gives to new files, one that was there keeps its own. A symbolic link
/// stays, and the file that it leads to is written.
///
/// # Errors
/// [`HostError::File`]; a file of this name is then as it was, and no temporary file is left. Those of processes that were
/// killed are deleted when the same file is written again.
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
    // By way of the file: else an error would name the temporary one.
    temporary.as_file_mut().write_all(bytes)?;
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

/// A file of a temporary name in the folder of the one that it will be, with its permissions.
///
/// Its name tells which one that is, and it is locked while it is written: one without a lock has lost its process.
fn temporary_beside(path: &Path, before: Option<&Metadata>) -> io::Result<NamedTempFile> {
    let prefix = prefix(path);
    sweep(folder(path), &prefix);
    // Created here, since temporary files are else for their owner alone.
    let create = |path: &Path| File::options().read(true).write(true).create_new(true).open(path);
    let temporary = Builder::new().prefix(&prefix).suffix(SUFFIX).make_in(folder(path), create)?;
    // Where nothing can be locked, nothing is swept away either.
    let _ = temporary.as_file().try_lock();
    if let Some(before) = before {
        keep_permissions(temporary.as_file(), before)?;
    }
    Ok(temporary)
}

#[cfg(unix)]
fn keep_permissions(file: &File, before: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    file.set_permissions(fs::Permissions::from_mode(before.permissions().mode() & 0o777))
}

#[cfg(not(unix))]
fn keep_permissions(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// What temporary names begin with that will be this file; short, however long its name is.
fn prefix(path: &Path) -> String {
    const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    format!(".recurve-{:08x}-", CRC.checksum(name))
}

/// Deletes what processes that were killed have left behind.
fn sweep(folder: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        let is_ours = name.starts_with(prefix.as_bytes()) && name.ends_with(SUFFIX.as_bytes());
        if is_ours && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            // Another process may have been faster; to write is what matters.
            let _ = fs::remove_file(entry.path());
        }
    }
}

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
    #[test]
    fn what_killed_processes_leave_is_swept_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let [lost, locked] = ["lost", "locked"].map(|name| folder.path().join(prefix(&path) + name + SUFFIX));
        let other = folder.path().join(prefix(Path::new("other")) + "lost" + SUFFIX);
        [&lost, &locked, &other].into_iter().for_each(|path| fs::write(path, "").unwrap());
        let held = File::open(&locked).unwrap();
        held.try_lock().unwrap();
        write_whole(&path, b"1").unwrap();
        assert_eq!([&lost, &locked, &other].map(|path| path.exists()), [false, true, true]);
        drop(held);
        check_writable(&path).unwrap();
        assert!(!locked.exists() && fs::read(&path).unwrap() == b"1");
    }

    #[test]
    fn errors_do_not_name_what_is_temporary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none").join("file");
        for refused in [check_writable(&path), write_whole(&path, b"")] {
            let error = refused.unwrap_err().to_string();
            assert!(error.contains("No such file") && !error.contains(".recurve-"), "{error}");
        }
    }
}

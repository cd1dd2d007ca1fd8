//! Files that a command reads and writes.

use std::path::Path;

use crate::failure::Failure;

/// Refuses one file for two things; each comes with what it is called.
pub fn check_different(files: &[(&str, Option<&Path>)]) -> Result<(), Failure> {
    let given = files.iter().filter_map(|&(name, file)| Some((name, file?)));
    let places: Vec<_> =
        given.map(|(name, file)| (name, file, file.canonicalize().unwrap_or_else(|_| file.into()))).collect();
    for (i, (first, file, place)) in places.iter().enumerate() {
        if let Some((second, ..)) = places[i + 1..].iter().find(|(.., other)| other == place) {
            let message = format!("{first} and {second} are the same file, {}", file.display());
            return Err(Failure::new(message + ": give each a name of its own"));
        }
    }
    Ok(())
}

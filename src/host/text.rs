//! Texts: reading a file, cleaning it, and holding out its end.
//!
//! ```text
//! file ──read──▶ characters ──Clean::apply──▶ characters ──vocabulary──▶ tokens ──split──▶ training, held out
//! file ──read_bytes──▶ bytes ──Clean::apply_bytes──▶ bytes ──▶ …
//! ```
//!
//! # Example
//! ```
//! use recurve::host::text::{self, Clean};
//!
//! let path = std::env::temp_dir().join("recurve-text-example.txt");
//! std::fs::write(&path, "\u{feff}It's 4 o'clock.\n")?;
//! let text = text::read(&path)?;
//! assert_eq!(text, "It's 4 o'clock.\n");
//! let clean = Clean::Letters.apply(&text);
//! assert_eq!(clean, "it s o clock ");
//! assert_eq!(text::split(clean.as_bytes(), 0.5), (&b"it s o"[..], &b" clock "[..]));
//! # std::fs::remove_file(&path)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::fmt;
use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::string::String;
use std::vec::Vec;

use super::error::advice;
pub use crate::clean::Clean;
use crate::clean::letters;

const BYTE_ORDER_MARK: char = '\u{feff}';

impl Clean {
    /// The cleaned text; borrowed if there is nothing to do by definition.
    #[must_use]
    pub fn apply(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::None => Cow::Borrowed(text),
            Self::Letters => Cow::Owned(letters(text.as_bytes()).map(char::from).collect()),
        }
    }

    /// [`apply`](Self::apply) for texts that are read as bytes. On UTF-8 both give the same bytes.
    #[must_use]
    pub fn apply_bytes(self, text: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::None => Cow::Borrowed(text),
            Self::Letters => Cow::Owned(letters(text).collect()),
        }
    }
}

/// Why a file did not become a text.
#[derive(Debug)]
#[non_exhaustive]
pub enum TextError {
    /// The file cannot be opened or read.
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file has no characters (or nothing but a byte-order mark).
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file is not UTF-8.
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Offset in the file of the first byte that is not part of a UTF-8 character.
        offset: usize,
    },
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, source } => {
                let advice = advice("read", source.kind());
                write!(f, "cannot read {}: {source}: {advice}", path.display())
            }
            Self::Empty { path } => write!(f, "{} is empty: give a file that has text", path.display()),
            Self::NotUtf8 { path, offset } => write!(
                f,
                "{} is not UTF-8 at byte offset {offset}: convert it, or have it read as bytes",
                path.display()
            ),
        }
    }
}

impl core::error::Error for TextError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Read { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Reads a file of UTF-8 text, without the byte-order mark that it may start with.
///
/// # Errors
/// [`TextError::Read`] if the file cannot be read, [`TextError::NotUtf8`] if it is not UTF-8,
/// [`TextError::Empty`] if it has no characters.
pub fn read(path: impl AsRef<Path>) -> Result<String, TextError> {
    let path = path.as_ref();
    let mut text = String::from_utf8(read_bytes(path)?).map_err(|error| TextError::NotUtf8 {
        path: path.into(),
        offset: error.utf8_error().valid_up_to(),
    })?;
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len_utf8());
    }
    if text.is_empty() { Err(TextError::Empty { path: path.into() }) } else { Ok(text) }
}

/// Reads all bytes of a file; a byte-order mark is bytes like any other.
///
/// # Errors
/// [`TextError::Read`] if the file cannot be read, [`TextError::Empty`] if it has no bytes.
pub fn read_bytes(path: impl AsRef<Path>) -> Result<Vec<u8>, TextError> {
    let path = path.as_ref();
    match super::read::read(path) {
        Ok(bytes) if bytes.is_empty() => Err(TextError::Empty { path: path.into() }),
        Ok(bytes) => Ok(bytes),
        Err(source) => Err(TextError::Read { path: path.into(), source }),
    }
}

/// Splits tokens into those to train on and those held out: the last `valid` of them.
///
/// Of n tokens, n·`valid` rounded to the nearest integer (halves away from zero) are held out: 17,343 of
/// 173,428 for 0.1. `valid` is in [0, 1). Outside, the split stays in bounds: nothing is held out below 0 and
/// for NaN, everything above 1.
pub fn split<T>(tokens: &[T], valid: f64) -> (&[T], &[T]) {
    let held_out = (tokens.len() as f64 * valid).round() as usize;
    tokens.split_at(tokens.len().saturating_sub(held_out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::error::Error;
    use proptest::prelude::*;
    use std::fs;
    use std::string::ToString;

    /// A file with these bytes, deleted when dropped.
    fn file(bytes: &[u8]) -> tempfile::TempPath {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        file.into_temp_path()
    }

    #[test]
    fn letters_by_hand() {
        let clean = |text| Clean::Letters.apply(text).into_owned();
        assert_eq!(clean("Don't PANIC!\n\n -- 42"), "don t panic ");
        assert_eq!(clean("\n a\r\nb"), " a b");
        assert_eq!(clean("naïve 時 Z@[`{"), "na ve z ");
        assert_eq!(clean("12"), " ");
        assert_eq!(clean(""), "");
        assert_eq!(Clean::Letters.apply_bytes(b"\xffA\x80\x80b"), &b" a b"[..]);
    }

    #[test]
    fn none_borrows() {
        assert!(matches!(Clean::default().apply("A  b"), Cow::Borrowed("A  b")));
        assert!(matches!(Clean::None.apply_bytes(b"\xff"), Cow::Borrowed(b"\xff")));
    }

    #[test]
    fn reads_and_drops_the_byte_order_mark() {
        let path = file("\u{feff}é\u{feff}".as_bytes());
        assert_eq!(read(&path).unwrap(), "é\u{feff}");
        assert_eq!(read_bytes(&path).unwrap().len(), 8);
    }

    #[test]
    fn errors_say_what_and_where() {
        assert!(matches!(read(file(b"")), Err(TextError::Empty { .. })));
        assert!(matches!(read_bytes(file(b"")), Err(TextError::Empty { .. })));
        assert!(matches!(read(file(b"\xef\xbb\xbf")), Err(TextError::Empty { .. })));
        for (bytes, at) in [(&b"abc\xff"[..], 3), (b"\xef\xbb\xbf\xc3", 3), (b"\xe6\x99", 0)] {
            let error = read(file(bytes)).unwrap_err();
            assert!(matches!(error, TextError::NotUtf8 { offset, .. } if offset == at), "{error}");
            assert!(error.to_string().contains("as bytes"));
        }
        let missing = read("no/such/file").unwrap_err();
        assert!(missing.source().is_some());
        assert!(missing.to_string().starts_with("cannot read no/such/file: "));
        assert!(!missing.to_string().contains('\n'));
    }

    #[test]
    fn split_rounds_to_the_nearest() {
        let lengths = |n: usize, valid| {
            let tokens: Vec<()> = std::vec![(); n];
            let (train, held_out) = split(&tokens, valid);
            (train.len(), held_out.len())
        };
        assert_eq!(lengths(173_428, 0.1), (156_085, 17_343));
        // 100 × 0.29 is 28.999… in binary.
        assert_eq!(lengths(100, 0.29), (71, 29));
        assert_eq!(lengths(5, 0.1), (4, 1));
        assert_eq!(lengths(4, 0.1), (4, 0));
        assert_eq!(lengths(0, 0.5), (0, 0));
        assert_eq!([-1.0, 0.0, f64::NAN].map(|valid| lengths(7, valid)), [(7, 0); 3]);
        assert_eq!(lengths(7, f64::INFINITY), (0, 7));
    }

    proptest! {
        #[test]
        fn letters_have_27_symbols_and_single_spaces(text in "(\\PC|[a-zA-Z \n])*") {
            let clean = Clean::Letters.apply(&text);
            prop_assert!(clean.bytes().all(|b| b == b' ' || b.is_ascii_lowercase()));
            prop_assert!(!clean.contains("  "));
            prop_assert_eq!(Clean::Letters.apply(&clean), clean.as_ref());
            let bytes = Clean::Letters.apply_bytes(text.as_bytes());
            prop_assert_eq!(bytes.as_ref(), clean.as_bytes());
        }

        #[test]
        fn split_keeps_every_token(tokens: Vec<u8>, valid in 0.0..1.0) {
            let (train, held_out) = split(&tokens, valid);
            prop_assert_eq!([train, held_out].concat(), tokens);
        }
    }
}

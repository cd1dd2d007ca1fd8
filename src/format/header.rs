//! The header of a model file: where its fields are, and what can be said of a file by its header alone.

use core::num::NonZeroU32;

use crc::{CRC_32_ISO_HDLC, Crc};

use super::{FIRST_VERSION, FormatError, HEADER_BYTES, VERSION};
use crate::clean::Clean;
use crate::vocab::Alphabet;

pub(crate) const MAGIC: &[u8; 8] = b"RECURVE\n";

pub(super) type Header = [u8; HEADER_BYTES];

/// Where each field begins.
pub(super) mod field {
    pub const VERSION: usize = 8;
    pub const CHECKSUM: usize = 12;
    pub const LENGTH: usize = 16;
    pub const CELL: usize = 20;
    pub const ACTIVATION: usize = 21;
    pub const ALPHABET: usize = 22;
    pub const CLEAN: usize = 23;
    pub const INPUTS: usize = 24;
    pub const HIDDEN: usize = 28;
    pub const OUTPUTS: usize = 32;
    pub const SYMBOLS: usize = 36;
    pub const RESET: usize = 40;
    pub const LAYERS: usize = 41;
    pub const WINDOW: usize = 44;
    pub const NORMALIZATION: usize = 56;
}

/// Checks what does not need the body's meaning: magic, version, length and checksum.
pub(super) const fn check(bytes: &[u8]) -> Result<(), FormatError> {
    let header = match check_start(bytes) {
        Ok(header) => header,
        Err(error) => return Err(error),
    };
    let needed = word(header, field::LENGTH) as usize;
    if needed != bytes.len() {
        return Err(FormatError::Length { needed, got: bytes.len() });
    }
    if word(header, field::CHECKSUM) != checksum(bytes) {
        return Err(FormatError::Checksum);
    }
    Ok(())
}

/// The length that a file should have, by what it begins with: a header, if it is a model file of this version.
#[cfg(feature = "std")]
pub(crate) const fn claimed_len(start: &[u8]) -> Result<usize, FormatError> {
    match check_start(start) {
        Ok(header) => Ok(word(header, field::LENGTH) as usize),
        Err(error) => Err(error),
    }
}

/// The header, if its magic and its version are right.
const fn check_start(bytes: &[u8]) -> Result<&Header, FormatError> {
    if cfg!(target_endian = "big") {
        return Err(FormatError::Endianness);
    }
    if !has_magic(bytes) {
        return Err(FormatError::Magic);
    }
    let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else {
        return Err(FormatError::Length { needed: HEADER_BYTES, got: bytes.len() });
    };
    match word(header, field::VERSION) {
        FIRST_VERSION..=VERSION => Ok(header),
        found => Err(FormatError::Version { found }),
    }
}

/// Whether bytes begin as a model file does; of a file that is cut short within that, as far as it goes.
const fn has_magic(bytes: &[u8]) -> bool {
    let mut i = 0;
    while i < MAGIC.len() && i < bytes.len() {
        if bytes[i] != MAGIC[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// The checksum of a whole file: of all that follows the checksum.
pub(super) const fn checksum(bytes: &[u8]) -> u32 {
    const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
    match bytes.split_at_checked(field::LENGTH) {
        Some((_, checked)) => CRC.checksum(checked),
        None => 0,
    }
}

/// The little-endian number at an offset.
pub(super) const fn word(header: &Header, at: usize) -> u32 {
    u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}

/// The values that a forecaster looks back on; only and always a file of version 2 has them.
pub(super) const fn window(header: &Header) -> Result<Option<NonZeroU32>, FormatError> {
    match (word(header, field::VERSION), NonZeroU32::new(word(header, field::WINDOW))) {
        (FIRST_VERSION, None) => Ok(None),
        (VERSION, Some(window)) => Ok(Some(window)),
        _ => Err(FormatError::Field(field::WINDOW)),
    }
}

/// The first byte that has no meaning yet and is not zero.
pub(super) const fn not_zero(header: &Header) -> Option<usize> {
    let mut at = field::LAYERS + 1;
    while at < HEADER_BYTES {
        let has_meaning = at == field::NORMALIZATION || (at >= field::WINDOW && at < field::WINDOW + 4);
        if !has_meaning && header[at] != 0 {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// What the symbols of the vocabulary are.
pub(super) const fn alphabet(header: &Header) -> Result<Alphabet, FormatError> {
    match header[field::ALPHABET] {
        0 => Ok(Alphabet::Chars),
        1 => Ok(Alphabet::Bytes),
        _ => Err(FormatError::Field(field::ALPHABET)),
    }
}

/// The cleaning that texts need.
pub(super) const fn clean(header: &Header) -> Result<Clean, FormatError> {
    match header[field::CLEAN] {
        0 => Ok(Clean::None),
        1 => Ok(Clean::Letters),
        _ => Err(FormatError::Field(field::CLEAN)),
    }
}

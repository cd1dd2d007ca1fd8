//! Checkpoints: a run that was stopped goes on as if it never had been, and ends in the same bits.
//!
//! [`Trainer::checkpoint`](super::Trainer::checkpoint) makes one, [`Trainer::resume`](super::Trainer::resume) goes on from
//! it. It holds what a step changes, and what must be the same in the run that goes on: the text, the layers, the
//! settings. The masks of dropout and the order of the text follow from the seed and the number of steps and epochs. The
//! number of threads may be another.
//!
//! All numbers are little-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 0–7 | magic, `RECURVEC` |
//! | 8–11 | version, 1 |
//! | 12–15 | CRC-32 (ISO-HDLC) of all bytes from 16 on |
//! | 16–23 | bytes of the whole file |
//! | 24–27, 28–31 | bytes of the facts, bytes of the notes |
//! | 32–39, 40–47 | epochs, steps |
//! | 48–55 | learning rate, `f32`, then zero |
//! | 56–63 | 1 if an epoch has been completed, 2 if a text was offered, 3 for both |
//! | 64–79 | the epoch so far: sum of losses and what rounding took from it, `f32`; its tokens |
//! | 80–95 | the last epoch, alike |
//! | 96–119 | the best so far: perplexity and training perplexity, `f32`; steps; epochs |
//! | then | facts, then notes: UTF-8 |
//! | the rest | weights, state, the optimiser's state, the best weights if they are kept: `f32` |
//!
//! # Example
//! ```
//! # use recurve::cell::{ActivationKind, AnyCell, CellKind};
//! # use recurve::host::{AnyOptimizer, Network, Settings, Trainer, checkpoint::Checkpoint, text::Clean};
//! # use recurve::{Sgd, vocab::Alphabet};
//! # let cell = AnyCell::new(CellKind::Elman, ActivationKind::Tanh, 2, 8);
//! # let network = || Network::new(cell, vec![97, 98], Alphabet::Chars, Clean::None);
//! # let settings = Settings::new(1, 4, AnyOptimizer::Sgd(Sgd { lr: 0.1, momentum: 0.9 }));
//! # let tokens = [0, 1, 1, 0, 1, 0, 1, 1, 0, 0, 0, 0, 1];
//! # let (mut first, mut second) = (network()?, network()?);
//! # first.init(1);
//! let mut trainer = Trainer::new(&mut first, &tokens, settings)?;
//! trainer.step()?;
//! let bytes = trainer.checkpoint("")?.bytes().to_vec(); // or write it to a file
//! trainer.step()?;
//!
//! let mut resumed = Trainer::new(&mut second, &tokens, settings)?;
//! resumed.resume(&Checkpoint::from_bytes(bytes)?)?;
//! resumed.step()?;
//! assert_eq!(first.params(), second.params());
//! # Ok::<(), recurve::host::HostError>(())
//! ```

mod error;
mod facts;
mod position;

pub use error::{CheckpointError, Difference};
pub use facts::{check_same, describe};
pub(super) use {facts::facts, position::Position};

use std::{borrow::ToOwned, path::Path, vec::Vec};

use crc::{CRC_32_ISO_HDLC, Crc};

use super::{HostError, read, write_whole};
use crate::format;

pub(super) const MAGIC: &[u8; 8] = b"RECURVEC";
/// The version that this crate writes and reads.
const VERSION: u32 = 1;
/// Where the bytes begin that the checksum is of.
const CHECKED: usize = 16;
/// Bytes before the position.
const PREFIX: usize = 32;
/// Bytes before the facts.
const HEADER: usize = PREFIX + position::BYTES;

/// A run, as it stood between two steps. Two are equal if their bytes are.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    bytes: Vec<u8>,
    position: Position,
    /// Where the notes begin, and where they end.
    notes: (usize, usize),
}

impl Checkpoint {
    /// Lays out a checkpoint; the texts must be shorter than 4 GB.
    pub(super) fn new(
        position: Position,
        facts: &str,
        notes: &str,
        floats: [&[f32]; 4],
    ) -> Result<Self, HostError> {
        let start = HEADER.saturating_add(facts.len());
        let end = start.saturating_add(notes.len());
        let floats_len = floats.iter().fold(0, |sum: usize, part| sum.saturating_add(size_of_val(*part)));
        let needed = end.saturating_add(floats_len);
        let lengths = [facts, notes].map(|text| u32::try_from(text.len()));
        let [Ok(facts_len), Ok(notes_len)] = lengths else { return Err(too_large(needed)) };
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(needed).map_err(|_| too_large(needed))?;
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&(needed as u64).to_le_bytes());
        bytes.extend_from_slice(&facts_len.to_le_bytes());
        bytes.extend_from_slice(&notes_len.to_le_bytes());
        bytes.extend_from_slice(&position.emit());
        bytes.extend_from_slice(facts.as_bytes());
        bytes.extend_from_slice(notes.as_bytes());
        floats.into_iter().flatten().for_each(|float| bytes.extend_from_slice(&float.to_le_bytes()));
        let checksum = checksum(&bytes);
        bytes[12..CHECKED].copy_from_slice(&checksum.to_le_bytes());
        Ok(Self { bytes, position, notes: (start, end) })
    }

    /// Takes the bytes of a checkpoint. Nothing is allocated for what they say of themselves.
    ///
    /// # Errors
    /// [`HostError::Checkpoint`] if they are none, or were cut short or altered.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, HostError> {
        Ok(Self::parse(bytes)?)
    }

    fn parse(bytes: Vec<u8>) -> Result<Self, CheckpointError> {
        let header = check(&bytes)?;
        let [facts, notes] = [24, 28].map(|at| number(header, at) as usize);
        let start = HEADER.saturating_add(facts);
        let end = start.saturating_add(notes);
        let texts = bytes.get(HEADER..start).zip(bytes.get(start..end));
        let (facts, notes) = texts.ok_or(CheckpointError::Field("the length of its texts"))?;
        if str::from_utf8(facts).and(str::from_utf8(notes)).is_err() {
            return Err(CheckpointError::Field("a text of it"));
        }
        let position = Position::parse(header.split_at(PREFIX).1)?;
        Ok(Self { bytes, position, notes: (start, end) })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`HostError::File`] if it cannot be read, [`HostError::Checkpoint`] if it is no checkpoint, or was cut short or
    /// altered.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, HostError> {
        let path = path.as_ref();
        let start = |start: &[u8], len| check_start(start, len).map(drop);
        let read = read::checked(path, start).and_then(Self::from_bytes);
        read.map_err(|error| error.of_checkpoint(path))
    }

    /// Writes a file, whole or not at all: under a temporary name beside it, synced, then renamed. Whenever the process or
    /// the power fails, a file of this name is this checkpoint or the one before.
    ///
    /// # Errors
    /// [`HostError::File`] if it cannot be written; a file of this name is then as it was.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), HostError> {
        write_whole(path.as_ref(), &self.bytes)
    }

    /// The bytes of the file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Steps that the run had taken.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.position.steps
    }

    /// What the caller wanted to be kept.
    #[must_use]
    pub fn notes(&self) -> &str {
        self.text(self.notes.0, self.notes.1)
    }

    pub(super) fn facts(&self) -> &str {
        self.text(HEADER, self.notes.0)
    }

    fn text(&self, start: usize, end: usize) -> &str {
        self.bytes.get(start..end).and_then(|text| str::from_utf8(text).ok()).unwrap_or_default()
    }

    pub(super) const fn position(&self) -> Position {
        self.position
    }

    /// All floats as bytes.
    pub(super) fn floats(&self) -> &[u8] {
        self.bytes.get(self.notes.1..).unwrap_or_default()
    }
}

impl PartialEq for Checkpoint {
    /// All else is read from the bytes, and of that a figure may be NaN.
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Checkpoint {}

fn too_large(needed: usize) -> HostError {
    HostError::Memory { needed, available: None }
}

/// Checks what does not need the body's meaning: magic, version, length and checksum.
fn check(bytes: &[u8]) -> Result<&[u8; HEADER], CheckpointError> {
    let header = check_start(bytes, Some(bytes.len() as u64))?;
    if number(header, 12) != checksum(bytes) { Err(CheckpointError::Checksum) } else { Ok(header) }
}

/// The header of what begins like this and has this length, if it has one; all but the checksum is right.
fn check_start(start: &[u8], len: Option<u64>) -> Result<&[u8; HEADER], CheckpointError> {
    if !start.starts_with(MAGIC) {
        let is_model = start.starts_with(format::MAGIC);
        return Err(if is_model { CheckpointError::Model } else { CheckpointError::Magic });
    }
    let (needed, got) = (HEADER as u64, start.len() as u64);
    let header = start.first_chunk().ok_or(CheckpointError::Length { needed, got })?;
    match number(header, 8) {
        VERSION => {}
        found => return Err(CheckpointError::Version { found }),
    }
    let needed = u64::from(number(header, 16)) | u64::from(number(header, 20)) << 32;
    match len {
        Some(got) if got != needed => Err(CheckpointError::Length { needed, got }),
        _ => Ok(header),
    }
}

/// The checksum of a whole file.
fn checksum(bytes: &[u8]) -> u32 {
    const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
    CRC.checksum(bytes.get(CHECKED..).unwrap_or_default())
}

/// The little-endian number at an offset.
const fn number(header: &[u8; HEADER], at: usize) -> u32 {
    u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}

impl HostError {
    /// The same of a checkpoint that was read from this file.
    fn of_checkpoint(self, path: &Path) -> Self {
        match self {
            Self::Checkpoint { source, .. } => Self::Checkpoint { path: path.to_owned(), source },
            error => error,
        }
    }
}

#[cfg(test)]
mod tests;

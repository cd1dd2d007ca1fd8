//! Why a run cannot go on from a checkpoint.

use core::fmt;
use std::{boxed::Box, string::String};

use crate::host::Shown;

/// Why bytes are not a checkpoint, or not one of this run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The bytes do not begin as a checkpoint does.
    Magic,
    /// It is a model file.
    Model,
    /// It is of another version.
    Version {
        /// Its version.
        found: u32,
    },
    /// It has another length than it says: it was cut short, or something follows it.
    Length {
        /// The length that it should have.
        needed: u64,
        /// The length that it has.
        got: u64,
    },
    /// The checksum is another: it was altered.
    Checksum,
    /// Something that it says has no meaning, or does not fit the rest.
    Field(&'static str),
    /// Not all of its weights and of what training remembers are finite: the run had diverged.
    NotFinite,
    /// It is of a run with another text, other sizes or other settings.
    Different(Box<Difference>),
}

/// What two runs do not have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// What differs, such as "batch".
    pub what: String,
    /// What it was in the run that the checkpoint is of.
    pub then: String,
    /// What it is in this run.
    pub now: String,
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic => f.write_str("it is not a checkpoint"),
            Self::Model => f.write_str(
                "it is a model file, not a checkpoint: recurve train --init goes on from its weights",
            ),
            Self::Version { found } => {
                write!(
                    f,
                    "it is a checkpoint of version {found}; this build reads version {}",
                    super::VERSION
                )
            }
            Self::Length { needed, got } => write!(
                f,
                "a checkpoint of {needed} bytes was expected, there are {got}: it was cut short or altered"
            ),
            Self::Checksum => f.write_str("the checksum does not match: the checkpoint was altered"),
            Self::Field(what) => write!(f, "{what} makes no sense"),
            Self::NotFinite => f.write_str("the weights, or what training remembers, are not finite"),
            Self::Different(difference) => difference.fmt(f),
        }
    }
}

/// Characters before the first that differs which are shown at most.
const COMMON: usize = 40;
/// Characters that are looked at to be shown.
const SHOWN: usize = 200;

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, then, now } = self;
        let common = then.chars().zip(now.chars()).take_while(|(then, now)| then == now).count();
        let skipped = common.saturating_sub(COMMON);
        let rest = |words: &str| words.chars().skip(skipped).take(SHOWN).collect::<String>();
        let (what, then, now) = (Shown(what), rest(then), rest(now));
        let (then, now, dots) = (Shown(&then), Shown(&now), if skipped > 0 { "..." } else { "" });
        write!(
            f,
            "its run had {what} {dots}{then}, this one has {dots}{now}: go on with what it was begun with, or \
             begin anew"
        )
    }
}

impl core::error::Error for CheckpointError {}

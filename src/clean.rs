//! What is done to a text before it becomes tokens. A model file remembers it, for texts and prefixes to come.

use core::{fmt, str::FromStr};

/// A way of cleaning. By name: `none` and `letters`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Clean {
    /// The text as it is.
    #[default]
    None,
    /// Every run of characters other than A–Z and a–z becomes one space, and letters become lower-case: 27
    /// symbols.
    ///
    /// Runs go across lines, and a run at the start or the end of the text becomes a space like any other.
    /// Letters beyond ASCII belong to the runs: `é` is a space. Cleaning twice is cleaning once.
    Letters,
}

impl Clean {
    /// Every way of cleaning, in the order of the documentation.
    pub const ALL: &[Self] = &[Self::None, Self::Letters];

    /// The name that [`FromStr`] reads and [`Display`](fmt::Display) writes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Letters => "letters",
        }
    }
}

/// [`Clean::Letters`] on the bytes of a text, without memory:
///
/// ```
/// let clean: heapless::String<16> = recurve::clean::letters(b"It's 4 o'clock").map(char::from).collect();
/// assert_eq!(clean, "it s o clock");
/// ```
///
/// Of a UTF-8 character beyond ASCII no byte is a letter, so a run of characters is a run of bytes.
pub fn letters(text: &[u8]) -> impl Iterator<Item = u8> {
    let mut in_run = false;
    text.iter().filter_map(move |&byte| letter(&mut in_run, byte))
}

/// [`letters`] where they are: a text becomes no longer by being cleaned.
#[cfg(feature = "std")]
pub(crate) fn make_letters(text: &mut std::vec::Vec<u8>) {
    let mut in_run = false;
    text.retain_mut(|byte| match letter(&mut in_run, *byte) {
        Some(letter) => {
            *byte = letter;
            true
        }
        None => false,
    });
}

/// What a byte becomes, after one that was in a run or not.
fn letter(in_run: &mut bool, byte: u8) -> Option<u8> {
    let first = !*in_run;
    *in_run = !byte.is_ascii_alphabetic();
    if *in_run { first.then_some(b' ') } else { Some(byte.to_ascii_lowercase()) }
}

impl fmt::Display for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Clean {
    type Err = UnknownClean;

    fn from_str(name: &str) -> Result<Self, UnknownClean> {
        Self::ALL.iter().copied().find(|clean| clean.name() == name).ok_or(UnknownClean)
    }
}

/// The name is not that of a [`Clean`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownClean;

impl fmt::Display for UnknownClean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown cleaning: choose none or letters")
    }
}

impl core::error::Error for UnknownClean {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for &clean in Clean::ALL {
            assert_eq!(clean.name().parse(), Ok(clean));
        }
        assert_eq!("Letters".parse::<Clean>(), Err(UnknownClean));
    }
}

//! Words from outside, in messages.

use core::fmt;
use std::string::String;

/// Characters that are written, but for three dots.
const MOST: usize = 80;

/// Words that come from outside, as messages quote them: on one line, and not endless.
///
/// As much is shown as 80 characters hold. Control characters, ends of lines of any kind, and what turns the direction of
/// writing are escaped.
///
/// ```
/// use recurve::host::Shown;
///
/// assert_eq!(Shown("größe").to_string(), "größe");
/// assert_eq!(Shown("a\nb\u{1b}[2J").to_string(), "a\\nb\\u{1b}[2J");
/// assert_eq!(Shown(&"long".repeat(1000)).to_string().len(), 83);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut room = MOST;
        for c in self.0.chars() {
            let written: String = if is_unseen(c) { c.escape_default().collect() } else { c.into() };
            let Some(left) = room.checked_sub(written.chars().count()) else { return f.write_str("...") };
            room = left;
            f.write_str(&written)?;
        }
        Ok(())
    }
}

/// Whether a character does something to a terminal or to a line, rather than being seen.
fn is_unseen(c: char) -> bool {
    let ends_line = matches!(c, '\u{2028}' | '\u{2029}');
    let turns =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || ends_line || turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn what_is_not_seen_is_escaped() {
        for (text, shown) in [
            ("", ""),
            ("'\"\\ é \u{301} 时", "'\"\\ é \u{301} 时"),
            ("\0\r\t\u{7f}\u{85}", r"\u{0}\r\t\u{7f}\u{85}"),
            ("a\u{2028}\u{2029}\u{202e}\u{2066}\u{200f}", r"a\u{2028}\u{2029}\u{202e}\u{2066}\u{200f}"),
        ] {
            assert_eq!(Shown(text).to_string(), shown);
        }
    }

    #[test]
    fn characters_are_counted_not_bytes() {
        let all = "é".repeat(80);
        assert_eq!(Shown(&all).to_string(), all);
        assert_eq!(Shown(&(all.clone() + "!")).to_string(), all + "...");
        assert_eq!(Shown(&"\0".repeat(80)).to_string(), "\\u{0}".repeat(16) + "...");
    }
}

//! Lines of words and numbers for the script to read. `core::fmt` would bring panic paths and kilobytes of code.

use heapless::String;

use crate::Board;

/// Where the lines go, and the line that is being written.
pub struct Report<'a> {
    pub board: &'a mut dyn Board,
    line: String<160>,
}

impl<'a> Report<'a> {
    pub fn new(board: &'a mut dyn Board) -> Self {
        Self { board, line: String::new() }
    }

    /// A word, after a space unless it is the first.
    pub fn word(&mut self, word: &str) -> &mut Self {
        if !self.line.is_empty() {
            self.push(" ");
        }
        self.push(word)
    }

    /// A number in decimal.
    pub fn number(&mut self, mut number: u64) -> &mut Self {
        let mut digits = [b'0'; 20];
        for digit in digits.iter_mut().rev() {
            // The remainder of ten is a single digit.
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
        let first = digits.iter().position(|&digit| digit != b'0').unwrap_or(digits.len() - 1);
        let digits = digits.get(first..).unwrap_or_default();
        self.word(core::str::from_utf8(digits).unwrap_or_default())
    }

    /// Eight digits in base 16.
    pub fn hex(&mut self, number: u32) -> &mut Self {
        let digits: [u8; 8] = core::array::from_fn(|i| {
            let nibble = (number >> (28 - 4 * i)) as u8 & 15;
            if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
        });
        self.word(core::str::from_utf8(&digits).unwrap_or_default())
    }

    /// A number that is not negative, in thousandths.
    pub fn milli(&mut self, x: f32) -> &mut Self {
        self.number((1000.0 * x) as u64)
    }

    /// Sends the line.
    pub fn end(&mut self) {
        self.push("\n");
        self.board.write(&self.line);
        self.line.clear();
    }

    fn push(&mut self, text: &str) -> &mut Self {
        // A line that is too long is cut, and then not understood by the script.
        let _ = self.line.push_str(text);
        self
    }
}

//! What the targets share: choices drawn from bytes, networks made of them, and model files whose checksum is right again.

pub mod made;

use crc::{CRC_32_ISO_HDLC, Crc};

/// Bytes that choices and numbers are drawn from; zeros once they are used up.
pub struct Source<'a>(pub &'a [u8]);

impl<'a> Source<'a> {
    pub fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((&first, rest)) => {
                self.0 = rest;
                first
            }
            None => 0,
        }
    }

    /// A number from 0 to below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit
    }

    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    pub fn word(&mut self) -> u32 {
        u32::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    /// A number that training meets, one at the edge of what there is, or any bits.
    pub fn float(&mut self) -> f32 {
        const EDGES: [f32; 12] = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            f32::MAX,
            f32::MIN,
            f32::MIN_POSITIVE,
            1e-45,
            1e19,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::NAN,
        ];
        match self.byte() {
            0xff => f32::from_bits(self.word()),
            edge @ 0xf0..0xfc => EDGES[usize::from(edge - 0xf0)],
            small => (f32::from(small) - 120.0) / 64.0,
        }
    }

    pub fn floats(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.float()).collect()
    }

    /// Tokens of so many symbols; hardly ever one of more.
    pub fn tokens(&mut self, count: usize, symbols: usize) -> Vec<u16> {
        let token = |byte: u8| if byte == 0xff { u16::MAX } else { u16::from(byte) % symbols as u16 };
        (0..count).map(|_| token(self.byte())).collect()
    }
}

/// Whether a message is one line of words that are seen, and not endless, whatever it quotes.
pub fn assert_line(message: &str) {
    let is_line = !message.is_empty() && !message.contains(char::is_control);
    assert!(is_line && message.chars().count() < 1000, "{message}");
}

/// The checksum that model files and checkpoints have of their bytes from the sixteenth on.
pub fn checksum(bytes: &[u8]) -> u32 {
    const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
    CRC.checksum(bytes)
}

/// The bytes of a model file, at an address that is a multiple of four.
pub struct Aligned {
    words: Vec<u32>,
    len: usize,
}

impl Aligned {
    /// The first byte says whether the length and the checksum of what follows are made right: else nothing would ever
    /// get past them.
    pub fn new(data: &[u8]) -> Self {
        let (mend, data) = data.split_first().map_or((0, data), |(&mend, data)| (mend, data));
        let mut words = vec![0; data.len().div_ceil(4)];
        let bytes = &mut bytemuck::cast_slice_mut(&mut words)[..data.len()];
        bytes.copy_from_slice(data);
        if mend & 1 == 1 && bytes.len() >= 20 {
            bytes[16..20].copy_from_slice(&(data.len() as u32).to_le_bytes());
            let sum = checksum(&bytes[16..]);
            bytes[12..16].copy_from_slice(&sum.to_le_bytes());
        }
        Self { words, len: data.len() }
    }

    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }
}

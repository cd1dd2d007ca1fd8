//! FNV-1a over the bits of floats.

pub struct Hash(pub u32);

impl Hash {
    pub const fn new() -> Self {
        Self(0x811c_9dc5)
    }

    pub fn add(&mut self, floats: &[f32]) {
        for byte in floats.iter().flat_map(|x| x.to_bits().to_le_bytes()) {
            self.0 = (self.0 ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    }
}

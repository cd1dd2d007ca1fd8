//! Aligned memory from the heap, zeroed where it lies, with an error where there is none.

use core::ops::{Deref, DerefMut};
use std::boxed::Box;

use bytemuck::{allocation::try_zeroed_slice_box, cast_slice, cast_slice_mut};

use super::HostError;

/// A cache line of floats.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([f32; 16]);

// SAFETY: an array of floats; all zero bits are a value.
#[expect(unsafe_code, reason = "plain data")]
unsafe impl bytemuck::Zeroable for Line {}

// SAFETY: 64 bytes aligned to 64, all of them an array of floats: no padding, any bits are a value.
#[expect(unsafe_code, reason = "plain data")]
unsafe impl bytemuck::Pod for Line {}

/// A boxed slice of `f32` that begins at a multiple of 64 bytes.
#[derive(Clone, Debug, Default)]
pub struct Buffer {
    lines: Box<[Line]>,
    len: usize,
}

impl Buffer {
    /// `len` zeros.
    ///
    /// # Errors
    /// [`HostError::Memory`] if there is no memory for so many.
    pub fn zeroed(len: usize) -> Result<Self, HostError> {
        let lines = try_zeroed_slice_box(len.div_ceil(16))
            .map_err(|()| HostError::Memory { needed: len.saturating_mul(4), available: None })?;
        Ok(Self { lines, len })
    }

    /// The floats as bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        cast_slice(self)
    }

    /// The floats as bytes, to be changed.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        cast_slice_mut(self)
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &cast_slice(&self.lines)[..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut cast_slice_mut(&mut self.lines)[..self.len]
    }
}

/// Bytes of memory that the system can give without pushing others out, where it says so.
pub(super) fn available() -> Option<usize> {
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.parse::<usize>().ok()?.checked_mul(1024)
}

/// Refuses work that needs more bytes than there are: the system might promise them and stop the program later.
pub(super) fn check_available(needed: usize) -> Result<(), HostError> {
    match available() {
        Some(available) if needed > available => {
            Err(HostError::Memory { needed, available: Some(available) })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligned_zeros() {
        for len in [0, 1, 16, 1000] {
            let buffer = Buffer::zeroed(len).unwrap();
            assert_eq!(buffer.len(), len);
            assert!(buffer.iter().all(|&x| x == 0.0));
            assert_eq!(buffer.as_ptr().align_offset(64), 0);
        }
    }

    #[test]
    fn too_much_is_an_error() {
        assert!(matches!(Buffer::zeroed(usize::MAX), Err(HostError::Memory { .. })));
        assert!(
            matches!(check_available(usize::MAX), Err(HostError::Memory { .. })) || available().is_none()
        );
    }
}

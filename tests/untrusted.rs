//! Bytes from anywhere: files that claim more than they have are refused at once and take no memory, every flipped bit
//! and every truncation is refused, and a compiler includes what is read at run time and nothing else.
#![cfg(feature = "std")]

#[path = "untrusted/included.rs"]
mod included;
#[path = "untrusted/large.rs"]
mod large;
#[path = "untrusted/memory.rs"]
mod memory;

#[cfg(feature = "cli")]
#[path = "../src/bin/recurve/forecast/column.rs"]
mod column;
#[cfg(feature = "cli")]
#[path = "../src/bin/recurve/failure.rs"]
#[allow(dead_code, reason = "a column needs a part of it")]
mod failure;

/// The bytes of a model of 3 symbols and 4 hidden units.
const ABC: &[u8] = include_bytes!("data/abc.rcv");

/// A file with its length and its checksum made right.
fn mended(mut file: Vec<u8>) -> Vec<u8> {
    let len = u32::try_from(file.len()).unwrap();
    file[16..20].copy_from_slice(&len.to_le_bytes());
    let sum = checksum(&file[16..]);
    file[12..16].copy_from_slice(&sum.to_le_bytes());
    file
}

/// That of model files and checkpoints.
fn checksum(bytes: &[u8]) -> u32 {
    crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(bytes)
}

/// The file with some bytes changed and its checksum made right again.
fn altered(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = ABC.to_vec();
    file[at..at + bytes.len()].copy_from_slice(bytes);
    mended(file)
}

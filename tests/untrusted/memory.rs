//! What refusing a file takes: hardly any time, and no memory for what it claims.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

use recurve::format::ModelFile;
use recurve::host::checkpoint::Checkpoint;
use recurve::host::{Corpus, Network, text};

use super::{altered, checksum, mended};

/// The system's memory, of which each thread counts its own.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    let held = HELD.get() + bytes;
    HELD.set(held);
    PEAK.set(PEAK.get().max(held));
}

// SAFETY: every call is passed on as it is to the system's allocator, which keeps the contract; counting allocates nothing.
#[expect(unsafe_code, reason = "an allocator that counts")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        // SAFETY: as above; all memory came from the system's allocator.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Bytes that a refusal may hold beside the file.
pub const LIMIT: usize = 16 << 20;

/// The most bytes that were held at once, and why something was refused.
pub fn peak<T, E: std::fmt::Display>(f: impl FnOnce() -> Result<T, E>) -> (usize, String) {
    let before = HELD.get();
    PEAK.set(before);
    let refusal = f().err().expect("a refusal").to_string();
    (usize::try_from(PEAK.get() - before).unwrap(), refusal)
}

/// Refused within the time and the memory that a liar may take, whose file is small.
fn refused<T, E: std::fmt::Display>(f: impl FnOnce() -> Result<T, E>) {
    let start = Instant::now();
    let (peak, refusal) = peak(f);
    assert!(start.elapsed() < Duration::from_secs(2), "{refusal}: {:?}", start.elapsed());
    assert!(peak < LIMIT, "{refusal}: {peak} bytes");
}

#[test]
fn allocations_are_counted() {
    let before = HELD.get();
    PEAK.set(before);
    drop(std::hint::black_box(vec![0_u8; 1000]));
    assert!(PEAK.get() - before >= 1000 && HELD.get() == before);
}

#[test]
fn model_files() {
    // Forty bytes, whose header is longer.
    let short = altered(16, &u32::MAX.to_le_bytes())[..40].to_vec();
    refused(|| Network::from_bytes(&short));
    refused(|| Network::from_bytes(&mended(short.clone())));
    // Four gigabytes by length, inputs, hidden units, outputs and symbols, alone or all of them.
    let huge = u32::MAX.to_le_bytes();
    let header = super::ABC[..64].to_vec();
    for places in [&[16][..], &[24], &[28], &[32], &[36], &[24, 28, 32, 36]] {
        let mut file = header.clone();
        places.iter().for_each(|&at| file[at..at + 4].copy_from_slice(&huge));
        refused(|| Network::from_bytes(&file));
        refused(|| Network::from_bytes(&mended(file.clone())));
        refused(|| ModelFile::parse(&mended(file.clone())).map(|_| ()));
    }
    // Nine layers of them, and more layers than there are bytes.
    let mut deep = header;
    deep[41] = 8;
    deep.extend([[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]; 8].as_flattened());
    refused(|| Network::from_bytes(&mended(deep.clone())));
    refused(|| Network::from_bytes(&altered(41, &[255])));
}

#[test]
fn checkpoints() {
    // Forty bytes, and a header, that claim four gigabytes and more: in all, or of texts alone.
    for (len, place) in [(40, 16..24), (120, 16..24), (120, 24..28), (120, 28..32)] {
        let mut file = [&b"RECURVEC\x01"[..], &[0; 111]].concat()[..len].to_vec();
        file[16..24].copy_from_slice(&(len as u64).to_le_bytes());
        file[place].fill(0xff);
        let sum = checksum(&file[16..]);
        file[12..16].copy_from_slice(&sum.to_le_bytes());
        refused(|| Checkpoint::from_bytes(file));
    }
}

#[test]
fn texts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text");
    // A character that claims four bytes and is the last one.
    let mut bytes = vec![b'a'; 39];
    bytes.push(0xf4);
    std::fs::write(&path, &bytes).unwrap();
    refused(|| text::read(&path));
    // All characters that there are: more than a vocabulary has room for.
    let all: String = ('\0'..=char::MAX).collect();
    refused(|| Corpus::Chars(all).vocabulary());
}

#[cfg(feature = "safetensors")]
#[test]
fn weights_and_vocabularies() {
    use recurve::host::safetensors::{Import, Vocabulary};

    let file = |length: u64, header: &str| [&length.to_le_bytes()[..], header.as_bytes()].concat();
    let mut longest = file(4 << 30, "{}");
    longest.resize(40, b' ');
    refused(|| Import::default().network(&longest));
    for shape in ["[1073741824]", "[32768,32768]", "[4294967296,4294967296]"] {
        let header = format!(
            r#"{{"rnn.weight_ih_l0":{{"dtype":"F32","shape":{shape},"data_offsets":[0,4294967296]}}}}"#
        );
        refused(|| Import::default().network(&file(header.len() as u64, &header)));
    }
    // A megabyte of brackets, of commas, of one string, of numbers.
    const MANY: usize = 1 << 20;
    for json in ["[".repeat(MANY), ",".repeat(MANY), format!("[\"{}", "a".repeat(MANY))] {
        refused(|| Vocabulary::from_json(&json));
        refused(|| Import::default().network(&file(json.len() as u64, &json)));
    }
    let numbers = format!("[0{}]", ",1".repeat(MANY));
    refused(|| Vocabulary::from_json(&numbers));
}

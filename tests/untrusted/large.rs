//! Large files of every format, refused for every reason: at no time is more held than the file and 16 MB.

use std::fmt::Display;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use recurve::host::checkpoint::Checkpoint;
use recurve::host::{Corpus, Network, text};
use recurve::vocab::{Alphabet, Symbols};

use super::checksum;
use super::memory::{LIMIT, peak};

/// The length of files that are refused for what they begin with: no more than that is read.
const HUGE: usize = 64 << 20;
/// The length of those that are read to their end: twice of it would be too much.
const LARGE: usize = 18 << 20;

/// A file that is deleted in the end.
fn file(parts: &[&[u8]]) -> tempfile::TempPath {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    parts.iter().for_each(|part| file.write_all(part).unwrap());
    file.into_temp_path()
}

/// A file that begins like this, and then has zeros that take no room on the disk.
fn sparse(start: &[u8], len: usize) -> tempfile::TempPath {
    let path = file(&[start]);
    File::options().write(true).open(&path).unwrap().set_len(len as u64).unwrap();
    path
}

/// The file is refused for this reason, and with it no more is held than may be.
fn refused<T, E: Display>(path: &Path, why: &str, f: impl FnOnce(&Path) -> Result<T, E>) {
    let len = usize::try_from(path.metadata().unwrap().len()).unwrap();
    let (peak, refusal) = peak(|| f(path));
    assert!(refusal.contains(why), "{why:?} in {refusal:?}");
    assert!(peak < len + LIMIT, "{refusal}: {peak} bytes for {len}");
}

/// Refused before there is room for the file itself.
fn refused_at_once<T, E: Display>(path: &Path, why: &str, f: impl FnOnce(&Path) -> Result<T, E>) {
    let (peak, refusal) = peak(|| f(path));
    assert!(refusal.contains(why), "{why:?} in {refusal:?}");
    assert!(peak < 1 << 16, "{refusal}: {peak} bytes");
}

/// A header with some numbers changed.
fn header<const N: usize>(mut header: [u8; N], numbers: &[(usize, usize)]) -> [u8; N] {
    for &(at, number) in numbers {
        header[at..at + 4].copy_from_slice(&u32::try_from(number).unwrap().to_le_bytes());
    }
    header
}

/// The same, and zeros up to this length, with the checksum that belongs to them.
fn mended(start: &[u8], len: usize) -> Vec<u8> {
    let mut bytes = start.to_vec();
    bytes.resize(len, 0);
    let sum = checksum(&bytes[16..]);
    bytes[12..16].copy_from_slice(&sum.to_le_bytes());
    bytes
}

#[test]
fn model_files() {
    let start = |numbers: &[(usize, usize)]| header(*super::ABC.first_chunk::<64>().unwrap(), numbers);
    let read = |path: &Path| Network::read(path);
    refused_at_once(&sparse(b"", HUGE), "not a model file", read);
    refused_at_once(&sparse(&start(&[(8, 7)]), HUGE), "version 7", read);
    refused_at_once(&sparse(&start(&[(16, HUGE / 2)]), HUGE), "cut short or altered", read);
    refused(&sparse(&start(&[(16, LARGE)]), LARGE), "checksum", read);
    // With the right checksum: a cell that there is not, a file of readings, and a vocabulary of zeros.
    let words = LARGE / 4 - 16;
    let readings = [(16, LARGE), (24, words - 4), (28, 1), (32, 1), (36, 0)];
    let (symbols, hidden) = (1000, 1400);
    let len = 64 + 4 * (2 * symbols * hidden + hidden * hidden + hidden + 2 * symbols);
    let zeros = [(16, len), (24, symbols), (28, hidden), (32, symbols), (36, symbols)];
    for (numbers, len, why) in [
        (&[(16, LARGE), (20, 9)][..], LARGE, "at byte 20"),
        (&readings, LARGE, "no vocabulary"),
        (&zeros, len, "symbol 1 of the vocabulary"),
        (&[(16, LARGE - 1)], LARGE - 1, "at byte"),
    ] {
        let bytes = mended(&start(numbers), len);
        refused(&file(&[&bytes]), why, read);
        let (peak, _) = peak(|| Network::from_bytes(&bytes));
        assert!(peak < LIMIT, "{why}: {peak} bytes");
    }
}

#[test]
fn checkpoints() {
    let start = |numbers: &[(usize, usize)]| {
        let mut start = [0; 120];
        start[..9].copy_from_slice(b"RECURVEC\x01");
        header(start, numbers)
    };
    let read = |path: &Path| Checkpoint::read(path);
    refused_at_once(&sparse(b"RECURVE\n", HUGE), "not a checkpoint", read);
    refused_at_once(&sparse(&start(&[(8, 7)]), HUGE), "version 7", read);
    refused_at_once(&sparse(&start(&[(16, HUGE / 2)]), HUGE), "cut short or altered", read);
    refused(&sparse(&start(&[(16, LARGE)]), LARGE), "checksum", read);
    for (numbers, why) in [
        (&[(16, LARGE), (24, LARGE)][..], "the length of its texts"),
        (&[(16, LARGE), (28, LARGE - 120), (56, 9)], "makes no sense"),
    ] {
        refused(&file(&[&mended(&start(numbers), LARGE)]), why, read);
    }
}

#[test]
fn texts() {
    let many = "a".repeat(LARGE);
    let symbols = Symbols::new(&[97], Alphabet::Chars).unwrap();
    refused(&file(&[many.as_bytes(), b"\xff"]), "offset 18874368", |path| text::read(path));
    refused(&file(&[many.as_bytes(), b"b"]), "'b' (symbol 18874368", |path| {
        Corpus::read(path, Alphabet::Chars).unwrap().tokens(symbols)
    });
    refused(&file(&[many.as_bytes(), b"B"]), "'b' (symbol 18874368", |path| {
        Corpus::read(path, Alphabet::Chars).unwrap().clean(text::Clean::Letters).tokens(symbols)
    });
    let all: String = ('\0'..=char::MAX).collect();
    let parts = vec![all.as_bytes(); LARGE / all.len()];
    refused(&file(&parts), "distinct symbols", |path| {
        Corpus::read(path, Alphabet::Chars).unwrap().vocabulary()
    });
}

#[cfg(feature = "safetensors")]
#[test]
fn weights() {
    use recurve::host::{read_whole, safetensors::Import};

    let start = |json: &str| [&(json.len() as u64).to_le_bytes()[..], json.as_bytes()].concat();
    let read = |path: &Path| Import::default().network(&read_whole(path).unwrap());
    let tensor = |name: &str, bytes: usize| {
        let numbers = bytes / 4;
        format!(r#""{name}":{{"dtype":"F32","shape":[{numbers}],"data_offsets":[0,{bytes}]}}"#)
    };
    refused(&sparse(&[0xff; 8], HUGE), "does not begin as a safetensors file does", read);
    refused(&sparse(&(1_u64 << 39).to_le_bytes(), HUGE), "its header should have", read);
    refused(&sparse(&(HUGE as u64 - 8).to_le_bytes(), HUGE), "its header is too long", read);
    refused(&sparse(&start("{}"), HUGE), "its tensors should have 0 bytes", read);
    let lone = |name: &str| start(&format!("{{{}}}", tensor(name, HUGE)));
    for (name, why) in [("a", "weight_ih_l0"), ("rnn.weight_hh_l0", "no vocabulary")] {
        let start = lone(name);
        refused(&sparse(&start, start.len() + HUGE), why, read);
    }
    let of = r#""__metadata__":{"vocabulary":"[1,2]"}"#;
    let start = start(&format!("{{{of},{}}}", tensor("rnn.weight_hh_l0", HUGE)));
    refused(&sparse(&start, start.len() + HUGE), "no cell's", read);
}

#[cfg(feature = "safetensors")]
#[test]
fn vocabularies() {
    use recurve::host::{read_whole, safetensors::Vocabulary};

    let read = |path: &Path| Vocabulary::from_json(&String::from_utf8(read_whole(path).unwrap()).unwrap());
    for (len, why) in [(LARGE, "longer than a list"), (4_000_000, "symbols; there must be")] {
        refused(&file(&[b"[1", ",1".repeat(len / 2).as_bytes(), b"]"]), why, read);
    }
    for (len, why) in [(LARGE, "longer than a list"), (4_000_000, "aaa...")] {
        refused(&file(&[b"[\"", "a".repeat(len).as_bytes(), b"\"]"]), why, read);
    }
}

#[cfg(feature = "cli")]
#[test]
fn series() {
    let read = |path: &Path| match super::column::read(path, "y", b',') {
        Err(super::failure::Failure::Message(message)) => Err(message),
        other => Ok(other),
    };
    let many = "0.1234567890123\n".repeat(LARGE / 16);
    refused(&file(&[b"y\n", many.as_bytes(), b"z\n"]), "line 1179650 of", read);
    for (start, rest, line) in [("", ",", 1), ("y\n", "1", 2), ("y\n\"", "1\n", 2), ("", "", 1)] {
        let rest = rest.repeat(LARGE / rest.len().max(1));
        let path =
            if rest.is_empty() { sparse(b"", HUGE) } else { file(&[start.as_bytes(), rest.as_bytes()]) };
        refused(&path, &format!("line {line} of {} has more than", path.display()), read);
    }
}

//! `include_model!`'s parser at run time, beside `ModelFile::parse`.

use std::panic::{UnwindSafe, catch_unwind};

use recurve::format::{assert_file, included_codes, included_standard, included_symbols, included_window};
use recurve::host::{HostError, Network};
use recurve::{CharRnn, Elman, Model, format, params::Flat};

use super::{ABC, altered, mended};

/// Why a compiler would not include a file.
fn refusal(f: impl FnOnce() + UnwindSafe) -> Option<String> {
    let panic = catch_unwind(f).err()?;
    Some(panic.downcast_ref::<&str>().map_or_else(|| "?".to_owned(), |message| (*message).to_owned()))
}

fn is_read(file: &[u8]) -> bool {
    match Network::from_bytes(file) {
        Ok(_) | Err(HostError::NoVocabulary { .. }) => true,
        Err(_) => false,
    }
}

#[test]
fn every_flipped_bit_and_every_truncation_is_refused() {
    assert!(is_read(ABC));
    assert_eq!(refusal(|| assert_file(ABC)), None);
    println!("{} truncations, {} flips", ABC.len(), 8 * ABC.len());
    let mut flipped = ABC.to_vec();
    for bit in 0..8 * ABC.len() {
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!is_read(&flipped), "bit {bit}");
        assert!(refusal(|| assert_file(&flipped)).is_some(), "bit {bit}");
        flipped[bit / 8] ^= 1 << (bit % 8);
    }
    for len in 0..ABC.len() {
        assert!(!is_read(&ABC[..len]), "{len} bytes");
        assert!(refusal(|| assert_file(&ABC[..len])).is_some(), "{len} bytes");
        if len >= 20 {
            assert!(!is_read(&mended(ABC[..len].to_vec())), "{len} bytes that say so");
        }
    }
}

/// Found by the fuzz target `include`: fields that no type is compared with were included whatever they said.
#[test]
fn fields_are_checked_as_at_run_time() {
    for (at, bytes, word) in [
        (22, &[2][..], "alphabet"),
        (23, &[2], "cleaning"),
        (36, &[2], "vocabulary"),
        (36, &[0xff; 4], "vocabulary"),
        (42, &[1], "unused"),
        (55, &[1], "unused"),
        (56, &[4], "normalisation"),
        (63, &[1], "unused"),
    ] {
        let file = altered(at, bytes);
        assert!(!is_read(&file), "{at}");
        let message = refusal(|| assert_file(&file)).expect("a refusal");
        assert!(message.contains(word), "{at}: {message}");
    }
}

/// Found by the fuzz target `include`: means that are not finite were included.
#[test]
fn means_and_deviations_are_checked_as_at_run_time() {
    let file = |numbers: [f32; 6]| {
        let end = ABC.len() - 12;
        let mut file = ABC[..end].to_vec();
        (file[36], file[56]) = (0, 1);
        file.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
        mended(file)
    };
    let include = |file: &[u8]| refusal(|| drop(Box::new(included_standard::<3>(file, false))));
    let good = file([1.0; 6]);
    assert!(is_read(&good));
    assert_eq!((refusal(|| assert_file(&good)), include(&good)), (None, None));
    for at in 0..6 {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut numbers = [1.0; 6];
            numbers[at] = bad;
            let file = file(numbers);
            assert!(!is_read(&file), "{bad} at {at}");
            assert!(include(&file).is_some(), "{bad} at {at}");
        }
    }
}

#[test]
fn only_a_forecaster_s_window_is_included() {
    let wave = include_bytes!("../data/wave.rcv");
    assert_eq!(included_window(wave).get(), 8);
    let message = refusal(|| drop(Box::new(included_window(ABC)))).expect("a refusal");
    assert!(message.contains("no forecaster's"), "{message}");
}

/// Found by the fuzz target `model`'s rule that what is read comes back to the byte.
#[test]
fn without_a_vocabulary_there_is_no_alphabet() {
    let mut file = ABC[..ABC.len() - 12].to_vec();
    file[36] = 0;
    assert!(is_read(&mended(file.clone())));
    file[22] = 1;
    assert!(!is_read(&mended(file.clone())));
    assert!(refusal(|| assert_file(&mended(file))).is_some());
}

#[test]
fn other_types_and_vocabularies_are_refused() {
    const BYTES: usize = CharRnn::<3, 4>::BYTES;
    assert_eq!(refusal(|| drop(Box::new(format::included::<Elman<3, 4>, 4, 3, BYTES>(ABC)))), None);
    const OTHER: usize = Model::<Elman<3, 2>, 2, 3>::BYTES;
    assert!(refusal(|| drop(Box::new(format::included::<Elman<3, 2>, 2, 3, OTHER>(ABC)))).is_some());
    for code in [0, 98, 0xd800, 0x11_0000] {
        let file = altered(ABC.len() - 4, &u32::to_le_bytes(code));
        assert!(!is_read(&file), "{code}");
        assert!(
            refusal(|| assert!(!included_symbols(&file, &included_codes::<3>(&file)).is_empty())).is_some(),
            "{code}"
        );
    }
}

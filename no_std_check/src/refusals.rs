//! Bad input: what the crate answers, an error value each time and never a panic.

use core::hint::black_box;

use recurve::format::{FormatError, ModelFile};
use recurve::{CharRnn, Error, Inputs, Targets};

use crate::language::{Failed, H, MODEL, T, Training, V};
use crate::memory::Memory;
use crate::report::Report;

/// The model as bytes that are known at run time only, as if from a file system; and once more, one byte further.
#[repr(C, align(4))]
struct Images {
    aligned: [u8; FILE.len()],
    gap: u8,
    misaligned: [u8; FILE.len()],
}

const FILE: &[u8; include_bytes!("../model.rcv").len()] = include_bytes!("../model.rcv");
static IMAGES: Images = Images { aligned: *FILE, gap: 0, misaligned: *FILE };

/// Tries all, and prints an error by its name where there must be one.
pub fn show(report: &mut Report<'_>, memory: &mut Memory) -> Result<(), Failed> {
    let Images { aligned, misaligned, .. } = black_box(&IMAGES);
    let image: &'static [u8] = aligned;
    let parsed = |bytes: &'static [u8]| ModelFile::parse(bytes).map(|_| ());
    let all = ModelFile::parse(image).map_err(|_| Failed)?;
    if CharRnn::<V, 32>::from_file(&all) != Ok(MODEL) {
        return Err(Failed);
    }
    let other = CharRnn::<V, 31>::from_file(&all).map(|_| ());
    refused(report, "truncated model", parsed(image.get(..image.len() / 2).unwrap_or_default()));
    refused(report, "misaligned model", parsed(misaligned));
    refused(report, "model of other sizes", other);

    let (mut state, mut logits, mut scratch) = ([[0.0; 32]], [0.0; V], [[0.0; 32]]);
    refused(report, "token out of range", MODEL.step(V as u16, &mut state, &mut logits, &mut scratch));
    let mut state = [[f32::NAN; 32]];
    refused(report, "state of NaNs", MODEL.step(0, &mut state, &mut logits, &mut scratch));

    let Training { model, grads, workspace, .. } = Training::new(memory)?;
    let (long, mut state) = ([0; T + 1], [[0.0; H]]);
    let window = (Inputs::Tokens(&long), Targets::Tokens(&long));
    refused(
        report,
        "window longer than the tape",
        model.gradient(window.0, window.1, &mut state, workspace, grads).map(|_| ()),
    );
    let mut state = [[f32::NAN; H]];
    let window = (Inputs::Tokens(&long[..T]), Targets::Tokens(&long[..T]));
    refused(
        report,
        "training from a state of NaNs",
        model.gradient(window.0, window.1, &mut state, workspace, grads).map(|_| ()),
    );
    Ok(())
}

/// An error's name; a firmware without `core::fmt` chooses its own words.
trait Name {
    fn name(&self) -> &'static str;
}

impl Name for Error {
    fn name(&self) -> &'static str {
        match self {
            Self::Token { .. } => "Token",
            Self::TooShort { .. } => "TooShort",
            Self::Length { .. } => "Length",
            Self::NotFinite(_) => "NotFinite",
            _ => "another error",
        }
    }
}

impl Name for FormatError {
    fn name(&self) -> &'static str {
        match self {
            Self::Length { .. } => "Length",
            Self::Magic => "Magic",
            Self::Alignment => "Alignment",
            Self::Mismatch => "Mismatch",
            _ => "another error",
        }
    }
}

fn refused<E: Name>(report: &mut Report<'_>, what: &str, outcome: Result<(), E>) {
    let answer = outcome.err().map_or("ACCEPTED", |error| error.name());
    report.word("refused").word(what).word("as").word(answer).end();
}

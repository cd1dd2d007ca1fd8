//! A text, as characters and as bytes: read, cleaned, made tokens and text again, counted and trained on.
#![no_main]

use std::{fs, path::PathBuf, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use recurve::Adam;
use recurve::cell::{ActivationKind, AnyCell, CellKind};
use recurve::host::text::{self, Clean};
use recurve::host::{AnyOptimizer, Corpus, HostError, Network, Settings, Trainer, baseline};
use recurve::vocab::{Symbols, VocabError};
use recurve_fuzz::Source;

static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("recurve-text-{}", std::process::id())));

fuzz_target!(|data: &[u8]| {
    let mut source = Source(data);
    let (as_bytes, clean) = (source.flag(), source.one_of(&[Clean::None, Clean::Letters]));
    let (batch, window, order) = (source.below(4), source.below(6), source.below(5));
    let valid = f64::from(source.float());

    fs::write(&*FILE, source.0).unwrap();
    let corpus = if as_bytes {
        text::read_bytes(&*FILE).map(Corpus::Bytes)
    } else {
        text::read(&*FILE).map(Corpus::Chars)
    };
    let corpus = match corpus {
        Ok(corpus) => corpus.clean(clean),
        Err(error) => {
            let bad = source.0.is_empty() || (!as_bytes && str::from_utf8(source.0).is_err());
            assert!(bad || source.0 == "\u{feff}".as_bytes(), "{error}");
            return;
        }
    };

    let codes = corpus.vocabulary().unwrap();
    let symbols = Symbols::new(&codes, corpus.alphabet()).unwrap();
    let tokens = corpus.tokens(symbols).unwrap();
    if codes.len() > 1 {
        let fewer = Symbols::new(&codes[1..], corpus.alphabet()).unwrap();
        assert!(matches!(corpus.tokens(fewer), Err(VocabError::Unknown { .. })));
    }
    let (train, held_out) = text::split(&tokens, valid);
    assert_eq!(train.len() + held_out.len(), tokens.len());
    if let Ok(reports) = baseline::perplexities(train, held_out, codes.len(), order) {
        assert!(reports.iter().all(|report| report.perplexity >= 1.0 - 1e-9));
    }

    let cell = AnyCell::new(CellKind::Gru, ActivationKind::Tanh, codes.len(), 2);
    let network = Network::new(cell, codes.clone(), corpus.alphabet(), clean);
    let Ok(mut network) = network else {
        assert!(codes.is_empty());
        return;
    };
    network.init(1);
    let back = network.decode(&tokens).unwrap();
    match &corpus {
        Corpus::Chars(text) => assert_eq!(back, text.as_bytes()),
        Corpus::Bytes(text) => assert_eq!(&back, text),
    }
    let settings = Settings::new(batch, window, AnyOptimizer::Adam(Adam::new(0.1)));
    match Trainer::new(&mut network, train, settings) {
        Ok(mut trainer) => (0..3).for_each(|_| assert!(trainer.step().unwrap().is_finite())),
        Err(error) => {
            assert!(matches!(error, HostError::Setting(_) | HostError::TooShort { .. }), "{error}");
        }
    }
});

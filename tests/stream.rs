//! One state for a very long stream: it can be saved and restored anywhere, and nothing grows or goes wrong.
#![cfg(feature = "std")]

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg32;
use recurve::ModelShape;
use recurve::cell::{ActivationKind, AnyCell, CellKind, Inputs};
use recurve::init::Init;
use recurve::lanes::{LaneKind, Lanes, Portable};

const SYMBOLS: usize = 28;

/// A model with drawn weights, its state and what a step works in.
#[derive(Clone)]
struct Stream {
    shape: ModelShape<AnyCell>,
    params: Vec<f32>,
    state: Vec<f32>,
    logits: Vec<f32>,
    scratch: Vec<f32>,
}

impl Stream {
    fn new(kind: CellKind, hidden: usize, layers: usize) -> Self {
        let cell = AnyCell::deep(kind, ActivationKind::Tanh, SYMBOLS, hidden, layers).unwrap();
        let shape = ModelShape { cell, outputs: SYMBOLS };
        let mut params = vec![0.0; shape.params_len()];
        shape.init(&mut params, Init::TOKENS, &mut Pcg32::seed_from_u64(1)).unwrap();
        let [state, scratch] = [shape.state_len(1), shape.step_scratch_len(1)].map(|len| vec![0.0; len]);
        Self { shape, params, state, logits: vec![0.0; SYMBOLS], scratch }
    }

    #[inline(always)]
    fn read<L: Lanes>(&mut self, lanes: L, token: u16) {
        let Self { shape, params, state, logits, scratch } = self;
        shape.step(lanes, params, Inputs::Tokens(&[token]), state, logits, scratch).expect("a finite step");
    }
}

/// Symbols drawn evenly.
fn tokens(seed: u64) -> impl Iterator<Item = u16> {
    let mut rng = Pcg32::seed_from_u64(seed);
    std::iter::repeat_with(move || u16::try_from(rng.next_u32() % SYMBOLS as u32).unwrap())
}

const KINDS: [CellKind; 3] = [CellKind::Elman, CellKind::Gru, CellKind::Lstm];

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn a_state_that_was_saved_goes_on_with_the_same_bits() {
    for (kind, layers) in KINDS.into_iter().flat_map(|kind| [(kind, 1), (kind, 2)]) {
        let mut whole = Stream::new(kind, 7, layers);
        let mut saved: Vec<Vec<u8>> = Vec::new();
        for token in tokens(2).take(60) {
            saved.push(whole.state.iter().flat_map(|x| x.to_le_bytes()).collect());
            whole.read(Portable, token);
        }
        for (from, bytes) in saved.iter().enumerate() {
            let mut rest = Stream::new(kind, 7, layers);
            let state = bytes.as_chunks().0.iter().map(|&x| f32::from_le_bytes(x));
            rest.state.iter_mut().zip(state).for_each(|(to, x)| *to = x);
            tokens(2).take(60).skip(from).for_each(|token| rest.read(Portable, token));
            assert_eq!(bits(&rest.state), bits(&whole.state), "{kind:?} from {from}");
            assert_eq!(bits(&rest.logits), bits(&whole.logits), "{kind:?} from {from}");
        }
    }
}

/// Bytes of this process that are in memory.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    1024 * line.trim().trim_end_matches(" kB").parse::<usize>().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "10 million tokens: cargo test --release --test stream -- --ignored --nocapture"]
fn ten_million_tokens() {
    for kind in KINDS {
        let mut stream = Stream::new(kind, 32, 1);
        let mut all = tokens(3);
        let read = |stream: &mut Stream, token| match LaneKind::best() {
            #[cfg(target_arch = "x86_64")]
            LaneKind::Avx512(lanes) => lanes.run(|| stream.read(lanes, token)),
            #[cfg(target_arch = "x86_64")]
            LaneKind::Avx2(lanes) => lanes.run(|| stream.read(lanes, token)),
            _ => stream.read(Portable, token),
        };
        all.by_ref().take(100_000).for_each(|token| read(&mut stream, token));
        let before = resident();
        all.take(9_900_000).for_each(|token| read(&mut stream, token));
        let after = resident();
        assert!(after <= before + (64 << 10), "{kind:?}: {before} bytes grew to {after}");
        assert!(stream.state.iter().chain(&stream.logits).all(|x| x.is_finite()));
        // What was read long ago is forgotten: a new state, fed the same end, comes to the same, as far as it matters.
        let mut fresh = Stream::new(kind, 32, 1);
        let end: Vec<u16> = tokens(4).take(2000).collect();
        end.iter().for_each(|&token| [&mut stream, &mut fresh].into_iter().for_each(|s| read(s, token)));
        let apart = stream.logits.iter().zip(&fresh.logits).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-4, "{kind:?}: {apart} apart");
        println!(
            "{kind:?}: 10,000,000 tokens, {before} bytes resident before and {after} after, {apart:e} apart"
        );
    }
}

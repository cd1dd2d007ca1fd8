//! A firmware in small, for the host: a language model is trained, stored, read in place and made to write, without
//! `std`, without a heap, and without a panic path.
//!
//! - No `std`, no `alloc`: this crate and `recurve` are built without them, so nothing here can allocate.
//! - No panic: the panic handler calls a function that does not exist. If the compiler could not rule out every panic
//!   in what `main` uses, the program does not link. That needs optimisation: build it with `--release`.
//! - That it works: the exit code is 0 if the loss fell and the model writes what it was taught, else the line of the
//!   check that failed.

#![no_std]
#![no_main]

use core::convert::Infallible;

use rand_core::{TryRng, utils};
use recurve::format::ModelFile;
use recurve::init::Init;
use recurve::params::Flat;
use recurve::{
    Adam, CharRnn, Elman, Error, Feedforward, Inputs, Model, Optimizer, Relu, Sampler, Sgd, Targets, Vocab,
    Workspace, clip_norm, clip_value,
};

const TEXT: &str = "in the beginning was the word, and the word was short. ";
const V: usize = 16;
const H: usize = 32;
const T: usize = 16;

type Network = CharRnn<V, H>;
type Buffers = Workspace<Elman<V, H>, H, V, 1, T>;

/// Gradients, optimiser state and buffers of a training run.
struct Training {
    grads: Network,
    moments: [f32; 2 * Network::LEN + 2],
    workspace: Buffers,
}

/// Checks that `main` makes, by exit code.
#[derive(Clone, Copy)]
enum Failed {
    Vocabulary = 1,
    Training,
    Loss,
    File,
    Generation,
    Text,
    Refusal,
    Vectors,
}

/// xorshift32 (G. Marsaglia, 2003), a generator that any firmware could bring.
struct XorShift(u32);

impl TryRng for XorShift {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        Ok(self.0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        utils::next_u64_via_u32(self)
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        utils::fill_bytes_via_next_word(to, || self.try_next_u32())
    }
}

/// Trains on the text over and over; the losses of the first and the last window.
fn train(model: &mut Network, tokens: &[u16], training: &mut Training) -> Result<(f32, f32), Error> {
    let (mut first, mut last) = (0.0, 0.0);
    let adam = Adam::new(0.01);
    for step in 0..400 {
        let mut state = [[0.0; H]];
        for (inputs, targets) in tokens.chunks(T).zip(tokens.get(1..).unwrap_or_default().chunks(T)) {
            let inputs = inputs.get(..targets.len()).unwrap_or_default();
            let Training { grads, moments, workspace } = &mut *training;
            grads.set_zero();
            let (inputs, targets) = (Inputs::Tokens(inputs), Targets::Tokens(targets));
            last = model.gradient(inputs, targets, &mut state, workspace, grads)?;
            clip_value(grads.as_flat_mut(), 5.0)?;
            clip_norm(grads.as_flat_mut(), 1.0)?;
            adam.step(model.as_flat_mut(), grads.as_flat(), moments)?;
            if step == 0 {
                first = last;
            }
        }
    }
    Ok((first, last))
}

/// A file of the model, as it would lie in flash.
#[repr(C, align(4))]
struct Image([u8; 64 + 4 * (Network::LEN + V)]);

/// Other cells and inputs: a step and a window of a network without hidden state on vectors.
fn vectors(rng: &mut XorShift) -> Result<bool, Error> {
    type Regression = Model<Feedforward<3, 5, Relu>, 5, 1>;
    let mut model = Regression::ZERO;
    model.init(Init::VECTORS, rng);
    let mut grads = Regression::ZERO;
    let mut workspace = Workspace::<Feedforward<3, 5, Relu>, 5, 1, 2, 2>::ZERO;
    let x = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2];
    let (mut state, y) = ([[0.0; 5]; 2], [1.0, 2.0, 3.0, 4.0]);
    let (mut first, mut last) = (None, 0.0);
    for _ in 0..100 {
        grads.set_zero();
        let (inputs, targets) = (Inputs::Vectors(&x), Targets::Vectors(&y));
        last = model.gradient(inputs, targets, &mut state, &mut workspace, &mut grads)?;
        first = first.or(Some(last));
        Sgd { lr: 0.05, momentum: 0.0 }.step(model.as_flat_mut(), grads.as_flat(), &mut [])?;
    }
    let (mut state, mut output, mut scratch) = ([[0.0; 5]], [0.0], []);
    model.step(&[0.1, 0.2, 0.3], &mut state, &mut output, &mut scratch)?;
    Ok(first.is_some_and(|first| last < first))
}

fn check() -> Result<(), Failed> {
    let vocab = Vocab::<V>::from_text(TEXT).map_err(|_| Failed::Vocabulary)?;
    let symbols = vocab.symbols();
    let mut tokens = [0; TEXT.len()];
    symbols.encode(TEXT, &mut tokens).map_err(|_| Failed::Vocabulary)?;

    let mut rng = XorShift(0x9e37_79b9);
    let mut model = Network::ZERO;
    model.init(Init::TOKENS, &mut rng);
    let mut training =
        Training { grads: Network::ZERO, moments: Flat::ZERO, workspace: Buffers::ZERO };
    let (first, last) = train(&mut model, &tokens, &mut training).map_err(|_| Failed::Training)?;
    if !(last < 0.1 && last < first) {
        return Err(Failed::Loss);
    }

    let mut image = Image([0; _]);
    let file = ModelFile { symbols: Some(symbols), ..ModelFile::of(&model) };
    file.emit(&mut image.0).map_err(|_| Failed::File)?;
    let file = ModelFile::parse(&image.0).map_err(|_| Failed::File)?;
    let stored = Network::from_file(&file).map_err(|_| Failed::File)?;

    let (mut state, mut logits, mut scratch) = ([[0.0; H]], [0.0; V], [[0.0; H]]);
    let mut prefix = [0; 7];
    symbols.encode("in the ", &mut prefix).map_err(|_| Failed::Generation)?;
    let sampler = Sampler::new(0.2, 3).map_err(|_| Failed::Generation)?;
    let generator = stored
        .generate(&prefix, &mut state, &mut logits, &mut scratch, sampler, &mut rng)
        .map_err(|_| Failed::Generation)?;
    let text: heapless::String<18> =
        symbols.decode(generator.take(18).map_while(Result::ok)).map_err(|_| Failed::Text)?;
    if text != "beginning was the " {
        return Err(Failed::Text);
    }
    if stored.step(V as u16, &mut state, &mut logits, &mut scratch)
        != Err(Error::Token { token: V as u16, symbols: V })
    {
        return Err(Failed::Refusal);
    }
    if vectors(&mut rng) == Ok(true) { Ok(()) } else { Err(Failed::Vectors) }
}

/// The C library's entry point; 0 if all is well.
#[unsafe(no_mangle)]
pub extern "C" fn main() -> i32 {
    match check() {
        Ok(()) => 0,
        Err(failed) => failed as i32,
    }
}

// SAFETY: no such function exists; the declaration is there to make the linker fail, never to be called.
unsafe extern "C" {
    safe fn recurve_has_a_panic_path() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    recurve_has_a_panic_path()
}

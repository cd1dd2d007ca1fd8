//! A complete firmware to copy: a model in flash, tokens in, text out, and training on the chip.
//!
//! ```text
//! recurve train text.txt --hidden 32 --out model.rcv     on the desktop; any text, any number of hidden units
//! recurve inspect model.rcv                               says the types that `Cell` and `Network` must be, and `H`
//! cargo run --release                                     in this folder: builds, and runs on an emulated board
//! ```
//!
//! Your own board has another `memory.x`, another target and runner in `.cargo/config.toml`, and another `print`.

#![no_std]
#![no_main]

mod rng;

use core::panic::PanicInfo;

use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hio};
use heapless::String;
use recurve::params::Flat;
use recurve::{
    Adam, Elman, Error, Inputs, Model, Optimizer, Sampler, Symbols, Targets, VocabError, Workspace, clean,
    clip_norm, include_model, include_symbols,
};
use static_cell::ConstStaticCell;

use rng::XorShift;

/// Weights and vocabulary, in flash: the file is checked while this is compiled, and read where it lies.
static MODEL: &Network = include_model!("../model.rcv");
const SYMBOLS: Symbols<'_> = include_symbols!("../model.rcv");

/// Symbols of the vocabulary, hidden units, and steps of a training window.
const V: usize = SYMBOLS.len();
const H: usize = 32;
const T: usize = 16;

/// As `recurve inspect` says: `Gru<V, H>` and `Lstm<V, H>` are others.
type Cell = Elman<V, H>;
type Network = Model<Cell, H, V>;

/// What is learnt on the chip, over and over.
const LESSON: &str = "A chip learns what a chip sees, and sees what a chip learns. ";
const ROUNDS: usize = 60;

const ADAM: Adam = Adam::new(0.01);

/// What training works in. All of it is zero at first, so as a `static` it takes RAM but no flash.
struct Training {
    model: Network,
    grads: Network,
    moments: [f32; ADAM.state_len(Network::LEN)],
    workspace: Workspace<Cell, H, V, 1, T>,
}

/// Lent once, by a cell that gives out the only reference: no `static mut`, no `unsafe`.
static TRAINING: ConstStaticCell<Training> = ConstStaticCell::new(Training {
    model: Network::ZERO,
    grads: Network::ZERO,
    moments: Flat::ZERO,
    workspace: Workspace::ZERO,
});

// What does not fit is an error while this is compiled.
const _: () = {
    let training = Network::training_memory::<1, T>(ADAM.state_len(Network::LEN));
    assert!(training.total() + Network::STEP_MEMORY.total() <= 64 * 1024, "more than the RAM set aside");
};

#[entry]
fn main() -> ! {
    let Some(training) = TRAINING.try_take() else { stop(Err(Failed("the memory was lent before"))) };
    stop(run(training))
}

fn run(training: &mut Training) -> Result<(), Failed> {
    // A generator wants a seed that differs from run to run, such as noise of the analogue-digital converter.
    let rng = &mut XorShift::new(0x9e37_79b9);
    write(MODEL, "The ", rng)?;

    // Training changes weights, so they move to RAM: from place to place, never over the stack.
    training.model = *MODEL;
    let before = learn(training, LESSON)?;
    let mut after = before;
    for _ in 1..ROUNDS {
        after = learn(training, LESSON)?;
    }
    write(&training.model, "a chip ", rng)?;
    if after < before { Ok(()) } else { Err(Failed("the loss did not fall")) }
}

/// Prints a prefix, and 40 symbols that the model lets follow.
fn write(model: &Network, prefix: &str, rng: &mut XorShift) -> Result<(), Failed> {
    let mut tokens = [0; 32];
    let tokens = tokens_of(prefix, &mut tokens)?;
    let (mut state, mut logits, mut scratch) = (Flat::ZERO, [0.0; V], Flat::ZERO);
    let sampler = Sampler::new(0.5, 5)?;
    let text = model.generate(tokens, &mut state, &mut logits, &mut scratch, sampler, rng)?;
    let text: String<160> = SYMBOLS.decode(text.take(40).map_while(Result::ok))?;
    print(prefix);
    print(&text);
    print("\n");
    Ok(())
}

/// The tokens of a text as people write it, cleaned as `--clean letters` cleans: "It's" becomes "it s".
///
/// A symbol that the vocabulary does not have is an error. A model trained with `--clean none` has capital letters of
/// its own, if its text had any, and takes the text as it is: `SYMBOLS.encode(text, tokens)`.
fn tokens_of<'a>(text: &str, tokens: &'a mut [u16]) -> Result<&'a [u16], Failed> {
    let mut count = 0;
    for letter in clean::letters(text.as_bytes()) {
        let token = SYMBOLS.token(char::from(letter));
        *tokens.get_mut(count).ok_or(TOO_LONG)? =
            token.ok_or(Failed("the model's text lacks a letter that is asked for here"))?;
        count += 1;
    }
    tokens.get(..count).ok_or(TOO_LONG)
}

/// Trains on a text, one window after another, and says the last window's mean loss.
fn learn(training: &mut Training, text: &str) -> Result<f32, Failed> {
    let Training { model, grads, moments, workspace } = training;
    let mut tokens = [0; 64];
    let tokens = tokens_of(text, &mut tokens)?;
    let (mut state, mut loss) = (Flat::ZERO, 0.0);
    // Each token is the input, the one after it the target; a window may be shorter than T.
    let (_, targets) = tokens.split_first().ok_or(Failed("there is nothing to learn"))?;
    for (x, y) in tokens.chunks(T).zip(targets.chunks(T)) {
        let x = x.get(..y.len()).ok_or(TOO_LONG)?;
        grads.set_zero();
        loss = model.gradient(Inputs::Tokens(x), Targets::Tokens(y), &mut state, workspace, grads)?;
        clip_norm(grads.as_flat_mut(), 1.0)?;
        ADAM.step(model.as_flat_mut(), grads.as_flat(), moments)?;
    }
    Ok(loss)
}

/// Something did not go as it should, and what. Yours may keep the cause: [`Error`] and [`VocabError`] are small values.
struct Failed(&'static str);

const TOO_LONG: Failed = Failed("the text is longer than its buffer");

impl From<Error> for Failed {
    fn from(_: Error) -> Self {
        Self("the network refused its weights or inputs")
    }
}

impl From<VocabError> for Failed {
    fn from(_: VocabError) -> Self {
        Self("the text does not fit into its buffer")
    }
}

/// To the debugger's console, here the terminal that the emulator runs in.
fn print(text: &str) {
    if let Ok(mut console) = hio::hstdout() {
        let _ = console.write_all(text.as_bytes());
    }
}

/// Says what went wrong, if anything did, and ends the emulation.
fn stop(outcome: Result<(), Failed>) -> ! {
    if let Err(Failed(why)) = outcome {
        print(why);
        print("\n");
    }
    loop {
        debug::exit(if outcome.is_ok() { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    stop(Err(Failed("a panic, which cannot be")))
}

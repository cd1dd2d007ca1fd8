//! What all contenders do alike: read the work from a file, then answer to `run` on standard input.
//!
//! ```text
//! check N  prints what N units of work came to: losses in training, the first output in steps
//! go S     works for S seconds, prints the units of work done and the seconds that they took
//! ```
//!
//! Weights are in the order of recurve's models, each row-major; then the tokens, of one sequence after the other, in 16 bits
//! each. Everything is little-endian.
//!
//! ```text
//! elman  W_xh, W_hh, b_h                          W_hq, b_q
//! gru    W_xg, W_hg, b_g, W_xn, W_hn, b_xn, b_hn  W_hq, b_q   g: r and z side by side
//! lstm   W_x, W_h, b                              W_hq, b_q   i, f, g and o side by side
//! ```

use std::io::{Write, stdin, stdout};
use std::time::Instant;

/// Training goes over this many windows again and again; the state is zero at the start of each round.
pub const WINDOWS: usize = 4;
/// The learning rate of SGD.
pub const LR: f32 = 0.1;
/// The largest norm of the gradient.
pub const CLIP: f32 = 1.0;

/// A network and the tokens that it reads.
pub struct Work {
    /// The kind of cell: elman, gru or lstm.
    pub cell: String,
    pub vocab: usize,
    pub hidden: usize,
    pub batch: usize,
    pub window: usize,
    pub threads: usize,
    /// All weights.
    pub params: Vec<f32>,
    /// One sequence after the other.
    pub tokens: Vec<u16>,
}

impl Work {
    /// The work that the command line names: `FILE CELL VOCAB HIDDEN BATCH WINDOW THREADS`, after the mode.
    pub fn from_args() -> (String, Self) {
        let mut args = std::env::args().skip(1);
        let mut next = || args.next().expect("MODE FILE CELL VOCAB HIDDEN BATCH WINDOW THREADS");
        let (mode, file, cell) = (next(), next(), next());
        let mut size = || next().parse().expect("a size");
        let (vocab, hidden, batch, window, threads) = (size(), size(), size(), size(), size());
        let bytes = std::fs::read(file).expect("the file of the work");
        let (params, tokens) = bytes.split_at(4 * params_len(&cell, vocab, hidden));
        let params = params.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        let tokens = tokens.as_chunks().0.iter().map(|&bytes| u16::from_le_bytes(bytes)).collect();
        (mode, Self { cell, vocab, hidden, batch, window, threads, params, tokens })
    }

    /// The weights of an Elman network, tensor by tensor, with their rows and columns.
    pub fn tensors(&self) -> [(&[f32], usize, usize); 5] {
        let (v, h) = (self.vocab, self.hidden);
        let mut rest = &self.params[..];
        [(v, h), (h, h), (1, h), (h, v), (1, v)].map(|(rows, cols)| {
            let (tensor, behind) = rest.split_at(rows * cols);
            rest = behind;
            (tensor, rows, cols)
        })
    }

    /// The tokens of all sequences at a step, counted from the start of the first window.
    pub fn row(&self, step: usize) -> impl Iterator<Item = u16> {
        self.tokens.iter().skip(step).step_by(WINDOWS * self.window + 1).copied()
    }
}

/// Weights of a cell and its output layer.
fn params_len(cell: &str, vocab: usize, hidden: usize) -> usize {
    let (gates, b_hn) = match cell {
        "gru" => (3, hidden),
        "lstm" => (4, 0),
        _ => (1, 0),
    };
    gates * (vocab + hidden + 1) * hidden + b_hn + (hidden + 1) * vocab
}

/// Answers until standard input ends. `work` does one unit; the clock is looked at after each `lot` of them.
pub fn serve(lot: usize, mut work: impl FnMut() -> f32) {
    for line in stdin().lines() {
        let line = line.expect("a command");
        let (command, number) = line.split_once(' ').expect("a command and a number");
        let mut out = stdout().lock();
        if command == "check" {
            let values: Vec<_> = (0..number.parse().expect("a count")).map(|_| work().to_string()).collect();
            writeln!(out, "{}", values.join(" ")).expect("somebody who reads");
            continue;
        }
        let seconds: f64 = number.parse().expect("seconds");
        let (started, mut done) = (Instant::now(), 0);
        while started.elapsed().as_secs_f64() < seconds {
            (0..lot).for_each(|_| _ = std::hint::black_box(work()));
            done += lot;
        }
        writeln!(out, "{done} {}", started.elapsed().as_secs_f64()).expect("somebody who reads");
    }
}

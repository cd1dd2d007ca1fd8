//! `recurve bench`: speed of training and of single steps, on random tokens.

mod peak;

use std::hint::black_box;
use std::time::{Duration, Instant};

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg32;
use recurve::cell::AnyCell;
use recurve::host::text::Clean;
use recurve::host::{AnyOptimizer, Buffer, HostError, Network, Settings, Tensor, Trainer, tensors};
use recurve::vocab::Alphabet;
use recurve::{Inputs, ModelShape, Sgd};
use serde_json::json;

use crate::args::{BenchArgs, BenchStepArgs, BenchTrainArgs};
use crate::failure::Failure;
use crate::report::{self, grouped};

/// Windows of the text that training goes over again and again.
const WINDOWS: usize = 4;
/// Parts of the time that are measured on their own; the middle one counts, so that a hiccup does not.
const ROUNDS: u32 = 9;
/// Steps between two looks at the clock.
const STEPS: usize = 64;

pub fn train(args: &BenchTrainArgs) -> Result<(), Failure> {
    let common = &args.common;
    let mut network = network(common)?;
    let optimizer = AnyOptimizer::Sgd(Sgd { lr: 1e-4, momentum: 0.0 });
    let lanes = common.lanes;
    let mut settings = Settings::new(args.batch, args.window, optimizer);
    (settings.clip, settings.lanes, settings.threads) = (1.0, lanes, args.threads);
    let length = args.window.saturating_mul(WINDOWS).saturating_add(1).saturating_mul(args.batch);
    let tokens = random_tokens(length, common.vocab)?;
    let shape = network.shape();
    let mut trainer = Trainer::new(&mut network, &tokens, settings)?;
    let per_step = trainer.tokens_per_step() as f64;
    let mut peaks = Vec::new();
    let seconds =
        middle(common.seconds, || trainer.step().map(|_| per_step), || peaks.push(lanes.run(peak::Peak)))?;

    let tokens_per_second = 1.0 / seconds;
    let gflops = tokens_per_second * flop_per_token(shape) / 1e9;
    let (peak_gflops, lanes) = (median(peaks), lanes.name());
    if common.json {
        return report::print_json(&json!({
            "tokens_per_second": tokens_per_second,
            "gflops": gflops,
            "peak_gflops": peak_gflops,
            "lanes": lanes,
        }));
    }
    let (speed, share) = (grouped(tokens_per_second.round() as u64), 100.0 * gflops / peak_gflops);
    report::print(
        format!(
            "{speed} tokens per second\n{gflops:.1} GFLOP/s, {share:.0} % of {peak_gflops:.1} on {lanes} lanes\n"
        )
        .as_bytes(),
    )
}

pub fn step(args: &BenchStepArgs) -> Result<(), Failure> {
    let common = &args.common;
    let network = network(common)?;
    let tokens = random_tokens(STEPS, common.vocab)?;
    let shape = network.shape();
    let mut state = Buffer::zeroed(shape.state_len(1))?;
    let mut scratch = Buffer::zeroed(shape.step_scratch_len(1))?;
    let mut logits = Buffer::zeroed(shape.outputs)?;
    let work = || {
        for token in tokens.chunks(1) {
            let inputs = Inputs::Tokens(black_box(token));
            let params = network.params();
            shape.step_on(common.lanes, params, inputs, &mut state, &mut logits, &mut scratch)?;
            black_box(&logits);
        }
        Ok(tokens.len() as f64)
    };
    let seconds = middle(common.seconds, work, || {})?;
    let (ns, lanes) = (seconds * 1e9, common.lanes.name());
    if common.json {
        return report::print_json(&json!({ "ns_per_step": ns, "lanes": lanes }));
    }
    report::print(format!("{ns:.0} ns per step on {lanes} lanes\n").as_bytes())
}

fn network(args: &BenchArgs) -> Result<Network, Failure> {
    let codes = (0..=u32::from(char::MAX)).filter(|&code| char::from_u32(code).is_some());
    let cell = args.layers.cells(args.cell, args.hidden, args.vocab)?;
    let mut network = Network::new(cell, codes.take(args.vocab).collect(), Alphabet::Chars, Clean::None)?;
    network.init(1);
    Ok(network)
}

fn random_tokens(length: usize, symbols: usize) -> Result<Vec<u16>, Failure> {
    let mut tokens = Vec::new();
    let too_many = |_| HostError::Memory { needed: length.saturating_mul(2), available: None };
    tokens.try_reserve_exact(length).map_err(too_many)?;
    let mut rng = Pcg32::seed_from_u64(1);
    tokens.extend((0..length).map(|_| (rng.next_u32() as usize % symbols) as u16));
    Ok(tokens)
}

/// Products of a token in training: two operations for each weight, forward and twice backward. A one-hot input is a
/// row look-up and costs none.
fn flop_per_token(shape: ModelShape<AnyCell>) -> f64 {
    let first = (shape.cell.layers().len() > 1).then_some(1);
    let reads_tokens =
        |tensor: &Tensor| tensor.layer == first && (tensor.name.starts_with("w_x") || tensor.name == "w_e");
    let matrices = tensors(shape).into_iter().filter(|tensor| tensor.rows > 1 && !reads_tokens(tensor));
    6.0 * matrices.map(Tensor::len).sum::<usize>() as f64
}

/// Seconds per unit of work, the middle of several rounds; `work` says how many units it has done. `after` each round
/// there is a break for something else.
fn middle(
    seconds: f64,
    mut work: impl FnMut() -> Result<f64, HostError>,
    mut after: impl FnMut(),
) -> Result<f64, HostError> {
    let round = Duration::from_secs_f64(seconds / f64::from(ROUNDS));
    work()?;
    let mut measured = Vec::new();
    for _ in 0..ROUNDS {
        let (started, mut units) = (Instant::now(), 0.0);
        while units == 0.0 || started.elapsed() < round {
            units += work()?;
        }
        measured.push(started.elapsed().as_secs_f64() / units);
        after();
    }
    Ok(median(measured))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

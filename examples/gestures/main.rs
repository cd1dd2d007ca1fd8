//! Trains a classifier of accelerometer gestures, streams unseen ones through it, and writes it to a file that a firmware
//! embeds.
//!
//! ```text
//! cargo run --release --example gestures -- gestures.rcv
//! ```
//!
//! Four gestures of 25 to 50 readings of three axes go through a GRU of 16 units; the mean of the logits of all readings
//! says which gesture it was. On the board, `include_model!("gestures.rcv")` and `include_standard!("gestures.rcv",
//! inputs)` read the same file, and what [`classify`] does is all that has to be done there: `no_std_check/src/gestures.rs`.

mod motion;

use std::error::Error;
use std::path::Path;

use rand_pcg::Pcg32;
use rand_pcg::rand_core::{Rng, SeedableRng};
use recurve::format::{ModelFile, Normalization};
use recurve::host::write_whole;
use recurve::init::Init;
use recurve::loss::RunningMean;
use recurve::params::Flat;
use recurve::{Adam, Gru, Inputs, Model, Objective, Optimizer, Standard, Targets, Workspace, clip_norm};

use motion::{Gesture, Motion, STEPS};

/// Channels, hidden units, classes; sequences side by side, and steps of the longest.
const I: usize = 3;
const H: usize = 16;
const O: usize = Gesture::ALL.len();
const B: usize = 16;
const T: usize = *STEPS.end();

type Network = Model<Gru<I, H>, H, O>;
const ADAM: Adam = Adam::new(0.01);

/// Batches to learn from, and gestures of each kind to be tested with.
const BATCHES: usize = 300;
const TESTS: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let mut rng = Pcg32::seed_from_u64(1);
    let standard = units(&mut rng)?;
    let mut model = Network::ZERO;
    train(&mut model, &standard, &mut rng)?;
    test(&model, &standard, &mut rng)?;
    match std::env::args_os().nth(1) {
        Some(path) => write(&model, &standard, Path::new(&path)),
        None => Ok(()),
    }
}

/// Mean and deviation of each axis.
fn units(rng: &mut Pcg32) -> Result<Standard<I>, recurve::Error> {
    let mut readings = Vec::new();
    for gesture in Gesture::ALL.repeat(25) {
        let mut motion = Motion::new(gesture, rng);
        readings.extend((0..T).flat_map(|_| motion.reading(rng)));
    }
    let mut standard = Standard::ZERO;
    standard.fit(&readings)?;
    Ok(standard)
}

/// Gestures side by side: their classes, their lengths, and their readings, time-major and padded with zeros.
struct Batch {
    classes: [u16; B],
    lengths: [usize; B],
    readings: Vec<f32>,
}

impl Batch {
    fn draw(standard: &Standard<I>, rng: &mut Pcg32) -> Result<Self, recurve::Error> {
        let mut batch = Self { classes: [0; B], lengths: [0; B], readings: vec![0.0; T * B * I] };
        for b in 0..B {
            let class = b % O;
            let mut motion = Motion::new(Gesture::ALL[class], rng);
            batch.classes[b] = class as u16;
            batch.lengths[b] = STEPS.start() + rng.next_u32() as usize % (T - STEPS.start() + 1);
            for t in 0..batch.lengths[b] {
                let row = &mut batch.readings[(t * B + b) * I..][..I];
                row.copy_from_slice(&motion.reading(rng));
                standard.apply(row)?;
            }
        }
        Ok(batch)
    }
}

fn train(model: &mut Network, standard: &Standard<I>, rng: &mut Pcg32) -> Result<(), recurve::Error> {
    model.init(Init::VECTORS, rng);
    let (mut grads, mut moments) = (Network::boxed(), vec![0.0; ADAM.state_len(Network::LEN)]);
    let mut workspace = Workspace::<Gru<I, H>, H, O, B, T>::boxed();
    for n in 1..=BATCHES {
        let batch = Batch::draw(standard, rng)?;
        let objective = Objective::mean(Targets::Tokens(&batch.classes)).with_lengths(&batch.lengths);
        let mut state = [[0.0; H]; B];
        grads.set_zero();
        let inputs = Inputs::Vectors(&batch.readings);
        let loss = model.gradient(inputs, objective, &mut state, &mut workspace, &mut grads)?;
        clip_norm(grads.as_flat_mut(), 1.0)?;
        ADAM.step(model.as_flat_mut(), grads.as_flat(), &mut moments)?;
        if n % 50 == 0 {
            println!("batch {n}: loss {loss:.3}");
        }
    }
    Ok(())
}

/// Reads a gesture as it comes, one reading at a time; the class that the mean of the logits favours.
fn classify(
    model: &Network,
    standard: &Standard<I>,
    readings: impl Iterator<Item = [f32; I]>,
) -> Result<usize, recurve::Error> {
    let (mut state, mut logits, mut scratch) = ([[0.0; H]], [0.0; O], Flat::ZERO);
    let mut mean = RunningMean::default();
    for mut reading in readings {
        standard.apply(&mut reading)?;
        model.step(&reading, &mut state, &mut logits, &mut scratch)?;
        mean.add(&logits);
    }
    mean.value(&mut logits);
    let best = (0..O).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
    Ok(best.unwrap_or_default())
}

/// Gestures that were not trained on: how often each was taken for which.
fn test(model: &Network, standard: &Standard<I>, rng: &mut Pcg32) -> Result<(), recurve::Error> {
    let mut right = 0;
    println!("{:<8} taken for {:?}", "", Gesture::ALL);
    for (class, gesture) in Gesture::ALL.into_iter().enumerate() {
        let mut taken_for = [0; O];
        for _ in 0..TESTS {
            let mut motion = Motion::new(gesture, rng);
            let steps = STEPS.start() + rng.next_u32() as usize % (T - STEPS.start() + 1);
            taken_for[classify(model, standard, (0..steps).map(|_| motion.reading(rng)))?] += 1;
        }
        right += taken_for[class];
        println!("{:<8} {taken_for:?}", format!("{gesture:?}"));
    }
    println!("{:.1} % right, {} parameters", 100.0 * right as f32 / (TESTS * O) as f32, Network::LEN);
    Ok(())
}

fn write(model: &Network, standard: &Standard<I>, path: &Path) -> Result<(), Box<dyn Error>> {
    let normalization = Normalization { inputs: Some(standard.view()), outputs: None };
    let file = ModelFile::of(model).with_normalization(normalization);
    let mut bytes = vec![0; file.byte_len()];
    file.emit(&mut bytes)?;
    write_whole(path, &bytes)?;
    println!("{} bytes written to {}", bytes.len(), path.display());
    Ok(())
}

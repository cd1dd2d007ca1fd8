//! The classifier of `examples/gestures`, read as a firmware reads it: the committed file knows unseen gestures.

#[path = "../examples/gestures/motion.rs"]
mod motion;

use rand_pcg::Pcg32;
use rand_pcg::rand_core::SeedableRng;
use recurve::loss::RunningMean;
use recurve::params::Flat;
use recurve::{Gru, Model, Standard, include_model, include_standard};

use motion::{Gesture, Motion, STEPS};

static MODEL: &Model<Gru<3, 16>, 16, 4> = include_model!("../examples/gestures/gestures.rcv");
static UNITS: Standard<3> = include_standard!("../examples/gestures/gestures.rcv", inputs);

fn class(gesture: Gesture, rng: &mut Pcg32) -> usize {
    let (mut state, mut logits, mut scratch) = ([[0.0; 16]], [0.0; 4], Flat::ZERO);
    let (mut motion, mut mean) = (Motion::new(gesture, rng), RunningMean::default());
    for _ in 0..*STEPS.start() {
        let mut reading = motion.reading(rng);
        UNITS.apply(&mut reading).unwrap();
        MODEL.step(&reading, &mut state, &mut logits, &mut scratch).unwrap();
        mean.add(&logits);
    }
    mean.value(&mut logits);
    (0..4).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap()
}

#[test]
fn unseen_gestures_are_known() {
    let mut rng = Pcg32::seed_from_u64(77);
    let rounds = 25;
    let right = (0..4 * rounds).filter(|n| class(Gesture::ALL[n % 4], &mut rng) == n % 4).count();
    assert!(right >= 95, "{right} of {}", 4 * rounds);
}

#[test]
fn readings_are_in_units_of_gravity() {
    assert!(UNITS.mean[2] > 0.8 && UNITS.mean[0].abs() < 0.1, "{UNITS:?}");
}

//! Synthetic gestures as an accelerometer would see them: three axes in g, 50 readings a second.
//!
//! It needs neither `std` nor a heap, so a firmware takes this very file to try its classifier without a sensor.

use rand_core::Rng;
use recurve::init::unit;

/// Readings of the shortest and of the longest gesture.
pub const STEPS: core::ops::RangeInclusive<usize> = 25..=50;

/// What a hand does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gesture {
    /// Nothing, but for a tremor.
    Rest,
    /// To and fro along x, about five times a second.
    Shake,
    /// A slow circle in the plane of x and y.
    Circle,
    /// A short knock along z.
    Tap,
}

impl Gesture {
    /// All of them; the index of each is its class.
    pub const ALL: [Self; 4] = [Self::Rest, Self::Shake, Self::Circle, Self::Tap];
}

/// A gesture that goes on.
#[derive(Clone, Debug)]
pub struct Motion {
    gesture: Gesture,
    /// In g.
    strength: f32,
    /// Cycles, and cycles for each reading.
    phase: f32,
    pace: f32,
    /// What gravity adds to each axis.
    gravity: [f32; 3],
    /// The reading at which a tap begins, counted down.
    wait: f32,
}

impl Motion {
    /// A gesture of a hand, a strength and a pace that are drawn.
    pub fn new<R: Rng>(gesture: Gesture, rng: &mut R) -> Self {
        let mut between = |low: f32, high: f32| low + (high - low) * unit(rng);
        let (strength, cycles_per_second) = match gesture {
            Gesture::Rest => (0.0, 0.0),
            Gesture::Shake => (between(0.5, 1.5), between(4.0, 6.0)),
            Gesture::Circle => (between(0.3, 0.8), between(0.8, 1.6)),
            Gesture::Tap => (between(0.8, 2.0), 0.0),
        };
        Self {
            gesture,
            strength,
            phase: between(0.0, 1.0),
            pace: cycles_per_second / 50.0,
            gravity: [between(-0.3, 0.3), between(-0.3, 0.3), between(0.9, 1.0)],
            wait: between(2.0, 15.0),
        }
    }

    /// The next reading, in g.
    pub fn reading<R: Rng>(&mut self, rng: &mut R) -> [f32; 3] {
        let (along, across) = (self.strength * wave(self.phase), self.strength * wave(self.phase + 0.25));
        let moved = match self.gesture {
            Gesture::Rest => [0.0; 3],
            Gesture::Shake => [along, 0.2 * along, 0.0],
            Gesture::Circle => [along, across, 0.0],
            Gesture::Tap => [0.0, 0.0, self.strength * knock(self.wait)],
        };
        self.phase += self.pace;
        self.wait -= 1.0;
        let tremor = [0.0; 3].map(|_: f32| 0.1 * (unit(rng) - 0.5));
        let mut reading = self.gravity;
        for axis in 0..3 {
            reading[axis] += moved[axis] + tremor[axis];
        }
        reading
    }
}

/// Nearly a sine of so many cycles: two parabolas, which need no library and are the same on every target.
fn wave(cycles: f32) -> f32 {
    let x = 2.0 * (cycles - cycles as i32 as f32) - 1.0;
    let magnitude = if x < 0.0 { -x } else { x };
    4.0 * x * (magnitude - 1.0)
}

/// What a knock adds, by readings until it begins: down, up, and over.
fn knock(wait: f32) -> f32 {
    match wait as i32 {
        0 if wait < 0.0 => -1.0,
        -1 => 0.8,
        -2 => -0.4,
        _ => 0.0,
    }
}

//! Learning-rate schedules: what the learning rate is multiplied with, from the beginning of a run to its end.

use core::f32::consts::PI;

use crate::error::{Error, setting};

/// How the learning rate changes in the course of a run.
///
/// It is a function of how much of the run is done, so that the end may be a number of steps or a time.
///
/// ```
/// use recurve::{Optimizer, Sgd, optim::Schedule};
///
/// let schedule = Schedule::cosine(0.1, 0.0)?;
/// let mut weight = [1.0];
/// for step in 0..50 {
///     let sgd = Sgd { lr: 0.2 * schedule.factor(step as f32 / 50.0), momentum: 0.0 };
///     let gradient = weight; // of ½ w²
///     sgd.step(&mut weight, &gradient, &mut [])?;
/// }
/// assert!(weight[0] < 0.1);
/// # Ok::<(), recurve::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Schedule {
    /// Always the same.
    #[default]
    Constant,
    /// Warm-up and half a cosine: see [`cosine`](Self::cosine).
    #[non_exhaustive]
    Cosine {
        /// Share of the run that is warm-up, w.
        warm_up: f32,
        /// Where it begins and ends, f.
        floor: f32,
    },
}

impl Schedule {
    /// A straight line up from `floor` to 1 while `warm_up` of the run is done, then half a cosine down to `floor`.
    ///
    /// ```text
    /// f + (1 − f) · d / w                                     for d < w
    /// f + (1 − f) · ½ (1 + cos(π (d − w) / (1 − w)))          for d ≥ w, where d of the run is done
    /// ```
    ///
    /// I. Loshchilov and F. Hutter, SGDR: stochastic gradient descent with warm restarts, 2017, equation 5, without
    /// restarts; the warm-up is that of P. Goyal et al., Accurate, large minibatch SGD, 2017.
    ///
    /// # Errors
    /// [`Error::Setting`] for a warm-up that is not from 0 to below 1, or a floor not from 0 to 1.
    pub fn cosine(warm_up: f32, floor: f32) -> Result<Self, Error> {
        setting((0.0..1.0).contains(&warm_up), "the warm-up must be from 0 to below 1")?;
        setting((0.0..=1.0).contains(&floor), "the floor of the learning rate must be from 0 to 1")?;
        Ok(Self::Cosine { warm_up, floor })
    }

    /// What the learning rate is multiplied with when so much of the run is done, from 0 to 1.
    #[must_use]
    pub fn factor(self, done: f32) -> f32 {
        match self {
            Self::Constant => 1.0,
            Self::Cosine { warm_up, floor } => floor + (1.0 - floor) * height(done.clamp(0.0, 1.0), warm_up),
        }
    }
}

/// From 0 to 1 and back.
fn height(done: f32, warm_up: f32) -> f32 {
    if done < warm_up {
        done / warm_up
    } else {
        0.5 + 0.5 * libm::cosf(PI * (done - warm_up) / (1.0 - warm_up))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn landmarks() {
        let schedule = Schedule::cosine(0.2, 0.1).unwrap();
        let at = |done: f32, factor: f32| assert!((schedule.factor(done) - factor).abs() < 1e-6, "{done}");
        at(0.0, 0.1);
        at(0.1, 0.55);
        at(0.2, 1.0);
        at(0.6, 0.55);
        at(0.4, 0.1 + 0.9 * 0.5 * (1.0 + 0.5_f32.sqrt()));
        at(1.0, 0.1);
        at(7.0, 0.1);
        assert_eq!(Schedule::cosine(0.0, 0.0).unwrap().factor(0.0), 1.0);
        assert_eq!([0.0, 0.5, 1.0].map(|done| Schedule::Constant.factor(done)), [1.0; 3]);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        for (warm_up, floor) in
            [(-0.1, 0.0), (1.0, 0.0), (f32::NAN, 0.0), (0.0, 1.1), (0.0, f32::NAN), (0.0, -0.1)]
        {
            assert!(matches!(Schedule::cosine(warm_up, floor), Err(Error::Setting(_))), "{warm_up} {floor}");
        }
    }

    proptest! {
        /// Up, then down, never beyond its limits and without jumps.
        #[test]
        fn one_hill(warm_up in 0.01..0.99_f32, floor in 0.0..=1.0_f32, a in 0.0..=1.0_f32, b in 0.0..=1.0_f32) {
            let schedule = Schedule::cosine(warm_up, floor).unwrap();
            let (a, b) = (a.min(b), a.max(b));
            let (of_a, of_b) = (schedule.factor(a), schedule.factor(b));
            prop_assert!((floor - 1e-6..=1.0 + 1e-6).contains(&of_a));
            prop_assert!(b > warm_up || of_a <= of_b + 1e-6);
            prop_assert!(a < warm_up || of_b <= of_a + 1e-6);
            let steepest = (1.0 / warm_up).max(0.5 * PI / (1.0 - warm_up));
            prop_assert!((of_a - of_b).abs() <= steepest * (b - a) + 1e-5);
        }
    }
}

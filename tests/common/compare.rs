//! Comparisons: bit for bit among the crate's own results, within a tolerance against f64.

/// The bits of floats, so that NaN is equal to itself and −0 is not 0.
pub fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

pub fn f64s(x: &[f32]) -> Vec<f64> {
    x.iter().copied().map(f64::from).collect()
}

/// ‖x‖
pub fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// The root of the mean of squares; zero of nothing.
fn typical(x: &[f64]) -> f64 {
    if x.is_empty() { 0.0 } else { norm(x) / (x.len() as f64).sqrt() }
}

/// How far apart tensors may be: their distance relative to the norm, and each element relative to itself or, where
/// that is larger, to the tensor's typical element.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    pub norm: f64,
    pub element: f64,
}

impl Tolerance {
    #[track_caller]
    pub fn check(self, what: &str, actual: &[f32], expected: &[f64]) {
        self.check_beside(what, actual, expected, 0.0);
    }

    /// The same, for a tensor that is the result of sums whose terms are `typical` in size: its elements may be small
    /// because terms cancel, their rounding errors do not.
    #[track_caller]
    pub fn check_beside(self, what: &str, actual: &[f32], expected: &[f64], beside: f64) {
        assert_eq!(actual.len(), expected.len(), "{what}");
        let size = typical(expected).max(beside);
        let differences: Vec<f64> = actual.iter().zip(expected).map(|(&a, e)| f64::from(a) - e).collect();
        let distance = typical(&differences) / size.max(f64::MIN_POSITIVE);
        assert!(distance <= self.norm, "{what} is off by {distance:.1e} of its norm");
        for (i, (d, e)) in differences.iter().zip(expected).enumerate() {
            let relative = d.abs() / e.abs().max(size).max(f64::MIN_POSITIVE);
            assert!(relative <= self.element, "{what}[{i}] is {}, not {e} ({relative:.1e})", actual[i]);
        }
    }
}

/// The typical size of all of several tensors together.
pub fn typical_of<'a>(tensors: impl Iterator<Item = &'a Vec<f64>>) -> f64 {
    typical(&tensors.flatten().copied().collect::<Vec<_>>())
}

//! Initial weights, drawn in place from the caller's random numbers.
//!
//! The same seed gives the same weights on every target: all is reckoned on lanes that round alike everywhere.

use rand_core::Rng;

use crate::kernels::{Mat, add_scaled, dot, scale};
use crate::lanes::{Portable, Scalar};
use crate::math;

/// The scale of initial weights, which depends on what the inputs are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Init {
    /// The standard deviation of W_xh; by Xavier's rule if there is none.
    pub input_deviation: Option<f32>,
    /// What the orthogonal W_hh is multiplied with.
    pub recurrent_gain: f32,
}

impl Init {
    /// For inputs that are tokens. Xavier's rule reckons with d inputs at a time, but of a one-hot input one is not
    /// zero, so W_xh gets variance 1, as the rows of an embedding have. W_hh forgets a little: of the factors tried on
    /// texts, 0.6 led to better perplexity on held-out text than 0.9.
    pub const TOKENS: Self = Self { input_deviation: Some(1.0), recurrent_gain: 0.6 };

    /// For inputs that are vectors with elements of about 1: Xavier's rule, and a W_hh that keeps the length of a state.
    pub const VECTORS: Self = Self { input_deviation: None, recurrent_gain: 1.0 };

    /// Draws W_xh (d×h), uniform.
    pub(crate) fn draw_input<R: Rng + ?Sized>(self, w_xh: &mut [f32], d: usize, h: usize, rng: &mut R) {
        match self.input_deviation {
            // A uniform distribution between ±b has variance b²/3.
            Some(deviation) => uniform(w_xh, deviation * libm::sqrtf(3.0), rng),
            None => xavier(w_xh, d, h, rng),
        }
    }

    /// Draws W_hh (h×h), orthogonal but for the gain; or several of them side by side.
    pub(crate) fn draw_recurrent<R: Rng + ?Sized>(self, w_hh: &mut [f32], h: usize, rng: &mut R) {
        let cols = w_hh.len() / h.max(1);
        for first in (0..cols).step_by(h.max(1)) {
            orthogonal_columns(w_hh, cols, first, h, rng);
        }
        scale(Portable, w_hh, self.recurrent_gain);
    }
}

/// A number from 0 to below 1, in steps of 2⁻²⁴.
#[inline]
pub fn unit<R: Rng + ?Sized>(rng: &mut R) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "24 bits fit")]
    let bits = (rng.next_u32() >> 8) as f32;
    bits * (1.0 / 16_777_216.0)
}

/// Uniform between −`bound` and `bound`.
pub fn uniform<R: Rng + ?Sized>(weights: &mut [f32], bound: f32, rng: &mut R) {
    for w in weights {
        *w = bound * (2.0 * unit(rng) - 1.0);
    }
}

/// Uniform between ±√(6 / (inputs + outputs)), for the weights of a layer (X. Glorot and Y. Bengio, Understanding the
/// difficulty of training deep feedforward neural networks, 2010).
#[expect(clippy::cast_precision_loss, reason = "a layer's width fits")]
pub fn xavier<R: Rng + ?Sized>(weights: &mut [f32], inputs: usize, outputs: usize, rng: &mut R) {
    uniform(weights, libm::sqrtf(6.0 / (inputs + outputs).max(1) as f32), rng);
}

/// Tries of a draw that may have to be repeated. Only a generator that is stuck needs so many.
const TRIES: usize = 64;

/// Normal with mean 0 and this standard deviation, by Marsaglia's polar method.
///
/// A generator that is stuck gives a constant instead of an endless loop.
pub fn normal<R: Rng + ?Sized>(weights: &mut [f32], deviation: f32, rng: &mut R) {
    for pair in weights.chunks_mut(2) {
        let z = polar(rng).map(|z| deviation * z);
        for (w, z) in pair.iter_mut().zip(z) {
            *w = z;
        }
    }
}

/// Two independent numbers of the standard normal distribution.
fn polar<R: Rng + ?Sized>(rng: &mut R) -> [f32; 2] {
    for _ in 0..TRIES {
        let (u, v) = (2.0 * unit(rng) - 1.0, 2.0 * unit(rng) - 1.0);
        let s = u * u + v * v;
        if s > 0.0 && s < 1.0 {
            let k = libm::sqrtf(-2.0 * math::ln(Scalar, s) / s);
            return [k * u, k * v];
        }
    }
    [1.0; 2]
}

/// An orthogonal matrix (n×n), for recurrent weights: it neither stretches nor shrinks a hidden state (A. Saxe,
/// J. McClelland and S. Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear neural
/// networks, 2014). Rows beyond the n-th are left alone.
///
/// Rows of a normal matrix are made orthogonal to those before them (Gram–Schmidt), twice against rounding.
pub fn orthogonal<R: Rng + ?Sized>(weights: &mut [f32], n: usize, rng: &mut R) {
    orthogonal_columns(weights, n, 0, n, rng);
}

/// The same for n of a matrix's columns, from `first` on.
fn orthogonal_columns<R: Rng + ?Sized>(
    weights: &mut [f32],
    cols: usize,
    first: usize,
    n: usize,
    rng: &mut R,
) {
    let (cols, n) = (cols.max(1), n.max(1));
    for i in 0..(weights.len() / cols).min(n) {
        let (before, rest) = weights.split_at_mut_checked(i * cols).unwrap_or_default();
        let row = rest.get_mut(first..first + n).unwrap_or_default();
        let before = Mat::new(before, cols);
        let mut drawn = false;
        for _ in 0..TRIES {
            normal(row, 1.0, rng);
            drawn = drawn || make_orthonormal(row, before, first);
            if drawn {
                break;
            }
        }
        // With a stuck generator, the first axis that the rows before do not span.
        for axis in 0..if drawn { 0 } else { n } {
            for (j, w) in row.iter_mut().enumerate() {
                *w = if j == axis { 1.0 } else { 0.0 };
            }
            if make_orthonormal(row, before, first) {
                break;
            }
        }
    }
}

/// Makes a row orthogonal to those before it, from their column `first` on, and of length 1; not if it is almost within their space, where it would
/// lose its digits.
fn make_orthonormal(row: &mut [f32], before: Mat<'_>, first: usize) -> bool {
    let drawn = dot(Portable, row, row);
    for _ in 0..2 {
        for other in before.iter() {
            let other = other.get(first..first + row.len()).unwrap_or_default();
            let along = dot(Portable, row, other);
            add_scaled(Portable, row, other, -along);
        }
    }
    let left = dot(Portable, row, row);
    let far = left > 1e-6 * drawn;
    if far {
        scale(Portable, row, 1.0 / libm::sqrtf(left));
    }
    far
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;
    use rand_pcg::Pcg32;

    use super::*;

    #[test]
    fn orthogonal_rows() {
        for n in [1, 2, 3, 17, 64] {
            let mut w = [0.0; 64 * 64];
            let w = &mut w[..n * n];
            orthogonal(w, n, &mut Pcg32::seed_from_u64(1));
            for (i, a) in w.chunks(n).enumerate() {
                for (j, b) in w.chunks(n).enumerate() {
                    let expected = if i == j { 1.0 } else { 0.0 };
                    assert!((dot(Scalar, a, b) - expected).abs() < 2e-6, "{n}: rows {i} and {j}");
                }
            }
        }
    }

    #[test]
    fn recurrent_weights_of_several_gates_are_orthogonal_each() {
        const H: usize = 5;
        let mut w = [0.0; 3 * H * H];
        Init::VECTORS.draw_recurrent(&mut w, H, &mut Pcg32::seed_from_u64(1));
        for gate in 0..3 {
            let row = |k: usize| &w[(k * 3 + gate) * H..][..H];
            for (i, j) in (0..H).flat_map(|i| (0..H).map(move |j| (i, j))) {
                let expected = if i == j { 1.0 } else { 0.0 };
                assert!((dot(Scalar, row(i), row(j)) - expected).abs() < 2e-6, "gate {gate}: {i} and {j}");
            }
        }
    }

    #[test]
    fn moments_and_bounds() {
        let mut w = std::vec![0.0; 10_000];
        let moment = |w: &[f32], p: i32| w.iter().map(|x| f64::from(*x).powi(p)).sum::<f64>() / 10_000.0;
        normal(&mut w, 2.0, &mut Pcg32::seed_from_u64(2));
        assert!(
            moment(&w, 1).abs() < 0.1
                && (moment(&w, 2) - 4.0).abs() < 0.2
                && (moment(&w, 4) - 48.0).abs() < 6.0
        );
        xavier(&mut w, 2, 4, &mut Pcg32::seed_from_u64(3));
        assert!(w.iter().all(|x| x.abs() <= 1.0) && w.iter().any(|x| x.abs() > 0.99));
        assert!((moment(&w, 2) - 1.0 / 3.0).abs() < 0.02);
    }

    /// A generator that always gives the same.
    struct Stuck(u32);

    impl rand_core::TryRng for Stuck {
        type Error = core::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(self.0)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(self.0.into())
        }
        fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Self::Error> {
            to.fill(0);
            Ok(())
        }
    }

    #[test]
    fn a_stuck_generator_ends_in_a_matrix_all_the_same() {
        for value in [0, u32::MAX, 0xa000_0000] {
            let mut w = [f32::NAN; 25];
            orthogonal(&mut w, 5, &mut Stuck(value));
            for (i, row) in w.chunks(5).enumerate() {
                assert!((dot(Scalar, row, row) - 1.0).abs() < 1e-5, "{value:x}: row {i} of {w:?}");
                assert!(i == 0 || dot(Scalar, row, &w[..5]).abs() < 1e-5, "{value:x}: row {i} of {w:?}");
            }
        }
    }

    /// FNV-1a over the bits, pinned: initial weights must not change with the machine, nor from release to release.
    #[test]
    fn the_same_seed_gives_the_same_bits_everywhere() {
        let mut w = [0.0; 64];
        Init::TOKENS.draw_recurrent(&mut w, 8, &mut Pcg32::seed_from_u64(1));
        let bytes = w.iter().flat_map(|w| w.to_bits().to_le_bytes());
        let hash =
            bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        assert_eq!(hash, 0x227e2278);
    }

    #[test]
    fn the_seed_decides() {
        let draw = |seed| {
            let mut w = [0.0; 9];
            orthogonal(&mut w, 3, &mut Pcg32::seed_from_u64(seed));
            w
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }
}

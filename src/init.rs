//! Initial weights, drawn in place from the caller's random numbers.
//!
//! The same seed gives the same weights on every target: only integers and lanes that round alike are used.

use rand_core::Rng;

use crate::kernels::{add_scaled, dot, scale};
use crate::lanes::{Scalar, best_lanes};
use crate::math;
use crate::params::rows;

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

/// Normal with mean 0 and this standard deviation, by Marsaglia's polar method.
pub fn normal<R: Rng + ?Sized>(weights: &mut [f32], deviation: f32, rng: &mut R) {
    for pair in weights.chunks_mut(2) {
        let (x, y) = loop {
            let (u, v) = (2.0 * unit(rng) - 1.0, 2.0 * unit(rng) - 1.0);
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                let k = deviation * libm::sqrtf(-2.0 * math::ln(Scalar, s) / s);
                break (k * u, k * v);
            }
        };
        for (w, z) in pair.iter_mut().zip([x, y]) {
            *w = z;
        }
    }
}

/// An orthogonal matrix (n×n), for recurrent weights: it neither stretches nor shrinks a hidden state (A. Saxe,
/// J. McClelland and S. Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear neural
/// networks, 2014). Elements beyond the last whole row are left alone.
///
/// Rows of a normal matrix are made orthogonal to those before them (Gram–Schmidt), twice against rounding.
pub fn orthogonal<R: Rng + ?Sized>(weights: &mut [f32], n: usize, rng: &mut R) {
    let n = n.max(1);
    best_lanes!(lanes => {
        for i in 0..(weights.len() / n).min(n) {
            let (before, rest) = weights.split_at_mut_checked(i * n).unwrap_or_default();
            let row = rest.get_mut(..n).unwrap_or_default();
            loop {
                normal(row, 1.0, rng);
                let drawn = dot(lanes, row, row);
                for _ in 0..2 {
                    for other in rows(before, n) {
                        let along = dot(lanes, row, other);
                        add_scaled(lanes, row, other, -along);
                    }
                }
                let left = dot(lanes, row, row);
                // A row drawn almost within the space of the others has lost its digits: draw another.
                if left > 1e-6 * drawn {
                    scale(lanes, row, 1.0 / libm::sqrtf(left));
                    break;
                }
            }
        }
    });
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

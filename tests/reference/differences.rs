//! Derivatives by finite differences, which check the analytic gradients.
//!
//! The five-point stencil `f′(w) ≈ (f(w−2ε) − 8 f(w−ε) + 8 f(w+ε) − f(w+2ε)) / 12ε` has an error of order ε⁴,
//! so that ε can be large enough to lose little to rounding: about 1e−12 in all for functions of size 1.

/// The distance between the points of the stencil.
const EPSILON: f64 = 1e-4;

/// The derivative of `f` with respect to every component of `at`.
///
/// `f` returns its value and the branches it took (for rectified units: which of them are active). Where the
/// branches differ between the points of the stencil there is a kink between them, and `None` stands for the
/// derivative.
pub fn derivatives(at: &[f64], f: impl Fn(&[f64]) -> (f64, Vec<bool>)) -> Vec<Option<f64>> {
    let mut point = at.to_vec();
    let mut derivatives = Vec::new();
    for i in 0..at.len() {
        let [a, b, c, d] = [-2.0, -1.0, 1.0, 2.0].map(|steps| {
            point[i] = at[i] + steps * EPSILON;
            f(&point)
        });
        point[i] = at[i];
        let smooth = a.1 == b.1 && b.1 == c.1 && c.1 == d.1;
        derivatives.push(smooth.then(|| (a.0 - 8.0 * b.0 + 8.0 * c.0 - d.0) / (12.0 * EPSILON)));
    }
    derivatives
}

//! The three products of a layer and its gradient: `y += x W`, `x += y Wᵀ` and `W += xᵀ y`.
//!
//! x is a row of n numbers, y a row of m numbers, W an n×m matrix, row-major.

/// `y_j += Σ_i x_i W_ij`: a row times a matrix.
pub fn add_product(y: &mut [f64], x: &[f64], w: &[f64]) {
    assert_eq!(w.len(), x.len() * y.len());
    let m = y.len();
    for j in 0..m {
        for i in 0..x.len() {
            y[j] += x[i] * w[i * m + j];
        }
    }
}

/// `x_i += Σ_j y_j W_ij`: a row times the transposed matrix.
pub fn add_product_transposed(x: &mut [f64], y: &[f64], w: &[f64]) {
    assert_eq!(w.len(), x.len() * y.len());
    let m = y.len();
    for i in 0..x.len() {
        for j in 0..m {
            x[i] += y[j] * w[i * m + j];
        }
    }
}

/// `W_ij += x_i y_j`: the outer product of two rows.
pub fn add_outer(w: &mut [f64], x: &[f64], y: &[f64]) {
    assert_eq!(w.len(), x.len() * y.len());
    let m = y.len();
    for i in 0..x.len() {
        for j in 0..m {
            w[i * m + j] += x[i] * y[j];
        }
    }
}

/// `y_j += x_j`.
pub fn add(y: &mut [f64], x: &[f64]) {
    assert_eq!(y.len(), x.len());
    for (y, x) in y.iter_mut().zip(x) {
        *y += x;
    }
}

//! Every kernel on every kind of lanes: the documented order of summation, followed by a plain loop, gives the very
//! same bits, whatever the width; and a naive f64 loop gives nearly the same numbers.

#[allow(dead_code, reason = "each test crate uses its part of the helpers")]
mod common;
#[allow(dead_code, reason = "each test crate uses its part of the reference")]
mod reference;

use proptest::prelude::*;
use proptest::sample::select;
use recurve::crew::Alone;
use recurve::kernels::{self, Factor, Mat, Start, chains, product_at_len};
use recurve::lanes::{FOLD, FusedScalar, Lanes, Portable, Scalar};

use common::compare::{Tolerance, bits, f64s};
use common::problem::{WIDTHS, numbers, sizes};
use common::{Outcome, Problem, each_lanes};
use reference::random::Random;

/// What the lanes' `mul_add` computes: they promise two roundings or one.
fn mul_add<L: Lanes>(a: f32, b: f32, c: f32) -> f32 {
    if L::FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// c += Σ_k a_k b_k in `chains` partial sums: k goes to sum k mod P, the first starts from c, the end is in order.
fn dot<L: Lanes>(chains: usize, c: f32, terms: impl Iterator<Item = (f32, f32)>) -> f32 {
    let mut sums = vec![0.0; chains];
    sums[0] = c;
    for (k, (a, b)) in terms.enumerate() {
        sums[k % chains] = mul_add::<L>(a, b, sums[k % chains]);
    }
    sums.into_iter().reduce(|total, sum| total + sum).unwrap_or(c)
}

/// Matrices A (m×k), B (k×n) and C (m×n), B also as n×k and A also as k×m, all from a few numbers.
#[derive(Clone, Debug)]
struct Matrices {
    m: usize,
    k: usize,
    n: usize,
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
}

fn matrices() -> impl Strategy<Value = Matrices> {
    // Fewer than, as many as, and more than a tile has rows; no terms at all.
    let rows = select(vec![1, 2, 3, 4, 5, 7, 8, 9, 15, 23]);
    let terms = select(vec![0, 1, 2, 3, 4, 5, 6, 7, 9, 33, 288, 300, 577]);
    let widths = WIDTHS.into_iter().chain([4, 8, 16, 29, 32, 64, 66, 100, 130]).collect::<Vec<_>>();
    (rows, terms, select(widths), any::<u64>()).prop_map(|(m, k, n, seed)| {
        let mut random = Random::new(seed);
        let mut draw = |count| numbers(&mut random, count, 1.0);
        Matrices { m, k, n, a: draw(m * k), b: draw(k * n), c: draw(m * n) }
    })
}

impl Matrices {
    /// C += Σ_k a(i, k) · b(k, j), in the documented order.
    fn in_order<L: Lanes>(
        &self,
        chains: usize,
        a: impl Fn(usize, usize) -> f32,
        b: impl Fn(usize, usize) -> f32,
    ) -> Vec<f32> {
        let (a, b) = (&a, &b);
        let element =
            |i, j| dot::<L>(chains, self.c[i * self.n + j], (0..self.k).map(|k| (a(i, k), b(k, j))));
        (0..self.m).flat_map(|i| (0..self.n).map(move |j| (i, j))).map(|(i, j)| element(i, j)).collect()
    }

    /// All products and the sums of columns against their documented order.
    fn check<L: Lanes>(&self, lanes: L) -> Result<(), TestCaseError> {
        let Self { m, k, n, .. } = *self;
        let run = |f: &dyn Fn(&mut [f32])| {
            let mut c = self.c.clone();
            f(&mut c);
            bits(&c)
        };
        let plain = self.in_order::<L>(chains(n), |i, p| self.a[i * k + p], |p, j| self.b[p * n + j]);
        let (a, b) = (Mat::new(&self.a, k), Mat::new(&self.b, n));
        prop_assert_eq!(run(&|c| kernels::product(lanes, a, b, c)), bits(&plain));

        let (bias, _) = self.c.split_at(n);
        let layer = Self { c: bias.repeat(m), ..self.clone() };
        let affine = layer.in_order::<L>(chains(n), |i, p| self.a[i * k + p], |p, j| self.b[p * n + j]);
        prop_assert_eq!(run(&|c| kernels::affine(lanes, a, b, bias, c)), bits(&affine));

        self.check_factor(lanes, a, b, &plain, &affine)?;
        let bt = self.in_order::<L>(chains(n), |i, p| self.a[i * k + p], |p, j| self.b[j * k + p]);
        self.check_transposed(lanes, a, Mat::new(&self.b, k), &bt)?;

        // All columns of A, and all but the first and the last.
        let nan = vec![f32::NAN; m * n];
        for columns in [0..m, 1..m.max(2) - 1] {
            let rows = columns.start * n..columns.end * n;
            let gradient =
                |case: &Self| case.in_order::<L>(1, |i, p| self.a[p * m + i], |p, j| self.b[p * n + j]);
            let anew = Self { c: vec![0.0; m * n], ..self.clone() };
            let cases = [(Start::Held, gradient(self), &self.c), (Start::Zero, gradient(&anew), &nan)];
            for room in [0, product_at_len(m) - 1, product_at_len(m)] {
                for (start, expected, c) in &cases {
                    let (mut c, mut room) = (c[rows.clone()].to_vec(), vec![f32::NAN; room]);
                    kernels::product_at(lanes, Mat::new(&self.a, m), &columns, b, *start, &mut c, &mut room);
                    prop_assert_eq!(
                        bits(&c),
                        bits(&expected[rows.clone()]),
                        "{:?}, room {}",
                        start,
                        room.len()
                    );
                }
            }
        }

        let mut sums = self.c[..n].to_vec();
        let in_order = (0..n).map(|j| (0..k).fold(sums[j], |sum, p| sum + self.b[p * n + j]));
        let in_order: Vec<f32> = in_order.collect();
        kernels::column_sums(lanes, Mat::new(&self.b, n), &mut sums);
        prop_assert_eq!(bits(&sums), bits(&in_order));
        Ok(())
    }

    /// B as a factor, in place and copied for few rows and many.
    fn check_factor<L: Lanes>(
        &self,
        lanes: L,
        a: Mat<'_>,
        b: Mat<'_>,
        product: &[f32],
        affine: &[f32],
    ) -> Result<(), TestCaseError> {
        for (rows, pack) in packs(lanes, b) {
            let factor = Factor::new(b, rows, &pack);
            let mut c = self.c.clone();
            factor.product(lanes, a, &mut c);
            prop_assert_eq!(bits(&c), bits(product), "for {} rows", rows);
            factor.affine(lanes, a, &self.c[..self.n], &mut c);
            prop_assert_eq!(bits(&c), bits(affine), "for {} rows", rows);
        }
        Ok(())
    }

    /// The same for the transpose of B.
    fn check_transposed<L: Lanes>(
        &self,
        lanes: L,
        a: Mat<'_>,
        b: Mat<'_>,
        expected: &[f32],
    ) -> Result<(), TestCaseError> {
        for (rows, pack) in packs(lanes, b) {
            let mut c = self.c.clone();
            Factor::transposed(b, rows, &pack).product(lanes, a, &mut c);
            prop_assert_eq!(bits(&c), bits(expected), "for {} rows", rows);
        }
        Ok(())
    }
}

/// Copies of a matrix for products with few and many rows; and no room for any.
fn packs<L: Lanes>(lanes: L, b: Mat<'_>) -> impl Iterator<Item = (usize, Vec<f32>)> {
    let len = Factor::pack_len(b.rows(), b.cols);
    [(1, len), (9, len), (9, 0)].into_iter().map(move |(rows, room)| {
        let mut pack = vec![f32::NAN; room];
        if room > 0 {
            Factor::pack(&Alone, lanes, b, rows, &mut pack);
        }
        (rows, pack)
    })
}

/// Element i goes to virtual lane i mod [`FOLD`], and those that do not fill all lanes once more to the last ones; the upper
/// half is folded onto the lower until one is left.
fn fold<X: Copy>(
    x: &[X],
    start: f32,
    join: impl Fn(f32, X) -> f32,
    join_last: impl Fn(f32, f32) -> f32,
) -> f32 {
    let mut lanes = vec![start; FOLD];
    let (len, whole) = (x.len(), x.len() - x.len() % FOLD);
    for (i, &x) in x.iter().enumerate() {
        let lane = if i < whole { i % FOLD } else { i + FOLD - len };
        lanes[lane] = join(lanes[lane], x);
    }
    while lanes.len() > 1 {
        let upper = lanes.split_off(lanes.len() / 2);
        lanes.iter_mut().zip(upper).for_each(|(lower, upper)| *lower = join_last(*lower, upper));
    }
    lanes[0]
}

fn check_reductions<L: Lanes>(lanes: L, x: &[f32]) -> Result<(), TestCaseError> {
    let add = |a: f32, b: f32| a + b;
    let sum = kernels::sum(lanes, x);
    prop_assert_eq!(sum.to_bits(), fold(x, 0.0, add, add).to_bits());
    let squares = kernels::sum_of_squares(lanes, x);
    prop_assert_eq!(squares.to_bits(), fold(x, 0.0, |a, x| mul_add::<L>(x, x, a), add).to_bits());
    // The elements backwards as the other factor.
    let y: Vec<f32> = x.iter().rev().copied().collect();
    let products: Vec<(f32, f32)> = x.iter().copied().zip(y.iter().copied()).collect();
    let dot = fold(&products, 0.0, |a, (x, y)| mul_add::<L>(x, y, a), add);
    prop_assert_eq!(kernels::dot(lanes, x, &y).to_bits(), dot.to_bits());
    let doubles = kernels::sum_of(lanes, x, 0.0, |x| lanes.add(x, x));
    prop_assert_eq!(doubles.to_bits(), fold(x, 0.0, |a, x| a + (x + x), add).to_bits());

    let exact = |f: fn(f64) -> f64| f64s(x).into_iter().map(f).sum::<f64>();
    let allowed = 1e-6 * exact(f64::abs);
    prop_assert!((f64::from(sum) - exact(|x| x)).abs() <= allowed);
    prop_assert!((f64::from(squares) - exact(|x| x * x)).abs() <= allowed);

    let largest = |f: fn(f32) -> f32, least| x.iter().copied().map(f).fold(least, f32::max);
    prop_assert_eq!(kernels::max(lanes, x), largest(|x| x, f32::NEG_INFINITY));
    prop_assert_eq!(kernels::max_abs(lanes, x), largest(f32::abs, 0.0));
    prop_assert!(kernels::all_finite(lanes, x));
    Ok(())
}

/// One element that is not finite is seen wherever it stands, and NaN is passed over by maxima.
fn check_not_finite<L: Lanes>(lanes: L, x: &[f32], at: usize) -> Result<(), TestCaseError> {
    for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut x = x.to_vec();
        x[at] = bad;
        prop_assert!(!kernels::all_finite(lanes, &x));
    }
    let mut without = x.to_vec();
    without.remove(at);
    let mut x = x.to_vec();
    x[at] = f32::NAN;
    prop_assert_eq!(kernels::max(lanes, &x), kernels::max(lanes, &without));
    prop_assert_eq!(kernels::max_abs(lanes, &x), kernels::max_abs(lanes, &without));
    Ok(())
}

fn check_elementwise<L: Lanes>(lanes: L, z: &[f32], x: &[f32], y: &[f32]) -> Result<(), TestCaseError> {
    let each = |f: &dyn Fn(usize) -> f32| bits(&(0..z.len()).map(f).collect::<Vec<_>>());
    let run = |f: &dyn Fn(&mut [f32])| {
        let mut z = z.to_vec();
        f(&mut z);
        bits(&z)
    };
    prop_assert_eq!(run(&|z| kernels::map(lanes, z, |z| lanes.mul(z, z))), each(&|i| z[i] * z[i]));
    prop_assert_eq!(run(&|z| kernels::scale(lanes, z, 0.3)), each(&|i| 0.3 * z[i]));
    prop_assert_eq!(run(&|z| kernels::zip_map(lanes, z, x, |z, x| lanes.sub(z, x))), each(&|i| z[i] - x[i]));
    prop_assert_eq!(
        run(&|z| kernels::zip2_map(lanes, z, x, y, |z, x, y| lanes.sub(lanes.mul(x, y), z))),
        each(&|i| x[i] * y[i] - z[i])
    );
    prop_assert_eq!(
        run(&|z| kernels::add_scaled(lanes, z, x, 0.3)),
        each(&|i| mul_add::<L>(0.3, x[i], z[i]))
    );
    prop_assert_eq!(run(&|z| kernels::copy(x, z)), bits(x));
    Ok(())
}

fn is_fused<L: Lanes>(_: L) -> bool {
    L::FUSED
}

fn check_same_window(expected: &Outcome, actual: &Outcome) -> Result<(), TestCaseError> {
    prop_assert_eq!(expected.loss.to_bits(), actual.loss.to_bits());
    prop_assert_eq!(bits(&expected.h), bits(&actual.h));
    prop_assert_eq!(bits(&expected.state), bits(&actual.state));
    prop_assert_eq!(bits(&expected.grads), bits(&actual.grads));
    Ok(())
}

/// The product of a single row, which has code of its own for each number of registers that fill a row of B.
#[test]
fn a_single_row_is_summed_in_the_documented_order_at_any_width() {
    fn check<L: Lanes>(lanes: L, k: usize, n: usize) {
        let mut random = Random::new((k * n) as u64);
        let mut draw = |count| numbers(&mut random, count, 1.0);
        let row = Matrices { m: 1, k, n, a: draw(k), b: draw(k * n), c: draw(n) };
        let expected = row.in_order::<L>(chains(n), |_, p| row.a[p], |p, j| row.b[p * n + j]);
        let mut c = row.c.clone();
        kernels::product(lanes, Mat::new(&row.a, k), Mat::new(&row.b, n), &mut c);
        assert_eq!(bits(&c), bits(&expected), "1 x {k} times {k} x {n}");
        c.fill(f32::NAN);
        kernels::affine(lanes, Mat::new(&row.a, k), Mat::new(&row.b, n), &row.c, &mut c);
        assert_eq!(bits(&c), bits(&expected), "the same with a bias");
    }
    for n in (1..=72).chain((80..=576).step_by(16)).chain((81..700).step_by(37)).chain([319, 383, 447, 511]) {
        for k in [1, 2, 3, 4, 5, 7, 8, 11] {
            each_lanes!(lanes => { check(lanes, k, n); });
        }
    }
}

/// NaN passes through a clamp because of this.
#[test]
fn where_neither_is_smaller_minimum_and_maximum_are_the_second() {
    const SPECIAL: [f32; 9] =
        [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, 1.5, -1.5, f32::from_bits(1)];
    fn check<L: Lanes>(lanes: L, a: f32, b: f32) {
        let all = |v| {
            let mut lanes_of = [0.0; FOLD];
            lanes.store(v, &mut lanes_of);
            bits(&lanes_of[..L::WIDTH])
        };
        let (max, min) = (if a > b { a } else { b }, if a < b { a } else { b });
        let (a, b) = (lanes.splat(a), lanes.splat(b));
        assert_eq!(all(lanes.max(a, b)), vec![max.to_bits(); L::WIDTH]);
        assert_eq!(all(lanes.min(a, b)), vec![min.to_bits(); L::WIDTH]);
    }
    for a in SPECIAL {
        for b in SPECIAL {
            each_lanes!(lanes => { check(lanes, a, b); });
        }
    }
}

/// Slices of up to 70 elements: no register filled, some, and several folds.
fn slices() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-1.0_f32..1.0, 0..70)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn products_are_summed_in_the_documented_order_on_all_lanes(matrices in matrices()) {
        matrices.check(Scalar)?;
        matrices.check(FusedScalar)?;
        each_lanes!(lanes => { matrices.check(lanes)?; });
    }

    #[test]
    fn products_are_those_of_a_naive_loop_in_f64(matrices in matrices()) {
        let Matrices { m, k, n, a, b, c } = &matrices;
        let mut expected = f64s(c);
        for i in 0..*m {
            for j in 0..*n {
                for p in 0..*k {
                    expected[i * n + j] += f64::from(a[i * k + p]) * f64::from(b[p * n + j]);
                }
            }
        }
        let mut actual = c.clone();
        kernels::product(Portable, Mat::new(a, *k), Mat::new(b, *n), &mut actual);
        Tolerance { norm: 1e-6, element: 4e-6 }.check_beside("product", &actual, &expected, 1.0);
    }

    #[test]
    fn reductions_fold_the_documented_tree_on_all_lanes(x in slices()) {
        check_reductions(Scalar, &x)?;
        check_reductions(FusedScalar, &x)?;
        each_lanes!(lanes => { check_reductions(lanes, &x)?; });
    }

    #[test]
    fn what_is_not_finite_is_seen_anywhere(x in prop::collection::vec(-1.0_f32..1.0, 1..70), at: prop::sample::Index) {
        let at = at.index(x.len());
        check_not_finite(Scalar, &x, at)?;
        check_not_finite(FusedScalar, &x, at)?;
        each_lanes!(lanes => { check_not_finite(lanes, &x, at)?; });
    }

    #[test]
    fn elementwise_kernels_take_each_element(z in slices(), seed: u64) {
        let mut random = Random::new(seed);
        let [x, y] = [(); 2].map(|()| numbers(&mut random, z.len(), 1.0));
        check_elementwise(Scalar, &z, &x, &y)?;
        check_elementwise(FusedScalar, &z, &x, &y)?;
        each_lanes!(lanes => { check_elementwise(lanes, &z, &x, &y)?; });
    }

    #[test]
    fn windows_and_steps_are_the_same_bits_on_all_lanes(sizes in sizes()) {
        let problem = Problem::new(sizes);
        let unfused = (problem.gradient_with(Scalar, 0), problem.steps_with(Scalar));
        let fused = (problem.gradient_with(FusedScalar, 0), problem.steps_with(FusedScalar));
        each_lanes!(lanes => {
            let (window, steps) = if is_fused(lanes) { &fused } else { &unfused };
            check_same_window(window, &problem.gradient_with(lanes, 0))?;
            let actual = problem.steps_with(lanes);
            prop_assert_eq!(bits(&steps.1), bits(&actual.1));
            prop_assert_eq!(bits(&steps.2), bits(&actual.2));
        });
    }
}

#[test]
fn a_matrix_has_only_the_rows_that_it_has() {
    let mat = Mat::new(&[1.0, 2.0, 3.0, 4.0], 2);
    assert_eq!((mat.rows(), mat.row(1), mat.row(2)), (2, &[3.0, 4.0][..], &[][..]));
    assert_eq!((Mat::new(&[], 0).rows(), Mat::new(&[], 0).row(0)), (0, &[][..]));
}

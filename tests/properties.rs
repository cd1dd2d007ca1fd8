//! Properties that the textbooks state, and that sizes at compile time and at run time are the same.

#[allow(dead_code, reason = "each test crate uses its part of the helpers")]
mod common;
#[allow(dead_code, reason = "each test crate uses its part of the reference")]
mod reference;

use proptest::prelude::*;
use recurve::cell::{ActivationKind, AnyCell, Cell, CellKind, Extent, TypedCell};
use recurve::kernels::{self, Mat};
use recurve::lanes::Portable;
use recurve::loss::{cross_entropy, log_softmax, softmax, squared_error};
use recurve::params::Flat;
use recurve::{
    Dense, Elman, Embedding, Feedforward, Gru, Lstm, Model, ModelShape, Perplexity, Relu, ResetBefore, Stack,
    Workspace,
};

use common::compare::{Tolerance, f64s};
use common::problem::{Problem, Sizes, sizes};

/// A row of logits with some spread.
fn logits() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-20.0_f32..20.0, 1..70)
}

/// Single sums and quotients in f32, of up to 70 terms, with exponentials of a few ulp.
const ROUNDING: Tolerance = Tolerance { norm: 1e-6, element: 2e-6 };

fn softmax_of(logits: &[f32]) -> Vec<f32> {
    let mut p = logits.to_vec();
    softmax(&mut p);
    p
}

fn log_softmax_of(logits: &[f32]) -> Vec<f32> {
    let mut p = logits.to_vec();
    log_softmax(&mut p);
    p
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// X W_xh + H W_hh = [X, H] [W_xh; W_hh] (Dive into Deep Learning, section 9.4.2).
    #[test]
    fn inputs_and_state_side_by_side_times_stacked_weights_is_the_same_step(sizes in sizes(), rectified: bool) {
        let activation = if rectified { ActivationKind::Relu } else { ActivationKind::Tanh };
        let (d, h) = (sizes.cell.inputs(), sizes.cell.hidden());
        let cell = AnyCell::new(CellKind::Elman, activation, d, h);
        let sizes = Sizes { cell, window: 1, reads_tokens: false, ..sizes };
        let problem = Problem::new(sizes);
        let common::problem::Rows::Vectors(x, _) = &problem.inputs else { unreachable!() };

        let rows = x.chunks_exact(d).zip(problem.state.chunks_exact(h));
        let side_by_side: Vec<f32> = rows.flat_map(|(x, h)| [x, h].concat()).collect();
        // The weights lie stacked in the flat slice as they are.
        let (stacked, rest) = problem.params.split_at((d + h) * h);
        let mut step = rest[..h].repeat(sizes.batch);
        kernels::product(Portable, Mat::new(&side_by_side, d + h), Mat::new(stacked, h), &mut step);
        let phi = |z: f64| if rectified { z.max(0.0) } else { z.tanh() };
        let expected: Vec<f64> = f64s(&step).into_iter().map(phi).collect();
        ROUNDING.check_beside("H", &problem.gradient().h, &expected, 1.0);
    }

    #[test]
    fn the_number_of_parameters_does_not_depend_on_the_number_of_steps(sizes in sizes(), steps in 1..50_usize) {
        // The same weights, and the same gradients to add to, for windows of two lengths.
        let (short, mut long) = (Problem::new(sizes), Problem::new(Sizes { window: steps, ..sizes }));
        long.params.clone_from(&short.params);
        let mut grads = vec![0.0; short.params.len()];
        prop_assert!(short.add_gradient(Portable, 0, &mut grads).is_ok());
        prop_assert!(long.add_gradient(Portable, 0, &mut grads).is_ok());
    }

    #[test]
    fn softmax_is_a_distribution_and_the_reference_s(o in logits()) {
        let p = softmax_of(&o);
        prop_assert!(p.iter().all(|p| (0.0..=1.0).contains(p)));
        prop_assert!((f64s(&p).iter().sum::<f64>() - 1.0).abs() < 1e-6);
        ROUNDING.check("softmax", &p, &reference::loss::softmax(&f64s(&o)));
        ROUNDING.check("log softmax", &log_softmax_of(&o), &reference::loss::log_softmax(&f64s(&o)));
    }

    /// Of logits that are apart: exponentials of neighbouring floats may round to either order.
    #[test]
    fn softmax_keeps_the_order_of_logits(o in prop::collection::vec(-160_i16..160, 1..70)) {
        let o: Vec<f32> = o.into_iter().map(|o| f32::from(o) / 8.0).collect();
        for p in [softmax_of(&o), log_softmax_of(&o)] {
            for (a, p_a) in o.iter().zip(&p) {
                prop_assert!(o.iter().zip(&p).all(|(b, p_b)| a < b || p_a >= p_b));
            }
        }
    }

    /// Logits and shift are multiples of 1/8, so that their sums are exact and the bits must be the same.
    #[test]
    fn softmax_does_not_see_a_shift(o in prop::collection::vec(-160_i16..160, 1..70), shift in -8000_i16..8000) {
        let eighths = |shift: i16| o.iter().map(|&o| f32::from(o + shift) / 8.0).collect::<Vec<_>>();
        prop_assert_eq!(softmax_of(&eighths(0)), softmax_of(&eighths(shift)));
        prop_assert_eq!(log_softmax_of(&eighths(0)), log_softmax_of(&eighths(shift)));
        prop_assert_eq!(cross_entropy(&eighths(0), 0), cross_entropy(&eighths(shift), 0));
    }

    #[test]
    fn the_logarithm_of_softmax_is_log_softmax_and_minus_cross_entropy(o in logits()) {
        for (i, (p, log_p)) in (0..).zip(softmax_of(&o).into_iter().zip(log_softmax_of(&o))) {
            prop_assert!((f64::from(p).ln() - f64::from(log_p)).abs() < 4e-6 * f64::from(log_p).abs().max(1.0));
            prop_assert!((cross_entropy(&o, i) + log_p).abs() <= 4e-6 * log_p.abs().max(1.0));
        }
    }

    #[test]
    fn the_loss_of_a_window_is_the_mean_over_its_rows(sizes in sizes()) {
        let problem = Problem::new(sizes);
        let (_, logits, _) = problem.steps();
        let rows = logits.chunks_exact(sizes.outputs);
        let count = rows.len() as f64;
        let sum: f64 = match &problem.targets {
            common::problem::Rows::Tokens(tokens) => {
                rows.zip(tokens).map(|(o, &token)| f64::from(cross_entropy(o, token))).sum()
            }
            common::problem::Rows::Vectors(y, width) => {
                rows.zip(y.chunks_exact(*width)).map(|(o, y)| f64::from(squared_error(o, y))).sum()
            }
        };
        ROUNDING.check_beside("loss", &[problem.loss().0], &[sum / count], 1.0);
    }
}

#[test]
fn extreme_logits_give_finite_losses() {
    assert_eq!(softmax_of(&[1e38, -1e38, 0.0]), [1.0, 0.0, 0.0]);
    assert_eq!(cross_entropy(&[300.0, 0.0], 1), 300.0);
    assert_eq!(log_softmax_of(&[-1e30, 0.0]), [-1e30, 0.0]);
    assert!(softmax_of(&[]).is_empty());
    assert!(cross_entropy(&[0.0; 3], 3).is_nan());
}

#[test]
fn perplexity_has_its_landmarks() {
    let of = |probabilities: &[f32]| {
        let mut perplexity = Perplexity::default();
        probabilities.iter().for_each(|&p| perplexity.add_probability(p));
        assert_eq!(perplexity.tokens(), probabilities.len() as u64);
        perplexity.value()
    };
    assert_eq!(of(&[1.0; 9]), 1.0, "certain and right");
    assert_eq!(of(&[1.0, 0.0]), f32::INFINITY, "certain and wrong");
    let mut uniform = Perplexity::default();
    for target in 0..28 {
        uniform.add(cross_entropy(&[0.5; 28], target));
    }
    assert!((uniform.value() - 28.0).abs() < 1e-4, "as good as dice: {}", uniform.value());

    let mut by_mean = Perplexity::default();
    by_mean.add_mean(28_f32.ln(), 28);
    assert!((by_mean.value() - uniform.value()).abs() < 1e-4);
    assert_eq!(by_mean.tokens(), uniform.tokens());
}

/// Lengths that a type has are those that its shape asks for at run time.
fn check_lengths<C: TypedCell<H>, const H: usize, const O: usize, const B: usize, const T: usize>() {
    let (extent, shape) = (Extent { batch: B, window: T }, Model::<C, H, O>::SHAPE);
    assert_eq!(Model::<C, H, O>::LEN, shape.params_len());
    assert_eq!(Dense::<H, O>::LEN, shape.head().params_len());
    assert_eq!(C::State::<B>::LEN, shape.state_len(B));
    assert_eq!(C::StepScratch::<B>::LEN, shape.step_scratch_len(B));
    assert_eq!(C::Tape::<B, T>::LEN, shape.tape_len(extent));
    assert_eq!(C::BackwardScratch::<B, T>::LEN, shape.cell.backward_scratch_len(extent));
    let workspace = Workspace::<C, H, O, B, T>::LEN;
    assert_eq!(workspace, shape.tape_len(extent) + shape.scratch_len(extent));
    assert_eq!(Workspace::<C, H, O, B, T>::BYTES, 4 * workspace);

    check_zero::<Model<C, H, O>>();
    check_zero::<C>();
    check_zero::<C::State<B>>();
    check_zero::<C::StepScratch<B>>();
    check_zero::<C::Tape<B, T>>();
    check_zero::<C::BackwardScratch<B, T>>();
    check_zero::<Workspace<C, H, O, B, T>>();
}

/// All-zero bytes are the initial value, and the flat view is all there is of a value.
fn check_zero<F: Flat>() {
    let mut value = F::zeroed();
    assert_eq!(value, F::ZERO);
    assert_eq!(value.as_flat().len(), F::LEN);
    assert_eq!(bytemuck::bytes_of(&value).len(), F::BYTES);
    value.as_flat_mut().fill(1.0);
    assert_eq!(value == F::ZERO, F::LEN == 0);
    assert_eq!(F::from_flat(&vec![1.0; F::LEN]), Some(&value));
    assert_eq!(F::from_flat(&vec![1.0; F::LEN + 1]), None);
    value.set_zero();
    assert_eq!(value, F::ZERO);
}

#[test]
fn lengths_of_types_and_of_shapes_are_the_same() {
    check_lengths::<Elman<28, 32>, 32, 28, 1, 16>();
    check_lengths::<Elman<3, 5, Relu>, 5, 2, 4, 7>();
    check_lengths::<Elman<1, 1>, 1, 1, 1, 1>();
    check_lengths::<Feedforward<5, 7>, 7, 3, 2, 3>();
    check_lengths::<Feedforward<6, 33, Relu>, 33, 9, 5, 1>();
    check_lengths::<Gru<28, 32>, 32, 28, 1, 16>();
    check_lengths::<Gru<3, 5, ResetBefore>, 5, 2, 4, 7>();
    check_lengths::<Lstm<28, 32>, 32, 28, 1, 16>();
    check_lengths::<Lstm<5, 7>, 7, 3, 2, 3>();
    check_lengths::<Embedding<5, 3>, 3, 2, 4, 7>();
    check_lengths::<Stack<Embedding<28, 5>, Gru<5, 32>>, 32, 28, 1, 16>();
    check_lengths::<Stack<Gru<28, 32>, Lstm<32, 16>>, 16, 28, 1, 16>();
    check_lengths::<Stack<Lstm<3, 5>, Stack<Feedforward<5, 2>, Elman<2, 7>>>, 7, 3, 2, 3>();
}

#[test]
fn numbers_of_parameters_are_those_of_the_formulas() {
    let params = |kind| {
        ModelShape { cell: AnyCell::new(kind, ActivationKind::Tanh, 28, 256), outputs: 28 }.params_len()
    };
    assert_eq!(params(CellKind::Elman), 28 * 256 + 256 * 256 + 256 + 256 * 28 + 28);
    assert_eq!(params(CellKind::Feedforward), 28 * 256 + 256 + 256 * 28 + 28);
    assert_eq!(params(CellKind::Gru), 3 * (28 * 256 + 256 * 256 + 256) + 256 + 256 * 28 + 28);
    assert_eq!(params(CellKind::Lstm), 4 * (28 * 256 + 256 * 256 + 256) + 256 * 28 + 28);
}

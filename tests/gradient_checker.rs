//! The public gradient checker accepts the crate's own gradients, kinks of ReLU included, and no wrong ones.
#![cfg(feature = "proptest")]

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use recurve::cell::TypedCell;
use recurve::params::Flat;
use recurve::testing::{GradientCheck, GradientReport, WrongGradient, models, states, tokens, vectors};
use recurve::{
    Elman, Embedding, Feedforward, Gru, Inputs, Lstm, Model, Relu, ResetBefore, Stack, Targets, Workspace,
};

/// The gradients of a window of 3 steps of 2 sequences from this state, and what the checker says of `spoil`ed ones.
fn report<C: TypedCell<H>, const H: usize, const O: usize>(
    model: &Model<C, H, O>,
    start: &C::State<2>,
    inputs: Inputs<'_>,
    targets: Targets<'_>,
    spoil: impl Fn(&mut [f32]),
) -> Result<GradientReport, WrongGradient> {
    let mut workspace = Workspace::<C, H, O, 2, 3>::boxed();
    let mut grads = Model::<C, H, O>::boxed();
    model.gradient(inputs, targets, &mut start.clone(), &mut workspace, &mut grads).expect("a valid window");
    spoil(grads.as_flat_mut());
    let loss = |params: &[f32]| {
        let model = Model::<C, H, O>::from_flat(params).expect("as many weights");
        model.loss(inputs, targets, &mut start.clone(), &mut workspace).expect("a valid window")
    };
    GradientCheck::default().run(model.as_flat(), grads.as_flat(), loss)
}

/// The same from a state of zeros, where kinks may be anywhere.
fn check<C: TypedCell<H>, const H: usize, const O: usize>(
    model: &Model<C, H, O>,
    inputs: Inputs<'_>,
    targets: Targets<'_>,
    spoil: impl Fn(&mut [f32]),
) -> Result<(), WrongGradient> {
    match report(model, &<C::State<2>>::ZERO, inputs, targets, spoil) {
        // So many kinks that nothing can be told is no contradiction.
        Ok(_) | Err(WrongGradient::Unproved(_)) => Ok(()),
        Err(wrong) => Err(wrong),
    }
}

/// A cell without kinks, from any state: every derivative is compared, and one that is wrong is named, wherever it is.
fn check_smooth<C: TypedCell<3>>() {
    let given = (models::<Model<C, 3, 4>>(0.5), states::<C::State<2>>(), tokens(2, 6), tokens(4, 6));
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(8) };
    let outcome = TestRunner::new(config).run(&(given, any::<Index>()), |((model, start, x, y), at)| {
        let (x, y) = (Inputs::Tokens(&x), Targets::Tokens(&y));
        let count = model.as_flat().len();
        prop_assert_eq!(report(&model, &start, x, y, |_| ())?.checked, count);

        let at = at.index(count);
        let spoiled = report(&model, &start, x, y, |grads| grads[at] += 0.1);
        prop_assert!(
            matches!(spoiled, Err(WrongGradient::Differs { index, .. }) if index == at),
            "{:?}",
            spoiled
        );
        Ok(())
    });
    outcome.expect("right gradients, and no wrong ones");
}

#[test]
fn gated_cells_stacks_and_embeddings() {
    check_smooth::<Gru<2, 3>>();
    check_smooth::<Gru<2, 3, ResetBefore>>();
    check_smooth::<Lstm<2, 3>>();
    check_smooth::<Stack<Elman<2, 4>, Lstm<4, 3>>>();
    check_smooth::<Stack<Embedding<2, 4>, Gru<4, 3>>>();
    check_smooth::<Embedding<2, 3>>();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn tanh(model in models::<Model<Elman<5, 7>, 7, 5>>(1.0), x in tokens(5, 6), y in tokens(5, 6)) {
        check(&model, Inputs::Tokens(&x), Targets::Tokens(&y), |_| ())?;
    }

    #[test]
    fn relu(model in models::<Model<Elman<5, 7, Relu>, 7, 5>>(0.5), x in tokens(5, 6), y in tokens(5, 6)) {
        check(&model, Inputs::Tokens(&x), Targets::Tokens(&y), |_| ())?;
    }

    #[test]
    fn relu_of_vectors(
        model in models::<Model<Feedforward<3, 5, Relu>, 5, 2>>(1.0),
        x in vectors(18, 1.0),
        y in vectors(12, 1.0),
    ) {
        check(&model, Inputs::Vectors(&x), Targets::Vectors(&y), |_| ())?;
    }

    #[test]
    fn a_wrong_gradient_is_found(
        model in models::<Model<Elman<5, 7>, 7, 5>>(0.5),
        x in tokens(5, 6),
        y in tokens(5, 6),
        at in 0..5_usize,
    ) {
        let spoil = |grads: &mut [f32]| {
            let last = grads.len() - 1 - at;
            grads[last] += 0.1;
        };
        prop_assert!(check(&model, Inputs::Tokens(&x), Targets::Tokens(&y), spoil).is_err());
    }
}

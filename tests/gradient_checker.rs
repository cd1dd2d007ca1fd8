//! The public gradient checker accepts the crate's own gradients, kinks of ReLU included, and no wrong ones.
#![cfg(feature = "proptest")]

use proptest::prelude::*;
use recurve::cell::TypedCell;
use recurve::params::Flat;
use recurve::testing::{GradientCheck, WrongGradient, models, tokens, vectors};
use recurve::{Elman, Feedforward, Inputs, Model, Relu, Targets, Workspace};

/// The gradients of a window of 3 steps of 2 sequences, and a check of `spoil`ed ones.
fn check<C: TypedCell<H>, const H: usize, const O: usize>(
    model: &Model<C, H, O>,
    inputs: Inputs<'_>,
    targets: Targets<'_>,
    spoil: impl Fn(&mut [f32]),
) -> Result<(), WrongGradient> {
    let mut workspace = Workspace::<C, H, O, 2, 3>::boxed();
    let mut grads = Model::<C, H, O>::boxed();
    let start = <C::State<2>>::ZERO;
    model.gradient(inputs, targets, &mut start.clone(), &mut workspace, &mut grads).expect("a valid window");
    spoil(grads.as_flat_mut());
    let loss = |params: &[f32]| {
        let model = Model::<C, H, O>::from_flat(params).expect("as many weights");
        model.loss(inputs, targets, &mut start.clone(), &mut workspace).expect("a valid window")
    };
    match GradientCheck::default().run(model.as_flat(), grads.as_flat(), loss) {
        // So many kinks that nothing can be told is no contradiction.
        Ok(_) | Err(WrongGradient::Unproved(_)) => Ok(()),
        Err(wrong) => Err(wrong),
    }
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

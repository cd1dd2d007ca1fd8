//! Property-based testing of models and gradients: proptest strategies, and a gradient checker.
//!
//! ```
//! use proptest::prelude::*;
//! use recurve::testing::{GradientCheck, models, states, tokens};
//! use recurve::{Elman, Inputs, Model, Targets, Workspace, params::Flat};
//!
//! type Small = Model<Elman<5, 7>, 7, 5>;
//!
//! proptest!(ProptestConfig::with_cases(8), |(
//!     model in models::<Small>(0.5),
//!     state in states::<[[f32; 7]; 2]>(),
//!     text in tokens(5, 3 * 2),
//!     next in tokens(5, 3 * 2),
//! )| {
//!     // Two sequences of three steps: the gradient of the crate, against central differences of the loss.
//!     let (inputs, targets) = (Inputs::Tokens(&text), Targets::Tokens(&next));
//!     let mut workspace = Workspace::<_, 7, 5, 2, 3>::ZERO;
//!     let mut grads = Small::ZERO;
//!     model.gradient(inputs, targets, &mut state.clone(), &mut workspace, &mut grads).unwrap();
//!     let loss = |params: &[f32]| {
//!         let model = Small::from_flat(params).unwrap();
//!         model.loss(inputs, targets, &mut state.clone(), &mut workspace).unwrap()
//!     };
//!     let report = GradientCheck::default().run(model.as_flat(), grads.as_flat(), loss)?;
//!     prop_assert_eq!(report.checked, Small::LEN);
//! });
//! ```
//!
//! The checker needs nothing but a function from weights to a loss, so it can be pointed at any model.

mod gradient;
mod strategies;

pub use gradient::{GradientCheck, GradientReport, WrongGradient};
pub use strategies::{models, sequences, states, tokens, vectors};

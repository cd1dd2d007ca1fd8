//! The gradients of input vectors, which a layer below would need, against differences of a loss of the hidden units.
#![cfg(feature = "proptest")]

use proptest::prelude::*;
use recurve::Inputs;
use recurve::cell::{
    ActivationKind, AnyCell, Backward, Block, Cell, CellKind, Extent, GruShape, ResetKind, Weights,
};
use recurve::lanes::Portable;
use recurve::testing::{GradientCheck, vectors};

const EXTENT: Extent = Extent { batch: 2, window: 3 };
const D: usize = 3;
const H: usize = 5;

/// What the d_inputs held before, which must stay in the sum.
const HELD: f32 = 0.25;

fn check(cell: AnyCell, params: &[f32], x: &[f32], state: &[f32], d_h: &[f32]) -> Result<(), TestCaseError> {
    let (params, state) = (&params[..cell.params_len()], &state[..2 * cell.state_len()]);
    let (block, weights) = (Block::whole(EXTENT), Weights::in_place(params));
    let mut tape = vec![0.0; cell.tape_len(EXTENT)];
    let mut forward = |x: &[f32]| {
        cell.begin(state, block, &mut tape);
        cell.forward(Portable, weights, Inputs::Vectors(x), block, &mut tape);
        tape.clone()
    };
    let tape = forward(x);
    let mut d_x = vec![HELD; x.len()];
    let pass = Backward {
        block,
        tape: &mut tape.clone(),
        d_outputs: &mut d_h.to_vec(),
        d_inputs: Some(&mut d_x),
        scratch: &mut vec![0.0; cell.backward_scratch_len(EXTENT)],
    };
    cell.backward(Portable, weights, pass);
    d_x.iter_mut().for_each(|d| *d -= HELD);
    // The loss Σ d_h ∘ H, whose gradient with respect to H is d_h.
    let report = GradientCheck::default()
        .run(x, &d_x, |x| cell.outputs(&forward(x), EXTENT).iter().zip(d_h).map(|(h, d)| h * d).sum())?;
    prop_assert_eq!(report.checked, x.len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn of_every_cell(
        params in vectors(4 * (D + H + 1) * H, 0.5),
        x in vectors(6 * D, 1.0),
        state in vectors(2 * 2 * H, 1.0),
        d_h in vectors(6 * H, 0.5),
    ) {
        for &kind in CellKind::ALL {
            check(AnyCell::new(kind, ActivationKind::Tanh, D, H), &params, &x, &state, &d_h)?;
        }
        let original = GruShape { inputs: D, hidden: H, reset: ResetKind::Before };
        let [lower, upper] = [(CellKind::Lstm, D), (CellKind::Gru, 2)].map(|(kind, inputs)| {
            AnyCell::new(kind, ActivationKind::Tanh, inputs, if inputs == D { 2 } else { H })
        });
        check(lower.then(upper).expect("they fit"), &params, &x, &state, &d_h)?;
        check(original.into(), &params, &x, &state, &d_h)?;
    }
}

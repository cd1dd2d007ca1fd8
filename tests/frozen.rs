//! A frozen cell below a model that is trained: together they are the stack, in every bit.

#[allow(dead_code, reason = "each test crate uses its part of the helpers")]
mod common;
#[allow(dead_code, reason = "each test crate uses its part of the reference")]
mod reference;

use common::compare::bits;
use recurve::cell::TypedCell;
use recurve::params::Flat;
use recurve::{Error, Gru, Inputs, Lstm, Model, Stack, Targets, Workspace, frozen};

const B: usize = 2;
const T: usize = 4;
type Below = Gru<5, 7>;
type Whole = Model<Stack<Below, Lstm<7, 6>>, 6, 5>;
type Above = Model<Lstm<7, 6>, 6, 5>;
type States = Stack<<Below as TypedCell<7>>::State<B>, <Lstm<7, 6> as TypedCell<6>>::State<B>>;

const TEXT: [u16; B * (T + 1)] = [0, 4, 1, 3, 2, 2, 3, 1, 4, 0];

fn whole() -> Box<Whole> {
    let (mut whole, mut random) = (Whole::boxed(), reference::random::Random::new(9));
    whole.as_flat_mut().copy_from_slice(&common::problem::numbers(&mut random, Whole::LEN, 0.5));
    whole
}

fn states() -> States {
    let (mut states, mut random) = (States::ZERO, reference::random::Random::new(4));
    states.as_flat_mut().copy_from_slice(&common::problem::numbers(&mut random, States::LEN, 0.5));
    states
}

#[test]
fn the_last_layer_has_the_gradient_that_it_has_in_the_stack() {
    let whole = whole();
    let (mut of_whole, mut state) = (Whole::boxed(), states());
    let (x, y) = (Inputs::Tokens(&TEXT[..B * T]), Targets::Tokens(&TEXT[B..]));
    let mut workspace = Workspace::<_, 6, 5, B, T>::boxed();
    let loss = whole.gradient(x, y, &mut state, &mut workspace, &mut of_whole).expect("a valid window");

    let above = Above { cell: whole.cell.second, head: whole.head };
    let (mut grads, mut split) = (Above::boxed(), states());
    let (mut between, mut scratch) = ([[[f32::NAN; 7]; B]; T], Flat::ZERO);
    for (x, h) in TEXT.chunks(B).zip(&mut between) {
        frozen::step(&whole.cell.first, Inputs::Tokens(x), &mut split.first, h, &mut scratch)
            .expect("a valid step");
    }
    let x = Inputs::Vectors(between.as_flat());
    let mut workspace = Workspace::<_, 6, 5, B, T>::boxed();
    let of = above.gradient(x, y, &mut split.second, &mut workspace, &mut grads).expect("a valid window");
    assert_eq!(of.to_bits(), loss.to_bits());
    assert_eq!(bits(grads.as_flat()), bits(&of_whole.as_flat()[Below::LEN..]));
    assert_eq!(bits(split.as_flat()), bits(state.as_flat()));
}

#[test]
fn a_step_that_fails_leaves_the_state() {
    let whole = whole();
    let fails = |below: &Below, x: Inputs<'_>, before: [[f32; 7]; B]| {
        let (mut state, mut h, mut scratch) = (before, [[0.0; 7]; B], Flat::ZERO);
        let error = frozen::step(below, x, &mut state, &mut h, &mut scratch).expect_err("not valid");
        assert_eq!(bits(state.as_flat()), bits(before.as_flat()));
        error
    };
    let (below, state) = (&whole.cell.first, states().first);
    assert_eq!(fails(below, Inputs::Tokens(&[0, 5]), state), Error::Token { token: 5, symbols: 5 });
    assert!(matches!(fails(below, Inputs::Tokens(&[0]), state), Error::Length { .. }));
    assert!(matches!(fails(below, Inputs::Vectors(&[f32::NAN; 5 * B]), state), Error::NotFinite(_)));
    assert!(matches!(fails(below, Inputs::Tokens(&[0, 1]), [[f32::NAN; 7]; B]), Error::NotFinite(_)));
    let mut broken = *below;
    broken.b_xn[3] = f32::NAN;
    assert!(matches!(fails(&broken, Inputs::Tokens(&[0, 1]), state), Error::NotFinite(_)));
}

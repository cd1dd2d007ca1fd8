//! Cells that are only read, below a model: together they are the stack. Typed models of every cell.

use recurve::cell::TypedCell;
use recurve::error::Quantity;
use recurve::params::Flat;
use recurve::{Elman, Embedding, Error, Gru, Lstm, Model, ResetBefore, Stack, Tuning, Workspace, frozen};
use recurve_fuzz::Source;
use recurve_fuzz::made::{Rows, bits, part, trained, values};

/// Sequences, steps of a window, symbols in and out.
const B: usize = 2;
const T: usize = 3;
const V: usize = 3;

pub fn check(source: &mut Source<'_>) {
    match source.below(5) {
        0 => steps::<Elman<V, 4>, Gru<4, 3>, 4, 3>(source),
        1 => steps::<Gru<V, 2, ResetBefore>, Lstm<2, 3>, 2, 3>(source),
        2 => steps::<Embedding<V, 2>, Elman<2, 3>, 2, 3>(source),
        3 => steps::<Lstm<V, 2>, Stack<Elman<2, 5>, Gru<5, 3>>, 2, 3>(source),
        _ => steps::<Stack<Embedding<V, 2>, Gru<2, 3>>, Lstm<3, 9>, 3, 9>(source),
    }
}

type Whole<X, Y, const H: usize> = Model<Stack<X, Y>, H, V>;

/// Steps of the stack, and of its two parts.
fn steps<X, Y, const M: usize, const H: usize>(source: &mut Source<'_>)
where
    X: TypedCell<M>,
    Y: TypedCell<H, Vector = [f32; M]>,
{
    let (mut whole, mut above) = (Whole::<X, Y, H>::boxed(), Model::<Y, H, V>::boxed());
    whole.as_flat_mut().copy_from_slice(&source.floats(Whole::<X, Y, H>::LEN));
    above.as_flat_mut().copy_from_slice(&whole.as_flat()[X::LEN..]);
    let mut state = <<Stack<X, Y> as TypedCell<H>>::State<B>>::boxed();
    let len = state.as_flat().len();
    state.as_flat_mut().copy_from_slice(&source.floats(len));
    for _ in 0..=source.below(3) {
        let inputs = Rows::new(source, B, V);
        let before = bits(state.as_flat());
        let mut split = state.clone();
        let (mut logits, mut of_split) = ([[0.0; V]; B], [[0.0; V]; B]);
        let (mut h, mut below, mut upper) = ([[0.0; M]; B], Flat::boxed(), Flat::boxed());
        let result = whole.step_batch(inputs.inputs(), &mut state, &mut logits, &mut Flat::boxed());
        let of_first = frozen::step(&whole.cell.first, inputs.inputs(), &mut split.first, &mut h, &mut below);
        let of_both = of_first.and_then(|()| {
            let between = recurve::Inputs::Vectors(h.as_flat());
            above.step_batch(between, &mut split.second, &mut of_split, &mut upper)
        });
        match (result, of_both) {
            (Ok(()), Ok(())) => {
                assert_eq!(values(split.as_flat()), values(state.as_flat()));
                assert_eq!(values(of_split.as_flat()), values(logits.as_flat()));
            }
            // Above, what is infinite below may count for nothing.
            (Ok(()), Err(error)) => assert_eq!(error, Error::NotFinite(Quantity::State)),
            (Err(_), Ok(())) => panic!("{result:?}"),
            (Err(_), Err(_)) => assert_eq!(bits(state.as_flat()), before),
        }
    }
    tune(source, &whole, &mut state);
    window(source, &whole, &mut state);
}

/// A step that trains another output layer than the model's own.
fn tune<C: TypedCell<H>, const H: usize>(
    source: &mut Source<'_>,
    model: &Model<C, H, V>,
    state: &mut C::State<B>,
) {
    let (mut head, mut tuning) = (model.head, Tuning::<C, H, V, B>::boxed());
    if source.flag() {
        let len = head.as_flat().len();
        head.as_flat_mut().copy_from_slice(&source.floats(len));
    }
    let mut grads = recurve::Dense::<H, V>::boxed();
    let (inputs, targets, share) = (Rows::new(source, B, V), Rows::new(source, B, V), source.float());
    let (x, y, before) = (inputs.inputs(), targets.targets(None), bits(state.as_flat()));
    match model.tune(&head, x, y, share, state, &mut tuning, &mut grads) {
        Ok(loss) => assert!(loss.is_finite()),
        Err(_) => {
            assert_eq!(bits(state.as_flat()), before);
            assert!(grads.as_flat().iter().all(|g| g.to_bits() == 0));
        }
    }
}

/// A window in which some tensors are trained, which are gathered and scattered.
fn window<C: TypedCell<H>, const H: usize>(
    source: &mut Source<'_>,
    model: &Model<C, H, V>,
    state: &mut C::State<B>,
) {
    let shape = Model::<C, H, V>::SHAPE;
    let rows = B * (1 + source.below(T));
    let (inputs, targets) = (Rows::new(source, rows, V), Rows::new(source, rows, V));
    let (trained, is_in) = trained(shape, source.word());
    let (x, y, mut workspace) = (inputs.inputs(), targets.targets(None), Workspace::<C, H, V, B, T>::boxed());
    let (mut of_all, mut all) = (state.clone(), model.clone());
    all.as_flat_mut().fill(0.0);
    let mut grads = vec![0.0; shape.trained_len(trained)];
    let loss = model.gradient(x, y, &mut of_all, &mut workspace, &mut all);
    let of_part = model.gradient_of(trained, x, y, state, &mut workspace, &mut grads);
    assert_eq!(of_part.map(f32::to_bits), loss.map(f32::to_bits));
    assert_eq!(values(state.as_flat()), values(of_all.as_flat()));
    assert_eq!(values(&grads), values(&part(shape, &is_in, all.as_flat())));

    let (mut copy, mut weights) = (model.clone(), grads.clone());
    model.gather(trained, &mut weights).unwrap();
    assert_eq!(bits(&weights), bits(&part(shape, &is_in, model.as_flat())));
    copy.scatter(trained, &grads).unwrap();
    assert_eq!(bits(&part(shape, &is_in, copy.as_flat())), bits(&grads));
    copy.scatter(trained, &weights).unwrap();
    assert_eq!(bits(copy.as_flat()), bits(model.as_flat()));
}

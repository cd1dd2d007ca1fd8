//! The gradients of input vectors: to ask for them changes no other gradient, and they are those of an embedding below
//! whose vectors the inputs are.

use recurve::Inputs;
use recurve::cell::ActivationKind::Tanh;
use recurve::cell::{AnyCell, Backpropagated, Backward, Block, Cell, CellKind, Extent, Gradient, Weights};
use recurve::kernels::Start;
use recurve::lanes::{LaneKind, Lanes};
use recurve_fuzz::made::{cell, size, values};
use recurve_fuzz::{Source, on};

pub fn check(source: &mut Source<'_>) {
    let cell = cell(source);
    let extent = Extent { batch: size(source, 4), window: 1 + source.below(6) };
    let kinds: Vec<LaneKind> = LaneKind::available().collect();
    let kind = source.one_of(&kinds);
    let pass = Pass {
        extent,
        params: source.floats(cell.params_len()),
        state: source.floats(extent.batch * cell.state_len()),
        d_outputs: source.floats(extent.rows() * cell.hidden()),
    };
    let x = source.floats(extent.rows() * cell.inputs());
    let mut d_x = vec![0.0; x.len()];
    let (alone, with_d_x) = on!(kind, lanes => {
        let alone = pass.grads(cell, lanes, Inputs::Vectors(&x), None);
        (alone, pass.grads(cell, lanes, Inputs::Vectors(&x), Some(&mut d_x)))
    });
    assert_eq!(values(&with_d_x), values(&alone));

    let below = AnyCell::new(CellKind::Embedding, Tanh, extent.rows(), cell.inputs());
    let (both, tokens) = (below.then(cell).unwrap(), (0..extent.rows() as u16).collect::<Vec<_>>());
    let (params, state) = ([&x[..], &pass.params].concat(), vec![0.0; extent.batch * below.state_len()]);
    let pass = Pass { params, state: [state, pass.state].concat(), ..pass };
    let all = on!(kind, lanes => pass.grads(both, lanes, Inputs::Tokens(&tokens), None));
    let (of_vectors, of_cell) = all.split_at(x.len());
    // The sign of a zero is lost where it is added to another one.
    let unsigned = |of: &[f32]| values(&of.iter().map(|x| x + 0.0).collect::<Vec<_>>());
    assert_eq!(unsigned(of_vectors), unsigned(&d_x));
    assert_eq!(values(of_cell), values(&alone));
}

/// A window of a cell alone.
struct Pass {
    extent: Extent,
    params: Vec<f32>,
    state: Vec<f32>,
    d_outputs: Vec<f32>,
}

impl Pass {
    /// The gradients of the weights, and of the inputs if there is room for them.
    fn grads<L: Lanes>(&self, cell: AnyCell, lanes: L, x: Inputs<'_>, d_x: Option<&mut [f32]>) -> Vec<f32> {
        let (block, weights) = (Block::whole(self.extent), Weights::in_place(&self.params));
        let mut tape = vec![0.0; cell.tape_len(self.extent)];
        let mut scratch = vec![0.0; cell.backward_scratch_len(self.extent)];
        cell.begin(&self.state, block, &mut tape);
        cell.forward(lanes, weights, x, block, &mut tape);
        let d_outputs = &mut self.d_outputs.clone();
        let pass = Backward { block, tape: &mut tape, d_outputs, d_inputs: d_x, scratch: &mut scratch };
        cell.backward(lanes, weights, pass);
        let from = Backpropagated { inputs: x, block, tape: &tape, d_outputs, scratch: &scratch };
        let of_tensor = |tensor| {
            let (rows, columns) = cell.tensor(tensor).unwrap();
            let mut grads = vec![f32::NAN; rows * columns];
            let (rows, start, room) = (&(0..rows), Start::Zero, &mut [][..]);
            cell.accumulate(lanes, tensor, from, Gradient { rows, start, grads: &mut grads, room });
            grads
        };
        (0..cell.tensors()).flat_map(of_tensor).collect()
    }
}

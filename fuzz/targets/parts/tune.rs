//! Steps that train the output layer alone: each is a window of one step in which all else is frozen.

use recurve::cell::{AnyCell, Extent};
use recurve::crew::Alone;
use recurve::lanes::LaneKind;
use recurve::{Error, ModelShape, Targets, Trained};
use recurve_fuzz::made::{Rows, bits, cell, room, size, values};
use recurve_fuzz::{Source, on};

/// Sequences that a window does not cut into blocks, which are summed one after another.
const BLOCK: usize = 16;

/// A network, and what a step of it needs.
struct Run {
    shape: ModelShape<AnyCell>,
    kind: LaneKind,
    batch: usize,
    cell: Vec<f32>,
    head: Vec<f32>,
    state: Vec<f32>,
    grads: Vec<f32>,
}

pub fn check(source: &mut Source<'_>) {
    let shape = ModelShape { cell: cell(source), outputs: size(source, 9) };
    let kinds: Vec<LaneKind> = LaneKind::available().collect();
    let (kind, batch) = (source.one_of(&kinds), size(source, 4));
    let (steps, delta) = (1 + source.below(3), source.flag().then(|| source.float()));
    let params = source.floats(shape.params_len());
    let (head, state) = (shape.head().params_len(), source.floats(shape.state_len(batch)));
    let (cell, head) = params.split_at(params.len() - head);
    let grads = room(source, head.len());
    let mut run = Run { shape, kind, batch, cell: cell.to_vec(), head: head.to_vec(), state, grads };
    for _ in 0..steps {
        run.step(source, delta);
    }
}

impl Run {
    /// One step; what it has is as it was if it fails.
    fn step(&mut self, source: &mut Source<'_>, delta: Option<f32>) {
        let Self { shape, kind, batch, .. } = *self;
        let inputs = Rows::new(source, batch, recurve::cell::Cell::inputs(shape.cell));
        let targets = Rows::new(source, batch, shape.outputs);
        let targets = targets.targets(delta);
        let mean = 1.0 / batch as f32;
        let share = if source.flag() { source.float() } else { mean };
        let mut logits = room(source, batch * shape.outputs);
        let mut scratch = room(source, shape.step_scratch_len(batch));
        let before = (self.state.clone(), self.grads.clone());
        let Self { cell, head, state, grads, .. } = self;
        let (weights, x) = ((&**cell, &**head), inputs.inputs());
        let result = on!(kind, lanes => {
            shape.tune(lanes, weights, x, targets, share, state, &mut logits, &mut scratch, grads)
        });
        match result {
            Ok(loss) => {
                assert!(loss.is_finite());
                if share == mean && batch <= BLOCK {
                    self.compare(&inputs, targets, before, loss);
                }
            }
            Err(_) => assert_eq!((bits(&self.state), bits(&self.grads)), (bits(&before.0), bits(&before.1))),
        }
    }

    /// A window of one step has the same loss, state and gradients.
    fn compare(&self, inputs: &Rows, targets: Targets<'_>, before: (Vec<f32>, Vec<f32>), loss: f32) {
        let (mut state, mut grads) = before;
        let window = self.window(inputs, targets, &mut state, &mut grads).unwrap();
        assert_eq!(window.to_bits(), loss.to_bits());
        assert_eq!(values(&state), values(&self.state));
        assert_eq!(values(&grads), values(&self.grads));
    }

    fn window(
        &self,
        inputs: &Rows,
        targets: Targets<'_>,
        state: &mut [f32],
        grads: &mut [f32],
    ) -> Result<f32, Error> {
        let (shape, extent) = (self.shape, Extent::step(self.batch));
        let (params, x) = ([&self.cell[..], &self.head].concat(), inputs.inputs());
        let (tape, scratch) =
            (&mut vec![0.0; shape.tape_len(extent)], &mut vec![0.0; shape.scratch_len(extent)]);
        let of = Trained::HEAD;
        on!(self.kind, lanes => {
            shape.gradient_of(of, &Alone, lanes, &params, x, targets, state, tape, scratch, grads)
        })
    }
}

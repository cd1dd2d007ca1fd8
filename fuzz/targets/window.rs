//! A step of training with any numbers in any of its arguments: a finite loss, or an error that leaves state, gradients,
//! weights and the optimiser's memory as they were. Any stack of cells, any objective, any lanes, and any tensors that are
//! trained: their gradients are those of training all.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recurve::cell::{Cell, Dropout, Extent};
use recurve::host::AnyOptimizer;
use recurve::lanes::{LaneKind, Lanes};
use recurve::optim::{clip_norm_on, clip_value};
use recurve::{Adam, Inputs, ModelShape, Objective, Optimizer, Sgd, Trained};
use recurve_fuzz::made::{Backwards, Rows, bits, cell, part, room, size, trained, values};
use recurve_fuzz::{Source, on};

/// What a step of training has: everything is kept if it fails.
#[derive(Clone)]
struct Step<'a> {
    trained: Trained,
    threads: usize,
    inputs: Inputs<'a>,
    objective: Objective<'a>,
    params: Vec<f32>,
    state: Vec<f32>,
    tape: Vec<f32>,
    scratch: Vec<f32>,
    grads: Vec<f32>,
}

impl Step<'_> {
    fn check<C: Cell>(&mut self, shape: ModelShape<C>, kind: LaneKind, learn: bool) -> bool {
        let (state, grads) = (bits(&self.state), bits(&self.grads));
        let result = on!(kind, lanes => self.run(shape, lanes, learn));
        match result {
            Ok(loss) => assert!(loss.is_finite() && (learn || bits(&self.grads) == grads)),
            Err(_) => assert!(bits(&self.state) == state && bits(&self.grads) == grads),
        }
        result.is_ok()
    }

    fn run<C: Cell, L: Lanes>(
        &mut self,
        shape: ModelShape<C>,
        lanes: L,
        learn: bool,
    ) -> Result<f32, recurve::Error> {
        let Self { trained, threads, inputs, objective, params, state, tape, scratch, grads } = self;
        if learn {
            let (crew, goal) = (Backwards(*threads), *objective);
            shape.gradient_of(*trained, &crew, lanes, params, *inputs, goal, state, tape, scratch, grads)
        } else {
            shape.loss(lanes, params, *inputs, *objective, state, tape, scratch)
        }
    }
}

/// Training all tensors, by one thread and in other rooms, does the same to those that are trained.
fn check_part<C: Cell>(
    before: &Step<'_>,
    after: &Step<'_>,
    shape: ModelShape<C>,
    is_in: &[bool],
    kind: LaneKind,
) {
    let held = before.grads.first().copied().unwrap_or_default();
    let mut all = Step { trained: Trained::ALL, threads: 1, ..before.clone() };
    all.grads = vec![held; shape.params_len()];
    [&mut all.tape, &mut all.scratch].into_iter().for_each(|room| room.fill(0.0));
    assert!(all.check(shape, kind, true));
    assert_eq!(values(&after.state), values(&all.state));
    assert_eq!(values(&after.grads), values(&part(shape, is_in, &all.grads)));
}

/// One step of an optimiser.
fn update(source: &mut Source<'_>, kind: LaneKind, params: &mut [f32], grads: &mut [f32]) {
    let lr = source.float();
    let optimizer = if source.flag() {
        AnyOptimizer::Adam(Adam::new(lr))
    } else {
        AnyOptimizer::Sgd(Sgd { lr, momentum: source.float() })
    };
    let before = bits(grads);
    let clipped = if source.flag() {
        clip_norm_on(kind, grads, source.float()).map(|_| ())
    } else {
        clip_value(grads, source.float())
    };
    assert!(clipped.is_ok() || bits(grads) == before);
    let mut state = vec![0.0; optimizer.state_len(params.len())];
    let before = (bits(params), bits(&state));
    let updated = optimizer.step_on(kind, params, grads, &mut state);
    assert!(updated.is_ok() || (bits(params), bits(&state)) == before);
    assert!(updated.is_err() || grads.iter().all(|g| g.is_finite()));
}

fuzz_target!(|data: &[u8]| {
    let source = &mut Source(data);
    let shape = ModelShape { cell: cell(source), outputs: size(source, 9) };
    let extent = Extent { batch: size(source, 4), window: 1 + source.below(6) };
    let kinds: Vec<LaneKind> = LaneKind::available().collect();
    let kind = source.one_of(&kinds);
    let (learn, drops, wide) = (source.flag(), source.flag(), source.flag());

    let objective = source.below(3);
    let targets = if objective == 0 { extent.rows() } else { extent.batch };
    let delta = source.float();
    let is_huber = source.flag();
    let lengths: Vec<usize> = (0..extent.batch).map(|_| source.below(extent.window + 2)).collect();
    let inputs = Rows::new(source, extent.rows(), shape.cell.inputs());
    let targets = Rows::new(source, targets, shape.outputs);
    let targets = targets.targets(is_huber.then_some(delta));
    let objective = match objective {
        0 => Objective::from(targets),
        1 => Objective::last(targets),
        _ => Objective::mean(targets),
    };
    let objective = if source.flag() { objective.with_lengths(&lengths) } else { objective };
    let inputs = inputs.inputs();
    let seed = source.word();
    let dropout = Dropout::new(source.float(), source.float()).unwrap_or(Dropout::NONE).seeded(seed);
    let dropping = shape.with_dropout(if drops { dropout } else { Dropout::NONE }, inputs);
    let (threads, chosen) = (source.one_of(&[1, 3]), if source.flag() { source.word() } else { u32::MAX });
    let (trained, is_in) = trained(shape, chosen);
    let pack = if wide { shape.pack_len(threads) } else { 0 };

    let mut step = Step {
        trained,
        threads,
        inputs,
        objective,
        tape: room(source, dropping.tape_len(extent)),
        scratch: room(source, dropping.scratch_len(extent) + pack),
        state: source.floats(shape.state_len(extent.batch)),
        grads: room(source, shape.trained_len(trained)),
        params: source.floats(shape.params_len()),
    };
    let before = step.clone();
    let done = if drops { step.check(dropping, kind, learn) } else { step.check(shape, kind, learn) };
    if !done || !learn {
        return;
    }
    match chosen == u32::MAX {
        true => update(source, kind, &mut step.params, &mut step.grads),
        false if drops => check_part(&before, &step, dropping, &is_in, kind),
        false => check_part(&before, &step, shape, &is_in, kind),
    }
});

//! A step of training with any numbers in any of its arguments: a finite loss, or an error that leaves state, gradients,
//! weights and the optimiser's memory as they were. Any stack of cells, any objective, any lanes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recurve::cell::{ActivationKind, AnyCell, Cell, CellKind, Dropout, Extent, GruShape, Layer, ResetKind};
use recurve::host::AnyOptimizer;
use recurve::lanes::{LaneKind, Lanes, Portable};
use recurve::optim::{clip_norm_on, clip_value};
use recurve::{Adam, Inputs, ModelShape, Objective, Optimizer, Sgd, Targets};
use recurve_fuzz::Source;

/// A stack of up to three layers.
fn cell(source: &mut Source<'_>) -> AnyCell {
    const KINDS: [CellKind; 5] =
        [CellKind::Elman, CellKind::Gru, CellKind::Lstm, CellKind::Feedforward, CellKind::Embedding];
    let mut stack: Option<AnyCell> = None;
    for _ in 0..=source.below(3) {
        let (kind, hidden) = (source.one_of(&KINDS), 1 + source.below(9));
        let activation = source.one_of(&[ActivationKind::Tanh, ActivationKind::Relu]);
        let inputs = stack.map_or_else(|| 1 + source.below(9), |stack| stack.hidden());
        let mut layer = Layer::new(kind, activation, inputs, hidden);
        if kind == CellKind::Gru && source.flag() {
            layer = Layer::Gru(GruShape { inputs, hidden, reset: ResetKind::Before });
        }
        let layer = AnyCell::of(layer);
        stack = Some(stack.map_or(layer, |stack| stack.then(layer).unwrap()));
    }
    stack.unwrap()
}

/// Rows of tokens or of vectors.
enum Rows {
    Tokens(Vec<u16>),
    Vectors(Vec<f32>),
}

impl Rows {
    /// For so many rows; now and then for one more or less.
    fn new(source: &mut Source<'_>, rows: usize, width: usize) -> Self {
        let tokens = source.flag();
        let rows = match source.byte() {
            0xff => rows + 1,
            0xfe => rows - 1,
            _ => rows,
        };
        if tokens {
            Self::Tokens(source.tokens(rows, width))
        } else {
            Self::Vectors(source.floats(rows * width))
        }
    }
}

/// Zeros, or whatever was there before; now and then one too few.
fn room(source: &mut Source<'_>, len: usize) -> Vec<f32> {
    let (short, before) = (source.byte() == 0xff, source.float());
    vec![before; if short { len.saturating_sub(1) } else { len }]
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|x| x.to_bits()).collect()
}

/// What a step of training has: everything is kept if it fails.
struct Step<'a> {
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
        let result = match kind {
            #[cfg(target_arch = "x86_64")]
            LaneKind::Avx2(lanes) => self.run(shape, lanes, learn),
            #[cfg(target_arch = "x86_64")]
            LaneKind::Avx512(lanes) => self.run(shape, lanes, learn),
            _ => self.run(shape, Portable, learn),
        };
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
        let Self { inputs, objective, params, state, tape, scratch, grads } = self;
        if learn {
            shape.gradient(lanes, params, *inputs, *objective, state, tape, scratch, grads)
        } else {
            shape.loss(lanes, params, *inputs, *objective, state, tape, scratch)
        }
    }
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
    let shape = ModelShape { cell: cell(source), outputs: 1 + source.below(9) };
    let extent = Extent { batch: 1 + source.below(4), window: 1 + source.below(6) };
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
    let targets = match &targets {
        Rows::Tokens(tokens) => Targets::Tokens(tokens),
        Rows::Vectors(y) if is_huber => Targets::Huber { y, delta },
        Rows::Vectors(y) => Targets::Vectors(y),
    };
    let objective = match objective {
        0 => Objective::from(targets),
        1 => Objective::last(targets),
        _ => Objective::mean(targets),
    };
    let objective = if source.flag() { objective.with_lengths(&lengths) } else { objective };
    let inputs = match &inputs {
        Rows::Tokens(tokens) => Inputs::Tokens(tokens),
        Rows::Vectors(x) => Inputs::Vectors(x),
    };
    let seed = source.word();
    let dropout = Dropout::new(source.float(), source.float()).unwrap_or(Dropout::NONE).seeded(seed);
    let dropping = shape.with_dropout(if drops { dropout } else { Dropout::NONE }, inputs);
    let pack = if wide { shape.pack_len(1) } else { 0 };

    let mut step = Step {
        inputs,
        objective,
        tape: room(source, dropping.tape_len(extent)),
        scratch: room(source, dropping.scratch_len(extent) + pack),
        state: source.floats(shape.state_len(extent.batch)),
        grads: room(source, shape.params_len()),
        params: source.floats(shape.params_len()),
    };
    let done = if drops { step.check(dropping, kind, learn) } else { step.check(shape, kind, learn) };
    if done && learn {
        update(source, kind, &mut step.params, &mut step.grads);
    }
});

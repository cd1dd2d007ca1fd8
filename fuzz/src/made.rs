//! Networks, numbers and rooms for them, as bytes say.

use recurve::cell::{ActivationKind, AnyCell, Cell, CellKind, GruShape, Layer, ResetKind};
use recurve::crew::Crew;
use recurve::{Inputs, ModelShape, Targets, Trained};

use crate::Source;

/// From 1 to `usual`; now and then as many as fill several registers and a part of one.
pub fn size(source: &mut Source<'_>, usual: usize) -> usize {
    match source.byte() {
        0xfc..=0xff => 33,
        0xf8..=0xfb => 17,
        byte => 1 + usize::from(byte) % usual,
    }
}

/// A stack of up to three layers.
pub fn cell(source: &mut Source<'_>) -> AnyCell {
    let mut stack: Option<AnyCell> = None;
    for _ in 0..=source.below(3) {
        let layer = AnyCell::of(layer(source, stack));
        stack = Some(stack.map_or(layer, |stack| stack.then(layer).unwrap()));
    }
    stack.unwrap()
}

/// A layer that fits on top of those below it.
fn layer(source: &mut Source<'_>, below: Option<AnyCell>) -> Layer {
    const KINDS: [CellKind; 5] =
        [CellKind::Elman, CellKind::Gru, CellKind::Lstm, CellKind::Feedforward, CellKind::Embedding];
    let (kind, hidden) = (source.one_of(&KINDS), size(source, 9));
    let activation = source.one_of(&[ActivationKind::Tanh, ActivationKind::Relu]);
    let inputs = below.map_or_else(|| size(source, 9), |below| below.hidden());
    if kind == CellKind::Gru && source.flag() {
        return Layer::Gru(GruShape { inputs, hidden, reset: ResetKind::Before });
    }
    Layer::new(kind, activation, inputs, hidden)
}

/// Rows of tokens or of vectors.
pub enum Rows {
    Tokens(Vec<u16>),
    Vectors(Vec<f32>),
}

impl Rows {
    /// For so many rows; now and then for one more or less.
    pub fn new(source: &mut Source<'_>, rows: usize, width: usize) -> Self {
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

    pub fn inputs(&self) -> Inputs<'_> {
        match self {
            Self::Tokens(tokens) => Inputs::Tokens(tokens),
            Self::Vectors(x) => Inputs::Vectors(x),
        }
    }

    /// Vectors are compared by Huber's loss if there is a δ.
    pub fn targets(&self, huber: Option<f32>) -> Targets<'_> {
        match self {
            Self::Tokens(tokens) => Targets::Tokens(tokens),
            Self::Vectors(y) => huber.map_or(Targets::Vectors(y), |delta| Targets::Huber { y, delta }),
        }
    }
}

/// Zeros, or whatever was there before; now and then one too few.
pub fn room(source: &mut Source<'_>, len: usize) -> Vec<f32> {
    let (short, before) = (source.byte() == 0xff, source.float());
    vec![before; if short { len.saturating_sub(1) } else { len }]
}

pub fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|x| x.to_bits()).collect()
}

/// The same where one NaN is as good as another, as where a product's factors may change places.
pub fn values(numbers: &[f32]) -> Vec<Option<u32>> {
    numbers.iter().map(|x| (!x.is_nan()).then_some(x.to_bits())).collect()
}

/// The tensors whose bits are set, and whether each is.
pub fn trained<C: Cell>(shape: ModelShape<C>, bits: u32) -> (Trained, Vec<bool>) {
    let cell = shape.cell.tensors();
    let all = (0..cell).map(Trained::cell).chain([Trained::W_HQ, Trained::B_Q]);
    let is_in: Vec<bool> = (0..cell + 2).map(|tensor| bits >> (tensor % 32) & 1 == 1).collect();
    let some = all.zip(&is_in).filter_map(|(one, is_in)| is_in.then_some(one));
    (some.fold(Trained::NONE, Trained::and), is_in)
}

/// The floats of these tensors among those of all.
pub fn part<C: Cell>(shape: ModelShape<C>, is_in: &[bool], mut all: &[f32]) -> Vec<f32> {
    let of_cell = (0..shape.cell.tensors()).filter_map(|tensor| shape.cell.tensor(tensor));
    let mut part = Vec::new();
    for ((rows, columns), is_in) in of_cell.chain(shape.head().tensors()).zip(is_in) {
        let (tensor, rest) = all.split_at(rows * columns);
        part.extend_from_slice(if *is_in { tensor } else { &[] });
        all = rest;
    }
    part
}

/// As many threads, whose last piece of work is done first.
pub struct Backwards(pub usize);

impl Crew for Backwards {
    fn threads(&self) -> usize {
        self.0
    }

    fn each<J: Send, T: Send>(
        &self,
        jobs: impl Iterator<Item = J>,
        work: impl Fn(J) -> T + Sync,
        take: impl FnMut(T),
    ) {
        let jobs: Vec<J> = jobs.collect();
        let mut done: Vec<T> = jobs.into_iter().rev().map(work).collect();
        done.reverse();
        done.into_iter().for_each(take);
    }
}

/// Does the same on lanes of this kind.
#[macro_export]
macro_rules! on {
    ($kind:expr, $lanes:ident => $body:expr) => {
        match $kind {
            #[cfg(target_arch = "x86_64")]
            ::recurve::lanes::LaneKind::Avx2($lanes) => $body,
            #[cfg(target_arch = "x86_64")]
            ::recurve::lanes::LaneKind::Avx512($lanes) => $body,
            _ => {
                let $lanes = ::recurve::lanes::Portable;
                $body
            }
        }
    };
}

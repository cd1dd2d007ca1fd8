//! Dropout: while a cell is trained, some of what it reads and of what it says is left out, and the rest is made larger
//! by as much, so that nothing is to be done when it is used (inverted dropout).
//!
//! ```text
//! X̃_t = M_t ∘ X_t        H̃_t = N_t ∘ H_t        elements of M and N: 0 with probability p, 1/(1 − p) otherwise
//! H_t = cell(X̃_t, H_{t−1})                      the output layer reads H̃_t
//! dH_t = N_t ∘ dH̃_t, and what comes from H_{t+1} as ever;        dX_t = M_t ∘ dX̃_t
//! ```
//!
//! N. Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, 2014. The connection from
//! H_{t−1} to H_t is left alone: W. Zaremba, I. Sutskever and O. Vinyals, Recurrent neural network regularization, 2014.
//!
//! A mask depends on the seed, and for each element on its row in the window and its place in the row; so it is the same
//! for any lanes, any number of threads, and for a token as for the one-hot vector that it stands for.

use rand_core::Rng;

use super::mask::{Mask, mix};
use super::{Backpropagated, Backward, Block, Cell, Extent, Gradient, Inputs, TypedCell, Weights};
use crate::crew::Crew;
use crate::error::{Error, setting};
use crate::init::Init;
use crate::kernels::{map_all, zip_map, zip2_map};
use crate::lanes::{Lanes, inlined};
use crate::params::{Flat, plain_data, take, take_mut};

/// How much is dropped of a cell's inputs and outputs, and by which seed.
///
/// ```
/// use recurve::cell::Dropout;
///
/// let dropout = Dropout::new(0.0, 0.25)?;
/// assert_ne!(dropout.seeded(1), dropout.seeded(2)); // each window has a seed of its own
/// assert!(Dropout::new(0.0, 1.0).is_err());
/// # Ok::<(), recurve::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    inputs: f32,
    outputs: f32,
    seed: u32,
}

impl Dropout {
    /// Nothing is dropped.
    pub const NONE: Self = Self { inputs: 0.0, outputs: 0.0, seed: 0 };

    /// Each element of the inputs is dropped with probability `inputs`, each of the outputs with `outputs`.
    ///
    /// # Errors
    /// [`Error::Setting`] for a probability that is not from 0 to below 1.
    pub fn new(inputs: f32, outputs: f32) -> Result<Self, Error> {
        let range = 0.0..1.0;
        setting(range.contains(&inputs) && range.contains(&outputs), "dropout must be from 0 to below 1")?;
        Ok(Self { inputs, outputs, seed: 0 })
    }

    /// The same with the masks of this seed. A window with the seed of the one before would drop the same elements.
    #[must_use]
    pub const fn seeded(self, seed: u32) -> Self {
        Self { seed, ..self }
    }

    /// The probability with which each element of the inputs is dropped.
    #[must_use]
    pub const fn inputs(self) -> f32 {
        self.inputs
    }

    /// The probability with which each element of the outputs is dropped.
    #[must_use]
    pub const fn outputs(self) -> f32 {
        self.outputs
    }

    /// The masks of the inputs.
    const fn of_inputs(self) -> Mask {
        Mask::new(self.inputs, mix(self.seed))
    }

    /// The masks of the outputs.
    const fn of_outputs(self) -> Mask {
        Mask::new(self.outputs, mix(!self.seed))
    }
}

plain_data! {
    /// The weights of a cell `C` that is trained with dropout: they are those of the cell.
    ///
    /// It names what a [`Workspace`](crate::Workspace) has to hold. `X` are the input vectors that it keeps: `[f32; I]` if
    /// vectors are dropped from; nothing, as it is if not given, if the inputs are tokens or nothing is dropped from them.
    pub struct Dropped [C: Flat, X: Flat] default [C: Flat, X: Flat = [f32; 0]] [C, X] {
        /// The cell.
        pub cell: C,
        /// Nothing.
        pub kept: [X; 0],
    }
}

plain_data! {
    /// What is kept of a window's rows of `H` outputs and inputs `X`, beside the tape of the cell.
    pub struct DropoutTape
        [C: TypedCell<H>, X: Flat, const H: usize, const B: usize, const T: usize]
        [C, X, H, B, T]
    {
        /// What the cell keeps.
        pub cell: C::Tape<B, T>,
        /// N_1 … N_T
        pub output_masks: [[[f32; H]; B]; T],
        /// H̃_1 … H̃_T
        pub outputs: [[[f32; H]; B]; T],
        /// M_1 … M_T
        pub input_masks: [[X; B]; T],
        /// X̃_1 … X̃_T
        pub inputs: [[X; B]; T],
    }
}

plain_data! {
    /// What the backward pass works in.
    pub struct DropoutScratch
        [C: TypedCell<H>, X: Flat, const H: usize, const B: usize, const T: usize]
        [C, X, H, B, T]
    {
        /// What the cell's works in.
        pub cell: C::BackwardScratch<B, T>,
        /// dX̃_1 … dX̃_T
        pub d_inputs: [[X; B]; T],
    }
}

impl<C: TypedCell<H>, X: Flat, const H: usize> TypedCell<H> for Dropped<C, X> {
    type Shape = DropoutShape<C::Shape>;
    type Vector = C::Vector;
    type State<const B: usize> = C::State<B>;
    type StepScratch<const B: usize> = C::StepScratch<B>;
    type Tape<const B: usize, const T: usize> = DropoutTape<C, X, H, B, T>;
    type BackwardScratch<const B: usize, const T: usize> = DropoutScratch<C, X, H, B, T>;
    const SHAPE: Self::Shape = DropoutShape { cell: C::SHAPE, dropout: Dropout::NONE, width: 0 };
}

/// The arithmetic of a cell that is trained with dropout. A step drops nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DropoutShape<C> {
    /// The cell.
    pub cell: C,
    /// How much is dropped in a window.
    pub dropout: Dropout,
    /// The width of input vectors; 0 for tokens.
    pub width: usize,
}

impl<C: Cell> DropoutShape<C> {
    /// Elements of a row of outputs that are kept.
    #[inline(always)]
    fn output_width(self) -> usize {
        if self.dropout.outputs > 0.0 { self.cell.hidden() } else { 0 }
    }

    /// Elements of a row of inputs that are kept.
    #[inline(always)]
    fn input_width(self) -> usize {
        if self.dropout.inputs > 0.0 { self.width } else { 0 }
    }

    /// Floats of dX̃.
    #[inline(always)]
    fn d_inputs_len(self, extent: Extent) -> usize {
        extent.rows().saturating_mul(self.input_width())
    }

    /// Floats of what is kept of outputs, masks and values.
    #[inline(always)]
    fn outputs_len(self, extent: Extent) -> usize {
        extent.rows().saturating_mul(self.output_width()).saturating_mul(2)
    }

    /// The cell's part of a tape, and what is kept of outputs and of inputs: masks, then values.
    #[inline(always)]
    fn tape(self, mut tape: &[f32], extent: Extent) -> [&[f32]; 3] {
        let cell = take(&mut tape, self.cell.tape_len(extent));
        let outputs = take(&mut tape, self.outputs_len(extent));
        [cell, outputs, tape]
    }

    /// As [`tape`](Self::tape), to be written.
    #[inline(always)]
    fn tape_mut(self, mut tape: &mut [f32], extent: Extent) -> [&mut [f32]; 3] {
        let cell = take_mut(&mut tape, self.cell.tape_len(extent));
        let outputs = take_mut(&mut tape, self.outputs_len(extent));
        [cell, outputs, tape]
    }

    /// The inputs that the cell has read, and in which block of them.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn read<'a>(self, inputs: Inputs<'a>, block: Block, kept: &'a [f32]) -> (Inputs<'a>, Block) {
        match inputs {
            Inputs::Tokens(_) if self.dropout.inputs > 0.0 => {
                (inputs, Block { dropped: self.dropout.of_inputs(), ..block })
            }
            Inputs::Vectors(_) if self.input_width() > 0 => {
                let (_, x) = masks_and_values(kept, self.d_inputs_len(block.extent));
                (Inputs::Vectors(x), Block::whole(block.extent))
            }
            inputs => (inputs, block),
        }
    }

    /// Writes M and X̃.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn drop_inputs<L: Lanes>(self, lanes: L, inputs: Inputs<'_>, block: Block, mut kept: &mut [f32]) {
        let (width, masks_len) = (self.input_width(), self.d_inputs_len(block.extent));
        let masks = take_mut(&mut kept, masks_len);
        self.dropout.of_inputs().draw(block, width, masks);
        let (mut masks, (rows, runs)) = (&*masks, block.runs());
        for first in runs {
            if let Inputs::Vectors(x) = inputs.rows(first..first + rows, width) {
                let (mask, x_left) = (take(&mut masks, x.len()), take_mut(&mut kept, x.len()));
                zip2_map(lanes, x_left, x, mask, inlined!(|_, x, m| lanes.mul(x, m)));
            }
        }
    }

    /// Writes N and H̃.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn drop_outputs<L: Lanes>(self, lanes: L, h: &[f32], block: Block, mut kept: &mut [f32]) {
        let masks = take_mut(&mut kept, h.len());
        self.dropout.of_outputs().draw(block, self.output_width(), masks);
        zip2_map(lanes, kept, h, masks, inlined!(|_, h, m| lanes.mul(h, m)));
    }
}

/// Masks and what they have left, of so many elements.
#[inline(always)]
fn masks_and_values(mut kept: &[f32], len: usize) -> (&[f32], &[f32]) {
    (take(&mut kept, len), take(&mut kept, len))
}

impl<C> crate::params::sealed::Sealed for DropoutShape<C> {}

impl<C: Cell> Cell for DropoutShape<C> {
    #[inline(always)]
    fn inputs(self) -> usize {
        self.cell.inputs()
    }
    #[inline(always)]
    fn hidden(self) -> usize {
        self.cell.hidden()
    }
    #[inline(always)]
    fn params_len(self) -> usize {
        self.cell.params_len()
    }
    #[inline(always)]
    fn state_len(self) -> usize {
        self.cell.state_len()
    }
    #[inline(always)]
    fn step_scratch_len(self, batch: usize) -> usize {
        self.cell.step_scratch_len(batch)
    }
    #[inline(always)]
    fn tape_len(self, extent: Extent) -> usize {
        let inputs = self.d_inputs_len(extent).saturating_mul(2);
        self.cell.tape_len(extent).saturating_add(self.outputs_len(extent)).saturating_add(inputs)
    }
    #[inline(always)]
    fn backward_scratch_len(self, extent: Extent) -> usize {
        self.cell.backward_scratch_len(extent).saturating_add(self.d_inputs_len(extent))
    }
    #[inline(always)]
    fn pack_len(self) -> usize {
        self.cell.pack_len()
    }
    #[inline(always)]
    fn input_pack_len(self) -> usize {
        self.cell.input_pack_len()
    }

    fn init<R: Rng + ?Sized>(self, params: &mut [f32], init: Init, rng: &mut R) {
        self.cell.init(params, init, rng);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn step<L: Lanes>(
        self,
        lanes: L,
        params: &[f32],
        inputs: Inputs<'_>,
        state: &[f32],
        next: &mut [f32],
        scratch: &mut [f32],
    ) {
        self.cell.step(lanes, params, inputs, state, next, scratch);
    }

    #[inline(always)]
    fn output(self, state: &[f32], batch: usize) -> &[f32] {
        self.cell.output(state, batch)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn pack<L: Lanes>(self, crew: &impl Crew, lanes: L, params: &[f32], rows: usize, room: &mut [f32]) {
        self.cell.pack(crew, lanes, params, rows, room);
    }

    #[inline(always)]
    fn begin(self, state: &[f32], block: Block, tape: &mut [f32]) {
        let [tape, ..] = self.tape_mut(tape, block.extent);
        self.cell.begin(state, block, tape);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn forward<L: Lanes>(
        self,
        lanes: L,
        weights: Weights<'_>,
        inputs: Inputs<'_>,
        block: Block,
        tape: &mut [f32],
    ) {
        let [tape, outputs, kept] = self.tape_mut(tape, block.extent);
        if self.input_width() > 0 {
            self.drop_inputs(lanes, inputs, block, kept);
        }
        let (read, among) = self.read(inputs, block, kept);
        self.cell.forward(lanes, weights, read, among, tape);
        if self.output_width() > 0 {
            self.drop_outputs(lanes, self.cell.outputs(tape, block.extent), block, outputs);
        }
    }

    #[inline(always)]
    fn outputs(self, tape: &[f32], extent: Extent) -> &[f32] {
        let [cell, outputs, _] = self.tape(tape, extent);
        match self.output_width() {
            0 => self.cell.outputs(cell, extent),
            width => masks_and_values(outputs, extent.rows() * width).1,
        }
    }

    #[inline(always)]
    fn end(self, tape: &[f32], block: Block, state: &mut [f32]) {
        let [tape, ..] = self.tape(tape, block.extent);
        self.cell.end(tape, block, state);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn backward<L: Lanes>(self, lanes: L, weights: Weights<'_>, pass: Backward<'_>) {
        let Backward { block, tape, d_outputs, d_inputs, mut scratch } = pass;
        let extent = block.extent;
        let [tape, outputs, inputs] = self.tape_mut(tape, extent);
        if self.output_width() > 0 {
            let (masks, _) = masks_and_values(outputs, d_outputs.len());
            zip_map(lanes, d_outputs, masks, inlined!(|d_h, m| lanes.mul(d_h, m)));
        }
        let within = take_mut(&mut scratch, self.cell.backward_scratch_len(extent));
        match d_inputs {
            Some(d_inputs) if self.input_width() > 0 => {
                let d_left = take_mut(&mut scratch, self.d_inputs_len(extent));
                d_left.fill(0.0);
                let d_read = Some(&mut *d_left);
                let pass = Backward { block, tape, d_outputs, d_inputs: d_read, scratch: within };
                self.cell.backward(lanes, weights, pass);
                let (masks, _) = masks_and_values(inputs, d_left.len());
                map_all(
                    lanes,
                    [d_inputs],
                    [masks, d_left],
                    inlined!(|[d_x], [m, d]| [lanes.mul_add(m, d, d_x)]),
                );
            }
            d_inputs => {
                self.cell.backward(
                    lanes,
                    weights,
                    Backward { block, tape, d_outputs, d_inputs, scratch: within },
                );
            }
        }
    }

    #[inline(always)]
    fn tensors(self) -> usize {
        self.cell.tensors()
    }

    #[inline(always)]
    fn tensor(self, index: usize) -> Option<(usize, usize)> {
        self.cell.tensor(index)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn accumulate<L: Lanes>(self, lanes: L, tensor: usize, from: Backpropagated<'_>, to: Gradient<'_>) {
        let [tape, _, kept] = self.tape(from.tape, from.block.extent);
        let (inputs, block) = self.read(from.inputs, from.block, kept);
        let mut scratch = from.scratch;
        let scratch = take(&mut scratch, self.cell.backward_scratch_len(block.extent));
        let from = Backpropagated { inputs, block, tape, scratch, ..from };
        self.cell.accumulate(lanes, tensor, from, to);
    }
}

//! A stack of cells: at each step, the output of the first is the input of the second (A. Graves, A. Mohamed and
//! G. Hinton, Speech recognition with deep recurrent neural networks, 2013, equation 9; Dive into Deep Learning,
//! section 10.3):
//!
//! ```text
//! H¹_t = first(X_t, H¹_{t−1})
//! H²_t = second(H¹_t, H²_{t−1})
//! ```
//!
//! Either may be a stack again, so two make any depth. Only the output of the last reaches the output layer. A window
//! goes through the first cell whole and then through the second, so the second's input projection is one product over
//! all steps.

use rand_core::Rng;

use super::{Backpropagated, Backward, Block, Cell, Extent, Gradient, Inputs, TypedCell, Weights};
use crate::crew::Crew;
use crate::init::Init;
use crate::lanes::Lanes;
use crate::params::{Flat, plain_data, take, take_mut};

plain_data! {
    /// Two cells, one on top of the other: `B` has as many inputs as `A` has hidden units. For more than two,
    /// `Stack<A, Stack<B, C>>`.
    ///
    /// ```
    /// use rand_core::SeedableRng;
    /// use recurve::{Gru, Lstm, Model, Stack, init::Init, params::Flat};
    ///
    /// // 28 symbols, 32 units of a GRU, above them 16 of an LSTM.
    /// type Network = Model<Stack<Gru<28, 32>, Lstm<32, 16>>, 16, 28>;
    /// let mut model = Network::ZERO;
    /// model.init(Init::TOKENS, &mut rand_pcg::Pcg32::seed_from_u64(1));
    /// assert_eq!(model.cell.second.b[1], [1.0; 16]); // an LSTM's forget gate, wherever it stands
    ///
    /// let (mut state, mut logits, mut scratch) = (Flat::ZERO, [0.0; 28], Flat::ZERO);
    /// model.step(5_u16, &mut state, &mut logits, &mut scratch)?;
    /// let (lower, upper): ([f32; 32], [f32; 16]) = (state.first[0], state.second.h[0]);
    /// assert!(lower != [0.0; 32] && upper != [0.0; 16]);
    /// # Ok::<(), recurve::Error>(())
    /// ```
    ///
    /// Widths that do not fit each other do not compile:
    ///
    /// ```compile_fail,E0271
    /// use recurve::{Gru, Model, Stack, params::Flat};
    ///
    /// let model = Model::<Stack<Gru<28, 32>, Gru<31, 16>>, 16, 28>::ZERO;
    /// ```
    pub struct Stack [A: Flat, B: Flat] [A, B] {
        /// What reads the inputs; or its part of a state or tape.
        pub first: A,
        /// What reads the first's hidden units; or its part of a state or tape.
        pub second: B,
    }
}

plain_data! {
    /// What the backward pass of a [`Stack`] works in, where the first cell has `M` hidden units.
    pub struct StackBackward
        [X: Flat, Y: Flat, const M: usize, const B: usize, const T: usize]
        [X, Y, M, B, T]
    {
        /// The gradients of the first cell's hidden units (T×n×m).
        pub d_between: [[[f32; M]; B]; T],
        /// What the first cell works in.
        pub first: X,
        /// What the second cell works in.
        pub second: Y,
    }
}

impl<X, Y, const M: usize, const H: usize> TypedCell<H> for Stack<X, Y>
where
    X: TypedCell<M>,
    Y: TypedCell<H, Vector = [f32; M]>,
{
    type Shape = StackShape<X::Shape, Y::Shape>;
    type Vector = X::Vector;
    type State<const B: usize> = Stack<X::State<B>, Y::State<B>>;
    type StepScratch<const B: usize> = Stack<X::StepScratch<B>, Y::StepScratch<B>>;
    type Tape<const B: usize, const T: usize> = Stack<X::Tape<B, T>, Y::Tape<B, T>>;
    type BackwardScratch<const B: usize, const T: usize> =
        StackBackward<X::BackwardScratch<B, T>, Y::BackwardScratch<B, T>, M, B, T>;
    const SHAPE: Self::Shape = StackShape { first: X::SHAPE, second: Y::SHAPE };
}

/// The arithmetic of [`Stack`]. The second cell must have as many inputs as the first has hidden units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackShape<A, B> {
    /// What reads the inputs.
    pub first: A,
    /// What reads the first's hidden units.
    pub second: B,
}

/// The first `len` elements, and those after them.
#[inline(always)]
fn halves(of: &[f32], len: usize) -> (&[f32], &[f32]) {
    of.split_at_checked(len).unwrap_or_default()
}

/// As [`halves`], to be changed.
#[inline(always)]
fn halves_mut(of: &mut [f32], len: usize) -> (&mut [f32], &mut [f32]) {
    of.split_at_mut_checked(len).unwrap_or_default()
}

impl<A: Cell, B: Cell> StackShape<A, B> {
    /// Each cell's weights, with the copies that belong to them.
    #[inline(always)]
    fn weights(self, of: Weights<'_>) -> (Weights<'_>, Weights<'_>) {
        let params = halves(of.params, self.first.params_len());
        let pack = halves(of.pack, self.first_pack_len(of.pack.len()));
        let rows = of.rows;
        (Weights { params: params.0, pack: pack.0, rows }, Weights { params: params.1, pack: pack.1, rows })
    }

    /// What of copies of so many floats belongs to the first cell: with those of its weights of inputs, if there are any.
    #[inline(always)]
    fn first_pack_len(self, len: usize) -> usize {
        let of_inputs = if len > self.pack_len() { self.first.input_pack_len() } else { 0 };
        self.first.pack_len().saturating_add(of_inputs)
    }

    /// Floats between the two cells: the hidden units of the first.
    #[inline(always)]
    fn between_len(self, extent: Extent) -> usize {
        extent.rows().saturating_mul(self.first.hidden())
    }

    /// The first cell's part of a state of `batch` sequences.
    #[inline(always)]
    fn first_state_len(self, batch: usize) -> usize {
        batch.saturating_mul(self.first.state_len())
    }

    /// What the second cell reads: the first's outputs within its tape, and that they are the block's own rows.
    #[inline(always)]
    fn between(self, first_tape: &[f32], block: Block) -> (Inputs<'_>, Block) {
        (Inputs::Vectors(self.first.outputs(first_tape, block.extent)), Block::whole(block.extent))
    }

    /// What is left of a block for the gradients of the first cell.
    #[inline(always)]
    fn of_first(self, from: Backpropagated<'_>) -> Backpropagated<'_> {
        let extent = from.block.extent;
        let (tape, _) = halves(from.tape, self.first.tape_len(extent));
        let mut scratch = from.scratch;
        let d_outputs = take(&mut scratch, self.between_len(extent));
        let scratch = take(&mut scratch, self.first.backward_scratch_len(extent));
        Backpropagated { tape, d_outputs, scratch, ..from }
    }

    /// What is left of a block for the gradients of the second cell.
    #[inline(always)]
    fn of_second(self, from: Backpropagated<'_>) -> Backpropagated<'_> {
        let extent = from.block.extent;
        let (first, tape) = halves(from.tape, self.first.tape_len(extent));
        let (inputs, block) = self.between(first, from.block);
        let before = self.between_len(extent).saturating_add(self.first.backward_scratch_len(extent));
        let (_, scratch) = halves(from.scratch, before);
        Backpropagated { inputs, block, tape, scratch, ..from }
    }
}

impl<A: Cell, B: Cell> crate::params::sealed::Sealed for StackShape<A, B> {}

impl<A: Cell, B: Cell> Cell for StackShape<A, B> {
    #[inline(always)]
    fn inputs(self) -> usize {
        self.first.inputs()
    }
    #[inline(always)]
    fn hidden(self) -> usize {
        self.second.hidden()
    }
    #[inline(always)]
    fn params_len(self) -> usize {
        self.first.params_len().saturating_add(self.second.params_len())
    }
    #[inline(always)]
    fn state_len(self) -> usize {
        self.first.state_len().saturating_add(self.second.state_len())
    }
    #[inline(always)]
    fn step_scratch_len(self, batch: usize) -> usize {
        self.first.step_scratch_len(batch).saturating_add(self.second.step_scratch_len(batch))
    }
    #[inline(always)]
    fn tape_len(self, extent: Extent) -> usize {
        self.first.tape_len(extent).saturating_add(self.second.tape_len(extent))
    }
    #[inline(always)]
    fn backward_scratch_len(self, extent: Extent) -> usize {
        let first = self.first.backward_scratch_len(extent);
        let second = self.second.backward_scratch_len(extent);
        self.between_len(extent).saturating_add(first).saturating_add(second)
    }
    #[inline(always)]
    fn pack_len(self) -> usize {
        let second = self.second.pack_len().saturating_add(self.second.input_pack_len());
        self.first.pack_len().saturating_add(second)
    }
    #[inline(always)]
    fn input_pack_len(self) -> usize {
        self.first.input_pack_len()
    }

    /// Each cell as it would be alone. The second reads vectors, whatever the first reads.
    fn init<R: Rng + ?Sized>(self, params: &mut [f32], init: Init, rng: &mut R) {
        let (first, second) = halves_mut(params, self.first.params_len());
        self.first.init(first, init, rng);
        self.second.init(second, Init { input_deviation: None, ..init }, rng);
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
        let batch = state.len().checked_div(self.state_len()).unwrap_or_default();
        let params = halves(params, self.first.params_len());
        let state = halves(state, self.first_state_len(batch));
        let next = halves_mut(next, self.first_state_len(batch));
        let scratch = halves_mut(scratch, self.first.step_scratch_len(batch));
        self.first.step(lanes, params.0, inputs, state.0, next.0, scratch.0);
        let between = Inputs::Vectors(self.first.output(next.0, batch));
        self.second.step(lanes, params.1, between, state.1, next.1, scratch.1);
    }

    #[inline(always)]
    fn output(self, state: &[f32], batch: usize) -> &[f32] {
        self.second.output(halves(state, self.first_state_len(batch)).1, batch)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn pack<L: Lanes>(self, crew: &impl Crew, lanes: L, params: &[f32], rows: usize, room: &mut [f32]) {
        let params = halves(params, self.first.params_len());
        let first = self.first_pack_len(room.len());
        let room = halves_mut(room, first);
        self.first.pack(crew, lanes, params.0, rows, room.0);
        self.second.pack(crew, lanes, params.1, rows, room.1);
    }

    #[inline(always)]
    fn begin(self, state: &[f32], block: Block, tape: &mut [f32]) {
        let state = halves(state, self.first_state_len(block.batch));
        let tape = halves_mut(tape, self.first.tape_len(block.extent));
        self.first.begin(state.0, block, tape.0);
        self.second.begin(state.1, block, tape.1);
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
        let (first, second) = self.weights(weights);
        let tape = halves_mut(tape, self.first.tape_len(block.extent));
        self.first.forward(lanes, first, inputs, block, tape.0);
        let (inputs, block) = self.between(tape.0, block);
        self.second.forward(lanes, second, inputs, block, tape.1);
    }

    #[inline(always)]
    fn outputs(self, tape: &[f32], extent: Extent) -> &[f32] {
        self.second.outputs(halves(tape, self.first.tape_len(extent)).1, extent)
    }

    #[inline(always)]
    fn end(self, tape: &[f32], block: Block, state: &mut [f32]) {
        let tape = halves(tape, self.first.tape_len(block.extent));
        let state = halves_mut(state, self.first_state_len(block.batch));
        self.first.end(tape.0, block, state.0);
        self.second.end(tape.1, block, state.1);
    }

    /// The gradients of the second cell's inputs are those of the first's outputs. A first cell that is frozen is left out.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn backward<L: Lanes>(self, lanes: L, weights: Weights<'_>, pass: Backward<'_>) {
        let Backward { block, tape, d_outputs, d_inputs, mut scratch } = pass;
        let (first, second) = self.weights(weights);
        let tape = halves_mut(tape, self.first.tape_len(block.extent));
        let d_between = take_mut(&mut scratch, self.between_len(block.extent));
        let scratch = halves_mut(scratch, self.first.backward_scratch_len(block.extent));
        let above = Block::whole(block.extent).with_frozen(block.frozen.saturating_sub(self.first.tensors()));
        let ends_here = block.frozen >= self.first.tensors() && d_inputs.is_none();
        if !ends_here {
            d_between.fill(0.0);
        }
        let of_second = Backward {
            block: above,
            tape: tape.1,
            d_outputs,
            d_inputs: (!ends_here).then_some(&mut *d_between),
            scratch: scratch.1,
        };
        self.second.backward(lanes, second, of_second);
        if ends_here {
            return;
        }
        let of_first = Backward { block, tape: tape.0, d_outputs: d_between, d_inputs, scratch: scratch.0 };
        self.first.backward(lanes, first, of_first);
    }

    #[inline(always)]
    fn tensors(self) -> usize {
        self.first.tensors().saturating_add(self.second.tensors())
    }

    #[inline(always)]
    fn tensor(self, index: usize) -> Option<(usize, usize)> {
        match index.checked_sub(self.first.tensors()) {
            None => self.first.tensor(index),
            Some(index) => self.second.tensor(index),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn accumulate<L: Lanes>(self, lanes: L, tensor: usize, from: Backpropagated<'_>, to: Gradient<'_>) {
        match tensor.checked_sub(self.first.tensors()) {
            None => self.first.accumulate(lanes, tensor, self.of_first(from), to),
            Some(tensor) => self.second.accumulate(lanes, tensor, self.of_second(from), to),
        }
    }
}

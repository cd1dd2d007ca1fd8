//! A model: a cell and the output layer that reads its hidden units.

use rand_core::Rng;

use crate::cell::{Cell, Dropout, DropoutShape, Elman, Input, Inputs, OnCell, TypedCell, Weights};
use crate::error::{Argument, Error, Quantity, at_least, evenly, exactly};
use crate::head::{Dense, DenseShape};
use crate::init::Init;
use crate::kernels::{all_finite, copy};
use crate::lanes::{LaneKind, Lanes, best_lanes, on_lanes};
use crate::params::{Flat, plain_data, take, take_mut};

plain_data! {
    /// A cell `C` with `H` hidden units and an output layer with `O` outputs.
    ///
    /// A value of this type is nothing but its weights: it may be a `static` in flash and serve many states.
    pub struct Model [C: TypedCell<H>, const H: usize, const O: usize] [C, H, O] {
        /// The cell.
        pub cell: C,
        /// The output layer.
        pub head: Dense<H, O>,
    }
}

/// The character-level language model of the textbooks: `V` symbols in and out, `H` hidden units between.
pub type CharRnn<const V: usize, const H: usize> = Model<Elman<V, H>, H, V>;

impl<C: TypedCell<H>, const H: usize, const O: usize> Model<C, H, O> {
    /// The sizes, for the functions that work on flat slices.
    pub const SHAPE: ModelShape<C::Shape> = {
        assert!(H > 0 && O > 0, "a model has hidden units and outputs");
        ModelShape { cell: C::SHAPE, outputs: O }
    };

    /// Draws initial weights, in place: see [`Cell::init`] and [`DenseShape::init`].
    ///
    /// ```
    /// use rand_core::SeedableRng;
    /// use recurve::{CharRnn, init::Init, params::Flat};
    ///
    /// let mut model = CharRnn::<28, 32>::ZERO;
    /// model.init(Init::TOKENS, &mut rand_pcg::Pcg32::seed_from_u64(1));
    /// assert_ne!(model.cell.w_hh[0], [0.0; 32]);
    /// ```
    pub fn init<R: Rng + ?Sized>(&mut self, init: Init, rng: &mut R) {
        C::SHAPE.init(self.cell.as_flat_mut(), init, rng);
        Self::SHAPE.head().init(self.head.as_flat_mut(), rng);
    }

    /// One step: reads `input`, moves `state` on and writes the outputs (q) to `logits`.
    ///
    /// ```
    /// use recurve::{CharRnn, params::Flat};
    ///
    /// let mut model = CharRnn::<3, 4>::ZERO;
    /// model.cell.w_xh[2] = [0.5, -0.5, 1.0, 0.0];
    /// model.head.w_hq[0][1] = 2.0;
    ///
    /// let (mut state, mut logits, mut scratch) = Default::default();
    /// model.step(2_u16, &mut state, &mut logits, &mut scratch)?;
    /// assert!((state[0][0] - 0.5_f32.tanh()).abs() < 1e-6);
    /// assert_eq!(logits, [0.0, 2.0 * state[0][0], 0.0]);
    /// # Ok::<(), recurve::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Token`] for a token outside of the vocabulary, [`Error::NotFinite`] if the state or an output is not finite,
    /// as after a reading that is NaN. The state is then as it was. A state that a step makes infinite without its outputs
    /// showing it, as a ReLU layer below others can be, is refused [by the next step](Error::NotFinite).
    #[inline]
    pub fn step<'a>(
        &self,
        input: impl Into<Input<'a, C::Vector>>,
        state: &mut C::State<1>,
        logits: &mut [f32; O],
        scratch: &mut C::StepScratch<1>,
    ) -> Result<(), Error>
    where
        C::Vector: 'a,
    {
        input
            .into()
            .with_inputs(|inputs| self.step_flat(inputs, state.as_flat_mut(), logits, scratch.as_flat_mut()))
    }

    /// One step of `B` sequences side by side; row b of the inputs and of `logits` belongs to sequence b.
    ///
    /// # Errors
    /// As for [`step`](Self::step), and [`Error::Length`] for another number of inputs than `B`.
    #[inline]
    pub fn step_batch<const B: usize>(
        &self,
        inputs: Inputs<'_>,
        state: &mut C::State<B>,
        logits: &mut [[f32; O]; B],
        scratch: &mut C::StepScratch<B>,
    ) -> Result<(), Error> {
        self.step_flat(inputs, state.as_flat_mut(), logits.as_flat_mut(), scratch.as_flat_mut())
    }

    #[inline(always)]
    pub(crate) fn step_flat(
        &self,
        inputs: Inputs<'_>,
        state: &mut [f32],
        logits: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        best_lanes!(lanes => Self::SHAPE.step(lanes, self.as_flat(), inputs, state, logits, scratch))
    }
}

/// The arithmetic of [`Model`] over flat slices, for sizes known at run time.
///
/// All buffers are lent by the caller; the functions that end in `_len` say how long each must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelShape<C> {
    /// The cell.
    pub cell: C,
    /// q
    pub outputs: usize,
}

impl<C: Cell> ModelShape<C> {
    /// The output layer.
    #[inline(always)]
    #[must_use]
    pub fn head(self) -> DenseShape {
        DenseShape { hidden: self.cell.hidden(), outputs: self.outputs }
    }

    /// The same model, to be trained with dropout on inputs of this kind (of which nothing else matters), and on the cell's
    /// outputs. The weights are the same too.
    #[inline(always)]
    #[must_use]
    pub fn with_dropout(self, dropout: Dropout, inputs: Inputs<'_>) -> ModelShape<DropoutShape<C>> {
        let width = if matches!(inputs, Inputs::Vectors(_)) { self.cell.inputs() } else { 0 };
        ModelShape { cell: DropoutShape { cell: self.cell, dropout, width }, outputs: self.outputs }
    }

    /// Floats of all weights: those of the cell, then those of the output layer.
    #[inline(always)]
    #[must_use]
    pub fn params_len(self) -> usize {
        self.cell.params_len().saturating_add(self.head().params_len())
    }

    /// Floats of the state of `batch` sequences.
    #[inline(always)]
    #[must_use]
    pub fn state_len(self, batch: usize) -> usize {
        self.cell.state_len().saturating_mul(batch)
    }

    /// Draws initial weights: see each cell's [`init`](Cell::init) and [`DenseShape::init`].
    ///
    /// # Errors
    /// [`Error::Length`] for another number of weights.
    pub fn init<R: Rng + ?Sized>(self, mut params: &mut [f32], init: Init, rng: &mut R) -> Result<(), Error> {
        exactly(Argument::Params, self.params_len(), params.len())?;
        self.cell.init(take_mut(&mut params, self.cell.params_len()), init, rng);
        self.head().init(params, rng);
        Ok(())
    }

    /// The number of sequences that a state is for.
    ///
    /// # Errors
    /// [`Error::Uneven`] if it is for none, or not for a whole number.
    #[inline(always)]
    pub(crate) fn batch(self, state: &[f32]) -> Result<usize, Error> {
        evenly(Argument::State, self.cell.state_len(), state.len())
    }

    /// Floats that a step of `batch` sequences works in: the state to come, and what the cell needs.
    #[inline(always)]
    #[must_use]
    pub fn step_scratch_len(self, batch: usize) -> usize {
        self.state_len(batch).saturating_add(self.cell.step_scratch_len(batch))
    }

    /// The weights of the cell and those of the output layer.
    #[inline(always)]
    pub(crate) fn split(self, mut params: &[f32]) -> (&[f32], &[f32]) {
        (take(&mut params, self.cell.params_len()), params)
    }

    /// One step of as many sequences as `state` is for; `logits` (n×q) receives the outputs.
    ///
    /// # Errors
    /// [`Error::Uneven`], [`Error::Length`] or [`Error::TooShort`] for slices that do not fit, [`Error::Token`] for a token
    /// outside of the vocabulary, [`Error::NotFinite`] if the state or an output is not finite. The state is then as it was. A
    /// state that a step makes infinite without its outputs showing it is refused [by the next step](Error::NotFinite).
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn step<L: Lanes>(
        self,
        lanes: L,
        params: &[f32],
        inputs: Inputs<'_>,
        state: &mut [f32],
        logits: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        exactly(Argument::Params, self.params_len(), params.len())?;
        self.step_with(lanes, self.split(params), inputs, state, logits, scratch)
    }

    /// One step on lanes that are chosen at run time: [`LaneKind::best`], or any other kind that is there.
    ///
    /// ```
    /// use recurve::cell::{ActivationKind, AnyCell, CellKind};
    /// use recurve::lanes::LaneKind;
    /// use recurve::{Inputs, ModelShape};
    ///
    /// let cell = AnyCell::new(CellKind::Gru, ActivationKind::Tanh, 28, 16);
    /// let shape = ModelShape { cell, outputs: 28 };
    /// let params = vec![0.01; shape.params_len()];
    /// let (mut state, mut logits) = (vec![0.0; shape.state_len(1)], vec![0.0; 28]);
    /// let mut scratch = vec![0.0; shape.step_scratch_len(1)];
    /// let token = Inputs::Tokens(&[3]);
    /// shape.step_on(LaneKind::best(), &params, token, &mut state, &mut logits, &mut scratch)?;
    /// # Ok::<(), recurve::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`step`](Self::step).
    pub fn step_on(
        &self,
        lanes: LaneKind,
        params: &[f32],
        inputs: Inputs<'_>,
        state: &mut [f32],
        logits: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        self.cell.run(Step { lanes, outputs: self.outputs, params, inputs, state, logits, scratch })
    }

    /// One step with the weights of the cell and those of the output layer in two places.
    ///
    /// # Errors
    /// As for [`step`](Self::step).
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn step_with<L: Lanes>(
        self,
        lanes: L,
        weights: (&[f32], &[f32]),
        inputs: Inputs<'_>,
        state: &mut [f32],
        logits: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        let next = self.next(lanes, weights, inputs, state, logits, scratch)?;
        copy(next, state);
        Ok(())
    }

    /// The state to come, within the scratch, and the outputs.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn next<'s, L: Lanes>(
        self,
        lanes: L,
        (cell, head): (&[f32], &[f32]),
        inputs: Inputs<'_>,
        state: &[f32],
        logits: &mut [f32],
        mut scratch: &'s mut [f32],
    ) -> Result<&'s [f32], Error> {
        let batch = self.batch(state)?;
        exactly(Argument::Params, self.params_len(), cell.len().saturating_add(head.len()))?;
        exactly(Argument::Params, self.cell.params_len(), cell.len())?;
        exactly(Argument::Logits, batch.saturating_mul(self.outputs), logits.len())?;
        at_least(Argument::Scratch, self.step_scratch_len(batch), scratch.len())?;
        inputs.check(batch, self.cell.inputs())?;
        check_state(lanes, state)?;

        let next = take_mut(&mut scratch, state.len());
        self.cell.step(lanes, cell, inputs, state, next, scratch);
        self.head().forward(lanes, Weights::in_place(head), self.cell.output(next, batch), logits);
        if !all_finite(lanes, logits) {
            return Err(Error::NotFinite(Quantity::Logit));
        }
        Ok(next)
    }
}

/// A step of a model, whatever its cell and its lanes are.
struct Step<'a> {
    lanes: LaneKind,
    outputs: usize,
    params: &'a [f32],
    inputs: Inputs<'a>,
    state: &'a mut [f32],
    logits: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl OnCell for Step<'_> {
    type Output = Result<(), Error>;

    #[inline(always)]
    fn on<C: Cell>(self, cell: C) -> Self::Output {
        let Self { lanes, outputs, params, inputs, state, logits, scratch } = self;
        let shape = ModelShape { cell, outputs };
        on_lanes!(lanes, lanes => shape.step(lanes, params, inputs, state, logits, scratch))
    }
}

/// Refuses a state that is not finite. An infinite one would hide behind tanh; and Arm's MVE takes "less than" for true of
/// NaN, which would so become a number.
#[inline(always)]
pub(crate) fn check_state<L: Lanes>(lanes: L, state: &[f32]) -> Result<(), Error> {
    if all_finite(lanes, state) { Ok(()) } else { Err(Error::NotFinite(Quantity::State)) }
}

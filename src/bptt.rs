//! Truncated back-propagation through time, one window after another.
//!
//! ```text
//! forward:  H_t = cell(X_t, H_{t−1}) for t = 1 … T, keeping what backward needs in the tape;
//!           O = H W_hq + b_q for all steps at once; loss = mean over the T·n rows
//! backward: dO = the loss's gradient; dH = dO W_hqᵀ; from the last step to the first through the cell;
//!           gradients of weights are one product each over all steps
//! ```
//!
//! The state is carried from window to window, the gradient is cut at the window's edge (Dive into Deep Learning,
//! section 9.7.1, regular truncation).

use crate::cell::{Backward, Cell, Extent, Inputs, TypedCell, extent};
use crate::error::{Argument, Error, Quantity, at_least, exactly};
use crate::lanes::{Lanes, best_lanes};
use crate::loss::{self, Targets};
use crate::model::{Model, ModelShape, check_state};
use crate::params::{Flat, plain_data, take_mut};

plain_data! {
    /// What training a [`Model`] with windows of up to `T` steps of `B` sequences works in.
    ///
    /// Its initial value is all zero, so a `static` of it takes RAM but no flash. A cell that lends it once, here of the
    /// crate [`static_cell`](https://docs.rs/static_cell), needs neither `static mut` nor a lock:
    ///
    /// ```
    /// use recurve::{Elman, Workspace, params::Flat};
    /// use static_cell::ConstStaticCell;
    ///
    /// type Small = Workspace<Elman<28, 32>, 32, 28, 1, 16>;
    /// static WORKSPACE: ConstStaticCell<Small> = ConstStaticCell::new(Small::ZERO);
    ///
    /// let workspace: &'static mut Small = WORKSPACE.take();
    /// assert_eq!(workspace.as_flat().len(), (16 + 1) * 32 + 16 * 28 + 16 * 32);
    /// assert!(WORKSPACE.try_take().is_none());
    /// ```
    pub struct Workspace
        [C: TypedCell<H>, const H: usize, const O: usize, const B: usize, const T: usize]
        [C, H, O, B, T]
    {
        /// What the cell keeps.
        pub tape: C::Tape<B, T>,
        /// The outputs, then their gradients (T×n×q).
        pub logits: [[[f32; O]; B]; T],
        /// The gradients of the hidden units (T×n×h).
        pub d_hidden: [[[f32; H]; B]; T],
        /// What the cell's backward pass works in.
        pub cell: C::BackwardScratch<B, T>,
    }
}

impl<C: TypedCell<H>, const H: usize, const O: usize> Model<C, H, O> {
    /// The mean loss of a window, and its gradients, added to `grads`; `state` is carried to the next window.
    ///
    /// Rows of inputs and targets are time-major: row t·B + b belongs to step t of sequence b. A window may be
    /// shorter than `T`.
    ///
    /// ```
    /// use recurve::{CharRnn, Inputs, Sgd, Optimizer, Targets, Workspace, params::Flat};
    ///
    /// // Learns that 0, 1, 2 follow each other, one sequence at a time.
    /// let text: [u16; 13] = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0];
    /// let mut model = CharRnn::<3, 4>::ZERO;
    /// let mut grads = CharRnn::<3, 4>::ZERO;
    /// let mut workspace = Workspace::<_, 4, 3, 1, 12>::ZERO;
    /// let mut loss = 0.0;
    /// for _ in 0..100 {
    ///     let (inputs, targets) = (Inputs::Tokens(&text[..12]), Targets::Tokens(&text[1..]));
    ///     grads.set_zero();
    ///     let mut state = [[0.0; 4]];
    ///     model.cell.w_xh[0][0] = 1.0; // breaks the symmetry of all zeros
    ///     loss = model.gradient(inputs, targets, &mut state, &mut workspace, &mut grads)?;
    ///     Sgd { lr: 1.0, momentum: 0.0 }.step(model.as_flat_mut(), grads.as_flat(), &mut [])?;
    /// }
    /// assert!(loss < 0.5, "{loss}");
    /// # Ok::<(), recurve::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TooShort`] for a window without rows or longer than the workspace, [`Error::Length`] for targets of
    /// another number of rows than inputs, [`Error::Token`] for tokens outside of the vocabulary,
    /// [`Error::NotFinite`] for a state or a loss that is NaN or infinite. State and gradients are then as they were.
    pub fn gradient<const B: usize, const T: usize>(
        &self,
        inputs: Inputs<'_>,
        targets: Targets<'_>,
        state: &mut C::State<B>,
        workspace: &mut Workspace<C, H, O, B, T>,
        grads: &mut Self,
    ) -> Result<f32, Error> {
        let (tape, scratch) = workspace.split();
        let (params, state, grads) = (self.as_flat(), state.as_flat_mut(), grads.as_flat_mut());
        best_lanes!(lanes => Self::SHAPE.gradient(lanes, params, inputs, targets, state, tape, scratch, grads))
    }

    /// The mean loss of a window alone; `state` is carried to the next window.
    ///
    /// # Errors
    /// As for [`gradient`](Self::gradient).
    pub fn loss<const B: usize, const T: usize>(
        &self,
        inputs: Inputs<'_>,
        targets: Targets<'_>,
        state: &mut C::State<B>,
        workspace: &mut Workspace<C, H, O, B, T>,
    ) -> Result<f32, Error> {
        let (tape, scratch) = workspace.split();
        let (params, state) = (self.as_flat(), state.as_flat_mut());
        best_lanes!(lanes => Self::SHAPE.loss(lanes, params, inputs, targets, state, tape, scratch))
    }
}

impl<C: TypedCell<H>, const H: usize, const O: usize, const B: usize, const T: usize>
    Workspace<C, H, O, B, T>
{
    /// Tape and scratch.
    fn split(&mut self) -> (&mut [f32], &mut [f32]) {
        let mut scratch = self.as_flat_mut();
        (take_mut(&mut scratch, C::Tape::<B, T>::LEN), scratch)
    }
}

/// A window whose lengths have been checked, and its buffers.
struct Window<'a> {
    extent: Extent,
    inputs: Inputs<'a>,
    tape: &'a mut [f32],
    logits: &'a mut [f32],
    d_hidden: &'a mut [f32],
    /// The cell's own scratch, then room for transposed copies of weights, as much as was lent.
    rest: &'a mut [f32],
}

impl<C: Cell> ModelShape<C> {
    /// Floats of the tape of a window.
    #[must_use]
    pub fn tape_len(self, extent: Extent) -> usize {
        self.cell.tape_len(extent)
    }

    /// Floats that a window's loss works in: its outputs.
    #[must_use]
    pub fn loss_scratch_len(self, extent: Extent) -> usize {
        extent.rows().saturating_mul(self.outputs)
    }

    /// Floats that a window's gradient works in at least.
    #[must_use]
    pub fn scratch_len(self, extent: Extent) -> usize {
        let d_hidden = extent.rows().saturating_mul(self.cell.hidden());
        let cell = self.cell.backward_scratch_len(extent);
        self.loss_scratch_len(extent).saturating_add(d_hidden).saturating_add(cell)
    }

    /// Floats of scratch beyond [`scratch_len`](Self::scratch_len) that make the gradient faster: room for
    /// a transposed copy of one layer's weights at a time. The result is the same, bit for bit.
    #[must_use]
    pub fn pack_len(self) -> usize {
        self.head().pack_len().max(self.cell.pack_len())
    }

    /// The mean loss of a window, and its gradients, added to `grads`; `state`, which says how many sequences there
    /// are, is carried to the next window.
    ///
    /// # Errors
    /// [`Error::Length`] or [`Error::TooShort`] for buffers that do not fit each other, [`Error::Token`] for a token
    /// outside of the vocabulary, [`Error::NotFinite`] for a state or loss that is NaN or infinite. State and gradients are
    /// then as they were.
    #[inline(always)]
    #[allow(
        clippy::too_many_arguments,
        reason = "weights, state, tape, scratch and gradients are separate values"
    )]
    pub fn gradient<L: Lanes>(
        self,
        lanes: L,
        params: &[f32],
        inputs: Inputs<'_>,
        targets: Targets<'_>,
        state: &mut [f32],
        tape: &mut [f32],
        scratch: &mut [f32],
        mut grads: &mut [f32],
    ) -> Result<f32, Error> {
        exactly(Argument::Grads, self.params_len(), grads.len())?;
        let mut window = self.window(params, inputs, targets, state, tape, scratch, true)?;
        let loss = self.forward(lanes, params, targets, state, &mut window)?;
        let Window { extent, inputs, tape, logits, d_hidden, mut rest } = window;

        let (cell, head) = self.split(params);
        let d_cell = take_mut(&mut grads, cell.len());
        let cell_scratch = take_mut(&mut rest, self.cell.backward_scratch_len(extent));
        d_hidden.fill(0.0);
        let h = self.cell.outputs(tape, extent);
        self.head().backward(lanes, head, h, logits, d_hidden, rest, grads);
        let pass = Backward {
            inputs,
            extent,
            tape,
            d_outputs: d_hidden,
            d_inputs: None,
            scratch: cell_scratch,
            pack: rest,
            grads: d_cell,
        };
        self.cell.backward(lanes, cell, pass);
        Ok(loss)
    }

    /// The mean loss of a window alone; `state` is carried to the next window.
    ///
    /// # Errors
    /// As for [`gradient`](Self::gradient).
    #[cfg_attr(not(debug_assertions), inline(always))]
    #[allow(clippy::too_many_arguments, reason = "weights, state, tape and scratch are separate values")]
    pub fn loss<L: Lanes>(
        self,
        lanes: L,
        params: &[f32],
        inputs: Inputs<'_>,
        targets: Targets<'_>,
        state: &mut [f32],
        tape: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<f32, Error> {
        let mut window = self.window(params, inputs, targets, state, tape, scratch, false)?;
        self.forward(lanes, params, targets, state, &mut window)
    }

    /// Checks all lengths and tokens, and cuts the buffers to size.
    #[inline(always)]
    #[allow(clippy::too_many_arguments, reason = "it stands where they enter")]
    fn window<'a>(
        self,
        params: &[f32],
        inputs: Inputs<'a>,
        targets: Targets<'_>,
        state: &[f32],
        tape: &'a mut [f32],
        mut scratch: &'a mut [f32],
        backward: bool,
    ) -> Result<Window<'a>, Error> {
        exactly(Argument::Params, self.params_len(), params.len())?;
        let extent = extent(inputs, self.cell.inputs(), self.batch(state)?)?;
        targets.check(extent.rows(), self.outputs)?;
        let tape_len = self.tape_len(extent);
        at_least(Argument::Tape, tape_len, tape.len())?;
        let needed = if backward { self.scratch_len(extent) } else { self.loss_scratch_len(extent) };
        at_least(Argument::Scratch, needed, scratch.len())?;

        let logits = take_mut(&mut scratch, self.loss_scratch_len(extent));
        let d_hidden = take_mut(&mut scratch, if backward { extent.rows() * self.cell.hidden() } else { 0 });
        let tape = tape.get_mut(..tape_len).unwrap_or_default();
        Ok(Window { extent, inputs, tape, logits, d_hidden, rest: scratch })
    }

    /// Fills the tape, turns the logits into their gradients, and moves the state on if the loss is finite.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn forward<L: Lanes>(
        self,
        lanes: L,
        params: &[f32],
        targets: Targets<'_>,
        state: &mut [f32],
        window: &mut Window<'_>,
    ) -> Result<f32, Error> {
        check_state(lanes, state)?;
        let (cell, head) = self.split(params);
        let (extent, tape) = (window.extent, &mut *window.tape);
        self.cell.forward(lanes, cell, window.inputs, extent, state, tape);
        self.head().forward(lanes, head, self.cell.outputs(tape, extent), window.logits);
        let loss = loss::backward(lanes, window.logits, self.outputs, targets);
        if !loss.is_finite() {
            return Err(Error::NotFinite(Quantity::Loss));
        }
        self.cell.final_state(tape, extent, state);
        Ok(loss)
    }
}

//! Truncated back-propagation through time, one window after another.
//!
//! ```text
//! forward:  H_t = cell(X_t, H_{t−1}) for t = 1 … T, keeping what backward needs in the tape;
//!           O = H W_hq + b_q for all steps at once; loss = mean over the T·n rows
//! backward: dO = the loss's gradient; dH = dO W_hqᵀ; from the last step to the first through the cell;
//!           gradients of weights are one product each over all steps
//! ```
//!
//! The sequences of a batch do not touch each other on the way. Blocks of them go forward and back, one after another
//! or side by side; then the gradients of weights are summed, block after block, tensor by tensor: over the first half of the
//! blocks and over the second, whose sum is added to the first.
//!
//! The state is carried from window to window, the gradient is cut at the window's edge (Dive into Deep Learning,
//! section 9.7.1, regular truncation).

mod buffers;
mod sizes;
mod sums;
mod task;
mod window;

use crate::cell::{Cell, Dropout, Dropped, Extent, Inputs, TypedCell};
use crate::crew::{Alone, Crew};
use crate::error::Error;
use crate::kernels::Start;
use crate::lanes::{Lanes, best_lanes};
use crate::loss::Goal;
use crate::model::{Model, ModelShape};
use crate::params::{Flat, plain_data, take_mut};
use crate::trained::Trained;
use buffers::{block_count, sums_len};
use sizes::{Typed, TypedDropped};
use task::Task;

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
    /// shorter than `T`. [`Targets`](crate::Targets) are for each row; an [`Objective`](crate::Objective) may have others.
    /// All sequences are summed in one go, those of a [`ModelShape`] on a host by blocks: if there are more than 16 to 64, the
    /// last bits of the two may differ.
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
    /// [`Error::Uneven`] for a window without rows or with a part of one, [`Error::TooShort`] for one that is longer than
    /// the workspace, [`Error::Length`] for another number of targets or lengths than are needed, [`Error::Steps`] for a
    /// length beyond the window, [`Error::Setting`] if all lengths are 0, [`Error::Token`] for tokens outside of the
    /// vocabulary, [`Error::NotFinite`] for a state or a loss that is NaN or infinite. State and gradients are then as they were.
    pub fn gradient<const B: usize, const T: usize>(
        &self,
        inputs: Inputs<'_>,
        goal: impl Goal,
        state: &mut C::State<B>,
        workspace: &mut Workspace<C, H, O, B, T>,
        grads: &mut Self,
    ) -> Result<f32, Error> {
        let (tape, scratch) = workspace.split();
        let (params, state, grads) = (self.as_flat(), state.as_flat_mut(), grads.as_flat_mut());
        let sizes = Typed::<Self, B>::SIZES;
        let task = Task { sizes, params, inputs, goal, state, tape, scratch };
        best_lanes!(lanes => task.gradient(lanes, Trained::ALL, &Alone, Start::Held, grads))
    }

    /// As [`gradient`](Self::gradient), of the tensors that are trained: `grads` has these alone, in their order. See
    /// [`trained`](crate::trained).
    ///
    /// # Errors
    /// As for [`gradient`](Self::gradient), and [`Error::Length`] for another number of gradients than
    /// [`trained_len`](ModelShape::trained_len) says.
    #[allow(clippy::too_many_arguments, reason = "weights, state, scratch and gradients are separate values")]
    pub fn gradient_of<const B: usize, const T: usize>(
        &self,
        trained: Trained,
        inputs: Inputs<'_>,
        goal: impl Goal,
        state: &mut C::State<B>,
        workspace: &mut Workspace<C, H, O, B, T>,
        grads: &mut [f32],
    ) -> Result<f32, Error> {
        let (tape, scratch) = workspace.split();
        let (params, state) = (self.as_flat(), state.as_flat_mut());
        let sizes = Typed::<Self, B>::SIZES;
        let task = Task { sizes, params, inputs, goal, state, tape, scratch };
        best_lanes!(lanes => task.gradient(lanes, trained, &Alone, Start::Held, grads))
    }

    /// As [`gradient`](Self::gradient), with dropout on the cell's inputs and outputs. Every window wants another seed.
    ///
    /// `X` is `[f32; I]` where vectors are dropped from, and left out of [`Dropped`] for tokens: see there.
    ///
    /// ```
    /// use recurve::cell::{Dropout, Dropped};
    /// use recurve::{CharRnn, Elman, Inputs, Targets, Workspace, params::Flat};
    ///
    /// let mut model = CharRnn::<3, 4>::ZERO;
    /// model.cell.w_xh = [[1.0; 4], [0.5; 4], [-1.0; 4]];
    /// let mut workspace = Workspace::<Dropped<Elman<3, 4>>, 4, 3, 1, 6>::ZERO;
    /// let dropout = Dropout::new(0.0, 0.5)?;
    ///
    /// let text: [u16; 7] = [0, 1, 2, 0, 1, 2, 0];
    /// let (inputs, targets) = (Inputs::Tokens(&text[..6]), Targets::Tokens(&text[1..]));
    /// let mut grads = CharRnn::<3, 4>::ZERO;
    /// model.gradient_dropped(dropout.seeded(1), inputs, targets, &mut [[0.0; 4]], &mut workspace, &mut grads)?;
    /// // Each output was dropped, or made twice as large.
    /// assert!(workspace.tape.output_masks.as_flat().iter().all(|&m| m == 0.0 || m == 2.0));
    /// # Ok::<(), recurve::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`gradient`](Self::gradient); [`Error::TooShort`] also where vectors are dropped from and `X` is not their
    /// type.
    pub fn gradient_dropped<X: Flat, const B: usize, const T: usize>(
        &self,
        dropout: Dropout,
        inputs: Inputs<'_>,
        goal: impl Goal,
        state: &mut C::State<B>,
        workspace: &mut Workspace<Dropped<C, X>, H, O, B, T>,
        grads: &mut Self,
    ) -> Result<f32, Error> {
        let (tape, scratch) = workspace.split();
        let (params, state, grads) = (self.as_flat(), state.as_flat_mut(), grads.as_flat_mut());
        let sizes = TypedDropped { dropout, inputs, sizes: Typed::<Self, B>::SIZES };
        let task = Task { sizes, params, inputs, goal, state, tape, scratch };
        best_lanes!(lanes => task.gradient(lanes, Trained::ALL, &Alone, Start::Held, grads))
    }

    /// The mean loss of a window alone; `state` is carried to the next window.
    ///
    /// # Errors
    /// As for [`gradient`](Self::gradient).
    pub fn loss<const B: usize, const T: usize>(
        &self,
        inputs: Inputs<'_>,
        goal: impl Goal,
        state: &mut C::State<B>,
        workspace: &mut Workspace<C, H, O, B, T>,
    ) -> Result<f32, Error> {
        let (tape, scratch) = workspace.split();
        let (params, state) = (self.as_flat(), state.as_flat_mut());
        let sizes = Typed::<Self, B>::SIZES;
        let task = Task { sizes, params, inputs, goal, state, tape, scratch };
        best_lanes!(lanes => task.loss(lanes))
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

    /// Floats that a window's gradient works in at least. With the feature `std`, a window of many sequences is cut into
    /// blocks, which takes [`params_len`](Self::params_len) more: the sums of the second half of the blocks.
    #[must_use]
    pub fn scratch_len(self, extent: Extent) -> usize {
        let sums = sums_len(self, block_count(self, extent.batch));
        self.one_block_scratch_len(extent).saturating_add(sums)
    }

    /// Floats that a gradient works in if the window is one block, as a typed model's is.
    pub(crate) fn one_block_scratch_len(self, extent: Extent) -> usize {
        let d_hidden = extent.rows().saturating_mul(self.cell.hidden());
        let cell = self.cell.backward_scratch_len(extent);
        self.loss_scratch_len(extent).saturating_add(d_hidden).saturating_add(cell)
    }

    /// Floats of scratch beyond [`scratch_len`](Self::scratch_len) that make the gradient faster: room for copies of
    /// weights, then of what their gradients are made of, for as many threads as share the work. The result is the
    /// same, bit for bit.
    #[must_use]
    pub fn pack_len(self, threads: usize) -> usize {
        let copies = self.cell.pack_len().saturating_add(self.head().pack_len());
        copies.max(sums::products_len(self, threads))
    }

    /// The mean loss of a window, and its gradients, added to `grads`; `state`, which says how many sequences there
    /// are, is carried to the next window.
    ///
    /// # Errors
    /// [`Error::Length`] or [`Error::TooShort`] for buffers that do not fit each other, [`Error::Token`] for a token
    /// outside of the vocabulary, [`Error::NotFinite`] for a state or loss that is NaN or infinite. State and gradients are
    /// then as they were.
    #[cfg_attr(not(debug_assertions), inline(always))]
    #[allow(
        clippy::too_many_arguments,
        reason = "weights, state, tape, scratch and gradients are separate values"
    )]
    pub fn gradient<L: Lanes>(
        self,
        lanes: L,
        params: &[f32],
        inputs: Inputs<'_>,
        goal: impl Goal,
        state: &mut [f32],
        tape: &mut [f32],
        scratch: &mut [f32],
        grads: &mut [f32],
    ) -> Result<f32, Error> {
        self.gradient_by(&Alone, lanes, params, inputs, goal, state, tape, scratch, grads)
    }

    /// [`gradient`](Self::gradient), shared by the threads of a crew: the same bits, however many they are.
    ///
    /// # Errors
    /// As for [`gradient`](Self::gradient).
    #[cfg_attr(not(debug_assertions), inline(always))]
    #[allow(
        clippy::too_many_arguments,
        reason = "weights, state, tape, scratch and gradients are separate values"
    )]
    pub fn gradient_by<L: Lanes>(
        self,
        crew: &impl Crew,
        lanes: L,
        params: &[f32],
        inputs: Inputs<'_>,
        goal: impl Goal,
        state: &mut [f32],
        tape: &mut [f32],
        scratch: &mut [f32],
        grads: &mut [f32],
    ) -> Result<f32, Error> {
        self.gradient_of(Trained::ALL, crew, lanes, params, inputs, goal, state, tape, scratch, grads)
    }

    /// [`gradient_by`](Self::gradient_by) of the tensors that are trained: `grads` has these alone, in their order, and
    /// what the others would have needed is not computed.
    ///
    /// # Errors
    /// As for [`gradient`](Self::gradient).
    #[cfg_attr(not(debug_assertions), inline(always))]
    #[allow(
        clippy::too_many_arguments,
        reason = "weights, state, tape, scratch and gradients are separate values"
    )]
    pub fn gradient_of<L: Lanes>(
        self,
        trained: Trained,
        crew: &impl Crew,
        lanes: L,
        params: &[f32],
        inputs: Inputs<'_>,
        goal: impl Goal,
        state: &mut [f32],
        tape: &mut [f32],
        scratch: &mut [f32],
        grads: &mut [f32],
    ) -> Result<f32, Error> {
        let task = Task { sizes: self, params, inputs, goal, state, tape, scratch };
        task.gradient(lanes, trained, crew, Start::Held, grads)
    }

    /// [`gradient_of`](Self::gradient_of) of a window, whatever `grads` holds: not added, and for products of matrices without
    /// zeros to be written and read.
    ///
    /// # Errors
    /// As for [`gradient`](Self::gradient).
    #[cfg(feature = "std")]
    #[cfg_attr(not(debug_assertions), inline(always))]
    #[allow(
        clippy::too_many_arguments,
        reason = "weights, state, tape, scratch and gradients are separate values"
    )]
    pub(crate) fn new_gradient_of<L: Lanes>(
        self,
        trained: Trained,
        crew: &impl Crew,
        lanes: L,
        params: &[f32],
        inputs: Inputs<'_>,
        goal: impl Goal,
        state: &mut [f32],
        tape: &mut [f32],
        scratch: &mut [f32],
        grads: &mut [f32],
    ) -> Result<f32, Error> {
        let task = Task { sizes: self, params, inputs, goal, state, tape, scratch };
        task.gradient(lanes, trained, crew, Start::Zero, grads)
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
        goal: impl Goal,
        state: &mut [f32],
        tape: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<f32, Error> {
        Task { sizes: self, params, inputs, goal, state, tape, scratch }.loss(lanes)
    }
}

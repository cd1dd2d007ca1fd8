//! Training the output layer alone, while the cell stays where it is: in flash.
//!
//! ```text
//! H_t = cell(X_t, H_{t−1})                    frozen: read, never written
//! O_t = H_t W_hq + b_q                        dW_hq += H_tᵀ dO_t, db_q += Σ dO_t
//! ```
//!
//! No gradient flows into the cell, so nothing has to be kept of earlier steps: there is no tape, and a window may be as
//! long as it likes. RAM holds the output layer, its gradient, the optimiser's state for it, and what a step takes.
//!
//! ```
//! use rand_core::SeedableRng;
//! use recurve::tune::Tuning;
//! use recurve::{Adam, Dense, Gru, Inputs, Model, Optimizer, Targets, init::Init, params::Flat};
//!
//! // In a firmware: static MODEL: &Network = include_model!("model.rcv");
//! type Network = Model<Gru<3, 16>, 16, 3>;
//! let mut model = Network::ZERO;
//! model.init(Init::TOKENS, &mut rand_pcg::Pcg32::seed_from_u64(1));
//! let model = &model;
//!
//! // What is trained, and no more: here less than half of what training all would take.
//! type Head = Dense<16, 3>;
//! const ADAM: Adam = Adam::new(0.05);
//! const RAM: usize = Network::tuning_memory::<1>(ADAM.state_len(Head::LEN)).total();
//! const { assert!(3 * RAM < Network::training_memory::<1, 12>(ADAM.state_len(Network::LEN)).total()) }
//! let mut head: Head = model.head;
//! let (mut grads, mut moments) = (Head::ZERO, [0.0; ADAM.state_len(Head::LEN)]);
//! let mut tuning = Tuning::ZERO;
//!
//! // Learns that 0, 0, 1, 2 follow each other, 12 steps at a time.
//! let text: [u16; 13] = [0, 0, 1, 2, 0, 0, 1, 2, 0, 0, 1, 2, 0];
//! let mut loss = 0.0;
//! for _ in 0..200 {
//!     (loss, grads) = (0.0, Head::ZERO);
//!     let mut state = [[0.0; 16]];
//!     for (x, y) in text.chunks(1).zip(text[1..].chunks(1)) {
//!         let (x, y) = (Inputs::Tokens(x), Targets::Tokens(y));
//!         loss += model.tune(&head, x, y, 1.0 / 12.0, &mut state, &mut tuning, &mut grads)?;
//!     }
//!     ADAM.step(head.as_flat_mut(), grads.as_flat(), &mut moments)?;
//! }
//! assert!(loss < 0.05, "{loss}");
//!
//! let (mut state, mut logits, mut scratch) = ([[0.0; 16]], [0.0; 3], Flat::ZERO);
//! model.step_with(&head, 1_u16, &mut state, &mut logits, &mut scratch)?; // with the new output layer
//! # Ok::<(), recurve::Error>(())
//! ```

use crate::cell::{Cell, Gradient, Input, Inputs, TypedCell};
use crate::error::{Argument, Error, Quantity, exactly};
use crate::head::Dense;
use crate::kernels::copy;
use crate::lanes::{Lanes, best_lanes};
use crate::loss::{self, Sum, Targets};
use crate::model::{Model, ModelShape};
use crate::params::{Flat, plain_data, take_mut};

plain_data! {
    /// What a step of `B` sequences works in while the output layer is trained.
    pub struct Tuning [C: TypedCell<H>, const H: usize, const O: usize, const B: usize] [C, H, O, B] {
        /// The outputs, then their gradients (n×q).
        pub logits: [[f32; O]; B],
        /// What the cell's step works in.
        pub step: C::StepScratch<B>,
    }
}

impl<C: TypedCell<H>, const H: usize, const O: usize> Model<C, H, O> {
    /// One step with another output layer than the model's own: see [`step`](Self::step).
    ///
    /// # Errors
    /// As for [`step`](Self::step).
    #[inline]
    pub fn step_with<'a>(
        &self,
        head: &Dense<H, O>,
        input: impl Into<Input<'a, C::Vector>>,
        state: &mut C::State<1>,
        logits: &mut [f32; O],
        scratch: &mut C::StepScratch<1>,
    ) -> Result<(), Error>
    where
        C::Vector: 'a,
    {
        input.into().with_inputs(|inputs| {
            let (weights, scratch) = ((self.cell.as_flat(), head.as_flat()), scratch.as_flat_mut());
            best_lanes!(lanes => {
                Self::SHAPE.step_with(lanes, weights, inputs, state.as_flat_mut(), logits, scratch)
            })
        })
    }

    /// One step of `B` sequences with another output layer than the model's own, and that layer's gradient, added to
    /// `grads`. The model itself, its cell and its own output layer, is only read.
    ///
    /// Each row's loss counts `share`: 1/(T·B) makes the losses and gradients of T steps add up to those of a window's
    /// mean, as [`gradient`](Self::gradient) has them.
    ///
    /// # Errors
    /// [`Error::Length`] for another number of inputs or targets than `B`, [`Error::Token`] for tokens outside of the
    /// vocabulary, [`Error::NotFinite`] for a state, an output or a loss that is NaN or infinite. State and gradients
    /// are then as they were.
    #[allow(clippy::too_many_arguments, reason = "weights, state, scratch and gradients are separate values")]
    pub fn tune<const B: usize>(
        &self,
        head: &Dense<H, O>,
        inputs: Inputs<'_>,
        targets: Targets<'_>,
        share: f32,
        state: &mut C::State<B>,
        tuning: &mut Tuning<C, H, O, B>,
        grads: &mut Dense<H, O>,
    ) -> Result<f32, Error> {
        let weights = (self.cell.as_flat(), head.as_flat());
        let (state, grads) = (state.as_flat_mut(), grads.as_flat_mut());
        let (logits, scratch) = (tuning.logits.as_flat_mut(), tuning.step.as_flat_mut());
        best_lanes!(lanes => {
            Self::SHAPE.tune(lanes, weights, inputs, targets, share, state, logits, scratch, grads)
        })
    }
}

impl<C: Cell> ModelShape<C> {
    /// One step of as many sequences as `state` is for, and the gradient of the output layer, added to `grads`; `logits`
    /// (n×q) become their gradients. `weights` are those of the cell, which are only read, and those of the output
    /// layer. Each row's loss counts `share`; what comes back is the sum of the rows' losses, so counted.
    ///
    /// # Errors
    /// As for [`step_with`](Self::step_with), and [`Error::Length`] for targets or gradients that do not fit,
    /// [`Error::NotFinite`] for a loss that is not finite. State and gradients are then as they were.
    #[cfg_attr(not(debug_assertions), inline(always))]
    #[allow(clippy::too_many_arguments, reason = "weights, state, scratch and gradients are separate values")]
    pub fn tune<L: Lanes>(
        self,
        lanes: L,
        weights: (&[f32], &[f32]),
        inputs: Inputs<'_>,
        targets: Targets<'_>,
        share: f32,
        state: &mut [f32],
        logits: &mut [f32],
        scratch: &mut [f32],
        mut grads: &mut [f32],
    ) -> Result<f32, Error> {
        let batch = self.batch(state)?;
        exactly(Argument::Grads, self.head().params_len(), grads.len())?;
        targets.check(batch, self.outputs)?;
        let next = self.next(lanes, weights, inputs, state, logits, scratch)?;

        let mut total = Sum::default();
        loss::backward(lanes, logits, self.outputs, targets, share, &mut total);
        let loss = total.value() * share;
        if !loss.is_finite() {
            return Err(Error::NotFinite(Quantity::Loss));
        }
        let h = self.cell.output(next, batch);
        let [(rows, cols), _] = self.head().tensors();
        let d_w_hq = take_mut(&mut grads, rows.saturating_mul(cols));
        self.head().accumulate::<L, 0>(lanes, h, logits, Gradient::in_place(&(0..rows), d_w_hq));
        self.head().accumulate::<L, 1>(lanes, h, logits, Gradient::in_place(&(0..1), grads));
        copy(next, state);
        Ok(loss)
    }
}

//! Training some of a model's tensors, while the others are frozen: they keep their bits, and neither their gradients are
//! computed nor is there a word of an optimiser's state for them.
//!
//! A window's gradient is then a short one: the chosen tensors alone, in their order. [`Model::gather`] makes as short a
//! copy of the weights, which an optimiser changes, and [`Model::scatter`] puts it back.
//!
//! ```
//! use rand_core::SeedableRng;
//! use recurve::trained::Trained;
//! use recurve::{Adam, Dense, Elman, Inputs, Model, Optimizer, Targets, Workspace, init::Init, params::Flat};
//!
//! type Network = Model<Elman<3, 16>, 16, 3>;
//! let mut model = Network::ZERO;
//! model.init(Init::TOKENS, &mut rand_pcg::Pcg32::seed_from_u64(1));
//!
//! // The cell's third tensor, b_h, and the output layer; not w_xh and w_hh.
//! const TRAINED: Trained = Trained::HEAD.and(Trained::cell(2));
//! const LEN: usize = 16 + Dense::<16, 3>::LEN;
//! const ADAM: Adam = Adam::new(0.05);
//! let (mut weights, mut grads, mut moments) = ([0.0; LEN], [0.0; LEN], [0.0; ADAM.state_len(LEN)]);
//! let mut workspace = Workspace::<_, 16, 3, 1, 12>::ZERO;
//!
//! let text: [u16; 13] = [0, 0, 1, 2, 0, 0, 1, 2, 0, 0, 1, 2, 0];
//! let (inputs, targets) = (Inputs::Tokens(&text[..12]), Targets::Tokens(&text[1..]));
//! let (frozen, mut loss) = (model.cell.w_hh, 0.0);
//! model.gather(TRAINED, &mut weights)?;
//! for _ in 0..200 {
//!     grads.fill(0.0);
//!     loss = model.gradient_of(TRAINED, inputs, targets, &mut [[0.0; 16]], &mut workspace, &mut grads)?;
//!     ADAM.step(&mut weights, &grads, &mut moments)?;
//!     model.scatter(TRAINED, &weights)?;
//! }
//! assert!(loss < 0.05, "{loss}");
//! assert_eq!(model.cell.w_hh, frozen);
//! # Ok::<(), recurve::Error>(())
//! ```
//!
//! A model of which a part is trained is in RAM as a whole. A cell that is frozen as a whole may stay in flash: below layers
//! that are trained, [`frozen`](crate::frozen); below the output layer alone, where no window has to be kept,
//! [`tune`](crate::tune).

use crate::cell::{Cell, TypedCell};
use crate::error::{Argument, Error, exactly};
use crate::kernels::copy;
use crate::model::{Model, ModelShape};
use crate::params::{Flat, take, take_mut};

/// Which tensors of a model are trained.
///
/// Those of the cell are counted from 0 in the order in which its weights are declared: for an
/// [`Elman`](crate::Elman), `w_xh`, `w_hh` and `b_h`. A [`Stack`](crate::Stack) counts on from its first cell to its
/// second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trained {
    /// A bit for each tensor of the cell, from the lowest on.
    cell: u64,
    w_hq: bool,
    b_q: bool,
}

impl Trained {
    /// None.
    pub const NONE: Self = Self { cell: 0, w_hq: false, b_q: false };
    /// All of them.
    pub const ALL: Self = Self { cell: u64::MAX, w_hq: true, b_q: true };
    /// W_hq of the output layer.
    pub const W_HQ: Self = Self { w_hq: true, ..Self::NONE };
    /// b_q of the output layer.
    pub const B_Q: Self = Self { b_q: true, ..Self::NONE };
    /// The output layer.
    pub const HEAD: Self = Self::W_HQ.and(Self::B_Q);

    /// A tensor of the cell. All from the 64th on, which only a stack of more than nine layers has, are one.
    #[must_use]
    pub const fn cell(index: usize) -> Self {
        Self { cell: bit(index), ..Self::NONE }
    }

    /// These and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { cell: self.cell | other.cell, w_hq: self.w_hq || other.w_hq, b_q: self.b_q || other.b_q }
    }

    /// Whether this tensor of the cell is trained.
    #[inline(always)]
    #[must_use]
    pub const fn has_cell(self, index: usize) -> bool {
        self.cell & bit(index) != 0
    }

    /// Whether W_hq and b_q are trained.
    #[inline(always)]
    #[must_use]
    pub const fn head(self) -> [bool; 2] {
        [self.w_hq, self.b_q]
    }

    /// Tensors of the cell before the first that is trained; none if all are frozen.
    #[inline(always)]
    pub(crate) const fn frozen(self) -> Option<usize> {
        if self.cell == 0 { None } else { Some(self.cell.trailing_zeros() as usize) }
    }
}

#[inline(always)]
const fn bit(index: usize) -> u64 {
    1 << if index < 63 { index } else { 63 }
}

impl<C: TypedCell<H>, const H: usize, const O: usize> Model<C, H, O> {
    /// Copies the trained tensors, one after another.
    ///
    /// # Errors
    /// [`Error::Length`] unless there is room for exactly these: [`ModelShape::trained_len`].
    pub fn gather(&self, trained: Trained, weights: &mut [f32]) -> Result<(), Error> {
        Self::SHAPE.gather(trained, self.as_flat(), weights)
    }

    /// Puts the trained tensors back; the others stay as they are.
    ///
    /// # Errors
    /// As for [`gather`](Self::gather).
    pub fn scatter(&mut self, trained: Trained, weights: &[f32]) -> Result<(), Error> {
        Self::SHAPE.scatter(trained, weights, self.as_flat_mut())
    }
}

impl<C: Cell> ModelShape<C> {
    /// All tensors in their order: how many floats they have, and whether they are trained.
    #[inline(always)]
    fn parts(self, trained: Trained) -> impl Iterator<Item = (usize, bool)> {
        let of_cell = (0..).map_while(move |i| Some((self.cell.tensor(i)?, trained.has_cell(i))));
        let of_head = self.head().tensors().into_iter().zip(trained.head());
        of_cell.chain(of_head).map(|((rows, cols), is_trained)| (rows.saturating_mul(cols), is_trained))
    }

    /// Floats of the tensors that are trained.
    #[inline(always)]
    #[must_use]
    pub fn trained_len(self, trained: Trained) -> usize {
        if trained == Trained::ALL {
            return self.params_len();
        }
        let lengths = self.parts(trained).filter_map(|(len, is_trained)| is_trained.then_some(len));
        lengths.fold(0, usize::saturating_add)
    }

    /// Copies the trained tensors out of all weights, one after another.
    ///
    /// # Errors
    /// [`Error::Length`] for another number of weights, or of trained ones.
    pub fn gather(self, trained: Trained, mut params: &[f32], mut weights: &mut [f32]) -> Result<(), Error> {
        self.check_lengths(trained, params, weights)?;
        for (len, is_trained) in self.parts(trained) {
            let from = take(&mut params, len);
            if is_trained {
                copy(from, take_mut(&mut weights, len));
            }
        }
        Ok(())
    }

    /// Puts the trained tensors back among all weights.
    ///
    /// # Errors
    /// As for [`gather`](Self::gather).
    pub fn scatter(self, trained: Trained, mut weights: &[f32], mut params: &mut [f32]) -> Result<(), Error> {
        self.check_lengths(trained, params, weights)?;
        for (len, is_trained) in self.parts(trained) {
            let to = take_mut(&mut params, len);
            if is_trained {
                copy(take(&mut weights, len), to);
            }
        }
        Ok(())
    }

    fn check_lengths(self, trained: Trained, params: &[f32], weights: &[f32]) -> Result<(), Error> {
        exactly(Argument::Params, self.params_len(), params.len())?;
        exactly(Argument::Params, self.trained_len(trained), weights.len())
    }
}

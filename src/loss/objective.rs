//! What a window is trained for: which outputs have targets, and how long each sequence is.
//!
//! ```text
//! each row:  L = 1/N Σ_b Σ_{t < n_b} ℓ(O_tb, y_tb)      N = Σ_b n_b
//! the last:  L = 1/N Σ_b ℓ(O_{n_b − 1, b}, y_b)         N = sequences with n_b > 0
//! the mean:  L = 1/N Σ_b ℓ(1/n_b Σ_{t < n_b} O_tb, y_b)
//! ```
//!
//! ℓ is the loss of [`Targets`], n_b the length of sequence b: the window's T steps, unless lengths are given. Rows
//! beyond it are padding, whose gradients are zero.

use super::{Sum, Targets, backward};
use crate::cell::{Block, Extent};
use crate::error::{Argument, Error, exactly};
use crate::kernels::{add_scaled, all_finite, copy, scale};
use crate::lanes::{Lanes, inlined};
use crate::params::{rows_mut, take_mut};

/// What the outputs of a window are compared with: [`Targets`], one for each row, or an [`Objective`].
///
/// Two types, so that a program that needs the one has no code of the other. Not to be implemented outside this crate.
pub trait Goal: Copy + Sync + Hidden {}

impl Goal for Targets<'_> {}

impl Goal for Objective<'_> {}

mod hidden {
    use super::{Block, Error, Extent, Lanes, Sum};

    pub trait Hidden {
        /// Refuses what does not fit a window; else, what a target weighs in the mean.
        fn weight(self, extent: Extent, outputs: usize) -> Result<f32, Error>;

        /// Which sequences, of a window of so many steps, are over before its end.
        fn ended(&self, window: usize) -> impl Iterator<Item = usize>;

        /// Adds the losses of a block to `total`; its outputs become their gradients, in place.
        fn backward<L: Lanes>(
            self,
            lanes: L,
            o: &mut [f32],
            outputs: usize,
            block: Block,
            weight: f32,
            total: &mut Sum,
        );
    }
}
use hidden::Hidden;

impl Hidden for Targets<'_> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn weight(self, extent: Extent, outputs: usize) -> Result<f32, Error> {
        self.check(extent.rows(), outputs)?;
        Ok(share(extent.rows()))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn ended(&self, _: usize) -> impl Iterator<Item = usize> {
        core::iter::empty()
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn backward<L: Lanes>(
        self,
        lanes: L,
        mut o: &mut [f32],
        outputs: usize,
        block: Block,
        weight: f32,
        total: &mut Sum,
    ) {
        let (rows, runs) = block.runs();
        for first in runs {
            let targets = self.rows(first..first + rows, outputs);
            backward(lanes, take_mut(&mut o, rows * outputs), outputs, targets, weight, total);
        }
    }
}

/// How the outputs of a sequence become one: a class, or a forecast, of a whole window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Readout {
    /// The outputs of its last step.
    Last,
    /// The mean of the outputs of all its steps: see [`RunningMean`](super::RunningMean).
    Mean,
}

/// What a window is trained for. [`Targets`] by themselves are one for each row of a window without padding.
///
/// ```
/// use recurve::{Gru, Inputs, Model, Objective, Targets, Workspace, params::Flat};
///
/// // Two sequences of readings of three axes, of 4 and of 2 steps, side by side; each belongs to one of two classes.
/// let (readings, lengths, classes) = ([0.5; 4 * 2 * 3], [4, 2], [0, 1]);
/// let objective = Objective::last(Targets::Tokens(&classes)).with_lengths(&lengths);
///
/// type Network = Model<Gru<3, 8>, 8, 2>;
/// let (model, mut grads) = (Network::ZERO, &mut Network::ZERO);
/// let (mut state, mut workspace) = ([[0.0; 8]; 2], Workspace::<_, 8, 2, 2, 4>::ZERO);
/// let loss = model.gradient(Inputs::Vectors(&readings), objective, &mut state, &mut workspace, &mut grads)?;
/// assert!((loss - 2_f32.ln()).abs() < 1e-6); // one of two, and nothing learned yet
/// # Ok::<(), recurve::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective<'a> {
    targets: Targets<'a>,
    readout: Option<Readout>,
    lengths: Option<&'a [usize]>,
}

impl<'a> From<Targets<'a>> for Objective<'a> {
    /// A target for each row.
    fn from(targets: Targets<'a>) -> Self {
        Self { targets, readout: None, lengths: None }
    }
}

impl<'a> Objective<'a> {
    /// A target for each sequence, compared with the outputs of its last step.
    #[must_use]
    pub const fn last(targets: Targets<'a>) -> Self {
        Self { targets, readout: Some(Readout::Last), lengths: None }
    }

    /// A target for each sequence, compared with the mean of the outputs of its steps.
    #[must_use]
    pub const fn mean(targets: Targets<'a>) -> Self {
        Self { targets, readout: Some(Readout::Mean), lengths: None }
    }

    /// The same for sequences of different lengths: so many steps of each count, from the first on.
    ///
    /// The rows after them are padding: any finite numbers, any tokens of the vocabulary, also as targets; zeros are a
    /// good choice. A sequence of length 0 counts for nothing. One that ends before the window does is over: its state is
    /// zero afterwards, so that another may begin in its place.
    #[must_use]
    pub const fn with_lengths(self, lengths: &'a [usize]) -> Self {
        Self { lengths: Some(lengths), ..self }
    }

    /// The number of targets that count.
    fn counted(self, lengths: &[usize], extent: Extent) -> Result<usize, Error> {
        exactly(Argument::Lengths, extent.batch, lengths.len())?;
        let mut counted: usize = 0;
        for &length in lengths {
            if length > extent.window {
                return Err(Error::Steps { length, window: extent.window });
            }
            counted = counted.saturating_add(if self.readout.is_some() { length.min(1) } else { length });
        }
        if counted == 0 { Err(Error::Setting("all sequences have length 0")) } else { Ok(counted) }
    }

    /// The length of a sequence of the window.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn length(self, sequence: usize, window: usize) -> usize {
        self.lengths.map_or(window, inlined!(|lengths| lengths.get(sequence).copied().unwrap_or_default()))
    }
}

impl Hidden for Objective<'_> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn weight(self, extent: Extent, outputs: usize) -> Result<f32, Error> {
        let targets = if self.readout.is_some() { extent.batch } else { extent.rows() };
        self.targets.check(targets, outputs)?;
        let counted = match self.lengths {
            None => targets,
            Some(lengths) => self.counted(lengths, extent)?,
        };
        Ok(share(counted))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn ended(&self, window: usize) -> impl Iterator<Item = usize> {
        let lengths = self.lengths.unwrap_or_default().iter().enumerate();
        lengths.filter(move |&(_, &length)| length < window).map(|(sequence, _)| sequence)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn backward<L: Lanes>(
        self,
        lanes: L,
        o: &mut [f32],
        outputs: usize,
        block: Block,
        weight: f32,
        total: &mut Sum,
    ) {
        let Extent { batch, window } = block.extent;
        let lengths = (0..batch).map(inlined!(|b| self.length(block.first + b, window)));
        if self.readout == Some(Readout::Mean) {
            lengths.clone().enumerate().for_each(inlined!(|(b, n)| mean(lanes, o, outputs, batch, b, n)));
        }
        let places = (0..window).flat_map(inlined!(|t| (0..batch).map(inlined!(move |b| (t, b)))));
        for ((t, b), o) in places.zip(rows_mut(o, outputs)) {
            let length = self.length(block.first + b, window);
            let (compared, target) = match self.readout {
                None => (t < length, t * block.batch + block.first + b),
                Some(Readout::Last) => (t + 1 == length, block.first + b),
                Some(Readout::Mean) => (t == 0 && length > 0, block.first + b),
            };
            if compared {
                let targets = self.targets.rows(target..target + 1, outputs);
                backward(lanes, o, outputs, targets, weight, total);
            } else {
                silence(lanes, o, total);
            }
        }
        if self.readout == Some(Readout::Mean) {
            lengths.enumerate().for_each(inlined!(|(b, n)| mean_backward(lanes, o, outputs, batch, b, n)));
        }
    }
}

/// A row that is compared with nothing; a number in it that is not finite must still be found.
#[inline(always)]
fn silence<L: Lanes>(lanes: L, o: &mut [f32], total: &mut Sum) {
    if !all_finite(lanes, o) {
        total.add(f32::NAN);
    }
    o.fill(0.0);
}

/// The first output of sequence b, and the others of its first `length` steps.
#[inline(always)]
fn steps(
    o: &mut [f32],
    outputs: usize,
    batch: usize,
    b: usize,
    length: usize,
) -> (&mut [f32], impl Iterator<Item = &mut [f32]>) {
    let (first, rest) = o.split_at_mut_checked(batch * outputs).unwrap_or_default();
    let rest = rows_mut(rest, batch * outputs).take(length.saturating_sub(1));
    (row(first, b, outputs), rest.map(inlined!(move |step| row(step, b, outputs))))
}

/// The output of sequence b within those of a step.
#[inline(always)]
fn row(step: &mut [f32], b: usize, outputs: usize) -> &mut [f32] {
    step.get_mut(b * outputs..(b + 1) * outputs).unwrap_or_default()
}

/// Of one in a mean of so many.
#[expect(clippy::cast_precision_loss, reason = "more than 2²⁴ steps would not fit into memory")]
const fn share(count: usize) -> f32 {
    1.0 / if count == 0 { 1 } else { count } as f32
}

/// The mean of the outputs of sequence b's steps, in place of the first.
#[cfg_attr(not(debug_assertions), inline(always))]
fn mean<L: Lanes>(lanes: L, o: &mut [f32], outputs: usize, batch: usize, b: usize, length: usize) {
    let (first, rest) = steps(o, outputs, batch, b, length);
    rest.for_each(inlined!(|o: &mut [f32]| add_scaled(lanes, first, o, 1.0)));
    scale(lanes, first, share(length));
}

/// From the gradient of that mean to those of all steps.
#[cfg_attr(not(debug_assertions), inline(always))]
fn mean_backward<L: Lanes>(lanes: L, o: &mut [f32], outputs: usize, batch: usize, b: usize, length: usize) {
    let (first, rest) = steps(o, outputs, batch, b, length);
    scale(lanes, first, share(length));
    rest.for_each(inlined!(|o: &mut [f32]| copy(first, o)));
}

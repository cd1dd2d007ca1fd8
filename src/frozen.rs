//! A frozen cell below a model that is trained: the cell is only read, and may stay in flash; RAM holds what is above it.
//!
//! ```text
//! H¹_t = below(X_t, H¹_{t−1})       frozen: no tape, no gradient, no optimiser's state
//! O_t  = above(H¹_t, …)             a model like any other, whose inputs are vectors
//! ```
//!
//! So the last layer of a stack is trained on a chip, or a new layer is put upon a cell that was trained elsewhere.
//!
//! ```
//! use rand_core::SeedableRng;
//! use recurve::{Elman, Gru, Inputs, Model, Optimizer, Sgd, Stack, Targets, Workspace};
//! use recurve::{frozen, init::Init, params::Flat};
//!
//! // In a firmware: static WHOLE: &Whole = include_model!("model.rcv");
//! type Whole = Model<Stack<Gru<3, 16>, Elman<16, 8>>, 8, 3>;
//! let mut whole = Whole::ZERO;
//! whole.init(Init::TOKENS, &mut rand_pcg::Pcg32::seed_from_u64(1));
//! let (below, mut above) = (&whole.cell.first, Model { cell: whole.cell.second, head: whole.head });
//!
//! let text: [u16; 13] = [0, 0, 1, 2, 0, 0, 1, 2, 0, 0, 1, 2, 0];
//! let (mut grads, mut workspace) = (Model::ZERO, Workspace::<_, 8, 3, 1, 12>::ZERO);
//! let (mut between, mut scratch) = ([[[0.0; 16]]; 12], Flat::ZERO);
//! let mut loss = 0.0;
//! for _ in 0..300 {
//!     let (mut states, targets) = (([[0.0; 16]], [[0.0; 8]]), Targets::Tokens(&text[1..]));
//!     for (x, h) in text.chunks(1).zip(&mut between) {
//!         frozen::step(below, Inputs::Tokens(x), &mut states.0, h, &mut scratch)?;
//!     }
//!     grads.set_zero();
//!     let inputs = Inputs::Vectors(between.as_flat());
//!     loss = above.gradient(inputs, targets, &mut states.1, &mut workspace, &mut grads)?;
//!     Sgd { lr: 0.3, momentum: 0.0 }.step(above.as_flat_mut(), grads.as_flat(), &mut [])?;
//! }
//! assert!(loss < 0.1, "{loss}");
//!
//! // A step is one below and one above.
//! let (mut states, mut h) = (([[0.0; 16]], [[0.0; 8]]), [[0.0; 16]]);
//! let (mut logits, mut scratch_above) = ([0.0; 3], Flat::ZERO);
//! frozen::step(below, Inputs::Tokens(&[0]), &mut states.0, &mut h, &mut scratch)?;
//! above.step(&h[0], &mut states.1, &mut logits, &mut scratch_above)?;
//! assert!(logits[0] > logits[1] && logits[0] > logits[2]); // 0 follows the first 0
//! # Ok::<(), recurve::Error>(())
//! ```

use core::hint::black_box;

use crate::cell::{Cell, Inputs, TypedCell};
use crate::error::{Error, Quantity};
use crate::kernels::{all_finite, copy};
use crate::lanes::best_lanes;
use crate::model::check_state;
use crate::params::{Flat, take_mut};

/// One step of `B` sequences by a cell alone, whose outputs go to `h` (n×h).
///
/// # Errors
/// [`Error::Length`] for another number of inputs than `B`, [`Error::Token`] for a token outside of the vocabulary,
/// [`Error::NotFinite`] for a state that is not finite, or would not be after the step. The state is then as it was.
pub fn step<C: TypedCell<H>, const H: usize, const B: usize>(
    cell: &C,
    inputs: Inputs<'_>,
    state: &mut C::State<B>,
    h: &mut [[f32; H]; B],
    scratch: &mut C::StepScratch<B>,
) -> Result<(), Error> {
    inputs.check(B, C::SHAPE.inputs())?;
    // Else the compiler, which may know where a cell lies in flash, keeps weights on the stack from one step to the next.
    let cell = if cfg!(feature = "std") { cell } else { black_box(cell) };
    let (state, mut scratch) = (state.as_flat_mut(), scratch.as_flat_mut());
    let next = take_mut(&mut scratch, state.len());
    best_lanes!(lanes => {
        check_state(lanes, state)?;
        C::SHAPE.step(lanes, cell.as_flat(), inputs, state, next, scratch);
        if !all_finite(lanes, next) {
            return Err(Error::NotFinite(Quantity::State));
        }
        copy(next, state);
        copy(C::SHAPE.output(state, B), h.as_flat_mut());
        Ok(())
    })
}

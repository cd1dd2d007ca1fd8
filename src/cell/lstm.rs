//! The long short-term memory (S. Hochreiter and J. Schmidhuber, Long Short-Term Memory, 1997) with a forget gate
//! (F. Gers, J. Schmidhuber and F. Cummins, Learning to Forget, 2000), without peepholes:
//!
//! ```text
//! I_t = σ(X_t W_xi + H_{t−1} W_hi + b_i)         what is let in
//! F_t = σ(X_t W_xf + H_{t−1} W_hf + b_f)         what is kept
//! G_t = tanh(X_t W_xg + H_{t−1} W_hg + b_g)      what there is to be let in
//! O_t = σ(X_t W_xo + H_{t−1} W_ho + b_o)         what is shown
//! C_t = F_t ∘ C_{t−1} + I_t ∘ G_t
//! H_t = O_t ∘ tanh C_t
//! ```
//!
//! The four stand side by side, in the order i, f, g, o: one product with W_x (d×4h), one with W_h (h×4h).
//! As in `PyTorch`, but for its second bias, which is added to the first and says nothing more.

use core::convert::identity;

use rand_core::Rng;

use super::gates::{self, GateGradients, Gates, GatesShape, through_sigmoid, through_tanh};
use super::parts::{columns_mut, part, part_mut, step_and_previous};
use super::{Backpropagated, Backward, Block, Cell, Extent, Gradient, Inputs, TypedCell, Weights};
use crate::crew::Crew;
use crate::init::Init;
use crate::kernels::{Factor, Mat, copy, map_all};
use crate::lanes::{Lanes, inlined};
use crate::math::{gate, tanh};
use crate::params::{plain_data, take, take_mut};

plain_data! {
    /// Weights of a long short-term memory with `I` inputs and `H` hidden units: `4·(I + H + 1)·H` parameters.
    ///
    /// ```
    /// use rand_core::SeedableRng;
    /// use recurve::{Lstm, Model, init::Init, params::Flat};
    ///
    /// let mut model = Model::<Lstm<28, 32>, 32, 28>::ZERO;
    /// model.init(Init::TOKENS, &mut rand_pcg::Pcg32::seed_from_u64(1));
    /// assert_eq!(model.cell.b[1], [1.0; 32]); // at first, all is remembered
    ///
    /// let (mut state, mut logits, mut scratch) = (Flat::ZERO, [0.0; 28], Flat::ZERO);
    /// model.step(5_u16, &mut state, &mut logits, &mut scratch)?;
    /// let (h, c): ([f32; 32], [f32; 32]) = (state.h[0], state.c[0]);
    /// assert!((0..32).all(|k| h[k] * c[k] > 0.0 && h[k].abs() < c[k].abs())); // what is shown of the memory
    /// # Ok::<(), recurve::Error>(())
    /// ```
    pub struct Lstm [const I: usize, const H: usize] [I, H] {
        /// W_x (d×4h): row i is what input i adds to the gates i, f, g and o.
        pub w_x: [[[f32; H]; 4]; I],
        /// W_h (h×4h): row k is what hidden unit k adds to those of the next step.
        pub w_h: [[[f32; H]; 4]; H],
        /// b (4h); that of the forget gate is 1 at first.
        pub b: [[f32; H]; 4],
    }
}

plain_data! {
    /// The state of `B` sequences of an [`Lstm`].
    pub struct LstmState [const H: usize, const B: usize] [H, B] {
        /// H (n×h), what the output layer reads.
        pub h: [[f32; H]; B],
        /// C (n×h), the memory.
        pub c: [[f32; H]; B],
    }
}

plain_data! {
    /// What a step of an [`Lstm`] works in.
    pub struct LstmScratch [const H: usize, const B: usize] [H, B] {
        /// The state to come.
        pub next: LstmState<H, B>,
        /// I, F, G and O (n×4h)
        pub gates: [[[f32; H]; 4]; B],
    }
}

plain_data! {
    /// What a window of an [`Lstm`] keeps: states and gates of every step.
    pub struct LstmTape [const H: usize, const B: usize, const T: usize] [H, B, T] {
        /// H_0 (n×h)
        pub initial_h: [[f32; H]; B],
        /// H_1 … H_T (T×n×h)
        pub h: [[[f32; H]; B]; T],
        /// C_0 (n×h)
        pub initial_c: [[f32; H]; B],
        /// C_1 … C_T (T×n×h)
        pub c: [[[f32; H]; B]; T],
        /// I, F, G and O of each step (T×n×4h), which the backward pass replaces with their gradients before σ and tanh
        pub gates: [[[[f32; H]; 4]; B]; T],
    }
}

plain_data! {
    /// What the backward pass of an [`Lstm`] works in.
    pub struct LstmBackward [const H: usize, const B: usize] [H, B] {
        /// The gradient of the memory, on its way back through the steps (n×h).
        pub d_c: [[f32; H]; B],
    }
}

impl<const I: usize, const H: usize> TypedCell<H> for Lstm<I, H> {
    type Shape = LstmShape;
    type Vector = [f32; I];
    type State<const B: usize> = LstmState<H, B>;
    type StepScratch<const B: usize> = LstmScratch<H, B>;
    type Tape<const B: usize, const T: usize> = LstmTape<H, B, T>;
    type BackwardScratch<const B: usize, const T: usize> = LstmBackward<H, B>;
    const SHAPE: LstmShape = LstmShape { inputs: I, hidden: H };
}

/// The arithmetic of [`Lstm`], for sizes known at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LstmShape {
    /// d
    pub inputs: usize,
    /// h
    pub hidden: usize,
}

/// Gates.
const K: usize = 4;
/// The forget gate.
const F: usize = 1;

/// A tape's parts.
struct Tape<'a> {
    h: &'a [f32],
    c: &'a [f32],
    /// I, F, G and O, or their gradients.
    gates: &'a [f32],
}

impl LstmShape {
    #[inline(always)]
    const fn gates(self) -> GatesShape {
        GatesShape { inputs: self.inputs, hidden: self.hidden, count: K }
    }

    #[inline(always)]
    fn view(self, mut params: &[f32]) -> Gates<'_> {
        self.gates().take(&mut params)
    }

    /// Floats of H_0 … H_T, and of C_0 … C_T.
    #[inline(always)]
    const fn states_len(self, extent: Extent) -> usize {
        extent.rows().saturating_add(extent.batch).saturating_mul(self.hidden)
    }

    #[inline(always)]
    fn tape(self, mut tape: &[f32], extent: Extent) -> Tape<'_> {
        let h = take(&mut tape, self.states_len(extent));
        Tape { h, c: take(&mut tape, self.states_len(extent)), gates: tape }
    }

    /// One step: `gates` hold the inputs' part, and then what they are; (H, C) become (H′, C′).
    ///
    /// One pass over the gates, if there are registers enough for what they are made of, else three.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn advance<L: Lanes>(
        self,
        lanes: L,
        w_h: Factor<'_>,
        (h_prev, c_prev): (&[f32], &[f32]),
        a: &mut [f32],
        (h, c): (&mut [f32], &mut [f32]),
    ) {
        let n = self.hidden;
        w_h.product(lanes, Mat::new(h_prev, n), a);
        let open = identity(inlined!(|i: L::F, f: L::F| [gate(lanes, i), gate(lanes, f)]));
        let keep = identity(inlined!(|i: L::F, f: L::F, g: L::F, c: L::F| {
            let g = tanh(lanes, g);
            [g, lanes.mul_add(f, c, lanes.mul(i, g))]
        }));
        let show = identity(inlined!(|o: L::F, c: L::F| {
            let o = gate(lanes, o);
            [o, lanes.mul(o, tanh(lanes, c))]
        }));
        for b in 0..c_prev.len().checked_div(n).unwrap_or_default() {
            let [i, f, g, o] = columns_mut(part_mut(a, b, K * n), n);
            let (c_prev, c, h) = (part(c_prev, b, n), part_mut(c, b, n), part_mut(h, b, n));
            if L::REGISTERS < 16 {
                map_all(lanes, [&mut *i, &mut *f], [], inlined!(|[i, f], []| open(i, f)));
                map_all(lanes, [g, &mut *c], [i, f, c_prev], inlined!(|[g, _], [i, f, c]| keep(i, f, g, c)));
                map_all(lanes, [o, h], [c], inlined!(|[o, _], [c]| show(o, c)));
            } else {
                map_all(
                    lanes,
                    [i, f, g, o, c, h],
                    [c_prev],
                    inlined!(|[i, f, g, o, _, _], [c]| {
                        let [i, f] = open(i, f);
                        let [g, c] = keep(i, f, g, c);
                        let [o, h] = show(o, c);
                        [i, f, g, o, c, h]
                    }),
                );
            }
        }
    }

    /// One step back, but for the product: `d_c` becomes that of C_{t−1}, and gates become their gradients before σ and tanh.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn retreat<L: Lanes>(
        self,
        lanes: L,
        gates: &mut [f32],
        (c_prev, c): (&[f32], &[f32]),
        d_h: &[f32],
        d_c: &mut [f32],
    ) {
        let n = self.hidden;
        for b in 0..c.len().checked_div(n).unwrap_or_default() {
            let [i, f, g, o] = columns_mut(part_mut(gates, b, K * n), n);
            let made = [part_mut(d_c, b, n), i, f, g, o];
            let given = [part(c_prev, b, n), part(c, b, n), part(d_h, b, n)];
            map_all(
                lanes,
                made,
                given,
                inlined!(|[d_c, i, f, g, o], [c_prev, c, d_h]| {
                    let shown = tanh(lanes, c);
                    let d_c = lanes.add(d_c, through_tanh(lanes, lanes.mul(d_h, o), shown));
                    [
                        lanes.mul(d_c, f),
                        through_sigmoid(lanes, lanes.mul(d_c, g), i),
                        through_sigmoid(lanes, lanes.mul(d_c, c_prev), f),
                        through_tanh(lanes, lanes.mul(d_c, i), g),
                        through_sigmoid(lanes, lanes.mul(d_h, shown), o),
                    ]
                }),
            );
        }
    }
}

impl crate::params::sealed::Sealed for LstmShape {}

impl Cell for LstmShape {
    #[inline(always)]
    fn inputs(self) -> usize {
        self.inputs
    }
    #[inline(always)]
    fn hidden(self) -> usize {
        self.hidden
    }
    #[inline(always)]
    fn params_len(self) -> usize {
        self.gates().params_len()
    }
    #[inline(always)]
    fn state_len(self) -> usize {
        self.hidden.saturating_mul(2)
    }
    #[inline(always)]
    fn step_scratch_len(self, batch: usize) -> usize {
        batch.saturating_mul(self.gates().cols())
    }
    #[inline(always)]
    fn tape_len(self, extent: Extent) -> usize {
        let gates = extent.rows().saturating_mul(self.gates().cols());
        self.states_len(extent).saturating_mul(2).saturating_add(gates)
    }
    #[inline(always)]
    fn backward_scratch_len(self, extent: Extent) -> usize {
        extent.batch.saturating_mul(self.hidden)
    }
    #[inline(always)]
    fn pack_len(self) -> usize {
        Factor::pack_len(self.hidden, self.gates().cols())
    }
    #[inline(always)]
    fn input_pack_len(self) -> usize {
        self.gates().input_pack_len()
    }

    /// W_x uniform, W_h of each gate orthogonal, both at the scale of `init`; b zero but for the forget gate's, which is
    /// 1, so that the memory lasts until it has been learnt what to forget.
    fn init<R: Rng + ?Sized>(self, mut params: &mut [f32], init: Init, rng: &mut R) {
        let b = self.gates().init(&mut params, init, rng);
        part_mut(b, F, self.hidden).fill(1.0);
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
        let view = self.view(params);
        let half = state.len() / 2;
        let gates = scratch.get_mut(..half * K).unwrap_or_default();
        view.input.forward(lanes, inputs, gates);
        let prev = state.split_at_checked(half).unwrap_or_default();
        let next = next.split_at_mut_checked(half).unwrap_or_default();
        self.advance(lanes, Factor::Rows(view.w_h), prev, gates, next);
    }

    #[inline(always)]
    fn output(self, state: &[f32], batch: usize) -> &[f32] {
        part(state, 0, batch * self.hidden)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn pack<L: Lanes>(self, crew: &impl Crew, lanes: L, params: &[f32], rows: usize, mut room: &mut [f32]) {
        let view = self.view(params);
        Factor::pack(crew, lanes, view.w_h, rows, take_mut(&mut room, self.pack_len()));
        view.input.pack(crew, lanes, room);
    }

    #[inline(always)]
    fn begin(self, state: &[f32], block: Block, tape: &mut [f32]) {
        let (h, c) = state.split_at_checked(state.len() / 2).unwrap_or_default();
        copy(block.part(h, self.hidden), tape);
        let tape_c = tape.get_mut(self.states_len(block.extent)..).unwrap_or_default();
        copy(block.part(c, self.hidden), tape_c);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn forward<L: Lanes>(
        self,
        lanes: L,
        weights: Weights<'_>,
        inputs: Inputs<'_>,
        block: Block,
        mut tape: &mut [f32],
    ) {
        let (view, extent) = (self.view(weights.params), block.extent);
        let (pack, copies) = weights.copies(self.pack_len());
        let (w_h, input) = (Factor::new(view.w_h, weights.rows, pack), view.input.with_copies(copies));
        let row = extent.batch * self.hidden;
        let mut h = take_mut(&mut tape, self.states_len(extent));
        let mut c = take_mut(&mut tape, self.states_len(extent));
        input.forward_early(lanes, inputs, block, tape);
        let (mut h_prev, mut c_prev) = (take_mut(&mut h, row), take_mut(&mut c, row));
        for t in 0..extent.window {
            let (gates, h, c) = (take_mut(&mut tape, K * row), take_mut(&mut h, row), take_mut(&mut c, row));
            input.forward_late(lanes, inputs, block, t, gates);
            self.advance(lanes, w_h, (h_prev, c_prev), gates, (h, c));
            (h_prev, c_prev) = (h, c);
        }
    }

    #[inline(always)]
    fn outputs(self, tape: &[f32], extent: Extent) -> &[f32] {
        self.tape(tape, extent).h.get(extent.batch * self.hidden..).unwrap_or_default()
    }

    #[inline(always)]
    fn end(self, tape: &[f32], block: Block, state: &mut [f32]) {
        let (extent, row) = (block.extent, block.extent.batch * self.hidden);
        let Tape { h, c, .. } = self.tape(tape, extent);
        let halves = state.split_at_mut_checked(state.len() / 2).unwrap_or_default();
        for (last, half) in [(h, halves.0), (c, halves.1)] {
            let to = half.get_mut(block.first * self.hidden..).unwrap_or_default();
            copy(part(last, extent.window, row), to);
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn backward<L: Lanes>(self, lanes: L, weights: Weights<'_>, pass: Backward<'_>) {
        let Backward { block: Block { extent, .. }, tape, d_outputs, d_inputs, scratch } = pass;
        let view = self.view(weights.params);
        let (pack, copies) = weights.copies(self.pack_len());
        let w_h_t = Factor::transposed(view.w_h, weights.rows, pack);
        let (states, gates) = tape.split_at_mut_checked(2 * self.states_len(extent)).unwrap_or_default();
        let c = self.tape(states, extent).c;
        let row = extent.batch * self.hidden;
        let d_c = scratch.get_mut(..row).unwrap_or_default();
        d_c.fill(0.0);
        for t in (0..extent.window).rev() {
            let (d_h_prev, d_h) = step_and_previous(d_outputs, t, row);
            let gates = part_mut(gates, t, K * row);
            let c = (part(c, t, row), part(c, t + 1, row));
            self.retreat(lanes, gates, c, d_h, d_c);
            if t > 0 {
                w_h_t.product(lanes, Mat::new(gates, self.gates().cols()), d_h_prev);
            }
        }
        if let Some(d_inputs) = d_inputs {
            let input = view.input.with_copies(copies);
            input.backward(lanes, Mat::new(gates, self.gates().cols()), d_inputs);
        }
    }

    #[inline(always)]
    fn tensors(self) -> usize {
        gates::TENSORS
    }

    #[inline(always)]
    fn tensor(self, index: usize) -> Option<(usize, usize)> {
        self.gates().tensor(index)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn accumulate<L: Lanes>(self, lanes: L, tensor: usize, from: Backpropagated<'_>, to: Gradient<'_>) {
        let Backpropagated { inputs, block, tape, .. } = from;
        let h = part(tape, 0, block.extent.rows() * self.hidden);
        let d_a = self.tape(tape, block.extent).gates;
        self.gates().accumulate(lanes, tensor, GateGradients { inputs, block, h, d_a }, to);
    }
}

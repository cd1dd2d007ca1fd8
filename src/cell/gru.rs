//! The gated recurrent unit (K. Cho et al., Learning Phrase Representations using RNN Encoder–Decoder, 2014):
//!
//! ```text
//! R_t = σ(X_t W_xr + H_{t−1} W_hr + b_r)                      the reset gate
//! Z_t = σ(X_t W_xz + H_{t−1} W_hz + b_z)                      the update gate
//! N_t = tanh(X_t W_xn + b_xn + R_t ∘ (H_{t−1} W_hn + b_hn))   the candidate, reset after the product
//! N_t = tanh(X_t W_xn + b_xn + (R_t ∘ H_{t−1}) W_hn)          or before it, as in the paper
//! H_t = (1 − Z_t) ∘ N_t + Z_t ∘ H_{t−1}
//! ```
//!
//! R and Z stand side by side: one product with W_xg (d×2h), one with W_hg (h×2h). The candidate's are apart, because one
//! of the two forms must know R first. What it multiplies with or by is U: H W_hn + b_hn in the first form, R ∘ H in the
//! second.
//!
//! The first form is `PyTorch`'s, whose second biases of R and Z are added to the first and say nothing more. The
//! paper's H_t has Z and 1 − Z the other way round, which is the same with the signs of Z's weights changed.

use rand_core::Rng;

use super::gates::{self, GateGradients, Gates, GatesShape, through_sigmoid, through_tanh};
use super::parts::{columns, columns_mut, part, part_mut, step_and_previous};
use super::reset::{Reset, ResetAfter, ResetKind};
use super::{Backpropagated, Backward, Block, Cell, Extent, Gradient, Inputs, TypedCell, Weights};
use crate::init::Init;
use crate::kernels::{Factor, Mat, column_sums, copy, map, map_all};
use crate::lanes::{Lanes, inlined};
use crate::math::{gate, tanh};
use crate::params::{plain_data, take, take_mut};

plain_data! {
    /// Weights of a gated recurrent unit with `I` inputs and `H` hidden units: `3·(I + H + 1)·H` parameters, and `H`
    /// more if the reset gate is applied after the recurrent product, as `F` says it is by default.
    ///
    /// ```
    /// use recurve::{Gru, Model, params::Flat};
    ///
    /// let mut model = Model::<Gru<3, 4>, 4, 2>::ZERO;
    /// model.cell.w_xn[2] = [0.5, -0.5, 1.0, 0.0];
    /// model.cell.b_g[1] = [0.0, 0.0, 0.0, 20.0]; // the last unit keeps what it has
    ///
    /// let (mut state, mut logits, mut scratch) = ([[0.0, 0.0, 0.0, 0.75]], [0.0; 2], Flat::ZERO);
    /// model.step(2_u16, &mut state, &mut logits, &mut scratch)?;
    /// assert!((state[0][2] - 0.5 * 1_f32.tanh()).abs() < 1e-6); // half of the candidate: σ(0) = ½
    /// assert!((state[0][3] - 0.75).abs() < 1e-6);
    /// # Ok::<(), recurve::Error>(())
    /// ```
    pub struct Gru
        [const I: usize, const H: usize, F: Reset]
        default [const I: usize, const H: usize, F: Reset = ResetAfter]
        [I, H, F]
    {
        /// W_xg (d×2h): row i is what input i adds to the gates r and z.
        pub w_xg: [[[f32; H]; 2]; I],
        /// W_hg (h×2h): row k is what hidden unit k adds to the gates of the next step.
        pub w_hg: [[[f32; H]; 2]; H],
        /// b_g (2h): b_r and b_z.
        pub b_g: [[f32; H]; 2],
        /// W_xn (d×h): row i is what input i adds to the candidate.
        pub w_xn: [[f32; H]; I],
        /// W_hn (h×h): row k is what hidden unit k adds to the candidate of the next step, as far as r lets it.
        pub w_hn: [[f32; H]; H],
        /// b_xn (h)
        pub b_xn: [f32; H],
        /// b_hn (h), if the reset gate is applied after the product; else none.
        pub b_hn: F::Bias<H>,
    }
}

plain_data! {
    /// What a step of a [`Gru`] works in.
    pub struct GruScratch [const H: usize, const B: usize] [H, B] {
        /// The state to come (n×h).
        pub next: [[f32; H]; B],
        /// R and Z (n×2h)
        pub gates: [[[f32; H]; 2]; B],
        /// N (n×h)
        pub candidate: [[f32; H]; B],
        /// U (n×h)
        pub u: [[f32; H]; B],
    }
}

plain_data! {
    /// What a window of a [`Gru`] keeps: hidden units, gates and candidates of every step.
    pub struct GruTape [const H: usize, const B: usize, const T: usize] [H, B, T] {
        /// H_0 (n×h)
        pub initial: [[f32; H]; B],
        /// H_1 … H_T (T×n×h)
        pub h: [[[f32; H]; B]; T],
        /// R and Z of each step (T×n×2h)
        pub gates: [[[[f32; H]; 2]; B]; T],
        /// N of each step (T×n×h)
        pub candidates: [[[f32; H]; B]; T],
        /// U of each step (T×n×h)
        pub u: [[[f32; H]; B]; T],
    }
}

plain_data! {
    /// What the backward pass of a [`Gru`] works in.
    pub struct GruBackward [const H: usize, const B: usize, const T: usize] [H, B, T] {
        /// The gradients of the gates before σ (T×n×2h).
        pub d_gates: [[[[f32; H]; 2]; B]; T],
        /// The gradients of the candidates before tanh (T×n×h).
        pub d_candidates: [[[f32; H]; B]; T],
    }
}

impl<const I: usize, const H: usize, F: Reset> TypedCell<H> for Gru<I, H, F> {
    type Shape = GruShape;
    type Vector = [f32; I];
    type State<const B: usize> = [[f32; H]; B];
    type StepScratch<const B: usize> = GruScratch<H, B>;
    type Tape<const B: usize, const T: usize> = GruTape<H, B, T>;
    type BackwardScratch<const B: usize, const T: usize> = GruBackward<H, B, T>;
    const SHAPE: GruShape = GruShape { inputs: I, hidden: H, reset: F::KIND };
}

/// The arithmetic of [`Gru`], for sizes known at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GruShape {
    /// d
    pub inputs: usize,
    /// h
    pub hidden: usize,
    /// Where the reset gate is applied.
    pub reset: ResetKind,
}

/// Gates R and Z.
const K: usize = 2;

/// Weights, borrowed.
struct View<'a> {
    gates: Gates<'a>,
    candidate: Gates<'a>,
    b_hn: &'a [f32],
}

/// Recurrent weights, ready to be multiplied with: W_hg and W_hn, or their transposes.
#[derive(Clone, Copy)]
struct Factors<'a> {
    gates: Factor<'a>,
    candidate: Factor<'a>,
}

/// R and Z, N, and U of a step or of a window.
struct Parts<'a> {
    gates: &'a [f32],
    n: &'a [f32],
    u: &'a [f32],
}

/// The same, to be changed.
struct PartsMut<'a> {
    gates: &'a mut [f32],
    n: &'a mut [f32],
    u: &'a mut [f32],
}

/// The gradients of a step: of R and Z before σ, of N before tanh, of H_t, and of H_{t−1} unless the step is the first.
struct Gradients<'a> {
    gates: &'a mut [f32],
    n: &'a mut [f32],
    h: &'a mut [f32],
    h_prev: &'a mut [f32],
}

impl<'a> PartsMut<'a> {
    /// Takes the parts of `rows` rows off a buffer.
    #[inline(always)]
    fn take(from: &mut &'a mut [f32], rows: usize, hidden: usize) -> Self {
        let len = rows * hidden;
        Self { gates: take_mut(from, K * len), n: take_mut(from, len), u: take_mut(from, len) }
    }
}

impl GruShape {
    #[inline(always)]
    const fn gates(self) -> GatesShape {
        GatesShape { inputs: self.inputs, hidden: self.hidden, count: K }
    }

    #[inline(always)]
    const fn candidate(self) -> GatesShape {
        GatesShape { count: 1, ..self.gates() }
    }

    /// Floats of b_hn.
    #[inline(always)]
    const fn bias_len(self) -> usize {
        match self.reset {
            ResetKind::After => self.hidden,
            ResetKind::Before => 0,
        }
    }

    #[inline(always)]
    fn view(self, mut params: &[f32]) -> View<'_> {
        let gates = self.gates().take(&mut params);
        View { gates, candidate: self.candidate().take(&mut params), b_hn: params }
    }

    /// Floats of H_0 … H_T.
    #[inline(always)]
    const fn states_len(self, extent: Extent) -> usize {
        extent.rows().saturating_add(extent.batch).saturating_mul(self.hidden)
    }

    /// H_0 … H_T, and what else a tape holds.
    #[inline(always)]
    fn tape(self, mut tape: &[f32], extent: Extent) -> (&[f32], Parts<'_>) {
        let (h, len) = (take(&mut tape, self.states_len(extent)), extent.rows() * self.hidden);
        (h, Parts { gates: take(&mut tape, K * len), n: take(&mut tape, len), u: tape })
    }

    /// The parts of step t, which has `row` hidden units.
    #[inline(always)]
    fn step_parts<'a>(of: &Parts<'a>, t: usize, row: usize) -> Parts<'a> {
        Parts { gates: part(of.gates, t, K * row), n: part(of.n, t, row), u: part(of.u, t, row) }
    }

    /// One step: gates and candidate hold the inputs' part, and then what they are; H becomes H′.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn advance<L: Lanes>(
        self,
        lanes: L,
        w: Factors<'_>,
        b_hn: &[f32],
        h_prev: &[f32],
        made: PartsMut<'_>,
        h: &mut [f32],
    ) {
        let (len, PartsMut { gates: a, n, u }) = (self.hidden, made);
        let rows = h_prev.len().checked_div(len).unwrap_or_default();
        w.gates.product(lanes, Mat::new(h_prev, len), a);
        map(lanes, a, inlined!(|a| gate(lanes, a)));
        match self.reset {
            ResetKind::After => {
                w.candidate.affine(lanes, Mat::new(h_prev, len), b_hn, u);
                for b in 0..rows {
                    let [r, _] = columns(part(a, b, K * len), len);
                    map_all(
                        lanes,
                        [part_mut(n, b, len)],
                        [r, part(u, b, len)],
                        inlined!(|[n], [r, u]| [lanes.mul_add(r, u, n)]),
                    );
                }
            }
            ResetKind::Before => {
                for b in 0..rows {
                    let [r, _] = columns(part(a, b, K * len), len);
                    map_all(
                        lanes,
                        [part_mut(u, b, len)],
                        [r, part(h_prev, b, len)],
                        inlined!(|_, [r, h]| [lanes.mul(r, h)]),
                    );
                }
                w.candidate.product(lanes, Mat::new(u, len), n);
            }
        }
        for b in 0..rows {
            let [_, z] = columns(part(a, b, K * len), len);
            map_all(
                lanes,
                [part_mut(n, b, len), part_mut(h, b, len)],
                [z, part(h_prev, b, len)],
                inlined!(|[n, _], [z, h]| {
                    let n = tanh(lanes, n);
                    [n, lanes.mul_add(z, lanes.sub(h, n), n)]
                }),
            );
        }
    }

    /// One step back. The gradient of H_t becomes that of U.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn retreat<L: Lanes>(
        self,
        lanes: L,
        w_t: Factors<'_>,
        h_prev: &[f32],
        of: &Parts<'_>,
        d: &mut Gradients<'_>,
    ) {
        let len = self.hidden;
        let rows = h_prev.len().checked_div(len).unwrap_or_default();
        for b in 0..rows {
            let [_, z] = columns(part(of.gates, b, K * len), len);
            let [_, d_z] = columns_mut(part_mut(d.gates, b, K * len), len);
            let made = [part_mut(d.n, b, len), d_z, part_mut(d.h_prev, b, len)];
            let given = [z, part(of.n, b, len), part(h_prev, b, len), part(d.h, b, len)];
            map_all(
                lanes,
                made,
                given,
                inlined!(|[_, _, d_h_prev], [z, n, h_prev, d_h]| {
                    let kept = lanes.mul(d_h, z);
                    let d_z = through_sigmoid(lanes, lanes.mul(d_h, lanes.sub(h_prev, n)), z);
                    [through_tanh(lanes, lanes.sub(d_h, kept), n), d_z, lanes.add(d_h_prev, kept)]
                }),
            );
        }
        match self.reset {
            ResetKind::After => self.reset_after_back(lanes, w_t.candidate, of, d),
            ResetKind::Before => self.reset_before_back(lanes, w_t.candidate, h_prev, of, d),
        }
        if !d.h_prev.is_empty() {
            w_t.gates.product(lanes, Mat::new(d.gates, K * len), d.h_prev);
        }
    }

    /// dR = dN ∘ U, dU = dN ∘ R, and dU W_hnᵀ is added to dH_{t−1}.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn reset_after_back<L: Lanes>(self, lanes: L, w_hn_t: Factor<'_>, of: &Parts<'_>, d: &mut Gradients<'_>) {
        let len = self.hidden;
        for b in 0..d.h.len().checked_div(len).unwrap_or_default() {
            let [r, _] = columns(part(of.gates, b, K * len), len);
            let [d_r, _] = columns_mut(part_mut(d.gates, b, K * len), len);
            let given = [r, part(of.u, b, len), part(d.n, b, len)];
            map_all(
                lanes,
                [part_mut(d.h, b, len), d_r],
                given,
                inlined!(|_, [r, u, d_n]| {
                    [lanes.mul(d_n, r), through_sigmoid(lanes, lanes.mul(d_n, u), r)]
                }),
            );
        }
        if !d.h_prev.is_empty() {
            w_hn_t.product(lanes, Mat::new(d.h, len), d.h_prev);
        }
    }

    /// dU = dN W_hnᵀ, dR = dU ∘ H_{t−1}, and dU ∘ R is added to dH_{t−1}.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn reset_before_back<L: Lanes>(
        self,
        lanes: L,
        w_hn_t: Factor<'_>,
        h_prev: &[f32],
        of: &Parts<'_>,
        d: &mut Gradients<'_>,
    ) {
        let len = self.hidden;
        d.h.fill(0.0);
        w_hn_t.product(lanes, Mat::new(d.n, len), d.h);
        for b in 0..d.h.len().checked_div(len).unwrap_or_default() {
            let [r, _] = columns(part(of.gates, b, K * len), len);
            let [d_r, _] = columns_mut(part_mut(d.gates, b, K * len), len);
            let given = [r, part(h_prev, b, len), part(d.h, b, len)];
            map_all(
                lanes,
                [d_r, part_mut(d.h_prev, b, len)],
                given,
                inlined!(|[_, d_h_prev], [r, h_prev, d_u]| {
                    [through_sigmoid(lanes, lanes.mul(d_u, h_prev), r), lanes.mul_add(d_u, r, d_h_prev)]
                }),
            );
        }
    }
}

impl crate::params::sealed::Sealed for GruShape {}

impl Cell for GruShape {
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
        let candidate = self.candidate().params_len().saturating_add(self.bias_len());
        self.gates().params_len().saturating_add(candidate)
    }
    #[inline(always)]
    fn state_len(self) -> usize {
        self.hidden
    }
    #[inline(always)]
    fn step_scratch_len(self, batch: usize) -> usize {
        batch.saturating_mul(self.hidden).saturating_mul(K + 2)
    }
    #[inline(always)]
    fn tape_len(self, extent: Extent) -> usize {
        let parts = extent.rows().saturating_mul(self.hidden).saturating_mul(K + 2);
        self.states_len(extent).saturating_add(parts)
    }
    #[inline(always)]
    fn backward_scratch_len(self, extent: Extent) -> usize {
        extent.rows().saturating_mul(self.hidden).saturating_mul(K + 1)
    }
    #[inline(always)]
    fn pack_len(self) -> usize {
        Factor::pack_len(self.hidden, self.hidden.saturating_mul(K))
            .saturating_add(Factor::pack_len(self.hidden, self.hidden))
    }

    /// W_xg and W_xn uniform, each gate's part of W_hg and W_hn orthogonal, all at the scale of `init`; biases zero.
    fn init<R: Rng + ?Sized>(self, mut params: &mut [f32], init: Init, rng: &mut R) {
        self.gates().init(&mut params, init, rng);
        self.candidate().init(&mut params, init, rng);
        params.fill(0.0);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn step<L: Lanes>(
        self,
        lanes: L,
        params: &[f32],
        inputs: Inputs<'_>,
        state: &[f32],
        next: &mut [f32],
        mut scratch: &mut [f32],
    ) {
        let View { gates, candidate, b_hn } = self.view(params);
        let rows = state.len().checked_div(self.hidden).unwrap_or_default();
        let made = PartsMut::take(&mut scratch, rows, self.hidden);
        gates.input.forward(lanes, inputs, made.gates);
        candidate.input.forward(lanes, inputs, made.n);
        let w = Factors { gates: Factor::Rows(gates.w_h), candidate: Factor::Rows(candidate.w_h) };
        self.advance(lanes, w, b_hn, state, made, next);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn pack<L: Lanes>(self, lanes: L, params: &[f32], rows: usize, mut room: &mut [f32]) {
        let View { gates, candidate, .. } = self.view(params);
        let of_gates = take_mut(&mut room, Factor::pack_len(self.hidden, K * self.hidden));
        Factor::pack(lanes, gates.w_h, rows, of_gates);
        Factor::pack(lanes, candidate.w_h, rows, room);
    }

    #[inline(always)]
    fn begin(self, state: &[f32], block: Block, tape: &mut [f32]) {
        copy(block.part(state, self.hidden), tape);
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
        let View { gates, candidate, b_hn } = self.view(weights.params);
        let (row, mut pack) = (block.extent.batch * self.hidden, weights.pack);
        let of_gates = take(&mut pack, Factor::pack_len(self.hidden, K * self.hidden));
        let w = Factors {
            gates: Factor::new(gates.w_h, weights.rows, of_gates),
            candidate: Factor::new(candidate.w_h, weights.rows, pack),
        };
        let mut h = take_mut(&mut tape, self.states_len(block.extent));
        let mut parts = PartsMut::take(&mut tape, block.extent.rows(), self.hidden);
        gates.input.forward_early(lanes, inputs, block, parts.gates);
        candidate.input.forward_early(lanes, inputs, block, parts.n);
        let mut h_prev = take_mut(&mut h, row);
        for t in 0..block.extent.window {
            let made = PartsMut {
                gates: take_mut(&mut parts.gates, K * row),
                n: take_mut(&mut parts.n, row),
                u: take_mut(&mut parts.u, row),
            };
            gates.input.forward_late(lanes, inputs, block, t, made.gates);
            candidate.input.forward_late(lanes, inputs, block, t, made.n);
            let h = take_mut(&mut h, row);
            self.advance(lanes, w, b_hn, h_prev, made, h);
            h_prev = h;
        }
    }

    #[inline(always)]
    fn outputs(self, tape: &[f32], extent: Extent) -> &[f32] {
        self.tape(tape, extent).0.get(extent.batch * self.hidden..).unwrap_or_default()
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn backward<L: Lanes>(self, lanes: L, weights: Weights<'_>, pass: Backward<'_>) {
        let Backward { block: Block { extent, .. }, tape, d_outputs, d_inputs, mut scratch } = pass;
        let View { gates, candidate, .. } = self.view(weights.params);
        let mut pack = weights.pack;
        let of_gates = take(&mut pack, Factor::pack_len(self.hidden, K * self.hidden));
        let w_t = Factors {
            gates: Factor::transposed(gates.w_h, weights.rows, of_gates),
            candidate: Factor::transposed(candidate.w_h, weights.rows, pack),
        };
        let (h, parts) = self.tape(tape, extent);
        let row = extent.batch * self.hidden;
        let d_gates = take_mut(&mut scratch, extent.window * K * row);
        let d_n = take_mut(&mut scratch, extent.window * row);
        for t in (0..extent.window).rev() {
            let (d_h_prev, d_h) = step_and_previous(d_outputs, t, row);
            let mut d = Gradients {
                gates: part_mut(d_gates, t, K * row),
                n: part_mut(d_n, t, row),
                h: d_h,
                h_prev: d_h_prev,
            };
            self.retreat(lanes, w_t, part(h, t, row), &Self::step_parts(&parts, t, row), &mut d);
        }
        if let Some(d_inputs) = d_inputs {
            gates.input.backward(lanes, Mat::new(d_gates, K * self.hidden), d_inputs);
            candidate.input.backward(lanes, Mat::new(d_n, self.hidden), d_inputs);
        }
    }

    #[inline(always)]
    fn tensors(self) -> usize {
        2 * gates::TENSORS + usize::from(self.bias_len() > 0)
    }

    #[inline(always)]
    fn tensor(self, index: usize) -> Option<(usize, usize)> {
        match index.checked_sub(gates::TENSORS) {
            None => self.gates().tensor(index),
            Some(gates::TENSORS) if self.bias_len() > 0 => Some((1, self.hidden)),
            Some(index) => self.candidate().tensor(index),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn accumulate<L: Lanes>(self, lanes: L, tensor: usize, from: Backpropagated<'_>, to: Gradient<'_>) {
        let Backpropagated { inputs, block, tape, d_outputs: d_u, mut scratch } = from;
        let len = block.extent.rows() * self.hidden;
        let (h, d_a) = (part(tape, 0, len), take(&mut scratch, K * len));
        let d_n = take(&mut scratch, len);
        let Some(of_candidate) = tensor.checked_sub(gates::TENSORS) else {
            return self.gates().accumulate(lanes, tensor, GateGradients { inputs, block, h, d_a }, to);
        };
        let (h, d_a) = match self.reset {
            ResetKind::After if of_candidate == gates::W_H => (h, d_u),
            ResetKind::After if of_candidate == gates::TENSORS => {
                return column_sums(lanes, Mat::new(d_u, self.hidden), to.grads);
            }
            ResetKind::After => (h, d_n),
            ResetKind::Before => (self.tape(tape, block.extent).1.u, d_n),
        };
        self.candidate().accumulate(lanes, of_candidate, GateGradients { inputs, block, h, d_a }, to);
    }
}

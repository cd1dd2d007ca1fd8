//! A gated recurrent unit as a [`Cell`]: its sizes, and how steps make a window.

use rand_core::Rng;

use super::step::{Factors, Parts, PartsMut};
use super::{GruShape, K};
use crate::cell::gates::{self, GateGradients, Gates, GatesShape};
use crate::cell::parts::{part, part_mut, step_and_previous};
use crate::cell::{Backpropagated, Backward, Block, Cell, Extent, Gradient, Inputs, ResetKind, Weights};
use crate::crew::Crew;
use crate::init::Init;
use crate::kernels::{Factor, Mat, copy};
use crate::lanes::Lanes;
use crate::params::{take, take_mut};

/// Weights, borrowed.
struct View<'a> {
    gates: Gates<'a>,
    candidate: Gates<'a>,
    b_hn: &'a [f32],
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

    /// The view of a window's weights, with copies of those of inputs.
    #[inline(always)]
    fn view_of(self, weights: Weights<'_>) -> View<'_> {
        let View { mut gates, mut candidate, b_hn } = self.view(weights.params);
        let (_, mut copies) = weights.copies(self.pack_len());
        gates.input = gates.input.with_copies(take(&mut copies, self.gates().input_pack_len()));
        candidate.input = candidate.input.with_copies(copies);
        View { gates, candidate, b_hn }
    }

    /// W_hg and W_hn with the copies of each, as factors of the kind that `make` makes.
    #[inline(always)]
    fn factors<'a>(
        self,
        [w_hg, w_hn]: [Mat<'a>; 2],
        weights: Weights<'a>,
        make: impl Fn(Mat<'a>, usize, &'a [f32]) -> Factor<'a>,
    ) -> Factors<'a> {
        let (mut of_candidate, rows) = (weights.copies(self.pack_len()).0, weights.rows);
        let of_gates = take(&mut of_candidate, Factor::pack_len(self.hidden, K * self.hidden));
        Factors { gates: make(w_hg, rows, of_gates), candidate: make(w_hn, rows, of_candidate) }
    }

    /// Floats of H_0 … H_T.
    #[inline(always)]
    const fn states_len(self, extent: Extent) -> usize {
        extent.rows().saturating_add(extent.batch).saturating_mul(self.hidden)
    }

    /// H_0 … H_T, and what else a tape holds; after the backward pass gradients of R, Z and N.
    #[inline(always)]
    fn tape(self, mut tape: &[f32], extent: Extent) -> (&[f32], Parts<'_>) {
        let (h, len) = (take(&mut tape, self.states_len(extent)), extent.rows() * self.hidden);
        (h, Parts { gates: take(&mut tape, K * len), n: take(&mut tape, len), u: tape })
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
    fn pack_len(self) -> usize {
        Factor::pack_len(self.hidden, self.hidden.saturating_mul(K))
            .saturating_add(Factor::pack_len(self.hidden, self.hidden))
    }
    #[inline(always)]
    fn input_pack_len(self) -> usize {
        self.gates().input_pack_len().saturating_add(self.candidate().input_pack_len())
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
    fn pack<L: Lanes>(self, crew: &impl Crew, lanes: L, params: &[f32], rows: usize, mut room: &mut [f32]) {
        let View { gates, candidate, .. } = self.view(params);
        let of_gates = take_mut(&mut room, Factor::pack_len(self.hidden, K * self.hidden));
        Factor::pack(crew, lanes, gates.w_h, rows, of_gates);
        let of_candidate = take_mut(&mut room, Factor::pack_len(self.hidden, self.hidden));
        Factor::pack(crew, lanes, candidate.w_h, rows, of_candidate);
        gates.input.pack(crew, lanes, take_mut(&mut room, self.gates().input_pack_len()));
        candidate.input.pack(crew, lanes, room);
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
        let View { gates, candidate, b_hn } = self.view_of(weights);
        let w = self.factors([gates.w_h, candidate.w_h], weights, Factor::new);
        let row = block.extent.batch * self.hidden;
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
        let Backward { block: Block { extent, .. }, mut tape, d_outputs, d_inputs, .. } = pass;
        let View { gates, candidate, .. } = self.view_of(weights);
        let w_t = self.factors([gates.w_h, candidate.w_h], weights, Factor::transposed);
        let h = take_mut(&mut tape, self.states_len(extent));
        let parts = PartsMut::take(&mut tape, extent.rows(), self.hidden);
        let row = extent.batch * self.hidden;
        for t in (0..extent.window).rev() {
            let (d_h_prev, d_h) = step_and_previous(d_outputs, t, row);
            let mut of = PartsMut {
                gates: part_mut(parts.gates, t, K * row),
                n: part_mut(parts.n, t, row),
                u: part_mut(parts.u, t, row),
            };
            self.retreat(lanes, w_t, part(h, t, row), &mut of, d_h, d_h_prev);
        }
        if let Some(d_inputs) = d_inputs {
            gates.input.backward(lanes, Mat::new(parts.gates, K * self.hidden), d_inputs);
            candidate.input.backward(lanes, Mat::new(parts.n, self.hidden), d_inputs);
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
        let Backpropagated { inputs, block, tape, d_outputs: d_u, .. } = from;
        let (h, Parts { gates: d_a, n: d_n, u }) = self.tape(tape, block.extent);
        let h = part(h, 0, block.extent.rows() * self.hidden);
        let Some(of_candidate) = tensor.checked_sub(gates::TENSORS) else {
            return self.gates().accumulate(lanes, tensor, GateGradients { inputs, block, h, d_a }, to);
        };
        let (h, d_a) = match self.reset {
            ResetKind::After if of_candidate == gates::W_H => (h, d_u),
            ResetKind::After if of_candidate == gates::TENSORS => {
                return to.add_column_sums(lanes, Mat::new(d_u, self.hidden));
            }
            ResetKind::After => (h, d_n),
            ResetKind::Before => (u, d_n),
        };
        self.candidate().accumulate(lanes, of_candidate, GateGradients { inputs, block, h, d_a }, to);
    }
}

//! One step of a gated recurrent unit, forward and back.

use super::{GruShape, K};
use crate::cell::ResetKind;
use crate::cell::gates::{through_sigmoid, through_tanh};
use crate::cell::parts::{columns, columns_mut, part, part_mut};
use crate::kernels::{Factor, Mat, map, map_all};
use crate::lanes::{Lanes, inlined};
use crate::math::{gate, tanh};
use crate::params::take_mut;

/// Recurrent weights, ready to be multiplied with: W_hg and W_hn, or their transposes.
#[derive(Clone, Copy)]
pub(super) struct Factors<'a> {
    pub(super) gates: Factor<'a>,
    pub(super) candidate: Factor<'a>,
}

/// R and Z, N, and U of a step or of a window.
pub(super) struct Parts<'a> {
    pub(super) gates: &'a [f32],
    pub(super) n: &'a [f32],
    pub(super) u: &'a [f32],
}

/// The same, to be changed.
pub(super) struct PartsMut<'a> {
    pub(super) gates: &'a mut [f32],
    pub(super) n: &'a mut [f32],
    pub(super) u: &'a mut [f32],
}

/// The gradients of a step: of R and Z before σ, of N before tanh, of H_t, and of H_{t−1} unless the step is the first.
pub(super) struct Gradients<'a> {
    pub(super) gates: &'a mut [f32],
    pub(super) n: &'a mut [f32],
    pub(super) h: &'a mut [f32],
    pub(super) h_prev: &'a mut [f32],
}

impl<'a> PartsMut<'a> {
    /// Takes the parts of `rows` rows off a buffer.
    #[inline(always)]
    pub(super) fn take(from: &mut &'a mut [f32], rows: usize, hidden: usize) -> Self {
        let len = rows * hidden;
        Self { gates: take_mut(from, K * len), n: take_mut(from, len), u: take_mut(from, len) }
    }
}

impl Parts<'_> {
    /// Those of step t, which has `row` hidden units.
    #[inline(always)]
    pub(super) fn of_step(&self, t: usize, row: usize) -> Self {
        Parts { gates: part(self.gates, t, K * row), n: part(self.n, t, row), u: part(self.u, t, row) }
    }
}

impl GruShape {
    /// One step: gates and candidate hold the inputs' part, and then what they are; H becomes H′.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn advance<L: Lanes>(
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
    pub(super) fn retreat<L: Lanes>(
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

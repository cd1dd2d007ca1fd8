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

impl<'a> PartsMut<'a> {
    /// Takes the parts of `rows` rows off a buffer.
    #[inline(always)]
    pub(super) fn take(from: &mut &'a mut [f32], rows: usize, hidden: usize) -> Self {
        let len = rows * hidden;
        Self { gates: take_mut(from, K * len), n: take_mut(from, len), u: take_mut(from, len) }
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

    /// One step back: R, Z and N become their gradients before σ and tanh, and the gradient of H_t that of U. What H_{t−1} gave is
    /// added to its gradient, unless the step is the first.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn retreat<L: Lanes>(
        self,
        lanes: L,
        w_t: Factors<'_>,
        h_prev: &[f32],
        of: &mut PartsMut<'_>,
        d_h: &mut [f32],
        d_h_prev: &mut [f32],
    ) {
        let len = self.hidden;
        let rows = h_prev.len().checked_div(len).unwrap_or_default();
        for b in 0..rows {
            let [_, z] = columns_mut(part_mut(of.gates, b, K * len), len);
            map_all(
                lanes,
                [part_mut(of.n, b, len), z, part_mut(d_h_prev, b, len)],
                [part(h_prev, b, len), part(d_h, b, len)],
                inlined!(|[n, z, d_h_prev], [h_prev, d_h]| {
                    let kept = lanes.mul(d_h, z);
                    let d_z = through_sigmoid(lanes, lanes.mul(d_h, lanes.sub(h_prev, n)), z);
                    [through_tanh(lanes, lanes.sub(d_h, kept), n), d_z, lanes.add(d_h_prev, kept)]
                }),
            );
        }
        match self.reset {
            ResetKind::After => self.reset_after_back(lanes, w_t.candidate, of, d_h, d_h_prev),
            ResetKind::Before => self.reset_before_back(lanes, w_t.candidate, h_prev, of, d_h, d_h_prev),
        }
        if !d_h_prev.is_empty() {
            w_t.gates.product(lanes, Mat::new(of.gates, K * len), d_h_prev);
        }
    }

    /// dR = dN ∘ U, dU = dN ∘ R, and dU W_hnᵀ is added to dH_{t−1}.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn reset_after_back<L: Lanes>(
        self,
        lanes: L,
        w_hn_t: Factor<'_>,
        of: &mut PartsMut<'_>,
        d_u: &mut [f32],
        d_h_prev: &mut [f32],
    ) {
        let len = self.hidden;
        for b in 0..d_u.len().checked_div(len).unwrap_or_default() {
            let [r, _] = columns_mut(part_mut(of.gates, b, K * len), len);
            map_all(
                lanes,
                [part_mut(d_u, b, len), r],
                [part(of.u, b, len), part(of.n, b, len)],
                inlined!(|[_, r], [u, d_n]| {
                    [lanes.mul(d_n, r), through_sigmoid(lanes, lanes.mul(d_n, u), r)]
                }),
            );
        }
        if !d_h_prev.is_empty() {
            w_hn_t.product(lanes, Mat::new(d_u, len), d_h_prev);
        }
    }

    /// dU = dN W_hnᵀ, dR = dU ∘ H_{t−1}, and dU ∘ R is added to dH_{t−1}.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn reset_before_back<L: Lanes>(
        self,
        lanes: L,
        w_hn_t: Factor<'_>,
        h_prev: &[f32],
        of: &mut PartsMut<'_>,
        d_u: &mut [f32],
        d_h_prev: &mut [f32],
    ) {
        let len = self.hidden;
        d_u.fill(0.0);
        w_hn_t.product(lanes, Mat::new(of.n, len), d_u);
        for b in 0..d_u.len().checked_div(len).unwrap_or_default() {
            let [r, _] = columns_mut(part_mut(of.gates, b, K * len), len);
            map_all(
                lanes,
                [r, part_mut(d_h_prev, b, len)],
                [part(h_prev, b, len), part(d_u, b, len)],
                inlined!(|[r, d_h_prev], [h_prev, d_u]| {
                    [through_sigmoid(lanes, lanes.mul(d_u, h_prev), r), lanes.mul_add(d_u, r, d_h_prev)]
                }),
            );
        }
    }
}

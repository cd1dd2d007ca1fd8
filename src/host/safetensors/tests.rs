//! The layout covers all weights, each once and in our order.

use std::{collections::BTreeMap, vec, vec::Vec};

use super::layout::Layout;
use super::names::Names;
use crate::cell::{ActivationKind, AnyCell, CellKind};
use crate::host::tensors;
use crate::model::ModelShape;

fn check(cell: AnyCell) {
    let shape = ModelShape { cell, outputs: 5 };
    let layout = Layout::of(shape, &Names::usual(true));
    let parts: Vec<_> = layout.parts.iter().map(|part| part.size).collect();
    assert_eq!(parts, tensors(shape).iter().map(|t| (t.rows, t.columns)).collect::<Vec<_>>());

    let len = |shape: &[usize]| shape.iter().product::<usize>();
    let mut used: BTreeMap<_, _> =
        layout.specs.iter().map(|spec| (spec.name.as_str(), vec![0; len(&spec.shape)])).collect();
    for part in &layout.parts {
        for name in core::iter::once(&part.name).chain(&part.second) {
            part.places().for_each(|place| used.get_mut(name.as_str()).unwrap()[place] += 1);
        }
    }
    for (name, used) in used {
        assert!(used.iter().all(|&times| times == 1), "{name}: {used:?}");
    }
}

#[test]
fn every_weight_has_a_place() {
    let embedding = AnyCell::new(CellKind::Embedding, ActivationKind::Tanh, 5, 3);
    for kind in [CellKind::Elman, CellKind::Gru, CellKind::Lstm] {
        let deep = |inputs| AnyCell::deep(kind, ActivationKind::Tanh, inputs, 4, 2).unwrap();
        check(deep(5));
        check(embedding.then(deep(3)).unwrap());
    }
}

//! How layers are written: the bytes that stand for a kind of cell, its activation and its reset gate.

use super::header::{Header, field, word};
use super::{FormatError, HEADER_BYTES};
use crate::cell::{ActivationKind, AnyCell, Cell, CellKind, GruShape, Layer, ResetKind};

/// Bytes of each layer above the first.
pub(super) const LAYER_BYTES: usize = 8;

/// Bytes of the layers above the first.
pub(super) const fn above_bytes(header: &Header) -> usize {
    header[field::LAYERS] as usize * LAYER_BYTES
}

/// The bytes that stand for a layer, beside its sizes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Codes {
    pub(super) cell: u8,
    pub(super) activation: u8,
    pub(super) reset: u8,
}

/// Where each of them is.
struct Places {
    cell: usize,
    activation: usize,
    reset: usize,
}

impl Codes {
    pub(super) const fn of(layer: Layer) -> Self {
        let activation = match layer.activation() {
            ActivationKind::Tanh => 0,
            ActivationKind::Relu => 1,
        };
        let cell = match layer.kind() {
            CellKind::Elman => 0,
            CellKind::Feedforward => 1,
            CellKind::Gru => 2,
            CellKind::Lstm => 3,
            CellKind::Embedding => 4,
        };
        let reset = match layer.reset() {
            None | Some(ResetKind::After) => 0,
            Some(ResetKind::Before) => 1,
        };
        Self { cell, activation, reset }
    }

    /// Those of the first layer.
    pub(super) const fn of_first(header: &Header) -> Self {
        Self { cell: header[field::CELL], activation: header[field::ACTIVATION], reset: header[field::RESET] }
    }

    /// The layer of these sizes.
    fn layer(self, at: &Places, inputs: usize, hidden: usize) -> Result<Layer, FormatError> {
        let kind = match self.cell {
            0 => CellKind::Elman,
            1 => CellKind::Feedforward,
            2 => CellKind::Gru,
            3 => CellKind::Lstm,
            4 => CellKind::Embedding,
            _ => return Err(FormatError::Field(at.cell)),
        };
        let activation = match self.activation {
            0 => ActivationKind::Tanh,
            1 => ActivationKind::Relu,
            _ => return Err(FormatError::Field(at.activation)),
        };
        let layer = match (Layer::new(kind, activation, inputs, hidden), self.reset) {
            (Layer::Gru(gru), 1) => Layer::Gru(GruShape { reset: ResetKind::Before, ..gru }),
            (layer, 0) => layer,
            _ => return Err(FormatError::Field(at.reset)),
        };
        if layer.activation() != activation {
            return Err(FormatError::Field(at.activation));
        }
        Ok(layer)
    }
}

/// The cell of a header and of what follows it for the layers above the first.
pub(super) fn parse(header: &Header, above: &[u8]) -> Result<AnyCell, FormatError> {
    let at = Places { cell: field::CELL, activation: field::ACTIVATION, reset: field::RESET };
    let [inputs, hidden] = [field::INPUTS, field::HIDDEN].map(|at| word(header, at) as usize);
    if inputs == 0 || hidden == 0 {
        return Err(FormatError::Field(field::INPUTS));
    }
    let mut cell = AnyCell::of(Codes::of_first(header).layer(&at, inputs, hidden)?);
    for (i, layer) in above.as_chunks().0.iter().enumerate() {
        let above = AnyCell::of(parse_above(layer, HEADER_BYTES + i * LAYER_BYTES, cell.hidden())?);
        cell = cell.then(above).map_err(|_| FormatError::Field(field::LAYERS))?;
    }
    Ok(cell)
}

/// A layer above the first, whose bytes begin at an offset.
fn parse_above(from: &[u8; LAYER_BYTES], at: usize, inputs: usize) -> Result<Layer, FormatError> {
    let [cell, activation, reset, zero, hidden @ ..] = *from;
    if zero != 0 {
        return Err(FormatError::Field(at + 3));
    }
    let hidden = u32::from_le_bytes(hidden) as usize;
    if hidden == 0 {
        return Err(FormatError::Field(at + 4));
    }
    let places = Places { cell: at, activation: at + 1, reset: at + 2 };
    Codes { cell, activation, reset }.layer(&places, inputs, hidden)
}

/// The bytes of a layer above the first.
pub(super) fn emit_above(layer: Layer) -> Result<[u8; LAYER_BYTES], FormatError> {
    let Codes { cell, activation, reset } = Codes::of(layer);
    let hidden = u32::try_from(layer.hidden()).map_err(|_| FormatError::Field(field::INPUTS))?;
    let [a, b, c, d] = hidden.to_le_bytes();
    Ok([cell, activation, reset, 0, a, b, c, d])
}

//! Reading: from a state dict to a network.

use std::{borrow::ToOwned, format, string::String, vec::Vec};

use super::error::Shape;
use super::file::{File, Tensor};
use super::layout::{Layout, Part, Spec, gates};
use super::names::{Given, Names};
use super::{ReadingsModel, Vocabulary, WeightsError, metadata};
use crate::cell::{ActivationKind, AnyCell, CellKind, MAX_LAYERS};
use crate::clean::Clean;
use crate::host::channels::Channels;
use crate::host::{Network, Shown, tensors};
use crate::model::ModelShape;
use crate::params::take_mut;

/// How a file of `PyTorch`'s becomes a network: what the file itself does not say.
///
/// Its tensors must be `F32`, `F16` or `BF16`, with the names that the state dicts of `torch.nn.RNN`, `GRU` or `LSTM`,
/// `Linear` and `Embedding` have, behind any prefixes, and no others. Cell, sizes and layers are told from names and
/// shapes. Of the metadata, `vocabulary`, `clean` and `activation` are used, `gate_order` and `reset_gate` must be
/// `PyTorch`'s if they are there; `cell`, `layout` and `biases`, which [`export`](super::export) writes, are for people.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Import {
    /// The symbols, in the order of the weights; none for those of the file's metadata, a list in JSON under
    /// `vocabulary`.
    pub vocabulary: Option<Vocabulary>,
    /// The cleaning that texts need; none for that of the file's metadata, if there is one.
    pub clean: Option<Clean>,
    /// The activation of `torch.nn.RNN`; none for that of the file's metadata, or tanh.
    pub activation: Option<ActivationKind>,
    /// What stands before `weight_ih_l0`, with or without a dot at its end; none to find it.
    pub rnn_prefix: Option<String>,
    /// What stands before the `weight` and the `bias` of the output layer; none to find it.
    pub head_prefix: Option<String>,
    /// What stands before the `weight` of the embedding; none to find it, if there is one.
    pub embedding_prefix: Option<String>,
    /// Whether biases that the file lacks are zero, as those of modules made with `bias=False`: of all recurrent layers, if
    /// none of them has any, and of the output layer. Otherwise they are missing.
    pub without_biases: bool,
}

impl Import {
    /// The network of a file's bytes.
    ///
    /// # Errors
    /// [`WeightsError`], which names the tensor that is missing, too many, of another shape or of another type.
    pub fn network(&self, bytes: &[u8]) -> Result<Network, WeightsError> {
        let file = File::parse(bytes)?;
        let (names, layers) = self.names(&file)?;
        let vocabulary = self.vocabulary(&file)?;
        let symbols = vocabulary.len();
        let cell = self.cell(&file, &names, layers, symbols)?;
        let clean = self.clean_in(&file)?;
        let layout = self.layout(&file, ModelShape { cell, outputs: symbols }, &names);
        let sources = sources(&file, &layout, Some(symbols))?;
        // Whatever could be wrong with the file has been found before there is room for its weights.
        let mut network = Network::new(cell, vocabulary.ascending(), vocabulary.alphabet(), clean)?;
        fill(network.params_mut(), &sources);
        bring_into_order(&mut network, &vocabulary.order());
        Ok(network)
    }

    /// The model of a file's bytes that reads numbers: it has as many inputs and outputs as the tensors say, and no
    /// vocabulary. Of the metadata, `input_mean` and `input_deviation`, `output_mean` and `output_deviation`, lists of numbers
    /// such as `[0.5,-1]`, are used, and `window` of a forecaster, which has two inputs and all of these; of the settings,
    /// activation and prefixes.
    ///
    /// ```no_run
    /// use recurve::{Inputs, host::safetensors::Import, lanes::LaneKind};
    ///
    /// let model = Import::default().readings(&std::fs::read("sensor.safetensors")?)?;
    /// let shape = model.shape();
    /// let (mut state, mut outputs) = (vec![0.0; shape.state_len(1)], vec![0.0; shape.outputs]);
    /// let mut scratch = vec![0.0; shape.step_scratch_len(1)];
    /// let (best, mut reading) = (LaneKind::best(), [0.1, -0.2, 0.9]);
    /// if let Some(units) = model.file().normalization.inputs {
    ///     units.apply(&mut reading)?;
    /// }
    /// let inputs = Inputs::Vectors(&reading);
    /// shape.step_on(best, model.params(), inputs, &mut state, &mut outputs, &mut scratch)?;
    /// model.write("sensor.rcv")?;
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As for [`network`](Self::network). Neither an embedding nor a vocabulary may be there, since they are for symbols.
    pub fn readings(&self, bytes: &[u8]) -> Result<ReadingsModel, WeightsError> {
        let file = File::parse(bytes)?;
        let (names, layers) = self.names(&file)?;
        let names = without_embedding(&file, names)?;
        if file.metadata(metadata::VOCABULARY).is_some() {
            return Err(WeightsError::Vocabulary(
                "the file's metadata has a vocabulary: the network reads symbols, and not numbers".to_owned(),
            ));
        }
        let [_, inputs] = matrix(&file, &format!("{}weight_ih_l0", names.rnn))?;
        let [outputs, _] = matrix(&file, &format!("{}weight", names.head))?;
        let shape = ModelShape { cell: self.cell(&file, &names, layers, inputs)?, outputs };
        let layout = self.layout(&file, shape, &names);
        let sources = sources(&file, &layout, None)?;
        let normalization = metadata::normalization(&file, [inputs, outputs])?;
        let window = if is_forecaster(inputs, &normalization) { metadata::window(&file)? } else { None };
        let mut model = ReadingsModel::new(shape, normalization, window)?;
        fill(model.params_mut(), &sources);
        Ok(model)
    }

    /// The prefixes, and the number of layers.
    fn names(&self, file: &File<'_>) -> Result<(Names, usize), WeightsError> {
        let all = file.names();
        let shape = |name: &str| Some(file.tensor(name)?.shape().to_vec());
        let (names, layers) = Names::find(&all, self.given(), &shape)?;
        match names.other_networks(&all) {
            Some(name) => Err(unexpected(file, name.clone())),
            None => Ok((names, layers)),
        }
    }

    /// The cleaning that texts for a file's network need, and so a text that its vocabulary is taken from:
    /// [`clean`](Self::clean), or that of the file's metadata.
    ///
    /// # Errors
    /// [`WeightsError::File`], or [`WeightsError::Metadata`] for a cleaning that there is not.
    pub fn clean_of(&self, bytes: &[u8]) -> Result<Clean, WeightsError> {
        self.clean_in(&File::parse(bytes)?)
    }

    fn clean_in(&self, file: &File<'_>) -> Result<Clean, WeightsError> {
        self.clean.map_or_else(|| Ok(metadata::clean(file)?.unwrap_or_default()), Ok)
    }

    /// What the file has to hold.
    fn layout(&self, file: &File<'_>, shape: ModelShape<AnyCell>, names: &Names) -> Layout {
        let layout = Layout::of(shape, names);
        if self.without_biases { layout.with_biases_of(&file.names(), names) } else { layout }
    }

    fn given(&self) -> Given<'_> {
        Given {
            rnn: self.rnn_prefix.as_deref(),
            head: self.head_prefix.as_deref(),
            embedding: self.embedding_prefix.as_deref(),
        }
    }

    fn vocabulary(&self, file: &File<'_>) -> Result<Vocabulary, WeightsError> {
        match (&self.vocabulary, file.metadata(metadata::VOCABULARY)) {
            (Some(vocabulary), _) => Ok(vocabulary.clone()),
            (None, Some(json)) => Vocabulary::from_json(json),
            (None, None) => Err(WeightsError::Vocabulary(
                "the file's metadata has no vocabulary: give the text that the network learned, or a list of symbols"
                    .to_owned(),
            )),
        }
    }

    /// The cell, from names and shapes; whether all shapes fit is not known yet.
    fn cell(
        &self,
        file: &File<'_>,
        names: &Names,
        layers: usize,
        symbols: usize,
    ) -> Result<AnyCell, WeightsError> {
        let (kind, hidden) = kind(file, names)?;
        metadata::check(file, kind)?;
        let activation = self.activation(file, kind)?;
        let below = usize::from(names.embedding.is_some());
        if layers.saturating_add(below) > MAX_LAYERS {
            return Err(WeightsError::Unsupported(too_deep(layers, below)));
        }
        let Some(prefix) = &names.embedding else {
            return Ok(AnyCell::deep(kind, activation, symbols, hidden, layers)?);
        };
        let name = format!("{prefix}weight");
        let expected = || {
            let width = size(file, &format!("{}weight_ih_l0", names.rnn), 1).unwrap_or(hidden);
            [symbols, width].to_vec()
        };
        let width = match file.tensor(&name).as_ref().map(Tensor::shape) {
            Some(&[_, width]) => width,
            None => return Err(WeightsError::Missing { name, expected: Some(expected()) }),
            Some(found) => {
                let (found, symbols) = (found.to_vec(), Some(symbols));
                return Err(WeightsError::Shape { name, expected: expected(), found, symbols });
            }
        };
        let embedding = AnyCell::new(CellKind::Embedding, ActivationKind::Tanh, symbols, width);
        Ok(embedding.then(AnyCell::deep(kind, activation, width, hidden, layers)?)?)
    }

    fn activation(&self, file: &File<'_>, kind: CellKind) -> Result<ActivationKind, WeightsError> {
        match (kind, self.activation) {
            (CellKind::Elman, Some(activation)) => Ok(activation),
            (CellKind::Elman, None) => Ok(metadata::activation(file)?.unwrap_or_default()),
            (_, None | Some(ActivationKind::Tanh)) => Ok(ActivationKind::Tanh),
            _ => Err(WeightsError::Unsupported(format!(
                "the file holds a {kind}, whose activation cannot be chosen: only torch.nn.RNN has one"
            ))),
        }
    }
}

fn too_deep(layers: usize, below: usize) -> String {
    let counted = if below > 0 { ", the embedding counted" } else { "" };
    format!(
        "the file has {layers} recurrent layers, and a network here has up to {MAX_LAYERS} layers{counted}"
    )
}

fn tensor<'f>(file: &'f File<'_>, name: &str) -> Result<Tensor<'f>, WeightsError> {
    file.tensor(name).ok_or_else(|| WeightsError::Missing { name: name.to_owned(), expected: None })
}

/// A size of a tensor, if it has it.
fn size(file: &File<'_>, name: &str, dimension: usize) -> Option<usize> {
    file.tensor(name)?.shape().get(dimension).copied()
}

/// The rows and columns of a tensor, one or more.
fn matrix(file: &File<'_>, name: &str) -> Result<[usize; 2], WeightsError> {
    match tensor(file, name)?.shape() {
        &[rows, columns] if rows > 0 && columns > 0 => Ok([rows, columns]),
        found => Err(WeightsError::NoMatrix { name: name.to_owned(), found: found.to_vec() }),
    }
}

/// The names of a network without an embedding. A weight without a bias that was taken for one is the output layer's, if that
/// has none.
fn without_embedding(file: &File<'_>, names: Names) -> Result<Names, WeightsError> {
    let Names { rnn, head, embedding } = names;
    match embedding {
        Some(prefix) if file.tensor(&format!("{head}weight")).is_none() => {
            Ok(Names { rnn, head: prefix, embedding: None })
        }
        Some(prefix) => {
            let name = format!("{prefix}weight");
            let found = tensor(file, &name)?.shape().to_vec();
            Err(WeightsError::Unsupported(format!(
                "the tensor {} of shape {} is an embedding's, which reads symbols and not numbers",
                Shown(&name),
                Shape(&found)
            )))
        }
        None => Ok(Names { rnn, head, embedding }),
    }
}

/// Whether it has what [`Forecaster`](crate::host::forecast::Forecaster)s have.
fn is_forecaster(inputs: usize, normalization: &[Option<Channels>; 2]) -> bool {
    inputs == 2 && normalization.iter().all(Option::is_some)
}

/// The kind of cell and its hidden units, from the shape of its recurrent weights.
fn kind(file: &File<'_>, names: &Names) -> Result<(CellKind, usize), WeightsError> {
    let name = format!("{}weight_hh_l0", names.rnn);
    let Some(tensor) = file.tensor(&name) else {
        let rows = size(file, &format!("{}weight_ih_l0", names.rnn), 0);
        let columns = size(file, &format!("{}weight", names.head), 1);
        let expected = rows.zip(columns).map(|(rows, columns)| [rows, columns].to_vec());
        return Err(WeightsError::Missing { name, expected });
    };
    if let &[rows, hidden] = tensor.shape() {
        let is = |kind: &CellKind| hidden > 0 && gates(*kind).checked_mul(hidden) == Some(rows);
        if let Some(kind) = [CellKind::Elman, CellKind::Gru, CellKind::Lstm].into_iter().find(is) {
            return Ok((kind, hidden));
        }
    }
    Err(WeightsError::Recurrent { name, found: tensor.shape().to_vec() })
}

/// Each tensor is there with its shape and a type that can be converted, and no other one is.
fn check(file: &File<'_>, specs: &[Spec], symbols: Option<usize>) -> Result<(), WeightsError> {
    for Spec { name, shape, by_symbols } in specs {
        let (name, expected) = (name.clone(), shape.clone());
        match file.tensor(&name) {
            None => return Err(WeightsError::Missing { name, expected: Some(expected) }),
            Some(tensor) if tensor.shape() != shape => {
                let (found, symbols) = (tensor.shape().to_vec(), symbols.filter(|_| *by_symbols));
                return Err(WeightsError::Shape { name, expected, found, symbols });
            }
            Some(tensor) => {
                if let Some(found) = tensor.other_type() {
                    return Err(WeightsError::Type { name, shape: expected, found });
                }
            }
        }
    }
    let too_many = |name: &String| !specs.iter().any(|spec| spec.name == *name);
    match file.names().into_iter().find(too_many) {
        Some(name) => Err(unexpected(file, name)),
        None => Ok(()),
    }
}

fn unexpected(file: &File<'_>, name: String) -> WeightsError {
    let found = file.tensor(&name).map(|tensor| tensor.shape().to_vec()).unwrap_or_default();
    WeightsError::Unexpected { name, found }
}

/// What our tensors are made of, if it is all there, finite, and all there is.
fn sources<'f>(
    file: &'f File<'_>,
    layout: &'f Layout,
    symbols: Option<usize>,
) -> Result<Vec<Source<'f>>, WeightsError> {
    check(file, &layout.specs, symbols)?;
    let sources: Vec<_> = layout.parts.iter().map(|part| Source::of(file, part)).collect();
    sources.iter().try_for_each(Source::check)?;
    Ok(sources)
}

fn fill(params: &mut [f32], sources: &[Source<'_>]) {
    let weights = sources.iter().flat_map(Source::weights);
    params.iter_mut().zip(weights).for_each(|(to, weight)| *to = weight);
}

/// One of our tensors, and what it is made of: zeros where the file has nothing.
struct Source<'f> {
    part: &'f Part,
    first: Option<Tensor<'f>>,
    second: Option<Tensor<'f>>,
}

impl<'f> Source<'f> {
    fn of(file: &'f File<'_>, part: &'f Part) -> Self {
        let second = part.second.as_deref().and_then(|name| file.tensor(name));
        Self { part, first: file.tensor(&part.name), second }
    }

    fn weights(&self) -> impl Iterator<Item = f32> {
        self.part.places().map(|place| {
            let at = |tensor: &Option<Tensor<'_>>| tensor.as_ref().map_or(0.0, |tensor| tensor.at(place));
            let x = at(&self.first);
            match at(&self.second) {
                // Not added, so that a negative zero stays what it is.
                0.0 => x,
                y => x + y,
            }
        })
    }

    /// Refuses numbers that are not finite, and sums that are not.
    fn check(&self) -> Result<(), WeightsError> {
        if self.weights().all(f32::is_finite) {
            return Ok(());
        }
        let finite = |tensor: &Tensor<'_>| self.part.places().all(|place| tensor.at(place).is_finite());
        let name = match (&self.second, &self.part.second) {
            (Some(tensor), Some(name)) if !finite(tensor) => name,
            _ => &self.part.name,
        };
        Err(WeightsError::NotFinite { name: name.clone() })
    }
}

/// From the order of their symbols to ours: rows of what reads symbols, columns of what the outputs are made of.
fn bring_into_order(network: &mut Network, order: &[usize]) {
    if order.is_sorted() {
        return;
    }
    let shape = network.shape();
    let bottom = (shape.cell.layers().len() > 1).then_some(1);
    let tensors = tensors(shape);
    let mut ours = network.params_mut();
    for tensor in tensors {
        let part = take_mut(&mut ours, tensor.len());
        let before = part.to_vec();
        let (rows, columns) = (tensor.rows, tensor.columns);
        let reads = tensor.layer == bottom && (tensor.name == "w_e" || tensor.name.starts_with("w_x"));
        for (place, to) in part.iter_mut().enumerate() {
            let (row, column) = (place / columns, place % columns);
            let from = match tensor.name {
                "w_hq" | "b_q" => row * columns + order.get(column).copied().unwrap_or(column),
                _ if reads && rows == order.len() => {
                    order.get(row).copied().unwrap_or(row) * columns + column
                }
                _ => place,
            };
            *to = before.get(from).copied().unwrap_or_default();
        }
    }
}

//! `recurve inspect`: what a model file holds, and the memory that the model needs.

mod readings;

use std::collections::BTreeMap;

use recurve::cell::{ActivationKind, Cell, CellKind, Extent, Layer, ResetKind};
use recurve::format::ModelFile;
use recurve::host::{Tensor, read_model, tensors};
use recurve::vocab::Alphabet;
use recurve::{Adam, ModelShape, Sgd, StepMemory, Symbols, TrainingMemory};
use serde_json::{Value, json};

use crate::args::InspectArgs;
use crate::failure::Failure;
use crate::report::{self, grouped, table};

/// Symbols that are listed for people; JSON has them all.
const SHOWN: usize = 200;

pub fn run(args: &InspectArgs) -> Result<(), Failure> {
    read_model(&args.model, |model| Ok(show(args, model)))?
}

fn show(args: &InspectArgs, model: ModelFile<'_>) -> Result<(), Failure> {
    let step = model.shape.step_memory();
    let training = trainings(model, Extent { batch: args.batch, window: args.window });
    if args.json {
        return report::print_json(&object(model, step, training));
    }
    let text = format!(
        "{}\n{}\n{}\n{}",
        facts(model),
        weights(model),
        step_lines(step),
        training_lines(args, training)
    );
    report::print(text.as_bytes())
}

/// The layers for people: the kind of each, its units where there are several, and what it is beside its kind.
fn layers(model: ModelFile<'_>) -> String {
    let cell = model.shape.cell;
    let line = |layer: &Layer| {
        let variant = match layer.reset() {
            _ if layer.kind() == CellKind::Embedding => String::new(),
            Some(reset) => format!(", reset {} the product", reset.name()),
            None => format!(", {}", layer.activation().name()),
        };
        let units = if cell.layers().len() > 1 { format!(" of {}", layer.hidden()) } else { String::new() };
        format!("{}{units}{variant}", layer.kind())
    };
    cell.layers().iter().map(line).collect::<Vec<_>>().join("; ")
}

fn alphabet(symbols: Symbols<'_>) -> &'static str {
    match symbols.alphabet() {
        Alphabet::Chars => "characters",
        Alphabet::Bytes => "bytes",
    }
}

/// Each symbol as it would stand in a program: escaped where it could not be read.
fn shown_symbols(symbols: Symbols<'_>) -> Vec<String> {
    let shown = |&code: &u32| match symbols.alphabet() {
        Alphabet::Bytes if code >= 0x80 => format!("\\x{code:02x}"),
        _ => char::from_u32(code).map_or_else(String::new, escaped),
    };
    symbols.codes().iter().map(shown).collect()
}

fn escaped(c: char) -> String {
    if matches!(c, '\'' | '"') { c.into() } else { c.escape_debug().to_string() }
}

/// Each symbol as it is: a character, or the number of a byte.
fn exact_symbols(symbols: Symbols<'_>) -> Vec<Value> {
    let exact = |&code: &u32| match (symbols.alphabet(), char::from_u32(code)) {
        (Alphabet::Chars, Some(symbol)) => String::from(symbol).into(),
        _ => code.into(),
    };
    symbols.codes().iter().map(exact).collect()
}

fn vocabulary(symbols: Symbols<'_>) -> String {
    let symbols = shown_symbols(symbols);
    let shown = symbols.iter().take(SHOWN).map(String::as_str).map(|s| if s == " " { "' '" } else { s });
    let mut text = shown.collect::<Vec<_>>().join(" ");
    if symbols.len() > SHOWN {
        text += &format!(" and {} more (--json has all)", grouped((symbols.len() - SHOWN) as u64));
    }
    text
}

fn facts(model: ModelFile<'_>) -> String {
    let cell = model.shape.cell;
    let sizes = [cell.inputs(), cell.hidden(), model.shape.outputs, model.weights.len(), model.byte_len()];
    let [d, h, q, parameters, bytes] = sizes.map(|n| grouped(n as u64));
    let meaning = match model.symbols {
        Some(symbols) => {
            let (clean, kind, list) = (model.clean, alphabet(symbols), vocabulary(symbols));
            format!("cleaning    {clean}\nvocabulary  {q} {kind}: {list}\n")
        }
        None => readings::lines(model),
    };
    format!(
        "cell        {}\ntype        {}\nsizes       {d} inputs, {h} hidden units, {q} outputs\n\
         parameters  {parameters}\nfile        {bytes} bytes\n{meaning}",
        layers(model),
        rust_type(model),
    )
}

/// The type that reads the file in a program.
fn rust_type(model: ModelFile<'_>) -> String {
    let ModelShape { cell, outputs: q, .. } = model.shape;
    format!("Model<{}, {}, {q}>", stack_type(cell.layers()), cell.hidden())
}

fn stack_type(layers: &[Layer]) -> String {
    match layers {
        [first, above @ ..] if !above.is_empty() => {
            format!("Stack<{}, {}>", layer_type(first), stack_type(above))
        }
        _ => layers.first().map_or_else(String::new, layer_type),
    }
}

fn layer_type(layer: &Layer) -> String {
    let (d, h) = (layer.inputs(), layer.hidden());
    let activation = match layer.activation() {
        ActivationKind::Relu => ", Relu",
        _ => "",
    };
    let reset = if layer.reset() == Some(ResetKind::Before) { ", ResetBefore" } else { "" };
    match layer.kind() {
        CellKind::Gru => format!("Gru<{d}, {h}{reset}>"),
        CellKind::Embedding => format!("Embedding<{d}, {h}>"),
        CellKind::Lstm => format!("Lstm<{d}, {h}>"),
        CellKind::Feedforward => format!("Feedforward<{d}, {h}{activation}>"),
        _ => format!("Elman<{d}, {h}{activation}>"),
    }
}

fn weights(model: ModelFile<'_>) -> String {
    let row = |t: &Tensor| [t.label(), format!("{} x {}", t.rows, t.columns), grouped(t.len() as u64)];
    let rows: Vec<[String; 3]> = tensors(model.shape).iter().map(row).collect();
    table(["weights", "shape", "parameters"], &rows)
}

fn step_lines(step: StepMemory) -> String {
    let parts =
        [("state", step.state), ("scratch", step.scratch), ("logits", step.logits), ("total", step.total())];
    let rows = parts.map(|(part, bytes)| [part.into(), grouped(bytes as u64)]);
    "bytes of RAM for a step, beside the weights\n".to_owned() + &table(["part", "bytes"], &rows)
}

/// What training takes with each optimiser, by its name.
fn trainings(model: ModelFile<'_>, extent: Extent) -> [(&'static str, TrainingMemory); 3] {
    let params = model.shape.params_len();
    let sgd = |momentum| Sgd { lr: 0.1, momentum }.state_len(params);
    let optimizers =
        [("sgd", sgd(0.0)), ("sgd_momentum", sgd(0.9)), ("adam", Adam::new(0.001).state_len(params))];
    optimizers.map(|(name, state_len)| (name, model.shape.training_memory(extent, state_len)))
}

/// The parts of a training's memory, by their names.
fn parts(memory: TrainingMemory) -> [(&'static str, usize); 7] {
    [
        ("weights", memory.weights),
        ("gradients", memory.gradients),
        ("optimizer", memory.optimizer),
        ("state", memory.state),
        ("tape", memory.tape),
        ("scratch", memory.scratch),
        ("total", memory.total()),
    ]
}

fn training_lines(args: &InspectArgs, training: [(&str, TrainingMemory); 3]) -> String {
    let [sgd, momentum, adam] = training.map(|(_, memory)| parts(memory));
    let cell = |(_, bytes): (&str, usize)| grouped(bytes as u64);
    let row = |i: usize| [sgd[i].0.into(), cell(sgd[i]), cell(momentum[i]), cell(adam[i])];
    let rows: [_; 7] = std::array::from_fn(row);
    let (batch, window) = (args.batch, args.window);
    format!("bytes of RAM to train with --batch {batch} --window {window}, by optimizer\n")
        + &table(["part", "sgd", "with momentum", "adam"], &rows)
}

fn layer_object(layer: &Layer) -> Value {
    json!({
        "cell": layer.kind().name(),
        "activation": layer.activation().name(),
        "reset": layer.reset().map(ResetKind::name),
        "inputs": layer.inputs(),
        "hidden": layer.hidden(),
    })
}

/// Of a stack, `cell`, `activation` and `reset` are those of the last layer.
fn object(model: ModelFile<'_>, step: StepMemory, training: [(&str, TrainingMemory); 3]) -> Value {
    let cell = model.shape.cell;
    let tensor = |t: &Tensor| json!({ "name": t.label(), "shape": [t.rows, t.columns] });
    let weights: Vec<Value> = tensors(model.shape).iter().map(tensor).collect();
    let last = cell.layers().last();
    let training_bytes: BTreeMap<_, BTreeMap<_, _>> =
        training.map(|(name, memory)| (name, parts(memory).into())).into();
    json!({
        "cell": last.map(|layer| layer.kind().name()),
        "activation": last.map(|layer| layer.activation().name()),
        "reset": last.and_then(|layer| layer.reset()).map(ResetKind::name),
        "inputs": cell.inputs(),
        "hidden": cell.hidden(),
        "layers": cell.layers().iter().map(layer_object).collect::<Vec<_>>(),
        "outputs": model.shape.outputs,
        "alphabet": model.symbols.map(alphabet),
        "vocabulary": model.symbols.map(exact_symbols),
        "clean": model.symbols.map(|_| model.clean.name()),
        "forecaster": readings::forecaster(model),
        "normalization": readings::normalization(model),
        "parameters": model.weights.len(),
        "file_bytes": model.byte_len(),
        "weights": weights,
        "step_bytes": { "state": step.state, "scratch": step.scratch, "logits": step.logits, "total": step.total() },
        "training_bytes": training_bytes,
    })
}

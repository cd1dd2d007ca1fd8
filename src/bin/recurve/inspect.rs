//! `recurve inspect`: what a model file holds, and the memory that the model needs.

use recurve::Adam;
use recurve::cell::{ActivationKind, Cell, CellKind};
use recurve::host::{AnyOptimizer, Network, Settings, StepMemory, Tensor, TrainingMemory, tensors};
use recurve::vocab::Alphabet;
use serde_json::{Value, json};

use crate::args::InspectArgs;
use crate::failure::Failure;
use crate::report::{self, grouped, table};

/// Symbols that are listed for people; JSON has them all.
const SHOWN: usize = 200;

pub fn run(args: &InspectArgs) -> Result<(), Failure> {
    let network = Network::read(&args.model)?;
    // Adam needs the most; sgd needs no memory of its own.
    let optimizer = AnyOptimizer::Adam(Adam::new(0.001));
    let settings = Settings::new(args.batch, args.window, optimizer);
    let memory = TrainingMemory::of(network.shape(), &settings);
    let step = StepMemory::of(network.shape());
    if args.json {
        return report::print_json(&object(&network, step, memory));
    }
    let text = format!(
        "{}\n{}\n{}\n{}",
        facts(&network),
        weights(&network),
        step_lines(step),
        training_lines(args, memory)
    );
    report::print(text.as_bytes())
}

fn activation(network: &Network) -> &'static str {
    network.shape().cell.activation().name()
}

fn alphabet(network: &Network) -> &'static str {
    match network.symbols().alphabet() {
        Alphabet::Chars => "characters",
        Alphabet::Bytes => "bytes",
    }
}

/// Each symbol as it would stand in a program: escaped where it could not be read.
fn symbols(network: &Network) -> Vec<String> {
    let symbols = network.symbols();
    let shown = |&code: &u32| match symbols.alphabet() {
        Alphabet::Bytes if code >= 0x80 => format!("\\x{code:02x}"),
        _ => char::from_u32(code).map_or_else(String::new, escaped),
    };
    symbols.codes().iter().map(shown).collect()
}

fn escaped(c: char) -> String {
    if matches!(c, '\'' | '"') { c.into() } else { c.escape_debug().to_string() }
}

fn vocabulary(network: &Network) -> String {
    let symbols = symbols(network);
    let shown = symbols.iter().take(SHOWN).map(String::as_str).map(|s| if s == " " { "' '" } else { s });
    let mut text = shown.collect::<Vec<_>>().join(" ");
    if symbols.len() > SHOWN {
        text += &format!(" and {} more (--json has all)", grouped((symbols.len() - SHOWN) as u64));
    }
    text
}

fn facts(network: &Network) -> String {
    let (cell, clean) = (network.shape().cell, network.clean());
    let file = network.file();
    let sizes = [cell.inputs(), cell.hidden(), network.shape().outputs, file.weights.len(), file.byte_len()];
    let [d, h, q, parameters, bytes] = sizes.map(|n| grouped(n as u64));
    format!(
        "cell        {}, {}\ntype        {}\nsizes       {d} inputs, {h} hidden units, {q} outputs\n\
         parameters  {parameters}\nfile        {bytes} bytes\ncleaning    {clean}\n\
         vocabulary  {q} {}: {}\n",
        cell.kind(),
        activation(network),
        rust_type(network),
        alphabet(network),
        vocabulary(network),
    )
}

/// The type that reads the file in a program.
fn rust_type(network: &Network) -> String {
    let (cell, q) = (network.shape().cell, network.shape().outputs);
    let (d, h) = (cell.inputs(), cell.hidden());
    let activation = match cell.activation() {
        ActivationKind::Relu => ", Relu",
        _ => "",
    };
    match cell.kind() {
        CellKind::Feedforward => format!("Model<Feedforward<{d}, {h}{activation}>, {h}, {q}>"),
        _ => format!("Model<Elman<{d}, {h}{activation}>, {h}, {q}>"),
    }
}

fn weights(network: &Network) -> String {
    let row = |t: &Tensor| [t.name.into(), format!("{} x {}", t.rows, t.columns), grouped(t.len() as u64)];
    let rows: Vec<[String; 3]> = tensors(network.shape()).iter().map(row).collect();
    table(["weights", "shape", "parameters"], &rows)
}

/// Names and numbers of bytes, in two columns.
fn lines(parts: &[(&str, usize)]) -> String {
    parts.iter().map(|(name, bytes)| format!("  {name:<16}{:>14}\n", grouped(*bytes as u64))).collect()
}

fn step_lines(step: StepMemory) -> String {
    "bytes of RAM for a step, beside the weights\n".to_owned()
        + &lines(&[("state", step.state), ("scratch", step.scratch), ("logits", step.logits)])
}

fn training_lines(args: &InspectArgs, memory: TrainingMemory) -> String {
    let (batch, window) = (args.batch, args.window);
    let parts = [
        ("weights", memory.weights),
        ("gradients", memory.gradients),
        ("optimizer (adam)", memory.optimizer),
        ("state", memory.state),
        ("tape", memory.tape),
        ("scratch", memory.scratch),
        ("packed weights", memory.pack),
        ("total", memory.total()),
    ];
    format!("bytes of RAM to train with --batch {batch} --window {window}\n") + &lines(&parts)
}

fn object(network: &Network, step: StepMemory, memory: TrainingMemory) -> Value {
    let (cell, file) = (network.shape().cell, network.file());
    let tensor = |t: &Tensor| json!({ "name": t.name, "shape": [t.rows, t.columns] });
    let weights: Vec<Value> = tensors(network.shape()).iter().map(tensor).collect();
    json!({
        "cell": cell.kind().name(),
        "activation": activation(network),
        "inputs": cell.inputs(),
        "hidden": cell.hidden(),
        "outputs": network.shape().outputs,
        "alphabet": alphabet(network),
        "vocabulary": symbols(network),
        "clean": network.clean().name(),
        "parameters": file.weights.len(),
        "file_bytes": file.byte_len(),
        "weights": weights,
        "step_bytes": { "state": step.state, "scratch": step.scratch, "logits": step.logits },
        "training_bytes": {
            "weights": memory.weights,
            "gradients": memory.gradients,
            "optimizer": memory.optimizer,
            "state": memory.state,
            "tape": memory.tape,
            "scratch": memory.scratch,
            "pack": memory.pack,
            "total": memory.total(),
        },
    })
}

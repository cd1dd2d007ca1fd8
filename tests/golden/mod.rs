//! Reads the golden files that `make.py` made with `PyTorch`; the script says what each field means.
//!
//! Numbers are f64. Weights, states and inputs are exact in f32, so casting them loses nothing.

use std::path::Path;

use serde_json::Value;

/// The names of all golden files, for tests that go through all of them.
pub const NAMES: [&str; 23] = [
    "elman_tanh_tokens",
    "elman_relu_tokens",
    "elman_tanh_vectors",
    "elman_relu_vectors",
    "elman_mixed",
    "feedforward_tokens",
    "feedforward_vectors",
    "char_rnn",
    "gru_tokens",
    "gru_vectors",
    "lstm_tokens",
    "lstm_vectors",
    "gru_two_layers",
    "lstm_two_layers",
    "embedding_gru",
    "embedding_lstm",
    "elman_two_layers",
    "gru_huber",
    "gru_last",
    "lstm_mean",
    "elman_lengths",
    "lstm_last_lengths",
    "gru_mean_lengths",
];

/// Named tensors in the order of the flat vector, each row-major.
#[derive(Clone, Debug)]
pub struct Tensors(pub Vec<(String, Vec<f64>)>);

/// One golden file.
#[derive(Clone, Debug)]
pub struct Golden {
    /// `elman`, `gru`, `lstm` or `feedforward`, and hidden units, of each layer from the inputs up.
    pub layers: Vec<(String, usize)>,
    /// `tanh` or `relu`.
    pub activation: String,
    /// δ, if the loss is Huber's.
    pub delta: Option<f64>,
    /// `last` or `mean`, if a sequence has one target.
    pub readout: Option<String>,
    /// d.
    pub inputs: usize,
    /// h, of the last layer.
    pub hidden: usize,
    /// q.
    pub outputs: usize,
    /// B.
    pub batch: usize,
    /// T.
    pub steps: usize,
    /// The parameters before training.
    pub weights: Tensors,
    /// The state before the first window (B × h; for `lstm` B × 2h, h and then c; of several layers one after
    /// another; empty for a cell without one).
    pub state: Vec<f64>,
    /// Three windows, one after the other.
    pub windows: Vec<Window>,
    /// What the first window gives before any training.
    pub first: First,
    /// Three ways of training over the three windows.
    pub runs: Vec<Run>,
}

/// T steps of B sequences, time-major: row t·B + b.
#[derive(Clone, Debug)]
pub struct Window {
    /// T·B tokens, or T·B × d numbers.
    pub x: Rows,
    /// T·B tokens (cross-entropy), or T·B × q numbers (half the squared distance, or Huber's loss); with a readout, B in the
    /// place of T·B. Losses are means over all that count.
    pub targets: Rows,
    /// The steps of each sequence, if they are not all T.
    pub lengths: Option<Vec<usize>>,
}

/// Inputs or targets.
#[derive(Clone, Debug)]
pub enum Rows {
    /// One token per row.
    Tokens(Vec<usize>),
    /// One vector per row.
    Vectors(Vec<f64>),
}

/// Forward and backward pass over the first window.
#[derive(Clone, Debug)]
pub struct First {
    /// Hidden values (T·B × h).
    pub h: Vec<f64>,
    /// Outputs (T·B × q).
    pub logits: Vec<f64>,
    /// Mean loss.
    pub loss: f64,
    /// State after the window (B × h).
    pub state: Vec<f64>,
    /// Gradients of the parameters.
    pub gradients: Tensors,
    /// Gradient of the initial state (B × h).
    pub d_state: Vec<f64>,
    /// Gradient of the inputs (T·B × d), empty for tokens.
    pub d_x: Vec<f64>,
}

/// One optimiser step on each window, with the state carried on.
#[derive(Clone, Debug)]
pub struct Run {
    /// The rule with its settings.
    pub optimizer: Optimizer,
    /// The largest norm of the gradient, if it is clipped.
    pub clip: Option<f64>,
    /// Mean loss of each window.
    pub losses: Vec<f64>,
    /// Global norm of each window's gradient before clipping.
    pub norms: Vec<f64>,
    /// The parameters after the last window.
    pub weights: Tensors,
    /// The state after the last window.
    pub state: Vec<f64>,
}

/// The rule of a run.
#[derive(Clone, Copy, Debug)]
pub enum Optimizer {
    /// v ← μ v + g, w ← w − η v.
    Sgd { lr: f64, momentum: f64 },
    /// Adam with decoupled weight decay on every parameter, ε outside the root.
    AdamW { lr: f64, betas: (f64, f64), eps: f64, weight_decay: f64 },
}

impl Tensors {
    /// All tensors one after the other.
    pub fn flat(&self) -> Vec<f64> {
        self.0.iter().flat_map(|(_, values)| values.iter().copied()).collect()
    }

    /// The tensor of this name.
    pub fn get(&self, name: &str) -> &[f64] {
        let found = self.0.iter().find(|(own, _)| own == name);
        &found.unwrap_or_else(|| panic!("no tensor {name}")).1
    }
}

/// Reads the file `name`.json of this directory.
pub fn load(name: &str) -> Golden {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name).with_extension("json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let json: Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));

    let order: Vec<&str> = list(&json["order"]).iter().map(string).collect();
    Golden {
        layers: layers(&json),
        activation: string(&json["activation"]).into(),
        delta: json["delta"].as_f64(),
        readout: json["readout"].as_str().map(String::from),
        inputs: size(&json["inputs"]),
        hidden: size(&json["hidden"]),
        outputs: size(&json["outputs"]),
        batch: size(&json["batch"]),
        steps: size(&json["steps"]),
        weights: tensors(&json["weights"], &order),
        state: numbers(&json["state"]),
        windows: list(&json["windows"]).iter().map(window).collect(),
        first: first(&json["first"], &order),
        runs: list(&json["runs"]).iter().map(|json| run(json, &order)).collect(),
    }
}

/// All layers are alike; an embedding or a layer that is wider or narrower lies below them.
fn layers(json: &Value) -> Vec<(String, usize)> {
    let depth = json["layers"].as_u64().unwrap_or(1);
    let cells = (0..depth).map(|_| (string(&json["cell"]).into(), size(&json["hidden"])));
    let below = [("embedding", "embedding"), ("below", string(&json["cell"]))];
    let below = below.into_iter().filter(|(field, _)| !json[field].is_null());
    below.map(|(field, kind)| (kind.into(), size(&json[field]))).chain(cells).collect()
}

fn window(json: &Value) -> Window {
    let x = if json["tokens"].is_null() { &json["vectors"] } else { &json["tokens"] };
    let lengths = json["lengths"].as_array().map(|lengths| lengths.iter().map(size).collect());
    Window { x: rows(x), targets: rows(&json["targets"]), lengths }
}

fn first(json: &Value, order: &[&str]) -> First {
    let gradients = &json["gradients"];
    First {
        h: numbers(&json["h"]),
        logits: numbers(&json["logits"]),
        loss: number(&json["loss"]),
        state: numbers(&json["state"]),
        gradients: tensors(gradients, order),
        d_state: numbers(&gradients["state"]),
        d_x: numbers(&gradients["x"]),
    }
}

fn run(json: &Value, order: &[&str]) -> Run {
    Run {
        optimizer: optimizer(json),
        clip: json["clip"].as_f64(),
        losses: numbers(&json["losses"]),
        norms: numbers(&json["norms"]),
        weights: tensors(&json["weights"], order),
        state: numbers(&json["state"]),
    }
}

fn optimizer(json: &Value) -> Optimizer {
    let lr = number(&json["lr"]);
    match string(&json["optimizer"]) {
        "sgd" => Optimizer::Sgd { lr, momentum: number(&json["momentum"]) },
        "adamw" => Optimizer::AdamW {
            lr,
            betas: (number(&json["betas"][0]), number(&json["betas"][1])),
            eps: number(&json["eps"]),
            weight_decay: number(&json["weight_decay"]),
        },
        other => panic!("unknown optimizer {other}"),
    }
}

fn tensors(json: &Value, order: &[&str]) -> Tensors {
    Tensors(order.iter().map(|&name| (name.into(), numbers(&json[name]))).collect())
}

/// Tokens are written as integers, vectors with a decimal point.
fn rows(json: &Value) -> Rows {
    if list(json).iter().all(Value::is_u64) {
        Rows::Tokens(list(json).iter().map(size).collect())
    } else {
        Rows::Vectors(numbers(json))
    }
}

fn list(json: &Value) -> &[Value] {
    json.as_array().expect("a list")
}

fn numbers(json: &Value) -> Vec<f64> {
    list(json).iter().map(number).collect()
}

fn number(json: &Value) -> f64 {
    json.as_f64().expect("a number")
}

fn size(json: &Value) -> usize {
    usize::try_from(json.as_u64().expect("a whole number")).expect("a size")
}

fn string(json: &Value) -> &str {
    json.as_str().expect("a string")
}

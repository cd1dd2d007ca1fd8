#!/usr/bin/env python3
"""Makes the golden files of this directory with PyTorch:  python3 tests/golden/make.py

It needs nothing but `torch` (the CPU build will do) and writes one small JSON file per case, the same bytes each
time on one version of PyTorch.  The files are committed, so only those who add a case need to run it.

A case is a network, an initial state and three windows in a row.  A file holds, all in our notation and layout:

  cell, layers (if there are several), embedding (if there is one), activation, loss, inputs, hidden, outputs, batch, steps
  order      the names of the parameters in the order of the flat vector
  weights    every parameter before training, as matrices of rows, so that  H_t = phi(X_t W_xh + H_{t-1} W_hh + b_h)
  state      the state before the first window (batch x hidden; empty without memory)
  windows    three of { tokens | vectors, targets }, time-major: row  t * batch + b  is step t of sequence b
  first      the first window before any training: h (hidden values of each step), logits, loss, state (after the
             window), gradients of every parameter, of the initial state ("state") and of vector inputs ("x")
  runs       training over the three windows, from the same weights and state, the state carried from window to
             window and detached: the rule, then losses and gradient norms before clipping, final weights and state

GRU and LSTM have several gates: each parameter's file holds them side by side, the columns of one after those of the
other. Of a GRU, r and z are in w_xg, w_hg and b_g, the candidate in w_xn, w_hn, b_xn and b_hn. The state of an LSTM is, of
each sequence, h and then c. With several "layers", a parameter's name begins with its layer's number, and the state is that of
the first layer, then that of the second. An "embedding" counts as the first of several layers; w_e has a row for each
token.

PyTorch stores the transposes of our matrices, so each one is transposed on its way in and out.  `torch.nn.RNN` has
two biases that are added to each other; `bias_ih_l0` is our b_h, `bias_hh_l0` is held at zero and never trained,
because two trained biases would take two steps in the place of one. It is the same with GRU and LSTM, but for the
GRU's b_hn, which is within the reach of its reset gate.

Everything is computed in float64.  Weights, states and inputs are multiples of 1/1024 below 1: exact in float32
and short in decimal.  Losses are means over batch * steps of the cross-entropy or of half the squared distance.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.func import functional_call

HERE = Path(__file__).resolve().parent
WINDOWS = 3


@dataclass(frozen=True)
class Case:
    """One golden file.  `seed` draws every number in it."""

    name: str
    cell: str  # "elman", "gru", "lstm" or "feedforward"
    activation: str  # "tanh" or "relu"
    x: str  # "tokens" or "vectors"
    loss: str  # "cross_entropy" (with token targets) or "squared_error" (with vector targets)
    clip: float  # the largest norm of the gradient in the run by plain gradient descent
    seed: int
    inputs: int = 5
    hidden: int = 7
    outputs: int = 6
    batch: int = 3
    steps: int = 4
    layers: int = 1
    embedding: int = 0  # elements of a vector for each token; 0 for one-hot


# Cells with gates have many weights.
SMALL = {"inputs": 3, "batch": 2, "steps": 3}
# Inputs, hidden units, steps and batch all differ.
DEEP = {"inputs": 2, "batch": 5, "hidden": 3, "steps": 4, "layers": 2}

CASES = [
    Case("elman_tanh_tokens", "elman", "tanh", "tokens", "cross_entropy", clip=0.5, seed=1),
    Case("elman_relu_tokens", "elman", "relu", "tokens", "cross_entropy", clip=0.5, seed=2),
    Case("elman_tanh_vectors", "elman", "tanh", "vectors", "squared_error", clip=1.25, seed=3),
    Case("elman_relu_vectors", "elman", "relu", "vectors", "squared_error", clip=0.875, seed=4),
    Case("elman_mixed", "elman", "tanh", "vectors", "cross_entropy", clip=0.625, seed=5),
    Case("feedforward_tokens", "feedforward", "tanh", "tokens", "cross_entropy", clip=0.375, seed=6),
    Case("feedforward_vectors", "feedforward", "relu", "vectors", "squared_error", clip=0.75, seed=7),
    # A language model: inputs and outputs are one vocabulary.
    Case("char_rnn", "elman", "tanh", "tokens", "cross_entropy", clip=0.625, seed=8, inputs=6, outputs=6, hidden=9),
    Case("gru_tokens", "gru", "tanh", "tokens", "cross_entropy", clip=0.5, seed=263, **SMALL, hidden=5, outputs=4),
    Case("gru_vectors", "gru", "tanh", "vectors", "squared_error", clip=0.75, seed=45, **SMALL, hidden=5, outputs=4),
    Case("lstm_tokens", "lstm", "tanh", "tokens", "cross_entropy", clip=0.25, seed=176, **SMALL, hidden=4, outputs=5),
    Case("lstm_vectors", "lstm", "tanh", "vectors", "squared_error", clip=0.875, seed=72, **SMALL, hidden=4, outputs=5),
    Case("gru_two_layers", "gru", "tanh", "vectors", "squared_error", clip=0.75, seed=1029, **DEEP, outputs=5),
    Case("lstm_two_layers", "lstm", "tanh", "tokens", "cross_entropy", clip=0.25, seed=7734, **DEEP, outputs=5),
    Case("embedding_gru", "gru", "tanh", "tokens", "cross_entropy", clip=0.5, seed=9, **SMALL, embedding=2, hidden=4, outputs=5),
    Case("embedding_lstm", "lstm", "tanh", "tokens", "cross_entropy", clip=0.25, seed=69, **SMALL, embedding=2, hidden=4, outputs=4),
]


class Elman(nn.Module):
    """`torch.nn.RNN` and an output layer.  `parts` maps our names to PyTorch's parameters."""

    def __init__(self, case):
        super().__init__()
        self.rnn = nn.RNN(case.inputs, case.hidden, nonlinearity=case.activation, batch_first=False)
        self.dense = nn.Linear(case.hidden, case.outputs)
        self.rnn.bias_hh_l0.requires_grad_(False).zero_()
        self.parts = {
            "w_xh": self.rnn.weight_ih_l0,
            "w_hh": self.rnn.weight_hh_l0,
            "b_h": self.rnn.bias_ih_l0,
            "w_hq": self.dense.weight,
            "b_q": self.dense.bias,
        }

    def forward(self, x, state):
        h, state = self.rnn(x, state.unsqueeze(0))
        return h, self.dense(h), state.squeeze(0)


class Feedforward(nn.Module):
    """A hidden layer without memory and an output layer; its state has no numbers."""

    def __init__(self, case):
        super().__init__()
        self.hidden = nn.Linear(case.inputs, case.hidden)
        self.activation = {"tanh": nn.Tanh, "relu": nn.ReLU}[case.activation]()
        self.dense = nn.Linear(case.hidden, case.outputs)
        self.parts = {
            "w_xh": self.hidden.weight,
            "b_h": self.hidden.bias,
            "w_hq": self.dense.weight,
            "b_q": self.dense.bias,
        }

    def forward(self, x, state):
        h = self.activation(self.hidden(x))
        return h, self.dense(h), state


class Gated(nn.Module):
    """`torch.nn.GRU` or `torch.nn.LSTM` and an output layer.

    PyTorch has the gates of a GRU in one matrix, r, z and n, and so one parameter for several of ours: `masters` are
    ours, leaves of the graph, one dictionary for each layer, and PyTorch's cell is called with what they make.
    """

    def __init__(self, case):
        super().__init__()
        width = case.embedding or case.inputs
        self.rnn = {"gru": nn.GRU, "lstm": nn.LSTM}[case.cell](width, case.hidden, case.layers)
        self.dense = nn.Linear(case.hidden, case.outputs)
        self.masters, self.parts, self.vectors = nn.ModuleList(), {}, None
        if case.embedding:
            self.vectors = nn.Parameter(torch.zeros(case.embedding, case.inputs))
            self.parts["1.w_e"] = self.vectors
        for layer in range(case.layers):
            shapes = self.shapes(case.cell, case.hidden if layer else width, case.hidden)
            own = nn.ParameterDict({name: nn.Parameter(torch.zeros(shape)) for name, shape in shapes.items()})
            self.masters.append(own)
            below = 1 if case.embedding else 0
            prefix = f"{layer + 1 + below}." if case.layers + below > 1 else ""
            self.parts |= {prefix + name: own[name] for name in shapes}
        self.parts |= {"w_hq": self.dense.weight, "b_q": self.dense.bias}

    @staticmethod
    def shapes(cell, d, h):
        """Our parameters of a layer in their order, each transposed."""
        if cell == "lstm":
            return {"w_x": (4 * h, d), "w_h": (4 * h, h), "b": (4 * h,)}
        gates = {"w_xg": (2 * h, d), "w_hg": (2 * h, h), "b_g": (2 * h,)}
        return gates | {"w_xn": (h, d), "w_hn": (h, h), "b_xn": (h,), "b_hn": (h,)}

    def torch_parameters(self, p):
        """PyTorch's four parameters of a layer, made of ours."""
        h = self.rnn.hidden_size
        if isinstance(self.rnn, nn.LSTM):
            return p["w_x"], p["w_h"], p["b"], torch.zeros_like(p["b"])
        nothing = torch.zeros(2 * h, dtype=p["b_hn"].dtype)
        return (
            torch.cat([p["w_xg"], p["w_xn"]]),
            torch.cat([p["w_hg"], p["w_hn"]]),
            torch.cat([p["b_g"], p["b_xn"]]),
            torch.cat([nothing, p["b_hn"]]),
        )

    def forward(self, x, state):
        if self.vectors is not None:
            x = nn.functional.embedding(x.argmax(dim=2), self.vectors.T)
        own = {}
        for layer, masters in enumerate(self.masters):
            names = (f"{name}_l{layer}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
            own |= zip(names, self.torch_parameters(masters))
        state = torch.stack(state.chunk(len(self.masters), dim=1))
        if isinstance(self.rnn, nn.LSTM):
            state = tuple(half.contiguous() for half in state.chunk(2, dim=2))
        h, state = functional_call(self.rnn, own, (x, state))
        if isinstance(self.rnn, nn.LSTM):
            state = torch.cat(state, dim=2)
        return h, self.dense(h), torch.cat(tuple(state), dim=1)


NETWORKS = {"elman": Elman, "feedforward": Feedforward, "gru": Gated, "lstm": Gated}
# Numbers that a sequence carries from step to step, for each hidden unit.
STATES = {"elman": 1, "feedforward": 0, "gru": 1, "lstm": 2}


class Draw:
    """Reproducible numbers from Python's own generator, whose sequence does not change between versions."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def numbers(self, *shape, below=1.0):
        """Multiples of 1/1024 between -below and below."""
        end = round(below * 1024) - 1
        flat = [self.random.randint(-end, end) / 1024 for _ in range(torch.Size(shape).numel())]
        return torch.tensor(flat, dtype=torch.float64).reshape(shape)

    def tokens(self, count, vocabulary):
        return torch.tensor([self.random.randrange(vocabulary) for _ in range(count)])


@dataclass
class Window:
    """`given` and `wanted` are tokens or vectors as they go to the file, `x` is what the network reads."""

    given: torch.Tensor
    wanted: torch.Tensor
    x: torch.Tensor


def draw_window(case, draw):
    rows = case.steps * case.batch
    tokens = case.x == "tokens"
    given = draw.tokens(rows, case.inputs) if tokens else draw.numbers(rows, case.inputs)
    x = nn.functional.one_hot(given, case.inputs).double() if tokens else given
    if case.loss == "cross_entropy":
        wanted = draw.tokens(rows, case.outputs)
    else:
        wanted = draw.numbers(rows, case.outputs)
    return Window(given, wanted, x.reshape(case.steps, case.batch, case.inputs))


def loss_of(case, logits, wanted):
    """The mean over all rows."""
    rows = logits.reshape(-1, case.outputs)
    if case.loss == "cross_entropy":
        return nn.functional.cross_entropy(rows, wanted, reduction="mean")
    return (0.5 * (rows - wanted) ** 2).sum(dim=1).mean()


def build(case, weights):
    """A network with these weights, given in our layout."""
    network = NETWORKS[case.cell](case).double()
    with torch.no_grad():
        for name, part in network.parts.items():
            part.copy_(weights[name].T if weights[name].dim() == 2 else weights[name])
    return network


def ours(tensor):
    """A tensor of PyTorch's in our layout, row-major in one list."""
    return (tensor.T if tensor.dim() == 2 else tensor).flatten().tolist()


def flat(tensor):
    return tensor.flatten().tolist()


def check_kinks(case, network, x, state):
    """Rectified units must not sit near their kink, where float32 could see the other side of it."""
    if case.activation != "relu":
        return
    parts = network.parts
    for x_t in x:
        z = x_t @ parts["w_xh"].T + parts["b_h"]
        if case.cell == "elman":
            z = z + state @ parts["w_hh"].T
            state = z.relu()
        assert z.abs().min() > 1e-4, f"{case.name}: a unit is near its kink, take another seed"


def check_sizes(case, parts):
    """Adam magnifies tiny gradients, and with them the rounding of float32: each is zero or well above it."""
    gradients = torch.cat([part.grad.flatten() for part in parts])
    smallest = gradients[gradients != 0].abs().min()
    assert smallest > 1e-5, f"{case.name}: a gradient of {smallest:.0e}, take another seed"


def first_window(case, weights, state, window):
    """Forward, loss and every gradient."""
    network = build(case, weights)
    x = window.x.clone().requires_grad_(case.x == "vectors")
    state = state.clone().requires_grad_(state.numel() > 0)
    check_kinks(case, network, x, state)
    h, logits, state_after = network(x, state)
    loss = loss_of(case, logits, window.wanted)
    loss.backward()
    gradients = {name: ours(part.grad) for name, part in network.parts.items()}
    gradients["state"] = flat(state.grad) if state.requires_grad else []
    gradients["x"] = flat(x.grad) if x.requires_grad else []
    return {
        "h": flat(h),
        "logits": flat(logits),
        "loss": loss.item(),
        "state": flat(state_after),
        "gradients": gradients,
    }


def rules(case):
    """The three ways to train: settings as they go to the file, and the optimiser of PyTorch."""
    sgd = {"optimizer": "sgd", "lr": 0.5, "momentum": 0.0, "clip": case.clip}
    momentum = {"optimizer": "sgd", "lr": 0.125, "momentum": 0.875, "clip": None}
    adam = {"lr": 0.03125, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.25}
    adamw = {"optimizer": "adamw", **adam, "clip": None}
    yield sgd, lambda parts: torch.optim.SGD(parts, lr=sgd["lr"])
    yield momentum, lambda parts: torch.optim.SGD(parts, lr=momentum["lr"], momentum=momentum["momentum"])
    yield adamw, lambda parts: torch.optim.AdamW(parts, **adam)


def clip_gradients(parts, max_norm):
    """Scales by min(1, max_norm / norm) and returns the norm; torch's own function adds 1e-6 to the norm."""
    norm = torch.cat([part.grad.flatten() for part in parts]).norm()
    if max_norm is not None:
        scale = min(1.0, max_norm / norm.item())
        for part in parts:
            part.grad.mul_(scale)
    return norm.item()


def run(case, weights, state, windows, rule, make_optimizer):
    """One step of training on each window."""
    network = build(case, weights)
    parts = list(network.parts.values())
    optimizer = make_optimizer(parts)
    losses, norms = [], []
    for window in windows:
        check_kinks(case, network, window.x, state)
        optimizer.zero_grad()
        _, logits, state = network(window.x, state)
        state = state.detach()
        loss = loss_of(case, logits, window.wanted)
        loss.backward()
        check_sizes(case, parts)
        norms.append(clip_gradients(parts, rule["clip"]))
        optimizer.step()
        losses.append(loss.item())
    if rule["clip"] is not None:
        clipped = [norm > rule["clip"] for norm in norms]
        assert any(clipped) and not all(clipped), f"{case.name}: clip some steps, not all: {norms}"
    final = {name: ours(part.detach()) for name, part in network.parts.items()}
    return {**rule, "losses": losses, "norms": norms, "weights": final, "state": flat(state)}


def golden(case):
    draw = Draw(case.seed)
    shapes = {name: part.shape for name, part in NETWORKS[case.cell](case).parts.items()}
    weights = {name: draw.numbers(*reversed(shape), below=0.5) for name, shape in shapes.items()}
    state = draw.numbers(case.batch, STATES[case.cell] * case.hidden * case.layers)
    windows = [draw_window(case, draw) for _ in range(WINDOWS)]
    sizes = ("inputs", "hidden", "outputs", "batch", "steps")
    return {
        "cell": case.cell,
        **({"layers": case.layers} if case.layers > 1 else {}),
        **({"embedding": case.embedding} if case.embedding else {}),
        "activation": case.activation,
        "loss": case.loss,
        **{size: getattr(case, size) for size in sizes},
        "order": list(shapes),
        "weights": {name: flat(weight) for name, weight in weights.items()},
        "state": flat(state),
        "windows": [{case.x: flat(w.given), "targets": flat(w.wanted)} for w in windows],
        "first": first_window(case, weights, state, windows[0]),
        "runs": [run(case, weights, state, windows, *rule) for rule in rules(case)],
    }


def text(value, indent=""):
    """JSON with a line for each list of numbers, so that a change shows where it is."""
    inner = indent + " "
    if isinstance(value, dict):
        lines = [f"{inner}{json.dumps(key)}: {text(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(inner + text(item, inner) for item in value) + f"\n{indent}]"
    return json.dumps(value)


def main():
    torch.set_num_threads(1)
    for case in CASES:
        path = HERE / f"{case.name}.json"
        path.write_text(text(golden(case)) + "\n", encoding="utf-8")
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()

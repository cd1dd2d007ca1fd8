#!/usr/bin/env python3
"""Makes the golden files of this directory with PyTorch:  python3 tests/golden/make.py

It needs nothing but `torch` (the CPU build will do) and writes one small JSON file per case, the same bytes each
time on one version of PyTorch.  The files are committed, so only those who add a case need to run it.

A case is a network, an initial state and three windows in a row.  A file holds, all in our notation and layout:

  cell, layers (if there are several), below (hidden units of a layer below, if there is one), embedding (if there is
             one), activation, loss, delta (of Huber's loss), readout ("last" or "mean", if a sequence has one target),
             inputs, hidden, outputs, batch, steps
  order      the names of the parameters in the order of the flat vector
  weights    every parameter before training, as matrices of rows, so that  H_t = phi(X_t W_xh + H_{t-1} W_hh + b_h)
  state      the state before the first window (batch x hidden; empty without memory)
  windows    three of { tokens | vectors, targets, lengths }, time-major: row  t * batch + b  is step t of sequence b; with a
             readout there is a target for each sequence; lengths only if sequences are shorter than the window
  first      the first window before any training: h (hidden values of each step), logits, loss, state (after the
             window), gradients of every parameter, of the initial state ("state") and of vector inputs ("x")
  runs       training over the three windows, from the same weights and state, the state carried from window to
             window and detached: the rule, then losses and gradient norms before clipping, final weights and state

GRU and LSTM have several gates: each parameter's file holds them side by side, the columns of one after those of the
other. Of a GRU, r and z are in w_xg, w_hg and b_g, the candidate in w_xn, w_hn, b_xn and b_hn. The state of an LSTM is, of
each sequence, h and then c. With several "layers", a parameter's name begins with its layer's number, and the state is that of
the first layer, then that of the second. An "embedding" counts as the first of several layers, as does the layer "below";
w_e has a row for each token.

PyTorch stores the transposes of our matrices, so each one is transposed on its way in and out.  `torch.nn.RNN` has
two biases that are added to each other; `bias_ih_l0` is our b_h, `bias_hh_l0` is held at zero and never trained,
because two trained biases would take two steps in the place of one. It is the same with GRU and LSTM, but for the
GRU's b_hn, which is within the reach of its reset gate.

Everything is computed in float64.  Weights, states and inputs are multiples of 1/1024 below 1: exact in float32
and short in decimal.  Losses are means over all targets (batch * steps, or fewer: see objective.py) of the cross-entropy, of
half the squared distance or of Huber's loss. Steps after the end of a sequence are computed as the others are, but have no
targets, and its state is zero after the window.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from networks import NETWORKS, STATES
from objective import loss_of, state_after

HERE = Path(__file__).resolve().parent
WINDOWS = 3


@dataclass(frozen=True)
class Case:
    """One golden file.  `seed` draws every number in it."""

    name: str
    cell: str  # "elman", "gru", "lstm" or "feedforward"
    activation: str  # "tanh" or "relu"
    x: str  # "tokens" or "vectors"
    loss: str  # "cross_entropy" (with token targets), "squared_error" or "huber" (with vector targets)
    clip: float  # the largest norm of the gradient in the run by plain gradient descent
    seed: int
    inputs: int = 5
    hidden: int = 7
    outputs: int = 6
    batch: int = 3
    steps: int = 4
    layers: int = 1
    below: int = 0  # hidden units of a layer below the others; 0 for none
    embedding: int = 0  # elements of a vector for each token; 0 for one-hot
    delta: float | None = None  # of Huber's loss
    readout: str | None = None  # "last" or "mean": a target for each sequence; else for each step
    lengths: tuple[tuple[int, ...], ...] = ()  # of each window's sequences; else all are as long as the window


# Cells with gates have many weights.
SMALL = {"inputs": 3, "batch": 2, "steps": 3}
# Inputs, hidden units, steps and batch all differ.
DEEP = {"inputs": 2, "batch": 5, "hidden": 3, "steps": 4, "layers": 2}
# Sequences with one target, and lengths of theirs: whole windows, parts of them and nothing.
READ = {"inputs": 2, "batch": 3, "steps": 4}
LENGTHS = ((4, 1, 2), (3, 0, 4), (2, 4, 1))

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
    Case(
        "embedding_gru", "gru", "tanh", "tokens", "cross_entropy",
        clip=0.5, seed=9, **SMALL, embedding=2, hidden=4, outputs=5,
    ),
    Case(
        "embedding_lstm", "lstm", "tanh", "tokens", "cross_entropy",
        clip=0.25, seed=69, **SMALL, embedding=2, hidden=4, outputs=4,
    ),
    Case(
        "elman_two_layers", "elman", "tanh", "vectors", "squared_error",
        clip=0.75, seed=10, inputs=5, below=4, hidden=3, outputs=6, batch=2, steps=7,
    ),
    Case("gru_huber", "gru", "tanh", "vectors", "huber", delta=0.5, clip=0.5, seed=18, **SMALL, hidden=4, outputs=5),
    # A target for each sequence, at its end or from all of it.
    Case(
        "gru_last", "gru", "tanh", "vectors", "cross_entropy",
        readout="last", clip=0.5, seed=85, **READ, hidden=5, outputs=6,
    ),
    Case(
        "lstm_mean", "lstm", "tanh", "vectors", "squared_error",
        readout="mean", clip=0.5, seed=2289, **READ, hidden=5, outputs=6,
    ),
    # The same three ways with sequences of several lengths.
    Case(
        "elman_lengths", "elman", "tanh", "tokens", "cross_entropy",
        lengths=LENGTHS, clip=0.5, seed=12, **READ, hidden=6, outputs=5,
    ),
    Case(
        "lstm_last_lengths", "lstm", "tanh", "vectors", "huber",
        delta=0.75, readout="last", lengths=LENGTHS, clip=0.5, seed=256, **READ, hidden=5, outputs=6,
    ),
    Case(
        "gru_mean_lengths", "gru", "tanh", "vectors", "cross_entropy",
        readout="mean", lengths=LENGTHS, clip=0.5, seed=85, **READ, hidden=5, outputs=6,
    ),
]


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
    lengths: torch.Tensor


def draw_window(case, draw, index):
    rows = case.steps * case.batch
    targets = case.batch if case.readout else rows
    tokens = case.x == "tokens"
    given = draw.tokens(rows, case.inputs) if tokens else draw.numbers(rows, case.inputs)
    x = nn.functional.one_hot(given, case.inputs).double() if tokens else given
    if case.loss == "cross_entropy":
        wanted = draw.tokens(targets, case.outputs)
    else:
        wanted = draw.numbers(targets, case.outputs)
    lengths = torch.tensor(case.lengths[index] if case.lengths else [case.steps] * case.batch)
    return Window(given, wanted, x.reshape(case.steps, case.batch, case.inputs), lengths)


def in_file(case, window):
    """A window as it goes to the file."""
    lengths = {"lengths": flat(window.lengths)} if case.lengths else {}
    return {case.x: flat(window.given), "targets": flat(window.wanted), **lengths}


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
    h, logits, last = network(x, state)
    loss = loss_of(case, logits, window)
    loss.backward()
    gradients = {name: ours(part.grad) for name, part in network.parts.items()}
    gradients["state"] = flat(state.grad) if state.requires_grad else []
    gradients["x"] = flat(x.grad) if x.requires_grad else []
    return {
        "h": flat(h),
        "logits": flat(logits),
        "loss": loss.item(),
        "state": flat(state_after(case, last, window.lengths)),
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
        state = state_after(case, state.detach(), window.lengths)
        loss = loss_of(case, logits, window)
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
    state = draw.numbers(case.batch, STATES[case.cell] * (case.below + case.hidden * case.layers))
    windows = [draw_window(case, draw, index) for index in range(WINDOWS)]
    sizes = ("inputs", "hidden", "outputs", "batch", "steps")
    return {
        "cell": case.cell,
        **({"layers": case.layers} if case.layers > 1 else {}),
        **{name: getattr(case, name) for name in ("below", "embedding") if getattr(case, name)},
        "activation": case.activation,
        "loss": case.loss,
        **{name: getattr(case, name) for name in ("delta", "readout") if getattr(case, name)},
        **{size: getattr(case, size) for size in sizes},
        "order": list(shapes),
        "weights": {name: flat(weight) for name, weight in weights.items()},
        "state": flat(state),
        "windows": [in_file(case, window) for window in windows],
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

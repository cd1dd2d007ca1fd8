#!/usr/bin/env python3
"""Loads what recurve has exported into PyTorch, and compares the two:  python3 tests/golden/torch_load.py target/release/recurve

It needs `torch` and `safetensors` (pip install torch safetensors), and the command, built with `--features cli`.

Each NAME.before.safetensors of torch/, whose modules call their parts by all kinds of names, is imported and exported again.
A module that calls its parts as recurve does, `rnn`, `head` and `embedding`, must take what comes out with `strict=True`, and
in float64 its logits for text.txt must be those of a module with the weights that went in, to 1e-6 of the largest. What
recurve itself makes of the exported weights is compared by the perplexity of the text.

A network that reads numbers goes the same way, with the means and deviations of its inputs.
"""

import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import safetensors
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from torch_steps import CASES, HERE, Parts


class Net(nn.Module):
    """A case's module with the names that recurve writes."""

    def __init__(self, case, symbols):
        super().__init__()
        width = case.embedding or symbols
        self.rnn = case.module(width, case.hidden, case.layers, **dict(case.more))
        self.head = nn.Linear(case.hidden, symbols)
        self.embedding = nn.Embedding(symbols, width) if case.embedding else None
        self.symbols = symbols

    def forward(self, tokens):
        one_hot = lambda: nn.functional.one_hot(tokens, self.symbols).to(self.head.weight.dtype)
        x = self.embedding(tokens) if self.embedding else one_hot()
        return self.head(self.rnn(x)[0])


def run(command, *words):
    done = subprocess.run([command, *map(str, words)], check=True, capture_output=True, encoding="utf-8")
    return done.stdout


def compare(command, case, text, folder):
    before, model, after = HERE / f"{case.name}.before.safetensors", folder / "m.rcv", folder / "m.safetensors"
    activation = dict(case.more).get("nonlinearity")
    run(command, "import", before, "--out", model, *(["--activation", activation] if activation else []))
    run(command, "export", model, "--safetensors", after)
    with safe_open(after, "pt") as file:
        symbols = json.loads(file.metadata()["vocabulary"])
    tokens = torch.tensor([symbols.index(symbol) for symbol in text])
    theirs, ours = Parts(case, len(symbols)), Net(case, len(symbols))
    theirs.load_state_dict(load_file(before), strict=True)
    ours.load_state_dict(load_file(after), strict=True)
    with torch.no_grad():
        expected, _ = theirs.double()(tokens, None)
        logits = ours.double()(tokens)
        nats = nn.functional.cross_entropy(logits[:-1], tokens[1:]).item()
    off = ((logits - expected).abs().max() / expected.abs().max()).item()
    measured = json.loads(run(command, "eval", model, HERE / "text.txt", "--json"))["nats_per_token"]
    print(f"{case.name}: logits differ by {off:.1e}, nats per token by {abs(measured - nats):.1e}")
    assert off < 1e-6 and math.isclose(measured, nats, rel_tol=1e-5), case.name


class Sensor(nn.Module):
    """Reads three numbers, and makes four of them."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 5, num_layers=2)
        self.head = nn.Linear(5, 4)

    def forward(self, x):
        return self.head(self.rnn(x)[0])


def compare_readings(command, folder):
    torch.manual_seed(1)
    theirs, ours = Sensor(), Sensor()
    before, model, after = folder / "before", folder / "m.rcv", folder / "after"
    metadata = {"input_mean": "[1,-2.5,300]", "input_deviation": "[1,2,0.1]"}
    save_file(theirs.state_dict(), before, metadata=metadata)
    run(command, "import", before, "--readings", "--out", model)
    run(command, "export", model, "--safetensors", after)
    with safe_open(after, "pt") as file:
        assert metadata.items() <= file.metadata().items(), file.metadata()
    ours.load_state_dict(load_file(after), strict=True)
    x = torch.randn(20, 2, 3, dtype=torch.float64)
    with torch.no_grad():
        expected, outputs = theirs.double()(x), ours.double()(x)
    off = ((outputs - expected).abs().max() / expected.abs().max()).item()
    print(f"readings: outputs differ by {off:.1e}")
    assert off < 1e-6, "readings"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(f"torch {torch.__version__}, safetensors {safetensors.__version__}")
    text = (HERE / "text.txt").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            compare(sys.argv[1], case, text, Path(folder))
        compare_readings(sys.argv[1], Path(folder))


if __name__ == "__main__":
    main()

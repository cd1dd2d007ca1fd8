#!/usr/bin/env python3
"""Trains the network of the README's "From PyTorch to a chip":  python3 tests/golden/torch_readme.py

It needs `torch` and `safetensors` (pip install torch safetensors), and a minute.  The README's program is run as it stands
there, from a fixed seed and on one thread, in a folder whose book.txt is the repository's LICENSE-APACHE: English, in which
every letter occurs.  It writes to torch/

  readme.safetensors   what the program saves
  readme.json          nats per token of the whole text, and the 40 letters after "the " if the most probable one is always
                       taken, both computed in float64

`tests/chip.rs` imports the first and compares the second, then takes the rest of the section's way, to text on a board.
"""

import json
import shutil
import tempfile
from contextlib import chdir
from pathlib import Path

import torch
from torch import nn

HERE = Path(__file__).resolve().parent / "torch"
ROOT = HERE.parents[2]
SECTION = "#### From PyTorch to a chip\n"


def program():
    """The section's Python."""
    _, section = (ROOT / "README.md").read_text(encoding="utf-8").split(SECTION)
    return section.split("```python\n", 1)[1].split("```", 1)[0]


def train():
    """Runs the program; its variables, and the bytes that it saved."""
    variables = {"__name__": "__main__"}
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        shutil.copy(ROOT / "LICENSE-APACHE", "book.txt")
        exec(compile(program(), "README.md", "exec"), variables)
        return variables, Path("gru.safetensors").read_bytes()


def in_float64(net, symbols):
    """The network, from tokens to logits: what the program does, but for the type of the one-hot vectors."""
    net.double()
    one_hot = torch.eye(symbols, dtype=torch.float64)

    def run(tokens, state=None):
        h, state = net.rnn(one_hot[tokens], state)
        return net.head(h), state

    return run


def nats(run, tokens):
    logits, _ = run(tokens[:-1])
    return nn.functional.cross_entropy(logits, tokens[1:]).item()


def greedy(run, symbols, prefix, length):
    """What follows the prefix, and by how much the most probable letter led where that was least."""
    tokens, state, lead = torch.tensor([symbols.index(c) for c in prefix]), None, float("inf")
    written = ""
    for _ in range(length):
        logits, state = run(tokens, state)
        best, second = logits[-1].topk(2).values
        lead = min(lead, (best - second).item())
        tokens = logits[-1].argmax(keepdim=True)
        written += symbols[tokens.item()]
    return written, lead


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    variables, saved = train()
    net, tokens, symbols = (variables[name] for name in ("net", "tokens", "symbols"))
    run = in_float64(net, len(symbols))
    with torch.no_grad():
        written, lead = greedy(run, symbols, "the ", 40)
        facts = {"nats_per_token": nats(run, tokens), "after_the": written}
    assert len(symbols) == 27 and lead > 1e-3, "rounding could decide which letter is the most probable"
    (HERE / "readme.safetensors").write_bytes(saved)
    (HERE / "readme.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(f"{len(saved)} bytes, {facts}, torch {torch.__version__}")


if __name__ == "__main__":
    main()

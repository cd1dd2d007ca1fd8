#!/usr/bin/env python3
"""Makes the files of torch/ with PyTorch:  python3 tests/golden/torch_steps.py

It needs `torch` and `safetensors` (pip install torch safetensors).  For each case it writes

  NAME.before.safetensors   the state dict of a module as PyTorch initialises it, with the vocabulary in its metadata
  NAME.after.safetensors    the same after three steps of gradient descent on text.txt, with the losses in its metadata

They are the same bytes each time on one version of PyTorch.

`tests/safetensors.rs` imports the first, trains on the same text with the same settings, and compares all weights with
those of the second.  To train here as recurve does:

  - a recurrent layer has two biases that are added to each other, and training both takes two steps in the place of
    one: `bias_hh` keeps what it has, but for a GRU's candidate, whose two biases say two things;
  - a run is cut as recurve cuts it: with n tokens and batch B, sequence b is tokens b*K ... (b+1)*K - 1 with K = n // B,
    window w reads wT ... wT + T - 1 of each and predicts one more; the state is carried from window to window;
  - gradients are scaled by min(1, clip / norm); torch's own function adds 1e-6 to the norm.

Steps are computed in float64 and rounded to float32 at the end, so that what differs is recurve's rounding.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

HERE = Path(__file__).resolve().parent / "torch"
BATCH, WINDOW, STEPS, LR, CLIP = 3, 5, 3, 0.5, 0.5


@dataclass(frozen=True)
class Case:
    """`names` are those of the recurrent layers, the output layer and the embedding in the module."""

    name: str
    module: type
    hidden: int
    layers: int = 1
    embedding: int = 0
    names: tuple = ("rnn", "head", "embedding")
    more: tuple = ()


CASES = [
    Case("rnn_tanh", nn.RNN, 7),
    Case("rnn_relu", nn.RNN, 6, layers=2, names=("encoder", "fc", ""), more=(("nonlinearity", "relu"),)),
    Case("gru", nn.GRU, 7, names=("gru", "linear", "")),
    Case("gru_embedding", nn.GRU, 5, layers=2, embedding=4, names=("body", "decoder", "drop.emb")),
    Case("lstm", nn.LSTM, 6, embedding=3),
    Case("lstm_deep", nn.LSTM, 4, layers=3, names=("model.lstm", "model.out", "")),
]


class Parts(nn.Module):
    """A module whose parts have the names of a case."""

    def __init__(self, case, symbols):
        super().__init__()
        width = case.embedding or symbols
        parts = [case.module(width, case.hidden, case.layers, **dict(case.more)), nn.Linear(case.hidden, symbols)]
        if case.embedding:
            parts.append(nn.Embedding(symbols, width))
        for name, part in zip(case.names, parts):
            self.put(name.split("."), part)
        self.parts, self.symbols = parts, symbols

    def put(self, path, part):
        *folders, last = path
        at = self
        for folder in folders:
            if not hasattr(at, folder):
                at.add_module(folder, nn.Module())
            at = getattr(at, folder)
        at.add_module(last, part)

    def forward(self, tokens, state):
        recurrent, head, *embedding = self.parts
        if embedding:
            x = embedding[0](tokens)
        else:
            x = nn.functional.one_hot(tokens, self.symbols).to(head.weight.dtype)
        h, state = recurrent(x, state)
        return head(h), state


def hold_second_biases(recurrent):
    """Leaves to training what recurve has."""
    keeps = recurrent.hidden_size
    for name, parameter in recurrent.named_parameters():
        if not name.startswith("bias_hh"):
            continue
        mask = torch.zeros_like(parameter)
        if isinstance(recurrent, nn.GRU):
            mask[2 * keeps :] = 1
        parameter.register_hook(lambda gradient, mask=mask: gradient * mask)


def clip(parameters):
    norm = torch.cat([p.grad.flatten() for p in parameters]).norm()
    for p in parameters:
        p.grad.mul_(min(1.0, CLIP / norm.item()))


def train(network, tokens):
    """Three steps, and the loss of each."""
    length = len(tokens) // BATCH
    lanes = tokens[: length * BATCH].reshape(BATCH, length).T
    parameters = list(network.parameters())
    optimizer = torch.optim.SGD(parameters, lr=LR)
    state, losses = None, []
    for start in range(0, STEPS * WINDOW, WINDOW):
        assert start + WINDOW + 1 <= length, "the text is too short"
        logits, state = network(lanes[start : start + WINDOW], state)
        state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()
        targets = lanes[start + 1 : start + WINDOW + 1].flatten()
        loss = nn.functional.cross_entropy(logits.reshape(-1, network.symbols), targets)
        optimizer.zero_grad()
        loss.backward()
        clip(parameters)
        optimizer.step()
        losses.append(loss.item())
    return losses


def save(network, path, metadata):
    # With more than one entry, safetensors would write the metadata in another order each time.
    assert len(metadata) == 1
    tensors = {name: tensor.float().contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors, path, metadata=metadata)
    print(f"{path.name}: {path.stat().st_size} bytes")


def main():
    torch.set_num_threads(1)
    text = (HERE / "text.txt").read_text(encoding="utf-8")
    vocabulary = sorted(set(text))
    tokens = torch.tensor([vocabulary.index(symbol) for symbol in text])
    listed = {"vocabulary": json.dumps(vocabulary, ensure_ascii=False)}
    for seed, case in enumerate(CASES):
        torch.manual_seed(seed)
        network = Parts(case, len(vocabulary))
        save(network, HERE / f"{case.name}.before.safetensors", listed)
        network = network.double()
        hold_second_biases(network.parts[0])
        losses = train(network, tokens)
        save(network, HERE / f"{case.name}.after.safetensors", {"losses": json.dumps(losses)})


if __name__ == "__main__":
    main()

"""The contender PyTorch: `nn.RNN` and `nn.Linear` with one-hot inputs.

- train: windows, `clip_grad_norm_`, `SGD`
- step: a call of `nn.RNNCell` and `nn.Linear` per token
- sequence: `nn.RNN` over many tokens in one call, the fastest that PyTorch can do, where all inputs are known beforehand
"""

import itertools

import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot

import work

torch.set_num_threads(1)
torch.set_num_interop_threads(1)


def copy_weights(given: work.Work, rnn, head: nn.Linear) -> None:
    w_xh, w_hh, b_h, w_hq, b_q = (torch.from_numpy(weight) for weight in given.weights)
    suffix = "" if isinstance(rnn, nn.RNNCell) else "_l0"
    values = {"weight_ih": w_xh.T, "weight_hh": w_hh.T, "bias_ih": b_h, "bias_hh": torch.zeros_like(b_h)}
    with torch.no_grad():
        for name, value in values.items():
            getattr(rnn, name + suffix).copy_(value)
        head.weight.copy_(w_hq.T)
        head.bias.copy_(b_q)
    # One bias, as the others have.
    getattr(rnn, "bias_hh" + suffix).requires_grad_(False)


def train(given: work.Work):
    rnn, head = nn.RNN(given.vocab, given.hidden), nn.Linear(given.hidden, given.vocab)
    copy_weights(given, rnn, head)
    params = [param for module in (rnn, head) for param in module.parameters() if param.requires_grad]
    optimizer = torch.optim.SGD(params, lr=work.LR)
    tokens = torch.from_numpy(given.tokens)
    inputs = one_hot(tokens, given.vocab).float()
    windows = itertools.cycle(range(work.WINDOWS))
    state = None

    def window() -> float:
        nonlocal state
        at = next(windows) * given.window
        if at == 0:
            state = torch.zeros(1, given.batch, given.hidden)
        hidden, state = rnn(inputs[at : at + given.window], state.detach())
        targets = tokens[at + 1 : at + 1 + given.window]
        loss = cross_entropy(head(hidden).flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(params, work.CLIP)
        optimizer.step()
        return loss.item()

    return window


def step(given: work.Work):
    cell, head = nn.RNNCell(given.vocab, given.hidden), nn.Linear(given.hidden, given.vocab)
    copy_weights(given, cell, head)
    inputs = itertools.cycle(one_hot(torch.from_numpy(given.tokens), given.vocab).float().unsqueeze(1))
    state = torch.zeros(1, given.hidden)

    def call():
        nonlocal state
        state = cell(next(inputs), state)
        return head(state)[0, 0]

    return call


def sequence(given: work.Work):
    rnn, head = nn.RNN(given.vocab, given.hidden), nn.Linear(given.hidden, given.vocab)
    copy_weights(given, rnn, head)
    inputs = one_hot(torch.from_numpy(given.tokens), given.vocab).float().unsqueeze(1)
    state = torch.zeros(1, 1, given.hidden)

    def call():
        nonlocal state
        hidden, state = rnn(inputs, state)
        return head(hidden)[-1, 0, 0]

    return call


given = work.from_args()
if given.mode == "train":
    work.serve(1, 1, train(given))
else:
    with torch.inference_mode():
        if given.mode == "step":
            work.serve(1, 64, step(given))
        else:
            work.serve(len(given.tokens), 1, sequence(given))

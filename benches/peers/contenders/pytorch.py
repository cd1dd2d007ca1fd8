"""The contender PyTorch: `nn.RNN`, `nn.GRU` or `nn.LSTM`, and `nn.Linear`, with one-hot inputs.

- train: windows, `clip_grad_norm_`, `SGD`
- step, vectors: a call of `nn.RNNCell`, `nn.GRUCell` or `nn.LSTMCell`, and of `nn.Linear`, per token
- sequence: the cell over many tokens in one call, the fastest that PyTorch can do, where all inputs are known beforehand
"""

import itertools

import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot

import work

torch.set_num_threads(1)
torch.set_num_interop_threads(1)

MODULES = {"elman": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
CELLS = {"elman": nn.RNNCell, "gru": nn.GRUCell, "lstm": nn.LSTMCell}


def network(given: work.Work, kinds: dict, suffix: str) -> tuple[nn.Module, nn.Linear]:
    """A recurrent module of these kinds, whose weights' names end so, and the output layer."""
    rnn, head = kinds[given.cell](given.vocab, given.hidden), nn.Linear(given.hidden, given.vocab)
    values = {"weight_ih": given.w_x.T, "weight_hh": given.w_h.T, "bias_ih": given.b_x, "bias_hh": given.b_h}
    with torch.no_grad():
        for name, value in values.items():
            getattr(rnn, name + suffix).copy_(torch.from_numpy(value))
        head.weight.copy_(torch.from_numpy(given.w_hq.T))
        head.bias.copy_(torch.from_numpy(given.b_q))
    return rnn, head


def hold_second_bias(given: work.Work, bias: nn.Parameter) -> None:
    """Trains no bias that the others do not have. Of the second, they have what a GRU's reset gate is applied to."""
    if given.cell == "gru":
        of_candidate = torch.zeros_like(bias)
        of_candidate[-given.hidden :] = 1.0
        bias.register_hook(lambda grad: grad * of_candidate)
    else:
        bias.requires_grad_(False)


def detached(state):
    """What the next window begins with; of an LSTM, a pair."""
    return tuple(map(detached, state)) if isinstance(state, tuple) else state.detach()


def train(given: work.Work):
    rnn, head = network(given, MODULES, "_l0")
    hold_second_bias(given, rnn.bias_hh_l0)
    params = [param for module in (rnn, head) for param in module.parameters() if param.requires_grad]
    optimizer = torch.optim.SGD(params, lr=work.LR)
    tokens = torch.from_numpy(given.tokens)
    inputs = one_hot(tokens, given.vocab).float()
    windows = itertools.cycle(range(work.WINDOWS))
    state = None

    def window() -> float:
        nonlocal state
        at = next(windows) * given.window
        before = detached(state) if at else None
        hidden, state = rnn(inputs[at : at + given.window], before)
        targets = tokens[at + 1 : at + 1 + given.window]
        loss = cross_entropy(head(hidden).flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(params, work.CLIP)
        optimizer.step()
        return loss.item()

    return window


def step(given: work.Work):
    cell, head = network(given, CELLS, "")
    inputs = itertools.cycle(one_hot(torch.from_numpy(given.tokens), given.vocab).float().unsqueeze(1))
    state = None

    def call():
        nonlocal state
        state = cell(next(inputs), state)
        hidden = state[0] if given.cell == "lstm" else state
        return head(hidden)[0, 0]

    return call


def sequence(given: work.Work):
    rnn, head = network(given, MODULES, "_l0")
    inputs = one_hot(torch.from_numpy(given.tokens), given.vocab).float().unsqueeze(1)
    state = None

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
        if given.mode == "sequence":
            work.serve(len(given.tokens), 1, sequence(given))
        else:
            work.serve(1, 64, step(given))

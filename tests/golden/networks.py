"""The networks of the golden files, made of PyTorch's own cells, with parameters of our names."""

from itertools import pairwise

import torch
from torch import nn
from torch.func import functional_call


class Elman(nn.Module):
    """`torch.nn.RNN`, one for each layer, and an output layer.  `parts` maps our names to PyTorch's parameters."""

    def __init__(self, case):
        super().__init__()
        widths = [case.inputs, *([case.below] if case.below else []), case.hidden]
        layers = [nn.RNN(d, h, nonlinearity=case.activation, batch_first=False) for d, h in pairwise(widths)]
        self.layers, self.parts = nn.ModuleList(layers), {}
        self.dense = nn.Linear(case.hidden, case.outputs)
        for number, rnn in enumerate(layers, start=1):
            prefix = f"{number}." if len(layers) > 1 else ""
            own = {"w_xh": rnn.weight_ih_l0, "w_hh": rnn.weight_hh_l0, "b_h": rnn.bias_ih_l0}
            rnn.bias_hh_l0.requires_grad_(False).zero_()
            self.parts |= {prefix + name: part for name, part in own.items()}
        self.parts |= {"w_hq": self.dense.weight, "b_q": self.dense.bias}

    def forward(self, x, state):
        h, states = x, []
        for rnn, own in zip(self.layers, state.split([rnn.hidden_size for rnn in self.layers], dim=1)):
            h, own = rnn(h, own.unsqueeze(0).contiguous())
            states.append(own.squeeze(0))
        return h, self.dense(h), torch.cat(states, dim=1)


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

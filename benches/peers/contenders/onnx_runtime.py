"""The contender ONNX Runtime, on its CPU provider.

- step: a call per token, of the Elman cell as a graph of a look-up, a product, tanh and the output layer
- vectors: a call per one-hot vector, of the operator RNN, GRU or LSTM and the output layer
- sequence: the same graph over many vectors in one call

Where there is a call per step, inputs and outputs are bound beforehand.
"""

import itertools

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import work

# What all releases of the last years read.
IR, OPSET = 9, 17

OPERATORS = {"elman": "RNN", "gru": "GRU", "lstm": "LSTM"}
# Gates in ONNX's order, as places in PyTorch's: z, r, n and i, o, f, g.
ORDER = {"elman": [0], "gru": [1, 0, 2], "lstm": [0, 3, 1, 2]}
# The reset gate after the recurrent product, as in PyTorch.
ATTRIBUTES = {"gru": {"linear_before_reset": 1}}
# What goes on from step to step.
STATES = {"elman": ["h"], "gru": ["h"], "lstm": ["h", "c"]}


def session(nodes, inputs, outputs, constants) -> onnxruntime.InferenceSession:
    constants = [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "network", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])


def floats(name: str, *shape: int):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def next_of(state: str) -> str:
    return state + "_next"


def elementary(given: work.Work) -> onnxruntime.InferenceSession:
    """A step of the Elman cell from a token, of simple operators."""
    nodes = [
        helper.make_node("Gather", ["w_x", "input"], ["x"]),
        helper.make_node("Gemm", ["h", "w_h", "x"], ["a"]),
        helper.make_node("Tanh", ["a"], [next_of("h")]),
        helper.make_node("Gemm", [next_of("h"), "w_hq", "b_q"], ["logits"]),
    ]
    # The bias is part of the rows that are looked up.
    constants = {"w_x": given.w_x + given.b_x, "w_h": given.w_h, "w_hq": given.w_hq, "b_q": given.b_q}
    token = helper.make_tensor_value_info("input", TensorProto.INT64, [1])
    outputs = [floats(next_of("h"), 1, given.hidden), floats("logits", 1, given.vocab)]
    return session(nodes, [token, floats("h", 1, given.hidden)], outputs, constants)


def in_order(given: work.Work, weights: np.ndarray) -> np.ndarray:
    """Gates that stand side by side, in ONNX's order, and one direction."""
    gates = np.split(weights, len(ORDER[given.cell]), axis=-1)
    return np.concatenate([gates[place] for place in ORDER[given.cell]], axis=-1).T[None]


def operator(given: work.Work, steps: int) -> onnxruntime.InferenceSession:
    """So many steps of a cell from vectors."""
    v, h, states = given.vocab, given.hidden, STATES[given.cell]
    attributes = {"hidden_size": h, **ATTRIBUTES.get(given.cell, {})}
    read, written = ["input", "w", "r", "b", "", *states], ["y", *map(next_of, states)]
    nodes = [
        helper.make_node(OPERATORS[given.cell], read, written, **attributes),
        helper.make_node("Reshape", ["y", "shape"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "w_hq", "b_q"], ["logits"]),
    ]
    biases = [in_order(given, bias) for bias in (given.b_x, given.b_h)]
    constants = {"w": in_order(given, given.w_x), "r": in_order(given, given.w_h), "b": np.concatenate(biases, axis=-1)}
    constants |= {"shape": np.array([steps, h]), "w_hq": given.w_hq, "b_q": given.b_q}
    inputs = [floats("input", steps, 1, v), *(floats(state, 1, 1, h) for state in states)]
    outputs = [*(floats(next_of(state), 1, 1, h) for state in states), floats("logits", steps, v)]
    return session(nodes, inputs, outputs, constants)


def one_hot(given: work.Work) -> np.ndarray:
    """A vector for each token: steps × 1 × d."""
    return np.eye(given.vocab, dtype=np.float32)[given.tokens][:, None]


class Step:
    """A call for each input in turn: there is a binding for each of them, from one of two copies of the states to the
    other, so that a call only runs."""

    def __init__(self, given: work.Work, run: onnxruntime.InferenceSession, inputs):
        self.kept = []
        shapes = {value.name: value.shape for value in run.get_inputs() if value.name != "input"}
        copies = [{name: self.zeros(shape) for name, shape in shapes.items()} for _ in range(2)]
        self.logits = self.zeros((1, given.vocab))
        bindings = []
        for at, value in enumerate(map(self.value, inputs)):
            binding = run.io_binding()
            binding.bind_ortvalue_input("input", value)
            for name in shapes:
                binding.bind_ortvalue_input(name, copies[at % 2][name])
                binding.bind_ortvalue_output(next_of(name), copies[1 - at % 2][name])
            binding.bind_ortvalue_output("logits", self.logits)
            bindings.append(binding._iobinding)
        self.bound, self.raw = itertools.cycle(bindings), run._sess

    def zeros(self, shape) -> onnxruntime.OrtValue:
        return self.value(np.zeros(shape, np.float32))

    def value(self, array: np.ndarray) -> onnxruntime.OrtValue:
        """Of an array whose memory it borrows, so that this must be kept."""
        self.kept.append(array)
        return onnxruntime.OrtValue.ortvalue_from_numpy(array)

    def __call__(self):
        self.raw.run_with_iobinding(next(self.bound), None)
        return self

    def __float__(self) -> float:
        return float(self.logits.numpy()[0, 0])


def sequence(given: work.Work):
    run, inputs = operator(given, len(given.tokens)), {"input": one_hot(given)}
    state = {name: np.zeros((1, 1, given.hidden), np.float32) for name in STATES[given.cell]}

    def call():
        nonlocal state
        *after, logits = run.run(None, inputs | state)
        state = dict(zip(state, after))
        return logits[-1, 0]

    return call


given = work.from_args()
if given.mode == "step":
    work.serve(1, 64, Step(given, elementary(given), given.tokens.reshape(-1, 1)))
elif given.mode == "vectors":
    work.serve(1, 64, Step(given, operator(given, 1), one_hot(given)[:, None]))
else:
    work.serve(len(given.tokens), 1, sequence(given))

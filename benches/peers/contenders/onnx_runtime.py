"""The contender ONNX Runtime, on its CPU provider.

- step: a call per token of a graph of a look-up, a product, tanh and the output layer, with inputs and outputs bound beforehand
- sequence: the operator RNN over many tokens in one call, and the output layer over all of them
"""

import itertools

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import work

# What all releases of the last years read.
IR, OPSET = 9, 17


def session(nodes, inputs, outputs, constants) -> onnxruntime.InferenceSession:
    constants = [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "network", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])


def floats(name: str, *shape: int):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def step(given: work.Work):
    v, h = given.vocab, given.hidden
    w_xh, w_hh, b_h, w_hq, b_q = given.weights
    nodes = [
        helper.make_node("Gather", ["w_xh", "token"], ["x"]),
        helper.make_node("Gemm", ["state", "w_hh", "x"], ["a"]),
        helper.make_node("Tanh", ["a"], ["next"]),
        helper.make_node("Gemm", ["next", "w_hq", "b_q"], ["logits"]),
    ]
    # The bias is part of the rows that are looked up.
    constants = {"w_xh": w_xh + b_h, "w_hh": w_hh, "w_hq": w_hq, "b_q": b_q}
    token = helper.make_tensor_value_info("token", TensorProto.INT64, [1])
    run = session(nodes, [token, floats("state", 1, h)], [floats("next", 1, h), floats("logits", 1, v)], constants)

    # Values borrow the arrays' memory.
    arrays = [*given.tokens.reshape(-1, 1), *np.zeros((2, 1, h), np.float32), np.zeros((1, v), np.float32)]
    *tokens, even, odd, logits = map(onnxruntime.OrtValue.ortvalue_from_numpy, arrays)
    states = [even, odd]

    # A binding for each token and each direction between two states: a call only runs.
    bindings = []
    for at, token in enumerate(tokens):
        binding = run.io_binding()
        binding.bind_ortvalue_input("token", token)
        binding.bind_ortvalue_input("state", states[at % 2])
        binding.bind_ortvalue_output("next", states[1 - at % 2])
        binding.bind_ortvalue_output("logits", logits)
        bindings.append(binding._iobinding)
    bound, raw = itertools.cycle(bindings), run._sess

    class Call:
        kept = arrays

        def __call__(self):
            raw.run_with_iobinding(next(bound), None)
            return self

        def __float__(self) -> float:
            return float(logits.numpy()[0, 0])

    return Call()


def sequence(given: work.Work):
    v, h, t = given.vocab, given.hidden, len(given.tokens)
    w_xh, w_hh, b_h, w_hq, b_q = given.weights
    nodes = [
        helper.make_node("RNN", ["x", "w", "r", "b", "", "state"], ["y", "next"], hidden_size=h),
        helper.make_node("Reshape", ["y", "shape"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "w_hq", "b_q"], ["logits"]),
    ]
    bias = np.concatenate([b_h, np.zeros_like(b_h)])
    constants = {"w": w_xh.T[None], "r": w_hh.T[None], "b": bias[None], "shape": np.array([t, h])}
    constants |= {"w_hq": w_hq, "b_q": b_q}
    inputs = [floats("x", t, 1, v), floats("state", 1, 1, h)]
    run = session(nodes, inputs, [floats("next", 1, 1, h), floats("logits", t, v)], constants)
    one_hot = np.eye(v, dtype=np.float32)[given.tokens][:, None]
    state = np.zeros((1, 1, h), np.float32)

    def call():
        nonlocal state
        state, logits = run.run(None, {"x": one_hot, "state": state})
        return logits[-1, 0]

    return call


given = work.from_args()
if given.mode == "step":
    work.serve(1, 64, step(given))
else:
    work.serve(len(given.tokens), 1, sequence(given))

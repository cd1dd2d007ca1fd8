"""What all contenders in Python do alike; the same as src/lib.rs, where the formats are described."""

import sys
import time
from dataclasses import dataclass

import numpy as np

WINDOWS = 4
LR = 0.1
CLIP = 1.0


@dataclass
class Work:
    mode: str
    vocab: int
    hidden: int
    batch: int
    window: int
    weights: list[np.ndarray]  # W_xh, W_hh, b_h, W_hq, b_q
    tokens: np.ndarray  # steps × sequences in training, a flat row otherwise


def from_args() -> Work:
    mode, path, *sizes = sys.argv[1:]
    v, h, batch, window, _threads = map(int, sizes)
    shapes = [(v, h), (h, h), (h,), (h, v), (v,)]
    count = sum(int(np.prod(shape)) for shape in shapes)
    with open(path, "rb") as file:
        flat = np.frombuffer(file.read(4 * count), "<f4")
        tokens = np.frombuffer(file.read(), "<u2").astype(np.int64)
    weights = []
    for shape in shapes:
        size = int(np.prod(shape))
        weights.append(flat[:size].reshape(shape).copy())
        flat = flat[size:]
    if mode == "train":
        tokens = np.ascontiguousarray(tokens.reshape(batch, WINDOWS * window + 1).T)
    return Work(mode, v, h, batch, window, weights, tokens)


def serve(units: int, lot: int, work) -> None:
    """Answers until standard input ends. `work` does so many units; the clock is looked at after a lot of calls."""
    for line in sys.stdin:
        command, number = line.split()
        if command == "check":
            print(*(float(work()) for _ in range(int(number))), flush=True)
            continue
        done, started, seconds = 0, time.perf_counter(), float(number)
        while time.perf_counter() - started < seconds:
            for _ in range(lot):
                work()
            done += units * lot
        print(done, time.perf_counter() - started, flush=True)

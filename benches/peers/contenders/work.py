"""What all contenders in Python do alike; the same as src/lib.rs, where the formats are described."""

import math
import sys
import time
from dataclasses import dataclass

import numpy as np

from shapes import shapes

WINDOWS = 4
LR = 0.1
CLIP = 1.0


@dataclass
class Work:
    """Of the weights, k gates stand side by side as in PyTorch: r, z, n of a GRU, i, f, g, o of an LSTM."""

    mode: str
    cell: str
    vocab: int
    hidden: int
    batch: int
    window: int
    w_x: np.ndarray  # d × k·h
    w_h: np.ndarray  # h × k·h
    b_x: np.ndarray  # k·h
    b_h: np.ndarray  # k·h, all zero but for n
    w_hq: np.ndarray
    b_q: np.ndarray
    tokens: np.ndarray  # steps × sequences in training, a flat row otherwise


def from_args() -> Work:
    mode, path, cell, *sizes = sys.argv[1:]
    v, h, batch, window, _threads = map(int, sizes)
    with open(path, "rb") as file:
        *of_cell, w_hq, b_q = (read(file, shape) for shape in shapes(cell, v, h))
        tokens = np.frombuffer(file.read(), "<u2").astype(np.int64)
    if mode == "train":
        tokens = np.ascontiguousarray(tokens.reshape(batch, WINDOWS * window + 1).T)
    return Work(mode, cell, v, h, batch, window, *side_by_side(of_cell, h), w_hq, b_q, tokens)


def read(file, shape: tuple[int, ...]) -> np.ndarray:
    return np.frombuffer(file.read(4 * math.prod(shape)), "<f4").reshape(shape).copy()


def side_by_side(of_cell: list[np.ndarray], hidden: int) -> list[np.ndarray]:
    """W_x, W_h, b_x and b_h of all gates, from groups of them and, behind, a GRU's b_hn."""
    *groups, b_hn = of_cell if len(of_cell) % 3 else [*of_cell, 0.0]
    w_x, w_h, b_x = (np.concatenate(groups[kind::3], axis=-1) for kind in range(3))
    b_h = np.zeros_like(b_x)
    b_h[-hidden:] = b_hn
    return [w_x, w_h, b_x, b_h]


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

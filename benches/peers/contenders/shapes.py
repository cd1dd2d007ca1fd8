"""The shapes of a network's weights, in the order of recurve's models, which src/lib.rs describes."""

# Gates that stand side by side: a GRU's candidate is apart from the other two.
GATES = {"elman": [1], "gru": [2, 1], "lstm": [4]}


def shapes(cell: str, vocab: int, hidden: int) -> list[tuple[int, ...]]:
    """Those of the cell, three for each group of gates and a GRU's b_hn; then W_hq and b_q."""
    widths = [count * hidden for count in GATES[cell]]
    of_gates = [shape for width in widths for shape in [(vocab, width), (hidden, width), (width,)]]
    b_hn = [(hidden,)] if cell == "gru" else []
    return [*of_gates, *b_hn, (hidden, vocab), (vocab,)]

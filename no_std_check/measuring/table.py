"""The measurements as tables: for the terminal and for the README, and compared with those of the README."""

import re
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).resolve().parent.parent.parent / "README.md"
BEGIN, END = "<!-- boards: written by no_std_check/run --write -->", "<!-- end of boards -->"
# Whatever is worse by more than this share of the committed figure is refused.
TOLERANCE = 0.02
# Only figures of the same compiler can be compared.
BUILT = "Built by "

OPERATIONS = {
    "step_32": "step, 16 → 32",
    "step_64": "step, 16 → 64",
    "token_32": "step, token → 32",
    "pieces_32": "the pieces of the step, token → 32",
    "gru_32": "GRU step, 16 → 32",
    "gru_64": "GRU step, 16 → 64",
    "gru_before_32": "GRU step, reset before, 16 → 32",
    "lstm_32": "LSTM step, 16 → 32",
    "lstm_64": "LSTM step, 16 → 64",
    "stack_32": "step of two GRUs, 16 → 32 → 32",
    "embedding_32": "GRU step, token → 8 → 32",
    "predict": "step with output layer",
    "tanh_64": "tanh of 64 values",
    "softmax_28": "softmax of 28",
    "sample_28": "sample from 28",
    "window": "training window",
    "clip": "clip",
    "adam": "Adam",
    "sgd": "SGD",
    "tune": "training step of the output layer",
    "window_part": "training window, biases and output layer",
    "window_upper": "training window, a layer of 16 above a frozen cell",
    "window_gru": "GRU training window",
    "window_lstm": "LSTM training window",
    "window_gru_before": "GRU training window, 16 units, reset before",
    "window_stack": "training window, a GRU of 16 above an Elman cell of 16",
    "window_embedding": "training window, token → 8 → 16",
    "window_huber": "training window, 16 units, two sequences, Huber's loss",
    "window_dropped": "training window, 16 units, dropout",
    "gesture": "gesture of 50 readings",
}
COLUMNS = ["instructions", "per unit", "code", "stack", "RAM"]
HEAD = ["board", "operation", *COLUMNS]


@dataclass
class Row:
    board: str
    operation: str
    units: int
    ram: int
    instructions: int | None = None
    code: int | None = None
    stack: int | None = None
    cycles: int | None = None

    def cells(self) -> list[str]:
        per = None if self.instructions is None else f"{self.instructions / self.units:.2f}"
        figures = [self.instructions, per, self.code, self.stack, self.ram]
        return [self.board, OPERATIONS[self.operation], *map(cell, figures)]


def cell(figure: object) -> str:
    return "–" if figure is None else f"{figure:,}" if isinstance(figure, int) else str(figure)


def text(rows: list[Row]) -> str:
    """Aligned columns, for a terminal."""
    lines = [[*HEAD, "cycles (model)"]] + [[*row.cells(), cell(row.cycles)] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join(
        "  ".join(
            word.ljust(width) if i < 2 else word.rjust(width) for i, (word, width) in enumerate(zip(line, widths))
        )
        for line in lines
    )


def summary(rows: list[Row], cores: dict[str, str]) -> list[str]:
    """A row per board: instructions of the most asked for, and per multiply-accumulate."""
    shown = ["step_32", "step_64", "gru_64", "lstm_64", "predict", "window"]
    lines = [
        "| board | " + " | ".join(OPERATIONS[name] for name in shown) + " |",
        "|---|" + "---|" * len(shown),
    ]
    for board, core in cores.items():
        of = {row.operation: row for row in rows if row.board == board}
        if any(row.instructions for row in of.values()):
            lines.append(f"| {core} | " + " | ".join(executed(of.get(name)) for name in shown) + " |")
    return lines


def executed(row: Row | None) -> str:
    """Instructions, and per unit."""
    return f"{row.instructions:,} ({row.instructions / row.units:.2f})" if row and row.instructions else "–"


def memory(rows: list[Row]) -> str:
    """What training takes where a part of it is frozen, and what cells with gates take."""
    of = {row.operation: row for row in rows if row.board == "m4f"}
    ram = {name: f"{row.ram:,}" for name, row in of.items()}
    gesture = of["gesture"]
    return (
        f"RAM to train the model of 32 units on the Cortex-M4F, but for an optimiser's state: {ram['window']} bytes for "
        f"all of it, {ram['window_part']} for biases and output layer, {ram['window_upper']} for a layer of 16 units "
        f"above its cell, which stays in flash, and {ram['tune']} for its output layer alone; the last does the "
        f"Cortex-M0 too, in 16 KB. All of a GRU of 32 units takes {ram['window_gru']}, of an LSTM {ram['window_lstm']}. "
        f"A gesture of 50 readings is classified as they come, in {gesture.instructions:,} instructions "
        f"({gesture.instructions / gesture.units:.2f}) and {ram['gesture']} bytes."
    )


def markdown(rows: list[Row], cores: dict[str, str], small: list[str], compiler: str) -> str:
    modelled = [
        f"{row.cycles:,} for {OPERATIONS[row.operation]}"
        for row in rows
        if row.board == "m4f" and row.operation in ("step_32", "step_64", "gru_32", "gru_64", "lstm_64")
    ]
    lines = [
        "Instructions executed, and in brackets per multiply-accumulate:",
        "",
        *summary(rows, cores),
        "",
        f"The {' and the '.join(cores[board] for board in small)} trains 8 hidden units in windows of 8, the others "
        "32 in windows of 16. Cycles of the Cortex-M4F, by a model of what each executed instruction costs and not "
        f"measured: {', '.join(modelled)}. Floats of x86-64 without SSE are software, which is watched instruction by "
        "instruction, so its longer operations are not counted. WebAssembly's instructions are the module's own, of which an "
        f"engine makes others; its stack is the part that is in the module's memory. {BUILT}{compiler}.",
        "",
        memory(rows),
        "",
        "<details>",
        "<summary>All operations, with bytes of code (with all that is called), peak stack and RAM</summary>",
        "",
        "| " + " | ".join(HEAD) + " |",
        "|---|---|" + "---:|" * len(COLUMNS),
        *("| " + " | ".join(row.cells()) + " |" for row in rows),
        "",
        "</details>",
    ]
    return "\n".join(lines)


def split(readme: str) -> tuple[str, str, str]:
    """Before, between and after the markers."""
    before, begin, rest = readme.partition(BEGIN)
    between, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{README.name} has no place for the table: {BEGIN} … {END}")
    return before, between, after


def write(rows: list[Row], cores: dict[str, str], small: list[str], compiler: str) -> None:
    before, _, after = split(README.read_text())
    README.write_text(f"{before}{BEGIN}\n\n{markdown(rows, cores, small, compiler)}\n\n{END}{after}")


def is_of(compiler: str) -> bool:
    """Whether the README's table was made with this compiler."""
    return f"{BUILT}{compiler}." in split(README.read_text())[1]


def worse(rows: list[Row]) -> list[str]:
    """What is worse than in the README."""
    committed = {}
    for line in split(README.read_text())[1].splitlines():
        words = [word.strip() for word in line.strip("| ").split("|")]
        if len(words) == len(HEAD) and re.match(r"[\d–]", words[2]):
            committed[tuple(words[:2])] = words[2:]
    complaints = []
    for row in rows:
        board, operation, *figures = row.cells()
        before = committed.get((board, operation))
        if before is None:
            complaints.append(f"{board}, {operation}: not in the README's table; write it with --write")
            continue
        for column, now, then in zip(COLUMNS, figures, before):
            # "Per unit" follows from the instructions, and is rounded.
            if column != "per unit" and value(now) > value(then) * (1 + TOLERANCE):
                complaints.append(f"{board}, {operation}: {column} {now}, was {then}")
    measured = {tuple(row.cells()[:2]) for row in rows}
    boards = {row.board for row in rows}
    gone = [", ".join(key) for key in committed if key[0] in boards and key not in measured]
    return complaints + [f"{key}: in the README's table, but not measured any more" for key in gone]


def value(words: str) -> float:
    """A figure that is not known is worse than any."""
    return float("inf") if words == "–" else float(words.replace(",", ""))

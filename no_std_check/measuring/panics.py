"""That a program with a panic does not link: else it would prove nothing that all others do."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Callable

from .boards import Board
from .build import Failure, build, build_host

# Of the smallest program, which is soon compiled.
FEATURES = ("small", "panics")
# A linker about what the panic handler calls; see src/main.rs.
MISSING = re.compile(r"undefined (symbol|reference).*recurve_has_a_panic_path")


def complaints(boards: list[Board]) -> list[str]:
    """What is wrong on the host and on the first of these boards; a WebAssembly module links, but does not start."""
    makes = {"host": lambda: build_host(FEATURES)}
    for board in [board for board in boards if "wasm" not in board.name][:1]:
        features = (*board.features, *FEATURES)
        apart = replace(board, name=f"{board.build_name}-panics", features=features, same_program_as="")
        makes[board.name] = lambda: build(apart)
    return [f"{name}: {words}" for name, make in makes.items() if (words := complaint(make))]


def complaint(make: Callable[[], Path]) -> str:
    """What is wrong if this builds a program that has a panic; nothing if the linker misses what it should."""
    try:
        return f"{make()} has a panic, and links"
    except Failure as failure:
        return "" if MISSING.search(str(failure)) else f"a program with a panic should fail to link: {failure}"

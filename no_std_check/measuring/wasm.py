"""Looks into a WebAssembly module: its functions, what they call, how large they are."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from .build import Failure, command, tool
from .program import HEAP

HEADER = re.compile(r"^([0-9a-f]+) <(.+)>:$")
CALL = re.compile(r"^\s*[0-9a-f]+:\s+(?:return_)?call\s+(\d+)$")
END = re.compile(r"^\s*([0-9a-f]+):\s+end")
# The module imports one function, which comes before its own.
IMPORTED = 1


@dataclass
class Function:
    start: int
    end: int = 0
    calls: set[int] = field(default_factory=set)  # by number


class WasmProgram:
    def __init__(self, path: Path):
        tool("llvm-objdump")
        self.path = path
        self.functions: list[Function] = []
        self.numbers: dict[str, int] = {}  # by name
        for line in command("llvm-objdump", "-d", "--no-show-raw-insn", str(path)).splitlines():
            if header := HEADER.match(line):
                self.numbers[header[2]] = IMPORTED + len(self.functions)
                self.functions.append(Function(int(header[1], 16)))
            elif call := CALL.match(line):
                self.functions[-1].calls.add(int(call[1]))
            elif end := END.match(line):
                self.functions[-1].end = int(end[1], 16) + 1

    def code_bytes(self, name: str) -> int:
        """Of a function and all that it may call."""
        if name not in self.numbers:
            raise Failure(f"{self.path} has no function {name}")
        found, left = set(), {self.numbers[name]}
        while left:
            number = left.pop()
            if number >= IMPORTED and number not in found:
                found.add(number)
                left |= self.functions[number - IMPORTED].calls
        return sum(function.end - function.start for function in (self.functions[n - IMPORTED] for n in found))

    def heap(self) -> list[str]:
        return sorted(name for name in self.numbers if HEAP.search(name))

    def doubles(self) -> list[str]:
        """None: a module's instructions have doubles, but no function stands for one."""
        return []

"""Looks into a WebAssembly module: its functions, what they call, how large they are."""

from functools import cached_property
from pathlib import Path

from .build import Failure
from .counting import counting
from .module import CALL, OF_FUNCTION, RETURN_CALL, Module
from .program import HEAP


class WasmProgram:
    def __init__(self, path: Path):
        self.path = path
        self.module = Module(path.read_bytes())

    def copy_that_counts(self) -> Path:
        """A module that does the same and counts the instructions it executes."""
        path = self.path.with_suffix(".counting.wasm")
        path.write_bytes(counting(self.module))
        return path

    @cached_property
    def calls(self) -> dict[int, set[int]]:
        """The functions that each calls, all by number."""
        first = self.module.imported[OF_FUNCTION]
        return {
            number: {
                instruction.operand
                for instruction in self.module.instructions(function)
                if instruction.is_any(CALL, RETURN_CALL)
            }
            for number, function in enumerate(self.module.functions, first)
        }

    def code_bytes(self, name: str) -> int:
        """Of a function and all that it may call."""
        if name not in self.module.names:
            raise Failure(f"{self.path} has no function {name}")
        found, left = set(), {self.module.names[name]}
        while left:
            number = left.pop()
            if number not in found:
                found.add(number)
                left |= self.calls.get(number, set())
        functions = (self.module.function(number) for number in found)
        return sum(function.size for function in functions if function)

    def heap(self) -> list[str]:
        return sorted(name for name in self.module.names if HEAP.search(name))

    def doubles(self) -> list[str]:
        """None: a module's instructions have doubles, but no function stands for one."""
        return []

"""Looks into a program: its functions, what they call, how large they are."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from .boards import Board
from .build import Failure, command, tool

HEADER = re.compile(r"^([0-9a-f]+) <(.+)>:$")
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$")
REFERENCE = re.compile(r"<([^>+]+)(?:\+0x[0-9a-f]+)?>")
AUIPC = re.compile(r"(\w+), (\d+)")
JALR = re.compile(r"(?:\w+, )?(-?\d+)\((\w+)\)|(?:\w+, )?(\w+), (-?\d+)|(\w+)")
IMMEDIATE = re.compile(r"\$(0x[0-9a-f]+|\d+)")
PLACE = re.compile(r"# (0x[0-9a-f]+)")
WORDS = re.compile(r"^ ([0-9a-f]+) ((?:[0-9a-f]{8} ){1,4})", re.MULTILINE)
DOUBLES = re.compile(r"__aeabi_(d|f2d|i2d|ui2d|l2d|ul2d)|__\w+df[23si]?\w*$|__extendsf")
HEAP = re.compile(r"__rust_(alloc|realloc|dealloc)|\bmalloc\b")


@dataclass
class Function:
    name: str
    start: int
    size: int
    code: dict[int, tuple[str, str]] = field(default_factory=dict)  # address → mnemonic, operands
    calls: set[str] = field(default_factory=set)


class Program:
    def __init__(self, path: Path, board: Board):
        tool("llvm-objdump")
        tool("llvm-nm")
        self.path = path
        self.symbols = {}  # name → address, size
        for line in command("llvm-nm", "--print-size", str(path)).splitlines():
            words = line.split()
            if len(words) == 4 and words[2] in "tTwW":
                # The lowest bit of a Thumb function's address is not part of it.
                self.symbols[words[3]] = (int(words[0], 16) & ~1, int(words[1], 16))
            elif words:
                self.symbols.setdefault(words[-1], None)
        self.functions: dict[str, Function] = {}
        self.offsets = self._global_offsets() if "x86_64" in board.target else {}
        self._disassemble(command("llvm-objdump", "-d", "--no-show-raw-insn", *board.cpu, str(path)))

    def _global_offsets(self) -> dict[int, int]:
        """Addresses by their places in the table through which x86-64 calls functions of other crates."""
        found = {}
        for at, words in WORDS.findall(command("llvm-objdump", "-s", "-j", ".got", str(self.path))):
            content = bytes.fromhex(words.replace(" ", ""))
            for i in range(0, len(content) - 7, 8):
                found[int(at, 16) + i] = int.from_bytes(content[i : i + 8], "little")
        return found

    def _disassemble(self, text: str) -> None:
        function, upper = None, {}
        at = {place[0]: name for name, place in self.symbols.items() if place}
        for line in text.splitlines():
            if header := HEADER.match(line):
                if function and function.start < int(header[1], 16) < function.start + function.size:
                    continue  # marks data within a function
                place = self.symbols.get(header[2])
                function = Function(header[2], *place) if place else None
                if function:
                    self.functions[function.name] = function
            elif function and (parts := INSTRUCTION.match(line)):
                address, mnemonic, operands = int(parts[1], 16), parts[2], parts[3]
                if address >= function.start + function.size:
                    continue  # what fills the gap to the next function
                function.code[address] = (mnemonic, operands)
                # The name beside the page that AArch64's adrp finds is that of whatever happens to lie there.
                if mnemonic != "adrp":
                    function.calls |= {name for name in REFERENCE.findall(operands) if self.symbols.get(name)}
                # x86-64 may call through a register that holds the address.
                if mnemonic.startswith("mov") and (words := IMMEDIATE.match(operands)):
                    callee = at.get(int(words[1], 0))
                    function.calls |= {callee} if callee else set()
                if place := PLACE.search(operands):
                    callee = at.get(self.offsets.get(int(place[1], 16), -1))
                    function.calls |= {callee} if callee else set()
                # RISC-V calls through a register: its upper bits are set first, relative to there.
                if mnemonic == "auipc" and (words := AUIPC.match(operands)):
                    upper[words[1]] = address + (int(words[2]) << 12)
                elif mnemonic in ("jalr", "jr") and (words := JALR.match(operands)):
                    register, offset = words[2] or words[3] or words[5], int(words[1] or words[4] or 0)
                    callee = at.get((upper.get(register, -1) + offset) & 0xFFFF_FFFF)
                    function.calls |= {callee} if callee else set()

    def reachable(self, name: str) -> list[Function]:
        """A function and all that it may call."""
        if name not in self.functions:
            raise Failure(f"{self.path} has no function {name}")
        found, left = {}, [name]
        while left:
            function = self.functions.get(left.pop())
            if function and function.name not in found:
                found[function.name] = function
                left += function.calls
        return list(found.values())

    def code_bytes(self, name: str) -> int:
        return sum(function.size for function in self.reachable(name))

    def doubles(self) -> list[str]:
        return sorted(name for name in self.symbols if DOUBLES.match(name))

    def heap(self) -> list[str]:
        return sorted(name for name in self.symbols if HEAP.search(name))

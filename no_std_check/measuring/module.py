"""Reads a WebAssembly module: its sections, functions and instructions, as in the specification's chapter 5."""

from collections.abc import Iterator
from dataclasses import dataclass, field

CUSTOM, IMPORT, GLOBAL, EXPORT, CODE = 0, 2, 6, 7, 10
# Kinds of what is imported or exported.
OF_FUNCTION, OF_TABLE, OF_MEMORY, OF_GLOBAL = range(4)
END, CALL, RETURN_CALL = 0x0B, 0x10, 0x12
# What follows an opcode: integers of any length, bytes by their number, or a vector of integers.
INTEGER, VECTOR = "integer", "vector"


def _plain() -> dict[int, list]:
    """Opcodes of one byte that something follows."""
    of = {opcode: [INTEGER] for opcode in (2, 3, 4, 0x0C, 0x0D, CALL, RETURN_CALL, 0x3F, 0x40, 0x41, 0x42, 0xD0, 0xD2)}
    of |= {opcode: [INTEGER] for opcode in range(0x20, 0x27)}
    of |= {opcode: [INTEGER] * 2 for opcode in (0x11, 0x13, *range(0x28, 0x3F))}
    return of | {0x0E: [VECTOR, INTEGER], 0x1C: [VECTOR], 0x43: [4], 0x44: [8]}


def _bulk() -> dict[int, list]:
    """Those after the prefix 0xFC: memory and tables at once."""
    return {8: [INTEGER] * 2, 10: [INTEGER] * 2, 12: [INTEGER] * 2, 14: [INTEGER] * 2} | {
        opcode: [INTEGER] for opcode in (9, 11, 13, 15, 16, 17)
    }


def _simd() -> dict[int, list]:
    """Those after the prefix 0xFD: vectors of 128 bits."""
    of = {opcode: [INTEGER] * 2 for opcode in (*range(12), 92, 93)}
    of |= {opcode: [1] for opcode in range(21, 35)}
    of |= {opcode: [INTEGER, INTEGER, 1] for opcode in range(84, 92)}
    return of | {12: [16], 13: [16]}


FOLLOWED_BY = {None: _plain(), 0xFC: _bulk(), 0xFD: _simd()}


class Reader:
    """A place in a module's bytes."""

    def __init__(self, content: bytes, at: int = 0):
        self.content, self.at = content, at

    def byte(self) -> int:
        self.at += 1
        return self.content[self.at - 1]

    def bytes(self, count: int) -> bytes:
        self.at += count
        return self.content[self.at - count : self.at]

    def integer(self) -> int:
        """LEB128. Only what is not negative is looked at."""
        value, shift, byte = 0, 0, 0x80
        while byte & 0x80:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
        return value

    def name(self) -> str:
        return self.bytes(self.integer()).decode()

    def limits(self) -> None:
        """Skips the sizes of a memory or a table."""
        for _ in range(1 + (self.byte() & 1)):
            self.integer()


@dataclass
class Instruction:
    at: int
    end: int  # where the next begins
    prefix: int | None
    opcode: int
    operand: int = 0  # the first integer that follows

    def is_any(self, *opcodes: int) -> bool:
        return self.prefix is None and self.opcode in opcodes


@dataclass
class Function:
    start: int  # of its body, which begins with its local variables
    code: int  # where its instructions begin
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start


@dataclass
class Module:
    content: bytes
    sections: list[tuple[int, int, int]] = field(default_factory=list)  # kind, start, end
    imported: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(4), 0))  # by kind
    functions: list[Function] = field(default_factory=list)  # its own, which are numbered after those imported
    names: dict[str, int] = field(default_factory=dict)  # of functions

    def __post_init__(self):
        reader = Reader(self.content, 8)  # after the magic number and the version
        while reader.at < len(self.content):
            kind, length = reader.byte(), reader.integer()
            self.sections.append((kind, reader.at, reader.at + length))
            reader.at += length
        for kind, start, _ in self.sections:
            of = {IMPORT: self._imports, CODE: self._functions, CUSTOM: self._custom}.get(kind)
            if of:
                of(Reader(self.content, start))

    def _imports(self, reader: Reader) -> None:
        for _ in range(reader.integer()):
            reader.name(), reader.name()
            kind = reader.byte()
            self.imported[kind] += 1
            if kind == OF_FUNCTION:
                reader.integer()
            elif kind == OF_GLOBAL:
                reader.bytes(2)
            else:
                reader.bytes(int(kind == OF_TABLE))
                reader.limits()

    def _functions(self, reader: Reader) -> None:
        for _ in range(reader.integer()):
            size = reader.integer()
            start = reader.at
            for _ in range(reader.integer()):
                reader.integer(), reader.byte()
            self.functions.append(Function(start, reader.at, start + size))
            reader.at = start + size

    def _custom(self, reader: Reader) -> None:
        """Names of functions: the first part of the section of names."""
        end = next(end for kind, start, end in self.sections if start == reader.at)
        if reader.name() != "name":
            return
        while reader.at < end:
            part, length = reader.byte(), reader.integer()
            after = reader.at + length
            for _ in range(reader.integer() if part == 1 else 0):
                number = reader.integer()
                self.names[reader.name()] = number
            reader.at = after

    def section(self, kind: int) -> tuple[int, int]:
        return next((start, end) for of, start, end in self.sections if of == kind)

    def function(self, number: int) -> Function | None:
        """One of its own; nothing for one that is imported."""
        own = number - self.imported[OF_FUNCTION]
        return self.functions[own] if own >= 0 else None

    def instructions(self, function: Function) -> Iterator[Instruction]:
        reader = Reader(self.content, function.code)
        while reader.at < function.end:
            at, first = reader.at, reader.byte()
            prefix = first if first in FOLLOWED_BY else None
            opcode = reader.integer() if prefix else first
            operands = [_read(reader, what) for what in FOLLOWED_BY[prefix].get(opcode, [])]
            yield Instruction(at, reader.at, prefix, opcode, operands[0] if operands else 0)


def _read(reader: Reader, what: str | int) -> int:
    """An operand. Of bytes and of vectors, none is looked at."""
    if what == INTEGER:
        return reader.integer()
    if what == VECTOR:
        for _ in range(reader.integer()):
            reader.integer()
    else:
        reader.bytes(what)
    return 0

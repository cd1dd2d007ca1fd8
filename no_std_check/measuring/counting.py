"""A copy of a WebAssembly module that counts the instructions it executes, in a global variable that it exports.

Each run of instructions between branches and their targets begins by adding its length to the variable. `block`, `loop`,
`else` and `end` mark where branches go, execute nothing and are not counted.
"""

from collections.abc import Iterator

from .module import CODE, EXPORT, GLOBAL, OF_GLOBAL, Function, Module, Reader

# The copy's export.
EXECUTED = b"executed"
UNREACHABLE, BLOCK, LOOP, IF, ELSE, END, RETURN = 0x00, 0x02, 0x03, 0x04, 0x05, 0x0B, 0x0F
BRANCHES = [0x0C, 0x0D, 0x0E]
MARKS = [BLOCK, LOOP, ELSE, END]
LAST = [UNREACHABLE, LOOP, IF, ELSE, END, RETURN, *BRANCHES, 0x12, 0x13]
I64, MUTABLE, I64_CONST, I64_ADD, GET, SET = 0x7E, 1, 0x42, 0x7C, 0x23, 0x24


def counting(module: Module) -> bytes:
    """The copy."""
    globals_, _ = module.section(GLOBAL)
    counter = module.imported[OF_GLOBAL] + Reader(module.content, globals_).integer()
    variable = bytes([I64, MUTABLE, I64_CONST, 0, END])
    export = unsigned(len(EXECUTED)) + EXECUTED + bytes([OF_GLOBAL]) + unsigned(counter)
    copy = module.content[:8]
    for kind, start, end in module.sections:
        content = module.content[start:end]
        if kind == GLOBAL:
            content = longer(content, variable)
        elif kind == EXPORT:
            content = longer(content, export)
        elif kind == CODE:
            content = code(module, counter)
        copy += bytes([kind]) + unsigned(len(content)) + content
    return copy


def longer(vector: bytes, element: bytes) -> bytes:
    """With one element more."""
    reader = Reader(vector)
    return unsigned(reader.integer() + 1) + vector[reader.at :] + element


def code(module: Module, counter: int) -> bytes:
    """The section of functions."""
    parts = [unsigned(len(module.functions))]
    for function in module.functions:
        body = module.content[function.start : function.code]
        for start, end, count in runs(module, function):
            body += (add(counter, count) if count else b"") + module.content[start:end]
        parts += [unsigned(len(body)), body]
    return b"".join(parts)


def runs(module: Module, function: Function) -> Iterator[tuple[int, int, int]]:
    """Where instructions begin and end that are executed all or not at all, and how many there are."""
    start, count = function.code, 0
    for instruction in module.instructions(function):
        count += not instruction.is_any(*MARKS)
        if instruction.is_any(*LAST):
            yield start, instruction.end, count
            start, count = instruction.end, 0


def add(counter: int, count: int) -> bytes:
    number = unsigned(counter)
    return bytes([GET]) + number + bytes([I64_CONST]) + signed(count) + bytes([I64_ADD, SET]) + number


def unsigned(value: int) -> bytes:
    """LEB128."""
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + unsigned(high) if high else bytes([low])


def signed(value: int) -> bytes:
    """LEB128 of what is not negative: the sign is the highest of the last seven bits."""
    low, high = value & 0x7F, value >> 7
    return bytes([low]) if not high and low < 0x40 else bytes([low | 0x80]) + signed(high)

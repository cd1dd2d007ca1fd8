"""Watches a program instruction by instruction, and estimates cycles from what was executed.

QEMU translates one instruction at a time and logs the address of each as it runs. Only the functions of interest are
logged; an operation lasts from its first instruction to its return.
"""

import os
import re
import subprocess
import tempfile
from pathlib import Path

from .boards import Board
from .build import Failure, command
from .program import Program

EXECUTED = re.compile(r"\[[0-9a-f]+/([0-9a-f]+)/")
CALL = re.compile(r"blx?$|blr$|callq?$")
RETURN = re.compile(r"bx\w*\s+lr|pop\S*\s.*pc|ldm\S*\s.*pc|^retq?\b")


def cycles(mnemonic: str, operands: str) -> int:
    """A model of the Cortex-M4: loads follow each other without a pause, and branches are free of penalties."""
    name = mnemonic.split(".")[0]
    if name.startswith(("vmla", "vmls", "vnmla", "vnmls", "vfma", "vfms", "vfnma", "vfnms")):
        return 3
    if name.startswith(("vdiv", "vsqrt")):
        return 14
    if name.startswith(("vldm", "vstm", "vpush", "vpop", "ldm", "stm", "push", "pop")):
        return 1 + transferred(operands)
    if name.startswith(("ldrd", "strd")):
        return 3
    return 1


def transferred(operands: str) -> int:
    """The registers in braces; a double one counts twice."""
    names = operands[operands.find("{") + 1 : operands.find("}")].split(",")
    count = 0
    for first, _, last in (name.strip().partition("-") for name in names):
        span = int(last.strip()[1:]) - int(first.strip()[1:]) + 1 if last else 1
        count += span * (2 if first.strip().startswith("d") else 1)
    return count


def single_step(qemu: str) -> list[str]:
    version = re.search(r"version (\d+)\.(\d+)", command(qemu, "--version"))
    if not version or (int(version[1]), int(version[2])) < (8, 1):
        return ["-singlestep"]
    return ["-one-insn-per-tb"] if "system" not in qemu else ["-accel", "tcg,one-insn-per-tb=on"]


def trace(board: Board, program: Program, operations: list[str]) -> dict[str, list[tuple[str, str]]]:
    """The instructions that the first run of each operation executes."""
    functions = {f.name: f for name in operations for f in program.reachable(name)}
    code = {at: words for function in functions.values() for at, words in function.code.items()}
    entries = {program.functions[name].start: name for name in operations}
    ranges = ",".join(f"{f.start:#x}+{f.size:#x}" for f in functions.values())

    qemu, *arguments = board.machine
    if "-icount" in arguments:
        at = arguments.index("-icount")
        del arguments[at : at + 2]
    with tempfile.TemporaryDirectory() as room:
        log = Path(room) / "log"
        os.mkfifo(log)
        words = [qemu, *single_step(qemu), "-d", "exec,nochain", "-dfilter", ranges, "-D", str(log)]
        process = subprocess.Popen(
            [*words, *arguments, str(program.path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            with open(log) as lines:
                addresses = (int(match[1], 16) for line in lines if (match := EXECUTED.search(line)))
                found = first_runs(addresses, code, entries)
        finally:
            process.kill()
            process.wait()
    if missing := set(operations) - set(found):
        raise Failure(f"{board.name}: no trace of {', '.join(sorted(missing))}")
    return found


def first_runs(addresses, code: dict, entries: dict[int, str]) -> dict[str, list[tuple[str, str]]]:
    """Cuts a stream of addresses into operations, from the entry of each to the return from it."""
    found: dict[str, list] = {}
    current, depth, last = None, 0, None
    for address in addresses:
        if current is not None and RETURN.search(" ".join(code[last])) and not follows(code, last, address):
            depth -= 1
            if depth < 0:
                current = None
                if len(found) == len(entries):
                    break
        if current is None and entries.get(address, "") not in ("", *found):
            current, depth = entries[address], 0
            found[current] = []
        if current is not None:
            found[current].append(code[address])
            depth += bool(CALL.match(code[address][0]))
            last = address
    return found


def follows(code: dict, address: int, after: int) -> bool:
    """Whether one instruction stands next to the other: a conditional return that was not taken."""
    return after in (address + 2, address + 4)

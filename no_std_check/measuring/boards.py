"""The boards: what each is, how its program is built and how it is run."""

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Board:
    name: str
    core: str  # as the table calls it
    target: str
    machine: tuple[str, ...]  # what runs the program, but for the program
    memory: str = ""  # a file of memory/
    flags: tuple[str, ...] = ()  # for rustc
    features: tuple[str, ...] = ()  # of the program, see Cargo.toml
    ticks: float | None = None  # that the board's clock makes per instruction
    cpu: tuple[str, ...] = ()  # for the disassembler
    hard_float: bool = True
    same_program_as: str = ""
    traced: bool = False  # instructions are counted by watching each, for want of a clock
    modelled: bool = False  # cycles are estimated from the instructions executed

    @property
    def small(self) -> bool:
        """Whether it trains the small network."""
        return "small" in self.features

    @property
    def of_results(self) -> tuple[str, ...]:
        """Those features that change results."""
        return tuple(feature for feature in self.features if feature in ("small", "fused"))

    @property
    def build_name(self) -> str:
        return self.same_program_as or self.name


def cortex_m(name: str, core: str, target: str, machine: str, **more) -> Board:
    run = (
        "qemu-system-arm", "-M", machine, "-display", "none", "-monitor", "none", "-serial", "none",
        "-semihosting-config", "enable=on,target=native", "-icount", "shift=6",
    )  # fmt: skip
    cpu = more.pop("cpu", name)
    return Board(name, core, target, (*run, "-kernel"), cpu=(f"--mcpu=cortex-{cpu}",), **more)


def risc_v(name: str, core: str, target: str, **more) -> Board:
    run = (
        "qemu-system-riscv32", "-M", "virt", "-bios", "none", "-display", "none", "-monitor", "none",
        "-serial", "stdio", "-icount", "shift=6",
    )  # fmt: skip
    return Board(name, core, target, (*run, "-kernel"), memory="virt", ticks=64, **more)


# With -icount shift=6 an instruction takes 64 ns of the board's time, so its clock counts instructions.
BOARDS = [
    cortex_m("m4f", "Cortex-M4F", "thumbv7em-none-eabihf", "mps2-an386", memory="mps2", ticks=1.6, cpu="m4",
             modelled=True, features=("vldm",), flags=("-C", "target-cpu=cortex-m4")),
    cortex_m("m7", "Cortex-M7", "thumbv7em-none-eabihf", "mps2-an500", memory="mps2", ticks=1.6,
             same_program_as="m4f"),
    cortex_m("m3", "Cortex-M3", "thumbv7m-none-eabi", "mps2-an385", memory="mps2", ticks=1.6, hard_float=False),
    cortex_m("m0", "Cortex-M0", "thumbv6m-none-eabi", "microbit", memory="microbit", ticks=1.024,
             features=("small",), hard_float=False),
    cortex_m("m33", "Cortex-M33", "thumbv8m.main-none-eabihf", "mps2-an505", memory="an505", ticks=1.28,
             features=("vldm",)),
    cortex_m("m55", "Cortex-M55", "thumbv8m.main-none-eabihf", "mps3-an547", memory="an547", ticks=2.048,
             flags=("-C", "target-cpu=cortex-m55")),
    risc_v("rv32imac", "RV32IMAC", "riscv32imac-unknown-none-elf", hard_float=False),
    risc_v("rv32imafc", "RV32IMAFC", "riscv32imafc-unknown-none-elf", features=("fused",), cpu=("--mattr=+f",)),
    # Weights are aligned to four bytes. The target's default keeps from loading 16 of them at once, for the sake of code
    # that runs before the memory management unit does.
    Board("aarch64", "AArch64", "aarch64-unknown-none", ("qemu-aarch64",), traced=True, features=("fused",),
          flags=("-C", "target-feature=-strict-align")),
    Board("x86_64", "x86-64 without SSE", "x86_64-unknown-none", ("qemu-x86_64",), hard_float=False,
          traced=True, flags=("-C", "relocation-model=static")),
    Board("wasm32", "WebAssembly", "wasm32-unknown-unknown", ("node", str(HERE / "measuring/wasm.mjs")), ticks=1,
          flags=("-C", "link-arg=--no-entry", "-C", "link-arg=--export=run")),
    Board("wasm32-simd", "WebAssembly SIMD", "wasm32-unknown-unknown",
          ("node", str(HERE / "measuring/wasm.mjs")), ticks=1,
          flags=("-C", "link-arg=--no-entry", "-C", "link-arg=--export=run", "-C", "target-feature=+simd128")),
]  # fmt: skip

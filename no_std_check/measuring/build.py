"""Builds the firmware, and installs what is missing for that.

rustup's targets are tried first. Where they cannot be had, or with WITHOUT_RUSTUP=1 in the environment, Debian's
compiler builds `core` from its sources: only the variable RUSTC changes the compiler, and RUSTC_BOOTSTRAP lets it build
`core`; neither touches other builds.
"""

import os
import platform
import shutil
import subprocess
from functools import cache
from pathlib import Path
from threading import Lock

from .boards import HERE, Board

DEBIAN_RUSTC = Path("/usr/bin/rustc")
DEBIAN_SOURCES = Path("/usr/lib/rustlib/src")
DEBIAN_COMPILER = ["rustc-web", "rust-web-src", "lld"]
PACKAGES = {
    "qemu-system-arm": "qemu-system-arm",
    "qemu-system-riscv32": "qemu-system-misc",
    "qemu-aarch64": "qemu-user",
    "qemu-x86_64": "qemu-user",
    "node": "nodejs",
    "llvm-objdump": "llvm",
    "llvm-nm": "llvm",
}
BUILD = ["cargo", "build", "--package", "no_std_check", "--profile", "firmware", "--quiet"]
_installing = Lock()


class Failure(Exception):
    """Something that the user must know, in one line or with a command's output."""


def command(*words: str, **more) -> str:
    """Runs a command to its end; what it printed."""
    done = subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    if done.returncode:
        raise Failure(f"{' '.join(words)}\n{done.stdout}")
    return done.stdout


def install(*packages: str) -> None:
    """Debian's packages; only root can install."""
    if not shutil.which("apt-get"):
        raise Failure(f"please install {' '.join(packages)}, or what your system calls them")
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _installing:
        words = [*sudo, "apt-get", "install", "-y", "--no-install-recommends", *packages]
        try:
            command(*words, env=environment)
        except Failure:
            command(*sudo, "apt-get", "update", env=environment)
            command(*words, env=environment)


def tool(name: str) -> None:
    """Makes sure that a program is there."""
    if not shutil.which(name):
        install(PACKAGES[name])


@cache
def rustup_has(target: str) -> bool:
    """Whether the ordinary toolchain can build for a target, now or after asking for it."""
    if os.environ.get("WITHOUT_RUSTUP"):
        return False
    libraries = Path(command("rustc", "--print", "target-libdir", "--target", target).strip())
    if libraries.exists():
        return True
    if not shutil.which("rustup"):
        return False
    try:
        command("rustup", "target", "add", target)
    except Failure:
        return False
    return libraries.exists()


def compiler() -> str:
    """What the boards' programs are built with; another version makes other instructions."""
    with _installing:
        ordinary = rustup_has("thumbv7em-none-eabihf")
    return " ".join(command("rustc" if ordinary else str(DEBIAN_RUSTC), "--version").split()[:2])


def build(board: Board) -> Path:
    """The program for a board."""
    words = [*BUILD, "--target", board.target, "--target-dir", f"target/{board.build_name}"]
    words += ["--features", ",".join(board.features)]
    environment = {**os.environ, "BOARD_MEMORY": board.memory, "RUSTFLAGS": " ".join(board.flags)}
    with _installing:
        with_rustup = rustup_has(board.target)
    if not with_rustup:
        if not (DEBIAN_RUSTC.exists() and DEBIAN_SOURCES.exists() and shutil.which("ld.lld")):
            install(*DEBIAN_COMPILER)
        linker = "wasm-ld" if board.target.startswith("wasm") else "ld.lld"
        variable = board.target.upper().replace("-", "_").replace(".", "_")
        environment |= {
            "RUSTC": str(DEBIAN_RUSTC),
            "RUSTC_BOOTSTRAP": "1",
            f"CARGO_TARGET_{variable}_LINKER": linker,
        }
        words += ["-Z", "build-std=core"]
    command(*words, cwd=HERE, env=environment)
    program = HERE / "target" / board.build_name / board.target / "firmware" / "no_std_check"
    return program.with_suffix(".wasm") if board.target.startswith("wasm") else program


def build_host(features: tuple[str, ...]) -> Path:
    """The same program for the host, whose results the boards must reproduce."""
    name = "-".join(["host", *features])
    words = [*BUILD, "--target-dir", f"target/{name}", "--features", ",".join(features)]
    fma = "fused" in features and platform.machine() == "x86_64"
    flags = "-C target-feature=+avx2,+fma" if fma else ""
    command(*words, cwd=HERE, env={**os.environ, "RUSTFLAGS": flags})
    return HERE / "target" / name / "firmware" / "no_std_check"

//! Tells the linker how a board's memory is laid out: `memory/$BOARD_MEMORY.x` becomes the `memory.x` that the start-up
//! crates ask for. On the host, links the C library, whose start-up code calls `main`.

use std::{env, fs, path::Path};

fn main() {
    println!("cargo::rerun-if-env-changed=BOARD_MEMORY");
    println!("cargo::rerun-if-changed=memory");
    let variable = |name| env::var(name).unwrap_or_default();
    let scripts: &[&str] = match variable("CARGO_CFG_TARGET_ARCH").as_str() {
        "arm" => &["-Tlink.x", "--nmagic"],
        "riscv32" => &["-Tmemory.x", "-Tlink.x"],
        _ if variable("CARGO_CFG_TARGET_OS") == "linux" => {
            println!("cargo::rustc-link-lib=c");
            return;
        }
        _ => return,
    };
    let out = variable("OUT_DIR");
    let layout = Path::new("memory").join(variable("BOARD_MEMORY")).with_extension("x");
    fs::copy(&layout, Path::new(&out).join("memory.x")).expect("BOARD_MEMORY names a file of memory/");
    println!("cargo::rustc-link-search={out}");
    for script in scripts {
        println!("cargo::rustc-link-arg-bins={script}");
    }
}

//! Lets the linker find `memory.x`, which says where flash and RAM are.

use std::env;

fn main() {
    println!("cargo::rustc-link-search={}", env::var("CARGO_MANIFEST_DIR").unwrap_or_default());
    println!("cargo::rerun-if-changed=memory.x");
}

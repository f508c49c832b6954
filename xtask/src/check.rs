//! What must hold before a change is looked at: form, lints, the core for WebAssembly, documentation.

use anyhow::Result;

use crate::program::{cargo, run as run_program};

/// `cargo xtask check`.
pub(crate) fn run() -> Result<()> {
    run_program(cargo(&["fmt", "--all", "--check"]))?;
    run_program(cargo(&[
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    run_program(cargo(&[
        "check",
        "--quiet",
        "-p",
        "sync-core",
        "--target",
        "wasm32-unknown-unknown",
    ]))?;
    let mut doc = cargo(&["doc", "--quiet", "--workspace", "--no-deps"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    run_program(doc)
}

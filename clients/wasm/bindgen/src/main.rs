//! `tablet-bindgen WASM FOLDER NAME`: writes the JavaScript side of a WebAssembly module into a folder.
//!
//! The library behind wasm-bindgen's command line, so that nothing has to be downloaded as a program.
//! It is no member of the workspace's ordinary builds: the web app's build runs it.

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let wasm = arguments.next().context("which .wasm file?")?;
    let folder = arguments.next().context("which folder to write to?")?;
    let name = arguments.next().context("what is it called there?")?;
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(wasm)
        .out_name(&name)
        .web(true)
        .and_then(|bindgen| bindgen.typescript(true).generate(folder))
}

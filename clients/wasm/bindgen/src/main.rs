//! `tablet-bindgen WASM FOLDER`: writes the JavaScript side of the WebAssembly module into a folder.
//!
//! The library behind wasm-bindgen's command line, so that nothing has to be downloaded as a program.
//! It is no member of the workspace's ordinary builds: the web app's build runs it.

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let wasm = arguments.next().context("which .wasm file?")?;
    let folder = arguments.next().context("which folder to write to?")?;
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(wasm)
        .out_name("tablet")
        .web(true)
        .and_then(|bindgen| bindgen.typescript(true).generate(folder))
}

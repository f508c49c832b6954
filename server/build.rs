//! Lists the files of the web app that `cargo xtask web` has built, to be put into the program.
//!
//! Without them the program is whole all the same: it serves the status page alone.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let here = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let app = here.join("../clients/web/dist");
    println!("cargo::rerun-if-changed={}", app.display());
    let mut found = Vec::new();
    if app.is_dir() {
        list(&app, &mut found)?;
    }
    found.sort();
    let mut table = String::from("static FILES: &[File] = &[\n");
    for path in found.iter().filter(|path| !has_extension(path, "br")) {
        let name = path.strip_prefix(&app)?.display().to_string();
        let travels = PathBuf::from(format!("{}.br", path.display()));
        let brotli = match travels.is_file() {
            true => format!("Some(include_bytes!({:?}))", travels.display().to_string()),
            false => "None".to_owned(),
        };
        writeln!(
            table,
            "File {{ path: {:?}, kind: {:?}, bytes: include_bytes!({:?}), brotli: {brotli} }},",
            format!("/{name}"),
            kind(path),
            path.display().to_string(),
        )?;
    }
    table.push_str("];\n");
    fs::write(
        PathBuf::from(std::env::var("OUT_DIR")?).join("app_files.rs"),
        table,
    )?;
    Ok(())
}

fn list(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

fn kind(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("webmanifest") => "application/manifest+json",
        Some(_) | None => "application/octet-stream",
    }
}

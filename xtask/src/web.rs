//! The web app: the core as WebAssembly, its JavaScript side, and the pages, ready to be put into the
//! server.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};

use crate::program::{built, cargo, program, require, root, run as run_program};

const TARGET: &str = "wasm32-unknown-unknown";

/// Builds the app into `clients/web/dist`, unless it stands there from the same sources.
pub(crate) fn build() -> Result<()> {
    require("npm", "install Node.js 20 or later with npm")?;
    let web = root().join("clients/web");
    let core = web.join("core");
    let tablet = wasm("tablet-wasm", &[])?;
    let forms = wasm("form-wasm", &[])?;
    run_program(cargo(&["build", "--quiet", "-p", "tablet-bindgen"]))?;
    let stamp = stamp(&web, [&tablet, &forms])?;
    let kept = core.join("stamp");
    if web.join("dist/service-worker.js").exists()
        && fs::read_to_string(&kept).is_ok_and(|kept| kept == stamp)
    {
        return Ok(());
    }
    fs::create_dir_all(&core).context("cannot make clients/web/core")?;
    bindings(&tablet, &core, "tablet")?;
    bindings(&forms, &core, "forms")?;
    if !has_what_is_locked(&web)? {
        npm(&web, &["ci", "--silent", "--no-fund", "--no-audit"])?;
    }
    npm(&web, &["run", "--silent", "interface"])?;
    npm(&web, &["run", "--silent", "check"])?;
    npm(&web, &["run", "--silent", "build"])?;
    fs::write(&kept, stamp).context("cannot write clients/web/core/stamp")
}

/// True if what is installed is not older than the list of what should be.
fn has_what_is_locked(web: &Path) -> Result<bool> {
    let wanted = fs::metadata(web.join("package-lock.json")).context("no package-lock.json")?;
    Ok(
        fs::metadata(web.join("node_modules/.package-lock.json")).is_ok_and(|installed| {
            matches!((installed.modified(), wanted.modified()), (Ok(there), Ok(asked)) if there >= asked)
        }),
    )
}

/// Builds the core with a panic planted in it, for the test that the app survives one: into
/// `target/planted`, never into what ships.
pub(crate) fn build_planted() -> Result<()> {
    let wasm_planted = wasm("tablet-wasm", &["--features", "planted-panic"])?;
    let planted = root().join("target/planted");
    fs::create_dir_all(&planted).context("cannot make target/planted")?;
    bindings(&wasm_planted, &planted, "tablet")?;
    // The name in the target folder is again that of what ships.
    wasm("tablet-wasm", &[]).map(drop)
}

/// Builds a member as WebAssembly, in the profile that ships; where it stands.
fn wasm(member: &str, more: &[&str]) -> Result<PathBuf> {
    let ships = ["build", "--quiet", "-p", member, "--lib"];
    let made = ["--profile", "tablet", "--target", TARGET];
    run_program(cargo(&[&ships, made.as_slice(), more].concat()))?;
    let file = format!("{}.wasm", member.replace('-', "_"));
    Ok(built(&format!("{TARGET}/tablet"), &file))
}

/// Writes the JavaScript side of a module into a folder, with the module, under this name.
fn bindings(wasm: &Path, into: &Path, name: &str) -> Result<()> {
    run_program(program(
        &built("debug", "tablet-bindgen").to_string_lossy(),
        &[&wasm.to_string_lossy(), &into.to_string_lossy(), name],
    ))
}

fn npm(web: &Path, arguments: &[&str]) -> Result<()> {
    let mut command = program("npm", arguments);
    command.current_dir(web);
    run_program(command)
}

/// Names, sizes and times of everything that the app is made of.
fn stamp(web: &Path, modules: [&PathBuf; 2]) -> Result<String> {
    let mut files: Vec<PathBuf> = modules.into_iter().cloned().collect();
    files.extend([
        web.join("index.html"),
        web.join("package-lock.json"),
        web.join("vite.config.ts"),
        root().join("server/openapi.json"),
    ]);
    for folder in [
        web.join("src"),
        web.join("public"),
        root().join("sync-core/messages/catalogues"),
    ] {
        list(&folder, &mut files)?;
    }
    files.sort();
    let mut stamp = String::new();
    for file in files {
        let about = fs::metadata(&file).with_context(|| format!("no {}", file.display()))?;
        let modified = about.modified()?.duration_since(UNIX_EPOCH)?.as_nanos();
        stamp.push_str(&format!("{} {} {modified}\n", file.display(), about.len()));
    }
    Ok(stamp)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

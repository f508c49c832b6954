//! Running other programs: from the root of the tree, with a clear word when one fails or is missing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The root of the tree.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A program to be run from the root.
pub(crate) fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    command
}

/// Cargo, the one that runs this.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    program(
        &std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()),
        arguments,
    )
}

/// Runs to the end; an error says what was run.
pub(crate) fn run(mut command: Command) -> Result<()> {
    let said = format!("{command:?}");
    let status = command
        .status()
        .with_context(|| format!("cannot run {said}"))?;
    if !status.success() {
        bail!("{said} ended with {status}");
    }
    Ok(())
}

/// Runs to the end and gives what it printed.
pub(crate) fn output(mut command: Command) -> Result<String> {
    let said = format!("{command:?}");
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {said}"))?;
    if !output.status.success() {
        bail!("{said} ended with {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Builds every program of the workspace. Always all of them: a choice of packages would choose other
/// features of what they share, and build the engine once more for each choice.
pub(crate) fn build_programs() -> Result<()> {
    run(cargo(&["build", "--workspace", "--bins"]))
}

/// Fails with one line that says what to install.
pub(crate) fn require(name: &str, hint: &str) -> Result<()> {
    match program(name, &["--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
    {
        Ok(_) => Ok(()),
        Err(_) => bail!("{name} is missing: {hint}"),
    }
}

/// The folder of built programs of a profile.
pub(crate) fn built(profile: &str, name: &str) -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    target.join(profile).join(name)
}

//! What keeps the tree readable, as tests: who may depend on whom, how files open, what they are
//! called, how long they grow, whether the maps still show what is there.

#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod sources;

#[cfg(test)]
fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Files that git tracks or would track, relative to the root.
#[cfg(test)]
fn files() -> Vec<String> {
    let output = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git ls-files: the tests run in a checkout"
    );
    let files = String::from_utf8(output.stdout).unwrap();
    files
        .lines()
        .map(str::to_owned)
        .filter(|file| root().join(file).is_file())
        .collect()
}

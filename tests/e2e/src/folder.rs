//! A folder copied back: what a person does who keeps a copy beside it, without the product's own backup.

use std::fs;
use std::path::Path;

use anyhow::Result;

/// Copies everything in a folder into another one, which is made if it is not there.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

//! What happened, as a digest of every line and, if wanted, the lines.

use std::fmt::{Arguments, Write};

/// The trace of a run.
#[derive(Debug, Default)]
pub struct Trace {
    hasher: blake3::Hasher,
    line: String,
    kept: Option<Vec<String>>,
}

impl Trace {
    /// An empty trace; `keep` keeps the lines.
    pub fn new(keep: bool) -> Self {
        Self {
            kept: keep.then(Vec::new),
            ..Self::default()
        }
    }

    /// Adds a line.
    pub fn say(&mut self, line: Arguments<'_>) {
        self.line.clear();
        // Writing to a string cannot fail.
        let _ = self.line.write_fmt(line);
        self.hasher.update(self.line.as_bytes());
        self.hasher.update(b"\n");
        if let Some(kept) = &mut self.kept {
            kept.push(self.line.clone());
        }
    }

    /// Adds bytes that went over a link, to the digest only.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// Digest of everything so far.
    pub fn digest(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }

    /// The lines, if they were kept.
    pub fn into_lines(self) -> Vec<String> {
        self.kept.unwrap_or_default()
    }
}

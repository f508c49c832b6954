//! What `dongbo-server backup`, `check-backup` and `backup-key` take and say.
#![expect(
    clippy::print_stdout,
    reason = "what was asked for goes to standard output, log lines do not"
)]

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use sealed_file::{Identity, Recipient, read_identities};
use serde_json::json;

use super::check::check;
use super::folder::Manifest;
use super::restore::{LaidOut, Restored};
use super::write::write;
use crate::clock::Clock;

/// Adds what is new to a backup.
#[derive(Debug, Args)]
pub struct Backup {
    /// The province's folder.
    #[arg(long)]
    folder: PathBuf,
    /// The backup's folder, on another disk; it is made if it is not there.
    #[arg(long)]
    to: PathBuf,
    /// The public key (`age1…`) to seal it to; may be given several times.
    #[arg(long, required = true, value_name = "KEY")]
    seal_to: Vec<Recipient>,
    /// Begin a new series, which needs none of the pieces before.
    #[arg(long)]
    anew: bool,
}

/// Looks whether a backup is whole.
#[derive(Debug, Args)]
pub struct CheckBackup {
    /// The backup's folder.
    #[arg(long)]
    from: PathBuf,
    /// The series; left out: the last.
    #[arg(long)]
    series: Option<u64>,
}

/// Makes a key that backups are sealed to.
#[derive(Debug, Args)]
pub struct BackupKey {
    /// The file to make.
    #[arg(long)]
    out: PathBuf,
}

impl Backup {
    /// Runs it.
    pub fn run(&self, json: bool) -> anyhow::Result<()> {
        let now = Clock::System.now_s();
        let written = write(&self.folder, &self.to, &self.seal_to, self.anew, now)?;
        if json {
            println!(
                "{}",
                json!({ "series": written.series, "begun": written.begun,
                        "piece": written.piece, "holds": written.holds })
            );
            return Ok(());
        }
        match &written.piece {
            None => println!("Không có gì mới. / Nothing is new."),
            Some(piece) => {
                println!(
                    "Loạt, phần / series, piece   {}, {}",
                    written.series, piece.number
                );
                println!("Bản ghi / records            {}", piece.records);
                println!("Byte / bytes                 {}", piece.sealed_bytes);
            }
        }
        println!("Tổng số phần / parts in all  {}", written.holds.parts);
        Ok(())
    }
}

impl CheckBackup {
    /// Runs it.
    pub fn run(&self, json: bool) -> anyhow::Result<()> {
        let (series, pieces) = check(&self.from, self.series)?;
        if json {
            println!("{}", json!({ "series": series, "pieces": pieces }));
            return Ok(());
        }
        let bytes: u64 = pieces.iter().map(|piece| piece.sealed_bytes).sum();
        let parts = pieces
            .last()
            .map_or(0, |piece: &Manifest| piece.holds.parts);
        println!("Loạt / series                {series}");
        println!(
            "Nguyên vẹn / whole pieces    {} ({bytes} byte)",
            pieces.len()
        );
        println!("Tổng số phần / parts in all  {parts}");
        Ok(())
    }
}

impl BackupKey {
    /// Runs it.
    pub fn run(&self, json: bool) -> anyhow::Result<()> {
        let identity = Identity::generate();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options
            .open(&self.out)
            .and_then(|mut file| {
                file.write_all(identity.file_text().as_bytes())?;
                file.sync_all()
            })
            .with_context(|| format!("cannot make {}", self.out.display()))?;
        let public = identity.recipient().to_string();
        match json {
            true => println!("{}", json!({ "file": self.out, "public_key": public })),
            false => println!("Khóa công khai / public key  {public}"),
        }
        Ok(())
    }
}

/// Reads the file of a key that opens backups.
pub fn read_key_file(path: &Path) -> anyhow::Result<Vec<Identity>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    read_identities(&text).with_context(|| path.display().to_string())
}

/// Says what was restored.
pub fn say_restored(json: bool, folder: &Path, (laid, restored): &(LaidOut, Restored)) {
    if json {
        println!(
            "{}",
            json!({ "folder": folder, "series": laid.series, "pieces": laid.pieces,
                    "records": laid.records, "made_at": laid.made_at,
                    "node": restored.node, "catalogue_number": restored.catalogue_number,
                    "parts": restored.fingerprint.count(),
                    "fingerprint": restored.fingerprint.to_string() })
        );
        return;
    }
    println!("Thư mục / folder             {}", folder.display());
    println!(
        "Loạt, phần / series, pieces  {}, {}",
        laid.series, laid.pieces
    );
    println!("Bản ghi / records            {}", laid.records);
    println!(
        "Tổng số phần / parts in all  {}",
        restored.fingerprint.count()
    );
    println!(
        "Dấu vân / fingerprint        {} (đúng / proved)",
        restored.fingerprint
    );
    println!("Nút mới / new node           {}", restored.node);
}

//! Backup and restore: the journal and the keys of a node, sealed to a public key, piece after piece.
//!
//! # What it is
//!
//! The journal is the truth and only grows, so a backup is its records in order, and the next one the
//! records since. [`mod@write`] reads the journal beside the server that writes to it, seals what is new to a
//! public key and puts it into a folder as one more *piece*; whoever makes backups needs no secret, and
//! whoever finds them reads nothing. [`check`] tells without any secret whether the pieces are all there
//! and unchanged.
//!
//! ```text
//! 0000000001/                    series 1: begun anew when the journal is not the one of before
//!   0000000001.piece             an age file (age-encryption.org/v1); `piece` says what is in it
//!   0000000001.json              what the piece holds, for people and for the next backup
//!   0000000002.piece, …
//! lock                           one backup at a time
//! ```
//!
//! A piece is written beside, synced and renamed, then its `.json`: a piece without it was cut off and is
//! written again. The number of the last durable record, its checksum and the fingerprint of all parts so
//! far stand in the `.json`, so the next backup reads only what came since.
//!
//! # What proves it
//!
//! Each piece names the hash of the one before and ends with the fingerprint of every accepted part up to
//! there, signed with the node's key. [`restore`] puts the records into a new journal, has the server
//! derive everything from them as after a power cut, and compares the fingerprint that comes out. Only
//! then the folder gets its name. It takes a new node id: peers that met the lost node read on from the
//! beginning, and give back what the backup lacks.
//!
//! A folder that was copied back without all this is recognised by the first peer that holds a later
//! position (`ARCHITECTURE.md`, "A node whose folder was copied back").

pub mod check;
pub mod command;
mod folder;
mod piece;
pub mod restore;
pub mod write;

pub use folder::{FolderError, Manifest};
pub use piece::PieceError;

/// Bytes of a journal record and its frame in a piece.
const FRAME_BYTES_MAX: usize = journal::RECORD_BYTES_MAX + 64;

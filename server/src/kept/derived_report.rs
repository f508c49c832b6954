//! Keys 87 and 8b: what a report comes to, and how far the log has been followed for it. Derived.
//!
//! Key: `87, [16] document`. Value: `svar first received at, svar last received at, bytes extract`.
//! Key: `8b`. Value: `var position` up to which every entry of the log is in the extracts.

use sync_core::codec::{DecodeError, Reader, Writer};
use sync_core::document::Extract;
use sync_core::identity::DocumentId;
use sync_core::log::keys;

use super::KeptError;

/// The key of the position.
pub const POSITION_KEY: [u8; 1] = [0x8b];

/// What a report comes to, and when this node received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivedReport {
    /// When the first of it was received, seconds since 1970 UTC: what lateness is judged by.
    pub first_received_at: i64,
    /// When the last of it was received.
    pub last_received_at: i64,
    /// Its cells.
    pub extract: Extract,
}

/// The key of a report.
pub fn key(document: DocumentId) -> Vec<u8> {
    keys::extract(document)
}

/// The first key of all reports, and the first key after them.
pub fn range() -> (Vec<u8>, Vec<u8>) {
    let from = key(DocumentId([0; 16]));
    let to = from
        .first()
        .map(|tag| keys::after(*tag))
        .unwrap_or_default();
    (from, to)
}

impl DerivedReport {
    /// Bytes to keep.
    pub fn encode(&self) -> Vec<u8> {
        let extract = self.extract.encode();
        encode_of(self.first_received_at, self.last_received_at, &extract)
    }

    /// Reads kept bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, KeptError> {
        let read = || -> Result<Self, DecodeError> {
            let mut reader = Reader::new(bytes);
            let report = Self {
                first_received_at: reader.svar("first received at")?,
                last_received_at: reader.svar("last received at")?,
                extract: Extract::decode(reader.bytes(bytes.len(), "extract")?)?,
            };
            reader.end("report")?;
            Ok(report)
        };
        read().map_err(|error| KeptError {
            kind: "report",
            error,
        })
    }
}

/// Bytes to keep of an encoded extract.
pub fn encode_of(first_received_at: i64, last_received_at: i64, extract: &[u8]) -> Vec<u8> {
    let mut writer = Writer::with_capacity(extract.len() + 24);
    writer
        .svar(first_received_at)
        .svar(last_received_at)
        .bytes(extract);
    writer.into_bytes()
}

/// Bytes of a position.
pub fn encode_position(position: u64) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.var(position);
    writer.into_bytes()
}

/// Reads a position.
pub fn decode_position(bytes: &[u8]) -> Result<u64, KeptError> {
    let mut reader = Reader::new(bytes);
    reader
        .var("position")
        .and_then(|position| reader.end("position").map(|()| position))
        .map_err(|error| KeptError {
            kind: "position",
            error,
        })
}

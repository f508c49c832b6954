//! Key 01: which node this is. Key: `01`. Value: `[16] node id, var restarts from older folders`.

use sync_core::codec::{DecodeError, Reader, Writer};
use sync_core::identity::NodeId;

use super::KeptError;

/// The one key of this kind.
pub const KEY: [u8; 1] = [0x01];

/// The node's own record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// Its id as its peers know it.
    pub id: NodeId,
    /// How often it found itself on an older folder and took a new id.
    pub rollbacks: u64,
}

impl Node {
    /// Bytes to keep.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.raw(&self.id.0).var(self.rollbacks);
        writer.into_bytes()
    }

    /// Reads kept bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, KeptError> {
        let read = || -> Result<Self, DecodeError> {
            let mut reader = Reader::new(bytes);
            let node = Self {
                id: NodeId(reader.array("node id")?),
                rollbacks: reader.var("rollbacks")?,
            };
            reader.end("node")?;
            Ok(node)
        };
        read().map_err(|error| KeptError {
            kind: "node",
            error,
        })
    }
}

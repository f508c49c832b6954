//! The keys of the keyspace: one function per kind, tag first (`docs/formats.md` section 11).

use crate::batch::Partition;
use crate::codec::Writer;
use crate::identity::{ActorId, ChangeHash, DocumentId, PartId};

/// Kinds from here on are derived from the others.
pub const DERIVED_FROM: u8 = 0x80;

/// The version of the shape of the derived keys, those of a server included. Whoever changes a key or
/// a value from 0x80 on gives this another number; what was derived by another is derived again.
pub const DERIVED_VERSION: u64 = 4;

/// Node identity.
pub const NODE: u8 = 0x01;
/// Signed catalogue records by number.
pub const CATALOGUE: u8 = 0x02;
/// Accepted parts by position.
pub const LOG: u8 = 0x03;
/// Held parts by held number.
pub const HELD: u8 = 0x04;
/// Where a node stands with the node above it.
pub const UPLINK: u8 = 0x09;
/// Parts of a device that no node has acknowledged yet, by part id.
pub const OUTBOX: u8 = 0x21;
const PART: u8 = 0x80;
const CHAIN: u8 = 0x81;
const CHAIN_PARTITION: u8 = 0x82;
const PARTITION: u8 = 0x83;
const FEED: u8 = 0x84;
const DOCUMENT: u8 = 0x85;
const DOCUMENT_CHUNK: u8 = 0x86;
/// Extracted reports by document.
pub const EXTRACT: u8 = 0x87;
const NUMBER: u8 = 0x88;
const HELD_CHANGE: u8 = 0x89;
const HELD_COUNT: u8 = 0x8a;
const VOUCHED: u8 = 0x8c;
const EVIDENCE: u8 = 0x8d;
const VERSION: u8 = 0xff;

fn key(tag: u8, write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.u8(tag);
    write(&mut writer);
    writer.into_bytes()
}

/// The first key after every key of a kind.
pub fn after(tag: u8) -> Vec<u8> {
    vec![tag.saturating_add(1)]
}
/// Node identity.
pub fn node() -> Vec<u8> {
    vec![NODE]
}
/// Where a node stands with the node above it.
pub fn uplink() -> Vec<u8> {
    vec![UPLINK]
}
/// A catalogue record.
pub fn catalogue(number: u64) -> Vec<u8> {
    key(CATALOGUE, |to| {
        to.u64_be(number);
    })
}
/// A log entry.
pub fn log(position: u64) -> Vec<u8> {
    key(LOG, |to| {
        to.u64_be(position);
    })
}
/// A held entry.
pub fn held(number: u64) -> Vec<u8> {
    key(HELD, |to| {
        to.u64_be(number);
    })
}
/// A part in a device's outbox.
pub fn outbox(part: PartId) -> Vec<u8> {
    key(OUTBOX, |to| {
        to.raw(&part.0);
    })
}
/// Where a part is.
pub fn part(part: PartId) -> Vec<u8> {
    key(PART, |to| {
        to.raw(&part.0);
    })
}
/// The highest batch of a chain.
pub fn chain(actor: ActorId) -> Vec<u8> {
    key(CHAIN, |to| {
        to.raw(&actor.0);
    })
}
/// The last part of a chain in a partition.
pub fn chain_partition(actor: ActorId, partition: Partition) -> Vec<u8> {
    key(CHAIN_PARTITION, |to| partition.write(to.raw(&actor.0)))
}
/// The fingerprint of a partition.
pub fn partition(partition: Partition) -> Vec<u8> {
    key(PARTITION, |to| partition.write(to))
}
/// First key of every partition's fingerprint.
pub fn partitions() -> Vec<u8> {
    vec![PARTITION]
}
/// A position of a partition's feed.
pub fn feed(partition: Partition, position: u64) -> Vec<u8> {
    key(FEED, |to| {
        partition.write(to);
        to.u64_be(position);
    })
}
/// A document's index head.
pub fn document(document: DocumentId) -> Vec<u8> {
    key(DOCUMENT, |to| {
        to.raw(&document.0);
    })
}
/// First key of every document.
pub fn documents() -> Vec<u8> {
    vec![DOCUMENT]
}
/// A chunk of a document's change index.
pub fn document_chunk(document: DocumentId, chunk: u32) -> Vec<u8> {
    key(DOCUMENT_CHUNK, |to| {
        to.raw(&document.0).raw(&chunk.to_be_bytes());
    })
}
/// The extracted report of a document.
pub fn extract(document: DocumentId) -> Vec<u8> {
    key(EXTRACT, |to| {
        to.raw(&document.0);
    })
}
/// Which batch a chain's number is.
pub fn number(actor: ActorId, number: u64) -> Vec<u8> {
    key(NUMBER, |to| {
        to.raw(&actor.0).u64_be(number);
    })
}
/// The number in a key made by [`number`].
pub(super) fn number_of_chain(key: &[u8]) -> Option<u64> {
    let (_, number) = key.split_last_chunk()?;
    Some(u64::from_be_bytes(*number))
}
/// Which held entry has a change.
pub fn held_change(document: DocumentId, hash: ChangeHash) -> Vec<u8> {
    key(HELD_CHANGE, |to| {
        to.raw(&document.0).raw(&hash.0);
    })
}
/// An accepted part without its author's signature.
pub fn vouched(part: PartId) -> Vec<u8> {
    key(VOUCHED, |to| {
        to.raw(&part.0);
    })
}
/// First key of every such part, and the first after them.
pub fn vouched_parts() -> (Vec<u8>, Vec<u8>) {
    (vec![VOUCHED], after(VOUCHED))
}
/// A batch of a chain, or a part of one, that is evidence of a fork: what follows on it is evidence as well.
pub fn evidence(actor: ActorId, hash: &[u8; 32]) -> Vec<u8> {
    key(EVIDENCE, |to| {
        to.raw(&actor.0).raw(hash);
    })
}
/// The version of the derived keys.
pub fn derived_version() -> Vec<u8> {
    vec![VERSION]
}
/// How many parts of a chain are held.
pub fn held_count(actor: ActorId) -> Vec<u8> {
    key(HELD_COUNT, |to| {
        to.raw(&actor.0);
    })
}

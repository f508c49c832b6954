//! Packing of the parts of one exchange: of what the other side lacks, only what it cannot rebuild.
//!
//! [`pack`] makes few bytes of signed parts, [`unpack`] gives the same parts back, byte for byte, or
//! says that it cannot: then they are sent as they are. Both run the one code in `batch` and
//! `change` over a pipe that takes bits or gives them, so that they cannot disagree on the format.
//!
//! Nothing that follows from what the other side holds is sent: dependencies, actors, numbers, hashes
//! of the change before, checksums, ids of documents. What that is says [`Ground`]: a packing stands
//! on the ground that both sides are known to share, and a digest of the rebuilt part ids, which cover
//! every byte but the signatures, tells when they did not. `docs/packing.md` has the format and what
//! was measured on the way to it.

mod batch;
mod budget;
mod change;
mod coder;
mod ground;
mod group;
mod ids;
mod model;
mod op;
mod record_body;
mod records;
mod strings;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;

pub use ground::{Ground, Shared};
pub use records::{Tip, pack_records, unpack_records};

use crate::batch::{BarePart, Entry, SignedPart};
use crate::document::{Subject, extension_change};
use crate::identity::{ActorId, DocumentId};
use crate::limits;
use crate::log::KeyspaceError;
use crate::sync::message::digest_of_parts;
use batch::Exchange;
use coder::{Decoder, Encoder, Pipe};

/// Bytes of the digest before the bits.
const DIGEST_BYTES: usize = 8;

/// Why something was not packed or unpacked. Nothing happened; it can be sent as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// The log cannot be read.
    #[error(transparent)]
    Keyspace(#[from] KeyspaceError),
    /// Over a limit, packed or unpacked.
    #[error("{0} is over its limit")]
    Limit(&'static str),
    /// The bits say what cannot be.
    #[error("packing is malformed in {0}")]
    Malformed(&'static str),
    /// It refers to what is not here.
    #[error("packing refers to a {0} that is not here")]
    Missing(&'static str),
    /// What was rebuilt is not what was packed.
    #[error("packing stands on another ground")]
    OtherGround,
}

/// A part on its way, with the time at which the node that sends it received it.
pub type Timed = (i64, SignedPart);

/// Whether authors' signatures are in a packing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signatures {
    /// Each batch carries its own.
    Carried,
    /// None is: a node's word for all parts travels beside the packing.
    LeftOut,
}

/// Packs parts for the other side. `None` when they are too much for one packing.
///
/// # Errors
/// Only those of the log.
pub fn pack(ground: &Ground<'_>, parts: &[Timed]) -> Result<Option<Vec<u8>>, KeyspaceError> {
    or_none(try_pack(ground, parts, Signatures::Carried))
}

/// [`pack`] without the signatures of the authors. Who rebuilds the parts takes a node's word for them.
///
/// # Errors
/// Only those of the log.
pub fn pack_bare(ground: &Ground<'_>, parts: &[Timed]) -> Result<Option<Vec<u8>>, KeyspaceError> {
    or_none(try_pack(ground, parts, Signatures::LeftOut))
}

/// What came of an attempt; none where the parts have to travel as they are.
fn or_none<T>(tried: Result<T, Trouble>) -> Result<Option<T>, KeyspaceError> {
    match tried {
        Ok(done) => Ok(Some(done)),
        Err(Trouble::Keyspace(error)) => Err(error),
        Err(
            Trouble::Limit(_) | Trouble::Malformed(_) | Trouble::Missing(_) | Trouble::OtherGround,
        ) => Ok(None),
    }
}

/// Rebuilds the parts of a packing. `None` when that cannot be done here: the other side has to send
/// them as they are.
///
/// # Errors
/// Only those of the log.
pub fn unpack(ground: &Ground<'_>, bytes: &[u8]) -> Result<Option<Vec<Timed>>, KeyspaceError> {
    or_none(try_unpack(ground, bytes, Signatures::Carried))
}

/// Rebuilds the parts of a packing that signatures were left out of; otherwise as [`unpack`].
///
/// # Errors
/// Only those of the log.
pub fn unpack_bare(
    ground: &Ground<'_>,
    bytes: &[u8],
) -> Result<Option<Vec<(i64, BarePart)>>, KeyspaceError> {
    let parts = or_none(try_unpack(ground, bytes, Signatures::LeftOut))?;
    let bare = |(received_at, part)| (received_at, BarePart::new(part));
    Ok(parts.map(|parts| parts.into_iter().map(bare).collect()))
}

fn digest(parts: &[Timed]) -> [u8; DIGEST_BYTES] {
    let ids: Vec<_> = parts.iter().map(|(_, part)| part.id()).collect();
    digest_of_parts(&ids)
}

pub(crate) fn try_pack(
    ground: &Ground<'_>,
    parts: &[Timed],
    signatures: Signatures,
) -> Result<Vec<u8>, Trouble> {
    let own = Own::of(ground, parts)?;
    let mut exchange = Exchange::new(Encoder::new(), (ground, signatures), Some(own));
    exchange.parts(Some(parts))?;
    let mut pipe = exchange.into_pipe();
    let became = *pipe.budget();
    let bits = pipe.into_bytes();
    if !became.fits(bits.len()) {
        return Err(Trouble::Limit("what a packing becomes"));
    }
    let mut bytes = digest(parts).to_vec();
    bytes.extend(bits);
    Ok(bytes)
}

pub(crate) fn try_unpack(
    ground: &Ground<'_>,
    bytes: &[u8],
    signatures: Signatures,
) -> Result<Vec<Timed>, Trouble> {
    if bytes.len() > limits::FRAME_BYTES_MAX {
        return Err(Trouble::Limit("bytes of a packing"));
    }
    let (promised, bits) = bytes
        .split_first_chunk::<DIGEST_BYTES>()
        .ok_or(Trouble::Malformed("digest"))?;
    let mut exchange = Exchange::new(Decoder::new(bits), (ground, signatures), None);
    let parts = exchange.parts(None)?;
    exchange.into_pipe().end()?;
    if digest(&parts) == *promised {
        Ok(parts)
    } else {
        Err(Trouble::OtherGround)
    }
}

/// What the side that packs knows of the documents it packs, whatever the other one knows.
#[derive(Debug, Default)]
pub(crate) struct Own {
    subjects: BTreeMap<DocumentId, Subject>,
    sections: BTreeMap<ActorId, String>,
}

impl Own {
    fn of(ground: &Ground<'_>, parts: &[Timed]) -> Result<Self, Trouble> {
        let mut own = Self::default();
        let mut names = Vec::new();
        for entry in parts.iter().flat_map(|(_, part)| &part.part().entries) {
            match entry {
                Entry::Subject { document, subject } => {
                    if let Ok(subject) = Subject::decode(subject)
                        && subject.document_id() == *document
                    {
                        own.subjects.insert(*document, subject);
                    }
                }
                Entry::Extension { document, name } => names.push((*document, name.clone())),
                Entry::Change { .. } => {}
            }
        }
        for entry in parts.iter().flat_map(|(_, part)| &part.part().entries) {
            let document = entry.document();
            if own.subjects.contains_key(&document) {
                continue;
            }
            if let Some(index) = ground.index(document)? {
                own.subjects.insert(document, index.subject().clone());
                names.extend(
                    index
                        .extensions()
                        .iter()
                        .map(|name| (document, name.clone())),
                );
            }
        }
        for (document, name) in names {
            if let Some(subject) = own.subjects.get(&document)
                && let Some(extension) = extension_change(subject, &name)
            {
                own.sections.insert(extension.built.content.actor, name);
            }
        }
        Ok(own)
    }
}

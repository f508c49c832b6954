//! Bundle files: read from a stick, and carried to a server by somebody who has a link.
//!
//! A courier sends the parts of somebody's bundle as [`crate::replay`] sends history, and asks in the
//! name of its writer what they lack. What comes back – receipts, records, parts – goes into a bundle
//! for the writer, and only as far as both the writer and the courier may read it.

pub mod seal;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sync_core::access;
use sync_core::batch::SignedPart;
use sync_core::bundle::{
    BundleError, Contents, Cover, Damage, Destination, Opened, Span, Written, open,
};
use sync_core::identity::{ActorId, NodeId};
use sync_core::limits::{BUNDLE_BYTES_MAX, BUNDLE_HEAD_BYTES_MAX, RESPONSE_ENTRY_BYTES_MAX};
use sync_core::log::Follow;
use sync_core::sync::{Known, Proof, Request, Response, Scope, Taken};

use crate::durable_file::{self, FileError};
use crate::evidence::Evidence;
use crate::exchange::Link;
use crate::replay::{ReplayError, Replayed, give_catalogue, send};
use crate::tablet::{Tablet, TabletError};
use seal::{SealError, seal, unseal};
use sealed_file::{Identity, Recipient};

/// Bytes of a file that is read into memory: a full bundle, sealed.
const FILE_BYTES_MAX: u64 = (BUNDLE_BYTES_MAX + BUNDLE_HEAD_BYTES_MAX) as u64 + 256 * 1024;

/// Why a bundle file is not used, written or carried.
#[derive(Debug, thiserror::Error)]
pub enum BundleFileError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is not there.
    #[error("{} is not there", .0.display())]
    NotThere(PathBuf),
    /// A file is there already.
    #[error("{} is there already", .0.display())]
    There(PathBuf),
    /// What is in it.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// What it is sealed with.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The file holds no keys, or the text is no key.
    #[error("{0} is no key")]
    Key(String),
    /// The device.
    #[error(transparent)]
    Tablet(#[from] TabletError),
    /// The server.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The node changed its id while it was asked.
    #[error("the server took a new node id while it was asked")]
    NodeChanged,
}

/// Reads a bundle file, sealed or not.
pub fn read_file(
    path: &Path,
    damage: Damage,
    keys: &[Identity],
) -> Result<Opened, BundleFileError> {
    let length = std::fs::metadata(path)
        .map(|found| found.len())
        .unwrap_or(0);
    if length > FILE_BYTES_MAX {
        return Err(BundleError::TooLarge("file").into());
    }
    let bytes = durable_file::read(path)?;
    let bytes = bytes.ok_or_else(|| BundleFileError::NotThere(path.to_owned()))?;
    if !sealed_file::is_sealed(&bytes) {
        return Ok(open(&bytes, damage)?);
    }
    Ok(open(&unseal(&bytes, keys)?, damage)?)
}

/// Writes what waits on a tablet, or everything, to a new file. Its number is durable before.
pub fn write_file(
    tablet: &mut Tablet,
    path: &Path,
    (scope, with_catalogue): (Scope, bool),
    destination: Destination,
    seal_to: &[Recipient],
    now: i64,
) -> Result<Written, BundleFileError> {
    refuse_file_that_is_there(path)?;
    tablet.seal(now)?;
    let written = tablet.write_bundle(scope, with_catalogue, destination, now)?;
    put(path, &written.bytes, seal_to)?;
    Ok(written)
}

fn put(path: &Path, bytes: &[u8], seal_to: &[Recipient]) -> Result<(), BundleFileError> {
    if seal_to.is_empty() {
        return Ok(durable_file::write(path, bytes)?);
    }
    let sealed = seal(bytes, seal_to).map_err(FileError::at("seal", path))?;
    Ok(durable_file::write(path, &sealed)?)
}

/// Makes a key to seal bundles to: the secret goes to a new file, the public one is handed back.
pub fn make_key(path: &Path) -> Result<Recipient, BundleFileError> {
    refuse_file_that_is_there(path)?;
    let identity = Identity::generate();
    durable_file::write(path, identity.file_text().as_bytes())?;
    Ok(identity.recipient())
}

/// Reads a file of keys that open sealed bundles.
pub fn read_keys(path: &Path) -> Result<Vec<Identity>, BundleFileError> {
    let bytes = durable_file::read(path)?;
    let bytes = bytes.ok_or_else(|| BundleFileError::NotThere(path.to_owned()))?;
    String::from_utf8(bytes)
        .ok()
        .and_then(|text| sealed_file::read_identities(&text).ok())
        .ok_or_else(|| BundleFileError::Key(path.display().to_string()))
}

/// Reads a key to seal to.
pub fn read_recipient(text: &str) -> Result<Recipient, BundleFileError> {
    text.parse()
        .map_err(|_| BundleFileError::Key(text.to_owned()))
}

fn refuse_file_that_is_there(path: &Path) -> Result<(), BundleFileError> {
    match path.exists() {
        true => Err(BundleFileError::There(path.to_owned())),
        false => Ok(()),
    }
}

/// Takes a bundle into a tablet: durable on return.
pub fn take(tablet: &mut Tablet, opened: &Opened, now: i64) -> Result<Taken, BundleFileError> {
    Ok(tablet.take_bundle(opened, now)?)
}

/// What carrying a bundle to a server came to.
#[derive(Debug)]
pub struct Carried {
    /// What became of its parts.
    pub sent: Replayed,
    /// The node that took them.
    pub node: NodeId,
    /// The bundle for its writer, if one was asked for and there is anything to say.
    pub answer: Option<Written>,
}

/// Sends what a bundle brings to a server, and writes what goes back to `answer`.
pub fn carry(
    opened: &Opened,
    tablet: &mut Tablet,
    link: &mut dyn Link,
    with_catalogue: bool,
    answer: Option<&Path>,
    now: i64,
) -> Result<Carried, BundleFileError> {
    let cover = &opened.head.cover;
    if let Some(path) = answer {
        refuse_file_that_is_there(path)?;
    }
    if cover.province != tablet.card().province {
        return Err(BundleError::OtherProvince(cover.province).into());
    }
    let node = exchange(link, &plain(tablet, Vec::new())?)?.node;
    let here = match cover.destination {
        Destination::Anyone => true,
        Destination::Node(wanted) => wanted == node,
        Destination::Device(_) => false,
    };
    if !here {
        return Err(BundleError::NotForHere(cover.destination).into());
    }
    let mut sent = Replayed::default();
    let records = opened.contents.records.clone();
    if records.first().and_then(|record| record.number()) == Some(1) {
        let evidence = Evidence {
            records,
            ..Evidence::default()
        };
        give_catalogue(&evidence, tablet, link, with_catalogue, &mut sent)?;
    }
    let parts: Vec<&SignedPart> = opened.contents.parts.iter().collect();
    send(parts, tablet, link, &mut sent)?;
    let Some((path, actor)) = answer.zip(cover.issuer.actor()) else {
        return Ok(Carried {
            sent,
            node,
            answer: None,
        });
    };
    let brought = fetch(opened, actor, tablet, link, &sent, now)?;
    let answer = match brought {
        (contents, _) if contents.is_empty() => None,
        (contents, span) => {
            let to = Destination::Device(cover.issuer.key_id());
            let written = tablet.write_answer(contents, span, to, now)?;
            durable_file::write(path, &written.bytes)?;
            Some(written)
        }
    };
    Ok(Carried { sent, node, answer })
}

fn exchange(link: &mut dyn Link, request: &Request) -> Result<Response, BundleFileError> {
    Ok(link.exchange(request).map_err(ReplayError::from)?)
}

/// A request of the courier that asks for nothing.
fn plain(tablet: &mut Tablet, parts: Vec<SignedPart>) -> Result<Request, BundleFileError> {
    Ok(crate::replay::request(tablet, parts)?)
}

/// What the writer of a bundle may read.
fn readable(tablet: &Tablet, cover: &Cover, now: i64) -> Result<Follow, BundleFileError> {
    let catalogue = tablet.device().catalogue();
    let key = catalogue.key(cover.issuer.key_id());
    let key = key.ok_or(BundleError::IssuerUnknown(cover.issuer.key_id()))?;
    let partitions = access::readable(catalogue, key.person, now);
    Ok(partitions.map_or(Follow::All, Follow::These))
}

/// Asks in the writer's name what they lack.
fn fetch(
    opened: &Opened,
    actor: ActorId,
    tablet: &mut Tablet,
    link: &mut dyn Link,
    sent: &Replayed,
    now: i64,
) -> Result<(Contents, Span), BundleFileError> {
    let cover = &opened.head.cover;
    let follow = readable(tablet, cover, now)?;
    // The last part of the writer's own once more: a node gives a receipt to who sends it something.
    let own = opened.contents.parts.iter().rev();
    let last: Vec<_> = own
        .filter(|part| part.actor() == actor)
        .take(1)
        .cloned()
        .collect();
    let mut request = Request {
        actor,
        own_number: cover.own_number,
        ..plain(tablet, last)?
    };
    let first = exchange(link, &request)?;
    let courier = first
        .follow
        .clone()
        .unwrap_or(Follow::These(BTreeSet::new()));
    let stands = cover
        .known
        .filter(|known| known.node == first.node && known.follow == follow.digest());
    let begin = stands.map_or(0, |known| known.position);
    request.parts.clear();
    request.catalogue_number = cover.catalogue_number;
    request.bytes_max = Proof::Either.with(RESPONSE_ENTRY_BYTES_MAX as u64);
    let mut span = Span {
        node: first.node,
        follow,
        after: begin,
        through: begin,
    };
    let mut contents = Contents {
        receipts: first.receipt.into_iter().collect(),
        held: sent.held_parts.clone(),
        ..Contents::default()
    };
    read_on(link, request, &courier, &mut span, &mut contents)?;
    if !covers(&courier, &span.follow) {
        // The courier may read less than the writer: what was left out is not told as read.
        span.through = span.after;
    }
    Ok((contents, span))
}

/// Reads the courier's feed to its end, and keeps what the writer follows.
fn read_on(
    link: &mut dyn Link,
    mut request: Request,
    courier: &Follow,
    span: &mut Span,
    contents: &mut Contents,
) -> Result<(), BundleFileError> {
    loop {
        request.known = Some(Known {
            node: span.node,
            follow: courier.digest(),
            position: span.through,
        });
        let response = exchange(link, &request)?;
        if response.node != span.node || response.from != span.through {
            return Err(BundleFileError::NodeChanged);
        }
        request.catalogue_number = request
            .catalogue_number
            .saturating_add(response.records.len() as u64);
        contents.records.extend(response.records);
        let parts = response.entries.into_iter().map(|(_, part)| part);
        let followed = parts.filter(|part| span.follow.contains(part.part().partition));
        contents.parts.extend(followed);
        span.through = response.position;
        if !response.more && request.catalogue_number >= response.catalogue_last {
            return Ok(());
        }
    }
}

/// True if one set of partitions holds all of another.
fn covers(all: &Follow, of: &Follow) -> bool {
    match (all, of) {
        (Follow::All, _) => true,
        (Follow::These(_), Follow::All) => false,
        (Follow::These(all), Follow::These(of)) => of.is_subset(all),
    }
}

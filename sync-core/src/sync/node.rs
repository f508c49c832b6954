//! What a node does with a request, in steps that a server can group over many peers.
//!
//! [`verify`] needs the catalogue only and may run anywhere; [`accept`] runs one after the other and
//! stages writes; the caller commits them; only then [`answer`] is made and sent. Acknowledging
//! before the commit is the one mistake that cannot be repaired.

use ed25519_dalek::SigningKey;

use super::arrival::{self, Due};
use super::message::{Request, Response, digest_of_parts};
use super::proof::{self, Proof, Verifier};
use super::receipt::Receipt;
use super::repair;
use crate::access;
use crate::batch::{Attestation, SignedPart, Statement, VerifiedPart, attestation};
use crate::catalogue::{Catalogue, SignedRecord};
use crate::codec::{Reader, Writer};
use crate::identity::{KeyId, NodeId, PartId, PersonId};
use crate::limits;
use crate::log::{
    Acceptor, FeedPage, Follow, Keyspace, KeyspaceError, LogReader, Trust, Verdict, Write, keys,
};

/// Who this node is.
#[derive(Debug, Clone)]
pub struct NodeIdentity {
    /// Its id; new after every rollback.
    pub node: NodeId,
    /// How often it took a new one.
    pub restarts: u64,
    /// The key it signs receipts with.
    pub key: SigningKey,
}

impl NodeIdentity {
    /// The identity kept in a keyspace, with the node's key; none if the keyspace is new.
    pub fn read(keyspace: &dyn Keyspace, key: SigningKey) -> Result<Option<Self>, KeyspaceError> {
        let Some(bytes) = keyspace.get(&keys::node())? else {
            return Ok(None);
        };
        let mut from = Reader::new(&bytes);
        let damaged = |_| KeyspaceError::Damaged("node identity");
        let node = NodeId(from.array("node").map_err(damaged)?);
        let restarts = from.var("restarts").map_err(damaged)?;
        Ok(Some(Self {
            node,
            restarts,
            key,
        }))
    }

    /// The write that keeps it.
    pub fn write(&self) -> Write {
        let mut to = Writer::new();
        to.raw(&self.node.0).var(self.restarts);
        Write {
            key: keys::node(),
            value: Some(to.into_bytes()),
        }
    }

    /// The identity after a rollback, under a new random id.
    pub fn renewed(&self, node: NodeId) -> Self {
        Self {
            node,
            restarts: self.restarts + 1,
            key: self.key.clone(),
        }
    }
}

/// A peer that proved who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose device it is.
    pub person: PersonId,
    /// What it follows, by its grants at this moment.
    pub follow: Follow,
    /// What is due about this moment.
    pub due: Due,
}

impl Session {
    /// The session of a person. `now` is this node's clock.
    pub fn of(catalogue: &Catalogue, person: PersonId, now: i64) -> Self {
        let follow = match access::readable(catalogue, person, now) {
            None => Follow::All,
            Some(partitions) => Follow::These(partitions),
        };
        let due = arrival::due(catalogue, now);
        Self {
            person,
            follow,
            due,
        }
    }
}

/// True if the peer holds a position that this node never gave: the node's folder is an older copy.
/// It must take a new id before it answers.
pub fn is_rolled_back(
    keyspace: &dyn Keyspace,
    identity: &NodeIdentity,
    request: &Request,
) -> Result<bool, KeyspaceError> {
    let end = LogReader(keyspace).end()?;
    let is_known = request
        .known
        .is_some_and(|known| known.node == identity.node);
    Ok(is_known && request.reach() > Some(end))
}

/// Checks the signatures of parts, or the province's word for them, with the keys of the catalogue.
pub fn verify(
    catalogue: &Catalogue,
    parts: Vec<SignedPart>,
) -> Vec<Result<VerifiedPart, &'static str>> {
    let mut verifier = Verifier::new(catalogue);
    let verify = |part: SignedPart| verifier.verify(part);
    parts.into_iter().map(verify).collect()
}

/// Judges parts in order and stages what is to be written.
pub fn accept(
    acceptor: &mut Acceptor<'_>,
    parts: &[Result<VerifiedPart, &'static str>],
) -> Result<Vec<Verdict>, KeyspaceError> {
    accept_as(acceptor, parts, Trust::Judge)
}

/// The same for parts that another node may have judged before.
pub fn accept_as(
    acceptor: &mut Acceptor<'_>,
    parts: &[Result<VerifiedPart, &'static str>],
    trust: Trust,
) -> Result<Vec<Verdict>, KeyspaceError> {
    parts
        .iter()
        .map(|part| match part {
            Ok(part) => acceptor.accept(part, trust),
            Err(code) => Ok(Verdict::Refused { code }),
        })
        .collect()
}

/// Verdicts on the parts of one request, in order, with the parts they are about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdicts {
    /// The parts.
    pub parts: Vec<PartId>,
    /// One for each part.
    pub verdicts: Vec<Verdict>,
}

impl Verdicts {
    /// Verdicts on the parts of a request that still has them.
    pub fn on(request: &Request, verdicts: Vec<Verdict>) -> Self {
        Self {
            parts: request.parts.iter().map(SignedPart::id).collect(),
            verdicts,
        }
    }
}

/// The answer to a request whose verdicts are committed: the caller may have taken the parts out of
/// the request to judge them. `now` is this node's clock.
pub fn answer(
    keyspace: &dyn Keyspace,
    identity: &NodeIdentity,
    session: &Session,
    request: &Request,
    Verdicts { parts, verdicts }: Verdicts,
    now: i64,
) -> Result<Response, KeyspaceError> {
    let reader = LogReader(keyspace);
    let digest = session.follow.digest();
    let known = request
        .known
        .filter(|known| known.node == identity.node && known.follow == digest)
        .map(|known| known.position);
    let chain = reader.chain(request.actor)?;
    let receipt = (chain.number > 0 && !verdicts.is_empty()).then(|| {
        let reached = (chain.number, chain.batch);
        Receipt::sign(identity.node, request.actor, reached, now, &identity.key)
    });
    let from = known.unwrap_or(0);
    let bytes_max = usize::try_from(proof::bytes(request.bytes_max))
        .unwrap_or(usize::MAX)
        .min(limits::RESPONSE_ENTRY_BYTES_MAX);
    let (records, catalogue_last) = records_after(keyspace, request.catalogue_number)?;
    let reached = request
        .catalogue_number
        .saturating_add(records.len() as u64);
    let before = reader.fingerprint(&session.follow)?;
    // Entries are judged by the catalogue: a new device would not take those that came before it.
    let is_early = (from == 0 || request.repair.is_some()) && reached < catalogue_last;
    // A peer that thinks of another node may know how far it has read here and says so next, or repairs;
    // one that asks for no bytes is about to repair.
    let is_elsewhere = request.known.is_some_and(|it| it.node != identity.node);
    let symbols = repair::tell_symbols(keyspace, identity, session, request)?;
    let (mut page, given) = if is_early || is_elsewhere || bytes_max == 0 || symbols.is_some() {
        let page = FeedPage {
            entries: Vec::new(),
            position: from,
            more: true,
        };
        (page, None)
    } else {
        repair::page_of(reader, session, (request, &parts), known, (bytes_max, now))?
    };
    let proof = Proof::of(request.bytes_max);
    if proof == Proof::Author {
        page.entries
            .retain(|(_, entry)| entry.part.attestation().is_none());
    }
    // Who cannot be told everything could only find out that something is missing.
    let fingerprint = if page.more || (proof == Proof::Author && reader.has_vouched()?) {
        None
    } else {
        // The log grows while it is read: what came after the page is in no fingerprint of it.
        let after = reader.fingerprint(&session.follow)?;
        (before == after).then_some(after)
    };
    let mut response = Response {
        node: identity.node,
        catalogue_last,
        records,
        follow: known.is_none().then(|| session.follow.clone()),
        answers: verdicts.into_iter().map(Into::into).collect(),
        answers_to: digest_of_parts(&parts),
        chain,
        receipt,
        from,
        entries: page
            .entries
            .into_iter()
            .map(|(_, e)| (e.received_at, e.part))
            .collect(),
        position: page.position,
        more: page.more,
        fingerprint,
        repair: symbols.or(given),
        piece: None,
    };
    if proof.is_node() && !response.entries.is_empty() {
        let parts = response.entries.iter().map(|(_, part)| part.id());
        let parts: Vec<PartId> = parts.collect();
        let said = Statement {
            province: request.province,
            node: identity.node,
            key: KeyId::of(identity.key.verifying_key().as_bytes()),
            follow: digest,
            from: response.span().0,
            through: response.span().1,
            parts: parts.len() as u64,
            root: attestation::root_of(&parts),
        };
        response.piece = Some(Attestation::sign(said, &identity.key));
    }
    Ok(response)
}

/// Catalogue records after a number, as many as fit one answer, and the number of the last one held.
pub(super) fn records_after(
    keyspace: &dyn Keyspace,
    number: u64,
) -> Result<(Vec<SignedRecord>, u64), KeyspaceError> {
    let to = keys::after(keys::CATALOGUE);
    let last = keyspace.last(&[keys::CATALOGUE], &to)?;
    let last = last
        .and_then(|(key, _)| key.get(1..)?.try_into().ok().map(u64::from_be_bytes))
        .unwrap_or(0);
    let mut records = Vec::new();
    if number >= last {
        return Ok((records, last));
    }
    let mut bytes = 0;
    let from = keys::catalogue(number.saturating_add(1));
    for (_, value) in keyspace.scan(&from, &to, limits::RECORDS_PER_MESSAGE_MAX)? {
        bytes += value.len();
        if bytes > limits::RESPONSE_RECORD_BYTES_MAX && !records.is_empty() {
            break;
        }
        let record =
            SignedRecord::decode(&value).map_err(|_| KeyspaceError::Damaged("catalogue record"))?;
        records.push(record);
    }
    Ok((records, last))
}

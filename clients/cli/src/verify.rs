//! Checking signed history with nobody in reach: signatures, chains, gate, fingerprints.
//!
//! Everything is judged again from nothing: the catalogue record by record, then each part in its
//! order against an empty log. What a judge at the time allowed stays allowed – rights depend on the
//! clock of that day –, everything else must hold.

use std::collections::BTreeSet;

use sync_core::batch::Partition;
use sync_core::catalogue::Catalogue;
use sync_core::identity::PartId;
use sync_core::log::{
    Acceptor, Cache, Fingerprint, Follow, KeyspaceError, LogEntry, LogReader, MemoryKeyspace,
    Trust, Verdict,
};
use sync_core::sync::proof::Verifier;

use crate::evidence::Evidence;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Where: `catalogue`, `log` or `held`.
    pub place: &'static str,
    /// Which record, position or held number.
    pub number: u64,
    /// A machine code.
    pub code: &'static str,
    /// More about it.
    pub detail: String,
}

/// What checking found.
#[derive(Debug, Clone, Default)]
pub struct Verified {
    /// Catalogue records that hold.
    pub records: usize,
    /// Parts that hold.
    pub parts: usize,
    /// Of these, parts that hold on the province's word: their authors' signatures are not here.
    pub vouched: usize,
    /// Held parts whose signature holds.
    pub held: usize,
    /// What does not.
    pub wrong: Vec<Wrong>,
    /// Fingerprint of everything accepted.
    pub fingerprint: Fingerprint,
    /// The same by partition.
    pub partitions: Vec<(Partition, Fingerprint)>,
}

/// Parts judged before their writes are taken: bounds memory and keeps it quick.
const GROUP: usize = 256;

/// Checks history.
pub fn verify(evidence: &Evidence) -> Result<Verified, KeyspaceError> {
    let mut verified = Verified::default();
    let catalogue = verify_catalogue(evidence, &mut verified);
    let mut keyspace = MemoryKeyspace::new();
    let mut cache = Cache::default();
    let mut seen: BTreeSet<PartId> = BTreeSet::new();
    let mut previous = 0;
    for group in evidence.entries.chunks(GROUP) {
        let Some((_, first)) = group.first() else {
            continue;
        };
        let mut acceptor = Acceptor::new(&keyspace, &catalogue, &mut cache, first.received_at)?;
        for (position, entry) in group {
            if *position <= previous {
                let code = "position-repeated";
                verified.wrong.push(wrong(*position, code, ""));
            }
            previous = *position;
            let fault = if seen.insert(entry.part.id()) {
                judge(&mut acceptor, &catalogue, entry)?
            } else {
                Some(("part-repeated", entry.part.id().to_string()))
            };
            match fault {
                None => {
                    verified.parts += 1;
                    verified.vouched += usize::from(entry.part.attestation().is_some());
                }
                Some((code, detail)) => verified.wrong.push(wrong(*position, code, &detail)),
            }
        }
        let writes = acceptor.into_writes();
        keyspace.apply(writes);
    }
    verify_held(evidence, &catalogue, &mut verified);
    let log = LogReader(&keyspace);
    verified.fingerprint = log.fingerprint(&Follow::All)?;
    verified.partitions = log.partitions()?;
    Ok(verified)
}

/// The catalogue as far as its records hold.
fn verify_catalogue(evidence: &Evidence, verified: &mut Verified) -> Catalogue {
    let mut catalogue = Catalogue::new();
    for (index, record) in evidence.records.iter().enumerate() {
        if let Err(error) = catalogue.apply(record) {
            verified.wrong.push(Wrong {
                place: "catalogue",
                ..wrong(index as u64 + 1, "record-wrong", &error.to_string())
            });
            // Nothing after it can follow.
            return catalogue;
        }
        verified.records += 1;
    }
    catalogue
}

/// What is wrong with a part beside everything before it.
fn judge(
    acceptor: &mut Acceptor<'_>,
    catalogue: &Catalogue,
    entry: &LogEntry,
) -> Result<Option<(&'static str, String)>, KeyspaceError> {
    let part = match Verifier::new(catalogue).verify(entry.part.clone()) {
        Ok(part) => part,
        Err(code) => return Ok(Some((code, String::new()))),
    };
    Ok(match acceptor.accept(&part, Trust::Relayed)? {
        Verdict::Accepted { .. } => None,
        Verdict::Duplicate { .. } => Some(("part-repeated", String::new())),
        Verdict::Held { reason, .. } => Some((reason.code(), String::new())),
        Verdict::Gap { expected } => Some((
            "gap",
            format!("part {expected} of the chain is not before it"),
        )),
        Verdict::Waiting => Some(("dependency-missing", String::new())),
        Verdict::Refused { code } => Some((code, String::new())),
    })
}

fn wrong(number: u64, code: &'static str, detail: &str) -> Wrong {
    Wrong {
        place: "log",
        number,
        code,
        detail: detail.to_owned(),
    }
}

/// Of a held part only the signature must hold: that it is wrong is why it is held.
fn verify_held(evidence: &Evidence, catalogue: &Catalogue, verified: &mut Verified) {
    for (number, entry) in &evidence.held {
        if Verifier::new(catalogue).verify(entry.part.clone()).is_ok() {
            verified.held += 1;
        } else {
            verified.wrong.push(Wrong {
                place: "held",
                ..wrong(*number, "wrong-signature", "")
            });
        }
    }
}

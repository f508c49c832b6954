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
    Acceptor, Cache, Fingerprint, Follow, KeyspaceError, LogReader, MemoryKeyspace, Trust, Verdict,
};

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
    let mut catalogue = Catalogue::new();
    for (index, record) in evidence.records.iter().enumerate() {
        match catalogue.apply(record) {
            Ok(()) => verified.records += 1,
            Err(error) => {
                verified.wrong.push(Wrong {
                    place: "catalogue",
                    number: index as u64 + 1,
                    code: "record-wrong",
                    detail: error.to_string(),
                });
                break;
            }
        }
    }
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
                verified
                    .wrong
                    .push(wrong(*position, "position-repeated", ""));
            }
            previous = *position;
            let part = entry.part.clone();
            if !seen.insert(part.id()) {
                verified
                    .wrong
                    .push(wrong(*position, "part-repeated", &part.id().to_string()));
                continue;
            }
            let Some(key) = catalogue.key(part.header().key) else {
                verified.wrong.push(wrong(*position, "unknown-key", ""));
                continue;
            };
            let part = match part.verify(&key.public_key) {
                Ok(part) => part,
                Err(error) => {
                    let detail = error.to_string();
                    verified
                        .wrong
                        .push(wrong(*position, "wrong-signature", &detail));
                    continue;
                }
            };
            match acceptor.accept(&part, Trust::Relayed)? {
                Verdict::Accepted { .. } => verified.parts += 1,
                Verdict::Duplicate { .. } => {
                    verified.wrong.push(wrong(*position, "part-repeated", ""));
                }
                Verdict::Held { reason, .. } => {
                    verified.wrong.push(wrong(*position, reason.code(), ""));
                }
                Verdict::Gap { expected } => {
                    let detail = format!("part {expected} of the chain is not before it");
                    verified.wrong.push(wrong(*position, "gap", &detail));
                }
                Verdict::Waiting => verified
                    .wrong
                    .push(wrong(*position, "dependency-missing", "")),
                Verdict::Refused { code } => verified.wrong.push(wrong(*position, code, "")),
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
        let key = catalogue.key(entry.part.header().key);
        let holds = key.is_some_and(|key| entry.part.clone().verify(&key.public_key).is_ok());
        if holds {
            verified.held += 1;
        } else {
            verified.wrong.push(Wrong {
                place: "held",
                ..wrong(*number, "wrong-signature", "")
            });
        }
    }
}

//! Damaging signed parts: header, path, numbers, partition, entries, subjects, changes; signed again
//! by a hostile but enrolled device, or not.

use ed25519_dalek::{Signer, SigningKey};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use sync_core::batch::part::part_hash;
use sync_core::batch::{Compartment, Entry, Header, Part, SignedPart, merkle};
use sync_core::codec::{Reader, Writer};
use sync_core::document::Subject;
use sync_core::gate::{decode, encode};
use sync_core::identity::{
    BatchId, ChangeHash, DocumentId, InstallationId, KeyId, ProvinceId, UnitId, labelled_hash,
};

use crate::change_mutation::{Pool, SECTIONS, mutate_bytes, mutate_content};
use crate::world::Work;

/// A signed part taken to pieces; nothing about it needs to be right.
#[derive(Debug, Clone)]
pub(crate) struct Loose {
    pub(crate) header: Header,
    pub(crate) signature: [u8; 64],
    pub(crate) index: u64,
    pub(crate) siblings: Vec<[u8; 32]>,
    pub(crate) part: Part,
    pub(crate) changes: Vec<Vec<u8>>,
}

impl Loose {
    pub(crate) fn of(part: &SignedPart) -> Self {
        let bytes = part.encode();
        let mut from = Reader::new(&bytes);
        from.u8("packing").expect("packing");
        from.bytes(bytes.len(), "header").expect("a header");
        let signature = from.array("signature").expect("a signature");
        let index = from.var("index").expect("an index");
        let count = from.count(64, "siblings").expect("a count");
        let sibling = |_| from.array("sibling").expect("a sibling");
        let siblings = (0..count).map(sibling).collect();
        let loose = Self {
            header: part.header().clone(),
            signature,
            index,
            siblings,
            part: part.part().clone(),
            changes: part.changes().to_vec(),
        };
        assert_eq!(loose.encode(), bytes, "taken apart and put together");
        loose
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut to = Writer::new();
        to.u8(0).bytes(&self.header.encode()).raw(&self.signature);
        to.var(self.index).var(self.siblings.len() as u64);
        for sibling in &self.siblings {
            to.raw(sibling);
        }
        to.bytes(&self.part.encode()).var(self.changes.len() as u64);
        for change in &self.changes {
            to.bytes(change);
        }
        to.into_bytes()
    }

    /// Signs what it says now: the root is what the part and the path lead to.
    pub(crate) fn sign(&mut self, key: &SigningKey) {
        let hash = part_hash(&self.part.encode());
        let (index, parts) = (self.index as usize, self.header.parts as usize);
        if let Some(root) = merkle::root_from_path(&hash, index, parts, &self.siblings) {
            self.header.root = root;
        }
        let message = labelled_hash("batch signature", &[&self.header.encode()]);
        self.signature = key.sign(&message).to_bytes();
    }

    /// As many changes as entries name: whatever else is wrong, the form is right.
    fn pair_changes(&mut self, rng: &mut ChaCha8Rng, scrap: &Scrap) {
        let entries = self.part.entries.iter();
        let named = entries.filter(|entry| matches!(entry, Entry::Change { .. }));
        let named = named.count();
        while self.changes.len() < named {
            self.changes
                .extend(scrap.part(rng).changes.first().cloned());
        }
        self.changes.truncate(named);
    }

    /// Makes the change entries name the changes that are there.
    fn name_changes(&mut self) {
        let mut changes = self.changes.iter();
        for entry in &mut self.part.entries {
            if let Entry::Change { hash, .. } = entry
                && let Some(bytes) = changes.next()
            {
                *hash = ChangeHash(Sha256::digest(bytes.get(8..).unwrap_or_default()).into());
            }
        }
    }
}

/// What mutants of parts borrow from other parts.
pub(crate) struct Scrap {
    parts: Vec<Loose>,
    subjects: Vec<Subject>,
    keys: Vec<KeyId>,
    changes: Pool,
}

impl Scrap {
    pub(crate) fn new(work: &Work) -> Self {
        let parts: Vec<Loose> = work
            .moments
            .iter()
            .flat_map(|moment| [Loose::of(&moment.part), Loose::of(&moment.other)])
            .collect();
        let decoded: Vec<_> = parts
            .iter()
            .flat_map(|part| &part.changes)
            .map(|bytes| decode(bytes).expect("honest changes decode"))
            .collect();
        let actors = work.world.sealers.iter().map(|sealer| sealer.actor());
        let subject = crate::world::subject(2);
        let changes = Pool::new(&subject, actors.collect(), decoded.iter());
        let mut subjects: Vec<Subject> = (1..=5).map(crate::world::subject).collect();
        subjects.push(Subject {
            template: "khac".into(),
            ..subject.clone()
        });
        subjects.push(Subject {
            period: "2024-Q3".into(),
            ..subject
        });
        Self {
            parts,
            subjects,
            keys: work.world.sealers.iter().map(|s| s.key_id()).collect(),
            changes,
        }
    }

    fn part(&self, rng: &mut ChaCha8Rng) -> &Loose {
        &self.parts[rng.random_range(0..self.parts.len())]
    }
}

/// A number near another one, or at an end.
pub(crate) fn near(rng: &mut ChaCha8Rng, number: u64) -> u64 {
    match rng.random_range(0..7u8) {
        0 => 0,
        1 => 1,
        2 => u64::MAX,
        3 => 1 << rng.random_range(0..64),
        4 => number.wrapping_sub(1),
        _ => number.wrapping_add(rng.random_range(1..3)),
    }
}

fn mutate_header(rng: &mut ChaCha8Rng, scrap: &Scrap, header: &mut Header) {
    match rng.random_range(0..9u8) {
        0 => header.number = near(rng, header.number),
        1 => header.previous = BatchId([0; 32]),
        2 => header.previous = scrap.part(rng).header.previous,
        3 => header.previous = scrap.part(rng).header.id(),
        4 => header.installation = InstallationId([rng.random_range(0..6); 8]),
        5 => header.sealed_at = [i64::MIN, -1, 0, i64::MAX][rng.random_range(0..4usize)],
        6 => header.parts = near(rng, header.parts.into()).min(70) as u32,
        7 => header.key = scrap.keys[rng.random_range(0..scrap.keys.len())],
        _ => header.province = ProvinceId([rng.random(); 16]),
    }
}

fn mutate_part(rng: &mut ChaCha8Rng, scrap: &Scrap, part: &mut Part) {
    let at = rng.random_range(0..part.entries.len().max(1));
    match rng.random_range(0..9u8) {
        0 => part.partition.unit = UnitId([rng.random_range(1..6); 8]),
        1 => {
            let all = [
                Compartment::Reports,
                Compartment::Tasks,
                Compartment::Personal,
            ];
            part.partition.compartment = all[rng.random_range(0..all.len())];
        }
        2 => part.number = near(rng, part.number),
        3 => part.previous = [0; 32],
        4 => part.previous = part_hash(&scrap.part(rng).part.encode()),
        5 if part.entries.len() > 1 => part.entries.swap(0, at),
        6 if !part.entries.is_empty() => {
            part.entries.remove(at);
        }
        7 if !part.entries.is_empty() => {
            let again = part.entries[at].clone();
            part.entries.insert(rng.random_range(0..=at), again);
        }
        _ => {
            let other = &scrap.part(rng).part.entries;
            let entry = other[rng.random_range(0..other.len())].clone();
            part.entries.insert(at, entry);
        }
    }
}

fn mutate_entry(rng: &mut ChaCha8Rng, scrap: &Scrap, part: &mut Part) {
    let subject = &scrap.subjects[rng.random_range(0..scrap.subjects.len())];
    let at = rng.random_range(0..part.entries.len().max(1));
    let id = match rng.random_range(0..4u8) {
        0 => DocumentId([rng.random(); 16]),
        _ => subject.document_id(),
    };
    let Some(entry) = part.entries.get_mut(at) else {
        return;
    };
    match entry {
        Entry::Subject {
            document,
            subject: bytes,
        } => match rng.random_range(0..4u8) {
            0 => *document = id,
            1 => *bytes = subject.encode(),
            2 => (*document, *bytes) = (subject.document_id(), subject.encode()),
            _ => {
                let at = rng.random_range(0..bytes.len().max(1));
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << rng.random_range(0..8);
                }
            }
        },
        Entry::Extension { document, name } => match rng.random_range(0..4u8) {
            0 => *document = id,
            1 => SECTIONS[rng.random_range(0..2usize)].clone_into(name),
            2 => "Không phải tên".clone_into(name),
            _ => *name = "x".repeat(rng.random_range(0..66)),
        },
        Entry::Change { document, hash } => match rng.random_range(0..3u8) {
            0 => *document = id,
            1 => hash.0[rng.random_range(0..32usize)] ^= 1,
            _ => {
                *entry = Entry::Subject {
                    document: subject.document_id(),
                    subject: subject.encode(),
                }
            }
        },
    }
}

fn mutate_changes(rng: &mut ChaCha8Rng, scrap: &Scrap, changes: &mut Vec<Vec<u8>>) {
    let at = rng.random_range(0..changes.len().max(1));
    let other = &scrap.part(rng).changes;
    match (rng.random_range(0..8u8), changes.get_mut(at)) {
        (0, Some(_)) => {
            changes.remove(at);
        }
        (1, Some(_)) => changes.swap(0, at),
        (2, _) => changes.extend(other.first().cloned()),
        (3, Some(bytes)) if bytes.len() > 20 => *bytes = mutate_bytes(rng, bytes),
        (4, Some(bytes)) if !bytes.is_empty() => {
            // Magic, checksum and length too.
            let at = rng.random_range(0..bytes.len());
            bytes[at] ^= 1 << rng.random_range(0..8);
        }
        (_, Some(bytes)) => {
            if let Ok(mut change) = decode(bytes) {
                mutate_content(rng, &scrap.changes, &mut change.content);
                *bytes = encode(&change.content).0;
            }
        }
        (_, None) => {}
    }
}

fn mutate_path(rng: &mut ChaCha8Rng, loose: &mut Loose) {
    match rng.random_range(0..4u8) {
        0 => loose.index = near(rng, loose.index),
        1 => loose.siblings.push([rng.random(); 32]),
        2 => {
            loose.siblings.pop();
        }
        _ => {
            if let Some(sibling) = loose.siblings.first_mut() {
                sibling[rng.random_range(0..32usize)] ^= 1;
            }
        }
    }
}

/// Damages a part; with a key, signs what came out.
pub(crate) fn mutate(
    rng: &mut ChaCha8Rng,
    scrap: &Scrap,
    honest: &SignedPart,
    key: Option<&SigningKey>,
) -> Vec<u8> {
    let mut loose = Loose::of(honest);
    for _ in 0..[1, 1, 1, 2, 3][rng.random_range(0..5usize)] {
        match rng.random_range(0..20u8) {
            0..3 => mutate_header(rng, scrap, &mut loose.header),
            3..8 => mutate_part(rng, scrap, &mut loose.part),
            8..11 => mutate_entry(rng, scrap, &mut loose.part),
            11..18 => mutate_changes(rng, scrap, &mut loose.changes),
            _ => mutate_path(rng, &mut loose),
        }
    }
    if key.is_some() && rng.random_bool(0.9) {
        loose.pair_changes(rng, scrap);
    }
    if key.is_some() && rng.random_bool(0.95) {
        loose.name_changes();
    }
    if let Some(key) = key {
        loose.sign(key);
    }
    let mut bytes = loose.encode();
    if rng.random_range(0..10u8) == 0 {
        let at = rng.random_range(0..bytes.len());
        match rng.random_range(0..4u8) {
            0 => bytes[at] ^= 1 << rng.random_range(0..8),
            1 => bytes.truncate(at),
            2 => bytes.insert(at, rng.random()),
            _ => {
                bytes.remove(at);
            }
        }
    }
    bytes
}

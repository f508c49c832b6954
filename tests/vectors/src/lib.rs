//! Golden vectors: what is signed and kept, computed from fixed input and compared with constants.
//!
//! The same function runs natively (as a test) and in WebAssembly (`run.mjs`), so the tablet and the
//! server cannot drift apart, and no change of code can change what older history means. A constant
//! in [`EXPECTED`] is never edited; a new format version adds lines.

mod expected;

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use sync_core::batch::attestation::{self, Attestation, Statement, Vouched};
use sync_core::batch::{
    self, BarePart, ChainTip, Compartment, Entry as PartEntry, NewPart, Partition,
};
use sync_core::batch::{PartitionTip, Sealer, SignedPart};
use sync_core::bundle::{self, BundleId, Contents, Cover, Destination, Issuer, Span};
use sync_core::catalogue::{Body, Record, SignedRecord};
use sync_core::cell::CellValue;
use sync_core::document::{Document, Edit, Entry, Subject, SubjectKind};
use sync_core::document::{extension_change, genesis_change};
use sync_core::form::local::{self, Field, LocalRowId};
use sync_core::identity::{
    ActorId, BatchId, InstallationId, KeyId, NodeId, ProvinceId, UnitId, labelled_hash,
};
use sync_core::log::{Fingerprint, Follow, HeldReason};
use sync_core::sync::message::Known;
use sync_core::sync::{Frame, Receipt, Request};

pub use expected::EXPECTED;

fn hexadecimal(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn digest(bytes: &[u8]) -> String {
    hexadecimal(&labelled_hash("vector", &[bytes]))
}

fn sealer() -> Sealer {
    let key = SigningKey::from_bytes(&[3; 32]);
    let province = ProvinceId::of(SigningKey::from_bytes(&[9; 32]).verifying_key().as_bytes());
    Sealer {
        province,
        installation: InstallationId([2; 8]),
        key,
    }
}

fn subject() -> Subject {
    Subject {
        kind: SubjectKind::Report,
        template: "bao-cao-cchc-2022".into(),
        unit: UnitId([1, 2, 3, 4, 5, 6, 7, 8]),
        period: "2025".into(),
    }
}

fn edits() -> Vec<Edit> {
    let number = |value: i64| CellValue::Number(value.into());
    let cell = |code: &str, value, typed_at| Edit {
        entry: Entry::Cell {
            code: code.into(),
            value,
        },
        typed_at,
    };
    vec![
        cell("I.1", number(64), 1_760_000_000),
        cell("I.2", number(-7), 1_760_000_012),
        cell("III.1.4", CellValue::Empty, 1_760_000_012),
        cell("V.3", CellValue::NoOccurrence, 1_760_000_100),
        cell("VII.1", CellValue::Text("đang làm".into()), 1_759_999_999),
        Edit {
            entry: Entry::NarrativeText {
                section: "danh-gia".into(),
                text: "Đã hoàn thành".into(),
            },
            typed_at: 1_760_000_200,
        },
    ]
}

fn partition() -> Partition {
    Partition {
        unit: subject().unit,
        compartment: Compartment::Reports,
    }
}

/// The document of the rows that a unit adds to a form, and the code of one.
fn local_rows(vectors: &mut Vec<(&'static str, String)>) {
    let rows = Subject::local_rows("bao-cao-cchc-2022", subject().unit);
    let row = LocalRowId::new(1_760_000_000, [1, 2, 3, 4]);
    vectors.extend([
        ("subject of local rows", hexadecimal(&rows.encode())),
        ("document id of local rows", rows.document_id().to_string()),
        (
            "genesis of local rows",
            genesis_change(&rows).hash.to_string(),
        ),
        ("code of a local row", local::code(rows.unit, row)),
        ("key of a local row", Field::Label.key(row)),
    ]);
}

/// One batch of two parts with the same report.
fn parts() -> Option<Vec<SignedPart>> {
    let sealer = sealer();
    let mut document = Document::new(subject()).ok()?;
    let change = document.write(sealer.actor(), &edits()).ok()?;
    let id = document.id();
    let new = NewPart {
        partition: partition(),
        tip: PartitionTip::default(),
        entries: vec![
            PartEntry::Subject {
                document: id,
                subject: subject().encode(),
            },
            PartEntry::Extension {
                document: id,
                name: "danh-gia".into(),
            },
            PartEntry::Change {
                document: id,
                hash: change.hash,
            },
        ],
        changes: vec![change.bytes],
    };
    let other = NewPart {
        partition: Partition {
            compartment: Compartment::Tasks,
            ..partition()
        },
        ..new.clone()
    };
    let new = vec![new, other];
    batch::seal(&sealer, ChainTip::default(), 1_760_000_300, new).ok()
}

/// Every vector by name. An empty value says that something could not be made at all.
pub fn computed() -> Vec<(&'static str, String)> {
    let mut vectors = vec![
        ("key id", KeyId::of(&[7; 32]).to_string()),
        ("province id", ProvinceId::of(&[7; 32]).to_string()),
        (
            "actor id",
            ActorId::of(KeyId([1; 16]), InstallationId([2; 8])).to_string(),
        ),
        ("document id", subject().document_id().to_string()),
        ("subject", hexadecimal(&subject().encode())),
        ("genesis", genesis_change(&subject()).hash.to_string()),
    ];
    let extension = extension_change(&subject(), "danh-gia");
    vectors.push((
        "extension",
        extension.map_or(String::new(), |e| e.built.hash.to_string()),
    ));
    documents(&mut vectors);
    let record = Record {
        number: 1,
        previous: [0; 32],
        at: 1_760_000_000,
        body: Body::Province {
            name: "Tỉnh Thái Nguyên".into(),
            key: SigningKey::from_bytes(&[9; 32]).verifying_key(),
        },
    };
    let signed = SignedRecord::sign(&record, &SigningKey::from_bytes(&[9; 32]));
    vectors.push(("catalogue record", hexadecimal(&signed.encode())));
    bundles(signed, &mut vectors);
    attested(&mut vectors);
    local_rows(&mut vectors);
    vectors
}

/// The word of the province's node for two parts, and the first of them as it is kept with it.
fn attested(vectors: &mut Vec<(&'static str, String)>) {
    let Some(parts) = parts() else {
        return;
    };
    let key = SigningKey::from_bytes(&[6; 32]);
    let ids: Vec<_> = parts.iter().map(SignedPart::id).collect();
    let said = Statement {
        province: sealer().province,
        node: NodeId([5; 16]),
        key: KeyId::of(key.verifying_key().as_bytes()),
        follow: [4; 8],
        from: 7,
        through: 300,
        parts: ids.len() as u64,
        root: attestation::root_of(&ids),
    };
    let word = Arc::new(Attestation::sign(said, &key));
    let mut writer = sync_core::codec::Writer::new();
    word.write(&mut writer);
    vectors.push(("attestation", hexadecimal(writer.as_slice())));
    let first = parts.into_iter().zip(Vouched::each(&word, &ids)).next();
    if let Some((part, vouched)) = first {
        vectors.push((
            "vouched part",
            digest(&BarePart::new(part).vouched(vouched).encode()),
        ));
    }
}

/// Two bundles: a device's first one with the catalogue, and the answer that a courier writes for it.
fn bundles(record: SignedRecord, vectors: &mut Vec<(&'static str, String)>) {
    let sealer = sealer();
    let (Some(parts), node) = (parts(), NodeId([5; 16])) else {
        return;
    };
    let Some(first) = parts.first() else {
        return;
    };
    let receipt = Receipt::sign(
        node,
        sealer.actor(),
        (1, first.batch_id()),
        1_760_000_400,
        &sealer.key,
    );
    let answered = Contents {
        receipts: vec![receipt],
        held: vec![(first.id(), HeldReason::NotAllowed)],
        ..Contents::default()
    };
    let first = Cover {
        province: sealer.province,
        issuer: Issuer::Device {
            key: sealer.key.verifying_key().to_bytes(),
            installation: sealer.installation,
        },
        number: 1,
        previous: BundleId::default(),
        written_at: 1_760_000_500,
        destination: Destination::Node(node),
        catalogue_number: 1,
        own_number: 1,
        known: None,
        span: None,
    };
    let contents = Contents {
        records: vec![record],
        parts,
        ..Contents::default()
    };
    let Ok(written) = bundle::write(first.clone(), contents, &sealer.key) else {
        return;
    };
    vectors.push(("bundle", digest(&written.bytes)));
    vectors.push(("bundle id", written.id.to_string()));
    let follow = Follow::These([partition()].into());
    let second = Cover {
        number: 2,
        previous: written.id,
        destination: Destination::Device(KeyId::of(&[7; 32])),
        known: Some(Known {
            node,
            follow: follow.digest(),
            position: 7,
        }),
        span: Some(Span {
            node,
            follow,
            after: 7,
            through: 300,
        }),
        ..first
    };
    let Ok(written) = bundle::write(second, answered, &sealer.key) else {
        return;
    };
    vectors.push(("bundle that answers", digest(&written.bytes)));
    vectors.push(("id of the bundle that answers", written.id.to_string()));
}

fn documents(vectors: &mut Vec<(&'static str, String)>) {
    let sealer = sealer();
    let Ok(mut document) = Document::new(subject()) else {
        return;
    };
    let Ok(change) = document.write(sealer.actor(), &edits()) else {
        return;
    };
    vectors.push(("change", hexadecimal(&change.bytes)));
    vectors.push(("change hash", change.hash.to_string()));
    vectors.push(("extract", digest(&document.extract().encode())));
    vectors.push((
        "narrative",
        document.narrative("danh-gia").unwrap_or_default(),
    ));
    let Some(parts) = parts() else {
        return;
    };
    let mut fingerprint = Fingerprint::default();
    for part in &parts {
        vectors.push(("signed part", digest(&part.encode())));
        vectors.push(("part id", part.id().to_string()));
        fingerprint = fingerprint.plus(Fingerprint::of(part.id()));
    }
    vectors.push(("fingerprint", fingerprint.to_string()));
    let batch = parts
        .first()
        .map_or(BatchId([0; 32]), |part| part.batch_id());
    let node = NodeId([5; 16]);
    let receipt = Receipt::sign(node, sealer.actor(), (1, batch), 1_760_000_400, &sealer.key);
    let mut writer = sync_core::codec::Writer::new();
    receipt.write(&mut writer);
    vectors.push(("receipt", digest(writer.as_slice())));
    let request = Request {
        province: sealer.province,
        actor: sealer.actor(),
        own_number: 1,
        catalogue_number: 2,
        known: None,
        bytes_max: 1_000,
        records: Vec::new(),
        parts,
        repair: None,
    };
    vectors.push((
        "request frame",
        digest(&Frame::Request(Box::new(request)).encode()),
    ));
}

/// Names of vectors that are not what they must be.
pub fn differing() -> Vec<&'static str> {
    let computed = computed();
    let mut differing: Vec<_> = computed
        .iter()
        .zip(EXPECTED)
        .filter(|((name, value), (expected_name, expected))| {
            name != expected_name || value != expected
        })
        .map(|((name, _), _)| *name)
        .collect();
    if computed.len() != EXPECTED.len() {
        differing.push("count of vectors");
    }
    differing
}

#[cfg(test)]
mod tests {
    #[test]
    fn golden_vectors_hold_still() {
        for (name, value) in super::computed() {
            println!("    (\"{name}\", \"{value}\"),");
        }
        assert_eq!(super::differing(), Vec::<&str>::new());
    }
}

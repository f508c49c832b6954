//! A bundle that was changed is refused, one that ends early gives what is whole.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use super::*;
use crate::batch::{
    ChainTip, Compartment, Entry, NewPart, Partition, PartitionTip, Sealer, SignedPart, seal,
    tip_after,
};
use crate::catalogue::{Body, Record, SignedRecord};
use crate::identity::{
    BatchId, ChangeHash, DocumentId, InstallationId, NodeId, PartId, ProvinceId, UnitId,
};
use crate::log::{Follow, HeldReason};
use crate::sync::{Known, Receipt};

const PROVINCE: ProvinceId = ProvinceId([1; 16]);

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// A chain of batches, each of one part that is about `bytes` long.
fn parts(seed: u8, batches: usize, bytes: usize) -> Vec<SignedPart> {
    let sealer = Sealer {
        province: PROVINCE,
        installation: InstallationId([seed; 8]),
        key: key(seed),
    };
    let document = DocumentId([seed; 16]);
    let (mut tip, mut all) = (ChainTip::default(), Vec::new());
    for number in 0..batches {
        let part = NewPart {
            partition: Partition {
                unit: UnitId([seed; 8]),
                compartment: Compartment::Reports,
            },
            tip: PartitionTip {
                number: number as u64,
                hash: [number.min(1) as u8; 32],
            },
            entries: vec![Entry::Change {
                document,
                hash: ChangeHash([number as u8; 32]),
            }],
            changes: vec![vec![number as u8; bytes]],
        };
        let sealed = seal(&sealer, tip, 1_760_000_000, vec![part]).unwrap();
        tip = tip_after(&sealed).unwrap();
        all.extend(sealed);
    }
    all
}

fn records(count: u64) -> Vec<SignedRecord> {
    let record = |number| Record {
        number,
        previous: [number as u8; 32],
        at: 1_760_000_000,
        body: Body::Rehearsal {
            label: format!("Diễn tập {number}"),
        },
    };
    (1..=count)
        .map(|number| SignedRecord::sign(&record(number), &key(9)))
        .collect()
}

fn cover(number: u64, previous: BundleId) -> Cover {
    Cover {
        province: PROVINCE,
        issuer: Issuer::Device {
            key: key(7).verifying_key().to_bytes(),
            installation: InstallationId([7; 8]),
        },
        number,
        previous,
        written_at: -5,
        destination: Destination::Node(NodeId([4; 16])),
        catalogue_number: 40,
        own_number: 3,
        known: Some(Known {
            node: NodeId([4; 16]),
            follow: [8; 8],
            position: 77,
        }),
        span: Some(Span {
            node: NodeId([4; 16]),
            follow: Follow::These(BTreeSet::from([Partition {
                unit: UnitId([2; 8]),
                compartment: Compartment::Reports,
            }])),
            after: 3,
            through: 9,
        }),
    }
}

fn receipts() -> (Vec<Receipt>, Vec<(PartId, HeldReason)>) {
    let (node, actor) = (NodeId([4; 16]), crate::identity::ActorId([5; 16]));
    let reached = (3, BatchId([6; 32]));
    let receipt = Receipt::sign(node, actor, reached, 1_760_000_001, &key(8));
    let held = vec![(PartId([3; 32]), HeldReason::NotAllowed)];
    (vec![receipt], held)
}

/// Two chains, records and receipts: one piece of each kind at least.
fn small() -> (Contents, Written) {
    let (receipts, held) = receipts();
    let contents = Contents {
        records: records(2),
        parts: [parts(2, 2, 40), parts(3, 1, 40)].concat(),
        receipts,
        held,
    };
    let cover = cover(1, BundleId::default());
    let written = write(cover, contents.clone(), &key(7)).unwrap();
    (contents, written)
}

/// Several pieces of parts.
fn long() -> (Contents, Written) {
    let contents = Contents {
        parts: parts(2, 12, 1_500),
        ..Contents::default()
    };
    let written = write(cover(2, BundleId([3; 32])), contents.clone(), &key(7)).unwrap();
    assert!(written.head.pieces.len() > 4);
    (contents, written)
}

#[test]
fn what_was_written_is_read() {
    for (contents, written) in [small(), long()] {
        let opened = open(&written.bytes, Damage::Refuse).unwrap();
        assert_eq!(opened.contents, contents);
        assert_eq!((opened.id, &opened.head), (written.id, &written.head));
        assert!(opened.is_whole() && opened.missing() == Holdings::default());
        assert_eq!(length_of(&written.bytes), Ok(written.bytes.len() as u64));
        let again = write(opened.head.cover, opened.contents, &key(7)).unwrap();
        assert_eq!(again.bytes, written.bytes, "one value, one form");
    }
    let holdings = open(&small().1.bytes, Damage::Refuse).unwrap().holdings();
    assert_eq!(holdings.records, [(1, 2)]);
    let ranges: Vec<_> = holdings.chains.iter().map(|of| &of.batches).collect();
    assert_eq!(ranges, [&[(1, 2)], &[(1, 1)]]);
    assert_eq!(
        (holdings.parts(), holdings.receipts, holdings.held),
        (3, 1, 1)
    );
}

#[test]
fn every_flipped_bit_is_refused() {
    let (_, written) = small();
    let mut codes = BTreeSet::new();
    for bit in 0..written.bytes.len() * 8 {
        let mut bytes = written.bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let error = open(&bytes, Damage::Refuse).expect_err("a changed bundle");
        codes.insert(error.code());
    }
    let expected = [
        "bundle-head-cut",
        "bundle-head-damaged",
        "bundle-not-one",
        "bundle-piece-damaged",
        "bundle-signature-wrong",
        "bundle-version",
    ];
    assert_eq!(codes, BTreeSet::from(expected));
}

/// A flipped bit in a piece is named, and of that piece nothing is used even where a person asks for
/// the others.
#[test]
fn a_damaged_piece_is_named_and_left_out_alone() {
    let (contents, written) = long();
    let body = body_begins(&written);
    let second = body + written.head.pieces[0].bytes;
    let mut bytes = written.bytes.clone();
    bytes[second + 100] ^= 1;
    let pieces = written.head.pieces.len();
    let damaged = BundleError::Damaged { piece: 2, pieces };
    assert_eq!(open(&bytes, Damage::Refuse), Err(damaged));
    let opened = open(&bytes, Damage::LeaveOut).unwrap();
    let lacking: Vec<_> = opened.lacking().collect();
    assert_eq!(lacking, [(2, Lack::Damaged, &written.head.pieces[1])]);
    let run = written.head.pieces[1].runs()[0];
    assert_eq!(opened.missing().chains[0].batches, [(run.first, run.last)]);
    let left = contents.parts.iter().filter(|part| {
        let number = part.header().number;
        number < run.first || number > run.last
    });
    assert!(opened.contents.parts.iter().eq(left));
}

fn body_begins(written: &Written) -> usize {
    let pieces: usize = written.head.pieces.iter().map(|piece| piece.bytes).sum();
    written.bytes.len() - pieces
}

#[test]
fn every_truncation_gives_what_is_whole_and_names_the_rest() {
    for (contents, written) in [small(), long()] {
        let body = body_begins(&written);
        for length in 0..written.bytes.len() {
            let cut = &written.bytes[..length];
            if length < body {
                assert_eq!(open(cut, Damage::Refuse), Err(BundleError::HeadCut));
                continue;
            }
            let opened = open(cut, Damage::Refuse).unwrap();
            let (mut end, mut parts, mut whole) = (body, 0, 0);
            for piece in &written.head.pieces {
                end += piece.bytes;
                if end <= length {
                    whole += 1;
                    parts += piece
                        .runs()
                        .iter()
                        .map(|run| run.parts as usize)
                        .sum::<usize>();
                }
            }
            assert_eq!(opened.contents.parts, contents.parts[..parts]);
            let lacking: Vec<_> = opened
                .lacking()
                .map(|(number, lack, _)| (number, lack))
                .collect();
            let expected: Vec<_> = (whole + 1..=written.head.pieces.len())
                .map(|number| (number, Lack::Missing))
                .collect();
            assert_eq!(lacking, expected);
            let missing = opened.missing();
            assert_eq!(missing.parts() as usize, contents.parts.len() - parts);
            for of in missing.chains {
                let (chain, ranges) = (of.chain, of.batches);
                let missed = contents.parts[parts..]
                    .iter()
                    .filter(|part| part.header().key == chain.key);
                for part in missed {
                    let number = part.header().number;
                    assert!(
                        ranges
                            .iter()
                            .any(|(first, last)| (*first..=*last).contains(&number))
                    );
                }
            }
        }
        let more = [&written.bytes[..], b"\0"].concat();
        assert_eq!(open(&more, Damage::Refuse), Err(BundleError::LeftOver));
    }
}

/// A signed head that says of a piece what is not so.
#[test]
fn a_head_that_misdescribes_a_piece_is_refused() {
    let (_, written) = small();
    let lies: [fn(&mut Head); 5] = [
        |head| head.cover.province = ProvinceId([2; 16]),
        |head| {
            if let Holds::Records { first, .. } = &mut head.pieces[0].holds {
                *first += 1;
            }
        },
        |head| {
            if let Holds::Records { count, .. } = &mut head.pieces[0].holds {
                *count += 1;
            }
        },
        |head| {
            if let Holds::Parts(runs) = &mut head.pieces[1].holds {
                runs[0].last += 1;
            }
        },
        |head| {
            if let Holds::Receipts { held, .. } = &mut head.pieces[2].holds {
                *held += 1;
            }
        },
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let mut head = written.head.clone();
        lie(&mut head);
        let bytes = signed_again(&head, &written, &key(7));
        let error = open(&bytes, Damage::LeaveOut).expect_err("a lie");
        assert_eq!(error.code(), "bundle-misdescribed", "lie {number}: {error}");
    }
    let other = signed_again(&written.head, &written, &key(6));
    assert_eq!(open(&other, Damage::Refuse), Err(BundleError::Signature));
}

/// The same pieces under another head.
fn signed_again(head: &Head, of: &Written, key: &SigningKey) -> Vec<u8> {
    use ed25519_dalek::Signer;
    let bytes = head.encode();
    let mut to = crate::codec::Writer::new();
    to.raw(&MAGIC).u8(VERSION).bytes(&bytes);
    to.raw(&key.sign(&head::signed_message(&bytes)).to_bytes());
    to.raw(&of.bytes[body_begins(of)..]);
    to.into_bytes()
}

#[test]
fn nothing_is_not_written() {
    let nothing = write(cover(1, BundleId::default()), Contents::default(), &key(7));
    assert_eq!(nothing, Err(BundleError::Nothing));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_content_comes_back(
        sizes in proptest::collection::vec((2..6u8, 1..5usize, 1..6_000usize), 0..5),
        record_count in 0..5u64,
        number in 1..u64::MAX,
        written_at: i64,
        to in 0..3u8,
        span: bool,
        cut: prop::sample::Index,
    ) {
        let mut seen = BTreeSet::new();
        let chains = sizes.into_iter().filter(|(seed, _, _)| seen.insert(*seed));
        let all: Vec<_> = chains.map(|(seed, batches, bytes)| parts(seed, batches, bytes)).collect();
        let (receipts, held) = receipts();
        let contents = Contents { records: records(record_count), parts: all.concat(), receipts, held };
        let previous = BundleId([(number > 1) as u8; 32]);
        let mut cover = cover(number, previous);
        cover.written_at = written_at;
        cover.destination = match to {
            0 => Destination::Anyone,
            1 => Destination::Node(NodeId([3; 16])),
            _ => Destination::Device(crate::identity::KeyId([3; 16])),
        };
        if !span {
            cover.span = None;
            cover.known = None;
        }
        let written = write(cover, contents.clone(), &key(7)).unwrap();
        prop_assert_eq!(&Head::decode(&written.head.encode()).unwrap(), &written.head);
        let opened = open(&written.bytes, Damage::Refuse).unwrap();
        prop_assert_eq!(&opened.contents, &contents);
        let cut = cut.index(written.bytes.len());
        match open(&written.bytes[..cut], Damage::Refuse) {
            Err(error) => prop_assert_eq!(error, BundleError::HeadCut),
            Ok(opened) => {
                prop_assert!(!opened.is_whole());
                prop_assert!(contents.parts.starts_with(&opened.contents.parts));
            }
        }
    }

    /// What reads is written in one form only.
    #[test]
    fn a_mutated_head_reads_as_what_it_says(at: prop::sample::Index, byte: u8) {
        let head = small().1.head.encode();
        let mut mutant = head.clone();
        let at = at.index(mutant.len());
        mutant[at] = byte;
        if let Ok(read) = Head::decode(&mutant) {
            prop_assert_eq!(read.encode(), mutant);
        }
    }
}

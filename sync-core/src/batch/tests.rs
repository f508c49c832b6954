use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;
use crate::identity::{ChangeHash, DocumentId, UnitId};

fn sealer() -> Sealer {
    Sealer {
        province: ProvinceId([1; 16]),
        installation: InstallationId([2; 8]),
        key: SigningKey::from_bytes(&[3; 32]),
    }
}

fn new_part(unit: u8, changes: usize) -> NewPart {
    let partition = Partition {
        unit: UnitId([unit; 8]),
        compartment: Compartment::Reports,
    };
    let document = DocumentId([unit; 16]);
    let mut entries = vec![
        Entry::Subject {
            document,
            subject: vec![unit; 20],
        },
        Entry::Extension {
            document,
            name: "danh-gia".into(),
        },
    ];
    entries.extend((0..changes).map(|i| Entry::Change {
        document,
        hash: ChangeHash([i as u8; 32]),
    }));
    let changes = (0..changes).map(|i| vec![i as u8; 40 + i]).collect();
    NewPart {
        partition,
        tip: PartitionTip::default(),
        entries,
        changes,
    }
}

fn batch(parts: u8) -> Vec<SignedPart> {
    let parts = (1..=parts)
        .map(|unit| new_part(unit, unit as usize))
        .collect();
    seal(&sealer(), ChainTip::default(), 1_760_000_000, parts).unwrap()
}

/// A batch whose changes are chunks under their own hashes, as honest ones are.
fn batch_of_chunks(parts: u8) -> Vec<SignedPart> {
    let chunks = |mut new: NewPart| {
        let mut bytes = new.changes.iter_mut();
        for entry in &mut new.entries {
            if let Entry::Change { hash, .. } = entry {
                let bytes = bytes.next().unwrap();
                *hash = ChangeHash(Sha256::digest(&*bytes).into());
                let front = [&[0x85, 0x6f, 0x4a, 0x83], &hash.0[..4]].concat();
                bytes.splice(..0, front);
            }
        }
        new
    };
    let parts = (1..=parts).map(|unit| chunks(new_part(unit, unit as usize)));
    seal(
        &sealer(),
        ChainTip::default(),
        1_760_000_000,
        parts.collect(),
    )
    .unwrap()
}

fn public_key() -> [u8; 32] {
    *sealer().key.verifying_key().as_bytes()
}

#[test]
fn every_part_of_a_batch_stands_alone() {
    for count in 1..=9 {
        let parts = batch_of_chunks(count);
        assert_eq!(parts.len(), count as usize);
        for part in &parts {
            let read = SignedPart::decode(&part.encode()).unwrap();
            assert_eq!(&read, part);
            assert_eq!(read.batch_id(), parts[0].batch_id());
            assert!(read.verify(&public_key()).is_ok());
        }
        let ids: std::collections::BTreeSet<_> = parts.iter().map(SignedPart::id).collect();
        assert_eq!(
            ids.len(),
            parts.len(),
            "parts of one batch have ids of their own"
        );
    }
}

/// Every bit is covered: header, signature, path, part, and the bytes of changes, which somebody on
/// the way could exchange to have the true ones refused as known.
#[test]
fn a_flipped_bit_is_refused() {
    let part = &batch_of_chunks(3)[1];
    let bytes = part.encode();
    for at in 0..bytes.len() * 8 {
        let mut bad = bytes.clone();
        bad[at / 8] ^= 1 << (at % 8);
        let verdict = SignedPart::decode(&bad).map(|part| part.verify(&public_key()).is_ok());
        assert_ne!(verdict, Ok(true), "bit {at}");
    }
}

/// The signature is right, the part is under it, the change is well formed: it is another one.
#[test]
fn an_exchanged_change_is_refused() {
    let parts = batch_of_chunks(2);
    let mut exchanged = parts[0].encode();
    // The one change of the first part stands at its end; the second change of the other is longer.
    let (theirs, other) = (&parts[0].changes()[0], &parts[1].changes()[1]);
    exchanged.truncate(exchanged.len() - theirs.len() - 1);
    exchanged.push(u8::try_from(other.len()).unwrap());
    exchanged.extend_from_slice(other);
    let exchanged = SignedPart::decode(&exchanged).unwrap();
    assert_eq!(exchanged.verify(&public_key()), Err(VerifyError::Change));
}

#[test]
fn another_key_is_refused() {
    let other = SigningKey::from_bytes(&[4; 32]);
    let part = batch_of_chunks(1).remove(0);
    assert_eq!(
        part.verify(other.verifying_key().as_bytes()),
        Err(VerifyError::Key)
    );
}

#[test]
fn a_batch_bytes_vector_is_held_still() {
    let part = batch(2).remove(1);
    assert_eq!(
        part.batch_id().to_string(),
        "b86757644f87000fd92a0ca53c2eb3c5733e6c28f793aa13cf95a14e6fff0107",
        "signed history cannot be migrated: this constant never changes"
    );
    assert_eq!(
        part.id().to_string(),
        "73d7f943e484a29755bab07794641311dd7e5647bf5f1d93d10ddefa77845acb"
    );
}

proptest! {
    #[test]
    fn decoding_is_strict(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..400) {
        let good = batch(2).remove(0).encode();
        prop_assert!(SignedPart::decode(good.get(..cut.min(good.len() - 1)).unwrap()).is_err());
        let mut longer = good.clone();
        longer.push(0);
        prop_assert!(SignedPart::decode(&longer).is_err());
        if let Ok(part) = SignedPart::decode(&bytes) {
            prop_assert_eq!(part.encode(), bytes);
        }
    }
}

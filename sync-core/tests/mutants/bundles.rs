//! Mutated bundles: what a stick damages, and what a hostile device signs.
//!
//! A file that was changed is refused by name. One whose issuer signed it, however strange, is read
//! within bounded memory or refused; what a device takes of it was signed by somebody of the province,
//! nothing it had is lost, and nothing leaves its outbox without a node's word.

use ed25519_dalek::{Signer, SigningKey};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sync_core::bundle::{
    Contents, Damage, Destination, Head, Holds, MAGIC, Opened, Span, VERSION, Written, open,
};
use sync_core::codec::Writer;
use sync_core::identity::{NodeId, labelled_hash};
use sync_core::limits;
use sync_core::log::{Follow, Keyspace, MemoryKeyspace, keys};
use sync_core::sync::{Device, OutboxState, Scope};

use crate::batch_mutation::near;
use crate::frames::{check_records, check_signed};
use crate::world::{Exchange, NOW, Work, World, check_same, rebuilt, truth};
use crate::{MEMORY, Outcomes};

const SCENARIOS: u64 = 6;
const ROUNDS: usize = 8;

/// Bytes that reading one bundle of a few kilobytes may take. Other tests of this program allocate at
/// the same time.
const READING_BYTES_MAX: usize = 16 * limits::FRAME_BYTES_MAX;

#[test]
fn no_mutated_bundle_escapes() {
    let (mut rng, mutants) = crate::start("bundles", 10);
    let mut outcomes = Outcomes::default();
    for _ in 0..SCENARIOS {
        let work = Work::new(&mut rng, ROUNDS);
        for _ in 0..mutants / SCENARIOS {
            let writer = &work.exchanges[rng.random_range(0..work.exchanges.len())];
            let reader = &work.exchanges[rng.random_range(0..work.exchanges.len())];
            outcomes.count(attack(&mut rng, &work, writer, reader));
        }
    }
    println!("{} mutants of bundles: {:#?}", outcomes.total(), outcomes.0);
    for outcome in [
        "taken",
        "changed: bundle-piece-damaged",
        "changed: bundle-signature-wrong",
    ] {
        assert!(outcomes.of(outcome) > 0, "never {outcome}");
    }
    assert!(outcomes.0.len() >= 8, "some refusals were never met");
}

/// An honest bundle of what a device held at some moment, or of what a node told it.
fn honest(rng: &mut ChaCha8Rng, world: &World, exchange: &Exchange) -> (Device, Option<Written>) {
    let mut device = world.open(exchange.device, &exchange.device_before);
    let written = match rng.random_bool(0.6) {
        true => device.write_bundle(Scope::All, rng.random_bool(0.5), Destination::Anyone, NOW),
        false => {
            let response = &exchange.response;
            let contents = Contents {
                records: response.records.clone(),
                parts: response
                    .entries
                    .iter()
                    .map(|(_, part)| part.clone())
                    .collect(),
                receipts: response.receipt.iter().cloned().collect(),
                held: Vec::new(),
            };
            let span = Span {
                node: response.node,
                follow: response.follow.clone().unwrap_or(Follow::All),
                after: response.from.min(response.position),
                through: response.position,
            };
            device.write_answer(contents, span, Destination::Anyone, NOW)
        }
    };
    (device, written.ok().map(|(written, _)| written))
}

fn attack(rng: &mut ChaCha8Rng, work: &Work, writer: &Exchange, reader: &Exchange) -> String {
    let world = &work.world;
    let (device, written) = honest(rng, world, writer);
    let Some(written) = written else {
        return "nothing to write".to_owned();
    };
    let key = &device.sealer().key;
    let (bytes, signed) = match rng.random_range(0..10u8) {
        0..4 => (damaged(rng, &written.bytes), false),
        4..9 => (lied(rng, world, &written, key), true),
        _ => (written.bytes.clone(), true),
    };
    match read_measured(rng, &bytes) {
        Err(code) if signed => format!("signed: {code}"),
        Err(code) => format!("changed: {code}"),
        Ok(opened) => {
            let longer = written.bytes.len() >= bytes.len();
            let same = longer && written.bytes.starts_with(&bytes);
            assert!(
                signed || same || !opened.is_whole(),
                "a changed bundle was read"
            );
            tell(world, reader, &opened)
        }
    }
}

fn read_measured(rng: &mut ChaCha8Rng, bytes: &[u8]) -> Result<Opened, &'static str> {
    let damage = match rng.random_bool(0.8) {
        true => Damage::Refuse,
        false => Damage::LeaveOut,
    };
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let read = open(bytes, damage);
    let taken = MEMORY.peak_usage().saturating_sub(before);
    assert!(
        taken <= READING_BYTES_MAX,
        "{} bytes took {taken}",
        bytes.len()
    );
    read.map_err(|error| error.code())
}

/// What a stick does: a bit, a cut, bytes at the end, a sector of zeros.
fn damaged(rng: &mut ChaCha8Rng, bytes: &[u8]) -> Vec<u8> {
    let mut mutant = bytes.to_vec();
    let at = rng.random_range(0..mutant.len());
    match rng.random_range(0..8u8) {
        0 => mutant.truncate(at),
        1 => mutant.push(rng.random_range(0..=255)),
        2 => {
            let end = (at + 512).min(mutant.len());
            mutant[at..end].fill(0);
        }
        _ => mutant[at] ^= 1 << rng.random_range(0..8),
    }
    mutant
}

/// What a hostile device signs: a head that lies, over pieces that may be damaged too.
fn lied(rng: &mut ChaCha8Rng, world: &World, of: &Written, key: &SigningKey) -> Vec<u8> {
    let mut head = of.head.clone();
    let body: usize = head.pieces.iter().map(|piece| piece.bytes).sum();
    let mut body = of.bytes[of.bytes.len() - body..].to_vec();
    match rng.random_range(0..10u8) {
        0 => head.cover.number = near(rng, head.cover.number),
        1 => head.cover.catalogue_number = near(rng, head.cover.catalogue_number),
        2 => head.cover.destination = Destination::Node(NodeId([1; 16])),
        3 => {
            head.cover.span = Some(Span {
                node: world.identity.node,
                follow: Follow::All,
                after: 0,
                through: near(rng, 9),
            });
        }
        4 => head.cover.span = None,
        5 => head.pieces.rotate_left(1),
        6 => {
            let at = rng.random_range(0..head.pieces.len());
            lie_of(rng, &mut head, at);
        }
        7 => {
            // A piece of other bytes under their own hash.
            let (at, bit) = (rng.random_range(0..body.len()), rng.random_range(0..8));
            body[at] ^= 1 << bit;
            let mut from = 0;
            for piece in &mut head.pieces {
                let bytes = &body[from..from + piece.bytes];
                piece.hash = labelled_hash("bundle piece", &[bytes]);
                from += piece.bytes;
            }
        }
        8 => head.chains.reverse(),
        _ => {}
    }
    let mut head = head.encode();
    if rng.random_bool(0.3) {
        let at = rng.random_range(0..head.len());
        head[at] ^= 1 << rng.random_range(0..8);
    }
    let mut to = Writer::new();
    to.raw(&MAGIC).u8(VERSION).bytes(&head);
    let message = labelled_hash("bundle signature", &[&head]);
    to.raw(&key.sign(&message).to_bytes()).raw(&body);
    to.into_bytes()
}

fn lie_of(rng: &mut ChaCha8Rng, head: &mut Head, at: usize) {
    match &mut head.pieces[at].holds {
        Holds::Records { first, count } => {
            *first = near(rng, *first);
            *count = near(rng, *count);
        }
        Holds::Parts(runs) => {
            let run = &mut runs[0];
            run.first = near(rng, run.first);
            run.last = near(rng, run.last);
            run.parts = near(rng, run.parts);
        }
        Holds::Receipts { receipts, held } => {
            *receipts = near(rng, *receipts);
            *held = near(rng, *held);
        }
    }
}

/// A device takes what was read.
fn tell(world: &World, exchange: &Exchange, opened: &Opened) -> String {
    let before = &exchange.device_before;
    let mut device = world.open(exchange.device, before);
    let waited: Vec<_> = device
        .outbox()
        .iter()
        .filter(|(_, state)| **state == OutboxState::Waiting)
        .map(|(part, _)| *part)
        .collect();
    let taken = match device.take_bundle(opened, NOW) {
        Ok(taken) => taken,
        Err(_) => return "not taken".to_owned(),
    };
    let mut kept = before.clone();
    kept.apply(taken.writes);
    let held = device.keyspace();
    check_same(&truth(&kept), &truth(held), "what is taken is handed out");
    check_same(&rebuilt(held), held, "derived again from the truth");
    check_log_kept(before, held);
    check_signed(world, &kept);
    check_records(world, &kept);
    let left = waited
        .iter()
        .filter(|part| !device.outbox().contains_key(part));
    let left = left.count();
    let mut receipts = opened.contents.receipts.iter();
    let word = receipts.any(|receipt| receipt.is_signed_by(world.catalogue.node_keys()));
    assert!(
        left == 0 || word,
        "{left} parts were taken for acknowledged without a node's word"
    );
    let again = device.take_bundle(opened, NOW).expect("taken before");
    assert_eq!(
        (again.accepted, again.acknowledged, again.records),
        (0, 0, 0)
    );
    "taken".to_owned()
}

/// What was in the log, in quarantine and in the catalogue still is.
fn check_log_kept(before: &MemoryKeyspace, after: &MemoryKeyspace) {
    for (key, value) in before.iter() {
        if [keys::LOG, keys::HELD, keys::CATALOGUE].contains(&key[0]) {
            let kept = after.get(key).expect("reads");
            assert_eq!(kept.as_deref(), Some(value), "lost or changed");
        }
    }
}

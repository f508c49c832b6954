//! Mutated batches against the acceptor: whatever a hostile tablet signs, or a wire damages.
//!
//! A mutant that was not signed again must be refused before it is judged, and must not stand in the
//! way of the part it was made from. One that its sealer signed is accepted, held or not taken; what
//! is accepted is its author's to write, loads in the engine, and is derived again to the same bytes.
//! Whatever becomes of it, nothing accepted before changes, and what somebody else seals at the same
//! moment meets the same verdict as if it had never come.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sync_core::access;
use sync_core::batch::{Compartment, Entry, SignedPart};
use sync_core::document::Document;
use sync_core::gate::Touch;
use sync_core::log::staging::PartPlace;
use sync_core::log::{LogReader, MemoryKeyspace, Verdict};

use crate::Outcomes;
use crate::batch_mutation::{Scrap, mutate};
use crate::reading::check_saved;
use crate::world::{Moment, NOW, Work, World, check_kept, check_same, judge, rebuilt};

const SCENARIOS: u64 = 20;
const ROUNDS: usize = 14;

#[test]
fn no_mutated_batch_escapes() {
    let (mut rng, mutants) = crate::start("batches", 20);
    let mut outcomes = Outcomes::default();
    for _ in 0..SCENARIOS {
        let work = Work::new(&mut rng, ROUNDS);
        let scrap = Scrap::new(&work);
        for moment in &work.moments {
            let other = std::slice::from_ref(&moment.other);
            let (verdicts, _) = judge(&work.world, &moment.keyspace, other);
            let code = code(&verdicts[0]);
            assert!(code == "accepted" || code.starts_with("held"), "{code}");
        }
        let mut left = mutants / SCENARIOS;
        while left > 0 {
            let moment = &work.moments[rng.random_range(0..work.moments.len())];
            if let Some(outcome) = attack(&mut rng, &work.world, &scrap, moment) {
                outcomes.count(outcome);
                left -= 1;
            }
        }
    }
    println!("{} mutants of batches: {:#?}", outcomes.total(), outcomes.0);
    let accepted = outcomes.of("signed again: accepted");
    assert!(
        accepted > outcomes.total() / 50,
        "hardly anything is accepted: the test looks at too little"
    );
    assert!(outcomes.0.len() >= 16, "some outcomes were never met");
}

/// One mutant at one moment; none if it came out as it was.
fn attack(rng: &mut ChaCha8Rng, world: &World, scrap: &Scrap, moment: &Moment) -> Option<String> {
    let (honest, key, whose) = match rng.random_range(0..10u8) {
        0..2 => (&moment.part, None, "not signed again"),
        2..5 => {
            let key = &world.sealers[moment.signer].key;
            (&moment.part, Some(key), "signed again")
        }
        _ => {
            let key = &world.sealers[moment.other_signer].key;
            (&moment.other, Some(key), "signed again")
        }
    };
    let bytes = mutate(rng, scrap, honest, key);
    if bytes == honest.encode() {
        return None;
    }
    let Ok(part) = SignedPart::decode(&bytes) else {
        return Some(format!("{whose}: malformed"));
    };
    assert_eq!(part.encode(), bytes, "one value, one form");
    let alone = judge(world, &moment.keyspace, std::slice::from_ref(&moment.part));
    let (verdicts, writes) = judge(
        world,
        &moment.keyspace,
        &[part.clone(), moment.part.clone()],
    );
    let mut after = moment.keyspace.clone();
    after.apply(writes);
    check_kept(&moment.keyspace, &after);
    check_same(&rebuilt(&after), &after, "derived again from the truth");
    if key.is_none() {
        let refused = matches!(verdicts[0], Verdict::Refused { .. });
        assert!(refused, "nobody signed this: {:?}", verdicts[0]);
    }
    if part.actor() != moment.part.actor() || key.is_none() {
        assert_eq!(
            code(&verdicts[1]),
            code(&alone.0[0]),
            "a hostile tablet stands in the way of another's work: {:?}",
            verdicts[0]
        );
    }
    if let Verdict::Accepted { position } = verdicts[0] {
        check_accepted(world, &after, &part, position);
    }
    Some(format!("{whose}: {}", code(&verdicts[0])))
}

fn code(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted { .. } => "accepted",
        Verdict::Duplicate { .. } => "duplicate",
        Verdict::Held { reason, .. } => reason.code(),
        Verdict::Gap { .. } => "gap",
        Verdict::Waiting => "waiting",
        Verdict::Refused { code } => code,
    }
}

/// What is accepted was its author's to write, and the engine can work with it.
fn check_accepted(world: &World, after: &MemoryKeyspace, part: &SignedPart, position: u64) {
    let reader = LogReader(after);
    let place = reader.part(part.id()).expect("reads");
    assert_eq!(place, Some(PartPlace::Accepted(position)));
    let partition = part.part().partition;
    let signer = world.catalogue.key(part.header().key).expect("enrolled");
    let touches = [Touch::TemplateVersion];
    let refused = access::first_refused(&world.catalogue, signer.person, partition, &touches, NOW);
    assert_eq!(refused, None, "accepted where its author may not write");
    assert_eq!(partition.compartment, Compartment::Reports);
    for document in part.part().entries.iter().map(Entry::document) {
        check_document(after, document, part);
    }
}

fn check_document(
    after: &MemoryKeyspace,
    document: sync_core::identity::DocumentId,
    part: &SignedPart,
) {
    let reader = LogReader(after);
    let index = reader.document(document).expect("reads");
    let index = index.expect("a document that was accepted");
    assert_eq!(index.partition(), part.part().partition);
    assert_eq!(index.subject().document_id(), document);
    assert_eq!(index.subject().unit, index.partition().unit);
    let changes = reader.changes(&index).expect("reads");
    let sections = index.extensions().iter().map(String::as_str);
    let changes = changes.iter().map(|(_, bytes)| bytes.as_slice());
    let loaded = Document::load(index.subject().clone(), sections, changes);
    check_saved(&loaded.expect("what is accepted loads"));
}

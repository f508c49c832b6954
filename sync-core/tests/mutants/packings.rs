//! Mutated packings: whatever comes out of one is judged like a part that came as it is.
//!
//! Reading a packing takes bounded memory and gives either nothing or parts of the right form; those that
//! nobody signed are refused, and what was kept before stays.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sync_core::catalogue::SignedRecord;
use sync_core::limits;
use sync_core::log::{Follow, MemoryKeyspace};
use sync_core::pack::{Ground, Shared, Timed, pack, pack_records, unpack, unpack_records};

use crate::world::{Exchange, Work, World, check_kept, judge};
use crate::{MEMORY, Outcomes};

const SCENARIOS: u64 = 6;
const ROUNDS: usize = 8;

/// Bytes that reading one packing may take beside it. Other tests of this program allocate at the same
/// time.
const READING_BYTES_MAX: usize = 32 * limits::FRAME_BYTES_MAX;

#[test]
fn no_mutated_packing_escapes() {
    let (mut rng, mutants) = crate::start("packings", 10);
    let mut outcomes = Outcomes::default();
    for _ in 0..SCENARIOS {
        let work = Work::new(&mut rng, ROUNDS);
        for _ in 0..mutants / SCENARIOS {
            let exchange = &work.exchanges[rng.random_range(0..work.exchanges.len())];
            let outcome = match rng.random_bool(0.8) {
                true => offer(&mut rng, &work.world, exchange),
                false => offer_records(&mut rng, &work.world),
            };
            outcomes.count(outcome.to_owned());
        }
    }
    println!(
        "{} mutants of packings: {:#?}",
        outcomes.total(),
        outcomes.0
    );
    for outcome in [
        "rebuilt as it was",
        "not rebuilt",
        "records rebuilt",
        "records not rebuilt",
    ] {
        assert!(outcomes.of(outcome) > 0, "never {outcome}");
    }
}

fn ground<'a>(rng: &mut ChaCha8Rng, world: &'a World, below: &'a MemoryKeyspace) -> Ground<'a> {
    let shared = match rng.random_range(0..3u8) {
        0 => Shared::Nothing,
        _ => Shared::Through {
            position: rng.random_range(0..20),
            own: None,
            follow: Follow::All,
        },
    };
    Ground {
        keyspace: below,
        names: world.catalogue.names(),
        shared,
    }
}

fn mutated(rng: &mut ChaCha8Rng, mut packed: Vec<u8>) -> Vec<u8> {
    for _ in 0..rng.random_range(0..4u8) {
        let at = rng.random_range(0..packed.len());
        match rng.random_range(0..6u8) {
            0 => packed.truncate(at.max(8)),
            1 => packed.push(rng.random_range(0..=255)),
            _ => packed[at] ^= 1 << rng.random_range(0..8),
        }
    }
    packed
}

/// Catalogue records: those that come out are those that went in, but for signatures, which the
/// catalogue refuses.
fn offer_records(rng: &mut ChaCha8Rng, world: &World) -> &'static str {
    let from = rng.random_range(0..world.records.len());
    let (before, records) = world.records.split_at(from);
    let hash = before.last().map_or([0; 32], SignedRecord::hash);
    let packed = pack_records(records).expect("within limits");
    let mutant = mutated(rng, packed);
    MEMORY.reset_peak_usage();
    let used = MEMORY.current_usage();
    let rebuilt = unpack_records((from as u64, hash), &mutant);
    let taken = MEMORY.peak_usage().saturating_sub(used);
    assert!(
        taken <= READING_BYTES_MAX,
        "{} bytes took {taken}",
        mutant.len()
    );
    let Some(rebuilt) = rebuilt else {
        return "records not rebuilt";
    };
    let hashes = |of: &[SignedRecord]| of.iter().map(SignedRecord::hash).collect::<Vec<_>>();
    assert_eq!(hashes(&rebuilt), hashes(records));
    "records rebuilt"
}

fn offer(rng: &mut ChaCha8Rng, world: &World, exchange: &Exchange) -> &'static str {
    let before = &exchange.node_before;
    let sent = exchange.request.parts.iter();
    let parts: Vec<Timed> = match rng.random_bool(0.5) {
        true => sent.map(|part| (0, part.clone())).collect(),
        false => exchange.response.entries.clone(),
    };
    let ground = ground(rng, world, before);
    let packed = pack(&ground, &parts)
        .expect("reads")
        .expect("within limits");
    let mutant = mutated(rng, packed);
    MEMORY.reset_peak_usage();
    let used = MEMORY.current_usage();
    let rebuilt = unpack(&ground, &mutant).expect("reads");
    let taken = MEMORY.peak_usage().saturating_sub(used);
    assert!(
        taken <= READING_BYTES_MAX,
        "{} bytes took {taken}",
        mutant.len()
    );
    match rebuilt {
        None => "not rebuilt",
        Some(rebuilt) if rebuilt == parts => "rebuilt as it was",
        Some(rebuilt) => {
            // The digest covers everything but signatures and times.
            let parts: Vec<_> = rebuilt.into_iter().map(|(_, part)| part).collect();
            let (_, writes) = judge(world, before, &parts);
            let mut after = before.clone();
            after.apply(writes);
            check_kept(before, &after);
            "rebuilt otherwise"
        }
    }
}

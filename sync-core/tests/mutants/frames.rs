//! Mutated frames against both ends of a link: a hostile tablet's requests, a hostile node's answers.
//!
//! Reading a frame takes memory in proportion to the longest frame, whatever it claims to hold, and
//! what reads writes the same bytes. A node answers what it can read with a frame that can be read. A
//! device takes an answer and comes up again from what it kept. Neither loses what it had, takes a
//! record or a part that nobody signed, or derives anything that does not follow from its truth.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sync_core::batch::SignedPart;
use sync_core::identity::{InstallationId, NodeId};
use sync_core::limits;
use sync_core::log::{Keyspace, LogReader, MemoryKeyspace, Write, keys};
use sync_core::sync::node::{self, Verdicts};
use sync_core::sync::repair::Told;
use sync_core::sync::{Frame, Request, Response, Session};

use crate::batch_mutation::{Scrap, mutate as mutate_part, near};
use crate::frame_mutation::{flat, frame, mutate, request, response};
use crate::reading::check_saved;
use crate::world::{Exchange, NOW, Work, World, check_kept, check_same, judge, rebuilt, truth};
use crate::{MEMORY, Outcomes};

const SCENARIOS: u64 = 10;
const ROUNDS: usize = 8;

/// Bytes that reading one frame may take beside it: a decoded part is larger than its bytes, and
/// lists double while they grow. Other tests of this program allocate at the same time.
const READING_BYTES_MAX: usize = 16 * limits::FRAME_BYTES_MAX;

#[test]
fn no_mutated_frame_escapes() {
    let (mut rng, mutants) = crate::start("frames", 10);
    let mut outcomes = Outcomes::default();
    for _ in 0..SCENARIOS {
        let work = Work::new(&mut rng, ROUNDS);
        let scrap = Scrap::new(&work);
        for _ in 0..mutants / SCENARIOS {
            let exchange = &work.exchanges[rng.random_range(0..work.exchanges.len())];
            let bytes = mutant(&mut rng, &work.world, &scrap, exchange);
            outcomes.count(offer(&work.world, exchange, &bytes));
        }
    }
    println!("{} mutants of frames: {:#?}", outcomes.total(), outcomes.0);
    for outcome in ["request answered", "response taken"] {
        assert!(
            outcomes.of(outcome) > outcomes.total() / 50,
            "hardly any {outcome}: the test looks at too little"
        );
    }
    assert!(outcomes.0.len() >= 10, "some refusals were never met");
}

/// What a frame of the greatest length can make a reader take: lists of the smallest items.
#[test]
fn a_full_frame_takes_no_more_memory_than_its_kind_allows() {
    let mut rng = rand::SeedableRng::seed_from_u64(7);
    let work = Work::new(&mut rng, 2);
    let (exchange, part) = (&work.exchanges[0], &work.moments[0].part);
    let entries = (limits::FRAME_BYTES_MAX - 4_096) / (part.encode().len() + 12);
    let full = Response {
        entries: vec![(i64::MIN, part.clone()); entries],
        ..exchange.response.clone()
    };
    let read = read_measured(&Frame::Response(Box::new(full.clone())).encode());
    assert_eq!(read.expect("reads"), Frame::Response(Box::new(full)));
    for claimed in [1 << 20, 1 << 32, 1 << 62, u64::MAX] {
        let mut pieces = response(&exchange.response);
        for piece in &mut pieces {
            if let crate::frame_mutation::Piece::Number(number) = piece {
                *number = claimed;
            }
        }
        assert!(read_measured(&frame(2, &flat(&pieces))).is_err());
        let mut pieces = request(&exchange.request);
        for piece in &mut pieces {
            if let crate::frame_mutation::Piece::Number(number) = piece {
                *number = claimed;
            }
        }
        assert!(read_measured(&frame(1, &flat(&pieces))).is_err());
    }
}

fn read_measured(bytes: &[u8]) -> Result<Frame, sync_core::sync::FrameError> {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let read = Frame::decode(bytes);
    let taken = MEMORY.peak_usage().saturating_sub(before);
    assert!(
        taken <= READING_BYTES_MAX,
        "reading {} bytes took {taken}",
        bytes.len()
    );
    read
}

fn mutant(rng: &mut ChaCha8Rng, world: &World, scrap: &Scrap, exchange: &Exchange) -> Vec<u8> {
    let is_request = rng.random_bool(0.5);
    let (kind, mut body) = if is_request {
        let mut changed = exchange.request.clone();
        if rng.random_bool(0.4) {
            mutate_request(rng, world, scrap, &mut changed);
        }
        (1, request(&changed))
    } else {
        let mut changed = exchange.response.clone();
        if rng.random_bool(0.4) {
            mutate_response(rng, world, scrap, &mut changed);
        }
        (2, response(&changed))
    };
    if rng.random_bool(0.6) {
        mutate(rng, &mut body);
    }
    let kind = match rng.random_range(0..40u8) {
        0 => rng.random_range(0..5),
        _ => kind,
    };
    let mut bytes = frame(kind, &flat(&body));
    if rng.random_range(0..20u8) == 0 {
        let at = rng.random_range(0..bytes.len());
        bytes[at] ^= 1 << rng.random_range(0..8);
    }
    bytes
}

/// A mutant of some part that still has the form of one, signed by the device that made it or not.
fn strange_part(rng: &mut ChaCha8Rng, world: &World, scrap: &Scrap, of: &SignedPart) -> SignedPart {
    let sealer = world
        .sealers
        .iter()
        .find(|sealer| sealer.key_id() == of.header().key);
    let key = sealer.filter(|_| rng.random_bool(0.7)).map(|s| &s.key);
    SignedPart::decode(&mutate_part(rng, scrap, of, key)).unwrap_or_else(|_| of.clone())
}

fn mutate_request(rng: &mut ChaCha8Rng, world: &World, scrap: &Scrap, request: &mut Request) {
    let at = rng.random_range(0..request.parts.len().max(1));
    match rng.random_range(0..9u8) {
        0 => request.own_number = near(rng, request.own_number),
        1 => request.catalogue_number = near(rng, request.catalogue_number),
        2 => {
            if let Some(known) = &mut request.known {
                known.position = near(rng, known.position);
            }
        }
        3 => request.known = None,
        4 => request.bytes_max = near(rng, request.bytes_max),
        5 => {
            let from = rng.random_range(0..world.records.len());
            request.records = world.records[from..].to_vec();
        }
        6 => request.parts.rotate_left(at),
        _ => {
            if let Some(part) = request.parts.get_mut(at) {
                let strange = strange_part(rng, world, scrap, part);
                if rng.random_bool(0.5) {
                    *part = strange;
                } else {
                    request.parts.insert(at, strange);
                }
            }
        }
    }
}

fn mutate_response(rng: &mut ChaCha8Rng, world: &World, scrap: &Scrap, response: &mut Response) {
    let at = rng.random_range(0..response.entries.len().max(1));
    match rng.random_range(0..10u8) {
        0 => response.node = NodeId([rng.random_range(0..3); 16]),
        1 => response.catalogue_last = near(rng, response.catalogue_last),
        2 => {
            let from = rng.random_range(0..world.records.len());
            response.records = world.records[from..].to_vec();
        }
        3 => response.chain.number = near(rng, response.chain.number),
        4 => response.position = near(rng, response.position),
        5 => response.from = near(rng, response.from),
        6 => response.answers.reverse(),
        7 => {
            response.more = !response.more;
            response.fingerprint = None;
        }
        _ => {
            if let Some((_, part)) = response.entries.get_mut(at) {
                let strange = strange_part(rng, world, scrap, part);
                if rng.random_bool(0.5) {
                    *part = strange;
                } else {
                    response.entries.insert(at, (NOW, strange));
                }
            }
        }
    }
}

fn offer(world: &World, exchange: &Exchange, bytes: &[u8]) -> String {
    match read_measured(bytes) {
        Err(error) => error.to_string(),
        Ok(read) => {
            assert_eq!(read.encode(), bytes, "one value, one form");
            match read {
                Frame::Request(request) => ask_node(world, exchange, &request),
                Frame::Response(response) => tell_device(world, exchange, &response),
                Frame::Problem(_) => "problem".to_owned(),
                Frame::PackedRequest(_) | Frame::PackedResponse(_) => "packed".to_owned(),
            }
        }
    }
}

/// A node takes a request as `server/src/exchange.rs` does.
fn ask_node(world: &World, exchange: &Exchange, request: &Request) -> String {
    let before = &exchange.node_before;
    let mut after = before.clone();
    let mut identity = world.identity.clone();
    if node::is_rolled_back(before, &identity, request).expect("reads") {
        identity = identity.renewed(NodeId([200; 16]));
    }
    let mut catalogue = world.catalogue.clone();
    for record in &request.records {
        let taken = catalogue.apply(record);
        assert!(taken.is_err(), "a record that the province did not sign");
    }
    let (verdicts, writes) = judge(world, before, &request.parts);
    after.apply(writes);
    check_kept(before, &after);
    check_same(&rebuilt(&after), &after, "derived again from the truth");
    check_signed(world, &after);
    let session = Session::of(&world.catalogue, world.person(exchange.device), NOW);
    let verdicts = Verdicts::on(request, verdicts);
    let response = node::answer(&after, &identity, &session, request, verdicts, NOW);
    let response = response.expect("an answer");
    // A piece, and what of a first contact is still to come, stand beside a packed answer only.
    let response = Response {
        piece: None,
        repair: match response.repair {
            Some(Told::Rest(_) | Told::Settled(_)) => None,
            other => other,
        },
        ..response
    };
    let response = Frame::Response(Box::new(response));
    let read = Frame::decode(&response.encode());
    assert_eq!(read, Ok(response), "an answer that can be read");
    "request answered".to_owned()
}

fn tell_device(world: &World, exchange: &Exchange, response: &Response) -> String {
    let before = &exchange.device_before;
    let mut device = world.open(exchange.device, before);
    device.request().expect("a request");
    let fresh = InstallationId([98; 8]);
    let received = match device.receive(response, NOW, fresh) {
        Ok(received) => received,
        Err(error) => return format!("response refused: {}", in_general(&error.to_string())),
    };
    let mut kept = before.clone();
    kept.apply(received.writes);
    let held = device.keyspace();
    check_same(&truth(&kept), &truth(held), "what is taken is handed out");
    check_same(&rebuilt(held), held, "derived again from the truth");
    check_signed(world, &kept);
    check_records(world, &kept);
    let mut again = world.open(exchange.device, &kept);
    for subject in again.subjects().expect("reads").values() {
        check_saved(again.load(subject).expect("what is accepted loads"));
    }
    "response taken".to_owned()
}

/// The message without the identities in it.
fn in_general(text: &str) -> String {
    let words = text.split(' ').filter(|word| word.len() < 32);
    words.collect::<Vec<_>>().join(" ")
}

/// Every part in a log was signed by a device of the province, byte for byte.
pub(crate) fn check_signed(world: &World, keyspace: &MemoryKeyspace) {
    let reader = LogReader(keyspace);
    for position in 1..=reader.end().expect("reads") {
        let Some(entry) = reader.entry(position).expect("reads") else {
            continue;
        };
        let key = world.catalogue.key(entry.part.header().key);
        let key = key.expect("a device of the province").public_key;
        assert!(entry.part.verify(&key).is_ok(), "nobody signed this");
    }
}

/// The catalogue kept is a beginning of the province's.
pub(crate) fn check_records(world: &World, keyspace: &MemoryKeyspace) {
    let to = keys::after(keys::CATALOGUE);
    let kept = keyspace.scan(&[keys::CATALOGUE], &to, usize::MAX);
    let expected = world.records.iter().zip(1..).map(|(record, number)| Write {
        key: keys::catalogue(number),
        value: Some(record.encode()),
    });
    for ((key, value), write) in kept.expect("reads").into_iter().zip(expected) {
        assert_eq!(
            Write {
                key,
                value: Some(value)
            },
            write,
            "a record that the province did not sign"
        );
    }
}

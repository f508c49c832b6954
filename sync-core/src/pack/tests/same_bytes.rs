//! Properties: what goes in comes out, on any ground both sides share; elsewhere nothing comes out.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::world::{NOW, World, sealed, subject};
use crate::batch::SignedPart;
use crate::cell::CellValue;
use crate::document::{Capacity, Edit, Entry, SignOff, Statement};
use crate::limits;
use crate::log::{Follow, LogReader};
use crate::pack::{Ground, Shared, Signatures, Timed, Trouble, pack, try_pack, try_unpack, unpack};
use crate::sync::Device;

#[derive(Debug, Clone)]
enum Typed {
    Cell(u8, CellValue),
    Note(u8, Option<String>),
    Version(u32),
    Narrative(u8, String),
    SignOff(String),
    Attachment(u8, Option<u8>),
}

#[derive(Debug, Clone)]
enum Step {
    Work {
        device: usize,
        documents: Vec<(u16, Vec<(Typed, i8)>)>,
    },
    Exchange {
        device: usize,
    },
}

fn typed() -> impl Strategy<Value = Typed> {
    let value = prop_oneof![
        4 => any::<i64>().prop_map(|one| CellValue::Number((one >> 30).into())),
        1 => any::<i64>().prop_map(|one| CellValue::Number(one.into())),
        1 => "[a-zăâđêôơư ]{0,20}".prop_map(CellValue::Text),
        1 => Just(CellValue::Empty),
        1 => Just(CellValue::NoOccurrence),
    ];
    prop_oneof![
        8 => (0..6u8, value).prop_map(|(code, value)| Typed::Cell(code, value)),
        3 => (0..6u8, proptest::option::of("[a-zăâđêôơư ]{0,30}"))
            .prop_map(|(code, note)| Typed::Note(code, note)),
        1 => (1..4u32).prop_map(Typed::Version),
        3 => (0..2u8, "[a-zăâđêôơư ]{0,12}").prop_map(|(at, text)| Typed::Narrative(at, text)),
        1 => "[a-z]{0,8}".prop_map(Typed::SignOff),
        1 => (0..3u8, proptest::option::of(0..9u8)).prop_map(|(at, size)| Typed::Attachment(at, size)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let edits = proptest::collection::vec((typed(), any::<i8>()), 1..8);
    let documents = proptest::collection::vec((0..3u16, edits), 1..4);
    prop_oneof![
        3 => (0..3usize, documents).prop_map(|(device, documents)| Step::Work { device, documents }),
        2 => (0..3usize).prop_map(|device| Step::Exchange { device }),
    ]
}

struct Peer {
    device: Device,
    unsent: Vec<SignedPart>,
    read: u64,
}

struct Field {
    world: World,
    peers: Vec<Peer>,
    now: i64,
}

impl Field {
    fn new() -> Self {
        let world = World::new(3, 3, &["bao-cao"]);
        let peer = |person| Peer {
            device: world.device(person),
            unsent: Vec::new(),
            read: 0,
        };
        let peers = (0..3).map(peer).collect();
        Self {
            world,
            peers,
            now: NOW,
        }
    }

    fn work(&mut self, device: usize, documents: &[(u16, Vec<(Typed, i8)>)]) {
        let peer = &mut self.peers[device];
        let mut work = Vec::new();
        for (unit, edits) in documents {
            let subject = subject("bao-cao", *unit, "2026");
            let mut all = Vec::new();
            for (typed, after) in edits {
                self.now += i64::from(*after);
                let entry = entry(typed, &mut peer.device, &subject);
                all.push(Edit {
                    entry,
                    typed_at: self.now,
                });
            }
            work.push((subject, all));
        }
        self.now += 1;
        let parts = sealed(&mut peer.device, &work, self.now);
        peer.unsent.extend(parts);
    }

    /// A request and its answer, each packed and rebuilt.
    fn exchange(&mut self, device: usize) {
        let peer = &mut self.peers[device];
        let unsent: Vec<Timed> = peer.unsent.drain(..).map(|part| (0, part)).collect();
        let reader = peer.device.log();
        let waiting = unsent.iter().map(|(_, part)| {
            let place = reader.part(part.id()).unwrap().unwrap();
            let crate::log::staging::PartPlace::Accepted(position) = place else {
                panic!("held")
            };
            position
        });
        let at_device = side(&peer.device, waiting.collect());
        let at_node = node(&self.world, peer.read, None);
        same(&at_device, &at_node, &unsent);
        let parts: Vec<_> = unsent.into_iter().map(|(_, part)| part).collect();
        self.now += 1;
        self.world.accept(&parts, self.now);
        let own = peer.device.sealer().actor();
        let mut news = self.world.feed(peer.read);
        news.retain(|(_, part)| part.actor() != own);
        let at_node = node(&self.world, peer.read, Some(own));
        same(&at_node, &side(&peer.device, BTreeSet::new()), &news);
        let parts: Vec<_> = news.into_iter().map(|(_, part)| part).collect();
        peer.device.take_for_test(&parts, self.now);
        peer.read = LogReader(&self.world.keyspace).end().unwrap();
    }
}

fn entry(typed: &Typed, device: &mut Device, subject: &crate::document::Subject) -> Entry {
    match typed.clone() {
        Typed::Cell(code, value) => Entry::Cell {
            code: format!("c{code}"),
            value,
        },
        Typed::Note(code, text) => Entry::Note {
            code: format!("c{code}"),
            text,
        },
        Typed::Version(version) => Entry::TemplateVersion(version),
        Typed::Narrative(section, text) => Entry::NarrativeText {
            section: format!("muc-{section}"),
            text,
        },
        Typed::SignOff(reason) => Entry::SignOff {
            key: device.sealer().key_id(),
            sign_off: SignOff {
                statement: Statement::Signed,
                capacity: Capacity::Own,
                heads: device.load(subject).unwrap().heads(),
                reason,
            },
        },
        Typed::Attachment(blob, size) => Entry::Attachment {
            blob: [blob; 32],
            metadata: size.map(|size| format!("{{\"size\":{size}}}")),
        },
    }
}

fn side(device: &Device, without: BTreeSet<u64>) -> Ground<'_> {
    Ground {
        keyspace: device.keyspace(),
        names: device.catalogue().names(),
        shared: Shared::Without(without),
    }
}

fn node(world: &World, position: u64, own: Option<crate::identity::ActorId>) -> Ground<'_> {
    let follow = Follow::All;
    Ground {
        keyspace: &world.keyspace,
        names: world.catalogue.names(),
        shared: Shared::Through {
            position,
            own,
            follow,
        },
    }
}

/// Every change was told operation by operation, and all came out as it went in.
fn same(from: &Ground<'_>, to: &Ground<'_>, parts: &[Timed]) {
    let packed = pack(from, parts).unwrap().expect("within the limits");
    let rebuilt = unpack(to, &packed).unwrap();
    assert_eq!(rebuilt.as_deref(), Some(parts));
    let raw: usize = parts.iter().map(|(_, part)| part.encode().len()).sum();
    assert!(packed.len() <= 64 + raw, "{} of {raw}", packed.len());
}

fn played(steps: &[Step]) -> Field {
    let mut field = Field::new();
    for step in steps {
        match step {
            Step::Work { device, documents } => field.work(*device, documents),
            Step::Exchange { device } => field.exchange(*device),
        }
    }
    for device in [0, 1, 2, 0, 1] {
        field.exchange(device);
    }
    field
}

fn nothing(world: &World) -> Ground<'_> {
    Ground {
        keyspace: &world.keyspace,
        names: world.catalogue.names(),
        shared: Shared::Nothing,
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 1..10)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_packed_is_rebuilt_byte_for_byte(
        steps in steps(), from in 0..8usize, unit in 0..3u16, holes: u16,
    ) {
        let field = played(&steps);
        let all = field.world.feed(0);
        let ground = nothing(&field.world);
        same(&ground, &ground, &all);
        // Some of it, with parts of batches missing.
        let some: Vec<Timed> = all.iter().skip(from).cloned().collect();
        same(&ground, &ground, &some);
        let of_unit = |(_, part): &&Timed| part.part().partition.unit == super::world::unit_id(unit);
        let some: Vec<Timed> = all.iter().filter(of_unit).cloned().collect();
        same(&ground, &ground, &some);
        let some = (0..).zip(&all).filter(|(at, _)| (holes >> (at % 16)) & 1 == 1);
        let some: Vec<Timed> = some.map(|(_, one)| one.clone()).collect();
        same(&ground, &ground, &some);
    }

    /// Whoever holds something else than was thought gets what was packed, or nothing.
    #[test]
    fn on_another_ground_nothing_else_comes_out(steps in steps(), from in 0..12u64, other in 0..12u64) {
        let field = played(&steps);
        let parts = field.world.feed(from);
        let packed = pack(&node(&field.world, from, None), &parts).unwrap().unwrap();
        for shared in [
            node(&field.world, other, None).shared,
            Shared::Nothing,
            Shared::Without(BTreeSet::from([other])),
        ] {
            let ground = Ground { shared, ..nothing(&field.world) };
            let rebuilt = unpack(&ground, &packed).unwrap();
            prop_assert!(rebuilt.is_none_or(|rebuilt| rebuilt == parts));
        }
        let empty = World::new(0, 0, &[]);
        let rebuilt = unpack(&node(&empty, from, None), &packed).unwrap();
        prop_assert!(rebuilt.is_none_or(|rebuilt| rebuilt == parts));
    }

    /// Hostile bytes end in a refusal or in parts of the right form and size, never in a panic.
    #[test]
    fn hostile_bytes_stay_within_the_limits(
        steps in steps(),
        mutants in proptest::collection::vec(
            (any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..200),
        noise in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let field = played(&steps);
        let parts = field.world.feed(0);
        let ground = node(&field.world, 3, None);
        let packed = pack(&ground, &parts).unwrap().unwrap();
        let mut hostile = vec![noise];
        for (at, byte, cut) in mutants {
            let mut mutant = packed.clone();
            let at = at.index(mutant.len());
            mutant[at] ^= byte;
            if cut {
                mutant.truncate(at + 1);
            }
            hostile.push(mutant);
        }
        for mutant in hostile {
            if let Ok(rebuilt) = try_unpack(&ground, &mutant, Signatures::Carried) {
                let bytes: usize = rebuilt.iter().map(|(_, part)| part.encode().len()).sum();
                prop_assert!(bytes <= limits::UNPACKED_BYTES_MAX);
                prop_assert!(mutant == packed || rebuilt != parts || mutant[..8] == packed[..8]);
            }
        }
    }
}

/// Bits that are almost free, or make no sense, do not become anything.
#[test]
fn noise_is_refused() {
    let world = World::new(1, 1, &["bao-cao"]);
    let ground = nothing(&world);
    for byte in [0x00, 0x01, 0x55, 0x7f, 0x80, 0xaa, 0xfe, 0xff] {
        for length in [9, 100, 10_000] {
            assert!(try_unpack(&ground, &vec![byte; length], Signatures::Carried).is_err());
        }
    }
    let long = vec![0; limits::FRAME_BYTES_MAX + 1];
    assert_eq!(
        try_unpack(&ground, &long, Signatures::Carried),
        Err(Trouble::Limit("bytes of a packing"))
    );
}

/// A part that is no honest one's work travels all the same: what cannot be told is sent as it is.
#[test]
fn what_cannot_be_taken_apart_travels_as_it_is() {
    let mut field = Field::new();
    let cell = Typed::Cell(1, CellValue::Number(7.into()));
    field.work(0, &[(1, vec![(cell, 1)])]);
    let part = field.peers[0].unsent[0].clone();
    let mut bytes = part.encode();
    // The last byte belongs to the change: it is no longer canonical, nor the one that is named.
    *bytes.last_mut().unwrap() ^= 0x40;
    let damaged = SignedPart::decode(&bytes).unwrap();
    let ground = nothing(&field.world);
    let parts = [(5, part), (7, damaged)];
    let packed = try_pack(&ground, &parts, Signatures::Carried).unwrap();
    assert_eq!(
        try_unpack(&ground, &packed, Signatures::Carried).as_deref(),
        Ok(parts.as_slice())
    );
}

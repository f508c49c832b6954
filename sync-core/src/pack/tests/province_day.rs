//! The province day in bytes: 500 documents of 60 cells, a day's work apart, and what it packs to.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{NOW, World, sealed, subject};
use crate::batch::SignedPart;
use crate::cell::CellValue;
use crate::document::{Edit, Entry, Subject};
use crate::log::Follow;
use crate::pack::{Ground, Shared, Timed, pack, pack_records, unpack, unpack_records};
use crate::sync::Device;

/// The generator that the measurements of other engines were made with.
struct Mulberry(u32);

impl Mulberry {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x6d2b_79f5);
        let mut t = (self.0 ^ (self.0 >> 15)).wrapping_mul(1 | self.0);
        t = t.wrapping_add((t ^ (t >> 7)).wrapping_mul(61 | t)) ^ t;
        f64::from(t ^ (t >> 14)) / 4_294_967_296.0
    }
    fn below(&mut self, count: usize) -> usize {
        (self.next() * count as f64) as usize
    }
    fn chars(&mut self, count: usize) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..count)
            .map(|_| char::from(LETTERS[self.below(LETTERS.len())]))
            .collect()
    }
    fn pick(&mut self, count: usize, max: usize, not: &BTreeSet<usize>) -> Vec<usize> {
        let mut picked = Vec::new();
        while picked.len() < count {
            let one = self.below(max);
            if !not.contains(&one) && !picked.contains(&one) {
                picked.push(one);
            }
        }
        picked
    }
}

const WORDS: &str = "late report checked by phone clinic closed stock out recount from ward book \
    estimate not final new nurse fuel shortage measles flood road cut see page two outreach team \
    cold chain ok";

#[derive(Debug, Clone)]
struct Cell {
    value: i64,
    note: String,
    at: i64,
}

struct Doc {
    by: usize,
    form: usize,
    period: String,
    cells: Vec<Cell>,
}

struct Workload {
    docs: Vec<Doc>,
    tablet: Vec<(usize, usize, Cell)>,
    server: Vec<(usize, usize, Cell)>,
    rng: Mulberry,
    time: i64,
}

fn cell(rng: &mut Mulberry, time: &mut i64) -> Cell {
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let value = rng.below(10_000) as i64;
    let length = rng.below(21);
    let mut note = String::new();
    while note.len() < length {
        if !note.is_empty() {
            note.push(' ');
        }
        note.push_str(words[rng.below(words.len())]);
    }
    note.truncate(length);
    *time += 1 + rng.below(90) as i64;
    Cell {
        value,
        note,
        at: *time,
    }
}

fn workload() -> Workload {
    let mut rng = Mulberry(20_260_101);
    for _ in 0..200 {
        rng.chars(8);
    }
    for _ in 0..5 {
        rng.chars(11);
    }
    let mut time = 1_767_225_600;
    let docs: Vec<Doc> = (0..500)
        .map(|_| {
            let by = rng.below(200);
            let cells = (0..60).map(|_| cell(&mut rng, &mut time)).collect();
            let form = rng.below(5);
            rng.chars(11);
            let period = format!("2026-{:02}", 1 + rng.below(12));
            rng.below(2);
            Doc {
                by,
                form,
                period,
                cells,
            }
        })
        .collect();
    let none = BTreeSet::new();
    let tablet_docs = rng.pick(30, 500, &none);
    let shared: Vec<usize> = tablet_docs[..10].to_vec();
    let mut server_docs = shared.clone();
    server_docs.extend(rng.pick(30, 500, &tablet_docs.iter().copied().collect()));
    let mut of_tablet = BTreeMap::new();
    for doc in &tablet_docs {
        of_tablet.insert(*doc, rng.pick(20, 60, &none));
    }
    let mut of_server = BTreeMap::new();
    for doc in &server_docs {
        let cells = match shared.contains(doc) {
            false => rng.pick(20, 60, &none),
            true => {
                let mine = &of_tablet[doc];
                let not = mine.iter().copied().collect();
                let mut cells = mine[..5].to_vec();
                cells.extend(rng.pick(15, 60, &not));
                cells
            }
        };
        of_server.insert(*doc, cells);
    }
    let mut edits = |docs: &[usize], of: &BTreeMap<usize, Vec<usize>>| -> Vec<_> {
        docs.iter()
            .flat_map(|doc| of[doc].iter().map(|key| (*doc, *key)))
            .map(|(doc, key)| (doc, key, cell(&mut rng, &mut time)))
            .collect()
    };
    let tablet = edits(&tablet_docs, &of_tablet);
    let server = edits(&server_docs, &of_server);
    Workload {
        docs,
        tablet,
        server,
        rng,
        time,
    }
}

const FORMS: [&str; 5] = [
    "bao-cao-1",
    "bao-cao-2",
    "bao-cao-3",
    "bao-cao-4",
    "bao-cao-5",
];

fn subject_of(work: &Workload, doc: usize) -> Subject {
    let about = &work.docs[doc];
    subject(FORMS[about.form], doc as u16, &about.period)
}

fn typed(key: usize, cell: &Cell) -> [Edit; 2] {
    let code = format!("c{key:02}");
    let value = CellValue::Number(cell.value.into());
    let entries = [
        Entry::Cell {
            code: code.clone(),
            value,
        },
        Entry::Note {
            code,
            text: Some(cell.note.clone()),
        },
    ];
    entries.map(|entry| Edit {
        entry,
        typed_at: cell.at,
    })
}

/// The edits of each document, in the order in which documents were taken up.
fn by_document(work: &Workload, edits: &[(usize, usize, Cell)]) -> Vec<(Subject, Vec<Edit>)> {
    let mut documents: Vec<(usize, Vec<Edit>)> = Vec::new();
    for (doc, key, cell) in edits {
        let edits = typed(*key, cell);
        match documents.last_mut() {
            Some((last, all)) if last == doc => all.extend(edits),
            Some(_) | None => documents.push((*doc, edits.to_vec())),
        }
    }
    let subject = |(doc, edits)| (subject_of(work, doc), edits);
    documents.into_iter().map(subject).collect()
}

fn raw(parts: &[Timed]) -> usize {
    parts.iter().map(|(_, part)| part.encode().len()).sum()
}

/// Packs, and sees that it comes out as it went in.
fn measured(from: &Ground<'_>, to: &Ground<'_>, parts: &[Timed]) -> usize {
    let packed = pack(from, parts).unwrap().unwrap();
    let rebuilt = unpack(to, &packed).unwrap();
    assert_eq!(rebuilt.as_deref(), Some(parts));
    packed.len()
}

fn nothing<'a>(world: &'a World) -> Ground<'a> {
    Ground {
        keyspace: &world.keyspace,
        names: world.catalogue.names(),
        shared: Shared::Nothing,
    }
}

fn device_side(device: &Device) -> Ground<'_> {
    Ground {
        keyspace: device.keyspace(),
        names: device.catalogue().names(),
        shared: Shared::Without(BTreeSet::new()),
    }
}

/// What is told of where the two sides stand.
fn node_side<'a>(world: &'a World, position: u64, device: &Device) -> Ground<'a> {
    Ground {
        keyspace: &world.keyspace,
        names: world.catalogue.names(),
        shared: Shared::Through {
            position,
            own: Some(device.sealer().actor()),
            follow: Follow::All,
        },
    }
}

fn timed(parts: &[SignedPart]) -> Vec<Timed> {
    parts.iter().map(|part| (0, part.clone())).collect()
}

/// A device that has read everything.
fn reader(world: &World, person: u16) -> Device {
    let mut device = world.device(person);
    let parts: Vec<_> = world.feed(0).into_iter().map(|(_, part)| part).collect();
    device.take_for_test(&parts, NOW);
    device
}

#[test]
fn the_province_day_packs_to_less_than_its_bounds() {
    let mut work = workload();
    let mut world = World::new(500, 200, &FORMS);
    let mut authors: BTreeMap<usize, Device> = BTreeMap::new();
    for doc in 0..work.docs.len() {
        let about = &work.docs[doc];
        let edits: Vec<Edit> = (0..60)
            .flat_map(|key| typed(key, &about.cells[key]))
            .collect();
        let last = about.cells[59].at + 5;
        let author = authors
            .entry(about.by)
            .or_insert_with(|| world.device(about.by as u16));
        let parts = sealed(author, &[(subject_of(&work, doc), edits)], last);
        world.accept(&parts, last + 3);
    }
    let records = world.records();
    let packed = pack_records(&records).unwrap();
    let rebuilt = unpack_records((0, [0; 32]), &packed).unwrap();
    assert!(rebuilt == records, "what went in came out");
    let raw_records: usize = records.iter().map(|record| record.encode().len()).sum();
    println!(
        "{} records: {raw_records} raw, {} packed",
        records.len(),
        packed.len()
    );
    let base = world.feed(0);
    let mut first = 0;
    let pages = base.chunks(140);
    for page in pages {
        first += measured(&nothing(&world), &nothing(&world), page);
    }
    println!("A first sync: {} raw, {first} packed", raw(&base));

    let (mut tablet, mut clerk) = (reader(&world, 1), reader(&world, 2));
    let position = base.len() as u64;
    let up = sealed(&mut tablet, &by_document(&work, &work.tablet), NOW + 1);
    let down = sealed(&mut clerk, &by_document(&work, &work.server), NOW + 2);
    assert_eq!((up.len(), down.len()), (30, 40));
    world.accept(&down, NOW + 3);
    let up = timed(&up);
    let seen = node_side(&world, position, &tablet);
    let mut before = device_side(&tablet);
    before.shared = Shared::Without((position + 1..=position + 30).collect());
    let b_up = measured(&before, &seen, &up);
    let parts: Vec<_> = up.iter().map(|(_, part)| part.clone()).collect();
    world.accept(&parts, NOW + 4);
    let down: Vec<Timed> = world.feed(position).into_iter().take(40).collect();
    let seen = node_side(&world, position, &tablet);
    let b_down = measured(&seen, &device_side(&tablet), &down);
    println!("B tablet to server: {} raw, {b_up} packed", raw(&up));
    println!("B server to tablet: {} raw, {b_down} packed", raw(&down));

    let small = small_day(&mut work, &mut world);
    println!("small day: {} up, {} down", small.0, small.1);
    assert!(first <= 240_000, "{first}");
    assert!(b_up + b_down <= 17_000, "{b_up} + {b_down}");
    assert!(small.0 + small.1 <= 2_500, "{small:?}");
}

/// 30 documents changed on a tablet, 40 on the server, 5 of them the same: three values and a status.
fn small_day(work: &mut Workload, world: &mut World) -> (usize, usize) {
    let (mut tablet, mut clerk) = (reader(world, 3), reader(world, 4));
    let position = tablet.log().end().unwrap();
    let picked = work.rng.pick(65, 500, &BTreeSet::new());
    let mut edits = |docs: &[usize]| -> Vec<(Subject, Vec<Edit>)> {
        let mut all = Vec::new();
        for doc in docs {
            let mut edits = Vec::new();
            for key in work.rng.pick(3, 60, &BTreeSet::new()) {
                let cell = cell(&mut work.rng, &mut work.time);
                let [value, _] = typed(key, &cell);
                edits.push(value);
            }
            let status = ["draft", "submitted"][work.rng.below(2)];
            edits.push(Edit {
                entry: Entry::Cell {
                    code: "status".into(),
                    value: CellValue::Text(status.into()),
                },
                typed_at: work.time,
            });
            all.push((*doc, edits));
        }
        let subject = |(doc, edits)| (subject_of(work, doc), edits);
        all.into_iter().map(subject).collect()
    };
    let of_tablet = edits(&picked[..30]);
    let of_clerk = edits(&picked[25..]);
    let up = timed(&sealed(&mut tablet, &of_tablet, NOW + 11));
    let down = sealed(&mut clerk, &of_clerk, NOW + 12);
    world.accept(&down, NOW + 13);
    let mut before = device_side(&tablet);
    before.shared = Shared::Without((position + 1..=position + 30).collect());
    let b_up = measured(&before, &node_side(world, position, &tablet), &up);
    let parts: Vec<_> = up.iter().map(|(_, part)| part.clone()).collect();
    world.accept(&parts, NOW + 14);
    let down: Vec<Timed> = world.feed(position).into_iter().take(40).collect();
    let b_down = measured(
        &node_side(world, position, &tablet),
        &device_side(&tablet),
        &down,
    );
    (b_up, b_down)
}

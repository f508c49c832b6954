//! The province day: 500 documents of 60 cells and a day's edits on two sides, from one seed.
//!
//! The generator draws in the same order as the one the other products were measured with, so that every
//! product gets the same documents and the same edits; a test holds the whole of it to one hash.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};

/// The seed that the others were measured with.
pub const SEED: u32 = 20_260_101;

const DOCUMENTS: u32 = 500;
const CELLS: u32 = 60;
const TABLET_DOCUMENTS: usize = 30;
const SERVER_DOCUMENTS: usize = 40;
const SHARED_DOCUMENTS: usize = 10;
const EDITS: usize = 20;
const SAME_CELLS: usize = 5;
const PEOPLE: u32 = 200;
const FORMS: u32 = 5;

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const WORDS: [&str; 32] = [
    "late", "report", "checked", "by", "phone", "clinic", "closed", "stock", "out", "recount",
    "from", "ward", "book", "estimate", "not", "final", "new", "nurse", "fuel", "shortage",
    "measles", "flood", "road", "cut", "see", "page", "two", "outreach", "team", "cold", "chain",
    "ok",
];

/// What stands in a cell: who typed it is the author, `at` when, in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cell {
    /// The number.
    pub value: u32,
    /// A remark, perhaps empty.
    pub note: String,
    /// Who typed it.
    pub by: String,
    /// When.
    pub at: i64,
}

/// What a document is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    /// The form it is filled by.
    pub form: String,
    /// The unit it is about.
    pub org_unit: String,
    /// The month, as six digits.
    pub period: String,
    /// `draft` or `submitted`.
    pub status: &'static str,
}

/// One document of the base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paper {
    /// Its name.
    pub id: String,
    /// What it is about.
    pub meta: Meta,
    /// Its cells, `c00` to `c59`, in order.
    #[serde(serialize_with = "keyed")]
    pub cells: Vec<Cell>,
}

/// One edit of one cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CellEdit {
    /// The document, counted from 0.
    pub doc: usize,
    /// The cell.
    pub key: String,
    /// What it becomes.
    pub cell: Cell,
}

/// A cell that both sides edit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The document, counted from 0.
    pub doc: usize,
    /// The cell.
    pub key: String,
}

/// Everything of the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Workload {
    /// What both sides hold in the morning.
    pub docs: Vec<Paper>,
    /// What the tablet edits without a link.
    pub tablet_edits: Vec<CellEdit>,
    /// What somebody else edits meanwhile.
    pub server_edits: Vec<CellEdit>,
    /// The cells in both.
    pub conflicts: Vec<Place>,
}

/// The name of a cell.
pub fn key(cell: usize) -> String {
    format!("c{cell:02}")
}

fn keyed<S: Serializer>(cells: &[Cell], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(
        cells
            .iter()
            .enumerate()
            .map(|(index, cell)| (key(index), cell)),
    )
}

/// The generator known as mulberry32, and the clock of the day.
struct Draws {
    state: u32,
    clock: i64,
}

impl Draws {
    fn next(&mut self) -> u32 {
        self.state = self.state.wrapping_add(0x6d2b_79f5);
        let state = self.state;
        let mut mixed = (state ^ (state >> 15)).wrapping_mul(1 | state);
        mixed ^= mixed.wrapping_add((mixed ^ (mixed >> 7)).wrapping_mul(61 | mixed));
        mixed ^ (mixed >> 14)
    }

    /// A number below `below`.
    fn below(&mut self, below: u32) -> u32 {
        // As the others drew it: a fraction of 2^32, times the bound, rounded down.
        ((u64::from(self.next()) * u64::from(below)) >> 32) as u32
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let index = self.below(all.len() as u32);
        all.get(index as usize)
    }

    fn letters(&mut self, count: usize) -> String {
        (0..count)
            .filter_map(|_| self.one_of(LETTERS).copied().map(char::from))
            .collect()
    }

    fn note(&mut self) -> String {
        let length = self.below(21) as usize;
        let mut note = String::new();
        while note.len() < length {
            if !note.is_empty() {
                note.push(' ');
            }
            note.push_str(self.one_of(&WORDS).copied().unwrap_or_default());
        }
        note.truncate(length);
        note
    }

    fn cell(&mut self, by: &str) -> Cell {
        let (value, note) = (self.below(10_000), self.note());
        self.clock += 1 + i64::from(self.below(90));
        Cell {
            value,
            note,
            by: by.to_owned(),
            at: self.clock,
        }
    }

    /// Different numbers below `below`, none of `not`, in the order drawn.
    fn pick(&mut self, count: usize, below: u32, not: &[usize]) -> Vec<usize> {
        let mut picked: Vec<usize> = Vec::with_capacity(count);
        while picked.len() < count {
            let drawn = self.below(below) as usize;
            if !not.contains(&drawn) && !picked.contains(&drawn) {
                picked.push(drawn);
            }
        }
        picked
    }

    fn paper(&mut self, index: u32, people: &[String], forms: &[String]) -> Paper {
        let by = self.one_of(people).cloned().unwrap_or_default();
        let cells = (0..CELLS).map(|_| self.cell(&by)).collect();
        let form = self.one_of(forms).cloned().unwrap_or_default();
        Paper {
            id: format!("doc{index:04}"),
            cells,
            meta: Meta {
                form,
                org_unit: self.letters(11),
                period: format!("2026{:02}", 1 + self.below(12)),
                status: self
                    .one_of(&["draft", "submitted"])
                    .copied()
                    .unwrap_or_default(),
            },
        }
    }

    fn edits(&mut self, cells: &[(usize, Vec<usize>)], by: &str) -> Vec<CellEdit> {
        let mut edits = Vec::new();
        for (doc, keys) in cells {
            for cell in keys {
                edits.push(CellEdit {
                    doc: *doc,
                    key: key(*cell),
                    cell: self.cell(by),
                });
            }
        }
        edits
    }
}

impl Workload {
    /// The day of a seed.
    pub fn of(seed: u32) -> Self {
        let mut draws = Draws {
            state: seed,
            clock: 1_767_225_600,
        };
        let people: Vec<String> = (0..PEOPLE).map(|_| draws.letters(8)).collect();
        let forms: Vec<String> = (0..FORMS).map(|_| draws.letters(11)).collect();
        let docs = (0..DOCUMENTS)
            .map(|index| draws.paper(index, &people, &forms))
            .collect();
        let tablet = draws.pick(TABLET_DOCUMENTS, DOCUMENTS, &[]);
        let shared: Vec<usize> = tablet.iter().copied().take(SHARED_DOCUMENTS).collect();
        let mut server = shared.clone();
        server.extend(draws.pick(SERVER_DOCUMENTS - SHARED_DOCUMENTS, DOCUMENTS, &tablet));
        let tablet_cells: Vec<(usize, Vec<usize>)> = tablet
            .into_iter()
            .map(|doc| (doc, draws.pick(EDITS, CELLS, &[])))
            .collect();
        let server_cells: Vec<(usize, Vec<usize>)> = server
            .into_iter()
            .map(|doc| {
                let own = tablet_cells.iter().find(|(at, _)| *at == doc);
                let Some((_, own)) = own.filter(|_| shared.contains(&doc)) else {
                    return (doc, draws.pick(EDITS, CELLS, &[]));
                };
                let mut cells: Vec<usize> = own.iter().copied().take(SAME_CELLS).collect();
                cells.extend(draws.pick(EDITS - SAME_CELLS, CELLS, own));
                (doc, cells)
            })
            .collect();
        let by = |index: usize| people.get(index).map_or("", String::as_str);
        let tablet_edits = draws.edits(&tablet_cells, by(1));
        let server_edits = draws.edits(&server_cells, by(2));
        let in_both = |doc: &&(usize, Vec<usize>)| shared.contains(&doc.0);
        let conflicts = tablet_cells
            .iter()
            .filter(in_both)
            .flat_map(|(doc, cells)| {
                let same = cells.iter().take(SAME_CELLS);
                same.map(|cell| Place {
                    doc: *doc,
                    key: key(*cell),
                })
            });
        Self {
            docs,
            conflicts: conflicts.collect(),
            tablet_edits,
            server_edits,
        }
    }

    /// Everybody who typed something, ascending.
    pub fn people(&self) -> BTreeSet<&str> {
        let edits = self.tablet_edits.iter().chain(&self.server_edits);
        let edits = edits.map(|edit| &edit.cell);
        let base = self.docs.iter().flat_map(|paper| &paper.cells);
        base.chain(edits).map(|cell| cell.by.as_str()).collect()
    }

    /// The *small day*: 30 documents changed here and 40 there, 5 of them in both, three cells and the
    /// status each, by the same two people. Documents are those of the large day, cells its first ones.
    pub fn small(&self) -> (Vec<CellEdit>, Vec<CellEdit>) {
        let documents = |edits: &[CellEdit]| -> Vec<usize> {
            let mut seen = Vec::new();
            for edit in edits {
                if seen.last() != Some(&edit.doc) {
                    seen.push(edit.doc);
                }
            }
            seen
        };
        let (tablet, server) = (documents(&self.tablet_edits), documents(&self.server_edits));
        let shared: BTreeSet<usize> = tablet.iter().copied().take(SMALL_SHARED).collect();
        let elsewhere = server.iter().filter(|doc| !tablet.contains(doc)).copied();
        let more =
            (0..self.docs.len()).filter(|doc| !tablet.contains(doc) && !server.contains(doc));
        let other: BTreeSet<usize> = elsewhere
            .chain(more)
            .take(SERVER_DOCUMENTS - SMALL_SHARED)
            .chain(shared)
            .collect();
        // The first cells that were drawn for a document, so that none is there twice.
        let small = |edits: &[CellEdit], documents: &mut dyn Iterator<Item = usize>| {
            let mut made = Vec::new();
            for (doc, drawn) in documents.zip(edits.chunks(EDITS)) {
                for edit in drawn.iter().take(SMALL_CELLS) {
                    let (key, cell) = (edit.key.clone(), edit.cell.clone());
                    made.push(CellEdit { doc, key, cell });
                }
            }
            made
        };
        (
            small(&self.tablet_edits, &mut tablet.into_iter()),
            small(&self.server_edits, &mut other.into_iter()),
        )
    }
}

/// Documents that both sides change on the small day.
pub const SMALL_SHARED: usize = 5;

/// Cells of one change of the small day.
pub const SMALL_CELLS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn it_is_the_day_that_the_others_were_measured_with() {
        let text = serde_json::to_vec(&Workload::of(SEED)).unwrap();
        let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(&text));
        let expected = "893fa99174c1035c0be423c356f24adaaff8dadfd11956c23035bd2fb4c1b024";
        assert_eq!(hash, expected);
        let other = serde_json::to_vec(&Workload::of(SEED + 1)).unwrap();
        assert_ne!(text, other, "the seed counts");
    }

    #[test]
    fn the_small_day_changes_thirty_and_forty_documents_and_five_in_both() {
        let (tablet, server) = Workload::of(SEED).small();
        let of = |edits: &[CellEdit]| edits.iter().map(|edit| edit.doc).collect::<BTreeSet<_>>();
        let (here, there) = (of(&tablet), of(&server));
        assert_eq!((here.len(), there.len()), (30, 40));
        assert_eq!(here.intersection(&there).count(), SMALL_SHARED);
        assert_eq!((tablet.len(), server.len()), (90, 120));
        for edits in [tablet, server] {
            let cells: BTreeSet<_> = edits.iter().map(|edit| (edit.doc, &edit.key)).collect();
            assert_eq!(cells.len(), edits.len(), "no cell twice");
        }
    }
}

//! What an onlooker who sees everything knows: what was typed, what was promised, and where it is.

use std::collections::{BTreeMap, BTreeSet};

use sync_core::batch::SignedPart;
use sync_core::cell::CellValue;
use sync_core::gate;
use sync_core::identity::{ActorId, DocumentId, KeyId, PartId};
use sync_core::log::{LogEntry, Write, keys};

use crate::violation::{Checked, must};

/// Every edit has a number, which travels in the low bits of the time it claims to be typed at.
const EDIT_BITS: i64 = 0xf_ffff;

/// The number in a claimed time.
pub fn edit_of(claimed_at: i64) -> u32 {
    u32::try_from(claimed_at & EDIT_BITS).unwrap_or(0)
}

/// A claimed time with a number in it.
pub fn claim(clock: i64, edit: u32) -> i64 {
    (clock & !EDIT_BITS) | (i64::from(edit) & EDIT_BITS)
}

/// One edit.
#[derive(Debug, Clone)]
pub struct Typed {
    /// Whose tablet.
    pub tablet: usize,
    /// The document.
    pub document: DocumentId,
    /// The cell and its new value; none for notes and texts.
    pub cell: Option<(String, CellValue)>,
    /// Edits of the same cell that its author could see.
    pub seen: BTreeSet<u32>,
    /// The person was told that it is saved.
    pub saved: bool,
    /// It was saved on a folder that was replaced by an older one before anybody else had it.
    pub forgotten: bool,
    /// Its author's folder was replaced while the node held it as evidence of a fork: it can be
    /// found, but nobody is left to say it again.
    pub evidence: bool,
}

/// One part that somebody sealed.
#[derive(Debug, Clone)]
pub struct KnownPart {
    /// The edits in it.
    pub edits: Vec<u32>,
    /// Its chain.
    pub actor: ActorId,
    /// Its batch's number.
    pub number: u64,
    /// Sealed by an honest tablet.
    pub honest: bool,
}

/// The onlooker's book.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Edits by number, from 1.
    pub typed: BTreeMap<u32, Typed>,
    /// Parts that were sealed durably.
    pub parts: BTreeMap<PartId, KnownPart>,
    /// Parts that the node has promised to keep.
    pub promised: BTreeSet<PartId>,
    /// Promised parts that the node lost with an older folder and must get back.
    pub awaited: BTreeSet<PartId>,
    /// Parts that an edge set aside, since the province had accepted another branch: their authors say
    /// them again.
    pub aside: BTreeSet<PartId>,
    /// Restarts from an older folder of the node so far.
    pub node_restores: usize,
}

impl Ledger {
    /// The number of the next edit.
    pub fn next_edit(&self) -> u32 {
        self.typed.last_key_value().map_or(1, |(last, _)| last + 1)
    }

    /// Notes the parts that a tablet with this key sealed among its writes, under whatever installation.
    pub fn learn(&mut self, key: KeyId, writes: &[Write]) -> Checked<()> {
        for write in writes {
            if let (Some(&keys::LOG), Some(value)) = (write.key.first(), &write.value) {
                let entry = must("log-entry", LogEntry::decode(value))?;
                let part = entry.part.id();
                if entry.part.header().key == key && !self.parts.contains_key(&part) {
                    self.learn_part(&entry.part, true)?;
                }
            }
        }
        Ok(())
    }

    /// Notes a part.
    pub fn learn_part(&mut self, part: &SignedPart, honest: bool) -> Checked<()> {
        let mut edits = Vec::new();
        for bytes in part.changes() {
            if let Ok(change) = gate::decode(bytes) {
                edits.extend(change.typed_at.iter().map(|claimed| edit_of(*claimed)));
            }
        }
        edits.sort_unstable();
        edits.dedup();
        let known = KnownPart {
            edits,
            actor: part.actor(),
            number: part.header().number,
            honest,
        };
        self.parts.insert(part.id(), known);
        Ok(())
    }

    /// The edits in a set of parts.
    pub fn edits_in<'a>(&self, parts: impl IntoIterator<Item = &'a PartId>) -> BTreeSet<u32> {
        let known = parts.into_iter().filter_map(|part| self.parts.get(part));
        known.flat_map(|part| part.edits.iter().copied()).collect()
    }
}

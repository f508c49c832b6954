//! Processes that end, folders that are copied and put back, clocks that jump, and hostile parts.

use sync_core::batch::{Sealer, SignedPart};
use sync_core::document::Subject;
use sync_core::document::root::Table;
use sync_core::gate::{self, Action, ChangeContent, Key, Op, Value};
use sync_core::identity::InstallationId;

use crate::durable::End;
use crate::forge::{self, Side};
use crate::invariants;
use crate::operations::{Attack, Place};
use crate::violation::Checked;
use crate::world::World;

impl World {
    /// A process ends.
    pub(crate) fn end(&mut self, place: Place, how: End) -> Checked<()> {
        match place {
            Place::Node => self.node.end(how),
            Place::Edge(edge) => {
                let edge = self.edge(edge)?;
                edge.forget_the_round();
                edge.node.end(how);
            }
            Place::Tablet(tablet) => self.tablet(tablet)?.end(how),
        }
        Ok(())
    }

    /// Somebody copies a folder; the process is started first if it was down, so that the copy is of
    /// a folder that was in use.
    pub(crate) fn copy(&mut self, place: Place) -> Checked<()> {
        self.start(place)?;
        match place {
            Place::Node => self.node.copy = Some(self.node.durable.image()),
            Place::Edge(edge) => {
                let node = &mut self.edge(edge)?.node;
                node.copy = Some(node.durable.image());
            }
            Place::Tablet(tablet) => {
                let tablet = self.tablet(tablet)?;
                tablet.copy = Some(tablet.durable.image());
            }
        }
        Ok(())
    }

    /// Somebody puts a copy back in place of a folder.
    pub(crate) fn restore(&mut self, place: Place) -> Checked<()> {
        let before = invariants::edits_everywhere(self)?;
        match place {
            Place::Node => {
                let Some(copy) = self.node.copy.clone() else {
                    return Ok(());
                };
                self.node.end(End::Killed);
                self.node.durable.restore(&copy);
                self.ledger.node_restores += 1;
                let parts = &self.ledger.promised;
                self.ledger.awaited = parts.clone();
                self.node.start(&self.setting)?;
                let held = self.node.parts()?;
                self.ledger.awaited.retain(|part| !held.contains(part));
            }
            Place::Edge(number) => {
                let Some(copy) = self.edge(number)?.node.copy.clone() else {
                    return Ok(());
                };
                self.end(place, End::Killed)?;
                let edge = self.edge(number)?;
                edge.node.durable.restore(&copy);
                edge.awaited = edge.promised.clone();
                self.ledger.node_restores += 1;
                self.start(place)?;
                let edge = self.edge(number)?;
                let held = edge.node.parts()?;
                edge.awaited.retain(|part| !held.contains(part));
            }
            Place::Tablet(number) => {
                let tablet = self.tablet(number)?;
                let Some(copy) = tablet.copy.clone() else {
                    return Ok(());
                };
                tablet.end(End::Killed);
                tablet.durable.restore(&copy);
                tablet.copied_back = true;
                tablet.start()?;
            }
        }
        self.forget_what_is_gone(&before)
    }

    /// What only the replaced folder had is nobody's fault.
    fn forget_what_is_gone(&mut self, before: &std::collections::BTreeSet<u32>) -> Checked<()> {
        let now = invariants::edits_everywhere(self)?;
        for edit in before.difference(&now) {
            if let Some(typed) = self.ledger.typed.get_mut(edit) {
                typed.forgotten = true;
            }
        }
        let mut kept: std::collections::BTreeSet<_> =
            self.node.accepted()?.iter().map(SignedPart::id).collect();
        for edge in &self.edges {
            kept.extend(edge.node.accepted()?.iter().map(SignedPart::id));
        }
        let mut drafted = std::collections::BTreeSet::new();
        for tablet in &self.tablets {
            kept.extend(tablet.parts()?);
            drafted.extend(tablet.drafted());
        }
        let kept = self.ledger.edits_in(&kept);
        for (edit, typed) in &mut self.ledger.typed {
            typed.evidence |= !kept.contains(edit) && !drafted.contains(edit);
        }
        let mut offered = std::collections::BTreeSet::new();
        for tablet in &self.tablets {
            offered.extend(tablet.accepted_parts()?);
        }
        for edge in &self.edges {
            offered.extend(edge.node.accepted()?.iter().map(SignedPart::id));
        }
        self.ledger.awaited.retain(|part| offered.contains(part));
        let held = self.node.parts()?;
        let awaited = &self.ledger.awaited;
        self.ledger
            .promised
            .retain(|part| held.contains(part) || awaited.contains(part));
        // What an edge promised, and nobody has any more, only its replaced folder had.
        offered.extend(held);
        for edge in &mut self.edges {
            let own = edge.node.parts()?;
            edge.promised
                .retain(|part| own.contains(part) || offered.contains(part));
        }
        let tablets = self
            .tablets
            .iter()
            .filter_map(|tablet| tablet.device.as_ref());
        let known = tablets.map(|device| device.catalogue().last_number()).max();
        let edges = self.edges.iter();
        let known = known.max(edges.map(|edge| edge.node.catalogue.last_number()).max());
        self.catalogue_known = known.unwrap_or(0).max(self.node.catalogue.last_number());
        Ok(())
    }

    /// A clock jumps.
    pub(crate) fn jump(&mut self, place: Place, seconds: i64) -> Checked<()> {
        let offset = match place {
            Place::Node => &mut self.node.clock_offset,
            Place::Edge(edge) => &mut self.edge(edge)?.node.clock_offset,
            Place::Tablet(tablet) => &mut self.tablet(tablet)?.clock_offset,
        };
        // Back where it was as often as further away.
        *offset = if *offset == 0 { seconds } else { 0 };
        Ok(())
    }

    /// A hostile part is sent with the key of an enrolled person.
    pub(crate) fn attack(&mut self, number: usize, subject: usize, attack: Attack) -> Checked<()> {
        let Some(subject) = self.setting.subjects.get(subject).cloned() else {
            return Ok(());
        };
        self.start(Place::Node)?;
        let installation = InstallationId(self.dice.bytes());
        let (province, clock) = (self.setting.province(), self.node_clock());
        let sealer = Sealer {
            province,
            installation,
            key: self.tablet(number)?.key.clone(),
        };
        let mut side = Side::new(number, sealer, true);
        for part in self.hostile_parts(&mut side, &subject, attack, clock)? {
            side.waiting.push(part);
        }
        self.sides.push(side);
        self.push_side(self.sides.len() - 1)
    }

    fn hostile_parts(
        &mut self,
        side: &mut Side,
        subject: &Subject,
        attack: Attack,
        now: i64,
    ) -> Checked<Vec<SignedPart>> {
        let document = forge::document_in(&self.node.keyspace, subject)?;
        let puts = forge::cell_puts(&self.node.keyspace, subject.document_id())?;
        let code = self
            .dice
            .pick(&self.setting.codes)
            .cloned()
            .unwrap_or_default();
        let foreign: Vec<_> = puts.iter().filter(|put| put.code != code).collect();
        let target = self.dice.pick(&foreign).map(|put| put.id);
        let value = Value::Int(999_999);
        let op = |pred| forge::cell_op(&code, Action::Put, value.clone(), pred);
        let on = |side: &Side, op| forge::change_on(&document, &side.sealer, 0, op);
        let content: ChangeContent = match attack {
            Attack::ForeignPredecessor => match target {
                Some(target) => on(side, op(vec![target])),
                None => return Ok(Vec::new()),
            },
            Attack::Delete => {
                let standing = forge::standing(&puts, &code);
                on(
                    side,
                    forge::cell_op(&code, Action::Delete, Value::Null, standing),
                )
            }
            Attack::FarStart => {
                let mut content = on(side, op(Vec::new()));
                content.start_op += 1 + self.dice.below(1 << 29) as u64;
                content
            }
            Attack::Noise => {
                let (bytes, hash) = forge::noise(&self.dice.bytes::<64>());
                let part = side.seal_bytes(subject, bytes, hash, now)?;
                self.ledger.learn_part(&part, false)?;
                return Ok(vec![part]);
            }
            Attack::Fork => return self.forked_parts(side, subject, now),
            Attack::Signature => {
                let mut other = Side::new(side.tablet, side.sealer.clone(), true);
                other.sealer.key = ed25519_dalek::SigningKey::from_bytes(&self.dice.bytes());
                let part = other.seal(subject, &on(&other, op(Vec::new())), now)?;
                self.ledger.learn_part(&part, false)?;
                return Ok(vec![part]);
            }
        };
        let part = side.seal(subject, &content, now)?;
        self.ledger.learn_part(&part, false)?;
        Ok(vec![part])
    }

    /// Two batches of one number: one of them may stand, the other is evidence.
    fn forked_parts(
        &mut self,
        side: &mut Side,
        subject: &Subject,
        now: i64,
    ) -> Checked<Vec<SignedPart>> {
        let document = forge::document_in(&self.node.keyspace, subject)?;
        let mut parts = Vec::new();
        for text in ["một", "hai"] {
            let note = Op {
                object: Some(Table::Notes.object()),
                key: Key::Map(format!("giả {}", self.dice.below(1_000))),
                insert: false,
                action: Action::Put,
                value: Value::Text(text.to_owned()),
                pred: Vec::new(),
            };
            let content = forge::change_on(&document, &side.sealer, 0, note);
            let (bytes, hash) = gate::encode(&content);
            parts.push(side.seal_bytes(subject, bytes, hash, now)?);
            side.fork();
        }
        Ok(parts)
    }
}

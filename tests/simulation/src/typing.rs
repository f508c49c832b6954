//! People at work: what they type, what they could see, and clients that write it wrongly.

use std::collections::BTreeSet;

use sync_core::cell::CellValue;
use sync_core::document::{Comment, Edit, Entry, Subject};
use sync_core::gate::{Action, Value};
use sync_core::identity::InstallationId;

use crate::bugs::Bug;
use crate::forge::{self, Side};
use crate::ledger::{Typed, claim, edit_of};
use crate::link::{Envelope, Peer};
use crate::operations::Typing;
use crate::violation::{Checked, Violation, must};
use crate::world::World;
use sync_core::batch::Sealer;
use sync_core::sync::{Frame, PartAnswer, Request};

impl World {
    /// A person types into a report.
    pub(crate) fn type_in(
        &mut self,
        number: usize,
        subject: usize,
        code: usize,
        typing: Typing,
    ) -> Checked<()> {
        if !self.running(number)? {
            return Ok(());
        }
        let subject = self.subject_for(number, subject)?;
        let code = self.setting.codes.get(code).cloned().unwrap_or_default();
        let id = self.ledger.next_edit();
        let claimed_at = claim(self.tablet_clock(number), id);
        let value = self.value(number, &subject, &code, typing, id)?;
        let entry = match typing {
            Typing::Note => {
                let text = (!self.dice.one_in(4)).then(|| format!("ghi chú {id}"));
                self.beside(number, code.clone(), text, id)
            }
            Typing::Words => Entry::Narrative {
                section: "s".to_owned(),
                position: 0,
                delete: 0,
                insert: format!("{id}. "),
            },
            Typing::Version => Entry::TemplateVersion(1 + self.dice.below(2) as u32),
            Typing::Number
            | Typing::Usual
            | Typing::Clear
            | Typing::NoOccurrence
            | Typing::Settle => Entry::Cell {
                code: code.clone(),
                value: value.clone(),
            },
        };
        let is_cell = matches!(entry, Entry::Cell { .. });
        let seen = self.seen(number, &subject, &code)?;
        let typed = Typed {
            tablet: number,
            document: subject.document_id(),
            cell: is_cell.then(|| (code.clone(), value.clone())),
            seen,
            saved: false,
            forgotten: false,
            evidence: false,
        };
        self.trace
            .say(format_args!("  edit {id}: {entry:?} seen {:?}", typed.seen));
        self.ledger.typed.insert(id, typed);
        if is_cell && self.types_wrongly(&value) {
            return self.type_wrongly(number, &subject, &code, &value, claimed_at);
        }
        let edit = Edit {
            entry,
            typed_at: claimed_at,
        };
        let tablet = self
            .tablets
            .get_mut(number)
            .ok_or_else(|| Violation::new("tablet", "none"))?;
        let Some(device) = &mut tablet.device else {
            return Ok(());
        };
        let writes = must("typing-is-taken", device.edit(&subject, &[edit]))?;
        let saved = tablet.save(&writes, &mut self.ledger)?;
        if let Some(typed) = self.ledger.typed.get_mut(&id) {
            typed.saved = saved;
        }
        Ok(())
    }

    /// What is written beside a cell: each kind in turn.
    fn beside(&self, number: usize, code: String, text: Option<String>, id: u32) -> Entry {
        let tablet = self.tablets.get(number);
        let key = tablet.and_then(|tablet| Some(tablet.device.as_ref()?.sealer().key_id()));
        match (id % 4, key, text) {
            (1, _, text) => Entry::Source { code, text },
            (2, _, text) => Entry::Reason {
                code,
                rule: "outlier".to_owned(),
                text,
            },
            (3, Some(key), Some(text)) => Entry::Comment {
                code,
                key,
                comment: Comment::Said(text),
            },
            (_, _, text) => Entry::Note { code, text },
        }
    }

    /// The report a person works on: one that they may write, unless they stray.
    fn subject_for(&mut self, number: usize, subject: usize) -> Checked<Subject> {
        let strays = self.dice.percent(self.knobs.straying);
        let subjects = &self.setting.subjects;
        let person = self.tablets.get(number).map(|tablet| tablet.person);
        let may_write = |subject: &&Subject| {
            let partition = sync_core::batch::Partition {
                unit: subject.unit,
                compartment: sync_core::batch::Compartment::Reports,
            };
            let touches = [sync_core::gate::Touch::TemplateVersion];
            person.is_some_and(|person| {
                let catalogue = &self.node.catalogue;
                let now = self.now;
                sync_core::access::first_refused(catalogue, person, partition, &touches, now)
                    .is_none()
            })
        };
        let own: Vec<&Subject> = subjects.iter().filter(may_write).collect();
        let chosen = if strays || own.is_empty() {
            subjects.get(subject)
        } else {
            own.get(subject % own.len()).copied()
        };
        chosen
            .cloned()
            .ok_or_else(|| Violation::new("setting", "no report"))
    }

    fn value(
        &mut self,
        number: usize,
        subject: &Subject,
        code: &str,
        typing: Typing,
        id: u32,
    ) -> Checked<CellValue> {
        let own = CellValue::Number(i64::from(id).into());
        Ok(match typing {
            Typing::Usual => CellValue::Number((self.dice.below(3) as i64).into()),
            Typing::Clear => CellValue::Empty,
            Typing::NoOccurrence => CellValue::NoOccurrence,
            Typing::Settle => {
                let Some(device) = &mut self.tablet(number)?.device else {
                    return Ok(own);
                };
                let document = must("device-loads", device.with_draft(subject))?;
                let mut cells = document.cells();
                let rivals = cells.remove(code).unwrap_or_default();
                let chosen = self.dice.pick(&rivals).map(|rival| rival.value.clone());
                chosen.unwrap_or(own)
            }
            Typing::Number | Typing::Note | Typing::Words | Typing::Version => own,
        })
    }

    /// The edits of a cell that stand or stood where a person can see them.
    fn seen(&mut self, number: usize, subject: &Subject, code: &str) -> Checked<BTreeSet<u32>> {
        let Some(device) = &mut self.tablet(number)?.device else {
            return Ok(BTreeSet::new());
        };
        let history = must("device-loads", device.load(subject))?.cell_history(code);
        let mut seen: BTreeSet<u32> = history.iter().map(|one| edit_of(one.claimed_at)).collect();
        if let Some(draft) = device.draft(subject.document_id()) {
            let of_cell = draft
                .edits
                .iter()
                .filter(|edit| matches!(&edit.entry, Entry::Cell { code: of, .. } if of == code));
            seen.extend(of_cell.map(|edit| edit_of(edit.typed_at)));
        }
        Ok(seen)
    }

    fn types_wrongly(&self, value: &CellValue) -> bool {
        match self.bug {
            Some(Bug::DeleteInsteadOfEmpty) => *value == CellValue::Empty,
            Some(Bug::GenesisWithTemplateVersion) => true,
            _ => false,
        }
    }

    /// What a client does that gets a rule of the format wrong: it writes the change by itself.
    fn type_wrongly(
        &mut self,
        number: usize,
        subject: &Subject,
        code: &str,
        value: &CellValue,
        claimed_at: i64,
    ) -> Checked<()> {
        let installation = InstallationId(self.dice.bytes());
        let clock = self.tablet_clock(number);
        let bug = self.bug;
        let tablet = self.tablet(number)?;
        let Some(device) = &tablet.device else {
            return Ok(());
        };
        let sealer = Sealer {
            installation,
            ..device.sealer().clone()
        };
        let value = match value {
            CellValue::Number(number) => Value::Int(number.as_i64().unwrap_or(0)),
            CellValue::NoOccurrence => Value::False,
            CellValue::Empty | CellValue::Text(_) => Value::Null,
        };
        let content = if bug == Some(Bug::DeleteInsteadOfEmpty) {
            let puts = forge::cell_puts(device.keyspace(), subject.document_id())?;
            let document = forge::document_in(device.keyspace(), subject)?;
            let standing = forge::standing(&puts, code);
            let op = forge::cell_op(code, Action::Delete, Value::Null, standing);
            forge::change_on(&document, &sealer, claimed_at, op)
        } else {
            let op = forge::cell_op(code, Action::Put, value, Vec::new());
            forge::change_on_wrong_genesis(subject, &sealer, claimed_at, op)
        };
        let mut side = Side::new(number, sealer, false);
        let part = side.seal(subject, &content, clock)?;
        let edit = edit_of(claimed_at);
        self.ledger.learn_part(&part, true)?;
        if let Some(known) = self.ledger.parts.get_mut(&part.id()) {
            // A gate may not read what this client wrote; it is the person's work all the same.
            known.edits = vec![edit];
        }
        if let Some(typed) = self.ledger.typed.get_mut(&edit) {
            typed.saved = true;
        }
        side.waiting.push(part);
        self.sides.push(side);
        self.push_side(self.sides.len() - 1)
    }

    /// Sends what a hand-written chain has waiting.
    pub(crate) fn push_side(&mut self, number: usize) -> Checked<()> {
        let exchange = self.next_exchange();
        let province = self.setting.province();
        let Some(side) = self.sides.get(number) else {
            return Ok(());
        };
        let request = Request {
            province,
            actor: side.sealer.actor(),
            own_number: 0,
            catalogue_number: u64::MAX - 1,
            known: None,
            bytes_max: 0,
            records: Vec::new(),
            parts: side.waiting.clone(),
            repair: None,
        };
        let bytes = Frame::Request(Box::new(request)).encode();
        self.trace.bytes(&bytes);
        self.link.ask(Envelope {
            exchange,
            peer: Peer::Side(number),
            to: None,
            key: side.key_id(),
            bytes,
        });
        Ok(())
    }

    /// An answer reaches a hand-written chain.
    pub(crate) fn arrive_at_side(&mut self, number: usize, envelope: &Envelope) -> Checked<()> {
        let Ok(Frame::Response(response)) = Frame::decode(&envelope.bytes) else {
            return Ok(());
        };
        let Some(side) = self.sides.get_mut(number) else {
            return Ok(());
        };
        if response.answers.len() == side.waiting.len() {
            let answers = &mut response.answers.iter();
            side.waiting.retain(|_| {
                !matches!(
                    answers.next(),
                    Some(PartAnswer::Accepted | PartAnswer::Held(_))
                )
            });
        }
        Ok(())
    }
}

//! What has not left this device: by report, as rows that stay readable without the PIN, and as a file.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde_json::{Value, json};
use sync_core::batch::Entry as PartEntry;
use sync_core::document::{Subject, SubjectKind};
use sync_core::gate;
use sync_core::identity::{DocumentId, PartId};
use sync_core::log::staging::PartPlace;
use sync_core::log::{Keyspace, KeyspaceError, LogEntry, Write, keys};
use sync_core::sync::OutboxState;

use super::{Step, StepError, TabletState, unit_name};
use crate::{packed, view};

/// The format of the recovery file: what `dongbo export` writes.
const EXPORT_FORMAT: &str = "dongbo export 1";

/// What waits of one report.
#[derive(Debug, Default)]
struct Waiting {
    draft_edits: usize,
    changes: usize,
    bytes: usize,
    held: usize,
}

impl TabletState {
    /// See [`crate::Tablet::unsent`].
    pub fn unsent(&mut self, now: i64) -> Step {
        let mut by_document: BTreeMap<DocumentId, Waiting> = BTreeMap::new();
        let subjects = self.device.subjects()?;
        for id in subjects.keys() {
            if let Some(draft) = self.device.draft(*id) {
                by_document.entry(*id).or_default().draft_edits = draft.edits.len();
            }
        }
        let cost = self.device.cost(now, false)?;
        let mut later = cost.drafted;
        for (part, state) in self.device.outbox() {
            let Some(part) = self.device.part(*part)? else {
                continue;
            };
            let goes = cost.parts.contains(&part.id());
            // What a part weighs beside its changes is on the report that it names first.
            let changes: usize = part
                .entries()
                .map(|(_, bytes)| bytes.map_or(0, <[u8]>::len))
                .sum();
            let mut around = part.encode().len().saturating_sub(changes);
            for (entry, bytes) in part.entries() {
                let of = by_document.entry(entry.document()).or_default();
                let (PartEntry::Change { .. }, Some(bytes)) = (entry, bytes) else {
                    continue;
                };
                let typed = gate::decode(bytes).map_or(0, |change| change.typed_at.len());
                match state {
                    OutboxState::Waiting => {
                        of.changes += typed;
                        later += if goes { 0 } else { typed };
                        of.bytes += bytes.len() + std::mem::take(&mut around);
                    }
                    OutboxState::Held(_) => of.held += typed,
                }
            }
        }
        let reports: Vec<Value> = by_document
            .iter()
            .filter_map(|(id, waiting)| Some(self.report_json(subjects.get(id)?, waiting)))
            .collect();
        Ok(json!({
            "reports": reports, "all_bytes": cost.all, "now_bytes": cost.now, "later": later,
        })
        .to_string())
    }

    fn report_json(&self, subject: &Subject, waiting: &Waiting) -> Value {
        let catalogue = self.device.catalogue();
        let title = catalogue.newest_template(&subject.template);
        let title = title.and_then(|kept| sync_core::form::Template::from_json(&kept.content).ok());
        json!({
            "document": subject.document_id(), "template": subject.template,
            "unit": subject.unit, "period": subject.period,
            "unit_name": unit_name(catalogue, subject.unit),
            "local_rows": subject.kind == SubjectKind::LocalRows,
            "title": title.map(|template| template.title().to_owned()),
            "draft_edits": waiting.draft_edits, "changes": waiting.changes,
            "bytes": waiting.bytes, "held_changes": waiting.held,
        })
    }

    /// See [`crate::Tablet::take_outgoing`].
    pub fn take_outgoing(&mut self) -> Result<Vec<u8>, StepError> {
        let mut rows = Vec::new();
        let touched = self.writes.iter().filter_map(|write| {
            let (tag, id) = write.key.split_first()?;
            (*tag == keys::OUTBOX).then(|| id.try_into().ok().map(PartId))?
        });
        let mut touched: Vec<PartId> = touched.collect();
        if !std::mem::replace(&mut self.outgoing_told, true) {
            touched.extend(self.device.outbox().keys());
        }
        touched.sort_unstable();
        touched.dedup();
        for part in touched {
            let waits = self.device.outbox().get(&part) == Some(&OutboxState::Waiting);
            let value = match waits {
                true => self.log_entry(part)?,
                false => None,
            };
            let key = part.0.to_vec();
            rows.push(Write { key, value });
        }
        Ok(packed::pack_all(&rows))
    }

    fn log_entry(&self, part: PartId) -> Result<Option<Vec<u8>>, KeyspaceError> {
        match self.device.log().part(part)? {
            Some(PartPlace::Accepted(at)) => self.device.keyspace().get(&keys::log(at)),
            Some(PartPlace::Held(_)) | None => Ok(None),
        }
    }

    /// See [`crate::Tablet::recovery`].
    pub fn recovery(&mut self) -> Step {
        let keyspace = self.device.keyspace();
        let all = |tag: u8| keyspace.scan(&[tag], &keys::after(tag), usize::MAX);
        let records = all(keys::CATALOGUE)?;
        let records: Vec<String> = records.iter().map(|(_, it)| BASE64.encode(it)).collect();
        let mut parts = Vec::new();
        for (key, entry) in all(keys::LOG)? {
            parts.push(part_json(&key, &entry)?);
        }
        let mut held = Vec::new();
        for (key, entry) in all(keys::HELD)? {
            held.push(part_json(&key, &entry)?);
        }
        let mut documents = Vec::new();
        for (id, subject) in self.device.subjects()? {
            let cells = self.device.with_draft(&subject)?.cells();
            let cells = cells.into_iter().map(|(code, rivals)| {
                let values = rivals.iter().map(|rival| view::value_json(&rival.value));
                (code, Value::Array(values.collect()))
            });
            documents.push(json!({
                "document": id, "template": subject.template, "period": subject.period,
                "unit": subject.unit,
                "unit_name": unit_name(self.device.catalogue(), subject.unit),
                "cells": Value::Object(cells.collect()),
            }));
        }
        Ok(json!({
            "format": EXPORT_FORMAT, "province": self.device.sealer().province,
            "catalogue": records, "parts": parts, "held": held, "documents": documents,
        })
        .to_string())
    }
}

fn part_json(key: &[u8], entry: &[u8]) -> Result<Value, KeyspaceError> {
    let digits = key.get(1..).and_then(|digits| digits.try_into().ok());
    let number = digits.map(u64::from_be_bytes);
    let number = number.ok_or(KeyspaceError::Damaged("key"))?;
    Ok(json!({"number": number, "entry": BASE64.encode(entry)}))
}

/// The recovery file of signed parts alone, for who has lost the PIN: it goes to the province that holds
/// what came before them. `rows` are those of [`TabletState::take_outgoing`].
pub(crate) fn recovery_of(province: &str, rows: &[u8]) -> Step {
    let damaged = |error: sync_core::codec::DecodeError| StepError::Damaged(error.to_string());
    let mut entries = Vec::new();
    for row in packed::unpack_all(rows).map_err(damaged)? {
        let bytes = row.value.unwrap_or_default();
        let entry = LogEntry::decode(&bytes).map_err(damaged)?;
        let place = (entry.part.actor(), entry.part.header().number);
        entries.push((place, bytes));
    }
    entries.sort();
    let parts: Vec<Value> = (1_u64..)
        .zip(&entries)
        .map(|(number, (_, bytes))| json!({"number": number, "entry": BASE64.encode(bytes)}))
        .collect();
    Ok(json!({
        "format": EXPORT_FORMAT, "province": province, "catalogue": [], "parts": parts,
        "held": [], "documents": [],
    })
    .to_string())
}

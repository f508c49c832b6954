//! `dongbo bundle`: files that carry signed work where there is no network.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use dongbo::bundle::{
    Carried, carry, make_key, read_file, read_keys, read_recipient, take, write_file,
};
use dongbo::now_s;
use dongbo::trouble::{Exit, Trouble};
use sealed_file::Identity;
use serde_json::{Value, json};
use sync_core::bundle::{
    Damage, Destination, Head, Holdings, Issuer, Lack, Opened, Written, runs_text,
};
use sync_core::sync::{Scope, Sequence, Taken};

use super::{Context, Outcome, Said};

/// A bundle is one file: signed, numbered, checked piece by piece. Reading one twice, in any order or
/// from several sticks changes nothing.
#[derive(Debug, Subcommand)]
pub(super) enum Bundle {
    /// Write what no server has acknowledged to a new file
    Write(Write),
    /// Take a file in: into this device, or with --server bring it to a server
    Read(Read),
    /// Show what a file holds; needs no device, no sign-in, no server
    Inspect(Inspect),
    /// Make a key that bundles are sealed to; whoever holds the file reads them
    Key(Key),
}

/// Writes a bundle. What was typed is sealed first. Nothing leaves the outbox until a receipt comes back.
#[derive(Debug, Args)]
pub(super) struct Write {
    /// The file to make
    file: PathBuf,
    /// For whom: `anyone` of the province, `node:ID` or `device:KEY`
    #[arg(long, default_value = "anyone")]
    to: String,
    /// Everything on this device, not only what waits
    #[arg(long)]
    all: bool,
    /// With the signed catalogue: the reader may lack records
    #[arg(long)]
    with_catalogue: bool,
    /// Seal it to this public key (`age1…`), once for each reader
    #[arg(long, value_name = "KEY")]
    seal_to: Vec<String>,
}

/// Reads a bundle by the ordinary road: signatures, gate, chains and rights decide.
#[derive(Debug, Args)]
pub(super) struct Read {
    /// The file
    file: PathBuf,
    /// Bring it to this server instead, as a courier
    #[arg(long)]
    server: Option<String>,
    /// With --server: write what goes back to the file's writer here
    #[arg(long, requires = "server")]
    answer: Option<PathBuf>,
    /// With --server: give the server the catalogue records it lacks first
    #[arg(long, requires = "server")]
    with_catalogue: bool,
    /// Use the undamaged pieces of a file that was changed on the way
    #[arg(long)]
    whole_pieces: bool,
    /// The file of the key that opens a sealed bundle
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// Shows who wrote a bundle, for whom, what it holds and what of it is missing.
#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// The file
    file: PathBuf,
    /// The file of the key that opens a sealed bundle
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// Makes a key in the age format. Keep the file where the bundles are read, and give its public key away.
#[derive(Debug, Args)]
pub(super) struct Key {
    /// The file to make
    #[arg(long)]
    out: PathBuf,
}

impl Bundle {
    pub(super) fn run(self, context: &Context) -> Outcome {
        match self {
            Self::Write(command) => command.run(context),
            Self::Read(command) => command.run(context),
            Self::Inspect(command) => command.run(),
            Self::Key(command) => command.run(),
        }
    }
}

impl Write {
    fn run(self, context: &Context) -> Outcome {
        let to = destination(&self.to)?;
        let scope = match self.all {
            true => Scope::All,
            false => Scope::Waiting,
        };
        let seal_to = self.seal_to.iter().map(|text| read_recipient(text));
        let seal_to: Vec<_> = seal_to.collect::<Result<_, _>>()?;
        let mut tablet = context.tablet()?;
        let what = (scope, self.with_catalogue);
        let written = write_file(&mut tablet, &self.file, what, to, &seal_to, now_s())?;
        tablet.close()?;
        let said = Said::new(written_json(&self.file, &written));
        Ok(say_written(
            said,
            "cli-bundle-written",
            &self.file,
            &written,
        ))
    }
}

fn destination(text: &str) -> Result<Destination, Trouble> {
    let to = match text.split_once(':') {
        None if text == "anyone" => Some(Destination::Anyone),
        Some(("node", id)) => id.parse().ok().map(Destination::Node),
        Some(("device", id)) => id.parse().ok().map(Destination::Device),
        None | Some(_) => None,
    };
    to.ok_or_else(|| Trouble::new("destination-bad", Exit::Usage).with("destination", text))
}

impl Read {
    fn run(self, context: &Context) -> Outcome {
        let damage = match self.whole_pieces {
            true => Damage::LeaveOut,
            false => Damage::Refuse,
        };
        let opened = read_file(&self.file, damage, &keys(self.key.as_deref())?)?;
        let mut tablet = context.tablet()?;
        let said = match &self.server {
            None => {
                let taken = take(&mut tablet, &opened, now_s())?;
                taken_said(&opened, &taken)
            }
            Some(server) => {
                let mut session = context.session_of(&tablet, Some(server))?;
                let answer = self.answer.as_deref();
                let give = self.with_catalogue;
                let carried = carry(&opened, &mut tablet, &mut session, give, answer, now_s())?;
                carried_said(&opened, &carried, answer)
            }
        };
        tablet.close()?;
        Ok(say_missing(said, &opened))
    }
}

impl Inspect {
    fn run(self) -> Outcome {
        let keys = keys(self.key.as_deref())?;
        let opened = read_file(&self.file, Damage::LeaveOut, &keys)?;
        let head = &opened.head;
        let cover = &head.cover;
        let mut value = head_json(head);
        add(&mut value, "file", json!(self.file));
        add(&mut value, "id", json!(opened.id.to_string()));
        add(&mut value, "whole", json!(opened.is_whole()));
        add(&mut value, "missing", holdings_json(&opened.missing()));
        add(&mut value, "lacking", lacking_json(&opened));
        let said = Said::new(value)
            .say(
                "cli-bundle-head",
                &[
                    ("number", cover.number.to_string()),
                    ("issuer", issuer_text(&cover.issuer)),
                    ("province", cover.province.to_string()),
                    ("destination", cover.destination.to_string()),
                    ("time", dongbo::view::time_text(cover.written_at)),
                ],
            )
            .say("cli-bundle-holds", &counts(&opened.holdings()));
        Ok(say_missing(say_chains(said, &opened.holdings()), &opened))
    }
}

impl Key {
    fn run(self) -> Outcome {
        let public = make_key(&self.out)?.to_string();
        let value = json!({"file": self.out, "public_key": public});
        let file = self.out.display().to_string();
        Ok(Said::new(value).say("cli-bundle-key", &[("file", file), ("key", public)]))
    }
}

fn keys(file: Option<&Path>) -> Result<Vec<Identity>, Trouble> {
    Ok(file.map(read_keys).transpose()?.unwrap_or_default())
}

fn add(value: &mut Value, name: &str, part: Value) {
    if let Some(object) = value.as_object_mut() {
        object.insert(name.to_owned(), part);
    }
}

fn issuer_text(issuer: &Issuer) -> String {
    match issuer {
        Issuer::Device { installation, .. } => {
            format!("{} ({installation})", issuer.key_id())
        }
        Issuer::Node { node, .. } => format!("{} ({node})", issuer.key_id()),
    }
}

fn head_json(head: &Head) -> Value {
    let cover = &head.cover;
    let issuer = match &cover.issuer {
        Issuer::Device { installation, .. } => json!({
            "kind": "device", "key": cover.issuer.key_id(), "installation": installation,
        }),
        Issuer::Node { node, .. } => json!({
            "kind": "node", "key": cover.issuer.key_id(), "node": node,
        }),
    };
    let span = cover
        .span
        .as_ref()
        .map(|span| json!({"node": span.node, "after": span.after, "through": span.through}));
    let known = cover
        .known
        .map(|known| json!({"node": known.node, "position": known.position}));
    json!({
        "province": cover.province, "issuer": issuer, "number": cover.number,
        "previous": cover.previous.to_string(), "written_at": cover.written_at,
        "destination": cover.destination.to_string(), "catalogue": cover.catalogue_number,
        "own_batches": cover.own_number, "stands_at": known, "answer_from": span,
        "pieces": head.pieces.len(), "holds": holdings_json(&head.holdings()),
    })
}

fn holdings_json(holdings: &Holdings) -> Value {
    let chains = holdings.chains.iter().map(|of| {
        json!({
            "key": of.chain.key, "installation": of.chain.installation, "batches": of.batches,
            "parts": of.parts,
        })
    });
    json!({
        "records": holdings.records, "parts": holdings.parts(), "receipts": holdings.receipts,
        "held": holdings.held, "chains": chains.collect::<Vec<_>>(),
    })
}

fn lacking_json(opened: &Opened) -> Value {
    let lacking = opened.lacking().map(|(number, lack, piece)| {
        let why = match lack {
            Lack::Missing => "missing",
            Lack::Damaged => "damaged",
        };
        json!({"piece": number, "why": why, "bytes": piece.bytes})
    });
    lacking.collect()
}

fn counts(holdings: &Holdings) -> [(&'static str, String); 4] {
    [
        ("records", holdings.record_count().to_string()),
        ("parts", holdings.parts().to_string()),
        ("chains", holdings.chains.len().to_string()),
        ("receipts", holdings.receipts.to_string()),
    ]
}

fn say_chains(mut said: Said, holdings: &Holdings) -> Said {
    if !holdings.records.is_empty() {
        let numbers = runs_text(&holdings.records);
        said = said.say("cli-bundle-records", &[("numbers", numbers)]);
    }
    for of in &holdings.chains {
        said = said.say(
            "cli-bundle-chain",
            &[
                ("key", of.chain.key.to_string()),
                ("batches", runs_text(&of.batches)),
                ("parts", of.parts.to_string()),
            ],
        );
    }
    said
}

/// What a file lacks is said in full: it is what has to be brought again.
fn say_missing(mut said: Said, opened: &Opened) -> Said {
    add(&mut said.value, "whole", json!(opened.is_whole()));
    add(&mut said.value, "missing", holdings_json(&opened.missing()));
    if opened.is_whole() {
        return said;
    }
    let missing = opened.missing();
    let pieces = opened.lacking().count();
    let damaged = opened
        .lacking()
        .filter(|(_, lack, _)| *lack == Lack::Damaged);
    let damaged = damaged.map(|(number, _, _)| (number as u64, number as u64));
    let damaged = runs_text(&damaged.collect::<Vec<_>>());
    let mut arguments = counts(&missing).to_vec();
    arguments.push(("pieces", pieces.to_string()));
    arguments.push(("all", opened.head.pieces.len().to_string()));
    said = said.say("cli-bundle-missing", &arguments);
    if !damaged.is_empty() {
        said = said.say("cli-bundle-damaged", &[("pieces", damaged)]);
    }
    say_chains(said, &missing).exit(Exit::Differs)
}

fn written_json(file: &Path, written: &Written) -> Value {
    let mut value = head_json(&written.head);
    add(&mut value, "file", json!(file));
    add(&mut value, "id", json!(written.id.to_string()));
    add(&mut value, "bytes", json!(written.bytes.len()));
    value
}

fn say_written(said: Said, sentence: &'static str, file: &Path, written: &Written) -> Said {
    let mut arguments = counts(&written.head.holdings()).to_vec();
    arguments.push(("file", file.display().to_string()));
    arguments.push(("number", written.head.cover.number.to_string()));
    arguments.push(("bytes", written.bytes.len().to_string()));
    said.say(sentence, &arguments)
}

fn taken_said(opened: &Opened, taken: &Taken) -> Said {
    let (code, first, last) = sequence_code(taken.sequence);
    let notices = taken.notices.iter().map(super::sync::notice_json);
    let value = json!({
        "id": opened.id.to_string(), "number": opened.head.cover.number,
        "records": taken.records, "accepted": taken.accepted, "known": taken.known,
        "not_followed": taken.not_followed, "waiting": taken.waiting,
        "acknowledged": taken.acknowledged, "own_chain_differs": taken.own_chain_differs,
        "documents_changed": taken.documents.len(), "sequence": code,
        "notices": notices.collect::<Vec<_>>(),
    });
    let mut said = Said::new(value).say(
        "cli-bundle-taken",
        &[
            ("records", taken.records.to_string()),
            ("accepted", taken.accepted.to_string()),
            ("known", taken.known.to_string()),
            ("acknowledged", taken.acknowledged.to_string()),
            ("changed", taken.documents.len().to_string()),
        ],
    );
    for notice in &taken.notices {
        let (code, part) = super::sync::notice_parts(notice);
        said = said.say("cli-notice", &[("code", code), ("part", part)]);
    }
    if taken.not_followed > 0 {
        let count = taken.not_followed.to_string();
        said = said.say("cli-bundle-not-followed", &[("parts", count)]);
    }
    match taken.sequence {
        Sequence::Next | Sequence::Again | Sequence::Late => {}
        Sequence::Skipped { .. } => {
            let range = runs_text(&[(first, last)]);
            said = said.say("cli-bundle-skipped", &[("numbers", range)]);
        }
        Sequence::Forked => said = said.say("cli-bundle-forked", &[]),
    }
    if taken.own_chain_differs {
        said = said.say("cli-bundle-own-chain", &[]).exit(Exit::Differs);
    }
    if !taken.waiting.is_empty() {
        let count = taken.waiting.len().to_string();
        said = said
            .say("cli-bundle-waiting", &[("parts", count)])
            .exit(Exit::Differs);
    }
    said
}

fn sequence_code(sequence: Sequence) -> (&'static str, u64, u64) {
    match sequence {
        Sequence::Next => ("next", 0, 0),
        Sequence::Again => ("again", 0, 0),
        Sequence::Late => ("late", 0, 0),
        Sequence::Skipped { first, last } => ("skipped", first, last),
        Sequence::Forked => ("forked", 0, 0),
    }
}

fn carried_said(opened: &Opened, carried: &Carried, file: Option<&Path>) -> Said {
    let sent = &carried.sent;
    let refused: Vec<_> = sent
        .refused
        .iter()
        .map(|(part, code)| json!({"part": part, "code": code}))
        .collect();
    let answer = carried.answer.as_ref().zip(file);
    let value = json!({
        "id": opened.id.to_string(), "number": opened.head.cover.number, "node": carried.node,
        "records": sent.records, "accepted": sent.accepted, "held": sent.held,
        "refused": refused, "fingerprint": sent.fingerprint.to_string(),
        "answer": answer.map(|(written, file)| written_json(file, written)),
    });
    let mut said = Said::new(value).say(
        "cli-replayed",
        &[
            ("records", sent.records.to_string()),
            ("accepted", sent.accepted.to_string()),
            ("held", sent.held.values().sum::<usize>().to_string()),
            ("refused", sent.refused.len().to_string()),
        ],
    );
    if let Some((written, file)) = answer {
        said = say_written(said, "cli-bundle-answered", file, written);
    }
    match sent.refused.is_empty() {
        true => said,
        false => said.exit(Exit::Differs),
    }
}

//! The province day, measured: a real server and a real tablet on two ends of a link that counts.
//!
//! Prints one JSON object: the figures, and under `reasons` why a figure is null. Signing in is not a part
//! of an exchange: it is done before, over the same link, and counted apart.
//!
//! `province_day --cut-small-day STEP` does something else: it cuts the exchange of the small day once at
//! every STEP-th byte, 1 for all of them, each time from the same state, and looks what that costs.

mod check;
mod cuts;
mod exchange;
mod field;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use e2e::Server;
use e2e::link::Conditions;
use e2e::paper::Page;
use e2e::workload::{CellEdit, SEED, Workload};
use serde_json::{Value, json};

use check::Shown;
use exchange::{Exchanged, copy, exchange, tablet};
use field::Field;

/// What the tablet's status becomes on the small day, and the other's.
const STATES: (&str, &str) = ("submitted", "checked");

/// Bytes of a mebibyte.
const MIB: f64 = 1_048_576.0;

#[expect(clippy::print_stdout, reason = "the figures are the result")]
fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let day = Workload::of(SEED);
    let mut bench = Bench {
        field: Field::found(&folder.path().join("field"), &day)?,
        folder: folder.path().to_owned(),
        day,
        figures: BTreeMap::new(),
        reasons: BTreeMap::new(),
        peaks: (0, 0),
    };
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => bench.day()?,
        [flag, step] if flag == "--cut-small-day" => bench.cut_small_day(step.parse()?)?,
        _ => bail!("province_day [--cut-small-day STEP]"),
    }
    let mut answer = json!(bench.figures);
    if let Some(object) = answer.as_object_mut() {
        object.insert("reasons".into(), json!(bench.reasons));
    }
    println!("{answer}");
    Ok(())
}

/// Both sides at one moment of the day.
#[derive(Debug, Clone)]
struct Moment {
    server: PathBuf,
    tablet: PathBuf,
}

struct Bench {
    folder: PathBuf,
    day: Workload,
    field: Field,
    figures: BTreeMap<String, Value>,
    reasons: BTreeMap<String, String>,
    /// The most memory that tablet and server held, in bytes.
    peaks: (u64, u64),
}

impl Bench {
    fn day(&mut self) -> Result<()> {
        let links = [
            ("", Conditions::default()),
            ("_2g", Conditions::SLOW),
            ("_cut_20k", Conditions::cut_every(20_000)),
            ("_cut_2k", Conditions::cut_every(2_000)),
        ];
        let empty = Moment {
            server: self.field.server.clone(),
            tablet: self.field.tablet.clone(),
        };
        let [fast, ..] = links;
        let Some(morning) = self.run("first_sync", fast, &empty)? else {
            bail!("an empty tablet, on a good link: {:?}", self.reasons);
        };
        let other = self.other_in_the_morning(&empty)?;
        let evening = self.offline("evening", &morning, &other, &self.pages()?)?;
        let small = self.offline("small", &morning, &other, &self.small_pages()?)?;
        for link in links {
            if !link.0.is_empty() {
                self.run("first_sync", link, &empty)?;
            }
            let Some(after) = self.run("reconnect", link, &evening)? else {
                self.unknown(
                    "nothing_new",
                    link.0,
                    "the reconnect before it did not finish",
                );
                continue;
            };
            self.see(link.0, &after)?;
            self.run("nothing_new", link, &after)?;
        }
        if let Some(after) = self.run("small_day", fast, &small)? {
            let (mine, theirs) = self.day.small();
            let shown = Shown::by(&after.tablet)?;
            let seen = shown.count(&self.field, &mine, STATES.0)?
                + shown.count(&self.field, &theirs, STATES.1)?;
            self.figure("small_day_edits_visible", json!(seen));
        }
        let (client, server) = self.peaks;
        self.figure("client_rss_mib", json!(client as f64 / MIB));
        self.figure("server_rss_mib", json!(server as f64 / MIB));
        self.short_names();
        Ok(())
    }

    fn pages(&self) -> Result<(Vec<Page>, Vec<Page>)> {
        let pages = |edits: &[CellEdit]| self.field.pages(edits, None);
        Ok((
            pages(&self.day.tablet_edits)?,
            pages(&self.day.server_edits)?,
        ))
    }

    fn small_pages(&self) -> Result<(Vec<Page>, Vec<Page>)> {
        let (mine, theirs) = self.day.small();
        let (here, there) = STATES;
        let mine = self.field.pages(&mine, Some(here))?;
        Ok((mine, self.field.pages(&theirs, Some(there))?))
    }

    /// The other client as it is in the morning: it holds the base, too.
    fn other_in_the_morning(&self, empty: &Moment) -> Result<PathBuf> {
        let (server, other) = (self.folder.join("m-server"), self.folder.join("m-other"));
        copy(&empty.server, &server)?;
        copy(&self.field.other, &other)?;
        let running = Server::start(&server)?;
        let done = exchange(&running, &other, Conditions::default())?;
        ensure!(done.unfinished.is_none(), "the other client: {done:?}");
        running.stop()?;
        Ok(other)
    }

    /// Both sides after a day of work: the tablet's waits on it, the other's is on the server.
    fn offline(
        &self,
        name: &str,
        morning: &Moment,
        other: &Path,
        pages: &(Vec<Page>, Vec<Page>),
    ) -> Result<Moment> {
        let at = |side: &str| self.folder.join(format!("{name}-{side}"));
        let evening = Moment {
            server: at("server"),
            tablet: at("tablet"),
        };
        copy(&morning.server, &evening.server)?;
        copy(&morning.tablet, &evening.tablet)?;
        copy(other, &at("other"))?;
        let (mine, theirs) = pages;
        tablet(&["type"], &evening.tablet, &serde_json::to_vec(mine)?)?;
        tablet(&["type"], &at("other"), &serde_json::to_vec(theirs)?)?;
        let running = Server::start(&evening.server)?;
        let done = exchange(&running, &at("other"), Conditions::default())?;
        ensure!(done.unfinished.is_none(), "the other client: {done:?}");
        running.stop()?;
        Ok(evening)
    }

    /// One exchange from copies of both sides; gives both sides afterwards if it came to its end.
    fn run(
        &mut self,
        phase: &str,
        (link, conditions): (&str, Conditions),
        before: &Moment,
    ) -> Result<Option<Moment>> {
        let name = format!("{phase}{link}");
        let after = Moment {
            server: self.folder.join(format!("{name}-server")),
            tablet: self.folder.join(format!("{name}-tablet")),
        };
        copy(&before.server, &after.server)?;
        copy(&before.tablet, &after.tablet)?;
        let running = Server::start(&after.server)?;
        let done = exchange(&running, &after.tablet, conditions)?;
        running.stop()?;
        let (client, server) = &mut self.peaks;
        *client = done.client_bytes.max(*client);
        *server = done.server_bytes.max(*server);
        match &done.unfinished {
            None => {
                self.measured(phase, link, &done);
                Ok(Some(after))
            }
            Some(reason) => {
                let passed = done.passed;
                let reason = format!("{reason} ({} bytes, {} cuts)", passed.bytes(), passed.cuts);
                self.unknown(phase, link, &reason);
                Ok(None)
            }
        }
    }

    fn measured(&mut self, phase: &str, link: &str, done: &Exchanged) {
        let passed = done.passed;
        let figures = [
            ("bytes", json!(passed.bytes())),
            ("up_bytes", json!(passed.up)),
            ("down_bytes", json!(passed.down)),
            ("round_trips", json!(passed.round_trips)),
            ("cuts", json!(passed.cuts)),
            ("s", json!(done.seconds)),
        ];
        for (what, value) in figures {
            self.figure(&format!("{phase}{link}_{what}"), value);
        }
        self.figure("sign_in_bytes", json!(done.sign_in_bytes));
    }

    fn unknown(&mut self, phase: &str, link: &str, reason: &str) {
        for what in ["bytes", "round_trips", "s"] {
            let name = format!("{phase}{link}_{what}");
            self.reasons.insert(name.clone(), reason.to_owned());
            self.figure(&name, Value::Null);
        }
    }

    fn figure(&mut self, name: &str, value: Value) {
        self.figures.insert(name.to_owned(), value);
    }

    /// Counts what the tablet shows, and holds the other client to the same.
    fn see(&mut self, link: &str, after: &Moment) -> Result<()> {
        let shown = Shown::by(&after.tablet)?;
        let seen = shown.verify(&self.field, &self.day)?;
        self.figure(&format!("conflicts_visible{link}"), json!(seen.conflicts));
        self.figure(&format!("lone_edits_visible{link}"), json!(seen.lone_edits));
        self.figure(&format!("untouched_cells{link}"), json!(seen.untouched));
        let folder = self.folder.join(format!("other{link}"));
        copy(&self.folder.join("evening-other"), &folder)?;
        let running = Server::start(&after.server)?;
        let done = exchange(&running, &folder, Conditions::default())?;
        ensure!(done.unfinished.is_none(), "the other client: {done:?}");
        running.stop()?;
        let same = shown == Shown::by(&folder)?;
        self.figure(&format!("both_show_the_same{link}"), json!(same));
        Ok(())
    }

    /// The names that the table and whoever compares asks for.
    fn short_names(&mut self) {
        for (short, long) in [
            ("cut_20k_bytes", "reconnect_cut_20k_bytes"),
            ("cut_2k_bytes", "reconnect_cut_2k_bytes"),
        ] {
            let value = self.figures.get(long).cloned().unwrap_or(Value::Null);
            if let Some(reason) = self.reasons.get(long).cloned() {
                self.reasons.insert(short.to_owned(), reason);
            }
            self.figure(short, value);
        }
    }
}

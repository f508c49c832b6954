//! `sync-core` for JavaScript: a tablet in a worker. Thin: no rule lives here.
//!
//! The worker owns one [`Tablet`] for one person. Every step leaves its writes in the tablet;
//! the worker takes them with [`Tablet::take_writes`], makes them durable, and only then answers the
//! page. If it cannot, it drops the tablet and opens it again from what is durable. Views and
//! arguments cross as JSON text, frames and writes as bytes, and everything borrows `&self`: a call
//! that comes back while another is under way is an error, not a panic.
//!
//! A panic aborts the worker. Before it takes an answer it stores a *poison mark* that names the parts
//! the answer [`brings`]; after a panic they are read one by one, and the one that does it is left out.
//!
//! What is durable passes through the [`Vault`] of its person, which a PIN opens.

mod json;
mod packed;
mod tablet;
mod vault;
mod view;

use std::cell::RefCell;

use sync_core::sync::carried::Carried;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsError, JsValue};

pub use tablet::{Step, StepError, TabletState};
pub use vault::{VaultError, VaultState};

/// A person's tablet.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Tablet {
    state: RefCell<TabletState>,
}

fn thrown(error: &StepError) -> JsValue {
    // The page shows the sentence of the code; the text is for the log.
    let thrown = JsError::new(&format!("{}: {error}", error.code()));
    JsValue::from(thrown)
}

impl Tablet {
    fn act<T>(
        &self,
        act: impl FnOnce(&mut TabletState) -> Result<T, StepError>,
    ) -> Result<T, JsValue> {
        let mut state = self
            .state
            .try_borrow_mut()
            .map_err(|_| thrown(&StepError::Busy))?;
        act(&mut state).map_err(|error| thrown(&error))
    }
}

#[wasm_bindgen]
impl Tablet {
    /// Opens a tablet. `province` and the ids are hexadecimal, `installation` counts for a new tablet
    /// only, `seed` is the 32 secret bytes of the device key, `truth` is packed writes: everything
    /// that is durable. With `read_again` the node is asked for everything once more.
    #[wasm_bindgen(constructor)]
    pub fn open(
        province: &str,
        installation: &[u8],
        seed: &[u8],
        truth: &[u8],
        read_again: bool,
    ) -> Result<Tablet, JsValue> {
        let state = TabletState::open(province, installation, seed, truth, read_again);
        state
            .map(|state| Self {
                state: RefCell::new(state),
            })
            .map_err(|error| thrown(&error))
    }

    /// The writes of every step since the last call, packed: to be made durable now.
    #[wasm_bindgen(js_name = takeWrites)]
    pub fn take_writes(&self) -> Result<Vec<u8>, JsValue> {
        self.act(|state| Ok(state.take_writes()))
    }

    /// The rows of signed parts that wait, changed since the last call, packed; asked before
    /// [`Tablet::take_writes`]. They stay readable without the PIN, since they are to leave anyway.
    #[wasm_bindgen(js_name = takeOutgoing)]
    pub fn take_outgoing(&self) -> Result<Vec<u8>, JsValue> {
        self.act(TabletState::take_outgoing)
    }

    /// Takes signed catalogue records: a list of base64 texts as JSON.
    #[wasm_bindgen(js_name = takeRecords)]
    pub fn take_records(&self, records: &str) -> Result<(), JsValue> {
        self.act(|state| state.take_records(records))
    }

    /// The records held after a number, as a list of base64 texts.
    #[wasm_bindgen(js_name = recordsAfter)]
    pub fn records_after(&self, number: f64) -> Result<String, JsValue> {
        self.act(|state| state.records_after(number as u64))
    }

    /// The public half of the key, hexadecimal.
    #[wasm_bindgen(js_name = publicKey)]
    pub fn public_key(&self) -> Result<String, JsValue> {
        self.act(|state| Ok(state.public_key()))
    }

    /// Signs the challenge of a node: all hexadecimal.
    #[wasm_bindgen(js_name = signChallenge)]
    pub fn sign_challenge(
        &self,
        province: &str,
        node: &str,
        nonce: &str,
    ) -> Result<String, JsValue> {
        self.act(|state| state.sign_challenge(province, node, nonce))
    }

    /// Adds what was typed to the draft of a report; gives the rows that look different now.
    pub fn edit(&self, subject: &str, edits: &str, now: f64) -> Result<String, JsValue> {
        self.act(|state| state.edit(subject, edits, now as i64))
    }

    /// The rows of a report as they would look after these edits; nothing is kept.
    pub fn preview(&self, subject: &str, edits: &str, now: f64) -> Result<String, JsValue> {
        self.act(|state| state.preview(subject, edits, now as i64))
    }

    /// The words of a report: text and pieces of each part, what is said about it, and words without a place.
    pub fn narrative(&self, subject: &str) -> Result<String, JsValue> {
        self.act(|state| state.narrative(subject))
    }

    /// Writes into a part of the words: `seen` is the text the page was given, `typed` what its person made of it.
    /// Gives the words as they are then.
    #[wasm_bindgen(js_name = writeWords)]
    pub fn write_words(
        &self,
        subject: &str,
        part: &str,
        seen: &str,
        typed: &str,
        now: f64,
    ) -> Result<String, JsValue> {
        self.act(|state| state.write_words(subject, part, seen, typed, now as i64))
    }

    /// Writes the figures that a part quotes as they stand in their cells now; gives the words as they are then.
    #[wasm_bindgen(js_name = renewQuotes)]
    pub fn renew_quotes(&self, subject: &str, part: &str, now: f64) -> Result<String, JsValue> {
        self.act(|state| state.renew_quotes(subject, part, now as i64))
    }

    /// Takes the step of this number back that was typed here, or does it again: the rows that look different now,
    /// in `said` the codes of cells that were said anew, and in `kept` those where something else stands since.
    pub fn turn(&self, subject: &str, step: f64, back: bool, now: f64) -> Result<String, JsValue> {
        self.act(|state| state.turn(subject, step as u64, back, now as i64))
    }

    /// Seals every draft.
    pub fn seal(&self, now: f64) -> Result<(), JsValue> {
        self.act(|state| state.seal(now as i64))
    }

    /// Seals what goes with the next request: every draft, or with a limit of the day what goes first and the rest
    /// as far as there is room; `anyway` as if there were none.
    #[wasm_bindgen(js_name = sealWithin)]
    pub fn seal_within(&self, now: f64, anyway: bool) -> Result<(), JsValue> {
        self.act(|state| state.seal_within(now as i64, anyway))
    }

    /// The next request, as a frame; `carefully` asks for one part at a time. Empty when the limit of the day has
    /// no room for anything; `anyway` as if there were none.
    pub fn request(&self, carefully: bool, now: f64, anyway: bool) -> Result<Vec<u8>, JsValue> {
        self.act(|state| state.request(carefully, now as i64, anyway))
    }

    /// How the day stands: its limit, what travelled, what is left.
    pub fn budget(&self, now: f64) -> Result<String, JsValue> {
        self.act(|state| state.budget(now as i64))
    }

    /// Which years are here: `since`, none if all are; `left` (year, documents, bytes) of those that are not;
    /// `under_way` while some of them are coming.
    pub fn years(&self) -> Result<String, JsValue> {
        self.act(|state| state.years())
    }

    /// Asks for everything from a year on, 0 for all. Exchanges bring it.
    #[wasm_bindgen(js_name = askForYears)]
    pub fn ask_for_years(&self, since: u16) -> Result<(), JsValue> {
        self.act(|state| {
            state.ask_for_years(since);
            Ok(())
        })
    }

    /// Limits a day to so many bytes; without a number there is no limit.
    #[wasm_bindgen(js_name = setBudget)]
    pub fn set_budget(&self, per_day: Option<f64>) -> Result<(), JsValue> {
        self.act(|state| {
            state.set_budget(per_day.map(|bytes| bytes as u64));
            Ok(())
        })
    }

    /// Counts what travelled, both ways, over so many connections; `delivered` if something of ours was
    /// acknowledged.
    pub fn spend(
        &self,
        bytes: f64,
        connections: u32,
        delivered: bool,
        now: f64,
    ) -> Result<(), JsValue> {
        self.act(|state| {
            state.spend(bytes as u64, connections.into(), delivered, now as i64);
            Ok(())
        })
    }

    /// The answer in a frame from the node with everything it brings, as a frame to be taken.
    pub fn unpacked(&self, frame: &[u8]) -> Result<Vec<u8>, JsValue> {
        self.act(|state| state.unpacked(frame))
    }

    /// Takes a frame from [`Tablet::unpacked`]; `fresh` is eight random bytes, `without` a list of parts to leave out.
    pub fn receive(
        &self,
        frame: &[u8],
        now: f64,
        fresh: &[u8],
        without: &str,
    ) -> Result<String, JsValue> {
        self.act(|state| state.receive(frame, now as i64, fresh, without))
    }

    /// What waits, by report, the bytes of sending it, and what of it the day has room for.
    pub fn unsent(&self, now: f64) -> Result<String, JsValue> {
        self.act(|state| state.unsent(now as i64))
    }

    /// Everything signed that is here, as a file that `dongbo` reads.
    pub fn recovery(&self) -> Result<String, JsValue> {
        self.act(TabletState::recovery)
    }

    /// What waits, as a bundle file for any server of the province. The writes are to be durable before the file
    /// is given out.
    #[wasm_bindgen(js_name = writeBundle)]
    pub fn write_bundle(&self, now: f64) -> Result<Vec<u8>, JsValue> {
        self.act(|state| state.write_bundle(now as i64))
    }

    /// Takes in a bundle file: receipts, what others wrote, records.
    #[wasm_bindgen(js_name = takeBundle)]
    pub fn take_bundle(&self, bytes: &[u8], now: f64) -> Result<String, JsValue> {
        self.act(|state| state.take_bundle(bytes, now as i64))
    }

    /// The edges that this person's tablet may exchange with: address and label of each.
    pub fn nodes(&self, now: f64) -> Result<String, JsValue> {
        self.act(|state| state.nodes(now as i64))
    }

    /// Says which node is the province's own, so that what an edge alone has is told apart.
    #[wasm_bindgen(js_name = provinceIs)]
    pub fn province_is(&self, node: &str) -> Result<(), JsValue> {
        self.act(|state| state.province_is(node))
    }

    /// What waits, what is held.
    pub fn status(&self) -> Result<String, JsValue> {
        self.act(|state| state.status())
    }

    /// Who works here, and the province.
    pub fn person(&self, now: f64) -> Result<String, JsValue> {
        self.act(|state| state.person(now as i64))
    }

    /// The reports that are due from the person's units, and those that are here. `app` is the version of the
    /// app: how far a report is counts only as that version counted it.
    pub fn work(&self, now: f64, app: &str) -> Result<String, JsValue> {
        self.act(|state| state.work(now as i64, app))
    }

    /// Puts what the list counted anew among the writes, so that the next start need not.
    #[wasm_bindgen(js_name = keepCounts)]
    pub fn keep_counts(&self) -> Result<(), JsValue> {
        self.act(|state| {
            state.keep_counts();
            Ok(())
        })
    }

    /// The units whose figures the person follows, and the reports that are owed.
    pub fn desks(&self, now: f64) -> Result<String, JsValue> {
        self.act(|state| state.desks(now as i64))
    }

    /// What each of several choices for a cell would do: `choices` as for [`Tablet::edit`], `totals`
    /// the ranges of the row in the units above, as far as they are known.
    pub fn effect(
        &self,
        subject: &str,
        code: &str,
        choices: &str,
        totals: &str,
    ) -> Result<String, JsValue> {
        self.act(|state| state.effect(subject, code, choices, totals))
    }

    /// The printed form of a template, of a version or of the newest one: sections and rows. With `of`, a subject,
    /// it has the rows that the unit of that report and those above it added.
    pub fn form(
        &self,
        template: &str,
        version: Option<u32>,
        of: Option<String>,
    ) -> Result<String, JsValue> {
        self.act(|state| state.form(template, version, of.as_deref()))
    }

    /// The rows that units added to the form of a report: its own unit first, then those above that have any or for
    /// which this person may add some.
    #[wasm_bindgen(js_name = localRows)]
    pub fn local_rows(&self, subject: &str, now: f64) -> Result<String, JsValue> {
        self.act(|state| state.local_rows(subject, now as i64))
    }

    /// Adds a row to the form of a report for a unit: its own, or one above it. `random` is 4 random bytes.
    #[wasm_bindgen(js_name = addLocalRow)]
    pub fn add_local_row(
        &self,
        subject: &str,
        unit: &str,
        row: &str,
        now: f64,
        random: &[u8],
    ) -> Result<String, JsValue> {
        self.act(|state| state.add_local_row(subject, unit, row, now as i64, random))
    }

    /// Changes a row that a unit added: what is not named stays.
    #[wasm_bindgen(js_name = changeLocalRow)]
    pub fn change_local_row(
        &self,
        subject: &str,
        code: &str,
        change: &str,
        now: f64,
    ) -> Result<String, JsValue> {
        self.act(|state| state.change_local_row(subject, code, change, now as i64))
    }

    /// What the newest version of its form would change in a report; null if it is filled by that one.
    #[wasm_bindgen(js_name = newerVersion)]
    pub fn newer_version(&self, subject: &str) -> Result<String, JsValue> {
        self.act(|state| state.newer_version(subject))
    }

    /// Every row of a report with its draft: values, rivals, formulas, findings.
    pub fn report(&self, subject: &str) -> Result<String, JsValue> {
        self.act(|state| state.report(subject))
    }

    /// What stood in the two periods before, by code, as far as they are on this tablet.
    pub fn earlier(&self, subject: &str) -> Result<String, JsValue> {
        self.act(|state| state.earlier(subject))
    }

    /// Every value that a cell ever had, the oldest first.
    pub fn history(&self, subject: &str, code: &str) -> Result<String, JsValue> {
        self.act(|state| state.history(subject, code))
    }

    /// What a typed text would be in a row of a version, or of the newest one; `of` as for [`Tablet::form`].
    #[wasm_bindgen(js_name = readTyped)]
    pub fn read_typed(
        &self,
        template: &str,
        code: &str,
        text: &str,
        version: Option<u32>,
        of: Option<String>,
    ) -> Result<String, JsValue> {
        self.act(|state| state.read_typed(template, code, text, version, of.as_deref()))
    }

    /// The same of many cells: `cells` is a list of code and text.
    #[wasm_bindgen(js_name = readAll)]
    pub fn read_all(
        &self,
        template: &str,
        cells: &str,
        version: Option<u32>,
        of: Option<String>,
    ) -> Result<String, JsValue> {
        self.act(|state| state.read_all(template, cells, version, of.as_deref()))
    }

    /// Totals of a unit from the reports on this tablet.
    pub fn totals(
        &self,
        template: &str,
        period: &str,
        unit: &str,
        now: f64,
    ) -> Result<String, JsValue> {
        self.act(|state| state.totals(template, period, unit, now as i64))
    }
}

/// A frame under way to the node and its answer back, over as many connections as it takes.
#[wasm_bindgen]
#[derive(Debug)]
pub struct UnderWay {
    state: RefCell<Carried>,
}

#[wasm_bindgen]
impl UnderWay {
    /// A frame that nobody has seen yet.
    #[wasm_bindgen(constructor)]
    pub fn begin(frame: Vec<u8>) -> UnderWay {
        Self {
            state: RefCell::new(Carried::new(frame)),
        }
    }

    /// True if it is this frame that is under way.
    pub fn is(&self, frame: &[u8]) -> bool {
        self.state.borrow().is(frame)
    }

    /// What to send on the next connection.
    pub fn said(&self) -> Vec<u8> {
        self.state.borrow().said()
    }

    /// Takes what a connection brought, `cut` short or not; gives the answer once it is whole.
    pub fn take(&self, bytes: &[u8], cut: bool) -> Option<Vec<u8>> {
        self.state.borrow_mut().take(bytes, cut)
    }

    /// How much is left while a connection brings its answer: bytes to send, and bytes to receive once those are
    /// known. `begins_with` are the first bytes of the `came` that it brought so far.
    pub fn left(&self, begins_with: &[u8], came: u32) -> Vec<u32> {
        let left = self.state.borrow().left(begins_with, came as usize);
        let numbers = [Some(left.send), left.receive];
        let known = numbers.into_iter().flatten();
        known.map(|bytes| bytes as u32).collect()
    }

    /// Bytes of the request that arrived as far as is known, and of the answer that are here: two numbers.
    pub fn progress(&self) -> Vec<u32> {
        let (there, here) = self.state.borrow().progress();
        [there, here].map(|bytes| bytes as u32).to_vec()
    }
}

/// What an answer would bring: names of parts, count of catalogue records.
#[wasm_bindgen]
pub fn brings(frame: &[u8]) -> Result<String, JsValue> {
    tablet::brings(frame).map_err(|error| thrown(&error))
}

/// A template filled with these edits, as [`Tablet::form`] and [`Tablet::report`] show it, and kept nowhere; or the
/// `fault` of what was typed.
#[wasm_bindgen]
pub fn trial(template: &str, edits: &str, now: f64) -> Result<String, JsValue> {
    tablet::trial(template, edits, now as i64).map_err(|error| thrown(&error))
}

/// The recovery file of the signed rows that wait: all that can be had without the PIN.
#[wasm_bindgen(js_name = recoveryOf)]
pub fn recovery_of(province: &str, rows: &[u8]) -> Result<String, JsValue> {
    tablet::recovery_of(province, rows).map_err(|error| thrown(&error))
}

fn shut(error: VaultError) -> JsValue {
    JsValue::from(JsError::new(&format!("{error}: the vault stays shut")))
}

/// Refuses what cannot be a new PIN.
#[wasm_bindgen(js_name = checkPin)]
pub fn check_pin(pin: &str) -> Result<(), JsValue> {
    vault::check_pin(pin).map_err(shut)
}

/// Seconds to wait after so many wrong PINs in a row.
#[wasm_bindgen(js_name = waitAfter)]
pub fn wait_after(wrong: u32) -> u32 {
    vault::wait_after(wrong)
}

/// Shuts the two secrets of a person under a PIN; `fresh` is 40 random bytes.
#[wasm_bindgen(js_name = makeLock)]
pub fn make_lock(
    pin: &str,
    key_id: &str,
    secrets: &[u8],
    fresh: &[u8],
) -> Result<Vec<u8>, JsValue> {
    vault::make_lock(pin, key_id, secrets, fresh).map_err(shut)
}

/// The two secrets behind a lock: the device key, and the key of what is kept.
#[wasm_bindgen(js_name = openLock)]
pub fn open_lock(pin: &str, key_id: &str, lock: &[u8]) -> Result<Vec<u8>, JsValue> {
    vault::open_lock(pin, key_id, lock).map_err(shut)
}

/// What a person keeps on this device passes through here in both directions.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Vault {
    state: RefCell<VaultState>,
}

#[wasm_bindgen]
impl Vault {
    /// Opens with the secrets of a person; `fresh` is 16 random bytes.
    #[wasm_bindgen(constructor)]
    pub fn open(key_id: &str, secrets: &[u8], fresh: &[u8]) -> Result<Vault, JsValue> {
        let state = VaultState::open(key_id, secrets, fresh).map_err(shut)?;
        Ok(Self {
            state: RefCell::new(state),
        })
    }

    /// Packed writes as they are kept.
    pub fn seal(&self, writes: &[u8]) -> Result<Vec<u8>, JsValue> {
        let mut state = self
            .state
            .try_borrow_mut()
            .map_err(|_| thrown(&StepError::Busy))?;
        state.seal(writes).map_err(shut)
    }

    /// Packed writes as the tablet made them, from rows as they were kept.
    pub fn unseal(&self, rows: &[u8]) -> Result<Vec<u8>, JsValue> {
        let state = self
            .state
            .try_borrow()
            .map_err(|_| thrown(&StepError::Busy))?;
        state.unseal(rows).map_err(shut)
    }
}

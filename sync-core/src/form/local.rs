//! Rows that a unit adds to a form for itself and the units below it. The rows of the form itself are locked.
//!
//! A form belongs to the province and is a signed record. What a unit adds to it is a document of the unit
//! ([`Subject::local_rows`](crate::document::Subject::local_rows)), in a compartment of its own that everybody who
//! reads a unit at or below it reads as well. So rows are added offline, merge as everything does, have an author
//! and a history, and a node refuses them from who has no right to ([`crate::access`]). There is one document for a
//! unit and a form, for all its periods and versions.
//!
//! **What it holds.** Each field of a row is a cell of its own: the key is the id of the row, `/` and the name of the
//! field ([`Field`]). Two people who add rows at once both keep theirs; one who renames a row while another moves
//! it does both. Two names given at once both stand, one of them is shown – the same on every device – and a
//! person is told of the other. Nothing is deleted: a row is *retired*, and then no report shows it; a value in it is
//! kept and shown below the report, as that of a row that a newer version of the form does not have. A row is
//! retired while everybody who has said anything about it says so.
//!
//! **Codes.** The code of a row is `+`, its unit, `.` and its id: no template may have such a code, another unit's
//! are others, and the id begins with the second in which it was made (a claim, used for their order alone) and ends
//! with 32 random bits, so that two people at one moment make two rows. Nobody reads a code: what is shown is an
//! ordinal that follows from where the row stands, `2.1+1` ([`Template::with_local_rows`]).
//!
//! **Where they count.** In a report of the unit or of one below it they are rows as any other: filled, carried
//! forward, checked by their kind. No row of the form names them, so they are in no formula, no total and no finding of
//! parts of the province. A total by the form as it was published does not know them; one by a form with
//! the rows of an area adds those up over its units.
//!
//! ```text
//! key of a cell    16 hexadecimal digits, "/", 1 to 16 of a–z _
//! fields           label, label_en, unit, kind, choices (a line "number = label" each), place, help: texts;
//!                  retired: 1 while it is
//! place            section id, ">", the code of the row that it stands below, or nothing: at the end of the section
//! ```
//!
//! A field that this version does not know is kept and not read; one that makes no sense is read as the nearest
//! thing that does ([`LocalRows::of`]): a document is never refused for what somebody's program wrote into it.

mod change;
mod placed;

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{Catalogue, UnitRecord};
use crate::cell::{CellValue, Rival};
use crate::form::{Choice, Kind};
use crate::identity::UnitId;
use crate::limits;

pub use change::{LocalRowError, RowChange, RowDraft, add, change};
pub use placed::Standing;

/// Begins the code of a row that a unit added.
pub const MARK: char = '+';

/// Digits of an id and of a unit.
const ID_DIGITS: usize = 16;

/// The id of a row among those of its unit and form: the second it was made in, then 32 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalRowId(u64);

impl LocalRowId {
    /// The id of a row made at this time (seconds since 1970, a claim) with these random bits.
    pub fn new(made_at: i64, random: [u8; 4]) -> Self {
        let seconds = u32::try_from(made_at.clamp(0, u32::MAX.into())).unwrap_or(u32::MAX);
        Self((u64::from(seconds) << 32) | u64::from(u32::from_be_bytes(random)))
    }

    fn parse(text: &str) -> Option<Self> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_id = text.len() == ID_DIGITS && text.bytes().all(digit);
        let id = is_id.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        id.map(Self)
    }
}

impl std::fmt::Display for LocalRowId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The code of a row that a unit added.
pub fn code(unit: UnitId, id: LocalRowId) -> String {
    format!("{MARK}{unit}.{id}")
}

/// The unit that added the row of a code, and which of its rows that is; `None` for a code of the form itself.
pub fn of_code(code: &str) -> Option<(UnitId, LocalRowId)> {
    let (unit, id) = code.strip_prefix(MARK)?.split_once('.')?;
    Some((unit.parse().ok()?, LocalRowId::parse(id)?))
}

/// True for the code of a row that some unit added.
pub fn is_code(code: &str) -> bool {
    of_code(code).is_some()
}

/// True for a key under which anything may stand among the rows of a unit.
pub fn is_key(key: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    let is_name = |name: &str| (1..=16).contains(&name.len()) && name.bytes().all(letter);
    key.split_once('/')
        .is_some_and(|(id, name)| LocalRowId::parse(id).is_some() && is_name(name))
}

/// What is kept of a row, each in a cell of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// What it is called.
    Label,
    /// The same in English, if anybody wrote it.
    LabelEn,
    /// The unit of measure.
    Unit,
    /// What a cell of it holds.
    Kind,
    /// Its code list.
    Choices,
    /// Where it stands.
    Place,
    /// What helps whoever fills it.
    Help,
    /// It is not used any more.
    Retired,
}

impl Field {
    /// Every field with its name.
    pub const NAMES: [(Self, &'static str); 8] = [
        (Self::Label, "label"),
        (Self::LabelEn, "label_en"),
        (Self::Unit, "unit"),
        (Self::Kind, "kind"),
        (Self::Choices, "choices"),
        (Self::Place, "place"),
        (Self::Help, "help"),
        (Self::Retired, "retired"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        let found = Self::NAMES.iter().find(|(field, _)| *field == self);
        found.map_or("", |(_, name)| name)
    }

    /// The key of this field of a row.
    pub fn key(self, id: LocalRowId) -> String {
        format!("{id}/{}", self.name())
    }
}

/// Where a row stands: below a row of the form, or at the end of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowPlace {
    /// The section.
    pub section: String,
    /// The code of a row of the form.
    pub under: Option<String>,
}

impl RowPlace {
    fn read(text: &str) -> Self {
        let (section, under) = text.split_once('>').unwrap_or((text, ""));
        Self {
            section: section.to_owned(),
            under: (!under.is_empty()).then(|| under.to_owned()),
        }
    }

    fn written(&self) -> String {
        let under = self.under.as_deref().unwrap_or_default();
        format!("{}>{under}", self.section)
    }
}

/// A row that a unit added, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalRow {
    /// Which.
    pub id: LocalRowId,
    /// What it is called.
    pub label: String,
    /// The same in English.
    pub label_en: Option<String>,
    /// The unit of measure, or nothing.
    pub unit: String,
    /// What a cell of it holds; never a heading.
    pub kind: Kind,
    /// The code list of a choice.
    pub choices: Vec<Choice>,
    /// Where it stands.
    pub place: RowPlace,
    /// What helps whoever fills it.
    pub help: Option<String>,
    /// No report shows it any more.
    pub retired: bool,
    /// Fields of which several values stand side by side, ascending: two people wrote at once.
    pub contested: BTreeSet<Field>,
}

/// The rows that one unit added to one form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalRows {
    /// The unit.
    pub unit: UnitId,
    /// All of them in the order in which they were made, those retired as well.
    pub rows: Vec<LocalRow>,
}

impl LocalRows {
    /// The rows that the cells of a unit's document make. Every document makes some: what makes no sense is read as
    /// the nearest thing that does.
    pub fn of(unit: UnitId, cells: &BTreeMap<String, Vec<Rival>>) -> Self {
        let mut fields: BTreeMap<LocalRowId, BTreeMap<&str, &[Rival]>> = BTreeMap::new();
        for (key, rivals) in cells.iter().filter(|(key, _)| is_key(key)) {
            if let Some((id, name)) = key.split_once('/')
                && let Some(id) = LocalRowId::parse(id)
            {
                fields.entry(id).or_default().insert(name, rivals);
            }
        }
        let rows = fields.into_iter().map(|(id, of)| read_row(id, &of));
        Self {
            unit,
            rows: rows.collect(),
        }
    }

    /// The rows that reports show: those not retired, the first of them if there are too many.
    pub fn in_use(&self) -> impl Iterator<Item = &LocalRow> {
        let in_use = self.rows.iter().filter(|row| !row.retired);
        in_use.take(limits::LOCAL_ROWS_MAX)
    }

    /// The row of an id.
    pub fn row(&self, id: LocalRowId) -> Option<&LocalRow> {
        self.rows.iter().find(|row| row.id == id)
    }
}

/// The units whose rows stand in the reports of a unit on a day, those further up first, the unit itself last. A unit
/// that was not there yet on that day is asked about on its first.
pub fn units_of(catalogue: &Catalogue, unit: UnitId, day: &str) -> Vec<UnitId> {
    let first = catalogue.unit(unit).and_then(<[UnitRecord]>::first);
    let day = match (catalogue.unit_on(unit, day), first) {
        (None, Some(first)) => first.valid_from.as_str(),
        (Some(_), _) | (None, None) => day,
    };
    let mut units = vec![unit];
    units.extend(catalogue.above(unit, day));
    units.reverse();
    units
}

/// What is shown of several values that stand side by side: the same everywhere, whoever came first.
fn shown(rivals: &[Rival]) -> Option<&CellValue> {
    let one = rivals.iter().max_by_key(|rival| rival.change);
    one.map(|rival| &rival.value)
}

fn read_row(id: LocalRowId, of: &BTreeMap<&str, &[Rival]>) -> LocalRow {
    let rivals = |field: Field| of.get(field.name()).copied().unwrap_or_default();
    let text = |field: Field| match shown(rivals(field)) {
        Some(CellValue::Text(text)) => legible(text),
        Some(CellValue::Number(number)) => number.canonical(),
        Some(CellValue::Empty | CellValue::NoOccurrence) | None => String::new(),
    };
    let some = |text: String| (!text.is_empty()).then_some(text);
    let choices = match shown(rivals(Field::Choices)) {
        Some(CellValue::Text(text)) => read_choices(text),
        Some(CellValue::Number(_) | CellValue::Empty | CellValue::NoOccurrence) | None => {
            Vec::new()
        }
    };
    let kind = match Kind::from_name(&text(Field::Kind)) {
        Some(Kind::Choice) if choices.is_empty() => Kind::Text,
        Some(Kind::Heading) | None => Kind::Text,
        Some(kind) => kind,
    };
    let retires = |rival: &Rival| rival.value == CellValue::Number(1.into());
    let retired = rivals(Field::Retired);
    let contested = Field::NAMES
        .into_iter()
        .map(|(field, _)| field)
        .filter(|field| rivals(*field).len() > 1);
    LocalRow {
        id,
        label: some(text(Field::Label)).unwrap_or_else(|| id.to_string()),
        label_en: some(text(Field::LabelEn)),
        unit: text(Field::Unit),
        kind,
        choices: if kind == Kind::Choice {
            choices
        } else {
            Vec::new()
        },
        place: RowPlace::read(&text(Field::Place)),
        help: some(text(Field::Help)),
        retired: !retired.is_empty() && retired.iter().all(retires),
        contested: contested.collect(),
    }
}

/// A text on one line, cut to what a row takes.
fn legible(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_control() || c.is_whitespace()) {
        if word.is_empty() {
            continue;
        }
        let gap = usize::from(!line.is_empty());
        if line.len() + gap + word.len() > limits::LOCAL_ROW_TEXT_BYTES_MAX {
            break;
        }
        if gap == 1 {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

fn read_choices(text: &str) -> Vec<Choice> {
    let mut seen = BTreeSet::new();
    let one = |line: &str| {
        let (value, label) = line.split_once('=')?;
        let value: i64 = value.trim().parse().ok()?;
        let label = legible(label);
        seen.insert(value).then_some(Choice { value, label })
    };
    let choices = text.lines().filter_map(one);
    choices.take(limits::TEMPLATE_CHOICES_MAX).collect()
}

fn written_choices(choices: &[Choice]) -> String {
    let line = |choice: &Choice| format!("{} = {}", choice.value, choice.label);
    let lines: Vec<String> = choices.iter().map(line).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests;

//! From the lines of tables to rows: which line begins a row, which continues one, which is something
//! else. A row that a page cut in two, or that shares a cell with others, comes out whole.

mod around;
mod cells;

use std::collections::BTreeMap;

use super::columns::{self, Columns, Role};
use super::ranks::{self, Rank};
use super::{Became, Part, PartKind, PlanError, PrintedLine, TableHead, deadline};
use crate::form::printed::sheet::{Field, Line};
use crate::form::printed::wording::{folded, single_spaced};
use crate::limits;
pub(super) use cells::{Cell, RawRow, tidy};
use cells::{cell_mut, cell_of, cells, is_ditto};

/// A heading that opens a section.
#[derive(Debug, Clone)]
pub(super) struct Heading {
    pub(super) stt: String,
    pub(super) title: String,
    pub(super) part: usize,
    pub(super) line: u32,
    /// It stands above a table and not in it: only a section if the table has none of its own.
    pub(super) above: Option<usize>,
}

#[derive(Debug, Clone)]
pub(super) enum Event {
    Section(Heading),
    Row(usize),
}

/// Everything that was read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) events: Vec<Event>,
    pub(super) rows: Vec<RawRow>,
    pub(super) lines: Vec<PrintedLine>,
    pub(super) heads: Vec<TableHead>,
    /// Lines around the tables.
    pub(super) outside: Vec<String>,
}

/// Reads the parts of a document in their order.
pub(super) fn read(parts: &[Part]) -> Result<Reading, PlanError> {
    let mut reader = Reader {
        reading: Reading::default(),
        columns: None,
        broken: false,
        last: None,
        anchors: BTreeMap::new(),
        above: Vec::new(),
        field: String::new(),
        numbered_sections: false,
        closed: false,
        part: 0,
        last_in_table: 0,
    };
    for (index, part) in parts.iter().enumerate() {
        reader.part = index;
        reader.part(part)?;
    }
    Ok(reader.reading)
}

struct Reader {
    reading: Reading,
    columns: Option<Columns>,
    /// A header, a page number or a new table stood between the last row and here.
    broken: bool,
    last: Option<usize>,
    /// The row that a merged cell of a role began in.
    anchors: BTreeMap<Role, usize>,
    /// Lines above the next table: the place in the list of lines, and the words.
    above: Vec<(usize, String)>,
    /// What stands in the column of fields.
    field: String,
    numbered_sections: bool,
    closed: bool,
    part: usize,
    last_in_table: u32,
}

impl Reader {
    fn part(&mut self, part: &Part) -> Result<(), PlanError> {
        let lines = part.sheet.lines().map_err(PlanError::Table)?;
        let name = part.sheet.name().to_owned();
        self.closed = false;
        self.field.clear();
        let has_header = (0..lines.len()).any(|at| {
            lines
                .get(at..)
                .is_some_and(|lines| columns::find(lines).is_some())
        });
        let mut in_table = !has_header && part.kind != PartKind::Text && self.continues(&lines);
        if in_table {
            self.broken = self.last.is_some();
        }
        let mut after_header = false;
        let mut at = 0;
        let mut row = 0;
        while let Some(line) = lines.get(at) {
            if line.row > row {
                self.say_blank(&name, row, line.row);
            }
            row = line.row + 1;
            if part.sheet.is_hidden() {
                self.say(&name, line, Became::HiddenSheet);
                at += 1;
                continue;
            }
            let found = match part.kind {
                PartKind::Text => None,
                PartKind::Sheet | PartKind::Table => {
                    columns::find(lines.get(at..).unwrap_or_default())
                }
            };
            if let Some(found) = found {
                let like = self
                    .columns
                    .as_ref()
                    .is_some_and(|known| known.is_like(&found));
                let again = like && self.last.is_some();
                let became = if again {
                    Became::RepeatedHeader
                } else {
                    Became::Header
                };
                let depth = found.depth;
                for header in lines.iter().skip(at).take(depth) {
                    self.say(&name, header, became);
                    row = header.row + 1;
                }
                if !(again && in_table) {
                    self.reading.heads.push(TableHead {
                        place: part.sheet.place(line.row, 0),
                        columns: found.columns.clone(),
                    });
                    self.heading_above();
                    self.columns = Some(found);
                    self.anchors.clear();
                }
                self.broken = self.last.is_some();
                self.closed = false;
                self.last_in_table = line.row + u32::try_from(depth).unwrap_or(1);
                in_table = true;
                after_header = true;
                at += depth;
                continue;
            }
            if in_table {
                self.line(&name, line, after_header)?;
                let numbers = self.reading.lines.last().map(|line| line.became)
                    == Some(Became::ColumnNumbers);
                after_header &= numbers;
            } else {
                let text = line.text();
                let number = text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
                let became = match (part.kind, has_header) {
                    (PartKind::Text, _) if number => Became::PageNumber,
                    (PartKind::Text, _) | (_, true) => Became::Title,
                    (PartKind::Sheet | PartKind::Table, false) => Became::NoTable,
                };
                self.say(&name, line, became);
                self.reading.outside.push(text.clone());
                let last = self.reading.lines.len().saturating_sub(1);
                self.above.push((last, text));
                if self.above.len() > 3 {
                    self.above.remove(0);
                }
            }
            at += 1;
        }
        Ok(())
    }

    /// True if a table without a header goes on where the last one stopped: as many columns.
    fn continues(&self, lines: &[Line]) -> bool {
        let Some(columns) = &self.columns else {
            return false;
        };
        let width = lines
            .iter()
            .flat_map(|line| &line.fields)
            .map(|field| field.last_column)
            .max();
        let full = lines.iter().any(|line| line.fields.len() >= 3);
        full && width == Some(columns.last_column())
    }

    /// "II. XÂY DỰNG VĂN BẢN" right above a table.
    fn heading_above(&mut self) {
        let above = std::mem::take(&mut self.above);
        for (at, text) in above.into_iter().rev() {
            let Some((stt, title)) = ranks::split(&text, true) else {
                continue;
            };
            if !ranks::standing(&stt, None).is_some_and(|standing| ranks::opens_section(&standing))
            {
                continue;
            }
            let (part, line) = (
                self.part,
                self.reading.lines.get(at).map_or(0, |line| line.row - 1),
            );
            self.reading.events.push(Event::Section(Heading {
                stt,
                title,
                part,
                line,
                above: Some(at),
            }));
            return;
        }
    }

    fn say(&mut self, sheet: &str, line: &Line, became: Became) {
        let row = line.row + 1;
        self.reading.lines.push(PrintedLine {
            sheet: sheet.to_owned(),
            row,
            through: row,
            text: line.text(),
            became,
        });
    }

    fn say_blank(&mut self, sheet: &str, from: u32, to: u32) {
        self.reading.lines.push(PrintedLine {
            sheet: sheet.to_owned(),
            row: from + 1,
            through: to,
            text: String::new(),
            became: Became::Blank,
        });
    }

    fn line(&mut self, sheet: &str, line: &Line, after_header: bool) -> Result<(), PlanError> {
        let Some(columns) = self.columns.clone() else {
            return Ok(());
        };
        let own: Vec<&Field> = line.own().collect();
        let bracketed = own
            .iter()
            .all(|field| field.cell.text.trim().starts_with('('));
        if columns::is_column_numbers(line) && (after_header || bracketed) {
            self.broken = self.last.is_some();
            self.say(sheet, line, Became::ColumnNumbers);
            return Ok(());
        }
        let gap = line.row > self.last_in_table + 1;
        self.last_in_table = line.row;
        if let Some(became) = self.around(&own, &columns, gap) {
            self.broken |= became == Became::PageNumber && self.last.is_some();
            self.closed |= became == Became::Closing;
            self.say(sheet, line, became);
            return Ok(());
        }
        let found = cells(line, &columns);
        if found.is_empty() {
            self.say(sheet, line, Became::Outside);
            return Ok(());
        }
        let became = self.row(sheet, line, &columns, &found, &own)?;
        self.say(sheet, line, became);
        Ok(())
    }

    fn row(
        &mut self,
        sheet: &str,
        line: &Line,
        columns: &Columns,
        found: &BTreeMap<Role, (String, bool)>,
        own: &[&Field],
    ) -> Result<Became, PlanError> {
        let own_text = |role: Role| {
            let text = found.get(&role).filter(|(_, covered)| !covered);
            text.map_or(String::new(), |(text, _)| text.clone())
        };
        let covered = |role: Role| found.get(&role).is_some_and(|(_, covered)| *covered);
        let mut stt = single_spaced(&own_text(Role::Ordinal));
        let mut title = own_text(Role::Title);
        let widest = own
            .iter()
            .map(|field| field.last_column - field.first_column)
            .max()
            .unwrap_or(0);
        let width = columns.last_column()
            - columns
                .columns
                .iter()
                .map(|one| one.column)
                .min()
                .unwrap_or(0);
        let whole = own.len() <= 2 && widest > 0 && widest * 2 >= width;
        let roles = [
            Role::Requirement,
            Role::Deadline,
            Role::Lead,
            Role::Coordinating,
        ];
        let has_content =
            roles.iter().any(|role| !own_text(*role).is_empty()) || found.contains_key(&Role::Tick);
        // A heading over the whole line stands where the ordinals are.
        if whole && title.is_empty() {
            title = std::mem::take(&mut stt);
        }
        if ranks::standing(&stt, None).is_none() && !stt.is_empty() && title.is_empty() {
            title = std::mem::take(&mut stt);
        }
        if stt.is_empty()
            && let Some((before, rest)) =
                ranks::split(&title, whole || !has_content && ranks::is_capitals(&title))
        {
            (stt, title) = (before, rest);
        }
        let standing = ranks::standing(&stt, None);
        if !has_content
            && !title.is_empty()
            && self.is_section(&stt, &title, standing.as_ref(), whole)
        {
            self.numbered_sections |= !stt.is_empty();
            self.reading.events.push(Event::Section(Heading {
                stt,
                title: tidy(&title),
                part: self.part,
                line: line.row,
                above: None,
            }));
            self.anchors.clear();
            self.broken = false;
            return Ok(Became::Section(usize::MAX));
        }
        let shares_title = title.is_empty() && covered(Role::Title);
        if let Some(last) = self.last
            && self.continues_row(last, &stt, &title, shares_title, found)
        {
            self.join(last, found);
            self.broken = false;
            return Ok(Became::Joined(last));
        }
        if title.is_empty() && !shares_title {
            let ordinals_only = !has_content && !stt.is_empty();
            if self.last.is_none() || ordinals_only {
                return Ok(Became::NoTitle);
            }
        }
        if self.reading.rows.len() >= limits::PLAN_ROWS_MAX {
            return Err(PlanError::TooManyRows(crate::form::printed::Place {
                sheet: sheet.to_owned(),
                row: line.row + 1,
                column: 1,
            }));
        }
        self.field_of(line, found);
        self.begin(line, columns, found, stt, title, shares_title);
        Ok(Became::Row(self.reading.rows.len() - 1))
    }

    fn is_section(
        &self,
        stt: &str,
        title: &str,
        standing: Option<&ranks::Standing>,
        whole: bool,
    ) -> bool {
        match standing {
            Some(standing) if ranks::opens_section(standing) => true,
            Some(standing) => {
                let single = standing.path.len() == 1 && standing.rank == Rank::Number;
                single && whole && ranks::is_capitals(title) && !self.numbered_sections
            }
            None if !stt.is_empty() => false,
            None => ranks::is_capitals(title) || whole && !self.numbered_sections,
        }
    }

    /// True if a line is more of the row before it.
    fn continues_row(
        &self,
        last: usize,
        stt: &str,
        title: &str,
        shares_title: bool,
        found: &BTreeMap<Role, (String, bool)>,
    ) -> bool {
        let Some(row) = self.reading.rows.get(last) else {
            return false;
        };
        let own = |role: Role| {
            let text = found.get(&role).filter(|(_, covered)| !covered);
            text.map_or("", |(text, _)| text.as_str())
        };
        let when = own(Role::Deadline);
        let whole = !when.is_empty() && deadline::is_whole(when);
        let filled = [Role::Requirement, Role::Lead, Role::Coordinating]
            .iter()
            .filter(|role| !own(**role).is_empty())
            .count();
        if shares_title {
            // A title over several lines, each with its own work: rows of their own.
            return self.broken || filled + usize::from(whole) < 2;
        }
        let begins_small = |text: &str| {
            let first = text.trim_start().chars().next();
            first.is_some_and(|one| one.is_lowercase() || matches!(one, ',' | ';' | '.' | ')'))
        };
        if !stt.is_empty() {
            let same = stt == row.stt && self.broken;
            return same && (title.is_empty() || begins_small(title) || title == row.title.text);
        }
        if title.is_empty() {
            return true;
        }
        if begins_small(title) {
            return true;
        }
        // "Trong năm" at the foot of a page, "2026" on the next.
        let when = folded(&row.deadline.text);
        let cut = ["nam", "thang", "quy", "ngay", "truoc", "den"]
            .iter()
            .any(|word| when.ends_with(word));
        let last_whole = !cut && deadline::is_whole(&row.deadline.text);
        let numbered = !row.stt.is_empty();
        self.broken && numbered && row.has_any() && !(whole && last_whole)
    }

    fn join(&mut self, last: usize, found: &BTreeMap<Role, (String, bool)>) {
        let anchors = self.anchors.clone();
        for (role, (text, covered)) in found {
            if *covered {
                continue;
            }
            // What is added to a shared cell is added where it stands.
            let at = match role {
                Role::Ordinal | Role::Field | Role::Tick | Role::Other => last,
                Role::Title
                | Role::Requirement
                | Role::Deadline
                | Role::Lead
                | Role::Coordinating => {
                    let shared = self
                        .reading
                        .rows
                        .get(last)
                        .and_then(|row| cell_of(row, *role))
                        .is_some_and(|cell| cell.shared_with.is_some());
                    if shared {
                        anchors.get(role).copied().unwrap_or(last)
                    } else {
                        last
                    }
                }
            };
            let Some(row) = self.reading.rows.get_mut(at) else {
                continue;
            };
            row.joined = true;
            let line = matches!(role, Role::Lead | Role::Coordinating)
                || text.trim_start().starts_with(['-', '+', '•', '*', '–']);
            if let Some(cell) = cell_mut(row, *role) {
                if !cell.text.is_empty() {
                    cell.text.push(if line { '\n' } else { ' ' });
                }
                cell.text.push_str(text);
                self.anchors.insert(*role, at);
            } else if *role == Role::Other {
                row.others.push((String::new(), text.clone()));
            }
        }
    }

    /// The column of fields opens sections.
    fn field_of(&mut self, line: &Line, found: &BTreeMap<Role, (String, bool)>) {
        let Some((text, _)) = found.get(&Role::Field) else {
            return;
        };
        let text = tidy(text);
        if text == self.field {
            return;
        }
        self.field.clone_from(&text);
        let (stt, title) = ranks::split(&text, true).unwrap_or((String::new(), text));
        self.reading.events.push(Event::Section(Heading {
            stt,
            title,
            part: self.part,
            line: line.row,
            above: None,
        }));
    }

    fn begin(
        &mut self,
        line: &Line,
        columns: &Columns,
        found: &BTreeMap<Role, (String, bool)>,
        stt: String,
        title: String,
        shares_title: bool,
    ) {
        let index = self.reading.rows.len();
        let mut row = RawRow {
            part: self.part,
            line: line.row,
            column: columns.first(Role::Title).unwrap_or(0),
            stt,
            title: Cell {
                text: title,
                ..Cell::default()
            },
            ..RawRow::default()
        };
        for role in [
            Role::Requirement,
            Role::Deadline,
            Role::Lead,
            Role::Coordinating,
        ] {
            let Some((text, covered)) = found.get(&role) else {
                continue;
            };
            let ditto = is_ditto(text);
            let anchor = self.anchors.get(&role).copied();
            let anchor = anchor.filter(|_| *covered || ditto);
            if let Some(cell) = cell_mut(&mut row, role) {
                cell.text.clone_from(text);
                cell.shared_with = anchor;
                cell.ditto = ditto && anchor.is_some();
            }
            if anchor.is_none() {
                self.anchors.insert(role, index);
            }
        }
        if shares_title && let Some((text, _)) = found.get(&Role::Title) {
            row.title = Cell {
                text: text.clone(),
                shared_with: self.anchors.get(&Role::Title).copied(),
                ditto: false,
            };
            if row.stt.is_empty()
                && let Some(anchor) = row
                    .title
                    .shared_with
                    .and_then(|at| self.reading.rows.get(at))
            {
                row.stt.clone_from(&anchor.stt);
            }
        } else {
            self.anchors.insert(Role::Title, index);
        }
        if let Some((ticked, _)) = found.get(&Role::Tick)
            && row.deadline.text.is_empty()
        {
            row.deadline.text.clone_from(ticked);
        }
        for column in columns
            .columns
            .iter()
            .filter(|column| column.role == Role::Other)
        {
            let field = line.own().find(|field| field.first_column == column.column);
            if let Some(field) = field {
                row.others
                    .push((single_spaced(&column.heading), tidy(&field.cell.text)));
            }
        }
        self.reading.rows.push(row);
        self.reading.events.push(Event::Row(index));
        self.last = Some(index);
        self.broken = false;
    }
}

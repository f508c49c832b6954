//! From the lines of a sheet to rows of a table, titles, and lines that are neither, each with why.

mod around;

use super::columns::{self, Columns, Role};
use super::ordinal::{self, Ordinal};
use super::sheet::{Cell, Field, Line, Sheet};
use super::wording::{begins_any, folded, single_spaced};
use super::{PrintedError, Skip, SkippedLine, TableHead};
use crate::limits;
use around::{caption_unit, is_closing, is_footnote, is_page_number};

pub(super) use around::form_label;

/// One row of a table, before anything is made of it.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) sheet: usize,
    /// From 0.
    pub(super) line: u32,
    /// As printed.
    pub(super) stt: String,
    pub(super) ordinal: Ordinal,
    /// The ordinal was stored as a number: `1.10` may have become `1.1`.
    pub(super) stored_number: bool,
    pub(super) code: Option<String>,
    pub(super) label: String,
    pub(super) unit: String,
    pub(super) unit_from: UnitFrom,
    pub(super) figure: Option<Cell>,
    pub(super) note: String,
    /// Headings of further columns with what stands there.
    pub(super) others: Vec<(String, String)>,
    /// It stands in one field alone, over the width of the table or in its first column.
    pub(super) alone: bool,
    /// Spaces before the label.
    pub(super) indent: usize,
    /// Columns from 0, for the places of errors.
    pub(super) places: Places,
    /// "Trong đó" stood in a line of its own right above.
    pub(super) after_of_which: bool,
    /// "Chia ra" stood there: the parts are all there is.
    pub(super) chia_ra: bool,
}

/// Columns of one row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub(super) ordinal: u32,
    pub(super) label: u32,
    pub(super) figure: Option<u32>,
    pub(super) note: u32,
    pub(super) has_units: bool,
}

/// Where a unit of measure was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnitFrom {
    /// In the row, or nowhere.
    Row,
    /// In a region merged over several rows.
    Merged,
    /// A sign for "as above".
    Ditto,
    /// In a line above the table, for all its rows.
    Caption,
}

/// What a sheet says, from the top.
#[derive(Debug, Clone)]
pub(super) enum Event {
    /// A line of words outside a table.
    Title(Title),
    /// A header; the first of its sheet or one that repeats.
    Header,
    /// A row.
    Row(Box<Row>),
}

/// A line of words outside a table.
#[derive(Debug, Clone)]
pub(super) struct Title {
    pub(super) line: u32,
    pub(super) text: String,
}

/// Everything a sheet gives.
#[derive(Debug, Default)]
pub(super) struct SheetReading {
    pub(super) events: Vec<Event>,
    pub(super) skipped: Vec<SkippedLine>,
    pub(super) heads: Vec<TableHead>,
}

struct Reader<'a> {
    sheet: &'a Sheet,
    index: usize,
    reading: SheetReading,
    columns: Option<Columns>,
    caption_unit: Option<String>,
    unit_above: String,
    after_of_which: bool,
    chia_ra: bool,
    closing: bool,
}

/// Reads one sheet. `depth` lines of a header are tried at each line outside one.
pub(super) fn read(sheet: &Sheet, index: usize) -> Result<SheetReading, PrintedError> {
    let lines = sheet.lines()?;
    let mut reader = Reader {
        sheet,
        index,
        reading: SheetReading::default(),
        columns: None,
        caption_unit: None,
        unit_above: String::new(),
        after_of_which: false,
        chia_ra: false,
        closing: false,
    };
    if sheet.is_hidden() {
        for line in &lines {
            reader.skip(line, Skip::HiddenSheet);
        }
        return Ok(reader.reading);
    }
    let mut at = 0;
    while let Some(rest) = lines.get(at..).filter(|rest| !rest.is_empty()) {
        at += reader.step(rest);
    }
    reader.blank_lines(&lines);
    Ok(reader.reading)
}

impl Reader<'_> {
    /// Takes the first of these lines, and more if a header is deeper; returns how many.
    fn step(&mut self, rest: &[Line]) -> usize {
        let Some(line) = rest.first() else { return 1 };
        if let Some(found) = columns::find(rest).filter(|found| self.may_be_header(found)) {
            return self.header(rest, found);
        }
        if self.columns.is_some() && columns::is_column_numbers(line) {
            self.skip(line, Skip::ColumnNumbers);
            return 1;
        }
        match self.columns.clone() {
            None => self.title(line),
            Some(columns) => self.table_line(&columns, line),
        }
        1
    }

    /// Below a header, labels and units are words like those of headers: another one has to say as much
    /// as the first did, or three things at least.
    fn may_be_header(&self, found: &Columns) -> bool {
        self.columns.as_ref().is_none_or(|known| {
            found.columns == known.columns || found.roles() >= known.roles().min(3)
        })
    }

    fn header(&mut self, rest: &[Line], found: Columns) -> usize {
        let depth = found.depth.max(1);
        let repeats = self
            .columns
            .as_ref()
            .is_some_and(|known| known.columns == found.columns);
        for line in rest.iter().take(depth) {
            let why = if repeats {
                Skip::RepeatedHeader
            } else {
                Skip::Header
            };
            self.skip(line, why);
        }
        if let (Some(line), false) = (rest.first(), repeats) {
            self.reading.heads.push(TableHead {
                place: self.sheet.place(line.row, 0),
                columns: found.columns.clone(),
            });
        }
        self.reading.events.push(Event::Header);
        self.columns = Some(found);
        self.closing = false;
        depth
    }

    fn skip(&mut self, line: &Line, why: Skip) {
        self.reading.skipped.push(SkippedLine {
            sheet: self.sheet.name().to_owned(),
            row: line.row.saturating_add(1),
            through: line.row.saturating_add(1),
            text: line.text(),
            why,
        });
    }

    /// A line of words outside a table.
    fn title(&mut self, line: &Line) {
        let text = single_spaced(&line.text());
        if let Some(unit) = caption_unit(&text) {
            self.caption_unit = Some(unit);
            self.skip(line, Skip::UnitCaption);
            return;
        }
        self.reading.events.push(Event::Title(Title {
            line: line.row,
            text,
        }));
        self.skip(line, Skip::Title);
    }

    fn table_line(&mut self, columns: &Columns, line: &Line) {
        let own: Vec<&Field> = line
            .own()
            .filter(|field| !field.cell.text.trim().is_empty())
            .collect();
        let whole = single_spaced(&line.text());
        let words = folded(&whole);
        if self.closing || (own.len() <= 3 && is_closing(&words, &own, columns)) {
            // What people sign stands at the end; a new header opens a table again.
            self.closing = true;
            self.skip(line, Skip::Closing);
            return;
        }
        if let [only] = own.as_slice() {
            if let Some(unit) = caption_unit(&whole) {
                self.caption_unit = Some(unit);
                self.skip(line, Skip::UnitCaption);
                return;
            }
            if is_page_number(&words, only, columns) {
                self.skip(line, Skip::PageNumber);
                return;
            }
            if is_footnote(&words, only, columns) {
                self.skip(line, Skip::Footnote);
                return;
            }
            if form_label(&whole).is_some() {
                self.reading.events.push(Event::Title(Title {
                    line: line.row,
                    text: whole,
                }));
                self.skip(line, Skip::Title);
                return;
            }
        }
        self.row(columns, line, &own);
    }

    fn row(&mut self, columns: &Columns, line: &Line, own: &[&Field]) {
        let Some(mut row) = self.fields(columns, line, own) else {
            self.skip(line, Skip::OutsideColumns);
            return;
        };
        if ordinal::is_of_which(&row.label) && row.unit.is_empty() && row.figure.is_none() {
            self.after_of_which = true;
            self.chia_ra = divides_all(&row.label);
            self.skip(line, Skip::OfWhichLine);
            return;
        }
        if row.ordinal == Ordinal::OfWhich && row.label.is_empty() {
            self.after_of_which = true;
            self.chia_ra = divides_all(&row.stt);
            self.skip(line, Skip::OfWhichLine);
            return;
        }
        if self.continues(&row, line) {
            return;
        }
        if row.label.is_empty() {
            self.skip(line, Skip::NoLabel);
            return;
        }
        row.after_of_which = std::mem::take(&mut self.after_of_which);
        row.chia_ra = std::mem::take(&mut self.chia_ra);
        self.unit_above = row.unit.clone();
        self.reading.events.push(Event::Row(Box::new(row)));
    }

    /// A line that only goes on with the row above it: more of its label, unit or note.
    fn continues(&mut self, row: &Row, line: &Line) -> bool {
        let blank = row.ordinal == Ordinal::Blank && row.code.is_none() && row.figure.is_none();
        let Some(Event::Row(above)) = self.reading.events.last() else {
            return false;
        };
        if !blank || line.row != above.line + 1 + self.joined_below(above.line) {
            return false;
        }
        let starts_small = row.label.chars().next().is_some_and(char::is_lowercase);
        let more_label = starts_small && row.unit_is_none_of_its_own();
        let more_unit = row.label.is_empty() && (!row.unit.is_empty() || !row.note.is_empty());
        if !more_label && !more_unit {
            return false;
        }
        let Some(Event::Row(above)) = self.reading.events.last_mut() else {
            return false;
        };
        join(&mut above.label, &row.label);
        if row.unit_from == UnitFrom::Row {
            join(&mut above.unit, &row.unit);
        }
        join(&mut above.note, &row.note);
        let above_line = above.line.saturating_add(1);
        self.skip(line, Skip::JoinedTo(above_line));
        true
    }

    /// How many lines below a row were joined to it already.
    fn joined_below(&self, above: u32) -> u32 {
        let wanted = Skip::JoinedTo(above.saturating_add(1));
        let joined = self
            .reading
            .skipped
            .iter()
            .rev()
            .take_while(|line| line.why == wanted);
        u32::try_from(joined.count()).unwrap_or(u32::MAX / 2)
    }

    fn fields(&self, columns: &Columns, line: &Line, own: &[&Field]) -> Option<Row> {
        let label_column = columns.first(Role::Label)?;
        let places = Places {
            ordinal: columns
                .first(Role::Ordinal)
                .or_else(|| columns.first(Role::Code))
                .unwrap_or(label_column),
            label: label_column,
            figure: columns.first(Role::Figure),
            note: columns.first(Role::Note).unwrap_or(label_column),
            has_units: columns.first(Role::Unit).is_some(),
        };
        // A unit or figure that reaches down to this line belongs to a row like others.
        let reached = [Role::Unit, Role::Figure]
            .into_iter()
            .flat_map(|role| columns.all(role))
            .any(|column| line.at(column).is_some_and(|field| field.covered));
        let alone = !reached
            && match own {
                [only] => {
                    only.first_column <= label_column
                        && (only.last_column > label_column
                            || only.first_column < label_column
                            || places.has_units)
                }
                _ => false,
            };
        let (raw_label, merged_label) = self.label_text(columns, line, label_column);
        let mut stt = String::new();
        let mut stored_number = false;
        let mut label = single_spaced(&raw_label);
        if let Some(column) = columns.first(Role::Ordinal)
            && let Some(field) = line.at(column)
            && !field.covered
            && field.last_column < label_column
        {
            stt = single_spaced(&field.cell.text);
            stored_number = field.cell.number;
        }
        // Words that run over from the first column, with nothing in the label's.
        if label.is_empty()
            && let Some(first) = own
                .first()
                .filter(|field| field.first_column <= label_column)
            && matches!(ordinal::read(&first.cell.text), Ordinal::Other)
        {
            label = single_spaced(&first.cell.text);
            stt = String::new();
        }
        let code = columns.first(Role::Code).and_then(|column| line.at(column));
        let code = code
            .filter(|field| !field.covered)
            .map(|field| single_spaced(&field.cell.text));
        let mut code = code.filter(|code| !code.is_empty());
        // `1=2+3` is ordinal and formula.
        let mut ordinal = ordinal::read(stt.split('=').next().unwrap_or_default());
        if stt.is_empty()
            && let Some((before, rest)) = ordinal::before_label(&label, alone)
        {
            ordinal = ordinal::read(&before);
            stt = before;
            label = rest;
        }
        // A code column where forms have an ordinal is both.
        if columns.first(Role::Ordinal).is_none()
            && let (Some(text), Ordinal::Blank) = (&code, &ordinal)
            && let Ordinal::Path(pieces) = ordinal::read(text)
            && (pieces.len() > 1 || !text.starts_with('0'))
        {
            stt = text.clone();
            ordinal = Ordinal::Path(pieces);
            code = None;
        }
        if merged_label {
            // The label above reaches down: this line is one more part of it, or nothing.
            label = String::new();
        }
        let (unit, unit_from) = self.unit(columns, line, alone);
        let figure = columns.first(Role::Figure).and_then(|column| {
            let field = line.at(column)?;
            let own = !field.covered && field.first_column == column && !alone;
            own.then(|| field.cell.clone())
        });
        let mut note = columns.all(Role::Note).filter_map(|column| line.at(column));
        let note = note
            .next()
            .filter(|field| field.first_column > label_column || !alone);
        let note = note.map_or_else(String::new, |field| single_spaced(&field.cell.text));
        let note = if alone { String::new() } else { note };
        let others = self.others(columns, line, label_column, alone);
        if label.is_empty()
            && unit.is_empty()
            && note.is_empty()
            && stt.is_empty()
            && figure.is_none()
        {
            return None;
        }
        Some(Row {
            sheet: self.index,
            line: line.row,
            ordinal,
            stt,
            stored_number,
            code,
            label,
            unit,
            unit_from,
            figure,
            note,
            others,
            alone,
            indent: raw_label.len() - raw_label.trim_start().len(),
            places,
            after_of_which: false,
            chia_ra: false,
        })
    }

    /// The label, over all columns that its header is spread over; and whether it only reaches down
    /// from a line above.
    fn label_text(&self, columns: &Columns, line: &Line, first: u32) -> (String, bool) {
        let mut last = first;
        let heading = columns.columns.iter().find(|column| column.column == first);
        while let (Some(heading), Some(next)) = (
            heading.filter(|heading| heading.spread),
            columns
                .columns
                .iter()
                .find(|column| column.column == last + 1),
        ) && next.heading == heading.heading
            && next.spread
        {
            last += 1;
        }
        let mut texts: Vec<&str> = Vec::new();
        let mut covered = false;
        for column in first..=last {
            let Some(field) = line.at(column) else {
                continue;
            };
            if field.covered {
                covered = true;
            } else if field.first_column == column
                || (column == first && field.first_column < column)
            {
                texts.push(&field.cell.text);
            }
        }
        (texts.join(" "), covered && texts.is_empty())
    }

    fn unit(&self, columns: &Columns, line: &Line, alone: bool) -> (String, UnitFrom) {
        let column = columns.first(Role::Unit);
        let field = column.and_then(|column| line.at(column)).filter(|_| !alone);
        let Some(field) = field else {
            return match &self.caption_unit {
                Some(unit) if column.is_none() && !alone => (unit.clone(), UnitFrom::Caption),
                Some(_) | None => (String::new(), UnitFrom::Row),
            };
        };
        let unit = field.cell.text.trim().to_owned();
        if field.covered {
            return (single_spaced(&unit), UnitFrom::Merged);
        }
        let sign: String = unit.chars().filter(|one| !one.is_whitespace()).collect();
        let ditto = [
            "\"",
            "''",
            "”",
            "“",
            "nt",
            "-nt-",
            "nhưtrên",
            "//",
            "〃",
            "“”",
            "-\"-",
            "-”-",
        ];
        if ditto.contains(&sign.to_lowercase().as_str()) {
            return (self.unit_above.clone(), UnitFrom::Ditto);
        }
        (single_spaced(&unit), UnitFrom::Row)
    }

    /// What stands in columns that a template has no place for.
    fn others(
        &self,
        columns: &Columns,
        line: &Line,
        label: u32,
        alone: bool,
    ) -> Vec<(String, String)> {
        let mut others = Vec::new();
        let first_figure = columns.first(Role::Figure);
        for column in &columns.columns {
            let further = column.role == Role::Figure && Some(column.column) != first_figure;
            if alone || !(column.role == Role::Other || further) {
                continue;
            }
            let Some(field) = line.at(column.column) else {
                continue;
            };
            let text = single_spaced(&field.cell.text);
            if field.covered || field.first_column != column.column || text.is_empty() {
                continue;
            }
            // Parts of a label that is spread over columns are in the label.
            if column.spread && field.first_column > label && column.column == label + 1 {
                let same = columns.columns.iter().find(|one| one.column == label);
                if same.is_some_and(|one| one.heading == column.heading) {
                    continue;
                }
            }
            others.push((column.heading.clone(), text));
        }
        others
    }

    /// Rows of the sheet between those that hold something: each is a line, long runs are one.
    fn blank_lines(&mut self, lines: &[Line]) {
        let mut next = 0_u32;
        let mut single = 0_usize;
        for line in lines {
            let gap = line.row.saturating_sub(next);
            let single_each = single + usize::try_from(gap).unwrap_or(usize::MAX);
            if gap > 0 && single_each <= limits::BLANK_LINES_LISTED_MAX {
                single = single_each;
                for row in next..line.row {
                    self.blank(row, row);
                }
            } else if gap > 0 {
                self.blank(next, line.row - 1);
            }
            next = line.row.saturating_add(1);
        }
        self.reading.skipped.sort_by_key(|skipped| skipped.row);
    }

    fn blank(&mut self, first: u32, last: u32) {
        self.reading.skipped.push(SkippedLine {
            sheet: self.sheet.name().to_owned(),
            row: first.saturating_add(1),
            through: last.saturating_add(1),
            text: String::new(),
            why: Skip::Blank,
        });
    }
}

impl Row {
    fn unit_is_none_of_its_own(&self) -> bool {
        self.unit.is_empty() || self.unit_from != UnitFrom::Row
    }
}

/// "Chia ra" names all parts, "trong đó" some.
fn divides_all(words: &str) -> bool {
    begins_any(
        &folded(words),
        &["chia ra", "gom", "bao gom", "chia theo", "phan theo"],
    )
}

fn join(text: &mut String, more: &str) {
    if more.is_empty() {
        return;
    }
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(more);
}

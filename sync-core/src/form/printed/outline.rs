//! Sections, parents and codes: what the ordinals of a form say about which row is part of which.

mod numbered;
mod place;

use super::ordinal::{self, Ordinal, Piece, Scheme};
use super::rows::{self, Event, Row, SheetReading};
use super::sheet::Sheet;
use super::wording::{begins_any, folded};
use super::{PrintedError, Reason, Skip, SkippedLine};
use std::collections::BTreeMap;

/// A section, with where it was printed.
#[derive(Debug, Clone)]
pub(super) struct OutlineSection {
    /// What is printed for it: `I`, `2`; nothing if it has no name of its own.
    pub(super) printed: Option<String>,
    pub(super) title: String,
    pub(super) form_label: Option<String>,
    pub(super) sheet: String,
    /// What codes of its rows begin with.
    prefix: Option<String>,
}

/// A row in its place.
#[derive(Debug, Clone)]
pub(super) struct OutlineRow {
    pub(super) row: Row,
    pub(super) section: usize,
    pub(super) code: String,
    /// Index of the row it is a part of.
    pub(super) parent: Option<usize>,
    /// It follows "Trong đó": a part of the row above, perhaps not with all others.
    pub(super) of_which: bool,
    pub(super) reasons: Vec<Reason>,
}

/// A form as its ordinals lay it out.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) sections: Vec<OutlineSection>,
    pub(super) rows: Vec<OutlineRow>,
    /// Lines that opened a section.
    pub(super) section_lines: Vec<SkippedLine>,
}

/// One row that others may be parts of.
struct Above {
    /// What its ordinal counts by, and at which depth of a dotted one.
    level: Level,
    /// Its own ordinal, to tell what follows.
    last: Option<Piece>,
    row: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Pieces(Scheme, usize),
    Bullet(char),
    /// Without an ordinal; so many spaces before the label.
    Plain(usize),
}

impl Level {
    /// Outer levels first; equal ones are told apart by who came first.
    fn rank(self) -> u32 {
        match self {
            Self::Pieces(Scheme::UpperLetter | Scheme::UpperRoman, _) => 0,
            Self::Pieces(Scheme::Number, _) => 1,
            Self::Pieces(Scheme::BracketNumber | Scheme::LowerLetter | Scheme::LowerRoman, _) => 2,
            Self::Bullet(_) => 3,
            Self::Plain(_) => 4,
        }
    }
}

/// What stands in the workbook in one order, with which sheet it is on.
enum Item {
    Sheet(usize),
    Title(u32, String),
    Header,
    Row(Box<Row>),
}

pub(super) fn build(
    sheets: &[Sheet],
    readings: Vec<SheetReading>,
) -> Result<Outline, PrintedError> {
    let items = items(readings);
    let section_scheme = section_scheme(&items);
    let mut builder = Builder {
        sheets,
        outline: Outline::default(),
        above: Vec::new(),
        codes: BTreeMap::new(),
        letters: BTreeMap::new(),
        sheet: 0,
        titles: Vec::new(),
        fresh: true,
        section_scheme,
        last_numbered: None,
        of_which: false,
        last_top: None,
        tables: items
            .iter()
            .filter(|item| matches!(item, Item::Sheet(_)))
            .count(),
        by_order: false,
    };
    for item in items {
        match item {
            Item::Sheet(index) => builder.sheet_begins(index),
            Item::Title(line, text) => builder.title(line, text),
            Item::Header => builder.fresh = true,
            Item::Row(row) => builder.row(*row)?,
        }
    }
    let by_order = builder.by_order;
    let mut outline = builder.outline;
    if by_order {
        numbered::number_the_first(&mut outline);
    }
    numbered::promote_numbers(&mut outline, sheets);
    Ok(outline)
}

/// Sheets without a table say nothing; titles after the last row of a sheet are closing words.
fn items(readings: Vec<SheetReading>) -> Vec<Item> {
    let mut items = Vec::new();
    for (index, reading) in readings.into_iter().enumerate() {
        if reading.heads.is_empty() {
            continue;
        }
        items.push(Item::Sheet(index));
        for event in reading.events {
            match event {
                Event::Title(title) => items.push(Item::Title(title.line, title.text)),
                Event::Row(row) => items.push(Item::Row(row)),
                Event::Header => items.push(Item::Header),
            }
        }
    }
    items
}

/// True for a row that names a group and holds no figure.
fn is_bare(row: &Row) -> bool {
    let nothing = row.unit.is_empty()
        && row
            .figure
            .as_ref()
            .is_none_or(|cell| cell.text.trim().is_empty());
    nothing || row.alone
}

fn single_piece(row: &Row) -> Option<&Piece> {
    match &row.ordinal {
        Ordinal::Path(pieces) if pieces.len() == 1 => pieces.first(),
        Ordinal::Path(_)
        | Ordinal::Blank
        | Ordinal::Bullet(_)
        | Ordinal::OfWhich
        | Ordinal::Other => None,
    }
}

/// Which ordinals open sections: those of the first bare row with a numeral or a letter.
fn section_scheme(items: &[Item]) -> Option<Scheme> {
    let bare = items.iter().filter_map(|item| match item {
        Item::Row(row) if is_bare(row) => single_piece(row),
        Item::Row(_) | Item::Sheet(_) | Item::Title(..) | Item::Header => None,
    });
    let outer = |piece: &&Piece| matches!(piece.scheme, Scheme::UpperLetter | Scheme::UpperRoman);
    let first = bare.clone().find(outer)?;
    // A lone `C` or `I` first: the next one tells numerals from letters.
    let second = bare.filter(outer).nth(1);
    let settled = second.map_or(first.clone(), |second| {
        ordinal::letter(&first.text)
            .filter(|letter| {
                ordinal::letter(&second.text).is_some_and(|next| next.rank == letter.rank + 1)
            })
            .filter(|_| second.scheme != first.scheme || second.rank != first.rank + 1)
            .unwrap_or_else(|| first.clone())
    });
    Some(settled.scheme)
}

struct Builder<'a> {
    sheets: &'a [Sheet],
    outline: Outline,
    above: Vec<Above>,
    /// Where each code was printed first.
    codes: BTreeMap<String, usize>,
    /// Letters given to parts without an ordinal, by their parent.
    letters: BTreeMap<Option<usize>, u32>,
    sheet: usize,
    titles: Vec<(u32, String)>,
    /// Nothing of this sheet or after this title has become a row.
    fresh: bool,
    section_scheme: Option<Scheme>,
    last_numbered: Option<usize>,
    of_which: bool,
    last_top: Option<Piece>,
    /// Tables of the workbook, counted by sheets.
    tables: usize,
    /// Some section was named by its place alone.
    by_order: bool,
}

impl Builder<'_> {
    fn sheet_begins(&mut self, index: usize) {
        self.sheet = index;
        self.titles.clear();
        self.fresh = true;
        self.last_top = None;
    }

    fn title(&mut self, line: u32, text: String) {
        self.titles.push((line, text));
        self.fresh = true;
    }

    fn row(&mut self, mut row: Row) -> Result<(), PrintedError> {
        if let Ordinal::Path(pieces) = &mut row.ordinal
            && let [only] = pieces.as_mut_slice()
        {
            let siblings = self.above.iter().rev().find_map(|above| {
                let last = above.last.as_ref()?;
                let same = ordinal::settle(only, Some(last));
                (same.scheme == last.scheme && same.rank == last.rank + 1).then_some(same)
            });
            *only = siblings.unwrap_or_else(|| ordinal::settle(only, None));
            if self.section_scheme == Some(Scheme::UpperLetter)
                && only.scheme == Scheme::UpperRoman
                && self.above.is_empty()
                && self.continues_letters(only)
                && let Some(letter) = ordinal::letter(&only.text)
            {
                *only = letter;
            }
        }
        if self.opens_section(&row) {
            self.open_by_row(&row);
            return Ok(());
        }
        if self.fresh {
            self.open_by_title(&row);
        }
        self.place(row)
    }

    /// True if `I` comes where the letter after `H` is due.
    fn continues_letters(&self, piece: &Piece) -> bool {
        let last = self
            .outline
            .sections
            .last()
            .and_then(|section| section.printed.as_deref());
        let last = last.and_then(ordinal::letter);
        let now = ordinal::letter(&piece.text);
        matches!((last, now), (Some(last), Some(now)) if now.rank > last.rank && now.rank <= last.rank + 2)
    }

    /// A bare row whose ordinal is of the kind that sections have.
    fn opens_section(&self, row: &Row) -> bool {
        let Some(scheme) = self.section_scheme else {
            return false;
        };
        is_bare(row) && single_piece(row).is_some_and(|piece| piece.scheme == scheme)
    }

    fn open_by_row(&mut self, row: &Row) {
        let printed = single_piece(row).map(|piece| piece.text.clone());
        let form_label = self.pending_form_label();
        // The same numeral on another sheet: that sheet's own comes first.
        let again = self
            .outline
            .sections
            .iter()
            .any(|section| section.printed == printed);
        let prefix = match (&printed, again) {
            (Some(printed), true) => {
                let named = self.named_by_titles().and_then(|(numeral, ..)| numeral);
                let order = u32::try_from(self.sheet).unwrap_or(0) + 1;
                let sheet = named.unwrap_or_else(|| ordinal::roman_text(order));
                Some(format!("{sheet}.{printed}"))
            }
            (printed, _) => (*printed).clone(),
        };
        self.open(OutlineSection {
            prefix,
            printed,
            title: row.label.clone(),
            form_label,
            sheet: self.sheet_name(),
        });
        let mut text = row.stt.clone();
        if !text.is_empty() {
            text.push_str(" | ");
        }
        text.push_str(&row.label);
        self.outline.section_lines.push(SkippedLine {
            sheet: self.sheet_name(),
            row: row.line.saturating_add(1),
            through: row.line.saturating_add(1),
            text,
            why: Skip::Section,
        });
        self.fresh = false;
        self.titles.clear();
    }

    fn sheet_name(&self) -> String {
        self.sheets
            .get(self.sheet)
            .map(|sheet| sheet.name().to_owned())
            .unwrap_or_default()
    }

    fn pending_form_label(&self) -> Option<String> {
        let labels = self
            .titles
            .iter()
            .rev()
            .filter_map(|(_, text)| rows::form_label(text));
        labels.map(|(label, ..)| label).next()
    }

    fn open(&mut self, section: OutlineSection) {
        self.outline.sections.push(section);
        self.above.clear();
        self.letters.clear();
        self.last_numbered = None;
        self.last_top = None;
        self.of_which = false;
    }

    /// A section that a title above the table, the name of the sheet, or nothing names.
    fn open_by_title(&mut self, row: &Row) {
        self.fresh = false;
        let named = self.named_by_titles();
        let first = self.outline.sections.is_empty();
        let new_sheet = self
            .outline
            .sections
            .last()
            .is_some_and(|last| last.sheet != self.sheet_name());
        let restarts = self.restarts(row);
        if !first && !new_sheet && named.is_none() && !restarts {
            // A page break: the table goes on.
            self.titles.clear();
            return;
        }
        let by_sheet = self.named_by_sheet();
        let (printed, title, form_label) = match (named, by_sheet) {
            (Some((Some(printed), title, label)), _) => (Some(printed), title, label),
            (Some((None, title, label)), by_sheet) => {
                (by_sheet.map(|(printed, _)| printed), title, label)
            }
            (None, Some((printed, title))) => {
                let title = if title.is_empty() {
                    self.last_title()
                } else {
                    title
                };
                (Some(printed), title, None)
            }
            (None, None) => (None, self.last_title(), None),
        };
        // `1.1` says itself where it belongs; its section is named after it and prefixes nothing.
        if let (None, Ordinal::Path(pieces)) = (&printed, &row.ordinal)
            && let [top, _, ..] = pieces.as_slice()
            && self.tables > 1
        {
            let named = top.text.clone();
            self.open(OutlineSection {
                prefix: None,
                printed: Some(named),
                title,
                form_label,
                sheet: self.sheet_name(),
            });
            self.titles.clear();
            return;
        }
        // Several tables that nothing names: their labels and order do, as numerals.
        let several = self.tables > 1 || !first;
        let mut by_order = false;
        let printed = printed.or_else(|| {
            let of_label = form_label
                .as_deref()
                .and_then(rows::form_label)
                .map(|(_, rank, _)| rank);
            let order = u32::try_from(self.outline.sections.len()).unwrap_or(0) + 1;
            by_order = several && self.section_scheme.is_none();
            by_order.then(|| ordinal::roman_text(of_label.unwrap_or(order)))
        });
        self.by_order |= by_order;
        let section = OutlineSection {
            prefix: printed.clone(),
            printed,
            title,
            form_label,
            sheet: self.sheet_name(),
        };
        self.open(section);
        self.titles.clear();
    }

    /// True if the row's code stands in this section already: the numbering begins again.
    fn restarts(&self, row: &Row) -> bool {
        let Ordinal::Path(pieces) = &row.ordinal else {
            return false;
        };
        let section = self.outline.sections.len().saturating_sub(1);
        let known = |row: &&OutlineRow| {
            row.section == section && row.row.ordinal == Ordinal::Path(pieces.clone())
        };
        let first = pieces.iter().all(|piece| piece.rank <= 1);
        first && row.code.is_none() && self.outline.rows.iter().rev().any(|row| known(&row))
    }

    fn last_title(&self) -> String {
        let titles = self.titles.iter().rev().map(|(_, text)| text.as_str());
        let telling = titles.filter(|text| !is_letterhead(text));
        telling.map(str::to_owned).next().unwrap_or_default()
    }

    /// A numeral or a form label in the titles above a table, with the title that follows it.
    fn named_by_titles(&self) -> Option<(Option<String>, String, Option<String>)> {
        let mut found: Option<(Option<String>, String, Option<String>)> = None;
        for (_, text) in &self.titles {
            if let Some((label, _, rest)) = rows::form_label(text) {
                let (printed, title) = numeral_before(&rest)
                    .map_or((None, rest), |(numeral, title)| (Some(numeral), title));
                found = Some((printed, title, Some(label)));
            } else if let Some((numeral, title)) = numeral_before(text) {
                let label = found.and_then(|(_, _, label)| label);
                found = Some((Some(numeral), title, label));
            } else if let Some((_, title, Some(_))) = &mut found
                && title.is_empty()
                && !is_letterhead(text)
            {
                title.clone_from(text);
            }
        }
        found
    }

    /// A sheet called `II`, `Mục 2`, `3. Thể chế`.
    fn named_by_sheet(&self) -> Option<(String, String)> {
        let name = self.sheet_name();
        if let Ordinal::Path(pieces) = ordinal::read(&name)
            && let [piece] = pieces.as_slice()
            && self.tables > 1
        {
            return Some((piece.text.clone(), String::new()));
        }
        numeral_before(&name).filter(|_| self.tables > 1)
    }
}

fn dotted(row: &Row) -> bool {
    matches!(&row.ordinal, Ordinal::Path(pieces) if pieces.len() > 1)
}

/// "Tổng cộng" and the like, without saying of what.
pub(super) fn is_grand_total(label: &str) -> bool {
    let words = folded(label);
    [
        "tong cong",
        "cong",
        "tong",
        "tong so",
        "tong cong so",
        "cong tong",
        "toan tinh",
        "tong chung",
    ]
    .contains(&words.as_str())
}

/// `II. Cải cách thể chế`, `Phần A - …`, `Mục 3: …`.
fn numeral_before(text: &str) -> Option<(String, String)> {
    let text = text.trim();
    let words: Vec<&str> = text.split_whitespace().collect();
    let head = folded(words.first()?);
    let text = if ["phan", "muc", "chuong", "nhom"].contains(&head.as_str()) && words.len() > 1 {
        words.get(1..)?.join(" ")
    } else {
        text.to_owned()
    };
    let (before, rest) = ordinal::before_label(&text, true)?;
    let Ordinal::Path(pieces) = ordinal::read(&before) else {
        return None;
    };
    let [piece] = pieces.as_slice() else {
        return None;
    };
    let title = rest
        .trim_start_matches([':', '-', '–', '.', ' '])
        .to_owned();
    matches!(
        piece.scheme,
        Scheme::UpperRoman | Scheme::UpperLetter | Scheme::Number
    )
    .then(|| (piece.text.clone(), title))
}

/// The head of an official paper, dates, and what it is attached to.
pub(super) fn is_letterhead(text: &str) -> bool {
    let words = folded(text);
    let heads = [
        "cong hoa xa hoi",
        "doc lap",
        "uy ban nhan dan",
        "ubnd",
        "so",
        "kem theo",
        "ban hanh kem",
        "bo",
        "tinh",
        "huyen",
        "xa",
        "phuong",
        "thanh pho",
        "don vi bao cao",
        "don vi nhan",
        "co quan bao cao",
        "ngay nhan",
        "nam",
        "ky bao cao",
        "thang",
        "quy",
        "mau so",
        "hdnd",
    ];
    words.is_empty()
        || begins_any(&words, &heads)
        || (words.contains("ngay ") && words.contains(" thang "))
}

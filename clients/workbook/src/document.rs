//! Reads text documents (`.docx`) into the parts that `sync_core::plan::printed` understands: each table
//! with its merged cells, and the paragraphs between them.
//!
//! The parts of the document are read as a stream of elements, so nothing is built that was not counted.
//! Numbers that the word processor puts before paragraphs are part of what a person sees printed, so they
//! are counted here as well (`numbering`). What is deleted in tracked changes is left out.

mod numbering;

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use sync_core::form::printed::{Cell, Merge, PrintedError, Sheet};
use sync_core::plan::printed::{Part, PartKind};
use zip::ZipArchive;

use crate::{WorkbookError, limits, unpack};
use numbering::Numbering;

/// Why a file gives no tables.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Not the container of a document.
    #[error("not a document: {0}")]
    NotADocument(String),
    /// The format of before 2007, or of another program.
    #[error("a document of another format: save it as .docx")]
    OtherFormat,
    /// It opens with a password only.
    #[error("the document is encrypted")]
    Encrypted,
    /// It unpacks to more than a plan.
    #[error("{0} is larger than a plan")]
    TooLarge(String),
    /// A part of it cannot be read.
    #[error("the document is damaged: {0}")]
    Damaged(String),
    /// A table goes on for too long.
    #[error(transparent)]
    Table(#[from] PrintedError),
}

impl DocumentError {
    /// Every machine code that is not one of the tables'.
    pub const CODES: [&'static str; 5] = [
        "not-a-document",
        "document-other-format",
        "document-encrypted",
        "document-too-large",
        "document-damaged",
    ];

    /// The machine code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotADocument(_) => "not-a-document",
            Self::OtherFormat => "document-other-format",
            Self::Encrypted => "document-encrypted",
            Self::TooLarge(_) => "document-too-large",
            Self::Damaged(_) => "document-damaged",
            Self::Table(error) => error.code(),
        }
    }
}

impl From<WorkbookError> for DocumentError {
    fn from(error: WorkbookError) -> Self {
        match error {
            WorkbookError::NotAWorkbook(why) => Self::NotADocument(why),
            WorkbookError::OtherFormat => Self::OtherFormat,
            WorkbookError::Encrypted => Self::Encrypted,
            WorkbookError::TooLarge(what) => Self::TooLarge(what),
            WorkbookError::Damaged(why) => Self::Damaged(why),
            WorkbookError::Sheet(error) => Self::Table(error),
        }
    }
}

/// The tables of a document and the paragraphs between them, in its order. Tables are called `#1`, `#2`, the
/// paragraphs before each `¶1`, `¶2`.
pub fn read(bytes: &[u8]) -> Result<Vec<Part>, DocumentError> {
    crate::container(bytes)?;
    let unpacked = unpack::unpack(bytes)?;
    if let Some(cut) = unpacked.cut {
        return Err(DocumentError::TooLarge(cut));
    }
    let mut archive = ZipArchive::new(Cursor::new(unpacked.container))
        .map_err(|error| DocumentError::NotADocument(error.to_string()))?;
    let main = main_part(&mut archive)?;
    let text = part(&mut archive, &main)?
        .ok_or_else(|| DocumentError::NotADocument(format!("{main} is not there")))?;
    let folder = main.rsplit_once('/').map_or("", |(folder, _)| folder);
    let lists = part(&mut archive, &format!("{folder}/numbering.xml"))?;
    let numbering = lists.map_or_else(Numbering::default, |text| Numbering::read(&text));
    Walk::new(numbering).all(&text)
}

type Archive = ZipArchive<Cursor<Vec<u8>>>;

fn part(archive: &mut Archive, name: &str) -> Result<Option<String>, DocumentError> {
    let mut bytes = Vec::new();
    match archive.by_name(name) {
        Ok(mut part) => part
            .read_to_end(&mut bytes)
            .map_err(|error| DocumentError::Damaged(format!("{name}: {error}")))?,
        Err(_) => return Ok(None),
    };
    let text = String::from_utf8(bytes);
    text.map(Some)
        .map_err(|_| DocumentError::Damaged(format!("{name} is not UTF-8")))
}

/// The part that the container says is its document.
fn main_part(archive: &mut Archive) -> Result<String, DocumentError> {
    let usual = "word/document.xml".to_owned();
    let Some(text) = part(archive, "_rels/.rels")? else {
        return Ok(usual);
    };
    let mut reader = Reader::from_str(&text);
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag) | Event::Empty(tag)) => {
                let kind = attribute(&tag, "Type").unwrap_or_default();
                if kind.ends_with("/officeDocument")
                    && let Some(target) = attribute(&tag, "Target")
                {
                    return Ok(target.trim_start_matches('/').to_owned());
                }
            }
            Ok(Event::Eof) | Err(_) => return Ok(usual),
            Ok(
                Event::End(_)
                | Event::Text(_)
                | Event::CData(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::DocType(_)
                | Event::GeneralRef(_),
            ) => {}
        }
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut all = tag.attributes().flatten();
    let found = all.find(|one| one.key.local_name().into_inner() == name);
    found.map(|one| one.value.into_owned())
}

/// How a cell is merged with the one above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Upward {
    No,
    Begins,
    GoesOn,
}

#[derive(Debug)]
struct OpenCell {
    text: String,
    span: u32,
    upward: Upward,
}

#[derive(Debug)]
struct Table {
    sheet: Sheet,
    row: u32,
    column: u32,
    cell: Option<OpenCell>,
    /// Merged regions that may go on, by their first column.
    open: BTreeMap<u32, Merge>,
}

#[derive(Debug, Default)]
struct Paragraph {
    text: String,
    list: Option<u32>,
    level: usize,
}

#[derive(Debug)]
struct Walk {
    parts: Vec<Part>,
    between: Sheet,
    between_rows: u32,
    table: Option<Table>,
    /// Tables that are open; of those inside a cell only the words are taken.
    depth: usize,
    tables: usize,
    paragraph: Paragraph,
    numbering: Numbering,
    in_text: bool,
}

/// Elements whose contents a person does not see.
const UNSEEN: [&str; 6] = [
    "del",
    "moveFrom",
    "Fallback",
    "instrText",
    "delText",
    "pPrChange",
];

impl Walk {
    fn new(numbering: Numbering) -> Self {
        Self {
            parts: Vec::new(),
            between: Sheet::new("¶1", false),
            between_rows: 0,
            table: None,
            depth: 0,
            tables: 0,
            paragraph: Paragraph::default(),
            numbering,
            in_text: false,
        }
    }

    fn all(mut self, text: &str) -> Result<Vec<Part>, DocumentError> {
        let mut reader = Reader::from_str(text);
        let mut elements: Vec<String> = Vec::new();
        let mut unseen: Option<usize> = None;
        let damaged = |error: &dyn std::fmt::Display| DocumentError::Damaged(error.to_string());
        loop {
            match reader.read_event().map_err(|error| damaged(&error))? {
                Event::Start(tag) => {
                    let name = tag.local_name().into_inner().to_owned();
                    if unseen.is_none() && UNSEEN.contains(&name.as_str()) {
                        unseen = Some(elements.len());
                    }
                    if elements.len() >= limits::ELEMENT_DEPTH_MAX {
                        return Err(DocumentError::TooLarge("nesting".to_owned()));
                    }
                    if unseen.is_none() {
                        self.open(&name, &tag)?;
                    }
                    elements.push(name);
                }
                Event::Empty(tag) => {
                    if unseen.is_none() {
                        let name = tag.local_name().into_inner().to_owned();
                        self.open(&name, &tag)?;
                        self.close(&name)?;
                    }
                }
                Event::End(_) => {
                    let name = elements.pop().unwrap_or_default();
                    if unseen.is_none() {
                        self.close(&name)?;
                    } else if unseen == Some(elements.len()) {
                        unseen = None;
                    }
                }
                Event::Text(text) if self.in_text && unseen.is_none() => {
                    self.paragraph.text.push_str(&text.xml10_content());
                }
                Event::CData(text) if self.in_text && unseen.is_none() => {
                    self.paragraph.text.push_str(&text.xml10_content());
                }
                Event::GeneralRef(named) if self.in_text && unseen.is_none() => {
                    let one = named.resolve_char_ref().map_err(|error| damaged(&error))?;
                    let one = one.or(match named.xml10_content().as_ref() {
                        "amp" => Some('&'),
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "quot" => Some('"'),
                        "apos" => Some('\''),
                        _ => None,
                    });
                    self.paragraph.text.extend(one);
                }
                Event::Eof => {
                    if !elements.is_empty() {
                        return Err(DocumentError::Damaged("it breaks off".to_owned()));
                    }
                    self.end_between();
                    return Ok(self.parts);
                }
                Event::Text(_)
                | Event::CData(_)
                | Event::GeneralRef(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::DocType(_) => {}
            }
        }
    }

    fn open(&mut self, name: &str, tag: &BytesStart<'_>) -> Result<(), DocumentError> {
        let number = |name| attribute(tag, name).and_then(|value| value.parse::<u32>().ok());
        match name {
            "tbl" => {
                self.depth += 1;
                if self.depth > limits::TABLE_DEPTH_MAX {
                    return Err(DocumentError::TooLarge("tables in tables".to_owned()));
                }
                if self.depth == 1 {
                    self.begin_table()?;
                }
            }
            "tr" if self.depth == 1 => {
                if let Some(table) = &mut self.table {
                    table.column = 0;
                    if table.row >= limits::TABLE_ROWS_MAX {
                        let place = table.sheet.place(table.row, 0);
                        return Err(PrintedError::TooManyRows(place).into());
                    }
                }
            }
            "gridBefore" if self.depth == 1 => {
                if let Some(table) = &mut self.table {
                    let before = number("val").unwrap_or(0);
                    table.column = table
                        .column
                        .saturating_add(before)
                        .min(limits::TABLE_COLUMNS_MAX);
                }
            }
            "tc" if self.depth == 1 => {
                if let Some(table) = &mut self.table {
                    table.cell = Some(OpenCell {
                        text: String::new(),
                        span: 1,
                        upward: Upward::No,
                    });
                }
            }
            "gridSpan" if self.depth == 1 => {
                if let Some(cell) = self.cell() {
                    cell.span = number("val").unwrap_or(1).max(1);
                }
            }
            "vMerge" if self.depth == 1 => {
                let begins = attribute(tag, "val").as_deref() == Some("restart");
                if let Some(cell) = self.cell() {
                    cell.upward = if begins {
                        Upward::Begins
                    } else {
                        Upward::GoesOn
                    };
                }
            }
            "p" => self.paragraph = Paragraph::default(),
            "numId" => self.paragraph.list = number("val"),
            "ilvl" => {
                self.paragraph.level = number("val")
                    .and_then(|level| usize::try_from(level).ok())
                    .unwrap_or(0);
            }
            "t" => self.in_text = true,
            "tab" | "ptab" => self.paragraph.text.push(' '),
            "br" | "cr" => self.paragraph.text.push('\n'),
            "noBreakHyphen" => self.paragraph.text.push('-'),
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, name: &str) -> Result<(), DocumentError> {
        match name {
            "t" => self.in_text = false,
            "p" => self.end_paragraph()?,
            "tc" if self.depth == 1 => self.end_cell()?,
            "tr" if self.depth == 1 => {
                if let Some(table) = &mut self.table {
                    table.row += 1;
                }
            }
            "tbl" => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    self.end_table()?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn cell(&mut self) -> Option<&mut OpenCell> {
        self.table.as_mut()?.cell.as_mut()
    }

    fn begin_table(&mut self) -> Result<(), DocumentError> {
        self.end_between();
        self.tables += 1;
        if self.tables > limits::TABLES_MAX {
            return Err(DocumentError::TooLarge("tables".to_owned()));
        }
        self.table = Some(Table {
            sheet: Sheet::new(format!("#{}", self.tables), false),
            row: 0,
            column: 0,
            cell: None,
            open: BTreeMap::new(),
        });
        Ok(())
    }

    fn end_between(&mut self) {
        let next = Sheet::new(format!("¶{}", self.tables + 2), false);
        let sheet = std::mem::replace(&mut self.between, next);
        if sheet.last_row().is_some() {
            self.parts.push(Part {
                kind: PartKind::Text,
                sheet,
            });
        }
        self.between_rows = 0;
    }

    fn end_paragraph(&mut self) -> Result<(), DocumentError> {
        let paragraph = std::mem::take(&mut self.paragraph);
        let mut text = paragraph.text.trim().to_owned();
        if let Some(list) = paragraph.list {
            let ordinal = self.numbering.next(list, paragraph.level);
            if !ordinal.is_empty() {
                text = format!("{ordinal} {text}").trim_end().to_owned();
            }
        }
        if text.is_empty() {
            return Ok(());
        }
        if let Some(cell) = self.cell() {
            if !cell.text.is_empty() {
                cell.text.push('\n');
            }
            cell.text.push_str(&text);
            return Ok(());
        }
        if self.depth == 0 {
            // A page of prose is no line of a plan: as much as a cell takes is enough to know it by.
            let most = sync_core::limits::TEMPLATE_TEXT_BYTES_MAX;
            let kept = text.floor_char_boundary(most);
            text.truncate(kept);
            self.between
                .put(self.between_rows, 0, Cell::of_text(text))?;
            self.between_rows += 1;
        }
        Ok(())
    }

    fn end_cell(&mut self) -> Result<(), DocumentError> {
        let Some(table) = &mut self.table else {
            return Ok(());
        };
        let Some(cell) = table.cell.take() else {
            return Ok(());
        };
        let first = table.column;
        let next = first.saturating_add(cell.span);
        if next > limits::TABLE_COLUMNS_MAX {
            return Err(DocumentError::TooLarge("columns".to_owned()));
        }
        table
            .sheet
            .put(table.row, first, Cell::of_text(cell.text))?;
        table.column = next;
        let here = Merge {
            first_row: table.row,
            last_row: table.row,
            first_column: first,
            last_column: next - 1,
        };
        if cell.upward == Upward::GoesOn
            && let Some(above) = table.open.get_mut(&first)
        {
            above.last_row = table.row;
            return Ok(());
        }
        if let Some(done) = table.open.insert(first, here) {
            put_merge(&mut table.sheet, done)?;
        }
        Ok(())
    }

    fn end_table(&mut self) -> Result<(), DocumentError> {
        let Some(mut table) = self.table.take() else {
            return Ok(());
        };
        for merge in std::mem::take(&mut table.open).into_values() {
            put_merge(&mut table.sheet, merge)?;
        }
        self.parts.push(Part {
            kind: PartKind::Table,
            sheet: table.sheet,
        });
        Ok(())
    }
}

fn put_merge(sheet: &mut Sheet, merge: Merge) -> Result<(), PrintedError> {
    let wide = merge.last_column > merge.first_column || merge.last_row > merge.first_row;
    if wide { sheet.merge(merge) } else { Ok(()) }
}

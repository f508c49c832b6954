//! Reads workbooks (`.xlsx`, `.xlsm`) into the sheets that `sync_core::form::printed` understands, and
//! text documents into their tables ([`document`]).
//!
//! The bytes are not trusted. A container is unpacked within limits before anything reads it
//! (`unpack`), cells come one after the other and are counted, and what the reader behind cannot bear
//! is an error here, never a panic: see [`read`].

pub mod document;
pub mod limits;
mod unpack;

use std::collections::BTreeMap;
use std::io::Cursor;
use std::panic::AssertUnwindSafe;

use calamine::{
    DataRef, Reader, SheetType, SheetVisible, Xlsx, XlsxError, XlsxFormulaMetadata,
    expand_shared_formula,
};
use document::DocumentError;
use sync_core::form::printed::{Cell, Merge, PrintedError, Sheet};
use sync_core::plan::printed::{Part, PartKind};

/// Why a file gives no sheets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkbookError {
    /// Not the container of a workbook.
    #[error("not a workbook: {0}")]
    NotAWorkbook(String),
    /// The format of before 2007, or of another program.
    #[error("a workbook of another format: save it as .xlsx")]
    OtherFormat,
    /// It opens with a password only.
    #[error("the workbook is encrypted")]
    Encrypted,
    /// It unpacks to more than a form.
    #[error("{0} is larger than a form")]
    TooLarge(String),
    /// A part of it cannot be read.
    #[error("the workbook is damaged: {0}")]
    Damaged(String),
    /// A sheet goes on for too long.
    #[error(transparent)]
    Sheet(#[from] PrintedError),
}

impl WorkbookError {
    /// Every machine code that is not one of the sheets'.
    pub const CODES: [&'static str; 5] = [
        "not-a-workbook",
        "other-format",
        "encrypted",
        "unpacks-too-large",
        "workbook-damaged",
    ];

    /// The machine code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAWorkbook(_) => "not-a-workbook",
            Self::OtherFormat => "other-format",
            Self::Encrypted => "encrypted",
            Self::TooLarge(_) => "unpacks-too-large",
            Self::Damaged(_) => "workbook-damaged",
            Self::Sheet(error) => error.code(),
        }
    }

    /// The values of its sentence: where in the workbook, or what the reader said.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Sheet(error) => error.arguments(),
            Self::NotAWorkbook(_)
            | Self::OtherFormat
            | Self::Encrypted
            | Self::TooLarge(_)
            | Self::Damaged(_) => vec![("reason", self.to_string())],
        }
    }
}

/// How files of other formats begin.
const COMPOUND_FILE: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// The sheets of a workbook, in its order.
pub fn read(bytes: &[u8]) -> Result<Vec<Sheet>, WorkbookError> {
    container(bytes)?;
    // The reader behind says in places that what it expects cannot be otherwise. Mutated workbooks have
    // not shown one of them; whatever is left must not end the program. Nothing is shared with it.
    let read = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let unpacked = unpack::unpack(bytes)?;
        sheets(unpacked)
    }));
    read.unwrap_or_else(|_| {
        Err(WorkbookError::Damaged(
            "its parts contradict each other".to_owned(),
        ))
    })
}

/// The parts that a plan is read from: the sheets of a workbook, the tables of a document.
pub fn plan_parts(bytes: &[u8]) -> Result<Vec<Part>, DocumentError> {
    container(bytes)?;
    let archive = zip::ZipArchive::new(Cursor::new(bytes));
    let is_workbook = archive.is_ok_and(|archive| {
        archive
            .file_names()
            .any(|name| name.is_ok_and(|name| name.starts_with("xl/")))
    });
    if !is_workbook {
        return document::read(bytes);
    }
    let of_sheet = |sheet| Part {
        kind: PartKind::Sheet,
        sheet,
    };
    Ok(read(bytes)?.into_iter().map(of_sheet).collect())
}

/// Whether bytes begin as a container that can be opened.
fn container(bytes: &[u8]) -> Result<(), WorkbookError> {
    if bytes.len() > limits::WORKBOOK_BYTES_MAX {
        return Err(WorkbookError::TooLarge("file".to_owned()));
    }
    if bytes.starts_with(&COMPOUND_FILE) {
        return Err(compound_file(bytes));
    }
    if !bytes.starts_with(b"PK") {
        return Err(WorkbookError::NotAWorkbook(
            "it does not begin as one".to_owned(),
        ));
    }
    Ok(())
}

/// An encrypted workbook is a compound file that says so; the format of before 2007 is one as well.
fn compound_file(bytes: &[u8]) -> WorkbookError {
    let wide: Vec<u8> = "EncryptedPackage"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let encrypted = bytes.windows(wide.len()).any(|window| window == wide);
    if encrypted {
        WorkbookError::Encrypted
    } else {
        WorkbookError::OtherFormat
    }
}

fn sheets(unpacked: unpack::Unpacked) -> Result<Vec<Sheet>, WorkbookError> {
    let cut = unpacked.cut;
    let mut workbook: Xlsx<Cursor<Vec<u8>>> =
        Xlsx::new(Cursor::new(unpacked.container)).map_err(damaged)?;
    let known = workbook.sheets_metadata().to_vec();
    if known.len() > limits::SHEETS_MAX {
        return Err(WorkbookError::TooLarge("sheets".to_owned()));
    }
    let mut sheets = Vec::with_capacity(known.len());
    for of in known.iter().filter(|of| of.typ == SheetType::WorkSheet) {
        let mut sheet = Sheet::new(of.name.clone(), of.visible != SheetVisible::Visible);
        match cells(&mut workbook, &mut sheet).and_then(|()| merges(&mut workbook, &mut sheet)) {
            Ok(()) => {}
            // It was cut at its limit, and what came before did not say what is wrong with it.
            Err(WorkbookError::Damaged(_)) if cut.is_some() => {
                return Err(WorkbookError::TooLarge(cut.unwrap_or_default()));
            }
            Err(error) => return Err(error),
        }
        sheets.push(sheet);
    }
    Ok(sheets)
}

fn damaged(error: XlsxError) -> WorkbookError {
    if matches!(error, XlsxError::Password) {
        return WorkbookError::Encrypted;
    }
    if matches!(
        error,
        XlsxError::FileNotFound(_) | XlsxError::RelationshipNotFound | XlsxError::Zip(_)
    ) {
        return WorkbookError::NotAWorkbook(error.to_string());
    }
    WorkbookError::Damaged(error.to_string())
}

fn cells(workbook: &mut Xlsx<Cursor<Vec<u8>>>, sheet: &mut Sheet) -> Result<(), WorkbookError> {
    let mut reader = match workbook.worksheet_cells_reader(sheet.name()) {
        Ok(reader) => reader,
        Err(XlsxError::NotAWorksheet(_)) => return Ok(()),
        Err(error) => return Err(damaged(error)),
    };
    let mut passed = 0_usize;
    let mut shared = Shared::default();
    loop {
        let next = reader.next_cell_with_formula_metadata().map_err(damaged)?;
        let Some(found) = next else { return Ok(()) };
        passed += 1;
        let (row, column) = found.pos;
        if passed > limits::CELLS_PASSED_MAX {
            return Err(PrintedError::TooManyCells(sheet.place(row, column)).into());
        }
        let formula = found
            .formula
            .and_then(|formula| shared.formula(formula, found.pos));
        let (text, number) = shown(&found.value);
        sheet.put(
            row,
            column,
            Cell {
                text,
                number,
                formula,
            },
        )?;
    }
}

/// Formulas that several cells share, by their index: where they were written, and how.
///
/// Kept here and not by the reader, which makes room for every index up to the highest one named.
#[derive(Default)]
struct Shared {
    written: BTreeMap<usize, (String, (u32, u32))>,
}

impl Shared {
    /// The formula of the cell at `place`; nothing for one that is longer than a template's.
    fn formula(&mut self, formula: XlsxFormulaMetadata, place: (u32, u32)) -> Option<String> {
        let kept = |text: &String| !text.is_empty() && text.len() <= limits::FORMULA_BYTES_MAX;
        match formula {
            XlsxFormulaMetadata::Normal { formula } => Some(formula).filter(kept),
            XlsxFormulaMetadata::Shared {
                shared_index,
                formula,
                ..
            } => {
                let formula = Some(formula).filter(kept)?;
                self.written.insert(shared_index, (formula.clone(), place));
                Some(formula)
            }
            XlsxFormulaMetadata::SharedDerived { shared_index } => {
                let (text, written) = self.written.get(&shared_index)?;
                expand_shared_formula(text, *written, place)
                    .ok()
                    .filter(kept)
            }
            #[allow(
                clippy::wildcard_enum_match_arm,
                reason = "the reader may learn of other kinds"
            )]
            _ => None,
        }
    }
}

/// What a cell shows, and whether it was stored as a number.
fn shown(value: &DataRef<'_>) -> (String, bool) {
    match value {
        DataRef::Int(number) => (number.to_string(), true),
        DataRef::Float(number) if number.is_finite() => (plain(*number), true),
        DataRef::Float(_) | DataRef::Empty | DataRef::Error(_) => (String::new(), false),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            (text.clone(), false)
        }
        DataRef::SharedString(text) => ((*text).to_owned(), false),
        DataRef::Bool(flag) => (if *flag { "1" } else { "0" }.to_owned(), true),
        DataRef::DateTime(moment) => {
            let (year, month, day, ..) = moment.to_ymd_hms_milli();
            (format!("{day:02}/{month:02}/{year:04}"), false)
        }
    }
}

/// The shortest text that names the number, within what a number can have.
fn plain(number: f64) -> String {
    let text = number.to_string();
    if text.len() <= 40 {
        text
    } else {
        format!("{number:e}")
    }
}

fn merges(workbook: &mut Xlsx<Cursor<Vec<u8>>>, sheet: &mut Sheet) -> Result<(), WorkbookError> {
    let found = match workbook.merge_cells_by_sheet_name(sheet.name()) {
        Ok(found) => found,
        Err(XlsxError::NotAWorksheet(_)) => return Ok(()),
        Err(error) => return Err(damaged(error)),
    };
    for region in found {
        sheet.merge(Merge {
            first_row: region.start.0,
            last_row: region.end.0,
            first_column: region.start.1,
            last_column: region.end.1,
        })?;
    }
    Ok(())
}

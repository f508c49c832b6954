//! The container of a workbook, opened within limits: what it says of its own sizes is not believed.
//!
//! Every part is unpacked here, counted while it comes, and put into a container without compression
//! for the reader behind. So the reader cannot be given more than was counted.

use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::{WorkbookError, limits};

/// A workbook's parts without compression.
pub(crate) struct Unpacked {
    /// A container that holds each part as it is.
    pub(crate) container: Vec<u8>,
    /// The part that was longer than its limit, and was cut there.
    pub(crate) cut: Option<String>,
}

/// Unpacks a container. Parts that a form is not read from are left out.
pub(crate) fn unpack(bytes: &[u8]) -> Result<Unpacked, WorkbookError> {
    let mut archive =
        ZipArchive::new(Cursor::new(bytes)).map_err(|error| not_a_workbook(&error))?;
    if archive.len() > limits::PARTS_MAX {
        return Err(WorkbookError::TooLarge("parts".to_owned()));
    }
    let mut made = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut total = 0_u64;
    let mut cut = None;
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(|error| {
            let locked = error.to_string().contains("assword");
            let other = not_a_workbook(&error);
            if locked {
                WorkbookError::Encrypted
            } else {
                other
            }
        })?;
        let Ok(name) = part.name().map(|name| name.into_owned()) else {
            return Err(WorkbookError::Damaged("the name of a part".to_owned()));
        };
        let wanted = name.ends_with(".xml") || name.ends_with(".rels");
        if part.is_dir() || !wanted {
            continue;
        }
        let is_sheet = name.contains("worksheets/");
        let mut unpacked = Vec::new();
        let read = part
            .by_ref()
            .take(limits::PART_BYTES_MAX + 1)
            .read_to_end(&mut unpacked);
        if let Err(error) = read {
            return Err(WorkbookError::Damaged(format!("{name}: {error}")));
        }
        let length = u64::try_from(unpacked.len()).unwrap_or(u64::MAX);
        total = total.saturating_add(length);
        if length > limits::PART_BYTES_MAX {
            if !is_sheet {
                return Err(WorkbookError::TooLarge(name));
            }
            // A sheet is read row by row: how far it goes on says what is wrong with it.
            cut.get_or_insert(name.clone());
        }
        if total > limits::PARTS_BYTES_MAX {
            return Err(WorkbookError::TooLarge(name));
        }
        let put = made
            .start_file(name, stored)
            .map_err(|error| not_a_workbook(&error));
        put?;
        made.write_all(&unpacked)
            .map_err(|error| WorkbookError::Damaged(error.to_string()))?;
    }
    let container = made.finish().map_err(|error| not_a_workbook(&error))?;
    Ok(Unpacked {
        container: container.into_inner(),
        cut,
    })
}

fn not_a_workbook(error: &zip::result::ZipError) -> WorkbookError {
    WorkbookError::NotAWorkbook(error.to_string())
}

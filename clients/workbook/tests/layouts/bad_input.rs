//! Files that are no forms: each a named error with its place, and never a panic.

use rust_xlsxwriter::Workbook;
use sync_core::form::printed::{Asked, PrintedError, propose};
use workbook::WorkbookError;

use crate::other_fields::workbook_of;
use crate::printing::{Layout, print};

fn fault(rows: &[&[&str]]) -> PrintedError {
    let bytes = workbook_of(rows, &[]);
    let sheets = workbook::read(&bytes).expect("a workbook");
    propose(&sheets, &Asked::default()).expect_err("not a form")
}

const HEAD: &[&str] = &["STT", "Chỉ tiêu", "Đơn vị tính", "Số liệu", "Ghi chú"];

fn told(error: &PrintedError) -> (String, String) {
    let place = error.place().map(ToString::to_string);
    (error.code().to_owned(), place.unwrap_or_default())
}

#[test]
fn forms_that_cannot_be_are_refused_with_sheet_row_and_column() {
    let no_header = fault(&[&[], &["", "Danh bạ"], &["1", "Nguyễn Văn A"]]);
    assert_eq!(told(&no_header), ("no-header".into(), "Biểu!B2".into()));
    let no_rows = fault(&[&[], HEAD]);
    assert_eq!(told(&no_rows), ("no-rows".into(), "Biểu!A2".into()));
    let twice = fault(&[
        HEAD,
        &["1", "Số hộ", "Hộ"],
        &["2", "Số nhà", "Nhà"],
        &["2", "Số xe", "Xe"],
    ]);
    assert_eq!(told(&twice), ("repeated-code".into(), "Biểu!A4".into()));
    let missing = fault(&[
        HEAD,
        &["1", "Số hộ", "Hộ"],
        &["2", "Tỷ lệ", "%", "", "= 1.7 / 1"],
    ]);
    assert_eq!(
        told(&missing),
        ("missing-reference".into(), "Biểu!E3".into())
    );
    let ninth = fault(&[
        HEAD,
        &["1", "Số hộ (1 = 2 + 9)", "Hộ"],
        &["2", "Số hộ nghèo", "Hộ"],
    ]);
    assert_eq!(told(&ninth), ("missing-reference".into(), "Biểu!B2".into()));
    let gone = fault(&[HEAD, &["1", "Số hộ", "Hộ"], &["2", "Tỷ lệ", "%", "=D99/D2"]]);
    assert_eq!(told(&gone), ("missing-reference".into(), "Biểu!D3".into()));
    let circle = fault(&[
        HEAD,
        &["1", "Số hộ", "Hộ", "", "= [2] + [3]"],
        &["2", "Số hộ nghèo", "Hộ", "", "= [1] - [3]"],
        &["3", "Số hộ khác", "Hộ"],
    ]);
    assert_eq!(told(&circle), ("circular-formula".into(), "Biểu!E3".into()));
    let long = "dài ".repeat(3_000);
    let mut workbook = Workbook::new();
    workbook.add_worksheet().write_string(3, 1, &long).unwrap();
    let read = workbook::read(&workbook.save_to_buffer().unwrap());
    assert!(
        matches!(read, Err(WorkbookError::Sheet(PrintedError::TextTooLong(place))) if place.row == 4)
    );
}

#[test]
fn what_is_no_workbook_is_told_apart() {
    let code = |bytes: &[u8]| workbook::read(bytes).expect_err("no workbook").code();
    assert_eq!(code(b""), "not-a-workbook");
    assert_eq!(code(b"STT,Chi tieu\n1,2\n"), "not-a-workbook");
    assert_eq!(code(b"PK\x03\x04 and then nothing"), "not-a-workbook");
    let mut compound = vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
    compound.extend([0; 600]);
    assert_eq!(code(&compound), "other-format");
    compound.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(code(&compound), "encrypted");
}

/// A container whose one sheet unpacks to far more than it is.
fn bomb(sheet: &str, repeated: &str, times: usize) -> Vec<u8> {
    use std::io::{Cursor, Read, Write};
    let mut workbook = Workbook::new();
    workbook.add_worksheet().write_string(0, 0, "STT").unwrap();
    let honest = workbook.save_to_buffer().unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(honest)).unwrap();
    let mut made = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).unwrap();
        let name = part.name().unwrap().into_owned();
        made.start_file(name.clone(), options).unwrap();
        if name.ends_with(sheet) {
            made.write_all(b"<worksheet><sheetData>").unwrap();
            for _ in 0..times {
                made.write_all(repeated.as_bytes()).unwrap();
            }
            made.write_all(b"</sheetData></worksheet>").unwrap();
        } else {
            let mut bytes = Vec::new();
            part.read_to_end(&mut bytes).unwrap();
            made.write_all(&bytes).unwrap();
        }
    }
    made.finish().unwrap().into_inner()
}

#[test]
fn bombs_and_a_million_rows_are_stopped() {
    let text = "<!--".to_owned() + &" ".repeat(1_000_000) + "-->";
    let empty = bomb("sheet1.xml", &text, 200);
    assert!(empty.len() < 2_000_000);
    let code = workbook::read(&empty).expect_err("a bomb").code();
    assert_eq!(code, "unpacks-too-large");
    let strings = bomb("sharedStrings.xml", &text, 200);
    let code = workbook::read(&strings).expect_err("a bomb").code();
    assert_eq!(code, "unpacks-too-large");
    let rows = bomb(
        "sheet1.xml",
        "<row><c t=\"str\"><v>x</v></c></row>",
        1_000_000,
    );
    match workbook::read(&rows) {
        Err(WorkbookError::Sheet(PrintedError::TooManyRows(place))) => {
            assert_eq!(place.row, 20_001)
        }
        other => panic!("{:?}", other.map(|sheets| sheets.len())),
    }
}

/// Bytes of a workbook and of its parts, changed at random: an error or a proposal, never a panic that
/// the reader has to catch itself.
#[test]
fn mutated_workbooks_are_read_or_refused() {
    use rand::{RngExt, SeedableRng};
    use std::io::{Cursor, Read, Write};
    let form = crate::form("phu-luc-2-cap-huyen");
    let honest = print(&form, Layout::MergedHeader);
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(11);
    let mut read = 0;
    let mut refused = 0;
    for round in 0..600 {
        let bytes = if round % 3 == 0 {
            let mut bytes = honest.clone();
            for _ in 0..rng.random_range(1..6) {
                let at = rng.random_range(0..bytes.len());
                bytes[at] = rng.random();
            }
            bytes
        } else {
            let mut archive = zip::ZipArchive::new(Cursor::new(&honest)).unwrap();
            let mut made = zip::ZipWriter::new(Cursor::new(Vec::new()));
            let options = zip::write::SimpleFileOptions::default()
                .compression_method(zip::CompressionMethod::Stored);
            let victim = rng.random_range(0..archive.len());
            for index in 0..archive.len() {
                let mut part = archive.by_index(index).unwrap();
                made.start_file(part.name().unwrap().into_owned(), options)
                    .unwrap();
                let mut bytes = Vec::new();
                part.read_to_end(&mut bytes).unwrap();
                if index == victim && !bytes.is_empty() {
                    for _ in 0..rng.random_range(1..8) {
                        let at = rng.random_range(0..bytes.len());
                        match rng.random_range(0..3) {
                            0 => bytes[at] = b"<>\"/=& 0129AZ$:%"[rng.random_range(0..16)],
                            1 => {
                                bytes.remove(at);
                            }
                            _ => bytes.insert(at, b"<>\"/=& 0129AZ$:%"[rng.random_range(0..16)]),
                        }
                        if bytes.is_empty() {
                            break;
                        }
                    }
                }
                made.write_all(&bytes).unwrap();
            }
            made.finish().unwrap().into_inner()
        };
        match workbook::read(&bytes) {
            Ok(sheets) => {
                let _ = propose(&sheets, &Asked::default());
                read += 1;
            }
            Err(error) => {
                assert!(
                    !error.to_string().contains("contradict"),
                    "the reader panicked"
                );
                refused += 1;
            }
        }
    }
    println!("{read} read, {refused} refused");
    assert!(read > 50 && refused > 50, "{read} read, {refused} refused");
}

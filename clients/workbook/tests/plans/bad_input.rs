//! Files that are no plans: each a named error with its place, and never a panic.

use std::io::{Cursor, Read, Write};

use rand::{RngExt, SeedableRng};
use sync_core::form::printed::PrintedError;
use sync_core::plan::printed::{Asked, PlanError, propose};
use workbook::document::DocumentError;
use workbook::plan_parts;

use crate::excel::{self, Layout};
use crate::word::{self, Pages, cell, document, paragraph, row};
use crate::{directory, real_plan};

fn fault(bytes: &[u8]) -> PlanError {
    let parts = plan_parts(bytes).expect("a file");
    propose(&parts, &directory(), &Asked::default()).expect_err("no plan")
}

fn told(error: &PlanError) -> (&'static str, String) {
    let place = error.place().map(ToString::to_string);
    (error.code(), place.unwrap_or_default())
}

fn table(rows: &[&[&str]]) -> Vec<u8> {
    let rows = rows.iter().map(|texts| {
        let cells: Vec<String> = texts
            .iter()
            .map(|text| cell(&paragraph(text), 1, ""))
            .collect();
        row(&cells)
    });
    document(&format!(
        "{}<w:tbl>{}</w:tbl>",
        paragraph("KẾ HOẠCH"),
        rows.collect::<String>()
    ))
}

const HEAD: &[&str] = &["STT", "Nhiệm vụ", "Thời hạn", "Cơ quan chủ trì"];

#[test]
fn what_is_no_plan_is_told_with_table_row_and_column() {
    assert_eq!(
        told(&fault(&document(&paragraph("Thư mời")))),
        ("plan-no-table", String::new())
    );
    let no_header = fault(&table(&[
        &["", "Họ tên", "Chức vụ"],
        &["1", "Nguyễn Văn A", "Trưởng phòng"],
    ]));
    assert_eq!(told(&no_header), ("plan-no-header", "#1!B1".to_owned()));
    assert_eq!(
        told(&fault(&table(&[HEAD]))),
        ("plan-no-rows", "#1!A1".to_owned())
    );
    let agencies = "Sở Nội vụ; ".repeat(400);
    let many = fault(&table(&[HEAD, &["1", "Việc", "2026", &agencies]]));
    assert_eq!(told(&many), ("plan-too-many-agencies", "#1!B2".to_owned()));
    let mut rows = vec![HEAD];
    rows.extend((0..5_002).map(|_| &["1", "Việc", "2026", "Sở Y tế"][..]));
    let (code, place) = told(&fault(&table(&rows)));
    assert_eq!((code, place.as_str()), ("plan-too-many-rows", "#1!A5002"));
    let long = "dài ".repeat(3_000);
    let error = plan_parts(&table(&[HEAD, &["1", &long]])).expect_err("too long");
    assert!(
        matches!(error, DocumentError::Table(PrintedError::TextTooLong(place)) if place.to_string() == "#1!B2")
    );
}

#[test]
fn what_is_neither_workbook_nor_document_is_told_apart() {
    let code = |bytes: &[u8]| plan_parts(bytes).expect_err("nothing").code();
    assert_eq!(code(b""), "not-a-document");
    assert_eq!(code(b"%PDF-1.7"), "not-a-document");
    assert_eq!(code(b"PK\x03\x04 and then nothing"), "not-a-document");
    let mut compound = vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
    compound.extend([0; 600]);
    assert_eq!(code(&compound), "document-other-format");
    compound.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(code(&compound), "document-encrypted");
    let cut = document("<w:tbl><w:tr><w:tc><w:p>");
    assert_eq!(code(&cut), "document-damaged");
}

#[test]
fn bombs_a_million_rows_and_deep_nests_are_stopped() {
    let code =
        |body: &str| plan_parts(&document(body)).map_or_else(|error| error.code(), |_| "read");
    let table = |rows: &str| format!("<w:tbl>{rows}</w:tbl>");
    let comment = format!("<!--{}-->", " ".repeat(1_000_000));
    let filled = row(&[cell("<w:p><w:r><w:t>x</w:t></w:r></w:p>", 1, "")]);
    let nest = |open: &str, close: &str, times: usize| open.repeat(times) + &close.repeat(times);
    let wide = row(&[cell("<w:p/>", 4_000_000_000, "")]);
    assert_eq!(
        [
            ("unpacked", code(&comment.repeat(60))),
            ("empty rows", code(&table(&"<w:tr/>".repeat(1_000_000)))),
            ("rows", code(&table(&filled.repeat(25_000)))),
            (
                "tables in tables",
                code(&nest("<w:tbl><w:tr><w:tc>", "</w:tc></w:tr></w:tbl>", 40))
            ),
            ("elements", code(&nest("<w:sdt>", "</w:sdt>", 400))),
            ("columns", code(&table(&wide))),
            ("tables", code(&table("").repeat(2_000))),
        ],
        [
            ("unpacked", "document-too-large"),
            ("empty rows", "too-many-rows"),
            ("rows", "too-many-rows"),
            ("tables in tables", "document-too-large"),
            ("elements", "document-too-large"),
            ("columns", "document-too-large"),
            ("tables", "document-too-large"),
        ]
    );
}

#[test]
fn a_document_that_breaks_off_between_two_elements_is_damaged() {
    let honest = word::print(&real_plan::read(), Pages::OneTable);
    let mut archive = zip::ZipArchive::new(Cursor::new(honest)).unwrap();
    let mut made = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).unwrap();
        let name = part.name().unwrap().into_owned();
        let mut text = String::new();
        part.read_to_string(&mut text).unwrap();
        if name.ends_with("document.xml") {
            let row = text.match_indices("</w:tr>").nth(20).unwrap().0;
            text.truncate(row + "</w:tr>".len());
        }
        made.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        made.write_all(text.as_bytes()).unwrap();
    }
    let error = plan_parts(&made.finish().unwrap().into_inner()).expect_err("half of it");
    assert_eq!(error.code(), "document-damaged");
}

/// A container with the bytes of one part changed.
fn mutated(honest: &[u8], rng: &mut rand_chacha::ChaCha8Rng) -> Vec<u8> {
    const MARKS: &[u8] = b"<>\"/=& 0129AZ$:%;,.\n(";
    let mut archive = zip::ZipArchive::new(Cursor::new(honest)).unwrap();
    let mut made = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let victim = rng.random_range(0..archive.len());
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).unwrap();
        made.start_file(part.name().unwrap().into_owned(), options)
            .unwrap();
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).unwrap();
        if index == victim && bytes.len() > 16 {
            for _ in 0..rng.random_range(1..12) {
                let at = rng.random_range(0..bytes.len());
                match rng.random_range(0..4) {
                    0 => bytes[at] = MARKS[rng.random_range(0..MARKS.len())],
                    1 => {
                        bytes.remove(at);
                    }
                    2 => bytes.insert(at, MARKS[rng.random_range(0..MARKS.len())]),
                    // A piece of it elsewhere: rows and cells where nobody expects them.
                    _ => {
                        let end = (at + rng.random_range(1..200)).min(bytes.len());
                        let piece = bytes[at..end].to_vec();
                        let to = rng.random_range(0..bytes.len());
                        bytes.splice(to..to, piece);
                    }
                }
            }
        }
        made.write_all(&bytes).unwrap();
    }
    made.finish().unwrap().into_inner()
}

#[test]
fn mutated_files_are_read_or_refused() {
    let plan = real_plan::read();
    let directory = directory();
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let honest = [
        word::print(&plan, Pages::TablePerPage),
        word::print(&plan, Pages::CountedOrdinals),
        excel::print(&plan, Layout::PageBreaks),
    ];
    let (mut read, mut refused) = (0, 0);
    for round in 0..300 {
        let honest = &honest[round % honest.len()];
        let bytes = if round % 4 == 0 {
            let mut bytes = honest.clone();
            for _ in 0..rng.random_range(1..6) {
                let at = rng.random_range(0..bytes.len());
                bytes[at] = rng.random();
            }
            bytes
        } else {
            mutated(honest, &mut rng)
        };
        match plan_parts(&bytes).map(|parts| propose(&parts, &directory, &Asked::default())) {
            Ok(Ok(proposal)) => {
                crate::assert_nothing_is_dropped(&bytes, &proposal);
                read += 1;
            }
            Ok(Err(_)) => refused += 1,
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

/// Cells of words that plans are made of, in any order: a proposal or a refusal, and nothing dropped.
#[test]
fn any_words_in_any_cells_are_told_of() {
    const WORDS: [&str; 40] = [
        "STT",
        "Nhiệm vụ",
        "Cơ quan chủ trì",
        "Phối hợp",
        "Thời hạn",
        "I",
        "II.",
        "1",
        "1.1",
        "2",
        "a)",
        "-",
        "A",
        "",
        "",
        "",
        "Sở Nội vụ",
        "các sở, ban, ngành",
        "UBND cấp xã; UBND cấp huyện",
        "(liên quan)",
        "được kiểm tra",
        "và",
        "phối hợp với",
        ";",
        ",",
        "Thường xuyên",
        "31/12/2022",
        "Quý I",
        "trước ngày 01/5",
        "năm",
        "tháng",
        "99/99/9999",
        "CẢI CÁCH HÀNH CHÍNH",
        "tiếp theo",
        "Nơi nhận:",
        "Trang 3",
        "(1)",
        "Sở KH&ĐT",
        "huyện Đại Từ",
        "Các Sở: Nội vụ; Y tế",
    ];
    let directory = directory();
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
    let mut read = 0;
    for _ in 0..1_000 {
        let mut body = String::new();
        for _ in 0..rng.random_range(1..3) {
            body += "<w:tbl>";
            if rng.random_range(0..4) > 0 {
                body += &row(&["STT", "Nhiệm vụ", "Thời hạn", "Chủ trì", "Phối hợp"]
                    .map(|text| cell(&paragraph(text), 1, "")));
            }
            for _ in 0..rng.random_range(0..8) {
                let cells: Vec<String> = (0..rng.random_range(1..6))
                    .map(|_| {
                        let words: Vec<&str> = (0..rng.random_range(1..4))
                            .map(|_| WORDS[rng.random_range(0..WORDS.len())])
                            .collect();
                        let upward = ["", "", "", "restart", "continue"][rng.random_range(0..5)];
                        cell(&paragraph(&words.join(" ")), rng.random_range(1..4), upward)
                    })
                    .collect();
                body += &row(&cells);
            }
            body += "</w:tbl>";
        }
        let bytes = document(&body);
        let parts = plan_parts(&bytes).expect("tables");
        if let Ok(proposal) = propose(&parts, &directory, &Asked::default()) {
            crate::assert_nothing_is_dropped(&bytes, &proposal);
            read += 1;
        }
    }
    assert!(read > 300, "{read} read");
}

//! What the page of forms sees across the boundary: a workbook in, a draft out, a version of it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by panicking"
)]

use form_wasm::{
    WorkbookJson, differences_between, draft_of, faults_of, from_workbook, template_of,
};
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};

/// A form of two lines under a title, and a page number.
fn workbook(lines: &[[&str; 4]]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.set_name("Biểu 1").unwrap();
    sheet.write(0, 0, "BÁO CÁO THỬ NĂM 2025").unwrap();
    for (column, heading) in ["STT", "Chỉ tiêu", "Đơn vị tính", "Số liệu"]
        .iter()
        .enumerate()
    {
        sheet.write(2, column as u16, *heading).unwrap();
    }
    for (at, line) in lines.iter().enumerate() {
        for (column, text) in line.iter().enumerate() {
            sheet.write(3 + at as u32, column as u16, *text).unwrap();
        }
    }
    workbook.save_to_buffer().unwrap()
}

fn proposed(bytes: &[u8]) -> Value {
    match from_workbook(bytes, "bieu-thu") {
        WorkbookJson::Proposal(value) => value,
        WorkbookJson::Refused(value) => panic!("{value}"),
    }
}

fn refused(bytes: &[u8]) -> Value {
    match from_workbook(bytes, "bieu-thu") {
        WorkbookJson::Refused(value) => value,
        WorkbookJson::Proposal(value) => panic!("{value}"),
    }
}

const LINES: [[&str; 4]; 4] = [
    ["1", "Tổng số hồ sơ", "Hồ sơ", ""],
    ["1.1", "Trực tuyến", "Hồ sơ", ""],
    ["1.2", "Trực tiếp", "Hồ sơ", ""],
    ["2", "Hình thức", "Trực tuyến = 0 Trực tiếp = 1", ""],
];

#[test]
fn every_line_of_the_sheet_is_told_and_the_draft_has_no_fault() {
    let proposal = proposed(&workbook(&LINES));
    let draft = proposal["draft"].to_string();
    assert_eq!(faults_of(&draft), json!([]));
    let lines = proposal["lines"].as_array().unwrap();
    let told: Vec<u64> = lines
        .iter()
        .map(|line| line["row"].as_u64().unwrap())
        .collect();
    let mut covered = 0;
    for (line, row) in lines.iter().zip(&told) {
        assert_eq!(*row, covered + 1, "{line}");
        covered = line["through"].as_u64().unwrap();
        assert_ne!(line["why"].is_string(), line["code"].is_string(), "{line}");
    }
    assert_eq!(covered, 7, "every line of the sheet, in its order");
    let total = lines.iter().find(|line| line["code"] == "1").unwrap();
    assert!(total["confidence"].is_string());
    assert!(!total["reasons"].as_array().unwrap().is_empty());
}

#[test]
fn a_draft_becomes_a_version_and_comes_back() {
    let draft = proposed(&workbook(&LINES))["draft"].clone();
    let first = template_of(&draft.to_string(), 1, "").unwrap();
    let first = String::from_utf8(first).unwrap();
    let mut changed = draft_of(&first).unwrap();
    assert_eq!(
        String::from_utf8(template_of(&changed.to_string(), 1, "").unwrap()).unwrap(),
        first
    );
    changed["sections"][0]["indicators"][1]["label_vi"] = json!("Qua mạng");
    let second = template_of(&changed.to_string(), 2, " Theo góp ý ").unwrap();
    let second = String::from_utf8(second).unwrap();
    assert!(
        second.contains(r#""published_note":"Theo góp ý""#),
        "{second}"
    );
    let told = differences_between(&first, &second).unwrap();
    assert_eq!(told[0]["aspect"], "label");
    assert_eq!(told.as_array().unwrap().len(), 1, "{told}");
    // A note belongs to its version alone.
    let third = draft_of(&second).unwrap().to_string();
    assert!(!third.contains("published_note"));
    assert!(template_of("{}", 1, "").is_err());
    assert!(draft_of("{}").is_err());
}

#[test]
fn what_is_no_workbook_or_no_form_is_refused_by_name_and_place() {
    assert_eq!(refused(b"STT;Chi tieu")["refused"], "not-a-workbook");
    let mut cut = workbook(&LINES);
    cut.truncate(cut.len() / 2);
    assert!(refused(&cut)["refused"].is_string());
    let mut twice = LINES;
    twice[2][0] = "1.1";
    let told = refused(&workbook(&twice));
    assert_eq!(told["refused"], "repeated-code", "{told}");
    let place = &told["arguments"];
    assert_eq!(
        (&place["sheet"], &place["row"]),
        (&json!("Biểu 1"), &json!("6"))
    );
    assert!(place["column"].is_string(), "{told}");
}

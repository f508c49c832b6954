//! How long it takes to read a plan of 500 rows for a province of 113 units from a workbook: bytes in,
//! proposal out. One line of JSON.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measuring program: it says its figures, and a failed one ends it"
)]

use std::time::Instant;

use rust_xlsxwriter::Workbook;
use sync_core::plan::printed::{Asked, Directory, propose};

const ROWS: u32 = 500;

/// A province of 21 departments and 92 communes.
fn org() -> String {
    let text = sync_core::catalogue_files::text("org/thai-nguyen-2025.json").expect("it ships");
    let mut file: serde_json::Value = serde_json::from_str(text).expect("an org file");
    let units = file.get_mut("units").and_then(|units| units.as_array_mut());
    let units = units.expect("units");
    let older = sync_core::catalogue_files::text("org/thai-nguyen-2022.json").expect("it ships");
    let older: serde_json::Value = serde_json::from_str(older).expect("an org file");
    let departments = older.pointer("/tree/children").and_then(|of| of.as_array());
    let departments = departments.into_iter().flatten();
    let departments =
        departments.filter(|unit| unit.get("kind").is_some_and(|kind| kind == "department"));
    for (at, unit) in departments.enumerate().take(21) {
        units.push(serde_json::json!({
            "code": format!("d{at}"), "name_vi": unit.get("name_vi"), "kind": "department",
        }));
    }
    assert_eq!(units.len(), 113);
    file.to_string()
}

/// Rows in ten sections, each with a list of agencies of its own: names, short forms, groups, some wrong.
fn plan() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let mut put = |row: u32, column: u16, text: &str| {
        sheet
            .write_string(row, column, text)
            .map(|_| ())
            .expect("a cell");
    };
    put(0, 0, "Kế hoạch cải cách hành chính năm 2026");
    let header = [
        "STT",
        "Nhiệm vụ",
        "Yêu cầu",
        "Thời hạn",
        "Cơ quan chủ trì",
        "Cơ quan phối hợp",
    ];
    for (column, text) in (0..).zip(header) {
        put(1, column, text);
    }
    let mut row = 2;
    for at in 0..ROWS {
        if at % 50 == 0 {
            let section = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"];
            put(
                row,
                0,
                section
                    .get(usize::try_from(at / 50).unwrap_or(0))
                    .unwrap_or(&"I"),
            );
            put(row, 1, "CẢI CÁCH HÀNH CHÍNH");
            row += 1;
        }
        put(row, 0, &format!("{}.{}", at / 50 + 1, at % 50 + 1));
        put(
            row,
            1,
            &format!("Thực hiện nhiệm vụ thứ {at} của kế hoạch cải cách hành chính"),
        );
        put(
            row,
            2,
            &format!("Hoàn thành {} % số hồ sơ trước thời hạn", at % 100),
        );
        put(
            row,
            3,
            [
                "Quý I",
                "Trong năm 2026",
                "trước ngày 01/5/2026",
                "Thường xuyên",
            ]
            .get(usize::try_from(at % 4).unwrap_or(0))
            .unwrap_or(&""),
        );
        put(
            row,
            4,
            &format!("Sở KH&ĐT; Sở Nội vu, các sở, ban, ngành; Hội số {at}"),
        );
        put(
            row,
            5,
            &format!("UBND cấp xã và các sở, ngành liên quan; Sở Tài chnh {at}, UBND xã Định Hoá"),
        );
        row += 1;
    }
    workbook.save_to_buffer().expect("a workbook")
}

fn main() {
    let (bytes, org) = (plan(), org());
    let mut best = f64::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        let directory = Directory::read(&org, None).expect("units");
        let parts = workbook::plan_parts(&bytes).expect("a workbook");
        let proposal = propose(&parts, &directory, &Asked::default()).expect("a plan");
        assert_eq!(proposal.rows.len(), usize::try_from(ROWS).unwrap_or(0));
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    println!(
        "{}",
        serde_json::json!({"plan_import_500_rows_ms": (best * 10.0).round() / 10.0})
    );
}

//! How long it takes to read a form of 500 rows from a workbook: bytes in, proposal out. One line of JSON.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measuring program: it says its figures, and a failed one ends it"
)]

use std::time::Instant;

use rust_xlsxwriter::Workbook;
use sync_core::form::printed::{Asked, propose};

const ROWS: u32 = 500;
const TIMES: usize = 21;

/// Groups of a total, its parts, a ratio in words and a code list in the column of units.
fn form() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let mut put = |row: u32, column: u16, text: &str| {
        sheet
            .write_string(row, column, text)
            .map(|_| ())
            .expect("a cell");
    };
    put(0, 0, "Thống kê số liệu cải cách hành chính năm 2026");
    let header = ["STT", "Chỉ tiêu", "Đơn vị tính", "Số liệu", "Ghi chú"];
    for (column, text) in (0..).zip(header) {
        put(2, column, text);
    }
    for at in 0..ROWS {
        let (group, part) = (at / 5 + 1, at % 5);
        let (stt, label, unit) = match part {
            0 => (
                format!("{group}"),
                format!("Tổng số hồ sơ của nhóm công việc {group}"),
                "Hồ sơ",
            ),
            1 => (format!("{group}.1"), "Trực tuyến".to_owned(), "Hồ sơ"),
            2 => (format!("{group}.2"), "Trực tiếp".to_owned(), "Hồ sơ"),
            3 => (
                format!("{group}.3"),
                format!("Tỷ lệ hồ sơ trực tuyến của nhóm {group}"),
                "%",
            ),
            _ => (
                format!("{group}.4"),
                format!("Hình thức thực hiện của nhóm {group}"),
                "Trực tuyến = 0 Phát phiếu = 1 Kết hợp = 2",
            ),
        };
        put(3 + at, 0, &stt);
        put(3 + at, 1, &label);
        put(3 + at, 2, unit);
    }
    workbook.save_to_buffer().expect("a workbook")
}

fn main() {
    let bytes = form();
    let mut took: Vec<f64> = (0..TIMES)
        .map(|_| {
            let start = Instant::now();
            let sheets = workbook::read(&bytes).expect("a workbook");
            let proposal = propose(&sheets, &Asked::default()).expect("a form");
            assert_eq!(
                proposal.rows.len(),
                usize::try_from(ROWS).unwrap_or_default()
            );
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    took.sort_by(f64::total_cmp);
    let at = |index: usize| {
        took.get(index)
            .map_or(f64::NAN, |ms| (ms * 10.0).round() / 10.0)
    };
    println!(
        "{}",
        serde_json::json!({
            "form_import_500_rows_ms": at(TIMES / 2), "form_import_500_rows_p95_ms": at(TIMES - 2),
        })
    );
}

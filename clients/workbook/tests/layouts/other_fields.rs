//! Forms of other fields, which nothing was made for: education, health, land.

use rust_xlsxwriter::{Format, Workbook};

use crate::{Scores, assert_nothing_is_dropped, read, score};
use sync_core::form::{Choice, Indicator, Kind};

/// What a row should come to: code, kind, parent, formula, choices.
type Wanted<'a> = (
    &'a str,
    Kind,
    Option<&'a str>,
    Option<&'a str>,
    &'a [(i64, &'a str)],
);

fn wanted(rows: &[Wanted<'_>], found: &[Indicator]) -> Vec<Indicator> {
    rows.iter()
        .zip(found)
        .map(
            |((code, kind, parent, formula, choices), found)| Indicator {
                code: (*code).to_owned(),
                kind: *kind,
                parent: parent.map(str::to_owned),
                formula: formula.map(|text| text.parse().expect("a formula")),
                choices: choices
                    .iter()
                    .map(|(value, label)| Choice {
                        value: *value,
                        label: (*label).to_owned(),
                    })
                    .collect(),
                ..found.clone()
            },
        )
        .collect()
}

pub(crate) fn workbook_of(rows: &[&[&str]], merged: &[(u32, u16, u32, u16, &str)]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.set_name("Biểu").unwrap();
    for (row, cells) in rows.iter().enumerate() {
        for (column, text) in cells
            .iter()
            .enumerate()
            .filter(|(_, text)| !text.is_empty())
        {
            let (row, column) = (u32::try_from(row).unwrap(), u16::try_from(column).unwrap());
            match text.strip_prefix('=') {
                Some(formula) if column == 3 => sheet
                    .write_formula(row, column, formula)
                    .map(|_| ())
                    .unwrap(),
                Some(_) | None => sheet.write_string(row, column, *text).map(|_| ()).unwrap(),
            }
        }
    }
    for (first, left, last, right, text) in merged {
        sheet
            .merge_range(*first, *left, *last, *right, text, &Format::new())
            .unwrap();
    }
    workbook.save_to_buffer().unwrap()
}

fn check(name: &str, bytes: &[u8], rows: &[Wanted<'_>]) -> Scores {
    let proposal = read(bytes);
    assert_nothing_is_dropped(bytes, &proposal);
    let found = proposal.template.rows();
    for row in found {
        println!(
            "  {} {} [{}] {:?} {:?}",
            row.code,
            row.label,
            row.kind.name(),
            row.parent,
            row.formula.as_ref().map(ToString::to_string)
        );
    }
    assert_eq!(found.len(), rows.len(), "{name}");
    score(name, found, &wanted(rows, found))
}

const NO: &[(i64, &str)] = &[];

#[test]
fn a_form_of_schools() {
    let bytes = workbook_of(
        &[
            &["PHÒNG GIÁO DỤC VÀ ĐÀO TẠO"],
            &["BÁO CÁO THỐNG KÊ GIÁO DỤC PHỔ THÔNG CUỐI NĂM HỌC"],
            &[],
            &["TT", "Nội dung", "Đơn vị", "Tổng số", "Ghi chú"],
            &["A", "B", "C", "1", "2"],
            &["I", "Trường, lớp"],
            &["1", "Số trường", "Trường"],
            &["", "- Công lập", "Trường"],
            &["", "- Ngoài công lập", "Trường"],
            &["2", "Số lớp", "Lớp"],
            &["II", "Học sinh"],
            &["1", "Tổng số học sinh", "Học sinh"],
            &["", "Trong đó:"],
            &["", "- Nữ", "Học sinh"],
            &["", "- Dân tộc thiểu số", "Học sinh"],
            &["2", "Số học sinh lên lớp", "Học sinh"],
            &["3", "Tỷ lệ học sinh lên lớp", "%"],
            &["4", "Số học sinh bình quân một lớp", "Học sinh/lớp"],
            &["5", "Tổ chức bán trú", "Có = 1, Không = 0"],
            &["", "", "", "Ngày 30 tháng 5 năm 2025"],
            &["Người lập biểu", "", "", "Hiệu trưởng"],
        ],
        &[],
    );
    let scores = check(
        "schools",
        &bytes,
        &[
            ("I.1", Kind::Integer, None, Some("[I.1.a] + [I.1.b]"), NO),
            ("I.1.a", Kind::Integer, Some("I.1"), None, NO),
            ("I.1.b", Kind::Integer, Some("I.1"), None, NO),
            ("I.2", Kind::Integer, None, None, NO),
            ("II.1", Kind::Integer, None, None, NO),
            ("II.1.a", Kind::Integer, Some("II.1"), None, NO),
            ("II.1.b", Kind::Integer, Some("II.1"), None, NO),
            ("II.2", Kind::Integer, None, None, NO),
            (
                "II.3",
                Kind::Percent,
                None,
                Some("100 * [II.2] / [II.1]"),
                NO,
            ),
            ("II.4", Kind::Decimal, None, None, NO),
            ("II.5", Kind::Choice, None, None, &[(1, "Có"), (0, "Không")]),
        ],
    );
    assert!(
        scores.code.recall() > 0.99 && scores.kind.recall() > 0.99 && scores.parent.recall() > 0.99
    );
    assert!(scores.formula.precision() > 0.99 && scores.formula.recall() > 0.99);
}

#[test]
fn a_form_of_health_with_formulas_in_its_cells_and_notes() {
    let bytes = workbook_of(
        &[
            &["Biểu số 02-YT", "", "", "Kỳ báo cáo: 6 tháng"],
            &["BÁO CÁO HOẠT ĐỘNG Y TẾ XÃ 6 THÁNG"],
            &[
                "Tên chỉ tiêu",
                "Mã số",
                "Đơn vị tính",
                "Thực hiện",
                "Cách tính",
            ],
            &["Khám chữa bệnh", "", ""],
            &["Tổng số lượt khám", "01", "Lượt", "=D6+D7"],
            &["Nội trú", "02", "Lượt"],
            &["Ngoại trú", "03", "Lượt"],
            &["Tiêm chủng", "", ""],
            &["Số trẻ em dưới 1 tuổi", "04", "Trẻ"],
            &["Số trẻ được tiêm đủ vắc xin", "05", "Trẻ"],
            &["Tỷ lệ tiêm chủng đầy đủ", "06", "%", "", "= 05 / 04 x 100%"],
            &["Chi cho y tế dự phòng", "07", "Triệu đồng"],
        ],
        &[],
    );
    let scores = check(
        "health",
        &bytes,
        &[
            ("a", Kind::Heading, None, None, NO),
            ("01", Kind::Integer, Some("a"), Some("[02] + [03]"), NO),
            ("02", Kind::Integer, Some("a"), None, NO),
            ("03", Kind::Integer, Some("a"), None, NO),
            ("b", Kind::Heading, None, None, NO),
            ("04", Kind::Integer, Some("b"), None, NO),
            ("05", Kind::Integer, Some("b"), None, NO),
            (
                "06",
                Kind::Percent,
                Some("b"),
                Some("100 * [05] / [04]"),
                NO,
            ),
            ("07", Kind::MoneyMillionVnd, Some("b"), None, NO),
        ],
    );
    assert!(
        scores.kind.recall() > 0.99
            && scores.formula.recall() > 0.99
            && scores.parent.recall() > 0.99
    );
    assert_eq!(read(&bytes).template.period().name(), "half");
}

#[test]
fn a_form_of_land_with_three_levels_and_units_above_the_table() {
    let bytes = workbook_of(
        &[
            &["THỐNG KÊ, KIỂM KÊ DIỆN TÍCH ĐẤT ĐAI NĂM 2024"],
            &["Đơn vị tính: ha"],
            &["Thứ tự", "Loại đất", "Ký hiệu", "Tổng diện tích"],
            &["", "Tổng diện tích đất của đơn vị hành chính"],
            &["1", "Nhóm đất nông nghiệp", "NNP"],
            &["1.1", "Đất sản xuất nông nghiệp", "SXN"],
            &["1.2", "Đất lâm nghiệp", "LNP"],
            &["2", "Nhóm đất phi nông nghiệp", "PNN"],
            &["2.1", "Đất ở", "OTC"],
            &["2.1.1", "Đất ở tại nông thôn", "ONT"],
            &["2.1.2", "Đất ở tại đô thị", "ODT"],
            &["2.2", "Đất chuyên dùng", "CDG"],
            &["3", "Nhóm đất chưa sử dụng", "CSD"],
        ],
        &[],
    );
    let proposal = read(&bytes);
    assert_nothing_is_dropped(&bytes, &proposal);
    let rows = proposal.template.rows();
    let parents: Vec<_> = rows
        .iter()
        .map(|row| (row.code.as_str(), row.parent.as_deref()))
        .collect();
    assert!(parents.contains(&("2.1.1", Some("2.1"))), "{parents:?}");
    assert!(parents.contains(&("2.1", Some("2"))), "{parents:?}");
    assert_eq!(rows.len(), 10);
    for row in rows {
        println!(
            "  {} {} [{}] {:?}",
            row.code, row.label, row.unit, row.parent
        );
    }
    assert!(
        rows.iter()
            .all(|row| row.kind == Kind::Decimal && row.unit == "ha")
    );
    // What stands in the column of symbols is kept with its row.
    assert_eq!(
        rows.last()
            .and_then(|row| row.annotations.get("ky-hieu"))
            .map(String::as_str),
        Some("CSD")
    );
}

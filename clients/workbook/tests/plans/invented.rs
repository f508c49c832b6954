//! Plans of other shapes, in the words that offices use. None of them is the one that ships.

use rust_xlsxwriter::{Format, Workbook};
use sync_core::plan::printed::{Asked, Became, Confidence, Directory, Matched, Proposal, propose};

use crate::word::{cell, document, paragraph, row};
use crate::{assert_nothing_is_dropped, names, read};

/// Rows of texts from the top; `merges` are first row, first column, last row, last column.
fn workbook_of(rows: &[&[&str]], merges: &[(u32, u16, u32, u16)]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (at, texts) in (0..).zip(rows) {
        for (column, text) in (0..).zip(texts.iter()) {
            if !text.is_empty() {
                sheet.write_string(at, column, *text).unwrap();
            }
        }
    }
    for (row, column, last_row, last_column) in merges {
        let text = rows[*row as usize][*column as usize];
        sheet
            .merge_range(*row, *column, *last_row, *last_column, text, &Format::new())
            .unwrap();
    }
    workbook.save_to_buffer().unwrap()
}

/// A province of two tiers, with departments that were merged and renamed.
fn province() -> Directory {
    let org = r#"{"as_of": "2025-07-01", "tree": {"id": "tinh", "name_vi": "Tỉnh Hòa Sơn", "kind": "province", "children": [
        {"id": "vp", "name_vi": "Văn phòng UBND tỉnh", "kind": "department"},
        {"id": "snv", "name_vi": "Sở Nội vụ", "kind": "department", "old_names_vi": ["Sở Lao động - Thương binh và Xã hội"]},
        {"id": "stc", "name_vi": "Sở Tài chính", "kind": "department", "predecessors_vi": "Sở Kế hoạch và Đầu tư, Sở Tài chính"},
        {"id": "skhcn", "name_vi": "Sở Khoa học và Công nghệ", "kind": "department", "children": [
            {"id": "cds", "name_vi": "Trung tâm Chuyển đổi số", "kind": "public_service_unit"}]},
        {"id": "snnmt", "name_vi": "Sở Nông nghiệp và Môi trường", "kind": "department"},
        {"id": "ca", "name_vi": "Công an tỉnh", "kind": "central_branch"},
        {"id": "x1", "name_vi": "Xã Hòa Bình", "kind": "commune"},
        {"id": "x2", "name_vi": "Xã Tân Lập", "kind": "commune"},
        {"id": "p1", "name_vi": "Phường Trung Tâm", "kind": "commune", "valid_to": "2025-12-31"}]}}"#;
    Directory::read(org, Some("2025-11-01".parse().unwrap())).expect("units")
}

/// `code parent deadline | lead | coordinating`, a heading with `#`.
fn told(proposal: &Proposal) -> Vec<String> {
    let rows = proposal.rows.iter().map(|row| {
        let when = match (row.deadline, row.recurring) {
            (Some(day), _) => day.to_string(),
            (None, true) => "again".to_owned(),
            (None, false) => "-".to_owned(),
        };
        let head = format!(
            "{}{} <{}",
            if row.is_group { "#" } else { "" },
            row.code,
            row.parent.as_deref().unwrap_or("")
        );
        format!(
            "{head} {when} | {} | {}",
            names(&row.lead).join("; "),
            names(&row.coordinating).join("; ")
        )
    });
    rows.collect()
}

#[test]
fn a_province_of_two_tiers_with_numbers_that_begin_again() {
    let bytes = workbook_of(
        &[
            &["UBND TỈNH HÒA SƠN"],
            &["KẾ HOẠCH"],
            &["Cải cách hành chính tỉnh Hòa Sơn năm 2026"],
            &[],
            &[
                "TT",
                "Nhiệm vụ",
                "Sản phẩm, kết quả đầu ra",
                "Đơn vị chủ trì",
                "Đơn vị phối hợp",
                "Thời gian hoàn thành",
                "Ghi chú",
            ],
            &["I", "CẢI CÁCH THỂ CHẾ"],
            &[
                "1",
                "Rà soát văn bản quy phạm pháp luật",
                "Báo cáo",
                "Các sở, ban, ngành",
                "UBND các xã, phường",
                "Quý I",
            ],
            &[
                "2",
                "Ban hành kế hoạch kiểm tra",
                "Kế hoạch",
                "Sở Nội vu",
                "VP.UBND tỉnh",
                "trước ngày 01/5/2026",
                "Ghi thêm",
            ],
            &[
                "",
                "- Kiểm tra theo chuyên đề",
                "Báo cáo kiểm tra",
                "Sở KH&CN\nSở NN&MT",
                "",
                "Tháng 9",
            ],
            &["II", "CẢI CÁCH THỦ TỤC HÀNH CHÍNH"],
            &[
                "1",
                "Công khai thủ tục hành chính",
                "100%",
                "Các sở, ban, ngành; UBND cấp xã",
                "Trung tâm Chuyển đổi số (Sở KH&CN)",
                "Thường xuyên",
            ],
            &[
                "2",
                "Số hoá hồ sơ",
                "",
                "UBND xã Hoà Bình",
                "Sở LĐTB&XH, Sở Kế hoạch và Đầu tư",
                "Trong ngày 31/12/2026",
            ],
            &[
                "2",
                "Xử lý hồ sơ quá hạn",
                "",
                "Các cơ quan, đơn vị được kiểm tra năm 2026",
                "Hội Nông dân tỉnh",
                "15 ngày kể từ ngày có kết luận",
            ],
            &["3", "Đầu mối khác", "", "UBND cấp huyện", "", "Đầu quý II"],
            &[],
            &["Ghi chú: các đơn vị báo cáo trước ngày 10 hằng tháng."],
        ],
        &[],
    );
    let proposal = read(&bytes, &province());
    assert_nothing_is_dropped(&bytes, &proposal);
    assert_eq!(
        told(&proposal),
        [
            "I.1 < 2026-03-31 | Các sở, ban, ngành | UBND cấp xã",
            "I.2 < 2026-05-01 | Sở Nội vụ | Văn phòng UBND tỉnh",
            "I.2.a <I.2 2026-09-30 | Sở Khoa học và Công nghệ; Sở Nông nghiệp và Môi trường | ",
            "II.1 < again | Các sở, ban, ngành; UBND cấp xã | Trung tâm Chuyển đổi số",
            "II.2 < 2026-12-31 | Xã Hòa Bình | Sở Nội vụ; Sở Tài chính",
            "II.2-2 < - | Các cơ quan, đơn vị | Hội Nông dân tỉnh",
            "II.3 < 2026-06-30 | UBND cấp huyện | ",
        ]
    );
    let group = |name: &str| {
        proposal
            .groups
            .iter()
            .find(|group| group.name == name)
            .unwrap()
    };
    assert_eq!(group("UBND cấp xã").units, ["x1", "x2", "p1"]);
    assert_eq!(
        group("Các sở, ban, ngành").units,
        ["vp", "snv", "stc", "skhcn", "snnmt"]
    );
    assert!(group("UBND cấp huyện").units.is_empty());
    let asked = &proposal.rows[5].lead[0];
    assert_eq!(asked.scope.as_deref(), Some("được kiểm tra năm 2026"));
    assert!(asked.asks());
    assert_eq!(proposal.rows[5].coordinating[0].matched, Matched::Nothing);
    assert_eq!(proposal.rows[5].confidence, Confidence::Low);
    assert_eq!(
        proposal.rows[1].others,
        [("Ghi chú".to_owned(), "Ghi thêm".to_owned())]
    );
    assert_eq!(proposal.lines.last().unwrap().became, Became::Footnote);
}

#[test]
fn units_that_do_not_exist_on_the_day_are_in_no_group() {
    let bytes = workbook_of(
        &[
            &["TT", "Nhiệm vụ", "Thời hạn", "Chủ trì"],
            &["1", "Việc", "2026", "UBND cấp xã"],
        ],
        &[],
    );
    let org = r#"{"province": {"code": "1", "name_vi": "Tỉnh A", "kind": "province", "valid_from": "2025-07-01"}, "units": [
        {"code": "11", "name_vi": "Xã Cũ", "kind": "commune", "valid_to": "2025-12-31"},
        {"code": "12", "name_vi": "Xã Mới", "kind": "commune", "valid_from": "2026-01-01"}]}"#;
    let units = |on: Option<&str>| {
        let on = on.map(|on| on.parse().unwrap());
        let directory = Directory::read(org, on).unwrap();
        read(&bytes, &directory).groups[0].units.clone()
    };
    assert_eq!(units(Some("2025-08-01")), ["11"]);
    assert_eq!(units(Some("2026-08-01")), ["12"]);
    assert_eq!(units(None), ["11", "12"]);
}

#[test]
fn an_office_with_divisions_fields_in_a_column_and_agencies_in_one() {
    let org = r#"{"as_of": "2025-07-01", "tree": {"id": "so", "name_vi": "Sở Nội vụ", "kind": "department", "children": [
        {"id": "vp", "name_vi": "Văn phòng Sở", "kind": "division"},
        {"id": "tt", "name_vi": "Thanh tra Sở", "kind": "division"},
        {"id": "cchc", "name_vi": "Phòng Cải cách hành chính", "kind": "division", "aliases_vi": ["Phòng CCHC"]},
        {"id": "tcbm", "name_vi": "Phòng Tổ chức bộ máy", "kind": "division"}]}}"#;
    let directory = Directory::read(org, None).unwrap();
    let text = |text: &str| cell(&paragraph(text), 1, "");
    let field = |name: &str, upward: &str| cell(&paragraph(name), 1, upward);
    let mut table = "<w:tbl>".to_owned();
    table += &row(&[
        "Số TT",
        "Lĩnh vực",
        "Nội dung công việc",
        "Yêu cầu, kết quả",
        "Cơ quan chủ trì, phối hợp",
        "Thời hạn",
    ]
    .map(text));
    table += &row(&[
        text("1"),
        field("Thể chế", "restart"),
        text("Rà soát văn bản"),
        text("Báo cáo"),
        text("Chủ trì: Phòng CCHC. Phối hợp: các phòng, ban, đơn vị"),
        text("Quý II/2025"),
    ]);
    table += &row(&[
        text("2"),
        field("", "continue"),
        text("Tham mưu sắp xếp"),
        text("Đề án"),
        text("Phòng Tổ chức bộ máy chủ trì, phối hợp với Văn phòng, Thanh tra Sở"),
        text("31.10.2025"),
    ]);
    table += &row(&[
        text(""),
        field("", "continue"),
        text("và báo cáo kết quả"),
        text(""),
        text(""),
        text(""),
    ]);
    table += &row(&[
        text("3"),
        field("Công chức", ""),
        text("Đánh giá"),
        text("Quyết định"),
        text("Các phòng chuyên môn"),
        text("Hằng quý"),
    ]);
    table += "</w:tbl>";
    let bytes = document(&(paragraph("CHƯƠNG TRÌNH CÔNG TÁC NĂM 2025") + &table));
    let proposal = read(&bytes, &directory);
    assert_nothing_is_dropped(&bytes, &proposal);
    assert_eq!(
        told(&proposal),
        [
            "1 < 2025-06-30 | Phòng Cải cách hành chính | Các phòng, ban, đơn vị",
            "2 < 2025-10-31 | Phòng Tổ chức bộ máy | Văn phòng Sở; Thanh tra Sở",
            "3 < again | Các phòng, ban, đơn vị | ",
        ]
    );
    assert_eq!(
        proposal.rows[1].title,
        "Tham mưu sắp xếp và báo cáo kết quả"
    );
    let fields: Vec<&str> = proposal
        .sections
        .iter()
        .map(|section| section.title.as_str())
        .collect();
    assert_eq!(fields, ["Thể chế", "Công chức"]);
    assert_eq!(proposal.groups[0].units, ["vp", "tt", "cchc", "tcbm"]);
}

#[test]
fn ordinals_in_titles_ticks_in_quarters_and_shared_cells() {
    let bytes = workbook_of(
        &[
            &["PHỤ LỤC: NHIỆM VỤ NĂM 2025"],
            &[
                "Nhiệm vụ",
                "Chỉ tiêu",
                "Thời gian thực hiện",
                "",
                "",
                "",
                "Cơ quan thực hiện",
                "",
            ],
            &[
                "",
                "",
                "Quý I",
                "Quý II",
                "Quý III",
                "Quý IV",
                "Chủ trì",
                "Phối hợp",
            ],
            &["A. NHÓM NHIỆM VỤ CHUNG"],
            &["I. Tuyên truyền"],
            &[
                "1. Tuyên truyền cải cách",
                "Tối thiểu 12 bài",
                "x",
                "",
                "x",
                "",
                "Sở Nội vụ",
                "Sở Tài chính",
            ],
            &[
                "1.1. Trên báo",
                "Ít nhất 6 bài",
                "",
                "x",
                "",
                "",
                "Sở Nội vụ",
                "",
            ],
            &["a) Báo in", "", "", "", "", "x", "", "Công an tỉnh"],
            &["B. NHÓM NHIỆM VỤ RIÊNG"],
            &["I. Chuyển đổi số"],
            &[
                "1. Nâng cấp hệ thống",
                "Hệ thống mới",
                "",
                "",
                "",
                "x",
                "Sở Khoa học và Công nghệ",
                "",
            ],
            &["2. Đào tạo", "", "", "", "", "x", "Sở Nội vụ", ""],
            &["Công tác khác", "", "", "", "", "x", "Sở Tài chính", ""],
        ],
        &[
            (1, 0, 2, 0),
            (1, 1, 2, 1),
            (1, 2, 1, 5),
            (1, 6, 1, 7),
            (3, 0, 3, 7),
            (4, 0, 4, 7),
            (8, 0, 8, 7),
            (9, 0, 9, 7),
            (10, 1, 11, 1),
            (6, 6, 7, 6),
        ],
    );
    let proposal = read(&bytes, &province());
    assert_nothing_is_dropped(&bytes, &proposal);
    assert_eq!(
        told(&proposal),
        [
            "A.I.1 < 2025-09-30 | Sở Nội vụ | Sở Tài chính",
            "A.I.1.1 <A.I.1 2025-06-30 | Sở Nội vụ | ",
            "A.I.1.1.a <A.I.1.1 2025-12-31 | Sở Nội vụ | Công an tỉnh",
            "B.I.1 < 2025-12-31 | Sở Khoa học và Công nghệ | ",
            "B.I.2 < 2025-12-31 | Sở Nội vụ | ",
            "B.I.2.a < 2025-12-31 | Sở Tài chính | ",
        ]
    );
    assert_eq!(
        proposal.rows[4].requirement.as_deref(),
        Some("Hệ thống mới")
    );
    let sections: Vec<&str> = proposal
        .sections
        .iter()
        .map(|section| section.id.as_str())
        .collect();
    assert_eq!(sections, ["A", "A.I", "B", "B.I"]);
}

#[test]
fn numerals_over_numbers_and_a_year_that_is_not_known() {
    let bytes = workbook_of(
        &[
            &[
                "STT",
                "Nội dung",
                "Yêu cầu",
                "Thời hạn",
                "Chủ trì",
                "Phối hợp",
            ],
            &["III", "Cải cách bộ máy"],
            &[
                "1.1",
                "Sắp xếp",
                "Đề án",
                "Quý I",
                "Sở Nội vụ",
                "Các Sở: Tài chính, Khoa học và Công nghệ",
            ],
            &["1.2", "Biên chế", "", "Quý II/2024", "-nt-", "như trên"],
            &[
                "",
                "Báo cáo sơ kết",
                "Báo cáo",
                "30/2/2024",
                "Sở Nội vụ",
                "",
            ],
        ],
        &[],
    );
    let parts = workbook::plan_parts(&bytes).unwrap();
    let asked = Asked {
        file_name: "ke hoach".to_owned(),
        ..Asked::default()
    };
    let proposal = propose(&parts, &province(), &asked).unwrap();
    assert_eq!(
        told(&proposal),
        [
            "1.1 < - | Sở Nội vụ | Sở Tài chính; Sở Khoa học và Công nghệ",
            "1.2 < 2024-06-30 | Sở Nội vụ | Sở Tài chính; Sở Khoa học và Công nghệ",
            "1.2.a < - | Sở Nội vụ | ",
        ]
    );
    assert_eq!(proposal.sections[0].id, "III");
    let why: Vec<&str> = proposal
        .rows
        .iter()
        .flat_map(|row| &row.reasons)
        .map(|reason| reason.code)
        .filter(|code| code.starts_with("deadline"))
        .collect();
    assert_eq!(
        why,
        [
            "deadline-no-year",
            "deadline-period",
            "deadline-no-such-day"
        ]
    );
    let asked = Asked {
        year: Some(2024),
        ..asked
    };
    let proposal = propose(&parts, &province(), &asked).unwrap();
    assert_eq!(
        proposal.rows[0]
            .deadline
            .map(|day| day.to_string())
            .as_deref(),
        Some("2024-03-31")
    );
}

#[test]
fn two_units_of_one_name_are_asked_about() {
    let org = r#"{"province": {"code": "1", "name_vi": "Tỉnh A", "kind": "province", "valid_from": "2025-07-01"}, "units": [
        {"code": "11", "name_vi": "Xã Tân Lập", "kind": "commune"}, {"code": "12", "name_vi": "Xã Tân Lập", "kind": "commune"},
        {"code": "13", "name_vi": "Xã Mới", "kind": "commune", "predecessors_vi": "Xã Cũ (phần còn lại), Xã Xưa"},
        {"code": "14", "name_vi": "Xã Khác", "kind": "commune", "predecessors_vi": "một phần xã Cũ"}]}"#;
    let directory = Directory::read(org, None).unwrap();
    let rows: &[&[&str]] = &[
        &["TT", "Nhiệm vụ", "Thời hạn", "Chủ trì"],
        &[
            "1",
            "Việc",
            "Tháng 6/2026",
            "UBND xã Tân Lập; Xã Cũ; UBND xã Xưa",
        ],
    ];
    let proposal = read(&workbook_of(rows, &[]), &directory);
    let lead = &proposal.rows[0].lead;
    assert_eq!(lead[0].candidates, ["11", "12"]);
    assert_eq!(lead[1].candidates, ["13", "14"]);
    assert!(
        lead[..2]
            .iter()
            .all(|agency| agency.matched == Matched::Nothing && agency.asks())
    );
    assert_eq!(lead[2].matched, Matched::Unit("13".to_owned()));
    assert_eq!(lead[2].reason.code, "agency-old-name");
}

#[test]
fn what_a_person_does_not_see_is_not_read_and_what_is_nested_is() {
    let text = |text: &str| cell(&paragraph(text), 1, "");
    let deleted = "<w:p><w:del><w:r><w:t>Sở Y tế; </w:t><w:delText>x</w:delText></w:r></w:del><w:ins><w:r><w:t>Sở Nội vụ</w:t></w:r></w:ins></w:p>";
    let nested = format!(
        "<w:p/><w:tbl>{}</w:tbl><w:p/>",
        row(&[text("Báo cáo &"), text("đề án")])
    );
    let head = row(&["STT", "Nhiệm vụ", "Kết quả", "Chủ trì", "Thời hạn"].map(text));
    let body = row(&[
        text("1"),
        text("Việc"),
        cell(&nested, 1, ""),
        cell(deleted, 1, ""),
        text("Năm 2025"),
    ]);
    let bytes = document(&format!("<w:tbl>{head}{body}</w:tbl>"));
    let proposal = read(&bytes, &province());
    assert_eq!(told(&proposal), ["1 < 2025-12-31 | Sở Nội vụ | "]);
    assert_eq!(
        proposal.rows[0].requirement.as_deref(),
        Some("Báo cáo & đề án")
    );
}

#[test]
fn a_hidden_sheet_is_told_of_and_not_read() {
    let mut workbook = Workbook::new();
    for (name, hidden) in [("Kế hoạch", false), ("Nháp", true)] {
        let sheet = workbook.add_worksheet();
        sheet.set_name(name).unwrap();
        sheet.set_hidden(hidden);
        for (column, text) in (0..).zip(["TT", "Nhiệm vụ", "Thời hạn", "Chủ trì"]) {
            sheet.write_string(0, column, text).unwrap();
        }
        for (column, text) in (0..).zip(["1", name, "Năm 2025", "Sở Nội vụ"]) {
            sheet.write_string(1, column, text).unwrap();
        }
    }
    let bytes = workbook.save_to_buffer().unwrap();
    let proposal = read(&bytes, &province());
    assert_nothing_is_dropped(&bytes, &proposal);
    assert_eq!(told(&proposal).len(), 1);
    let hidden = proposal
        .lines
        .iter()
        .filter(|line| line.became == Became::HiddenSheet);
    assert_eq!(hidden.count(), 2);
}

#[test]
fn below_a_page_break_the_rest_of_a_row_is_told_from_a_row_without_an_ordinal() {
    let head: &[&str] = &["STT", "Nhiệm vụ", "Yêu cầu", "Thời hạn", "Chủ trì"];
    let rows: &[&[&str]] = &[
        head,
        &[
            "1",
            "Công khai trên Cổng",
            "100% thủ tục",
            "Trong năm",
            "Sở Khoa học và",
        ],
        &["", "", "", "3"],
        head,
        &[
            "",
            "Thông tin điện tử",
            "Được công khai",
            "2025",
            "Công nghệ",
        ],
        &["2", "Kiểm tra", "Báo cáo", "Quý I/2025", "Sở Nội vụ"],
        head,
        &["", "Sơ kết", "Báo cáo", "Quý II/2025", "Sở Tài chính"],
    ];
    let bytes = workbook_of(rows, &[]);
    let proposal = read(&bytes, &province());
    assert_nothing_is_dropped(&bytes, &proposal);
    assert_eq!(
        told(&proposal),
        [
            "1 < 2025-12-31 | Sở Khoa học và Công nghệ | ",
            "2 < 2025-03-31 | Sở Nội vụ | ",
            "2.a < 2025-06-30 | Sở Tài chính | ",
        ]
    );
    assert_eq!(
        proposal.rows[0].title,
        "Công khai trên Cổng Thông tin điện tử"
    );
}

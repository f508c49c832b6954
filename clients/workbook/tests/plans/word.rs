//! The plan put into text documents in the ways offices do it.

use std::io::{Cursor, Write};

use crate::real_plan::{Expected, Plan, cut};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pages {
    /// One table with a header that the word processor repeats, page breaks as it notes them.
    OneTable,
    /// The agencies under one wide header, sections across the table, agencies one a paragraph.
    TwoRowHeader,
    /// As a scanner's text comes: a table a page, the header again, rows cut in two.
    TablePerPage,
    /// As above, but only the first page has a header.
    HeaderOnce,
    /// A heading and a table for each field.
    TablePerField,
    /// Other words in another order, ordinals counted by the word processor.
    CountedOrdinals,
}

impl Pages {
    pub(crate) const ALL: [Self; 6] = [
        Self::OneTable,
        Self::TwoRowHeader,
        Self::TablePerPage,
        Self::HeaderOnce,
        Self::TablePerField,
        Self::CountedOrdinals,
    ];
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

pub(crate) fn paragraph(text: &str) -> String {
    let lines: Vec<String> = text
        .lines()
        .map(|line| format!("<w:t xml:space=\"preserve\">{}</w:t>", escaped(line)))
        .collect();
    format!(
        "<w:p><w:pPr><w:jc w:val=\"both\"/></w:pPr><w:r>{}</w:r></w:p>",
        lines.join("<w:br/>")
    )
}

fn counted(level: usize) -> String {
    format!(
        "<w:p><w:pPr><w:numPr><w:ilvl w:val=\"{level}\"/><w:numId w:val=\"5\"/></w:numPr></w:pPr></w:p>"
    )
}

/// A cell: what is in it, columns, and `restart` or `continue`.
pub(crate) fn cell(inside: &str, span: usize, upward: &str) -> String {
    let span = if span > 1 {
        format!("<w:gridSpan w:val=\"{span}\"/>")
    } else {
        String::new()
    };
    let upward = match upward {
        "" => String::new(),
        "continue" => "<w:vMerge/>".to_owned(),
        other => format!("<w:vMerge w:val=\"{other}\"/>"),
    };
    format!("<w:tc><w:tcPr><w:tcW w:w=\"900\"/>{span}{upward}</w:tcPr>{inside}</w:tc>")
}

pub(crate) fn row(cells: &[String]) -> String {
    format!(
        "<w:tr><w:trPr><w:cantSplit/></w:trPr>{}</w:tr>",
        cells.concat()
    )
}

fn plain(text: &str) -> String {
    cell(&paragraph(text), 1, "")
}

const BEGIN: &str =
    "<w:tbl><w:tblPr><w:tblW w:w=\"0\"/></w:tblPr><w:tblGrid><w:gridCol w:w=\"700\"/></w:tblGrid>";
const END: &str = "</w:tbl>";
/// What a word processor leaves where a page ended.
const BREAK: &str = "<w:p><w:r><w:lastRenderedPageBreak/><w:br w:type=\"page\"/></w:r></w:p>";

fn header(pages: Pages) -> String {
    let words = [
        "STT",
        "Lĩnh vực, tiêu chí",
        "Yêu cầu",
        "Thời gian muộn nhất phải hoàn thành",
        "Cơ quan chủ trì",
        "Cơ quan phối hợp",
    ];
    match pages {
        Pages::TwoRowHeader => {
            let mut above: Vec<String> = words[..4]
                .iter()
                .map(|word| cell(&paragraph(word), 1, "restart"))
                .collect();
            above.push(cell(&paragraph("Cơ quan thực hiện"), 2, ""));
            let mut below: Vec<String> = (0..4).map(|_| cell("<w:p/>", 1, "continue")).collect();
            below.extend([plain("Chủ trì"), plain("Phối hợp")]);
            row(&above) + &row(&below)
        }
        Pages::CountedOrdinals => row(&[
            "TT",
            "Đơn vị chủ trì",
            "Nhiệm vụ cụ thể",
            "Kết quả đầu ra",
            "Thời hạn",
            "Đơn vị phối hợp",
        ]
        .map(plain)),
        Pages::OneTable | Pages::TablePerPage | Pages::HeaderOnce | Pages::TablePerField => {
            row(&words.map(plain)).replace("<w:cantSplit/>", "<w:tblHeader/>")
        }
    }
}

fn section(pages: Pages, id: &str, title: &str) -> String {
    match pages {
        Pages::TwoRowHeader => row(&[cell(&paragraph(&format!("{id}. {title}")), 6, "")]),
        Pages::CountedOrdinals => row(&[
            cell(&counted(0), 1, ""),
            plain(""),
            plain(title),
            plain(""),
            plain(""),
            plain(""),
        ]),
        Pages::OneTable | Pages::TablePerPage | Pages::HeaderOnce | Pages::TablePerField => row(&[
            plain(id),
            plain(title),
            plain(""),
            plain(""),
            plain(""),
            plain(""),
        ]),
    }
}

fn task(pages: Pages, task: &Expected, shares_next: bool) -> String {
    let agencies = |text: &str| match pages {
        Pages::TwoRowHeader => text.split("; ").map(paragraph).collect::<String>(),
        Pages::OneTable
        | Pages::TablePerPage
        | Pages::HeaderOnce
        | Pages::TablePerField
        | Pages::CountedOrdinals => paragraph(text),
    };
    let requirement = task.requirement.clone().unwrap_or_default();
    let requirement = match (task.shared, shares_next) {
        (true, _) => cell("<w:p/>", 1, "continue"),
        (false, true) => cell(&paragraph(&requirement), 1, "restart"),
        (false, false) => plain(&requirement),
    };
    let deadline = plain(task.deadline_text.as_deref().unwrap_or_default());
    let lead = cell(&agencies(&task.lead_text), 1, "");
    let coordinating = cell(&agencies(&task.coordinating_text), 1, "");
    match pages {
        Pages::CountedOrdinals => row(&[
            plain(&task.stt),
            lead,
            plain(&task.title),
            requirement,
            deadline,
            coordinating,
        ]),
        Pages::OneTable
        | Pages::TwoRowHeader
        | Pages::TablePerPage
        | Pages::HeaderOnce
        | Pages::TablePerField => row(&[
            plain(&task.stt),
            plain(&task.title),
            requirement,
            deadline,
            lead,
            coordinating,
        ]),
    }
}

/// The two halves of a row on two pages.
fn torn(task: &Expected) -> (String, String) {
    let texts = [
        task.title.clone(),
        task.requirement.clone().unwrap_or_default(),
        task.deadline_text.clone().unwrap_or_default(),
        task.lead_text.clone(),
        task.coordinating_text.clone(),
    ];
    let (mut first, mut rest) = (vec![plain(&task.stt)], vec![plain("")]);
    for text in texts {
        let (above, below) = cut(&text);
        first.push(plain(&above));
        rest.push(plain(&below));
    }
    (row(&first), row(&rest))
}

fn body(plan: &Plan, pages: Pages) -> String {
    let mut body = String::new();
    for text in [
        "ỦY BAN NHÂN DÂN TỈNH THÁI NGUYÊN",
        "Số: 103/KH-UBND",
        "Thái Nguyên, ngày 04 tháng 7 năm 2022",
        "KẾ HOẠCH",
    ] {
        body += &paragraph(text);
    }
    body += &paragraph(plan.title.trim_start_matches("Kế hoạch "));
    for text in [
        "I. MỤC ĐÍCH, YÊU CẦU",
        "1. Mục đích",
        "Duy trì và nâng cao kết quả những tiêu chí có điểm số cao.",
        "II. NỘI DUNG",
        "(Phụ lục kèm theo)",
    ] {
        body += &paragraph(text);
    }
    let per_field = pages == Pages::TablePerField;
    let mut table = if per_field {
        String::new()
    } else {
        BEGIN.to_owned() + &header(pages)
    };
    let mut on_page = 0;
    for (id, title) in &plan.sections {
        if per_field {
            table += &paragraph(&format!("{id}. {title}"));
            table += BEGIN;
            table += &header(pages);
        } else {
            table += &section(pages, id, title);
        }
        let tasks: Vec<&Expected> = plan.rows.iter().filter(|row| row.section == *id).collect();
        for (at, one) in tasks.iter().enumerate() {
            on_page += 1;
            let shares_next = tasks.get(at + 1).is_some_and(|next| next.shared);
            let cuts = matches!(pages, Pages::TablePerPage | Pages::HeaderOnce);
            if cuts && on_page > 11 && !one.is_group && !one.shared && !shares_next {
                let (first, rest) = torn(one);
                table += &first;
                table += END;
                table += BREAK;
                table += &paragraph("12");
                table += BEGIN;
                if pages == Pages::TablePerPage {
                    table += &header(pages);
                }
                table += &rest;
                on_page = 0;
            } else {
                table += &task(pages, one, shares_next);
            }
        }
        if per_field {
            table += END;
        }
    }
    body += &table;
    if !per_field {
        body += END;
    }
    body + &paragraph("Nơi nhận:") + &paragraph("- Như trên;") + &paragraph("CHỦ TỊCH")
}

const NUMBERING: &str = r#"<w:numbering xmlns:w="w"><w:abstractNum w:abstractNumId="2"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="upperRoman"/><w:lvlText w:val="%1."/></w:lvl><w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1.%2"/></w:lvl></w:abstractNum><w:num w:numId="5"><w:abstractNumId w:val="2"/></w:num></w:numbering>"#;

pub(crate) fn document(body: &str) -> Vec<u8> {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>{body}<w:sectPr/></w:body></w:document>"
    );
    let rels = "<Relationships xmlns=\"r\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"word/document.xml\"/></Relationships>";
    let types =
        "<Types xmlns=\"t\"><Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>";
    let mut made = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, part) in [
        ("[Content_Types].xml", types),
        ("_rels/.rels", rels),
        ("word/document.xml", text.as_str()),
        ("word/numbering.xml", NUMBERING),
    ] {
        made.start_file(name, options).unwrap();
        made.write_all(part.as_bytes()).unwrap();
    }
    made.finish().unwrap().into_inner()
}

pub(crate) fn print(plan: &Plan, pages: Pages) -> Vec<u8> {
    document(&body(plan, pages))
}

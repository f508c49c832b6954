//! Lines around a table: captions, labels of forms, signatures, pages, remarks.

use super::super::columns::{Columns, Role};
use super::super::ordinal::{self, Ordinal};
use super::super::sheet::Field;
use super::super::wording::{begins_any, folded, has_any};

/// `Đơn vị tính: Triệu đồng` above a table.
pub(super) fn caption_unit(text: &str) -> Option<String> {
    let (head, unit) = text.split_once(':')?;
    let head = folded(head);
    let known = ["don vi tinh", "dvt", "d v t", "don vi"];
    let unit = unit.trim().trim_end_matches([')', '.']);
    (known.contains(&head.as_str()) && !unit.is_empty() && unit.len() <= 60)
        .then(|| unit.to_owned())
}

/// `Biểu mẫu 3`, `Phụ lục II`: the label of a printed form, its number, and what follows on the line.
pub(in super::super) fn form_label(text: &str) -> Option<(String, u32, String)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let heads: [&[&str]; 8] = [
        &["bieu", "mau", "so"],
        &["bieu", "mau"],
        &["bieu", "so"],
        &["phu", "luc", "so"],
        &["phu", "luc"],
        &["mau", "so"],
        &["bieu"],
        &["bang"],
    ];
    let head = heads.iter().find(|head| {
        let found = words.iter().take(head.len());
        head.len() <= words.len()
            && found
                .zip(head.iter())
                .all(|(word, known)| folded(word) == **known)
    })?;
    let number = words.get(head.len())?;
    let core = number.trim_end_matches([':', '.', '-', '–', ')', ',']);
    let Ordinal::Path(pieces) = ordinal::read(core.split(['/', '-']).next()?) else {
        return None;
    };
    let rank = pieces.first()?.rank;
    let mut label: Vec<&str> = words.iter().take(head.len()).copied().collect();
    label.push(core);
    let rest = words.get(head.len() + 1..).unwrap_or_default().join(" ");
    let rest = rest
        .trim_start_matches([':', '.', '-', '–', ' '])
        .to_owned();
    Some((label.join(" "), rank, rest))
}

/// Lines of signatures, places and dates below a table.
pub(super) fn is_closing(words: &str, own: &[&Field], columns: &Columns) -> bool {
    let first = own
        .first()
        .map(|field| field.cell.text.trim())
        .unwrap_or_default();
    if matches!(ordinal::read(first), Ordinal::Path(_) | Ordinal::Bullet(_)) && own.len() > 1 {
        return false;
    }
    let has_unit = columns.first(Role::Unit).is_some_and(|unit| {
        own.iter()
            .any(|field| field.first_column == unit && own.len() > 2)
    });
    if has_unit {
        return false;
    }
    let signs = [
        "noi nhan",
        "nguoi lap bieu",
        "nguoi lap",
        "nguoi bao cao",
        "nguoi tong hop",
        "ke toan truong",
        "thu truong don vi",
        "thu truong co quan",
        "tm uy ban nhan dan",
        "tm ubnd",
        "kt chu tich",
        "kt giam doc",
        "nguoi kiem tra",
        "nguoi kiem soat",
        "xac nhan cua",
        "nguoi duyet",
        "thu truong",
        "giam doc",
        "chu tich",
        "pho chu tich",
        "hieu truong",
    ];
    let dated = has_any(words, &["ngay"])
        && has_any(words, &["thang"])
        && has_any(words, &["nam"])
        && words.len() <= 60
        && !words.starts_with("so ")
        && words.contains(" ngay ");
    let heads = [
        "giam doc",
        "chu tich",
        "pho chu tich",
        "hieu truong",
        "thu truong",
    ];
    let alone = words.len() <= 40;
    (begins_any(words, &signs) && (alone || !begins_any(words, &heads))) || dated
}

pub(super) fn is_page_number(words: &str, only: &Field, columns: &Columns) -> bool {
    let in_ordinal = columns.first(Role::Ordinal) == Some(only.first_column);
    let digits = words
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'/' || byte == b' ');
    let page = begins_any(words, &["trang", "page"])
        && words.len() <= 14
        && words.bytes().any(|byte| byte.is_ascii_digit());
    page || (digits
        && !in_ordinal
        && words.len() <= 9
        && only.first_column != columns.first(Role::Label).unwrap_or(0)
        && !columns
            .all(Role::Figure)
            .any(|column| column == only.first_column))
}

pub(super) fn is_footnote(words: &str, only: &Field, columns: &Columns) -> bool {
    let label = columns.first(Role::Label).unwrap_or(0);
    only.first_column <= label
        && begins_any(
            words,
            &[
                "ghi chu",
                "luu y",
                "chu thich",
                "ghi chu chung",
                "nguon so lieu",
            ],
        )
}

//! What stands between and below the rows of a table: page numbers, remarks, signatures.

use super::Reader;
use crate::form::printed::sheet::Field;
use crate::form::printed::wording::{begins_any, folded};
use crate::plan::printed::Became;
use crate::plan::printed::columns::{Columns, Role};
use crate::plan::printed::ranks;

const CLOSINGS: [&str; 18] = [
    "noi nhan",
    "tm uy ban",
    "tm ubnd",
    "tl chu tich",
    "kt chu tich",
    "kt giam doc",
    "kt truong",
    "chu tich",
    "giam doc",
    "chanh van phong",
    "nguoi lap",
    "thu truong don vi",
    "luu vt",
    "nhu tren",
    "nhu dieu",
    "da ky",
    "pho chu tich",
    "xac nhan cua",
];

impl Reader {
    /// Page numbers, remarks and signatures.
    pub(super) fn around(&self, own: &[&Field], columns: &Columns, gap: bool) -> Option<Became> {
        let ordinal = columns.first(Role::Ordinal);
        let texts: Vec<String> = own.iter().map(|field| folded(&field.cell.text)).collect();
        if let ([field], [words]) = (own, texts.as_slice()) {
            let number = words.len() <= 3
                && !words.is_empty()
                && words.bytes().all(|byte| byte.is_ascii_digit());
            let page = words.starts_with("trang ")
                && words.len() <= 14
                && words.bytes().any(|byte| byte.is_ascii_digit());
            if number || page {
                return Some(Became::PageNumber);
            }
            let text = field.cell.text.trim();
            let note = begins_any(
                words,
                &["ghi chu", "chu thich", "luu y", "tong cong", "tong so"],
            ) || text.starts_with('*')
                || text.starts_with("(*");
            let in_titles = columns.first(Role::Title) == Some(field.first_column)
                && field.first_column == field.last_column;
            if note && !in_titles {
                return Some(Became::Footnote);
            }
        }
        let stt = ordinal.and_then(|column| own.iter().find(|field| field.first_column == column));
        let numbered = stt.is_some_and(|field| ranks::standing(&field.cell.text, None).is_some());
        let closing = |words: &String| begins_any(words, &CLOSINGS) || is_place_and_day(words);
        if !numbered && own.len() <= 3 && self.last.is_some() {
            let signs = texts.iter().any(closing);
            // A lead agency is "Chủ tịch …" too: whoever signs stands alone or beside the recipients.
            let sparse = !columns.columns.iter().any(|column| {
                column.role == Role::Deadline
                    && own.iter().any(|field| field.first_column == column.column)
            });
            let signed = own.len() == 1 && texts.iter().any(|words| is_place_and_day(words));
            // Below an empty row nothing goes on without an ordinal or a task.
            let apart = gap
                && !own
                    .iter()
                    .any(|field| columns.first(Role::Title) == Some(field.first_column));
            if signs && sparse || signed || apart || self.closed {
                return Some(Became::Closing);
            }
        }
        None
    }
}

fn is_place_and_day(words: &str) -> bool {
    let place = words.split(" ngay ").next().unwrap_or_default();
    let begins = begins_any(
        words,
        &[
            "truoc", "trong", "den", "tu", "cham", "muon", "hoan", "xong", "vao",
        ],
    );
    let named = !begins && place.len() < 40 && place.len() < words.len();
    named && words.contains(" thang ") && words.contains(" nam ") && words.len() < 70
}

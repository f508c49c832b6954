//! What a cell of a row holds: by its code list, its unit, its label, and what was typed into it.

use super::outline::OutlineRow;
use super::rows::UnitFrom;
use super::wording::{begins_any, folded, has_any, without_brackets};
use super::{Confidence, Reason, Topic, code_list};
use crate::form::{Choice, Kind};
use crate::number::{self, Reading};

/// What was made out of one row.
#[derive(Debug, Clone)]
pub(super) struct Meant {
    pub(super) kind: Kind,
    pub(super) choices: Vec<Choice>,
    pub(super) reasons: Vec<Reason>,
}

/// Measures that have decimal places.
const MEASURES: [&str; 50] = [
    "ha",
    "km",
    "km2",
    "m",
    "m2",
    "m3",
    "cm",
    "mm",
    "tan",
    "ta",
    "kg",
    "gam",
    "g",
    "lit",
    "mw",
    "kw",
    "kwh",
    "trieu kwh",
    "lan",
    "‰",
    "usd",
    "trieu usd",
    "ty dong",
    "ty",
    "dong",
    "nghin dong",
    "ngan dong",
    "1000 dong",
    "1 000 dong",
    "vnd",
    "gio",
    "do",
    "nghin tan",
    "nghin ha",
    "1000 tan",
    "1000 ha",
    "nghin m3",
    "trieu m3",
    "ty vnd",
    "he so",
    "chi so",
    "trieu usd",
    "km/h",
    "nghin nguoi",
    "1000 nguoi",
    "trieu nguoi",
    "1 000 nguoi",
    "nghin usd",
    "hecta",
    "met",
];

const MILLIONS: [&str; 10] = [
    "trieu dong",
    "tr d",
    "trd",
    "trieu vnd",
    "tr dong",
    "trieu",
    "trieu d",
    "tr vnd",
    "trieu dong vn",
    "trieu dong viet nam",
];

const RATE_WORDS: [&str; 8] = [
    "ty le",
    "ti le",
    "ty trong",
    "ti trong",
    "% ",
    "phan tram",
    "ty le %",
    "ti le %",
];

/// Labels that ask for words.
const TEXT_WORDS: [&str; 22] = [
    "neu",
    "ghi ro",
    "liet ke",
    "mo ta",
    "ly do",
    "nguyen nhan",
    "kien nghi",
    "de xuat",
    "kho khan",
    "ton tai",
    "danh gia",
    "nhan xet",
    "ten",
    "ho va ten",
    "ho ten",
    "dia chi",
    "y kien",
    "giai phap",
    "noi dung",
    "duong link",
    "dien thoai",
    "email",
];

const TEXT_UNITS: [&str; 12] = [
    "chu",
    "van ban mo ta",
    "mo ta",
    "text",
    "noi dung",
    "ghi ro",
    "ten",
    "ngay thang",
    "ngay/thang/nam",
    "dd/mm/yyyy",
    "link",
    "duong dan",
];

pub(super) fn of(row: &OutlineRow, has_parts: bool) -> Meant {
    let mut meant = Meant {
        kind: Kind::Integer,
        choices: Vec::new(),
        reasons: Vec::new(),
    };
    if choice(row, &mut meant) {
        return meant;
    }
    let (kind, code, confidence) = plain(row, has_parts);
    meant.kind = kind;
    meant
        .reasons
        .push(Reason::new(Topic::Kind, code, confidence));
    unit_reason(row, &mut meant);
    meant
}

fn unit_reason(row: &OutlineRow, meant: &mut Meant) {
    let (code, confidence) = match row.row.unit_from {
        UnitFrom::Row => return,
        UnitFrom::Merged => ("unit-merged", Confidence::High),
        UnitFrom::Ditto => ("unit-ditto", Confidence::High),
        UnitFrom::Caption => ("unit-caption", Confidence::Medium),
    };
    if !row.row.unit.is_empty() {
        let reason = Reason::new(Topic::Unit, code, confidence);
        meant.reasons.push(reason.with("unit", &row.row.unit));
    }
}

/// A code list in the unit, else in the note or in brackets of the label.
fn choice(row: &OutlineRow, meant: &mut Meant) -> bool {
    let brackets = row
        .row
        .label
        .split_once('(')
        .map(|(_, rest)| rest.trim_end_matches([')', '.', ' ']));
    let places = [
        (
            Some(row.row.unit.as_str()),
            "choices-in-unit",
            Confidence::High,
        ),
        (
            Some(row.row.note.as_str()),
            "choices-in-note",
            Confidence::Medium,
        ),
        (brackets, "choices-in-label", Confidence::Medium),
    ];
    for (text, code, confidence) in places {
        let Some(list) = text.and_then(code_list::read) else {
            continue;
        };
        let in_unit = code == "choices-in-unit";
        // Beside a unit of its own, a list in a note explains something else; so does "có/không".
        let unit = folded(&row.row.unit);
        let free = unit.is_empty()
            || ["ma", "ma so", "lua chon", "chon", "ma hoa"].contains(&unit.as_str());
        let taken = in_unit || (free && list.values_printed);
        if !taken {
            continue;
        }
        let confidence = if list.values_printed {
            confidence
        } else {
            Confidence::Low
        };
        let code = if list.values_printed {
            code
        } else {
            "choices-without-values"
        };
        let reason = |topic| Reason::new(topic, code, confidence).with("count", list.choices.len());
        meant.reasons.push(reason(Topic::Kind));
        meant.reasons.push(reason(Topic::Choices));
        meant.kind = Kind::Choice;
        meant.choices = list.choices;
        return true;
    }
    false
}

fn plain(row: &OutlineRow, has_parts: bool) -> (Kind, &'static str, Confidence) {
    let unit = folded(&row.row.unit);
    let label = folded(&row.row.label);
    let bare_label = folded(&without_brackets(&row.row.label));
    let is_rate = begins_any(&bare_label, &RATE_WORDS)
        || begins_any(&bare_label, &["% ", "toc do tang", "muc do hoan thanh"])
        || bare_label.starts_with("% ");
    if unit.contains('%') || unit == "phan tram" {
        return (Kind::Percent, "unit-percent", Confidence::High);
    }
    if MILLIONS.contains(&unit.as_str()) {
        return (Kind::MoneyMillionVnd, "unit-million-dong", Confidence::High);
    }
    if is_measure(&unit) {
        return (Kind::Decimal, "unit-measure", Confidence::High);
    }
    if TEXT_UNITS.contains(&unit.as_str()) {
        return (Kind::Text, "unit-words", Confidence::Medium);
    }
    if !unit.is_empty() {
        if is_rate {
            return (Kind::Percent, "label-rate", Confidence::Medium);
        }
        let averaged = has_any(
            &label,
            &["binh quan", "trung binh", "mat do", "he so", "nang suat"],
        );
        let scored =
            unit == "diem" && !begins_any(&label, &["so diem", "tong so diem", "so luong"]);
        if averaged || scored {
            return (Kind::Decimal, "label-average", Confidence::Medium);
        }
        let measured = begins_any(&label, &["dien tich", "san luong"]);
        if measured && !begins_any(&unit, &["cai", "chiec"]) {
            return (Kind::Decimal, "label-average", Confidence::Low);
        }
        return (Kind::Integer, "unit-count", Confidence::High);
    }
    without_unit(row, has_parts, &label, is_rate)
}

fn without_unit(
    row: &OutlineRow,
    has_parts: bool,
    label: &str,
    is_rate: bool,
) -> (Kind, &'static str, Confidence) {
    let in_label = row.row.label.rsplit_once('(').map(|(_, rest)| folded(rest));
    let in_label = in_label.unwrap_or_default();
    if is_rate || in_label == "%" || label.ends_with(" %") {
        return (Kind::Percent, "label-rate", Confidence::Medium);
    }
    if MILLIONS.contains(&in_label.as_str())
        || in_label
            .strip_prefix("dvt ")
            .is_some_and(|unit| MILLIONS.contains(&unit))
    {
        return (Kind::MoneyMillionVnd, "unit-in-label", Confidence::Medium);
    }
    if !in_label.is_empty() && is_measure(&in_label) {
        return (Kind::Decimal, "unit-in-label", Confidence::Medium);
    }
    let typed = row
        .row
        .figure
        .as_ref()
        .map(|cell| typed_kind(&cell.text, cell.number));
    if row.row.alone || (has_parts && row.row.places.has_units) {
        return (Kind::Heading, "heading-without-unit", Confidence::High);
    }
    if has_parts && typed.is_none() && !begins_any(label, &["so", "tong so", "tong"]) {
        return (Kind::Heading, "heading-with-parts", Confidence::Medium);
    }
    if begins_any(label, &TEXT_WORDS) && typed != Some(Kind::Integer) {
        return (Kind::Text, "label-words", Confidence::Medium);
    }
    match typed {
        Some(Kind::Integer) => return (Kind::Integer, "figure-whole", Confidence::Low),
        Some(Kind::Percent) => return (Kind::Percent, "figure-percent", Confidence::Medium),
        Some(Kind::Decimal) => return (Kind::Decimal, "figure-decimal", Confidence::Low),
        Some(Kind::Text) => return (Kind::Text, "figure-words", Confidence::Low),
        Some(Kind::MoneyMillionVnd | Kind::Choice | Kind::Heading) | None => {}
    }
    if begins_any(
        label,
        &["dien tich", "san luong", "nang suat", "mat do", "he so"],
    ) {
        return (Kind::Decimal, "label-average", Confidence::Low);
    }
    if !row.row.places.has_units
        || begins_any(label, &["so", "tong", "luong"])
        || row.parent.is_some()
    {
        return (Kind::Integer, "count-without-unit", Confidence::Low);
    }
    (Kind::Heading, "heading-alone", Confidence::Low)
}

/// `ha`, `tấn/ha`, `người/km2`, `1.000 tấn`.
fn is_measure(unit: &str) -> bool {
    if MEASURES.contains(&unit) {
        return true;
    }
    // A measure for each of something; "cơ quan/đơn vị" is two words for one thing.
    let of_each = [
        "km2",
        "ha",
        "m2",
        "nguoi",
        "nam",
        "thang",
        "ngay",
        "1000 dan",
        "10000 dan",
        "van dan",
        "ho",
        "lop",
        "1 000 dan",
        "10 000 dan",
        "vu",
        "gio",
        "can bo",
    ];
    unit.split_once('/').is_some_and(|(measure, each)| {
        is_measure(measure.trim())
            || MILLIONS.contains(&measure.trim())
            || of_each.contains(&each.trim())
    })
}

fn typed_kind(text: &str, stored: bool) -> Kind {
    if stored {
        return if text.contains('.') {
            Kind::Decimal
        } else {
            Kind::Integer
        };
    }
    match number::read(text) {
        Reading::Clear(typed) if typed.percent => Kind::Percent,
        Reading::Clear(typed) if typed.number.is_integer() => Kind::Integer,
        Reading::Clear(_) => Kind::Decimal,
        Reading::Unsure { .. } => Kind::Decimal,
        Reading::Refused(_) => Kind::Text,
    }
}

//! What stands around the tables: the plan's title, number, day and year.

use super::Asked;
use super::reason::{Confidence, Reason, Topic};
use crate::date::Date;
use crate::form::printed::wording::{begins_any, folded, has_any, single_spaced};

/// Title, number, day, year.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    pub(super) title: Option<String>,
    pub(super) number: Option<String>,
    pub(super) date: Option<Date>,
    pub(super) year: Option<u16>,
    pub(super) year_reason: Option<Reason>,
}

/// Reads the lines around the tables, in their order.
pub(super) fn read(lines: &[String], asked: &Asked) -> Head {
    let mut head = Head {
        title: title(lines),
        ..Head::default()
    };
    for line in lines {
        let clean = single_spaced(line);
        head.number = head.number.or_else(|| number(&clean));
        head.date = head.date.or_else(|| date(&clean));
    }
    let reason = |code, confidence, year: u16| {
        Some(Reason::new(Topic::Year, code, confidence).with("year", year))
    };
    let named = |line: &String| year_named(&folded(line));
    let in_title = head.title.as_ref().and_then(named);
    let in_title = in_title.or_else(|| {
        lines
            .iter()
            .filter(|line| folded(line).len() < 250)
            .find_map(named)
    });
    let in_title = in_title.or_else(|| named(&asked.file_name));
    let (year, year_reason) = if let Some(year) = asked.year {
        (Some(year), reason("year-asked", Confidence::High, year))
    } else if let Some(year) = in_title {
        (Some(year), reason("year-in-title", Confidence::High, year))
    } else if let Some(date) = head.date {
        (
            Some(date.year()),
            reason("year-by-date", Confidence::Medium, date.year()),
        )
    } else {
        (None, None)
    };
    Head {
        year,
        year_reason,
        ..head
    }
}

/// "Kế hoạch …" with what follows it, up to a line in brackets.
fn title(lines: &[String]) -> Option<String> {
    let is_title = |line: &&String| {
        let words = folded(line);
        begins_any(
            &words,
            &[
                "ke hoach",
                "phu luc",
                "danh muc nhiem vu",
                "bang phan cong",
                "chuong trinh",
                "phan cong",
            ],
        ) && !has_any(&words, &["kem theo"])
            && words.len() < 300
    };
    let at = lines.iter().position(|line| is_title(&line))?;
    let mut title = String::new();
    for line in lines.iter().skip(at).take(3) {
        let line = single_spaced(line);
        let words = folded(&line);
        let over = line.starts_with('(')
            || begins_any(
                &words,
                &["can cu", "thuc hien", "ban hanh", "i ", "kem theo"],
            );
        if over && !title.is_empty() {
            break;
        }
        if !title.is_empty() {
            title.push(' ');
        }
        title.push_str(&line);
        // A sentence that says enough; "KẾ HOẠCH" alone goes on below.
        if words.len() > 40 && year_named(&words).is_some() {
            break;
        }
    }
    Some(title)
}

/// `năm 2022`, but not that of a day.
fn year_named(words: &str) -> Option<u16> {
    let all: Vec<&str> = words.split(' ').collect();
    let mut found = None;
    for (at, word) in all.iter().enumerate() {
        let of_day = at >= 2 && all.get(at - 2) == Some(&"thang");
        if *word == "nam" && !of_day {
            let year = all.get(at + 1).and_then(|year| year.parse::<u16>().ok());
            found = year.filter(|year| (1990..=2100).contains(year)).or(found);
        }
    }
    found
}

/// `103/KH-UBND`.
fn number(line: &str) -> Option<String> {
    let words =
        line.split(|one: char| one.is_whitespace() || one == ',' || one == ';' || one == ')');
    let mut words = words.map(|word| word.trim_start_matches("Số:").trim_start_matches('('));
    let is_number = |word: &&str| {
        let (digits, kind) = word.split_once('/').unwrap_or_default();
        let digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits && kind.contains("KH") && kind.chars().all(|one| one.is_uppercase() || one == '-')
    };
    words.find(is_number).map(str::to_owned)
}

/// `ngày 04 tháng 7 năm 2022`, `ngày 04/7/2022`.
fn date(line: &str) -> Option<Date> {
    let words = folded(line);
    let all: Vec<&str> = words.split(' ').collect();
    for (at, word) in all.iter().enumerate() {
        let number = |at: usize| all.get(at).and_then(|word| word.parse::<u16>().ok());
        if *word != "ngay" {
            continue;
        }
        let spelt = all.get(at + 2) == Some(&"thang") && all.get(at + 4) == Some(&"nam");
        let parts = if spelt {
            (number(at + 1), number(at + 3), number(at + 5))
        } else {
            let mut parts = all
                .get(at + 1)?
                .split('/')
                .map(|part| part.parse::<u16>().ok());
            let mut next = || parts.next().flatten();
            (next(), next(), next())
        };
        if let (Some(day), Some(month), Some(year)) = parts
            && let (Ok(day), Ok(month)) = (u8::try_from(day), u8::try_from(month))
            && let Ok(date) = Date::new(year, month, day)
        {
            return Some(date);
        }
    }
    None
}

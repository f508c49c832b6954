//! What the column of deadlines says: a day, a period whose last day it is, again and again, or
//! nothing that fixes a day.
//!
//! Only what the text fixes becomes a day. A day is that of the text, "before" or not: whoever printed
//! "trước ngày 01/5" is asked by the reason whether the day itself still counts. Where the text leaves out
//! the year, that of the plan is taken and said; where there is none, no day is given.

use super::reason::{Confidence, Reason, Topic};
use crate::date::Date;
use crate::form::printed::wording::{begins_any, has_any};
use crate::org_unit::search_key::search_key;
use crate::period::Period;

/// A deadline as it was understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Deadline {
    pub(super) day: Option<Date>,
    pub(super) recurring: bool,
    pub(super) reasons: Vec<Reason>,
}

/// Words of work that has no end.
const RECURRING: [&str; 16] = [
    "thuong xuyen",
    "lien tuc",
    "dinh ky",
    "hang nam",
    "hang quy",
    "hang thang",
    "hang tuan",
    "hang ngay",
    "moi nam",
    "moi quy",
    "moi thang",
    "moi tuan",
    "hai lan/nam",
    "2 lan/nam",
    "theo quy",
    "theo thang",
];

/// Words after which a day is where a time begins.
const RELATIVE: [&str; 6] = [
    "ke tu",
    "sau khi",
    "tinh tu",
    "ngay sau",
    "trong vong",
    "khi co",
];

/// A day the text names, and how.
#[derive(Debug, Clone, Copy)]
struct Named {
    day: Date,
    /// The text names this very day, not a period that ends with it.
    exact: bool,
    year_of_plan: bool,
    before: bool,
    roughly: bool,
}

/// Reads a deadline; `year` is that of the plan.
pub(super) fn read(text: &str, year: Option<u16>) -> Deadline {
    let words = words(text);
    if words.is_empty() {
        return Deadline::default();
    }
    let joined = words.join(" ");
    let recurring = has_any(&joined, &RECURRING);
    let reason = |code, confidence| Reason::new(Topic::Deadline, code, confidence);
    let mut reading = Reading {
        words: &words,
        stated: stated_year(&words),
        plan: year,
        found: Vec::new(),
        impossible: false,
        without_year: false,
    };
    reading.all();
    let exact: Vec<Named> = reading
        .found
        .iter()
        .copied()
        .filter(|one| one.exact)
        .collect();
    if recurring {
        let mut reasons = vec![reason("deadline-recurring", Confidence::High)];
        // "Thường xuyên, xong trước 15/12/2026": the day stands beside it.
        let day = exact.iter().map(|one| one.day).max();
        if let Some(day) = day {
            reasons.push(reason("deadline-day", Confidence::Medium).with("day", vietnamese(day)));
        }
        return Deadline {
            day,
            recurring,
            reasons,
        };
    }
    let none = |code| Deadline {
        reasons: vec![reason(code, Confidence::Low).with("text", text.trim())],
        ..Deadline::default()
    };
    // "Từ tháng 3": when it begins says nothing of when it ends.
    let begins = begins_any(&joined, &["tu", "bat dau", "bat dau tu"]);
    let open = begins && !has_any(&joined, &["den"]) && reading.found.len() < 2;
    if has_any(&joined, &RELATIVE) || open {
        return none("deadline-relative");
    }
    if reading.impossible {
        return none("deadline-no-such-day");
    }
    let among = if exact.is_empty() {
        reading.found.clone()
    } else {
        exact
    };
    let Some(last) = among.iter().copied().max_by_key(|one| one.day) else {
        let code = if reading.without_year {
            "deadline-no-year"
        } else {
            "deadline-unread"
        };
        return none(code);
    };
    let day = vietnamese(last.day);
    let mut reasons = Vec::new();
    if last.before {
        let eve = last.day.before().unwrap_or(last.day);
        reasons.push(
            reason("deadline-before", Confidence::Medium)
                .with("day", &day)
                .with("eve", vietnamese(eve)),
        );
    } else if last.roughly {
        reasons.push(reason("deadline-roughly", Confidence::Low).with("day", &day));
    } else {
        let code = if last.exact {
            "deadline-day"
        } else {
            "deadline-period"
        };
        reasons.push(reason(code, Confidence::High).with("day", &day));
    }
    if last.year_of_plan {
        reasons.push(
            reason("deadline-year-of-plan", Confidence::Medium).with("year", last.day.year()),
        );
    }
    let range = has_any(&joined, &["tu", "den"]) || among.len() == 1;
    if !range && among.iter().any(|one| one.day != last.day) {
        reasons.push(reason("deadline-several", Confidence::Medium).with("day", &day));
    }
    Deadline {
        day: Some(last.day),
        recurring,
        reasons,
    }
}

fn vietnamese(day: Date) -> String {
    format!("{:02}/{:02}/{}", day.day(), day.month(), day.year())
}

/// Folded words; numbers keep the marks that join them to days. A dash between two of them parts them.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let key = search_key(text).replace(['–', '—', '\u{2212}'], "-");
    for piece in key.split(|one: char| !(one.is_alphanumeric() || "/-.".contains(one))) {
        let piece = piece.trim_matches(['/', '-', '.']);
        let parted = piece.contains('/') || piece.chars().any(char::is_alphabetic);
        if parted && piece.contains('-') {
            words.extend(piece.split('-').map(str::to_owned));
        } else {
            words.push(piece.to_owned());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The year that stands in the text by itself: `năm 2026`, `2021-2025`.
fn stated_year(words: &[String]) -> Option<u16> {
    let mut years = words.iter().flat_map(|word| word.split(['-', '/', '.']));
    let mut last = None;
    for piece in years.by_ref() {
        last = as_year(piece).or(last);
    }
    last
}

fn as_year(text: &str) -> Option<u16> {
    let year: u16 = text.parse().ok().filter(|_| text.len() == 4)?;
    (1990..=2100).contains(&year).then_some(year)
}

fn quarter(text: &str) -> Option<u8> {
    match text {
        "i" | "1" | "01" => Some(1),
        "ii" | "2" | "02" => Some(2),
        "iii" | "3" | "03" => Some(3),
        "iv" | "4" | "04" => Some(4),
        _ => None,
    }
}

struct Reading<'a> {
    words: &'a [String],
    stated: Option<u16>,
    plan: Option<u16>,
    found: Vec<Named>,
    impossible: bool,
    without_year: bool,
}

impl Reading<'_> {
    fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }

    fn all(&mut self) {
        let mut at = 0;
        while at < self.words.len() {
            at += self.one(at).max(1);
        }
    }

    /// Reads what begins at a word; how many words it takes, or 0.
    fn one(&mut self, at: usize) -> usize {
        match self.word(at) {
            "quy" => self.listed(at, |reading, at, text, year| {
                let quarter = quarter(text)?;
                reading.period(at, year, |year| Period::of_quarter(year, quarter).ok());
                Some(())
            }),
            "thang"
                if self.word(at.wrapping_sub(1)) != "6" && self.word(at.wrapping_sub(1)) != "9" =>
            {
                self.listed(at, |reading, at, text, year| {
                    let month: u8 = text.parse().ok().filter(|one| (1..=12).contains(one))?;
                    reading.period(at, year, |year| Period::of_month(year, month).ok());
                    Some(())
                })
            }
            "6" if self.word(at + 1) == "thang" => {
                let second = matches!(self.word(at + 2), "cuoi" | "con");
                self.period(at, None, |year| {
                    let month = if second { 12 } else { 6 };
                    Period::of_month(year, month).ok()
                });
                4
            }
            "9" if self.word(at + 1) == "thang" => {
                self.period(at, None, |year| Period::of_month(year, 9).ok());
                2
            }
            "ngay" if self.word(at + 2) == "thang" => self.spelt(at),
            "nam" => {
                let next = self.word(at + 1);
                let range = next.split('-').next_back().and_then(as_year);
                let length = if range.is_some() { 2 } else { 1 };
                self.period(at, range, |year| Period::of_year(year).ok());
                length
            }
            _ => self.marked(at),
        }
    }

    /// `quý I, II/2026`, `tháng 6 và tháng 9`: the word, then numbers.
    fn listed(
        &mut self,
        at: usize,
        take: impl Fn(&mut Self, usize, &str, Option<u16>) -> Option<()>,
    ) -> usize {
        let mut next = at + 1;
        loop {
            let word = self.word(next).to_owned();
            let (number, year) = match word.split_once('/') {
                Some((number, year)) => (number.to_owned(), as_year(year)),
                None => (word.clone(), None),
            };
            let mut taken = false;
            for part in number.split(['-', '.']) {
                taken |= take(self, at, part, year).is_some();
            }
            let goes_on = word == "va" && self.word(next + 1).len() <= 3 && next > at + 1;
            if !taken && !goes_on {
                break;
            }
            next += 1;
        }
        // The year after the numbers belongs to them.
        if next > at + 1 && self.word(next) == "nam" && as_year(self.word(next + 1)).is_some() {
            next += 2;
        } else if next > at + 1 && as_year(self.word(next)).is_some() {
            next += 1;
        }
        next - at
    }

    /// `ngày 31 tháng 12 năm 2026`.
    fn spelt(&mut self, at: usize) -> usize {
        let month = self.word(at + 3).to_owned();
        let (month, year) = match month.split_once('/') {
            Some((month, year)) => (month.to_owned(), as_year(year)),
            None => (month, None),
        };
        let (Ok(day), Ok(month)) = (self.word(at + 1).parse(), month.parse()) else {
            return 1;
        };
        let spelt = as_year(self.word(at + 5)).filter(|_| self.word(at + 4) == "nam");
        self.exact(at, day, month, year.or(spelt));
        if spelt.is_some() { 6 } else { 4 }
    }

    /// `31/12/2026`, `31-12-2026`, `31/12`, `12/2026`, `2021-2025`, `2026`.
    fn marked(&mut self, at: usize) -> usize {
        let word = self.word(at).to_owned();
        let pieces: Vec<&str> = word.split(['/', '-', '.']).collect();
        let numbers: Option<Vec<u16>> = pieces.iter().map(|piece| piece.parse().ok()).collect();
        match (numbers.as_deref(), pieces.as_slice()) {
            (Some(&[day, month, year]), [one, two, three])
                if one.len() <= 2 && two.len() <= 2 && matches!(three.len(), 2 | 4) =>
            {
                let year = if three.len() == 2 { 2000 + year } else { year };
                self.exact(at, day, month, Some(year));
            }
            (Some(&[year, month, day]), [one, ..]) if one.len() == 4 => {
                self.exact(at, day, month, Some(year));
            }
            (Some(&[first, last]), [one, two]) if one.len() == 4 && two.len() == 4 => {
                let programme = as_year(one).zip(as_year(two)).filter(|_| first <= last);
                if programme.is_some() {
                    self.period(at, Some(last), |year| Period::of_year(year).ok());
                }
            }
            (Some(&[month, _]), [one, two]) if one.len() <= 2 && as_year(two).is_some() => {
                let month = u8::try_from(month).unwrap_or(0);
                self.period(at, as_year(two), |year| Period::of_month(year, month).ok());
            }
            (Some(&[day, month]), [one, two])
                if one.len() <= 2 && two.len() <= 2 && word.contains('/') =>
            {
                self.exact(at, day, month, None);
            }
            (Some(_), [one]) if as_year(one).is_some() => {
                self.period(at, as_year(one), |year| Period::of_year(year).ok());
            }
            _ => return 0,
        }
        1
    }

    fn said_before(&self, at: usize) -> bool {
        let near = at.saturating_sub(2)..at;
        near.into_iter().any(|at| self.word(at) == "truoc")
    }

    fn exact(&mut self, at: usize, day: u16, month: u16, year: Option<u16>) {
        let Some(of) = year.or(self.stated).or(self.plan) else {
            self.without_year = true;
            return;
        };
        let (Ok(day), Ok(month)) = (u8::try_from(day), u8::try_from(month)) else {
            self.impossible = true;
            return;
        };
        match Date::new(of, month, day) {
            Ok(day) => self.found.push(Named {
                day,
                exact: true,
                year_of_plan: year.or(self.stated).is_none(),
                before: self.said_before(at),
                roughly: false,
            }),
            Err(_) => self.impossible = true,
        }
    }

    fn period(&mut self, at: usize, year: Option<u16>, of: impl Fn(u16) -> Option<Period>) {
        let Some(in_year) = year.or(self.stated).or(self.plan) else {
            self.without_year = true;
            return;
        };
        let Some(period) = of(in_year) else {
            self.impossible = true;
            return;
        };
        let before = self.said_before(at);
        let week = self.words.iter().any(|word| word == "tuan");
        let roughly = week || matches!(self.word(at.wrapping_sub(1)), "dau" | "giua" | "nua");
        let eve = period.first_day().before().filter(|_| before);
        self.found.push(Named {
            day: eve.unwrap_or(period.last_day()),
            exact: false,
            year_of_plan: year.or(self.stated).is_none(),
            before: false,
            roughly,
        });
    }
}

/// True if the text alone is a whole deadline.
pub(super) fn is_whole(text: &str) -> bool {
    let read = read(text, Some(2000));
    read.recurring || read.day.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> String {
        let read = read(text, Some(2026));
        match (read.day, read.recurring) {
            (Some(day), false) => day.to_string(),
            (Some(day), true) => format!("recurring {day}"),
            (None, true) => "recurring".to_owned(),
            (None, false) => read.reasons.first().map_or("", |one| one.code).to_owned(),
        }
    }

    #[test]
    fn what_offices_write_becomes_a_day_where_it_fixes_one() {
        for (text, wanted) in [
            ("Trong ngày 31/12/2026", "2026-12-31"),
            ("Ngày 31/12/2022", "2022-12-31"),
            ("31-12-2022", "2022-12-31"),
            ("31.12.2022", "2022-12-31"),
            ("31/12/22", "2022-12-31"),
            ("Ngày 05 tháng 6 năm 2025", "2025-06-05"),
            ("trước ngày 01/5/2025", "2025-05-01"),
            ("Trước ngày 15/11", "2026-11-15"),
            ("Trong năm 2026", "2026-12-31"),
            ("Năm 2025", "2025-12-31"),
            ("Trong năm", "2026-12-31"),
            ("2027", "2027-12-31"),
            ("Giai đoạn 2021-2025", "2025-12-31"),
            ("Năm 2021 – 2025", "2025-12-31"),
            ("Quý I", "2026-03-31"),
            ("Quý II/2025", "2025-06-30"),
            ("Quý 3 năm 2025", "2025-09-30"),
            ("Quý I, II, III", "2026-09-30"),
            ("Quý I-III/2026", "2026-09-30"),
            ("Tháng 6", "2026-06-30"),
            ("Tháng 02/2024", "2024-02-29"),
            ("Tháng 9 năm 2025", "2025-09-30"),
            ("9/2025", "2025-09-30"),
            ("Trước tháng 7/2025", "2025-06-30"),
            ("6 tháng đầu năm", "2026-06-30"),
            ("6 tháng cuối năm 2025", "2025-12-31"),
            ("Từ 01/3/2025 đến 30/6/2025", "2025-06-30"),
            ("01/3-30/6/2025", "2025-06-30"),
            ("Quý IV/2025 (trước ngày 15/12/2025)", "2025-12-15"),
            ("Thường xuyên", "recurring"),
            ("Thường xuyên trong năm 2026", "recurring"),
            ("Hằng quý", "recurring"),
            ("Ngày 15 hằng tháng", "recurring"),
            (
                "Thường xuyên, xong trước 15/12/2026",
                "recurring 2026-12-15",
            ),
            ("Ngày 31/6/2026", "deadline-no-such-day"),
            ("15 ngày kể từ ngày 01/5/2026", "deadline-relative"),
            ("Từ tháng 3/2026", "deadline-relative"),
            ("Tháng 01-03/2025", "2025-03-31"),
            ("Trước 30/6", "2026-06-30"),
            ("Chậm nhất ngày 15/12", "2026-12-15"),
            ("Theo Kế hoạch của Bộ Nội vụ", "deadline-unread"),
            ("", ""),
        ] {
            assert_eq!(day(text), wanted, "{text}");
        }
        assert_eq!(read("Quý I", None).day, None);
        assert_eq!(read("Quý I", None).reasons[0].code, "deadline-no-year");
        assert_eq!(
            read("Quý I/2025", None)
                .day
                .map(|day| day.to_string())
                .as_deref(),
            Some("2025-03-31")
        );
    }
}

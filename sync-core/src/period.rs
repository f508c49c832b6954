//! Reporting periods: years and their parts, programmes of years, and the administrative calendar
//! that cuts on the 14th. `docs/formats.md` section 8 fixes their text.

use crate::date::{Date, days_in_month};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The first and last year a period may name.
const YEARS: std::ops::RangeInclusive<u16> = 1000..=9999;

/// The last day of an administrative month; the next day begins the following one.
const CUT_DAY: u8 = 14;

/// The kinds of period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeriodKind {
    /// One month.
    Month,
    /// Three months from January, April, July or October.
    Quarter,
    /// January to June or July to December.
    Half,
    /// January to September.
    NineMonths,
    /// Twelve months.
    Year,
    /// Several years.
    Programme,
}

impl PeriodKind {
    /// Its name in templates and duties.
    pub fn name(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Half => "half",
            Self::NineMonths => "nine_months",
            Self::Year => "year",
            Self::Programme => "programme",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Month,
            Self::Quarter,
            Self::Half,
            Self::NineMonths,
            Self::Year,
            Self::Programme,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }
}

/// A period. Periods are ordered by their first day, a shorter one before a longer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    year: u16,
    span: Span,
    cut: Cut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Span {
    /// 1–12.
    Month(u8),
    /// 1–4.
    Quarter(u8),
    /// 1–2.
    Half(u8),
    NineMonths,
    Year,
    /// The last year, later than the first.
    Programme(u16),
}

/// Where months are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cut {
    /// At the end of the calendar month.
    Calendar,
    /// After the 14th: a year runs from 15 December to 14 December.
    Fourteenth,
}

/// A text or numbers that name no period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("period is not written like 2022, 2022-H1, 2022-Q3, 2022-M9, 2022-03 or 2021..2025")]
pub struct BadPeriod;

impl Period {
    fn checked(year: u16, span: Span, cut: Cut) -> Result<Self, BadPeriod> {
        let in_range = match span {
            Span::Month(month) => (1..=12).contains(&month),
            Span::Quarter(quarter) => (1..=4).contains(&quarter),
            Span::Half(half) => (1..=2).contains(&half),
            Span::NineMonths | Span::Year => true,
            Span::Programme(last) => YEARS.contains(&last) && last > year,
        };
        if in_range && YEARS.contains(&year) {
            Ok(Self { year, span, cut })
        } else {
            Err(BadPeriod)
        }
    }

    /// A whole year.
    pub fn of_year(year: u16) -> Result<Self, BadPeriod> {
        Self::checked(year, Span::Year, Cut::Calendar)
    }

    /// A month, 1–12.
    pub fn of_month(year: u16, month: u8) -> Result<Self, BadPeriod> {
        Self::checked(year, Span::Month(month), Cut::Calendar)
    }

    /// A quarter, 1–4.
    pub fn of_quarter(year: u16, quarter: u8) -> Result<Self, BadPeriod> {
        Self::checked(year, Span::Quarter(quarter), Cut::Calendar)
    }

    /// The years `first..=last`, at least two.
    pub fn of_years(first: u16, last: u16) -> Result<Self, BadPeriod> {
        Self::checked(first, Span::Programme(last), Cut::Calendar)
    }

    /// The same period with its months cut elsewhere.
    pub fn with_cut(self, cut: Cut) -> Self {
        Self { cut, ..self }
    }

    /// Where its months are cut.
    pub fn cut(self) -> Cut {
        self.cut
    }

    /// Its kind.
    pub fn kind(self) -> PeriodKind {
        match self.span {
            Span::Month(_) => PeriodKind::Month,
            Span::Quarter(_) => PeriodKind::Quarter,
            Span::Half(_) => PeriodKind::Half,
            Span::NineMonths => PeriodKind::NineMonths,
            Span::Year => PeriodKind::Year,
            Span::Programme(_) => PeriodKind::Programme,
        }
    }

    /// Its year; the first one of a programme.
    pub fn year(self) -> u16 {
        self.year
    }

    /// First and last month, counted from January of year 0.
    fn months(self) -> (u32, u32) {
        let start = u32::from(self.year) * 12;
        match self.span {
            Span::Month(month) => {
                let month = start + u32::from(month) - 1;
                (month, month)
            }
            Span::Quarter(quarter) => {
                let first = start + 3 * (u32::from(quarter) - 1);
                (first, first + 2)
            }
            Span::Half(half) => {
                let first = start + 6 * (u32::from(half) - 1);
                (first, first + 5)
            }
            Span::NineMonths => (start, start + 8),
            Span::Year => (start, start + 11),
            Span::Programme(last) => (start, u32::from(last) * 12 + 11),
        }
    }

    /// The first day.
    pub fn first_day(self) -> Date {
        let (first, _) = self.months();
        match self.cut {
            Cut::Calendar => day_of(first, 1),
            // Years begin at 1000, so there is always a month before.
            Cut::Fourteenth => day_of(first - 1, CUT_DAY + 1),
        }
    }

    /// The last day.
    pub fn last_day(self) -> Date {
        let (_, last) = self.months();
        match self.cut {
            Cut::Calendar => day_of(last, 31),
            Cut::Fourteenth => day_of(last, CUT_DAY),
        }
    }

    /// True when `day` falls into it.
    pub fn contains_day(self, day: Date) -> bool {
        self.first_day() <= day && day <= self.last_day()
    }

    /// True when every day of `other` falls into it.
    pub fn contains(self, other: Self) -> bool {
        self.first_day() <= other.first_day() && other.last_day() <= self.last_day()
    }

    /// The period of the same kind before it: the month before January is December of the year
    /// before; nine months are followed by nine months of the next year. `None` before year 1000.
    pub fn previous(self) -> Option<Self> {
        let before = self.year.checked_sub(1)?;
        let (year, span) = match self.span {
            Span::Month(1) => (before, Span::Month(12)),
            Span::Month(month) => (self.year, Span::Month(month - 1)),
            Span::Quarter(1) => (before, Span::Quarter(4)),
            Span::Quarter(quarter) => (self.year, Span::Quarter(quarter - 1)),
            Span::Half(1) => (before, Span::Half(2)),
            Span::Half(half) => (self.year, Span::Half(half - 1)),
            Span::NineMonths => (before, Span::NineMonths),
            Span::Year => (before, Span::Year),
            Span::Programme(last) => {
                let first = self.year.checked_sub(last - self.year + 1)?;
                (first, Span::Programme(before))
            }
        };
        Self::checked(year, span, self.cut).ok()
    }

    /// The periods of a kind that make it up exactly, in order; empty when that kind does not
    /// divide it. A period is made up of itself.
    pub fn parts(self, kind: PeriodKind) -> Vec<Self> {
        if kind == self.kind() {
            return vec![self];
        }
        let (first, last) = self.months();
        let mut parts = Vec::new();
        let mut month = first;
        while month <= last {
            let Some(part) = self.starting_at(month, kind) else {
                return Vec::new();
            };
            let (_, end) = part.months();
            if end > last {
                return Vec::new();
            }
            parts.push(part);
            month = end + 1;
        }
        parts
    }

    /// The period of a kind that begins with a month.
    fn starting_at(self, month: u32, kind: PeriodKind) -> Option<Self> {
        let year = u16::try_from(month / 12).ok()?;
        let in_year = u8::try_from(month % 12).ok()?;
        let aligned = |length: u8| (in_year % length == 0).then(|| in_year / length + 1);
        let span = match kind {
            PeriodKind::Month => Span::Month(in_year + 1),
            PeriodKind::Quarter => Span::Quarter(aligned(3)?),
            PeriodKind::Half => Span::Half(aligned(6)?),
            PeriodKind::NineMonths => aligned(12).map(|_| Span::NineMonths)?,
            PeriodKind::Year => aligned(12).map(|_| Span::Year)?,
            PeriodKind::Programme => return None,
        };
        Self::checked(year, span, self.cut).ok()
    }
}

/// A day of a month counted from January of year 0; the last one when the month is shorter.
fn day_of(month: u32, day: u8) -> Date {
    let year = u16::try_from(month / 12).unwrap_or(*YEARS.end());
    let month = u8::try_from(month % 12 + 1).unwrap_or(12);
    let day = days_in_month(year, month).map_or(day, |days| days.min(day));
    Date::new(year, month, day).unwrap_or(Date::FIRST)
}

impl Ord for Period {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |period: &Self| (period.first_day(), period.last_day());
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Period {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Period {
    /// The canonical text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let year = self.year;
        match self.span {
            Span::Month(month) => write!(f, "{year:04}-{month:02}")?,
            Span::Quarter(quarter) => write!(f, "{year:04}-Q{quarter}")?,
            Span::Half(half) => write!(f, "{year:04}-H{half}")?,
            Span::NineMonths => write!(f, "{year:04}-M9")?,
            Span::Year => write!(f, "{year:04}")?,
            Span::Programme(last) => write!(f, "{year:04}..{last:04}")?,
        }
        match self.cut {
            Cut::Calendar => Ok(()),
            Cut::Fourteenth => f.write_str("@14"),
        }
    }
}

impl FromStr for Period {
    type Err = BadPeriod;
    /// Reads the canonical text and nothing else.
    fn from_str(text: &str) -> Result<Self, BadPeriod> {
        let (body, cut) = match text.strip_suffix("@14") {
            Some(body) => (body, Cut::Fourteenth),
            None => (text, Cut::Calendar),
        };
        let digits = |part: &str, length: usize| -> Result<u16, BadPeriod> {
            let plain = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse().ok().filter(|_| plain).ok_or(BadPeriod)
        };
        if let Some((first, last)) = body.split_once("..") {
            return Self::checked(digits(first, 4)?, Span::Programme(digits(last, 4)?), cut);
        }
        let (year, part) = match body.split_once('-') {
            Some((year, part)) => (digits(year, 4)?, Some(part)),
            None => (digits(body, 4)?, None),
        };
        let small = |part: &str, length| -> Result<u8, BadPeriod> {
            u8::try_from(digits(part, length)?).map_err(|_| BadPeriod)
        };
        let span = match part {
            None => Span::Year,
            Some("M9") => Span::NineMonths,
            Some(part) => match (part.strip_prefix('Q'), part.strip_prefix('H')) {
                (Some(quarter), _) => Span::Quarter(small(quarter, 1)?),
                (None, Some(half)) => Span::Half(small(half, 1)?),
                (None, None) => Span::Month(small(part, 2)?),
            },
        };
        Self::checked(year, span, cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_period() -> impl Strategy<Value = Period> {
        let span = prop_oneof![
            (1_u8..=12).prop_map(Span::Month),
            (1_u8..=4).prop_map(Span::Quarter),
            (1_u8..=2).prop_map(Span::Half),
            Just(Span::NineMonths),
            Just(Span::Year),
            (1_u16..8).prop_map(Span::Programme),
        ];
        (1000_u16..9990, span, any::<bool>()).prop_map(|(year, span, fourteenth)| Period {
            year,
            span: match span {
                Span::Programme(more) => Span::Programme(year + more),
                other @ (Span::Month(_)
                | Span::Quarter(_)
                | Span::Half(_)
                | Span::NineMonths
                | Span::Year) => other,
            },
            cut: if fourteenth {
                Cut::Fourteenth
            } else {
                Cut::Calendar
            },
        })
    }

    proptest! {
        #[test]
        fn text_round_trips(period in any_period()) {
            prop_assert_eq!(period.to_string().parse::<Period>(), Ok(period));
        }

        #[test]
        fn what_is_read_writes_the_same(text in "[12][0-9]{3}(\\.\\.20[0-9]{2}|-[QHM]?[0-9]{1,2})?(@14)?") {
            if let Ok(period) = text.parse::<Period>() {
                prop_assert_eq!(period.to_string(), text);
            }
        }

        #[test]
        fn parts_follow_each_other_without_gaps(period in any_period()) {
            for kind in [PeriodKind::Month, PeriodKind::Quarter, PeriodKind::Half, PeriodKind::Year] {
                let parts = period.parts(kind);
                let Some(last) = parts.last() else { continue };
                prop_assert_eq!(parts[0].first_day(), period.first_day());
                prop_assert_eq!(last.last_day(), period.last_day());
                for pair in parts.windows(2) {
                    prop_assert_eq!(pair[0].last_day().next(), Some(pair[1].first_day()));
                    prop_assert!(pair[0] < pair[1]);
                    prop_assert!(period.contains(pair[0]) && !pair[0].contains(period));
                }
            }
        }

        #[test]
        fn the_previous_one_ends_before_and_is_as_long(period in any_period()) {
            if let Some(previous) = period.previous() {
                prop_assert_eq!(previous.kind(), period.kind());
                prop_assert!(previous.last_day() < period.first_day());
                if period.kind() != PeriodKind::NineMonths {
                    prop_assert_eq!(previous.last_day().next(), Some(period.first_day()));
                }
            }
        }
    }

    #[test]
    fn days_of_known_periods() {
        for (text, first, last) in [
            ("2022", "2022-01-01", "2022-12-31"),
            ("2022-H2", "2022-07-01", "2022-12-31"),
            ("2022-Q1", "2022-01-01", "2022-03-31"),
            ("2022-M9", "2022-01-01", "2022-09-30"),
            ("2024-02", "2024-02-01", "2024-02-29"),
            ("2021..2025", "2021-01-01", "2025-12-31"),
            ("2022@14", "2021-12-15", "2022-12-14"),
            ("2022-03@14", "2022-02-15", "2022-03-14"),
        ] {
            let period: Period = text.parse().expect("a period");
            assert_eq!(period.first_day().to_string(), first, "{text}");
            assert_eq!(period.last_day().to_string(), last, "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "22",
            "2022-",
            "2022-Q0",
            "2022-Q5",
            "2022-H3",
            "2022-M6",
            "2022-13",
            "2022-1",
            "2022-001",
            "2025..2021",
            "2022..2022",
            "2022@15",
            "2022@14@14",
            "0999",
            "2022-q1",
            " 2022",
        ] {
            assert_eq!(text.parse::<Period>(), Err(BadPeriod), "{text:?}");
        }
    }
}

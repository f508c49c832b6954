//! A calendar day of the proleptic Gregorian calendar, written `yyyy-mm-dd`.

use std::fmt;
use std::str::FromStr;

/// A day. Ordered as days follow each other; years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// A text or three numbers that name no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("date is not an existing day written yyyy-mm-dd")]
pub struct BadDate;

/// Days of a month, 1–12; `None` for other months.
pub fn days_in_month(year: u16, month: u8) -> Option<u8> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if leap { 29 } else { 28 }),
        _ => None,
    }
}

impl Date {
    /// The first day there is.
    pub const FIRST: Self = Self {
        year: 1,
        month: 1,
        day: 1,
    };

    /// The day, if it exists and its year is 1 to 9999.
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self, BadDate> {
        let days = days_in_month(year, month).ok_or(BadDate)?;
        if !(1..=9999).contains(&year) || day == 0 || day > days {
            return Err(BadDate);
        }
        Ok(Self { year, month, day })
    }

    /// The day on which a moment falls in Vietnam (UTC+7 all year), whatever a device's own zone says.
    /// `timestamp` counts seconds since 1970-01-01 UTC; what lies outside the years 1 to 9999 gives
    /// the first or the last day there is.
    pub fn of_timestamp(timestamp: i64) -> Self {
        const LAST: Date = Date {
            year: 9999,
            month: 12,
            day: 31,
        };
        // Days since 0000-03-01 in cycles of 400 years, so that the leap day ends a year.
        let days = timestamp.saturating_add(7 * 3600).div_euclid(86_400);
        let days = days.saturating_add(719_468);
        let (cycle, day_of_cycle) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_cycle = (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524
            - day_of_cycle / 146_096)
            / 365;
        let day_of_year =
            day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 {
            from_march + 3
        } else {
            from_march - 9
        };
        let year = cycle.saturating_mul(400).saturating_add(year_of_cycle);
        let year = year.saturating_add(i64::from(month <= 2));
        if year < 1 {
            return Self::FIRST;
        }
        let narrow = (u16::try_from(year), u8::try_from(month), u8::try_from(day));
        match narrow {
            (Ok(year), Ok(month), Ok(day)) => Self::new(year, month, day).unwrap_or(LAST),
            _ => LAST,
        }
    }

    /// The year, 1–9999.
    pub fn year(self) -> u16 {
        self.year
    }

    /// The month, 1–12.
    pub fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, from 1.
    pub fn day(self) -> u8 {
        self.day
    }

    /// The day after; `None` after 9999-12-31.
    pub fn next(self) -> Option<Self> {
        Self::new(self.year, self.month, self.day + 1)
            .or_else(|_| Self::new(self.year, self.month + 1, 1))
            .or_else(|_| Self::new(self.year + 1, 1, 1))
            .ok()
    }

    /// The day before; `None` before 0001-01-01.
    pub fn before(self) -> Option<Self> {
        let of_month = |year, month| {
            days_in_month(year, month).and_then(|day| Self::new(year, month, day).ok())
        };
        match (self.day, self.month) {
            (1, 1) => of_month(self.year.checked_sub(1)?, 12),
            (1, month) => of_month(self.year, month - 1),
            (day, month) => Self::new(self.year, month, day - 1).ok(),
        }
    }

    /// So many days after it; before it, where they are negative.
    pub fn plus(self, days: i32) -> Option<Self> {
        let step = if days < 0 { Self::before } else { Self::next };
        (0..days.unsigned_abs()).try_fold(self, |day, _| step(day))
    }

    /// True for Saturday and Sunday.
    pub fn is_weekend(self) -> bool {
        // Days since a Saturday, by the rule of Zeller: the year begins in March.
        let (year, month) = match self.month {
            1 | 2 => (u32::from(self.year) + 399, u32::from(self.month) + 12),
            month => (u32::from(self.year) + 400, u32::from(month)),
        };
        let days =
            u32::from(self.day) + 13 * (month + 1) / 5 + year + year / 4 - year / 100 + year / 400;
        days % 7 < 2
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for Date {
    type Err = BadDate;
    fn from_str(text: &str) -> Result<Self, BadDate> {
        let mut parts = text.split('-');
        let mut part = |length: usize| -> Result<u16, BadDate> {
            let digits = parts.next().ok_or(BadDate)?;
            if digits.len() != length || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(BadDate);
            }
            digits.parse().map_err(|_| BadDate)
        };
        let (year, month, day) = (part(4)?, part(2)?, part(2)?);
        if parts.next().is_some() {
            return Err(BadDate);
        }
        let narrow = |value: u16| u8::try_from(value).map_err(|_| BadDate);
        Self::new(year, narrow(month)?, narrow(day)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_falls_on_its_day_in_vietnam() {
        for (timestamp, day) in [
            (0, "1970-01-01"),
            (16 * 3600 + 3599, "1970-01-01"),
            (17 * 3600, "1970-01-02"),
            (951_843_599, "2000-02-29"),
            (951_843_600, "2000-03-01"),
            (1_795_312_800, "2026-11-22"),
            (i64::MIN, "0001-01-01"),
            (i64::MAX, "9999-12-31"),
        ] {
            assert_eq!(
                Date::of_timestamp(timestamp).to_string(),
                day,
                "{timestamp}"
            );
        }
        let mut day = Date::of_timestamp(-10_000_000_000);
        for days in 1..200_000 {
            let next = Date::of_timestamp(-10_000_000_000 + days * 86_400);
            assert_eq!(day.next(), Some(next));
            day = next;
        }
    }

    #[test]
    fn weekends_come_every_seven_days_and_days_go_back_as_they_came() {
        let mut day: Date = "1970-01-01".parse().expect("a Thursday");
        for since in 0..100_000_i32 {
            assert_eq!(day.is_weekend(), matches!((since + 3) % 7, 5 | 6), "{day}");
            let next = day.next().expect("a next day");
            assert_eq!(next.before(), Some(day));
            day = next;
        }
        assert_eq!(Date::FIRST.before(), None);
        let newer: Date = "2024-03-01".parse().expect("a day");
        assert_eq!(
            newer.plus(-366).map(|day| day.to_string()).as_deref(),
            Some("2023-03-01")
        );
        assert_eq!(newer.plus(366).and_then(|day| day.plus(-366)), Some(newer));
    }

    #[test]
    fn only_existing_days_are_read() {
        for text in ["2022-12-31", "2024-02-29", "2000-02-29", "0001-01-01"] {
            assert_eq!(
                text.parse::<Date>().map(|date| date.to_string()),
                Ok(text.into())
            );
        }
        for text in [
            "2023-02-29",
            "1900-02-29",
            "2022-13-01",
            "2022-1-01",
            "2022-00-10",
            "2022-01-00",
            "0000-01-01",
            "2022-01-01-",
            "+022-01-01",
            "22-01-01",
            "",
        ] {
            assert_eq!(text.parse::<Date>(), Err(BadDate), "{text:?}");
        }
    }

    #[test]
    fn a_year_of_days_follows_in_order() {
        let mut day: Date = "2024-01-01".parse().expect("a day");
        for _ in 0..366 {
            let next = day.next().expect("a next day");
            assert!(next > day);
            day = next;
        }
        assert_eq!(day.to_string(), "2025-01-01");
    }
}

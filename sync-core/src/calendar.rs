//! Working days, and the last day of a duty counted in them.
//!
//! Offices are closed on Saturday and Sunday and on public holidays (Labour Code 2019, article 112),
//! with the days that move when one falls on a weekend (article 111) and the Saturdays that the
//! Government announces as worked instead of a Monday or Friday. No rule tells Tết and these exchanges
//! for the years to come: a table does ([`Calendar::national`]), and an administrator adds the lines of
//! a year ([`Calendar::extend`]). A year without a line is not known, and nothing is guessed about it.
//!
//! A [`DueRule`] says the last day of a duty by its period: `2025-12-20`, `end+6d` (six days after the
//! period's last one), `end+5wd` (the fifth working day after it), `end-3wd`. Counting begins on the day
//! after, and a last day on which offices are closed moves to the next working day (Civil Code 2015,
//! articles 147 and 148). Days are those of Vietnam, whatever a device thinks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use crate::date::Date;
use crate::limits;
use crate::period::Period;

/// Which days are worked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    /// Days that are not as their weekday says: true for worked ones.
    days: BTreeMap<Date, bool>,
    years: BTreeSet<u16>,
}

/// Why a table of days cannot be read. Nothing of it was taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// A line that is not `day off|on why`.
    #[error("line {line}: written like 2025-01-27..2025-01-31 off Tết")]
    Line {
        /// Which one, from 1.
        line: usize,
    },
    /// A range that ends before it begins or is longer than [`limits::HOLIDAY_RANGE_DAYS_MAX`].
    #[error("line {line}: a range from an earlier to a later day, at most {max} days", max = limits::HOLIDAY_RANGE_DAYS_MAX)]
    Range {
        /// Which one, from 1.
        line: usize,
    },
    /// A table longer than [`limits::HOLIDAY_TABLE_BYTES_MAX`].
    #[error("a table of days has at most {max} bytes", max = limits::HOLIDAY_TABLE_BYTES_MAX)]
    Long,
    /// A day that another line says otherwise about.
    #[error("line {line}: {day} is there already, and otherwise")]
    Twice {
        /// Which one, from 1.
        line: usize,
        /// The day.
        day: Date,
    },
}

/// A year of which no holiday is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the holidays of {0} are not in the calendar")]
pub struct UnknownYear(pub u16);

impl Calendar {
    /// The years that the product knows.
    pub fn national() -> Self {
        let mut calendar = Self::default();
        let text = crate::catalogue_files::text("calendar/viet-nam.txt").unwrap_or_default();
        // A test reads it: it is part of the program.
        let _ = calendar.extend(text);
        calendar
    }

    /// Adds the lines of a table; a day may be there already if it is the same.
    pub fn extend(&mut self, table: &str) -> Result<(), TableError> {
        let mut more = self.clone();
        for (line, text) in (1..).zip(table.lines()) {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let (first, last, worked) = read(text).ok_or(TableError::Line { line })?;
            more.add(line, (first, last), worked)?;
        }
        *self = more;
        Ok(())
    }

    fn add(
        &mut self,
        line: usize,
        (first, last): (Date, Date),
        worked: bool,
    ) -> Result<(), TableError> {
        let mut day = Some(first).filter(|first| *first <= last);
        let mut count = 0;
        while let Some(one) = day.filter(|one| *one <= last) {
            count += 1;
            if count > limits::HOLIDAY_RANGE_DAYS_MAX {
                return Err(TableError::Range { line });
            }
            if self
                .days
                .insert(one, worked)
                .is_some_and(|was| was != worked)
            {
                return Err(TableError::Twice { line, day: one });
            }
            self.years.insert(one.year());
            day = one.next();
        }
        match count {
            0 => Err(TableError::Range { line }),
            _ => Ok(()),
        }
    }

    /// Takes over what another calendar names: it stands, and the years it knows are known.
    pub fn supersede(&mut self, other: &Self) {
        self.days.extend(other.days());
        self.years.extend(&other.years);
    }

    /// The days that are not as their weekday says: true for worked ones.
    pub fn days(&self) -> impl Iterator<Item = (Date, bool)> {
        self.days.iter().map(|(day, worked)| (*day, *worked))
    }

    /// The years it knows.
    pub fn years(&self) -> impl Iterator<Item = u16> {
        self.years.iter().copied()
    }

    /// True if offices are open on a day.
    pub fn is_worked(&self, day: Date) -> Result<bool, UnknownYear> {
        if !self.years.contains(&day.year()) {
            return Err(UnknownYear(day.year()));
        }
        let worked = self.days.get(&day).copied();
        Ok(worked.unwrap_or(!day.is_weekend()))
    }

    /// The first working day from a day on.
    fn next_worked(&self, day: Date) -> Result<Date, UnknownYear> {
        let mut day = day;
        while !self.is_worked(day)? {
            day = day.next().ok_or(UnknownYear(day.year()))?;
        }
        Ok(day)
    }

    /// So many working days after a day; before it, where they are negative.
    fn worked_after(&self, day: Date, count: i32) -> Result<Date, UnknownYear> {
        let mut day = day;
        let mut left = count.unsigned_abs();
        while left > 0 {
            let next = match count > 0 {
                true => day.next(),
                false => day.before(),
            };
            day = next.ok_or(UnknownYear(day.year()))?;
            if self.is_worked(day)? {
                left -= 1;
            }
        }
        Ok(day)
    }
}

/// `day[..day] off|on why`.
fn read(text: &str) -> Option<(Date, Date, bool)> {
    let mut words = text.split_whitespace();
    let days = words.next()?;
    let worked = match words.next()? {
        "on" => true,
        "off" => false,
        _ => return None,
    };
    let (first, last) = days.split_once("..").unwrap_or((days, days));
    Some((first.parse().ok()?, last.parse().ok()?, worked))
}

/// By when a duty is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueRule {
    /// This day, whether it is worked or not: whoever wrote it knew.
    On(Date),
    /// So many days after the last one of the period, or the next working day.
    Days(i32),
    /// So many working days after the last day of the period, or before it.
    WorkingDays(i32),
}

/// A text that is no due rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a due rule is written like 2025-12-20, end+6d, end+5wd or end-3wd")]
pub struct BadDueRule;

impl DueRule {
    /// The last day for a period.
    pub fn last_day(self, period: Period, calendar: &Calendar) -> Result<Date, UnknownYear> {
        let end = period.last_day();
        match self {
            Self::On(day) => Ok(day),
            Self::Days(count) => {
                let day = end.plus(count).ok_or(UnknownYear(end.year()))?;
                calendar.next_worked(day)
            }
            Self::WorkingDays(count) => calendar.worked_after(end, count),
        }
    }
}

impl fmt::Display for DueRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On(day) => write!(f, "{day}"),
            Self::Days(count) => write!(f, "end{count:+}d"),
            Self::WorkingDays(count) => write!(f, "end{count:+}wd"),
        }
    }
}

impl FromStr for DueRule {
    type Err = BadDueRule;
    /// Reads the canonical text and nothing else.
    fn from_str(text: &str) -> Result<Self, BadDueRule> {
        let Some(rule) = text.strip_prefix("end") else {
            return text.parse().map(Self::On).map_err(|_| BadDueRule);
        };
        let (count, working) = match rule.strip_suffix("wd") {
            Some(count) => (count, true),
            None => (rule.strip_suffix('d').ok_or(BadDueRule)?, false),
        };
        let digits = count.strip_prefix(['+', '-']).ok_or(BadDueRule)?;
        let canonical = digits == "0" || !digits.starts_with('0');
        if !canonical || digits.bytes().any(|byte| !byte.is_ascii_digit()) || count == "-0" {
            return Err(BadDueRule);
        }
        let count: i32 = count.parse().map_err(|_| BadDueRule)?;
        if count.unsigned_abs() > limits::DUE_DAYS_MAX {
            return Err(BadDueRule);
        }
        Ok(match working {
            true => Self::WorkingDays(count),
            false => Self::Days(count),
        })
    }
}

#[cfg(test)]
mod tests;

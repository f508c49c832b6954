//! How much may travel in a day: a person's own limit on what their link costs, counted by the device.
//!
//! A day is a civil day in Vietnam, by the device's clock, which is a claim like every other time of it:
//! a clock that was set to another day begins a new count. What is counted is what travelled: bodies
//! both ways, whatever came of them, and for each connection what HTTP and TLS put around them, by a
//! round figure ([`limits::CONNECTION_AROUND_BYTES`]). The app itself, pictures of a desk and the line
//! that wakes a tablet are not counted.

use crate::codec::{DecodeError, Reader, Writer};
use crate::date::Date;
use crate::limits;

/// A day's limit and what was used of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Budget {
    per_day: Option<u64>,
    /// The day that is counted.
    day: String,
    spent: u64,
    /// A node has acknowledged something of ours on that day.
    delivered: bool,
}

/// How a day stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BudgetStanding {
    /// Bytes that may travel in a day; none: as many as there are.
    pub per_day: Option<u64>,
    /// Bytes that travelled today, since there is a limit.
    pub spent: u64,
    /// Bytes that still may; none without a limit.
    pub left: Option<u64>,
    /// Something of ours was acknowledged today.
    pub delivered: bool,
}

impl Budget {
    /// How it stands at this moment.
    pub fn standing(&self, now: i64) -> BudgetStanding {
        let is_today = self.day == Date::of_timestamp(now).to_string();
        let spent = if is_today { self.spent } else { 0 };
        BudgetStanding {
            per_day: self.per_day,
            spent,
            left: self.per_day.map(|most| most.saturating_sub(spent)),
            delivered: is_today && self.delivered,
        }
    }

    /// The same with another limit. One that is too small for anything is the smallest there is.
    pub(super) fn limited(&self, per_day: Option<u64>) -> Self {
        let per_day = per_day.map(|bytes| bytes.max(limits::BUDGET_BYTES_MIN));
        Self {
            per_day,
            ..self.clone()
        }
    }

    /// The same after `bytes` travelled over so many connections.
    pub(super) fn after(&self, bytes: u64, connections: u64, delivered: bool, now: i64) -> Self {
        let before = self.standing(now);
        let around = connections.saturating_mul(limits::CONNECTION_AROUND_BYTES);
        Self {
            per_day: self.per_day,
            day: Date::of_timestamp(now).to_string(),
            spent: before.spent.saturating_add(bytes).saturating_add(around),
            delivered: before.delivered || delivered,
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut to = Writer::new();
        match self.per_day {
            None => to.u8(0),
            Some(bytes) => to.u8(1).var(bytes),
        };
        to.text(&self.day).var(self.spent).u8(self.delivered.into());
        to.into_bytes()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut from = Reader::new(bytes);
        let per_day = match from.u8("limit of a day")? {
            0 => None,
            1 => Some(from.var("limit of a day")?),
            _ => return Err(DecodeError::Undefined("limit of a day")),
        };
        let budget = Self {
            per_day,
            day: from.text(limits::PERIOD_BYTES_MAX, "day")?.to_owned(),
            spent: from.var("bytes of a day")?,
            delivered: from.u8("delivered")? == 1,
        };
        from.end("budget")?;
        Ok(budget)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 23 November 2026, 23:59:59 in Vietnam: 16:59:59 UTC.
    const EVENING: i64 = 1_795_453_199;

    #[test]
    fn a_day_ends_at_midnight_in_vietnam_and_not_in_london() {
        let budget = Budget::default().limited(Some(200_000));
        let spent = budget.after(60_000, 0, true, EVENING - 7 * 3_600);
        let spent = spent.after(50_000, 2, false, EVENING);
        let around = 2 * limits::CONNECTION_AROUND_BYTES;
        assert_eq!(spent.standing(EVENING).spent, 110_000 + around);
        assert_eq!(spent.standing(EVENING).left, Some(90_000 - around));
        assert!(spent.standing(EVENING).delivered);
        let tomorrow = spent.standing(EVENING + 1);
        assert_eq!((tomorrow.spent, tomorrow.left), (0, Some(200_000)));
        assert!(!tomorrow.delivered);
        // What is over is over, and no more.
        let over = spent.after(1_000_000, 0, false, EVENING);
        assert_eq!(over.standing(EVENING).left, Some(0));
        // A clock that is set back begins another day; nothing is owed for ever.
        assert_eq!(over.standing(EVENING - 86_400).left, Some(200_000));
    }

    #[test]
    fn a_budget_round_trips_and_never_is_too_small_for_anything() {
        let budget = Budget::default().limited(Some(1));
        assert_eq!(budget.standing(0).per_day, Some(limits::BUDGET_BYTES_MIN));
        let spent = budget.after(7, 1, true, EVENING);
        for budget in [budget.limited(None), budget, spent] {
            let bytes = budget.encode();
            assert_eq!(Budget::decode(&bytes), Ok(budget));
            for end in 0..bytes.len() {
                assert!(Budget::decode(bytes.get(..end).unwrap()).is_err());
            }
        }
    }
}

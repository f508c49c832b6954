//! Working days of known years, and due days that follow from them.

use super::*;
use proptest::prelude::*;

fn day(text: &str) -> Date {
    text.parse().expect("a day of the test")
}

#[test]
fn the_table_that_ships_is_read_to_its_end() {
    let calendar = Calendar::national();
    assert_eq!(
        calendar.years,
        BTreeSet::from([2022, 2023, 2024, 2025, 2026])
    );
    for (text, worked) in [
        ("2024-02-07", true),
        ("2024-02-08", false),
        ("2024-02-15", true),
        ("2024-05-04", true),
        ("2024-05-05", false),
        ("2025-04-26", true),
        ("2025-05-02", false),
        ("2026-02-23", true),
        ("2026-04-27", false),
        ("2024-02-29", true),
    ] {
        assert_eq!(calendar.is_worked(day(text)), Ok(worked), "{text}");
    }
    // A weekday that is worked needs no line: it is a slip.
    for (day, worked) in &calendar.days {
        assert!(day.is_weekend() || !worked, "{day}");
    }
}

#[test]
fn due_days_of_known_periods() {
    let calendar = Calendar::national();
    for (period, rule, last) in [
        // The cut on the 14th: a month's report by the 20th.
        ("2025-06@14", "end+6d", "2025-06-20"),
        // 20 April 2025 is a Sunday.
        ("2025-04@14", "end+6d", "2025-04-21"),
        ("2025@14", "end+6d", "2025-12-22"),
        ("2025-Q1", "end+5wd", "2025-04-08"),
        // Giỗ Tổ on Monday 7 April lies between.
        ("2025-Q1", "end+4wd", "2025-04-04"),
        // Tết lies between.
        ("2026-01@14", "end+22wd", "2026-02-13"),
        ("2026-01@14", "end+23wd", "2026-02-23"),
        ("2024-Q1", "end-3wd", "2024-03-27"),
        ("2025", "2025-12-20", "2025-12-20"),
        ("2024-M9", "end+0d", "2024-09-30"),
        ("2025-08", "end+0d", "2025-09-03"),
    ] {
        let (period, due) = (
            period.parse::<Period>().unwrap(),
            rule.parse::<DueRule>().unwrap(),
        );
        let found = due.last_day(period, &calendar).map(|day| day.to_string());
        assert_eq!(found.as_deref(), Ok(last), "{period} {rule}");
    }
}

#[test]
fn nothing_is_guessed_about_a_year_that_is_not_known() {
    let mut calendar = Calendar::national();
    let period: Period = "2026".parse().unwrap();
    let rule = DueRule::WorkingDays(5);
    assert_eq!(rule.last_day(period, &calendar), Err(UnknownYear(2027)));
    calendar
        .extend("2027-01-01 off Tết Dương lịch\n2027-02-04..2027-02-10 off Tết Nguyên đán Đinh Mùi")
        .unwrap();
    assert_eq!(rule.last_day(period, &calendar), Ok(day("2027-01-08")));
}

#[test]
fn a_table_is_taken_whole_or_not_at_all() {
    for (table, error) in [
        ("2025-01-01", TableError::Line { line: 1 }),
        ("\n# x\n2025-13-01 off x", TableError::Line { line: 3 }),
        ("2025-01-01 maybe x", TableError::Line { line: 1 }),
        (
            "2031-02-05..2031-02-01 off x",
            TableError::Range { line: 1 },
        ),
        (
            "2031-01-01..2035-01-01 off x",
            TableError::Range { line: 1 },
        ),
        (
            "2031-02-03 off x\n2025-01-28 on x",
            TableError::Twice {
                line: 2,
                day: day("2025-01-28"),
            },
        ),
    ] {
        let mut calendar = Calendar::national();
        assert_eq!(calendar.extend(table), Err(error), "{table}");
        assert_eq!(calendar, Calendar::national());
    }
    let mut calendar = Calendar::national();
    calendar.extend("2025-01-28 off the same again").unwrap();
    assert_eq!(calendar, Calendar::national());
}

fn any_rule() -> impl Strategy<Value = DueRule> {
    prop_oneof![
        (-400_i32..=400).prop_map(DueRule::Days),
        (-400_i32..=400).prop_map(DueRule::WorkingDays),
        (0_i64..2_000_000_000).prop_map(|at| DueRule::On(Date::of_timestamp(at))),
    ]
}

proptest! {
    #[test]
    fn rules_read_back_as_they_are_written(rule in any_rule()) {
        prop_assert_eq!(rule.to_string().parse::<DueRule>(), Ok(rule));
    }

    #[test]
    fn what_is_read_writes_the_same(text in "(end)?[+-]?[0-9]{1,4}(d|wd|-[0-9]{2}-[0-9]{2})?") {
        if let Ok(rule) = text.parse::<DueRule>() {
            prop_assert_eq!(rule.to_string(), text);
        }
    }

    /// Between the end of a period and its due day lie as many working days as the rule says, and the
    /// due day is one of them.
    #[test]
    fn working_days_are_counted_one_by_one(month in 2_u8..=10, year in 2022_u16..=2026, count in 1_i32..30) {
        let calendar = Calendar::national();
        let period = Period::of_month(year, month).unwrap();
        let due = DueRule::WorkingDays(count).last_day(period, &calendar).unwrap();
        prop_assert!(calendar.is_worked(due).unwrap());
        let mut worked = 0;
        let mut day = period.last_day();
        while day < due {
            day = day.next().unwrap();
            worked += i32::from(calendar.is_worked(day).unwrap());
        }
        prop_assert_eq!(worked, count);
        let back = calendar.worked_after(due, -count).unwrap();
        prop_assert!(back <= period.last_day() && calendar.is_worked(back).unwrap());
    }
}

//! `dongbo duty`: who owes which report by when.

use clap::{Args, Subcommand};
use dongbo::administration::{Administration, text_of};
use dongbo::trouble::{Exit, Trouble};
use serde_json::json;
use sync_core::calendar::{Calendar, DueRule};
use sync_core::date::Date;
use sync_core::period::Period;

use super::{Context, Outcome, Said};

#[derive(Debug, Subcommand)]
pub(super) enum Duty {
    /// Every unit of a kind owes a report
    Add(Add),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// Template id
    #[arg(long)]
    template: String,
    /// Kind of unit
    #[arg(long, default_value = "commune")]
    unit_kind: String,
    /// Period
    #[arg(long)]
    period: String,
    /// Last day: yyyy-mm-dd, or counted from the period's last day: `end+6d` six days later or the next
    /// working day, `end+5wd` the fifth working day after it, `end-3wd` the third before it
    #[arg(long, allow_hyphen_values = true)]
    due: String,
    /// Holidays and worked weekends of more years, one line each: `2027-02-04..2027-02-10 off Tết`
    #[arg(long, value_name = "FILE")]
    calendar: Option<String>,
}

impl Add {
    /// The last day by the rule.
    fn last_day(&self) -> Result<Date, Trouble> {
        let rule: DueRule = self
            .due
            .parse()
            .map_err(|_| Trouble::new("due-bad", Exit::Input).with("due", &self.due))?;
        let period: Period = self
            .period
            .parse()
            .map_err(|_| Trouble::new("period-bad", Exit::Input).with("period", &self.period))?;
        let mut calendar = Calendar::national();
        if let Some(file) = &self.calendar {
            let table = text_of("calendar", file)?;
            calendar.extend(&table).map_err(|error| {
                Trouble::new("calendar-bad", Exit::Input)
                    .with("file", file)
                    .with("reason", error)
            })?;
        }
        rule.last_day(period, &calendar).map_err(|unknown| {
            Trouble::new("calendar-year-unknown", Exit::Input).with("year", unknown.0)
        })
    }
}

impl Duty {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let Self::Add(add) = self;
        let due = add.last_day()?.to_string();
        let mut session = context.session(None)?;
        let mut administration = Administration(&mut session);
        let added = administration.add_duty(&add.template, &add.unit_kind, &add.period, &due)?;
        let value = json!({"added": added.added, "unchanged": added.unchanged, "due": due});
        Ok(Said::new(value)
            .say(
                "cli-imported",
                &[
                    ("added", added.added.to_string()),
                    ("unchanged", added.unchanged.to_string()),
                ],
            )
            .say("cli-duty-due", &[("due", due)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(period: &str, due: &str, calendar: Option<String>) -> Result<String, String> {
        let add = Add {
            template: "bao-cao".into(),
            unit_kind: "commune".into(),
            period: period.into(),
            due: due.into(),
            calendar,
        };
        let day = add.last_day().map(|day| day.to_string());
        day.map_err(|trouble| trouble.code)
    }

    #[test]
    fn a_due_day_is_counted_or_said_why_not() {
        assert_eq!(add("2025-Q1", "end+5wd", None), Ok("2025-04-08".into()));
        assert_eq!(add("2031", "2031-12-20", None), Ok("2031-12-20".into()));
        assert_eq!(
            add("2026", "end+5wd", None),
            Err("calendar-year-unknown".into())
        );
        assert_eq!(add("2025-Q1", "tomorrow", None), Err("due-bad".into()));
        assert_eq!(add("2025-Q9", "end+1d", None), Err("period-bad".into()));

        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("2027.txt");
        let path = || Some(file.to_string_lossy().into_owned());
        std::fs::write(&file, "2027-01-01 off Tết Dương lịch\n").expect("written");
        assert_eq!(add("2026", "end+5wd", path()), Ok("2027-01-08".into()));
        std::fs::write(&file, "2027-01-01 closed\n").expect("written");
        assert_eq!(add("2026", "end+5wd", path()), Err("calendar-bad".into()));
    }
}

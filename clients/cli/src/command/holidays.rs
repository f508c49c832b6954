//! `dongbo holidays`: the days on which offices are closed, or open though it is a weekend.

use clap::{Args, Subcommand};
use dongbo::administration::{Administration, text_of};
use dongbo::trouble::{Exit, Trouble};
use serde_json::json;
use sync_core::catalogue::Holidays as Table;

use super::{Context, Outcome, Said};

#[derive(Debug, Subcommand)]
pub(super) enum Holidays {
    /// What this device knows: the program's table and what the province announced
    List,
    /// Announce days, one line each: `2027-02-04..2027-02-10 off Tết`, `2027-01-09 on Làm bù`
    Add(Add),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// The table
    file: String,
    /// Only say what the calendar would be
    #[arg(long)]
    dry_run: bool,
}

impl Holidays {
    pub(super) fn run(self, context: &Context) -> Outcome {
        match self {
            Self::List => {
                let tablet = context.tablet()?;
                let catalogue = tablet.device().catalogue();
                let calendar = catalogue.calendar();
                let years: Vec<u16> = calendar.years().collect();
                let days: Vec<_> = calendar
                    .days()
                    .map(|(day, worked)| (day.to_string(), worked))
                    .collect();
                let value: Vec<_> = days
                    .iter()
                    .map(|(day, worked)| json!({"day": day, "worked": worked}))
                    .collect();
                let said = Said::new(json!({ "years": years, "days": value }));
                Ok(days.iter().fold(said, |said, (day, worked)| {
                    let mark = if *worked { "on" } else { "off" };
                    said.plain(format!("{day} {mark}"))
                }))
            }
            Self::Add(add) => {
                let table = text_of("calendar", &add.file)?;
                // The line that is wrong is named before anything travels.
                Table::of_table(table.trim()).map_err(|error| {
                    Trouble::new("calendar-bad", Exit::Input)
                        .with("file", &add.file)
                        .with("reason", error)
                })?;
                let mut session = context.session(None)?;
                let known =
                    Administration(&mut session).announce_holidays(table.trim(), add.dry_run)?;
                let years: Vec<String> = known.years.iter().map(ToString::to_string).collect();
                let own = known.days.iter().filter(|day| day.own).count();
                let arguments = [("years", years.join(", ")), ("own", own.to_string())];
                Ok(Said::new(json!({ "years": known.years, "own": own }))
                    .say("cli-holidays-known", &arguments))
            }
        }
    }
}

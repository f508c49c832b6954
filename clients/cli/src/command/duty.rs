//! `dongbo duty`: who owes which report by when.

use clap::{Args, Subcommand};
use dongbo::administration::{Administration, DutyAdded, DutyAsked, TermsAsked};
use dongbo::lookup;
use dongbo::trouble::{Exit, Trouble};
use serde_json::json;
use sync_core::calendar::DueRule;
use sync_core::identity::DutyId;
use sync_core::period::Period;

use super::{Context, Outcome, Said};

#[derive(Debug, Subcommand)]
pub(super) enum Duty {
    /// Units of a kind owe a report
    Add(Add),
    /// One unit owes it by another day, or not at all, or as others again
    Except(Except),
    /// Nobody owes it any more; what was reported stays
    End {
        /// The duty; its id is in `dongbo list duties`
        duty: DutyId,
    },
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// Template id
    #[arg(long)]
    template: String,
    /// Kind of unit
    #[arg(long, default_value = "commune")]
    unit_kind: String,
    /// Only those of a group: area=Định Hóa
    #[arg(long, value_name = "GROUPING=GROUP", conflicts_with = "within")]
    group: Option<String>,
    /// Only those at or below a unit: its code or name
    #[arg(long, value_name = "UNIT")]
    within: Option<String>,
    /// Period
    #[arg(long)]
    period: String,
    /// One duty for each part of the period
    #[arg(long, value_parser = ["month", "quarter", "half"])]
    each: Option<String>,
    /// Last day: yyyy-mm-dd, or counted from the period's last day: `end+6d` six days later or the next
    /// working day, `end+5wd` the fifth working day after it, `end-3wd` the third before it
    #[arg(long, allow_hyphen_values = true)]
    due: String,
    /// Only say what it comes to
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct Except {
    /// The duty; its id is in `dongbo list duties`
    #[arg(long)]
    duty: DutyId,
    /// The unit: its code or name
    #[arg(long)]
    unit: String,
    /// Its own last day
    #[arg(long, value_name = "DAY", conflicts_with_all = ["exempt", "as_others"])]
    until: Option<String>,
    /// It owes no report
    #[arg(long, conflicts_with = "as_others")]
    exempt: bool,
    /// It owes the report as others do
    #[arg(long, required_unless_present_any = ["until", "exempt"])]
    as_others: bool,
    /// Why: the unit reads it
    #[arg(long, default_value = "")]
    reason: String,
}

impl Add {
    /// What is asked of the server, as far as it can be told here.
    fn asked(&self, context: &Context) -> Result<DutyAsked, Trouble> {
        let rule: DueRule = self
            .due
            .parse()
            .map_err(|_| Trouble::new("due-bad", Exit::Input).with("due", &self.due))?;
        let _: Period = self
            .period
            .parse()
            .map_err(|_| Trouble::new("period-bad", Exit::Input).with("period", &self.period))?;
        let (due, rule) = match rule {
            DueRule::On(day) => (Some(day.to_string()), None),
            DueRule::Days(_) | DueRule::WorkingDays(_) => (None, Some(rule.to_string())),
        };
        let (grouping, group) = match &self.group {
            None => (None, None),
            Some(text) => {
                let (grouping, group) = text
                    .split_once('=')
                    .ok_or_else(|| Trouble::new("group-bad", Exit::Input).with("group", text))?;
                (Some(grouping.to_owned()), Some(group.to_owned()))
            }
        };
        let within = match &self.within {
            None => None,
            Some(unit) => Some(lookup::unit(context.tablet()?.device().catalogue(), unit)?),
        };
        Ok(DutyAsked {
            template: self.template.clone(),
            unit_kind: self.unit_kind.clone(),
            grouping,
            group,
            within,
            period: self.period.clone(),
            each: self.each.clone(),
            due,
            rule,
        })
    }

    fn run(&self, context: &Context) -> Outcome {
        let asked = self.asked(context)?;
        let mut session = context.session(None)?;
        let added = Administration(&mut session).add_duties(&[asked], self.dry_run)?;
        let value = json!({
            "added": added.added, "unchanged": added.unchanged, "duties": added.duties,
            "dry_run": self.dry_run,
        });
        let counts = [
            ("added", added.added.to_string()),
            ("unchanged", added.unchanged.to_string()),
        ];
        let id = match self.dry_run {
            true => "cli-duties-would",
            false => "cli-imported",
        };
        let said = Said::new(value).say(id, &counts);
        Ok(added.duties.iter().fold(said, |said, duty| {
            let DutyAdded {
                period, due, units, ..
            } = duty;
            said.say(
                "cli-duty-due",
                &[
                    ("period", period.clone()),
                    ("due", due.clone()),
                    ("units", units.to_string()),
                ],
            )
        }))
    }
}

impl Except {
    fn run(&self, context: &Context) -> Outcome {
        let unit = lookup::unit(context.tablet()?.device().catalogue(), &self.unit)?;
        let terms = match (&self.until, self.exempt) {
            (Some(day), _) => TermsAsked::Extended(day.clone()),
            (None, true) => TermsAsked::Exempt,
            (None, false) => TermsAsked::AsOthers,
        };
        let mut session = context.session(None)?;
        let changed =
            Administration(&mut session).except_from_duty(self.duty, unit, &terms, &self.reason)?;
        let id = match changed {
            true => "cli-duty-excepted",
            false => "cli-duty-as-it-was",
        };
        Ok(Said::new(json!({ "changed": changed })).say(id, &[("unit", self.unit.clone())]))
    }
}

impl Duty {
    pub(super) fn run(self, context: &Context) -> Outcome {
        match self {
            Self::Add(add) => add.run(context),
            Self::Except(except) => except.run(context),
            Self::End { duty } => {
                let ended = Administration(&mut context.session(None)?).end_duty(duty)?;
                Ok(Said::new(json!({ "ended": ended }))
                    .say("cli-duty-ended", &[("duty", duty.to_string())]))
            }
        }
    }
}

//! `dongbo totals`: figures of what the device holds, with no server.

use clap::Args;
use dongbo::totals::DeviceTotals;
use dongbo::trouble::{Exit, Trouble};
use dongbo::{lookup, view};
use serde_json::{Value, json};

use super::{Context, Outcome, Said};

/// Totals of what this device holds, of a unit and everything below it.
#[derive(Debug, Args)]
pub(super) struct Totals {
    /// Template id
    #[arg(long)]
    template: String,
    /// Period
    #[arg(long)]
    period: String,
    /// Unit: code, id or a part of its name; else the top
    #[arg(long)]
    unit: Option<String>,
    /// These codes only
    #[arg(long = "code")]
    codes: Vec<String>,
}

impl Totals {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let mut tablet = context.tablet()?;
        let totals = DeviceTotals::new(&mut tablet, &self.template, &self.period)?;
        let unit = match &self.unit {
            Some(unit) => Some(lookup::unit(tablet.device().catalogue(), unit)?),
            None => totals.top(),
        };
        let unknown = || {
            Trouble::new("unit-unknown", Exit::Input)
                .with("unit", self.unit.clone().unwrap_or_default())
        };
        let unit = unit.ok_or_else(unknown)?;
        let table = totals.roll_up().table(unit).ok_or_else(unknown)?;
        let catalogue = tablet.device().catalogue();
        let name = |unit| lookup::unit_name(catalogue, unit);
        let missing: Vec<String> = totals
            .roll_up()
            .missing(unit)
            .into_iter()
            .map(name)
            .collect();
        let conflicts: Vec<String> = totals
            .roll_up()
            .in_conflict(unit)
            .into_iter()
            .map(name)
            .collect();
        let mut rows: Vec<Value> = Vec::new();
        let mut lines = Vec::new();
        for (row, figure) in totals.template().rows().iter().zip(&table.figures) {
            if !self.codes.is_empty() && !self.codes.contains(&row.code) {
                continue;
            }
            let mut value = view::figure_json(figure);
            if let Some(object) = value.as_object_mut() {
                object.insert("code".to_owned(), json!(row.code));
            }
            rows.push(value);
            let mark = if figure.is_provisional() { "~" } else { " " };
            let text = view::figure_text(figure);
            lines.push(format!("{:<10} {text:>18}{mark} {}", row.code, row.label));
        }
        let coverage = table.coverage;
        let mut said = Said::new(json!({
            "unit": unit, "template": self.template, "period": self.period,
            "coverage": {"due": coverage.due, "reported": coverage.reported,
                         "missing": coverage.missing(), "in_conflict": coverage.in_conflict},
            "missing": missing, "in_conflict": conflicts, "figures": rows,
        }));
        for line in lines {
            said = said.plain(line);
        }
        said = said.say(
            "cli-coverage",
            &[
                ("unit", name(unit)),
                ("reported", coverage.reported.to_string()),
                ("due", coverage.due.to_string()),
                ("conflicts", coverage.in_conflict.to_string()),
            ],
        );
        if !missing.is_empty() && missing.len() <= 20 {
            said = said.say("cli-missing", &[("units", missing.join(", "))]);
        }
        if !conflicts.is_empty() && conflicts.len() <= 20 {
            said = said.say("cli-conflicts", &[("units", conflicts.join(", "))]);
        }
        Ok(said)
    }
}

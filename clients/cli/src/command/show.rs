//! `dongbo show`: a report as a person reads it.

use clap::Args;
use dongbo::lookup::{self, Authors};
use dongbo::{local_rows, view};
use serde_json::json;

use super::{Context, Outcome, Said};

/// Shows a report with its draft: values, rivals, formulas, findings.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// Template id
    #[arg(long)]
    template: String,
    /// Unit: code, id or a part of its name
    #[arg(long)]
    unit: String,
    /// Period
    #[arg(long)]
    period: String,
    /// Rows with something in them only
    #[arg(long)]
    filled: bool,
}

impl Show {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let mut tablet = context.tablet()?;
        let catalogue = tablet.device().catalogue();
        let subject = lookup::subject(catalogue, &self.template, &self.unit, &self.period)?;
        let template = local_rows::filled(&mut tablet, &subject)?;
        let document = tablet.document(&subject)?;
        let device = tablet.device();
        let own = device.sealer();
        let authors = Authors::of(device.log())?.with(own.actor(), tablet.card().key_id);
        let mut rows = view::rows(&template, &document, &authors, device.catalogue());
        if self.filled {
            rows.retain(|row| {
                !row.rivals.is_empty() || row.formula.as_ref().is_some_and(Result::is_ok)
            });
        }
        let heads: Vec<String> = document.heads().iter().map(ToString::to_string).collect();
        let mut said = Said::new(json!({
            "document": subject.document_id(), "unit": subject.unit, "period": subject.period,
            "template": template.id(), "template_version": document.template_version(),
            "heads": heads, "rows": rows.iter().map(view::row_json).collect::<Vec<_>>(),
        }));
        said = said.plain(format!(
            "{}\n{} · {}",
            template.title(),
            lookup::unit_name(device.catalogue(), subject.unit),
            subject.period
        ));
        for row in &rows {
            said = said.plain(row_text(row));
            if let Some(unit) = &row.of_unit {
                said = said.say("cli-row-of", &[("unit", unit.clone())]);
            }
            if row.rivals.len() > 1 {
                for rival in &row.rivals {
                    said = said.say("cli-rival", &rival_arguments(rival));
                }
            }
            for finding in &row.findings {
                said = said.plain(format!(
                    "      ! {}  {}",
                    finding.rule.code(),
                    view::rule_detail(&finding.rule)
                ));
            }
        }
        Ok(said)
    }
}

pub(super) fn rival_arguments(view: &view::RivalView) -> Vec<(&'static str, String)> {
    vec![
        ("value", view::value_text(&view.rival.value)),
        (
            "author",
            view.author.clone().unwrap_or_else(|| "?".to_owned()),
        ),
        (
            "device",
            view.device.clone().unwrap_or_else(|| "?".to_owned()),
        ),
        ("time", view::time_text(view.rival.claimed_at)),
    ]
}

fn row_text(row: &view::RowView) -> String {
    let values: Vec<String> = row
        .rivals
        .iter()
        .map(|rival| view::value_text(&rival.rival.value))
        .collect();
    let formula = row.formula.as_ref().filter(|outcome| outcome.is_ok());
    let formula = formula.map_or_else(String::new, |outcome| {
        format!("  = {}", view::outcome_text(outcome))
    });
    format!(
        "{:<10} {:>16}{formula}  {} {}",
        if row.of_unit.is_some() {
            &row.stt
        } else {
            &row.code
        },
        values.join(" ≠ "),
        row.label,
        if row.unit.is_empty() {
            String::new()
        } else {
            format!("({})", row.unit)
        },
    )
}

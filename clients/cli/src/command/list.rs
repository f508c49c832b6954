//! `dongbo list`: what the catalogue and the device hold.

use clap::{Args, ValueEnum};
use dongbo::lookup::unit_name;
use serde_json::{Value, json};

use super::{Context, Outcome, Said};

/// Lists units, templates, duties, documents or people, from what the device holds.
#[derive(Debug, Args)]
pub(super) struct List {
    /// What
    #[arg(value_enum, default_value = "documents")]
    what: What,
    /// Units: of this kind only
    #[arg(long)]
    kind: Option<String>,
    /// Units: whose name or code holds this, tones left out
    #[arg(long)]
    search: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Units,
    Templates,
    Duties,
    Documents,
    People,
}

impl List {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let tablet = context.tablet()?;
        let catalogue = tablet.device().catalogue();
        let mut rows: Vec<(Value, String)> = Vec::new();
        match self.what {
            What::Units => {
                let today = sync_core::date::Date::of_timestamp(dongbo::now_s());
                let tree = dongbo::lookup::tree_on(catalogue, today)?;
                let wanted = self.search.as_deref().map(sync_core::org_unit::search_key);
                for unit in tree.units() {
                    let key = sync_core::org_unit::search_key(&unit.name);
                    let found = wanted
                        .as_ref()
                        .is_none_or(|w| key.contains(w) || unit.code == *w);
                    if found && self.kind.as_ref().is_none_or(|kind| *kind == unit.kind) {
                        rows.push((
                            json!({"unit": unit.unit, "code": unit.code, "name": unit.name,
                                   "kind": unit.kind, "parent": unit.parent}),
                            format!("{:<24} {:<12} {}", unit.code, unit.kind, unit.name),
                        ));
                    }
                }
            }
            What::Templates => {
                for template in catalogue.templates() {
                    let form = dongbo::lookup::template(catalogue, &template.id)?;
                    rows.push((
                        json!({"id": template.id, "version": template.version,
                               "title": form.title(), "rows": form.rows().len()}),
                        format!("{} v{}  {}", template.id, template.version, form.title()),
                    ));
                }
            }
            What::Duties => {
                for duty in catalogue.duties() {
                    rows.push((
                        json!({"template": duty.template, "unit_kind": duty.unit_kind,
                               "period": duty.period, "due": duty.due}),
                        format!(
                            "{}  {}  {}  ≤ {}",
                            duty.template, duty.unit_kind, duty.period, duty.due
                        ),
                    ));
                }
            }
            What::Documents => {
                let subjects = tablet.device().subjects();
                let subjects = subjects.map_err(dongbo::TabletError::from)?;
                for (id, subject) in subjects {
                    let draft = tablet
                        .device()
                        .draft(id)
                        .map_or(0, |draft| draft.edits.len());
                    rows.push((
                        json!({"document": id, "template": subject.template, "unit": subject.unit,
                               "unit_name": unit_name(catalogue, subject.unit),
                               "period": subject.period, "draft_edits": draft}),
                        format!(
                            "{}  {}  {}{}",
                            subject.template,
                            subject.period,
                            unit_name(catalogue, subject.unit),
                            if draft > 0 {
                                format!("  (+{draft})")
                            } else {
                                String::new()
                            }
                        ),
                    ));
                }
            }
            What::People => {
                for person in catalogue.people() {
                    rows.push((
                        json!({"person": person.person, "name": person.sign_in_name,
                               "display": person.display_name}),
                        format!("{:<28} {}", person.sign_in_name, person.display_name),
                    ));
                }
            }
        }
        let (values, lines): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let mut said = Said::new(json!({ "items": values }));
        for line in lines {
            said = said.plain(line);
        }
        Ok(said)
    }
}

//! `dongbo list`: what the catalogue and the device hold.

use clap::{Args, ValueEnum};
use dongbo::Tablet;
use dongbo::lookup::unit_name;
use dongbo::trouble::Trouble;
use serde_json::{Value, json};
use sync_core::catalogue::{
    Among, Catalogue, Duty, DutyException, Person, TemplateVersion, Terms, UnitRecord,
};
use sync_core::document::{Subject, SubjectKind};
use sync_core::identity::DocumentId;
use sync_core::org_unit::search_key;

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

/// A line for machines and the same for people.
type Row = (Value, String);

impl List {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let tablet = context.tablet()?;
        let catalogue = tablet.device().catalogue();
        let rows = match self.what {
            What::Units => self.units(catalogue)?,
            What::Templates => templates(catalogue)?,
            What::Duties => duties(catalogue),
            What::Documents => documents(&tablet)?,
            What::People => catalogue.people().map(person).collect(),
        };
        let (values, lines): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let mut said = Said::new(json!({ "items": values }));
        for line in lines {
            said = said.plain(line);
        }
        Ok(said)
    }

    fn units(&self, catalogue: &Catalogue) -> Result<Vec<Row>, Trouble> {
        let today = sync_core::date::Date::of_timestamp(dongbo::now_s());
        let tree = dongbo::lookup::tree_on(catalogue, today)?;
        let wanted = self.search.as_deref().map(search_key);
        let is_wanted = |unit: &&UnitRecord| {
            let of_kind = self.kind.as_ref().is_none_or(|kind| *kind == unit.kind);
            let named =
                |wanted: &String| search_key(&unit.name).contains(wanted) || unit.code == *wanted;
            of_kind && wanted.as_ref().is_none_or(named)
        };
        let row = |unit: &UnitRecord| {
            (
                json!({"unit": unit.unit, "code": unit.code, "name": unit.name,
                       "kind": unit.kind, "parent": unit.parent}),
                format!("{:<24} {:<12} {}", unit.code, unit.kind, unit.name),
            )
        };
        Ok(tree.units().filter(is_wanted).map(row).collect())
    }
}

fn templates(catalogue: &Catalogue) -> Result<Vec<Row>, Trouble> {
    let row = |template: &TemplateVersion| {
        let form = dongbo::lookup::template(catalogue, &template.id)?;
        Ok((
            json!({"id": template.id, "version": template.version,
                   "title": form.title(), "rows": form.rows().len()}),
            format!("{} v{}  {}", template.id, template.version, form.title()),
        ))
    };
    catalogue.templates().map(row).collect()
}

/// Duties, each followed by the units that owe otherwise.
fn duties(catalogue: &Catalogue) -> Vec<Row> {
    let of = |duty: &Duty| {
        let exceptions = catalogue
            .exceptions(duty.duty)
            .map(|exception| (catalogue, exception));
        let rows: Vec<Row> = std::iter::once(self::duty(duty))
            .chain(exceptions.map(exception))
            .collect();
        rows
    };
    catalogue.duties().flat_map(of).collect()
}

fn duty(duty: &Duty) -> Row {
    let among = match &duty.among {
        Among::All => String::new(),
        Among::Group(grouping, group) => format!(" {grouping}={group}"),
        Among::Within(unit) => format!(" ∈ {unit}"),
    };
    let rule = match duty.rule.as_str() {
        "" => String::new(),
        rule => format!(" ({rule})"),
    };
    (
        json!({"duty": duty.duty, "template": duty.template, "unit_kind": duty.unit_kind,
               "among": among.trim(), "period": duty.period, "rule": duty.rule, "due": duty.due}),
        format!(
            "{}  {}  {}{among}  {}  ≤ {}{rule}",
            duty.duty, duty.template, duty.unit_kind, duty.period, duty.due
        ),
    )
}

fn exception((catalogue, exception): (&Catalogue, &DutyException)) -> Row {
    let (terms, until) = match &exception.terms {
        Terms::AsOthers => ("as_others", ""),
        Terms::Extended(day) => ("extended", day.as_str()),
        Terms::Exempt => ("exempt", ""),
    };
    let name = unit_name(catalogue, exception.unit);
    (
        json!({"duty": exception.duty, "unit": exception.unit, "unit_name": name,
               "terms": terms, "due": until, "reason": exception.reason}),
        format!("  {name}  {terms} {until}  {}", exception.reason),
    )
}

fn documents(tablet: &Tablet) -> Result<Vec<Row>, Trouble> {
    let device = tablet.device();
    let subjects = device.subjects().map_err(dongbo::TabletError::from)?;
    let row = |(id, subject): (DocumentId, Subject)| {
        let edits = device.draft(id).map_or(0, |draft| draft.edits.len());
        let name = unit_name(device.catalogue(), subject.unit);
        let mark = match edits {
            0 => String::new(),
            edits => format!("  (+{edits})"),
        };
        let line = format!("{}  {}  {name}{mark}", subject.template, subject.period);
        let value = json!({
            "document": id, "template": subject.template, "unit": subject.unit,
            "unit_name": name, "period": subject.period, "draft_edits": edits,
            "local_rows": subject.kind == SubjectKind::LocalRows,
        });
        (value, line)
    };
    Ok(subjects.into_iter().map(row).collect())
}

fn person(person: &Person) -> Row {
    (
        json!({"person": person.person, "name": person.sign_in_name,
               "display": person.display_name}),
        format!("{:<28} {}", person.sign_in_name, person.display_name),
    )
}

//! `dongbo row`: rows that a unit adds to a form for itself and the units below it; the form's own rows are locked.

use clap::{Args, Subcommand, ValueEnum};
use dongbo::trouble::{Exit, Trouble};
use dongbo::{Tablet, local_rows, lookup, now_s, sealed_key};
use serde_json::json;
use sync_core::access;
use sync_core::document::Subject;
use sync_core::form::local::{self, LocalRowId, LocalRows, RowChange, RowDraft, RowPlace};
use sync_core::form::{Choice, Kind, Template};
use sync_core::identity::UnitId;

use super::{Context, Outcome, Said};

#[derive(Debug, Subcommand)]
pub(super) enum Row {
    /// Add a row: saved on the device, sent by `sync`
    Add(Add),
    /// Rename, move, retire a row, or use it again
    Change(Change),
    /// The rows that a unit added, those retired as well
    List(Of),
}

#[derive(Debug, Args)]
pub(super) struct Of {
    /// Template id
    #[arg(long)]
    template: String,
    /// The unit that adds it: code, id or a part of its name; its rows are in its reports and in those below it
    #[arg(long)]
    unit: String,
}

#[derive(Debug, Args)]
pub(super) struct Add {
    #[command(flatten)]
    of: Of,
    /// What it is called
    #[arg(long)]
    label: String,
    /// The same in English
    #[arg(long, default_value = "")]
    label_en: String,
    /// The unit of measure
    #[arg(long, default_value = "")]
    measure: String,
    /// What its cells hold
    #[arg(long, value_enum, default_value = "integer")]
    kind: Held,
    /// An entry of its code list, `1 = Có`; as often as there are entries
    #[arg(long, value_parser = choice)]
    choice: Vec<(i64, String)>,
    /// Where it stands: the code of a row of the form, or the id of a section for its end
    #[arg(long)]
    at: String,
    /// What helps whoever fills it
    #[arg(long, default_value = "")]
    help_text: String,
}

#[derive(Debug, Args)]
pub(super) struct Change {
    #[command(flatten)]
    of: Of,
    /// Its code, as `row list` tells it
    #[arg(long)]
    row: String,
    /// What it is called from now on
    #[arg(long)]
    label: Option<String>,
    /// The unit of measure
    #[arg(long)]
    measure: Option<String>,
    /// Where it stands from now on
    #[arg(long)]
    at: Option<String>,
    /// What helps whoever fills it
    #[arg(long)]
    help_text: Option<String>,
    /// Reports show it no more; what was typed is kept
    #[arg(long, conflicts_with = "again")]
    retire: bool,
    /// Use it again
    #[arg(long)]
    again: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Held {
    Integer,
    Decimal,
    Percent,
    MoneyMillionVnd,
    Choice,
    Text,
}

impl Held {
    fn kind(self) -> Kind {
        match self {
            Self::Integer => Kind::Integer,
            Self::Decimal => Kind::Decimal,
            Self::Percent => Kind::Percent,
            Self::MoneyMillionVnd => Kind::MoneyMillionVnd,
            Self::Choice => Kind::Choice,
            Self::Text => Kind::Text,
        }
    }
}

fn choice(text: &str) -> Result<(i64, String), String> {
    let parts = text.split_once('=');
    let (value, label) = parts.ok_or_else(|| "a choice is written `1 = label`".to_owned())?;
    let value = value
        .trim()
        .parse()
        .map_err(|_| format!("{value} is no whole number"))?;
    Ok((value, label.trim().to_owned()))
}

impl Row {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let mut tablet = context.tablet()?;
        match self {
            Self::Add(asked) => add(&mut tablet, asked),
            Self::Change(asked) => change(&mut tablet, asked),
            Self::List(of) => list(&mut tablet, &of),
        }
    }
}

/// The form as it was published, the unit, and what it added.
fn looked_up(tablet: &mut Tablet, of: &Of) -> Result<(Template, UnitId, LocalRows), Trouble> {
    let catalogue = tablet.device().catalogue();
    let template = lookup::template(catalogue, &of.template)?;
    let unit = lookup::unit(catalogue, &of.unit)?;
    let rows = local_rows::rows_of(tablet, &of.template, unit)?;
    Ok((template, unit, rows))
}

/// Refuses here what every node would hold.
fn check_right(tablet: &Tablet, unit: UnitId) -> Result<(), Trouble> {
    let catalogue = tablet.device().catalogue();
    let person = catalogue.key(tablet.card().key_id).map(|key| key.person);
    match person.is_some_and(|person| access::adds_rows(catalogue, person, unit, now_s())) {
        true => Ok(()),
        false => Err(Trouble::new("rows-not-allowed", Exit::Refused)
            .with("unit", lookup::unit_name(catalogue, unit))),
    }
}

fn place(template: &Template, at: &str) -> RowPlace {
    let row = template.row_index(at);
    let holds = |section: &&sync_core::form::Section| {
        let rows = section.first_row..section.first_row + section.row_count;
        row.is_some_and(|row| rows.contains(&row))
    };
    match template.sections().iter().find(holds) {
        Some(section) => RowPlace {
            section: section.id.clone(),
            under: Some(at.to_owned()),
        },
        None => RowPlace {
            section: at.to_owned(),
            under: None,
        },
    }
}

fn add(tablet: &mut Tablet, asked: Add) -> Outcome {
    let (template, unit, rows) = looked_up(tablet, &asked.of)?;
    check_right(tablet, unit)?;
    let now = now_s();
    let id = LocalRowId::new(now, sealed_key::random()?);
    let one = |(value, label)| Choice { value, label };
    let draft = RowDraft {
        label: asked.label,
        label_en: asked.label_en,
        unit: asked.measure,
        kind: asked.kind.kind(),
        choices: asked.choice.into_iter().map(one).collect(),
        place: place(&template, &asked.at),
        help: asked.help_text,
    };
    let edits = local::add(&template, &rows, id, &draft, now)?;
    tablet.edit(&Subject::local_rows(&asked.of.template, unit), &edits)?;
    let name = lookup::unit_name(tablet.device().catalogue(), unit);
    let code = local::code(unit, id);
    let value = json!({"row": code, "unit": unit, "saved": true});
    Ok(Said::new(value).say(
        "cli-row-added",
        &[("label", draft.label), ("unit", name), ("row", code)],
    ))
}

fn change(tablet: &mut Tablet, asked: Change) -> Outcome {
    let (template, unit, rows) = looked_up(tablet, &asked.of)?;
    check_right(tablet, unit)?;
    let retired = match (asked.retire, asked.again) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    };
    let change = RowChange {
        label: asked.label,
        unit: asked.measure,
        place: asked.at.map(|at| place(&template, &at)),
        help: asked.help_text,
        retired,
        label_en: None,
    };
    let edits = local::change(&template, &rows, &asked.row, &change, now_s())?;
    if !edits.is_empty() {
        tablet.edit(&Subject::local_rows(&asked.of.template, unit), &edits)?;
    }
    let value = json!({"row": asked.row, "unit": unit, "saved": true});
    Ok(Said::new(value).say("cli-row-changed", &[("row", asked.row)]))
}

fn list(tablet: &mut Tablet, of: &Of) -> Outcome {
    let (_, unit, rows) = looked_up(tablet, of)?;
    let value = |row: &local::LocalRow| {
        let choices = row.choices.iter();
        let choices = choices.map(|one| json!({"value": one.value, "label": one.label}));
        json!({
            "row": local::code(unit, row.id), "label": row.label, "label_en": row.label_en,
            "measure": row.unit, "kind": row.kind.name(), "choices": choices.collect::<Vec<_>>(),
            "section": row.place.section, "under": row.place.under, "help": row.help,
            "retired": row.retired,
            "contested": row.contested.iter().map(|field| field.name()).collect::<Vec<_>>(),
        })
    };
    let values: Vec<_> = rows.rows.iter().map(value).collect();
    let mut said = Said::new(json!({"unit": unit, "rows": values}));
    for row in &rows.rows {
        let under = row.place.under.as_deref().unwrap_or(&row.place.section);
        let mark = if row.retired { "✗" } else { " " };
        said = said.plain(format!(
            "{mark} {}  {}  {} ({})  ↳ {under}",
            local::code(unit, row.id),
            row.kind.name(),
            row.label,
            row.unit
        ));
    }
    Ok(said)
}

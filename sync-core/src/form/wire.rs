//! The canonical JSON of a template: wire types in their fixed key order, converted by hand.

use super::validate::Parts;
use super::{Choice, Indicator, Kind, OutlinePart, Section, Template, TemplateError};
use crate::period::PeriodKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The schema this version reads and writes.
const SCHEMA: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireTemplate {
    schema: u32,
    id: String,
    version: u32,
    title: String,
    period: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    respondent: Option<String>,
    sections: Vec<WireSection>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    outline: Vec<WireOutlinePart>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSection {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    printed: Option<String>,
    title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    form_label: Option<String>,
    indicators: Vec<WireIndicator>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireIndicator {
    code: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    stt: String,
    label: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    unit: String,
    kind: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    choices: Vec<WireChoice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    cumulative: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    formula: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    computed_only: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireOutlinePart {
    id: String,
    title: String,
    #[serde(default = "first_level", skip_serializing_if = "is_first_level")]
    level: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

fn first_level() -> u8 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the shape that the serializer calls"
)]
fn is_first_level(level: &u8) -> bool {
    *level == 1
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireChoice {
    value: i64,
    label: String,
}

pub(super) fn write(template: &Template) -> Vec<u8> {
    let section = |section: &Section| WireSection {
        id: section.id.clone(),
        printed: section.printed.clone(),
        title: section.title.clone(),
        owner: section.owner.clone(),
        form_label: section.form_label.clone(),
        indicators: template.rows_of(section).iter().map(write_row).collect(),
        annotations: section.annotations.clone(),
    };
    let part = |part: &OutlinePart| WireOutlinePart {
        id: part.id.clone(),
        title: part.title.clone(),
        level: part.level,
        help: part.help.clone(),
    };
    let wire = WireTemplate {
        schema: SCHEMA,
        id: template.id.clone(),
        version: template.version,
        title: template.title.clone(),
        period: template.period.name().to_owned(),
        respondent: template.respondent.clone(),
        sections: template.sections.iter().map(section).collect(),
        outline: template.outline.iter().map(part).collect(),
        annotations: template.annotations.clone(),
    };
    // Strings, integers and maps with text keys: writing them to memory has no way to fail.
    serde_json::to_vec(&wire).unwrap_or_default()
}

fn write_row(row: &Indicator) -> WireIndicator {
    let choice = |choice: &Choice| WireChoice {
        value: choice.value,
        label: choice.label.clone(),
    };
    WireIndicator {
        code: row.code.clone(),
        stt: row.stt.clone(),
        label: row.label.clone(),
        unit: row.unit.clone(),
        kind: row.kind.name().to_owned(),
        choices: row.choices.iter().map(choice).collect(),
        parent: row.parent.clone(),
        cumulative: row.cumulative,
        formula: row.formula.as_ref().map(ToString::to_string),
        computed_only: row.computed_only,
        note: row.note.clone(),
        annotations: row.annotations.clone(),
    }
}

pub(super) fn read(bytes: &[u8]) -> Result<Template, TemplateError> {
    if bytes.len() > crate::limits::CATALOGUE_RECORD_BYTES_MAX {
        return Err(TemplateError::Limit {
            what: "length",
            place: "template".to_owned(),
        });
    }
    let wire: WireTemplate = serde_json::from_slice(bytes).map_err(|error| json_error(&error))?;
    if wire.schema != SCHEMA {
        return Err(TemplateError::Schema(wire.schema));
    }
    let period = PeriodKind::from_name(&wire.period)
        .ok_or_else(|| TemplateError::UnknownPeriod(wire.period.clone()))?;
    let mut rows = Vec::new();
    let mut sections = Vec::with_capacity(wire.sections.len());
    for section in wire.sections {
        let first_row = rows.len();
        for indicator in section.indicators {
            rows.push(read_row(indicator)?);
        }
        sections.push(Section {
            id: section.id,
            printed: section.printed,
            title: section.title,
            owner: section.owner,
            form_label: section.form_label,
            annotations: section.annotations,
            first_row,
            row_count: rows.len() - first_row,
        });
    }
    let part = |part: WireOutlinePart| OutlinePart {
        id: part.id,
        title: part.title,
        level: part.level,
        help: part.help,
    };
    let template = Template::from_parts(Parts {
        id: wire.id,
        version: wire.version,
        title: wire.title,
        period,
        respondent: wire.respondent,
        sections,
        outline: wire.outline.into_iter().map(part).collect(),
        rows,
        annotations: wire.annotations,
        local: BTreeMap::new(),
    })?;
    if write(&template) != bytes {
        return Err(TemplateError::NotCanonical);
    }
    Ok(template)
}

pub(super) fn json_error(error: &serde_json::Error) -> TemplateError {
    TemplateError::Json {
        line: error.line(),
        column: error.column(),
        message: error.to_string(),
    }
}

fn read_row(wire: WireIndicator) -> Result<Indicator, TemplateError> {
    let kind = Kind::from_name(&wire.kind).ok_or_else(|| TemplateError::UnknownKind {
        code: wire.code.clone(),
        kind: wire.kind.clone(),
    })?;
    let formula = wire.formula.map(|text| text.parse()).transpose();
    let formula = formula.map_err(|error| TemplateError::Formula {
        code: wire.code.clone(),
        error,
    })?;
    let choice = |choice: WireChoice| Choice {
        value: choice.value,
        label: choice.label,
    };
    Ok(Indicator {
        code: wire.code,
        stt: wire.stt,
        label: wire.label,
        unit: wire.unit,
        kind,
        choices: wire.choices.into_iter().map(choice).collect(),
        parent: wire.parent,
        cumulative: wire.cumulative,
        formula,
        computed_only: wire.computed_only,
        note: wire.note,
        annotations: wire.annotations,
    })
}

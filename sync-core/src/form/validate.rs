//! What makes rows a template: unique codes, known parents and references, no circles, limits.

use super::formula::{Formula, FormulaError};
use super::{Aggregation, Choice, Indicator, Kind, OutlinePart, Section, Template, local, outline};
use crate::document::margin::WORDS_MARK;
use crate::limits;
use crate::period::PeriodKind;
use std::collections::{BTreeMap, BTreeSet};

/// Why a text or a set of rows is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Not JSON, or not of this schema.
    #[error("template is not of its schema, line {line}, column {column}: {message}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What the JSON reader says.
        message: String,
    },
    /// A schema number other than 1.
    #[error("template has schema {0}, this version reads schema 1")]
    Schema(u32),
    /// Readable, but not byte for byte what is written for it.
    #[error("template is not in its canonical form")]
    NotCanonical,
    /// A name outside its alphabet or length.
    #[error("{what} `{name}` is not allowed")]
    Name {
        /// `template id`, `section id` or `code`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A version of zero.
    #[error("template version must be from 1")]
    Version,
    /// Something is over its limit.
    #[error("{what} of `{place}` is over its limit")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// A code, a section id or the template id.
        place: String,
    },
    /// Two sections with one id.
    #[error("section id `{0}` is used twice")]
    DuplicateSection(String),
    /// Two parts of the outline with one id.
    #[error("part `{0}` stands twice in the outline")]
    DuplicateOutlinePart(String),
    /// Two rows with one code.
    #[error("code `{0}` is used twice")]
    DuplicateCode(String),
    /// A kind that is not defined.
    #[error("row `{code}` has an unknown kind `{kind}`")]
    UnknownKind {
        /// The row.
        code: String,
        /// The kind it names.
        kind: String,
    },
    /// A kind of period that is not defined.
    #[error("unknown kind of period `{0}`")]
    UnknownPeriod(String),
    /// A parent that is no row.
    #[error("row `{code}` has an unknown parent `{parent}`")]
    UnknownParent {
        /// The row.
        code: String,
        /// The parent it names.
        parent: String,
    },
    /// A row that is a part of itself.
    #[error("row `{0}` is a part of itself")]
    ParentCircle(String),
    /// A formula that cannot be read.
    #[error("formula of row `{code}`: {error}")]
    Formula {
        /// The row.
        code: String,
        /// What is wrong.
        error: FormulaError,
    },
    /// A formula that refers to no row.
    #[error("formula of row `{code}` refers to `{reference}`, which is no row")]
    UnknownReference {
        /// The row.
        code: String,
        /// What it refers to.
        reference: String,
    },
    /// A formula that refers to words or choices.
    #[error("formula of row `{code}` refers to `{reference}`, which holds no amounts")]
    NotNumericReference {
        /// The row.
        code: String,
        /// What it refers to.
        reference: String,
    },
    /// A formula that depends on itself.
    #[error("formula of row `{0}` depends on itself")]
    CircularFormula(String),
    /// A formula on a row of choices or words.
    #[error("row `{0}` holds no amounts and cannot have a formula")]
    FormulaNotAllowed(String),
    /// Choices without a choice row, or the reverse.
    #[error("row `{0}` has choices without being a choice, or is one without choices")]
    Choices(String),
    /// Two choices with one value.
    #[error("row `{code}` has two choices of value {value}")]
    DuplicateChoice {
        /// The row.
        code: String,
        /// The value.
        value: i64,
    },
    /// Computed only, without a formula to compute it.
    #[error("row `{0}` is computed only and has no formula")]
    ComputedWithoutFormula(String),
}

/// What a template is made of before anything was checked.
pub(super) struct Parts {
    pub(super) id: String,
    pub(super) version: u32,
    pub(super) title: String,
    pub(super) period: PeriodKind,
    pub(super) respondent: Option<String>,
    pub(super) sections: Vec<Section>,
    pub(super) outline: Vec<OutlinePart>,
    pub(super) rows: Vec<Indicator>,
    pub(super) annotations: BTreeMap<String, String>,
    /// The rows that units added, by code: they alone have codes of their kind.
    pub(super) local: BTreeMap<String, local::Standing>,
}

impl Template {
    pub(super) fn from_parts(parts: Parts) -> Result<Self, TemplateError> {
        let alphabet = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        check_name("template id", &parts.id, alphabet)?;
        if parts.version == 0 {
            return Err(TemplateError::Version);
        }
        check_texts(&parts.id, [Some(&parts.title), parts.respondent.as_ref()])?;
        check_annotations(&parts.id, &parts.annotations)?;
        check_sections(&parts.id, &parts.sections)?;
        outline::check(&parts.id, &parts.outline)?;
        let by_code = index_codes(&parts.id, &parts.rows, &parts.local)?;
        for row in &parts.rows {
            check_row(row)?;
        }
        check_parents(&parts.rows, &by_code)?;
        let formulas = resolve_formulas(&parts.rows, &by_code)?;
        let evaluation_order = order_formulas(&parts.rows, &formulas)?;
        let aggregations = aggregations(&parts.rows, &formulas, &evaluation_order);
        Ok(Self {
            id: parts.id,
            version: parts.version,
            title: parts.title,
            period: parts.period,
            respondent: parts.respondent,
            sections: parts.sections,
            outline: parts.outline,
            annotations: parts.annotations,
            rows: parts.rows,
            by_code,
            formulas,
            evaluation_order,
            aggregations,
            local: parts.local,
        })
    }
}

pub(super) fn check_name(
    what: &'static str,
    name: &str,
    allowed: impl Fn(char) -> bool,
) -> Result<(), TemplateError> {
    if name.is_empty() || name.len() > limits::CODE_BYTES_MAX || !name.chars().all(allowed) {
        return Err(TemplateError::Name {
            what,
            name: name.to_owned(),
        });
    }
    Ok(())
}

pub(super) fn check_texts<'a>(
    place: &str,
    texts: impl IntoIterator<Item = Option<&'a String>>,
) -> Result<(), TemplateError> {
    let too_long = |text: &&String| text.len() > limits::TEMPLATE_TEXT_BYTES_MAX;
    match texts.into_iter().flatten().find(too_long) {
        None => Ok(()),
        Some(_) => Err(over_limit("text", place)),
    }
}

pub(super) fn over_limit(what: &'static str, place: &str) -> TemplateError {
    TemplateError::Limit {
        what,
        place: place.to_owned(),
    }
}

fn check_annotations(
    place: &str,
    annotations: &BTreeMap<String, String>,
) -> Result<(), TemplateError> {
    if annotations.len() > limits::TEMPLATE_CHOICES_MAX {
        return Err(over_limit("number of annotations", place));
    }
    for (name, text) in annotations {
        if name.is_empty() || name.len() > limits::CODE_BYTES_MAX {
            return Err(over_limit("name of an annotation", place));
        }
        check_texts(place, [Some(text)])?;
    }
    Ok(())
}

fn check_sections(template: &str, sections: &[Section]) -> Result<(), TemplateError> {
    if sections.len() > limits::TEMPLATE_SECTIONS_MAX {
        return Err(over_limit("number of sections", template));
    }
    let mut seen = BTreeSet::new();
    for section in sections {
        let alphabet =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        check_name("section id", &section.id, alphabet)?;
        if !seen.insert(&section.id) {
            return Err(TemplateError::DuplicateSection(section.id.clone()));
        }
        let texts = [
            section.printed.as_ref(),
            Some(&section.title),
            section.owner.as_ref(),
            section.form_label.as_ref(),
        ];
        check_texts(&section.id, texts)?;
        check_annotations(&section.id, &section.annotations)?;
    }
    Ok(())
}

fn index_codes(
    template: &str,
    rows: &[Indicator],
    local: &BTreeMap<String, local::Standing>,
) -> Result<BTreeMap<String, usize>, TemplateError> {
    if rows.len().saturating_sub(local.len()) > limits::TEMPLATE_ROWS_MAX {
        return Err(over_limit("number of rows", template));
    }
    let mut by_code = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        check_name("code", &row.code, |c| !c.is_control())?;
        let is_local = local::is_code(&row.code);
        if row.code.starts_with(WORDS_MARK) || is_local != local.contains_key(&row.code) {
            return Err(TemplateError::Name {
                what: "code",
                name: row.code.clone(),
            });
        }
        if by_code.insert(row.code.clone(), index).is_some() {
            return Err(TemplateError::DuplicateCode(row.code.clone()));
        }
    }
    Ok(by_code)
}

fn check_row(row: &Indicator) -> Result<(), TemplateError> {
    let texts = [
        Some(&row.stt),
        Some(&row.label),
        Some(&row.unit),
        row.note.as_ref(),
    ];
    check_texts(&row.code, texts)?;
    check_annotations(&row.code, &row.annotations)?;
    check_choices(&row.code, row.kind, &row.choices)?;
    if row.computed_only && row.formula.is_none() {
        return Err(TemplateError::ComputedWithoutFormula(row.code.clone()));
    }
    if row.formula.is_some() && !row.kind.is_numeric() {
        return Err(TemplateError::FormulaNotAllowed(row.code.clone()));
    }
    Ok(())
}

/// What is asked of the code list of any row, one that a unit adds as well.
pub(super) fn check_choices(
    code: &str,
    kind: Kind,
    choices: &[Choice],
) -> Result<(), TemplateError> {
    if (kind == Kind::Choice) == choices.is_empty() {
        return Err(TemplateError::Choices(code.to_owned()));
    }
    if choices.len() > limits::TEMPLATE_CHOICES_MAX {
        return Err(over_limit("number of choices", code));
    }
    let mut seen = BTreeSet::new();
    for choice in choices {
        check_texts(code, [Some(&choice.label)])?;
        if !seen.insert(choice.value) {
            return Err(TemplateError::DuplicateChoice {
                code: code.to_owned(),
                value: choice.value,
            });
        }
    }
    Ok(())
}

fn check_parents(
    rows: &[Indicator],
    by_code: &BTreeMap<String, usize>,
) -> Result<(), TemplateError> {
    let parent_of = |row: &Indicator| -> Result<Option<usize>, TemplateError> {
        let Some(parent) = &row.parent else {
            return Ok(None);
        };
        let found = by_code.get(parent).copied().map(Some);
        found.ok_or_else(|| TemplateError::UnknownParent {
            code: row.code.clone(),
            parent: parent.clone(),
        })
    };
    for row in rows {
        let mut above = parent_of(row)?;
        // A path longer than there are rows has come round.
        for _ in 0..rows.len() {
            let Some(next) = above.and_then(|index| rows.get(index)) else {
                break;
            };
            above = parent_of(next)?;
        }
        if above.is_some() {
            return Err(TemplateError::ParentCircle(row.code.clone()));
        }
    }
    Ok(())
}

fn resolve_formulas(
    rows: &[Indicator],
    by_code: &BTreeMap<String, usize>,
) -> Result<Vec<Option<Formula<usize>>>, TemplateError> {
    let resolve = |row: &Indicator| -> Result<Option<Formula<usize>>, TemplateError> {
        let Some(formula) = &row.formula else {
            return Ok(None);
        };
        let mut look_up = |reference: &String| {
            let index = by_code.get(reference).copied();
            let index = index.ok_or_else(|| TemplateError::UnknownReference {
                code: row.code.clone(),
                reference: reference.clone(),
            })?;
            match rows.get(index) {
                Some(found) if found.kind.is_numeric() => Ok(index),
                Some(_) | None => Err(TemplateError::NotNumericReference {
                    code: row.code.clone(),
                    reference: reference.clone(),
                }),
            }
        };
        formula.resolved(&mut look_up).map(Some)
    };
    rows.iter().map(resolve).collect()
}

/// Rows with a formula, each after those it refers to; rows that never come up are in a circle.
fn order_formulas(
    rows: &[Indicator],
    formulas: &[Option<Formula<usize>>],
) -> Result<Vec<usize>, TemplateError> {
    let mut waiting: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let mut dependants: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (row, formula) in formulas.iter().enumerate() {
        let Some(formula) = formula else { continue };
        let with_formula = |input: &&usize| formulas.get(**input).is_some_and(Option::is_some);
        let references = formula.references();
        let inputs: BTreeSet<usize> = references
            .into_iter()
            .filter(with_formula)
            .copied()
            .collect();
        for input in &inputs {
            dependants.entry(*input).or_default().push(row);
        }
        waiting.insert(row, inputs);
    }
    let mut ready: BTreeSet<usize> = waiting
        .iter()
        .filter(|(_, inputs)| inputs.is_empty())
        .map(|(row, _)| *row)
        .collect();
    let mut order = Vec::with_capacity(waiting.len());
    while let Some(row) = ready.pop_first() {
        waiting.remove(&row);
        order.push(row);
        for dependant in dependants.get(&row).into_iter().flatten() {
            if let Some(inputs) = waiting.get_mut(dependant) {
                inputs.remove(&row);
                if inputs.is_empty() {
                    ready.insert(*dependant);
                }
            }
        }
    }
    match waiting.keys().next().and_then(|row| rows.get(*row)) {
        None => Ok(order),
        Some(row) => Err(TemplateError::CircularFormula(row.code.clone())),
    }
}

/// How each row goes up the tree. A formula that only adds rows which themselves add up is a sum;
/// any other one must be computed again from what was rolled up.
fn aggregations(
    rows: &[Indicator],
    formulas: &[Option<Formula<usize>>],
    evaluation_order: &[usize],
) -> Vec<Aggregation> {
    let plain = |row: &Indicator| match row.kind {
        Kind::Choice => Aggregation::Choices,
        Kind::Text => Aggregation::Texts,
        Kind::Percent => Aggregation::Spread,
        Kind::Integer | Kind::Decimal | Kind::MoneyMillionVnd | Kind::Heading => Aggregation::Sum,
    };
    let mut found: Vec<Aggregation> = rows.iter().map(plain).collect();
    for row in evaluation_order {
        let Some(formula) = formulas.get(*row).and_then(Option::as_ref) else {
            continue;
        };
        let sums = |input: &usize| found.get(*input) == Some(&Aggregation::Sum);
        let adds_up = formula.is_additive() && formula.references().into_iter().all(sums);
        if let Some(own) = found.get_mut(*row)
            && !(adds_up && *own == Aggregation::Sum)
        {
            *own = Aggregation::Recomputed;
        }
    }
    found
}

//! Reading files of org units into a neutral list, parents before children.
//!
//! Two shapes of JSON are read: a province with a flat list of units, each perhaps in an area that
//! is there for adding up only; and a tree of named units. A table of codes is read too.

use super::search_key::code_from_name;
use crate::date::Date;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// A unit as a file names it, before it has an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedUnit {
    /// Unique in the file.
    pub code: String,
    /// Name as published.
    pub name: String,
    /// Code of the unit above, listed before this one.
    pub parent_code: Option<String>,
    /// Kind: `province`, `area`, `commune`, `department`, …
    pub kind: String,
    /// First day it exists.
    pub valid_from: Date,
    /// Further groupings: (grouping, group).
    pub groups: Vec<(String, String)>,
}

/// The kind of a unit that exists for adding up only.
pub const AREA_KIND: &str = "area";

/// The grouping that tells wards from rural communes and the like.
pub const SUBTYPE_GROUPING: &str = "subtype";

/// The grouping of groups that plans name: "Các sở, ban, ngành".
pub const NAMED_GROUPING: &str = "named";

/// Why a file of units could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitImportError {
    /// Not JSON, or not of a known shape.
    #[error("units file, line {line}, column {column}: {message}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What the JSON reader says.
        message: String,
    },
    /// A day that is not written yyyy-mm-dd.
    #[error("units file: {place} is not a day written yyyy-mm-dd")]
    Day {
        /// Where in the file.
        place: String,
    },
    /// A code or name that is empty or too long.
    #[error("units file: {place} is empty or too long")]
    Name {
        /// Where in the file.
        place: String,
    },
    /// Two units with one code, or two areas whose names fold to one code.
    #[error("units file: {place} repeats the code `{code}`")]
    Duplicate {
        /// Where in the file.
        place: String,
        /// The code.
        code: String,
    },
    /// A parent code that no earlier unit has.
    #[error("units file: {place} is under `{parent}`, which no unit before it has as its code")]
    UnknownParent {
        /// Where in the file.
        place: String,
        /// The code of the parent.
        parent: String,
    },
    /// A line of a table without its four columns.
    #[error("units file: {place} does not have the columns code, name, kind, parent code")]
    Columns {
        /// Where in the file.
        place: String,
    },
    /// A tree with too many tiers.
    #[error("units file: {place} is too deep")]
    TooDeep {
        /// Where in the file.
        place: String,
    },
}

#[derive(Deserialize)]
struct FlatFile {
    province: FlatProvince,
    units: Vec<FlatUnit>,
}

#[derive(Deserialize)]
struct FlatProvince {
    code: String,
    name_vi: String,
    kind: String,
    valid_from: String,
}

#[derive(Deserialize)]
struct FlatUnit {
    code: String,
    name_vi: String,
    kind: String,
    subtype: Option<String>,
    area_vi: Option<String>,
    valid_from: Option<String>,
}

#[derive(Deserialize)]
struct TreeFile {
    as_of: String,
    tree: TreeUnit,
    #[serde(default)]
    groups: Vec<NamedGroup>,
}

#[derive(Deserialize)]
struct TreeUnit {
    id: String,
    name_vi: String,
    kind: String,
    #[serde(default)]
    subkind_vi: Option<String>,
    #[serde(default)]
    children: Vec<TreeUnit>,
}

#[derive(Deserialize)]
struct NamedGroup {
    name_vi: String,
    #[serde(default)]
    members: Vec<String>,
}

fn json_error(error: &serde_json::Error) -> UnitImportError {
    UnitImportError::Json {
        line: error.line(),
        column: error.column(),
        message: error.to_string(),
    }
}

/// Units read so far, and what makes the next one wrong.
#[derive(Default)]
struct List {
    units: Vec<ImportedUnit>,
    codes: BTreeSet<String>,
}

impl List {
    fn push(&mut self, place: &str, unit: ImportedUnit) -> Result<(), UnitImportError> {
        let max = crate::limits::NAME_BYTES_MAX;
        let wrong = |text: &str| text.trim().is_empty() || text.len() > max;
        if wrong(&unit.code) || wrong(&unit.name) || wrong(&unit.kind) {
            return Err(UnitImportError::Name {
                place: place.to_owned(),
            });
        }
        if let Some(parent) = &unit.parent_code
            && !self.codes.contains(parent)
        {
            return Err(UnitImportError::UnknownParent {
                place: place.to_owned(),
                parent: parent.clone(),
            });
        }
        if !self.codes.insert(unit.code.clone()) {
            return Err(UnitImportError::Duplicate {
                place: place.to_owned(),
                code: unit.code,
            });
        }
        self.units.push(unit);
        Ok(())
    }
}

fn day(text: &str, place: impl Fn() -> String) -> Result<Date, UnitImportError> {
    text.parse()
        .map_err(|_| UnitImportError::Day { place: place() })
}

/// Reads a province with its units: `{"province": …, "units": […]}`. The areas its units name stand
/// between the province and them; an area has the code its name folds to.
pub fn import_province(text: &str) -> Result<Vec<ImportedUnit>, UnitImportError> {
    let file: FlatFile = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let valid_from = day(&file.province.valid_from, || {
        "province.valid_from".to_owned()
    })?;
    let province_code = file.province.code;
    let mut list = List::default();
    let province = ImportedUnit {
        code: province_code.clone(),
        name: file.province.name_vi,
        parent_code: None,
        kind: file.province.kind,
        valid_from,
        groups: Vec::new(),
    };
    list.push("province", province)?;
    let mut areas: BTreeSet<String> = BTreeSet::new();
    for (index, unit) in file.units.into_iter().enumerate() {
        let place = format!("units[{index}]");
        let mut parent_code = province_code.clone();
        if let Some(name) = unit.area_vi {
            parent_code = code_from_name(&name);
            if areas.insert(name.clone()) {
                let area = ImportedUnit {
                    code: parent_code.clone(),
                    name,
                    parent_code: Some(province_code.clone()),
                    kind: AREA_KIND.to_owned(),
                    valid_from,
                    groups: Vec::new(),
                };
                list.push(&format!("{place}.area_vi"), area)?;
            }
        }
        let own_day = unit.valid_from.as_deref();
        let own_day = own_day.map(|text| day(text, || format!("{place}.valid_from")));
        let subtype = unit.subtype.into_iter();
        let imported = ImportedUnit {
            code: unit.code,
            name: unit.name_vi,
            parent_code: Some(parent_code),
            kind: unit.kind,
            valid_from: own_day.transpose()?.unwrap_or(valid_from),
            groups: subtype
                .map(|subtype| (SUBTYPE_GROUPING.to_owned(), subtype))
                .collect(),
        };
        list.push(&place, imported)?;
    }
    Ok(list.units)
}

/// Reads a tree of named units: `{"as_of": …, "tree": …, "groups": […]}`.
pub fn import_tree(text: &str) -> Result<Vec<ImportedUnit>, UnitImportError> {
    let file: TreeFile = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let valid_from = day(&file.as_of, || "as_of".to_owned())?;
    let mut groups_of: BTreeMap<&str, Vec<(String, String)>> = BTreeMap::new();
    for group in &file.groups {
        for member in &group.members {
            let named = (NAMED_GROUPING.to_owned(), group.name_vi.clone());
            groups_of.entry(member).or_default().push(named);
        }
    }
    let mut list = List::default();
    let mut stack = vec![("tree".to_owned(), None, 0, file.tree)];
    while let Some((place, parent_code, tier, unit)) = stack.pop() {
        if tier >= crate::limits::UNIT_TIERS_MAX {
            return Err(UnitImportError::TooDeep { place });
        }
        let mut groups = groups_of.remove(unit.id.as_str()).unwrap_or_default();
        let subkind = unit.subkind_vi.into_iter();
        groups.extend(subkind.map(|subkind| (SUBTYPE_GROUPING.to_owned(), subkind)));
        let imported = ImportedUnit {
            code: unit.id.clone(),
            name: unit.name_vi,
            parent_code,
            kind: unit.kind,
            valid_from,
            groups,
        };
        list.push(&place, imported)?;
        for (index, child) in unit.children.into_iter().enumerate().rev() {
            let place = format!("{place}.children[{index}]");
            stack.push((place, Some(unit.id.clone()), tier + 1, child));
        }
    }
    Ok(list.units)
}

/// The departments directly under the top of a tree file, as units under `province_code`.
pub fn import_departments(
    text: &str,
    province_code: &str,
    valid_from: Date,
) -> Result<Vec<ImportedUnit>, UnitImportError> {
    let units = import_tree(text)?;
    let top = units.first().map(|unit| unit.code.clone());
    let is_department =
        |unit: &ImportedUnit| unit.kind == "department" && unit.parent_code == top && top.is_some();
    let departments = units.into_iter().filter(is_department);
    Ok(departments
        .map(|unit| ImportedUnit {
            parent_code: Some(province_code.to_owned()),
            valid_from,
            ..unit
        })
        .collect())
}

/// Reads units in any of the shapes there are: a province, a tree, a table whose units exist from
/// `valid_from` on.
pub fn import_any(text: &str, valid_from: Date) -> Result<Vec<ImportedUnit>, UnitImportError> {
    if !text.trim_start().starts_with('{') {
        return import_table(text, valid_from);
    }
    import_province(text).or_else(|error| import_tree(text).map_err(|_| error))
}

/// Reads a table with the columns code, name, kind, parent code after a line of headings. Values
/// hold no commas and no quotes.
pub fn import_table(text: &str, valid_from: Date) -> Result<Vec<ImportedUnit>, UnitImportError> {
    let mut list = List::default();
    let mut lines = text.lines().enumerate();
    lines.next();
    for (index, line) in lines {
        let place = format!("line {}", index + 1);
        let columns: Vec<&str> = line.trim_end_matches('\r').split(',').collect();
        let [code, name, kind, parent] = columns.as_slice() else {
            return Err(UnitImportError::Columns { place });
        };
        let imported = ImportedUnit {
            code: (*code).to_owned(),
            name: (*name).to_owned(),
            parent_code: (!parent.is_empty()).then(|| (*parent).to_owned()),
            kind: (*kind).to_owned(),
            valid_from,
            groups: Vec::new(),
        };
        list.push(&place, imported)?;
    }
    Ok(list.units)
}

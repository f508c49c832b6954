//! The units of an org file with all the names they go by, on one day.

use serde_json::Value;
use std::collections::BTreeMap;

use super::groups::GroupKind;
use super::words::name_words;
use crate::date::Date;
use crate::org_unit::import::{self, ImportedUnit, UnitImportError};

/// How a name belongs to a unit; the better one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum How {
    /// Its name in the file.
    Name,
    /// Another name in the file.
    Alias,
    /// Its name without the province's.
    Short,
    /// A unit that it was formed from.
    Old,
    /// A usual name of which the file has no unit.
    Standard,
}

/// One name.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) words: Vec<String>,
    /// The place of its unit; nothing for a usual name without one.
    pub(super) unit: Option<usize>,
    pub(super) how: How,
    /// As written.
    pub(super) text: String,
}

/// A unit of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Unique in the file.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The code of the unit above.
    pub parent: Option<String>,
}

/// A group of units with the name plans give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What plans call it.
    pub name: String,
    /// What it is made of.
    pub kind: GroupKind,
    /// Codes of its units, in the order of the file.
    pub units: Vec<String>,
    /// How many there are, where the file says that it does not name them all.
    pub official_count: Option<u64>,
    /// The file names the members; else they are all units of the kind.
    pub named: bool,
}

struct NamedGroup {
    words: Vec<Vec<String>>,
    members: Vec<String>,
    official_count: Option<u64>,
}

/// Units, their names and groups.
pub struct Directory {
    units: Vec<Unit>,
    names: BTreeMap<String, Vec<Name>>,
    groups: Vec<NamedGroup>,
    top_words: Vec<String>,
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory")
            .field("units", &self.units.len())
            .finish_non_exhaustive()
    }
}

/// Departments as provinces call them, and their like. A plan's list of agencies is cut in the right
/// places even where the org file lacks one of them.
const STANDARD: [&str; 35] = [
    "Sở Nội vụ",
    "Sở Tư pháp",
    "Sở Tài chính",
    "Sở Kế hoạch và Đầu tư",
    "Sở Công Thương",
    "Sở Nông nghiệp và Phát triển nông thôn",
    "Sở Nông nghiệp và Môi trường",
    "Sở Giao thông vận tải",
    "Sở Xây dựng",
    "Sở Tài nguyên và Môi trường",
    "Sở Thông tin và Truyền thông",
    "Sở Lao động - Thương binh và Xã hội",
    "Sở Văn hóa, Thể thao và Du lịch",
    "Sở Văn hóa và Thể thao",
    "Sở Du lịch",
    "Sở Khoa học và Công nghệ",
    "Sở Giáo dục và Đào tạo",
    "Sở Y tế",
    "Sở Ngoại vụ",
    "Sở Dân tộc và Tôn giáo",
    "Sở Quy hoạch - Kiến trúc",
    "Thanh tra tỉnh",
    "Ban Dân tộc",
    "Ban Quản lý các Khu công nghiệp",
    "Văn phòng UBND tỉnh",
    "Văn phòng Đoàn ĐBQH và HĐND tỉnh",
    "Công an tỉnh",
    "Bộ Chỉ huy Quân sự tỉnh",
    "Bảo hiểm xã hội tỉnh",
    "Kho bạc Nhà nước",
    "Cục Thuế tỉnh",
    "Cục Thống kê",
    "Bưu điện tỉnh",
    "Đài Phát thanh và Truyền hình tỉnh",
    "Ủy ban Mặt trận Tổ quốc Việt Nam tỉnh",
];

impl Directory {
    /// Reads an org file of any shape that units are imported from. With a day, units that do not exist
    /// on it are left out; without one, the file is taken as it stands.
    pub fn read(text: &str, on: Option<Date>) -> Result<Self, UnitImportError> {
        let imported = import::import_any(text, Date::FIRST)?;
        let value: Value = serde_json::from_str(text).unwrap_or(Value::Null);
        let mut told = Told::default();
        told.walk(&value, 0);
        let mut units = Vec::new();
        for unit in imported.into_iter().chain(told.unplaced(&value)) {
            let until = told.until.get(&unit.code);
            let valid =
                on.is_none_or(|on| unit.valid_from <= on && until.is_none_or(|until| *until >= on));
            if valid {
                units.push(Unit {
                    code: unit.code,
                    name: unit.name,
                    kind: unit.kind,
                    parent: unit.parent_code,
                });
            }
        }
        let mut directory = Self {
            top_words: units
                .first()
                .map(|top| name_words(&top.name))
                .unwrap_or_default(),
            units,
            names: BTreeMap::new(),
            groups: named_groups(&value),
        };
        directory.name_all(&told);
        Ok(directory)
    }

    /// Every unit.
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    pub(super) fn unit(&self, at: usize) -> Option<&Unit> {
        self.units.get(at)
    }

    /// Names that begin with a word.
    pub(super) fn named(&self, first: &str) -> &[Name] {
        self.names.get(first).map_or(&[], Vec::as_slice)
    }

    /// Every name.
    pub(super) fn all_names(&self) -> impl Iterator<Item = &Name> {
        self.names.values().flatten()
    }

    /// `tỉnh Thái Nguyên` in words.
    pub(super) fn top_words(&self) -> &[String] {
        &self.top_words
    }

    fn add(&mut self, unit: Option<usize>, text: &str, words: Vec<String>, how: How) {
        let Some(first) = words.first().cloned() else {
            return;
        };
        let names = self.names.entry(first).or_default();
        let known = names
            .iter_mut()
            .find(|one| one.words == words && (one.unit == unit || how == How::Standard));
        match known {
            Some(known) => known.how = known.how.min(how),
            None => names.push(Name {
                words,
                unit,
                how,
                text: text.to_owned(),
            }),
        }
    }

    fn name_all(&mut self, told: &Told) {
        let known = self.units.clone();
        for (at, unit) in known.iter().enumerate() {
            let own = std::iter::once((&unit.name, How::Name));
            let others = told.aliases.get(&unit.code).into_iter().flatten();
            let olds = told.olds.get(&unit.code).into_iter().flatten();
            let all = own
                .chain(others.map(|text| (text, How::Alias)))
                .chain(olds.map(|text| (text, How::Old)));
            for (text, how) in all {
                let words = name_words(text);
                self.add(Some(at), text, words.clone(), how);
                if is_territory(&unit.kind) && words.first().is_some_and(|first| first != "ubnd") {
                    let mut committee = vec!["ubnd".to_owned()];
                    committee.extend(words.clone());
                    self.add(Some(at), text, committee, how);
                }
                if let Some(short) = self.without_top(&words)
                    && !is_territory(&unit.kind)
                {
                    self.add(Some(at), text, short, how.max(How::Short));
                }
            }
            if at == 0 && unit.kind == "province" {
                let first = name_words(&unit.name).first().cloned();
                let committee = ["ubnd".to_owned()].into_iter().chain(first).collect();
                self.add(Some(0), &unit.name, committee, How::Alias);
            }
        }
        for text in STANDARD {
            self.add(None, text, name_words(text), How::Standard);
        }
    }

    /// A name without `tỉnh`, `tỉnh Thái Nguyên`, `Sở` at its end.
    fn without_top(&self, words: &[String]) -> Option<Vec<String>> {
        let of_top = |last: &String| last == "tinh" || Some(last) == self.top_words.first();
        let kept = words.strip_suffix(self.top_words.as_slice()).or_else(|| {
            let last = words.split_last().filter(|(last, _)| of_top(last));
            last.map(|(_, kept)| kept)
        })?;
        (kept.len() > 1).then(|| kept.to_vec())
    }

    /// The units of a group, by the file's own list or by their kind.
    pub(super) fn group(&self, kind: GroupKind, name: &str) -> Group {
        let title = kind.title().unwrap_or(name);
        let wanted = [name_words(name), name_words(title)];
        let named = self
            .groups
            .iter()
            .find(|group| group.words.iter().any(|words| wanted.contains(words)));
        if let Some(named) = named.filter(|_| kind != GroupKind::Unnamed) {
            let there = |code: &&String| self.units.iter().any(|unit| unit.code == **code);
            return Group {
                name: title.to_owned(),
                kind,
                units: named.members.iter().filter(there).cloned().collect(),
                official_count: named.official_count,
                named: true,
            };
        }
        let top = self.units.first();
        let under_top =
            |unit: &Unit| unit.parent.is_none() || unit.parent.as_ref() == top.map(|top| &top.code);
        let is_office = top.is_some_and(|top| top.kind != "province");
        let belongs = |unit: &Unit| match kind {
            GroupKind::Departments => unit.kind == "department" && under_top(unit),
            GroupKind::Districts => unit.kind == "district",
            GroupKind::Communes => unit.kind == "commune",
            GroupKind::Divisions => {
                unit.kind == "division" || is_office && under_top(unit) && !is_territory(&unit.kind)
            }
            GroupKind::Unnamed => false,
        };
        let below_top = self.units.iter().skip(1).filter(|unit| belongs(unit));
        Group {
            name: title.to_owned(),
            kind,
            units: below_top.map(|unit| unit.code.clone()).collect(),
            official_count: None,
            named: false,
        }
    }
}

/// `một phần xã A`, `phần còn lại của xã A`: the unit itself.
fn without_share(name: &str) -> &str {
    let shares = ["một phần", "Một phần", "phần còn lại", "Phần còn lại"];
    let rest = shares.iter().find_map(|share| name.strip_prefix(share));
    let rest = rest.map_or(name, str::trim_start);
    rest.strip_prefix("của ").unwrap_or(rest)
}

fn is_territory(kind: &str) -> bool {
    matches!(kind, "province" | "district" | "commune" | "area")
}

fn named_groups(value: &Value) -> Vec<NamedGroup> {
    let groups = value.get("groups").and_then(Value::as_array);
    let groups = groups.into_iter().flatten().map(|group| {
        let mut names = texts(group.get("aliases_vi"));
        names.extend(texts(group.get("name_vi")));
        NamedGroup {
            words: names.iter().map(|name| name_words(name)).collect(),
            members: texts(group.get("members")),
            official_count: match group.get("complete") {
                Some(Value::Bool(false)) => group.get("official_count").and_then(Value::as_u64),
                _ => None,
            },
        }
    });
    groups.collect()
}

/// A text, or a list of them.
fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(list)) => {
            let texts = list.iter().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// What a file says of its units beside code, name and kind.
#[derive(Default)]
struct Told {
    aliases: BTreeMap<String, Vec<String>>,
    olds: BTreeMap<String, Vec<String>>,
    until: BTreeMap<String, Date>,
}

impl Told {
    fn walk(&mut self, value: &Value, depth: usize) {
        if depth > crate::limits::UNIT_TIERS_MAX {
            return;
        }
        self.one(value);
        for below in ["tree", "province", "units", "unplaced", "children"] {
            match value.get(below) {
                Some(Value::Array(list)) => list.iter().for_each(|unit| self.walk(unit, depth + 1)),
                Some(unit) => self.walk(unit, depth + 1),
                None => {}
            }
        }
    }

    fn one(&mut self, unit: &Value) {
        let code = unit
            .get("code")
            .or_else(|| unit.get("id"))
            .and_then(Value::as_str);
        let Some(code) = code else {
            return;
        };
        let aliases = texts(unit.get("aliases_vi"));
        self.aliases
            .entry(code.to_owned())
            .or_default()
            .extend(aliases);
        let mut olds = texts(unit.get("old_names_vi"));
        if unit.get("name_vi").is_some() {
            for text in texts(unit.get("predecessors_vi")) {
                let names = text.split([',', ';']);
                // "một phần xã X": a remark before or behind the name, in brackets or not.
                let names = names.map(|name| name.split('(').next().unwrap_or_default());
                olds.extend(names.map(|name| without_share(name.trim()).to_owned()));
            }
        }
        // "giữ nguyên": it is what it was.
        olds.retain(|name| name.chars().count() > 3 && name != "giữ nguyên");
        self.olds.entry(code.to_owned()).or_default().extend(olds);
        let until = unit.get("valid_to").and_then(Value::as_str);
        if let Some(until) = until.and_then(|text| text.parse().ok()) {
            self.until.insert(code.to_owned(), until);
        }
    }

    /// Units that a file names without a place in its tree.
    fn unplaced(&self, value: &Value) -> Vec<ImportedUnit> {
        let list = value.get("unplaced").and_then(Value::as_array);
        let units = list.into_iter().flatten().filter_map(|unit| {
            let text = |field: &str| unit.get(field).and_then(Value::as_str).map(str::to_owned);
            Some(ImportedUnit {
                code: text("id").or_else(|| text("code"))?,
                name: text("name_vi")?,
                parent_code: None,
                kind: text("kind")?,
                valid_from: Date::FIRST,
                groups: Vec::new(),
            })
        });
        units.collect()
    }
}

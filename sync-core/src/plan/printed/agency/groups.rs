//! Names of groups: "Các sở, ban, ngành", "UBND cấp huyện", "UBND các xã, phường".

use super::words::{Mark, Word};

/// Which units a group is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKind {
    /// Departments and boards of the province.
    Departments,
    /// Units between province and commune.
    Districts,
    /// Communes, wards, towns.
    Communes,
    /// Divisions of one office.
    Divisions,
    /// Words that leave open who is meant.
    Unnamed,
}

impl GroupKind {
    /// Its name for machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Departments => "departments",
            Self::Districts => "districts",
            Self::Communes => "communes",
            Self::Divisions => "divisions",
            Self::Unnamed => "unnamed",
        }
    }

    /// What plans call it.
    pub(super) fn title(self) -> Option<&'static str> {
        match self {
            Self::Departments => Some("Các sở, ban, ngành"),
            Self::Districts => Some("UBND cấp huyện"),
            Self::Communes => Some("UBND cấp xã"),
            Self::Divisions => Some("Các phòng, ban, đơn vị"),
            Self::Unnamed => None,
        }
    }
}

/// A group that begins at a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// One past its last word.
    pub(super) end: usize,
    pub(super) kinds: Vec<GroupKind>,
    /// What it is made of, as printed, and which kind that is of: `sở`, `ban`, `ngành`.
    pub(super) nouns: Vec<(&'static str, GroupKind)>,
    /// The words are those of the kind and no others.
    pub(super) usual: bool,
}

/// What groups are made of: folded words, the noun as it is written, the kind.
const NOUNS: [(&[&str], &str, GroupKind); 19] = [
    (
        &["co", "quan", "chuyen", "mon"],
        "cơ quan chuyên môn",
        GroupKind::Departments,
    ),
    (
        &["phong", "chuyen", "mon"],
        "phòng chuyên môn",
        GroupKind::Divisions,
    ),
    (&["so"], "sở", GroupKind::Departments),
    (&["ban"], "ban", GroupKind::Departments),
    (&["nganh"], "ngành", GroupKind::Departments),
    (&["doan", "the"], "đoàn thể", GroupKind::Departments),
    (&["hoi"], "hội", GroupKind::Unnamed),
    (&["huyen"], "huyện", GroupKind::Districts),
    (&["thi", "xa"], "thị xã", GroupKind::Districts),
    (&["thanh", "pho"], "thành phố", GroupKind::Districts),
    (&["quan"], "quận", GroupKind::Districts),
    (&["thi", "tran"], "thị trấn", GroupKind::Communes),
    (&["xa"], "xã", GroupKind::Communes),
    (&["phuong"], "phường", GroupKind::Communes),
    (&["dac", "khu"], "đặc khu", GroupKind::Communes),
    (&["phong"], "phòng", GroupKind::Divisions),
    (&["co", "quan"], "cơ quan", GroupKind::Unnamed),
    (&["don", "vi"], "đơn vị", GroupKind::Unnamed),
    (&["dia", "phuong"], "địa phương", GroupKind::Unnamed),
];

fn has(words: &[Word], at: usize, wanted: &[&str]) -> bool {
    let here = words.get(at..at + wanted.len()).unwrap_or_default();
    here.len() == wanted.len()
        && here
            .iter()
            .map(|one| one.word.as_str())
            .eq(wanted.iter().copied())
}

fn noun(words: &[Word], at: usize) -> Option<(usize, &'static str, GroupKind)> {
    let found = NOUNS.iter().find(|(wanted, ..)| has(words, at, wanted));
    found.map(|(wanted, text, kind)| (wanted.len(), *text, *kind))
}

fn level(words: &[Word], at: usize) -> Option<(usize, Vec<GroupKind>)> {
    for (wanted, kinds) in [
        (&["cap", "huyen"][..], vec![GroupKind::Districts]),
        (&["cap", "xa"], vec![GroupKind::Communes]),
        (&["cap", "phuong"], vec![GroupKind::Communes]),
        (
            &["cac", "cap"],
            vec![GroupKind::Districts, GroupKind::Communes],
        ),
    ] {
        if has(words, at, wanted) {
            return Some((wanted.len(), kinds));
        }
    }
    None
}

/// The group that begins at a word, and every shorter one: `can_end` says where one may end.
pub(super) fn find(words: &[Word], at: usize, can_end: impl Fn(usize) -> bool) -> Option<Found> {
    let mut start = at;
    for all in [&["tat", "ca"][..], &["toan", "bo"], &["moi"]] {
        if has(words, start, all) {
            start += all.len();
        }
    }
    let mut named = start > at;
    let committee = has(words, start, &["ubnd"]);
    start += usize::from(committee);
    if let Some((length, kinds)) = level(words, start)
        && (committee || !has(words, start, &["cac", "cap"]))
        && can_end(start + length)
    {
        let usual = kinds.len() == 1;
        return Some(Found {
            end: start + length,
            kinds,
            nouns: Vec::new(),
            usual,
        });
    }
    if has(words, start, &["cac"]) {
        start += 1;
        named = true;
        // "Các UBND huyện".
        start += usize::from(has(words, start, &["ubnd"]));
    }
    let mut best = None;
    let mut nouns: Vec<(&'static str, GroupKind)> = Vec::new();
    let mut next = start;
    while let Some((length, text, kind)) = noun(words, next) {
        let mark = words.get(next).map_or(Mark::Inside, |one| one.before);
        if next > start && matches!(mark, Mark::Semicolon | Mark::Open | Mark::Close) {
            break;
        }
        nouns.push((text, kind));
        let end = past_level(words, next + length);
        if can_end(end) && (named || committee && nouns.len() > 1 || nouns.len() > 1) {
            best = Some(found(end, &nouns, committee));
        }
        next += length;
        if has(words, next, &["va"]) && noun(words, next + 1).is_some() {
            next += 1;
        }
    }
    best
}

/// `cấp tỉnh`, `của tỉnh`, `trên địa bàn tỉnh` after a group: all of them, so nothing is limited.
fn past_level(words: &[Word], at: usize) -> usize {
    for wanted in [
        &["cap", "tinh"][..],
        &["cua", "tinh"],
        &["thuoc", "tinh"],
        &["thuoc", "ubnd", "tinh"],
        &["trong", "tinh"],
        &["tren", "dia", "ban", "tinh"],
        &["tren", "dia", "ban"],
        &["cap", "huyen"],
        &["tinh"],
    ] {
        if has(words, at, wanted) {
            return at + wanted.len();
        }
    }
    at
}

fn found(end: usize, nouns: &[(&'static str, GroupKind)], committee: bool) -> Found {
    let mut kinds: Vec<GroupKind> = Vec::new();
    let mut settled = Vec::with_capacity(nouns.len());
    let sure = |kind: GroupKind| nouns.iter().any(|(_, of)| *of == kind);
    let office = sure(GroupKind::Divisions) && !nouns.iter().any(|(text, _)| *text == "sở");
    for (text, kind) in nouns {
        let kind = match *kind {
            // "Các phòng, ban, đơn vị": boards and units of the same office.
            GroupKind::Departments | GroupKind::Unnamed if office => GroupKind::Divisions,
            // "Các sở, ban, ngành, đơn vị": more of the same.
            GroupKind::Unnamed if sure(GroupKind::Departments) && *text != "địa phương" => {
                GroupKind::Departments
            }
            GroupKind::Departments
            | GroupKind::Districts
            | GroupKind::Communes
            | GroupKind::Divisions
            | GroupKind::Unnamed => *kind,
        };
        settled.push((*text, kind));
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let usual = !kinds.contains(&GroupKind::Unnamed)
        && !nouns.iter().any(|(text, _)| *text == "đoàn thể")
        && (kinds.len() == 1 || committee || kinds.first() == Some(&GroupKind::Departments));
    Found {
        end,
        kinds,
        nouns: settled,
        usual,
    }
}

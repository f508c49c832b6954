//! Numbers that a word processor puts before paragraphs: counted as it counts them.

use std::collections::BTreeMap;

use quick_xml::events::Event;
use quick_xml::reader::Reader;

use super::attribute;

/// Levels of one list.
const LEVELS_MAX: usize = 9;

#[derive(Debug, Clone, Default)]
struct Level {
    format: String,
    /// `%1.%2.`
    text: String,
    start: u32,
}

/// The lists of a document and how far each has counted.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    levels: BTreeMap<u32, Vec<Level>>,
    /// The list's definition, by the number that paragraphs name.
    lists: BTreeMap<u32, u32>,
    counted: BTreeMap<u32, Vec<Option<u32>>>,
}

impl Numbering {
    /// Reads the part that defines lists; what is damaged in it defines nothing.
    pub(super) fn read(text: &str) -> Self {
        let mut numbering = Self::default();
        let mut reader = Reader::from_str(text);
        let (mut definition, mut list, mut level) = (None, None, None);
        loop {
            let tag = match reader.read_event() {
                Ok(Event::Start(tag) | Event::Empty(tag)) => tag,
                Ok(Event::Eof) | Err(_) => return numbering,
                Ok(
                    Event::End(_)
                    | Event::Text(_)
                    | Event::CData(_)
                    | Event::Comment(_)
                    | Event::Decl(_)
                    | Event::PI(_)
                    | Event::DocType(_)
                    | Event::GeneralRef(_),
                ) => continue,
            };
            let number = |name| attribute(&tag, name).and_then(|value| value.parse::<u32>().ok());
            match tag.local_name().into_inner() {
                "abstractNum" => (definition, list) = (number("abstractNumId"), None),
                "num" => (definition, list) = (None, number("numId")),
                "abstractNumId" => {
                    if let Some((list, definition)) = list.zip(number("val")) {
                        numbering.lists.insert(list, definition);
                    }
                }
                "lvl" => {
                    let at = number("ilvl").and_then(|at| usize::try_from(at).ok());
                    level = at.filter(|at| *at < LEVELS_MAX);
                }
                name @ ("start" | "numFmt" | "lvlText") => {
                    let Some((definition, at)) = definition.zip(level) else {
                        continue;
                    };
                    let levels = numbering.levels.entry(definition).or_default();
                    if levels.len() <= at {
                        levels.resize(
                            at + 1,
                            Level {
                                start: 1,
                                ..Level::default()
                            },
                        );
                    }
                    let Some(level) = levels.get_mut(at) else {
                        continue;
                    };
                    let value = attribute(&tag, "val").unwrap_or_default();
                    match name {
                        "start" => level.start = value.parse().unwrap_or(1),
                        "numFmt" => level.format = value,
                        _ => level.text = value,
                    }
                }
                _ => {}
            }
        }
    }

    /// The number of the next paragraph of a list, as it is shown; nothing for lists without one.
    pub(super) fn next(&mut self, list: u32, level: usize) -> String {
        let Some((definition, levels)) = self
            .lists
            .get(&list)
            .and_then(|at| self.levels.get(at).map(|levels| (*at, levels)))
        else {
            return String::new();
        };
        let Some(own) = levels.get(level) else {
            return String::new();
        };
        if own.format == "bullet" {
            return "-".to_owned();
        }
        if matches!(own.format.as_str(), "" | "none") {
            return String::new();
        }
        let counted = self
            .counted
            .entry(definition)
            .or_insert_with(|| vec![None; LEVELS_MAX]);
        for (at, count) in counted.iter_mut().enumerate() {
            let start = levels.get(at).map_or(1, |level| level.start);
            match at.cmp(&level) {
                std::cmp::Ordering::Less => *count = count.or(Some(start)),
                std::cmp::Ordering::Equal => {
                    *count = Some(count.map_or(start, |count| count.saturating_add(1)))
                }
                std::cmp::Ordering::Greater => *count = None,
            }
        }
        let mut shown = own.text.clone();
        for (at, count) in counted.iter().enumerate().take(level + 1) {
            let format = levels
                .get(at)
                .map_or("decimal", |level| level.format.as_str());
            let number = number(format, count.unwrap_or(1));
            shown = shown.replace(&format!("%{}", at + 1), &number);
        }
        shown.truncate(shown.floor_char_boundary(64));
        shown
    }
}

fn number(format: &str, count: u32) -> String {
    let letter = |first: u8| {
        let at = u8::try_from((count.saturating_sub(1)) % 26).unwrap_or(0);
        char::from(first + at).to_string()
    };
    match format {
        "upperRoman" => roman(count),
        "lowerRoman" => roman(count).to_lowercase(),
        "upperLetter" => letter(b'A'),
        "lowerLetter" => letter(b'a'),
        "decimalZero" => format!("{count:02}"),
        _ => count.to_string(),
    }
}

fn roman(count: u32) -> String {
    let mut left = count.min(3_999);
    let mut text = String::new();
    for (worth, letters) in [
        (1_000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ] {
        while left >= worth {
            text.push_str(letters);
            left -= worth;
        }
    }
    text
}

//! What the product says to people, in Vietnamese and English: Fluent catalogues built in.
//!
//! Code speaks in codes and values; this crate alone turns a code into a sentence. A message that is
//! missing comes back as its id, so that a forgotten sentence is visible and never a crash; the tests
//! of whoever owns the codes ask [`has`] for every one of them in every [`Language`].

use std::fmt;
use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

/// A language the product speaks. Vietnamese comes first everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Tiếng Việt.
    Vietnamese,
    /// English.
    English,
}

impl Language {
    /// Every language, the first one first.
    pub const ALL: [Self; 2] = [Self::Vietnamese, Self::English];

    fn identifier(self) -> LanguageIdentifier {
        // The two texts are valid identifiers; the tests would see the default one.
        self.to_string().parse().unwrap_or_default()
    }

    fn source(self) -> &'static str {
        match self {
            Self::Vietnamese => concat!(
                include_str!("../catalogues/vi.ftl"),
                include_str!("../catalogues/findings.vi.ftl"),
                include_str!("../catalogues/import.vi.ftl")
            ),
            Self::English => concat!(
                include_str!("../catalogues/en.ftl"),
                include_str!("../catalogues/findings.en.ftl"),
                include_str!("../catalogues/import.en.ftl")
            ),
        }
    }

    fn bundle(self) -> &'static FluentBundle<FluentResource> {
        // Parsed once: the catalogues are constants of the program, not state.
        static VIETNAMESE: OnceLock<FluentBundle<FluentResource>> = OnceLock::new();
        static ENGLISH: OnceLock<FluentBundle<FluentResource>> = OnceLock::new();
        match self {
            Self::Vietnamese => VIETNAMESE.get_or_init(|| parse(self)),
            Self::English => ENGLISH.get_or_init(|| parse(self)),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vietnamese => "vi",
            Self::English => "en",
        })
    }
}

/// The sentence `id` in `language` with `arguments` filled in; the id itself when there is none.
pub fn text(language: Language, id: &str, arguments: &[(&str, &str)]) -> String {
    let bundle = language.bundle();
    let Some(pattern) = bundle.get_message(id).and_then(|message| message.value()) else {
        return id.to_owned();
    };
    let mut filled = FluentArgs::with_capacity(arguments.len());
    for (name, value) in arguments {
        filled.set(*name, *value);
    }
    let mut missing = Vec::new();
    bundle
        .format_pattern(pattern, Some(&filled), &mut missing)
        .into_owned()
}

/// True if there is a sentence `id` in `language`.
pub fn has(language: Language, id: &str) -> bool {
    language.bundle().has_message(id)
}

/// The ids of every sentence of `language`, in the order of its catalogue.
pub fn ids(language: Language) -> Vec<&'static str> {
    language
        .source()
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
        .filter_map(|line| line.split_once(" ="))
        .map(|(id, _)| id)
        .collect()
}

/// A catalogue that has a fault still gives all its other sentences; the tests refuse any fault.
fn parse(language: Language) -> FluentBundle<FluentResource> {
    let resource = match FluentResource::try_new(language.source().to_owned()) {
        Ok(resource) | Err((resource, _)) => resource,
    };
    let mut bundle = FluentBundle::new_concurrent(vec![language.identifier()]);
    // The marks that isolate right-to-left arguments would be noise in terminals and JSON.
    bundle.set_use_isolating(false);
    // Fails only for repeated ids, of which the first stays; refused by the tests.
    let _ = bundle.add_resource(resource);
    bundle
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catalogues_parse_without_a_fault() {
        for language in Language::ALL {
            let resource = FluentResource::try_new(language.source().to_owned())
                .map_err(|(_, faults)| faults)
                .unwrap();
            let mut bundle = FluentBundle::new_concurrent(vec![language.identifier()]);
            bundle.add_resource(resource).unwrap();
        }
    }

    #[test]
    fn both_languages_say_the_same_things_with_the_same_arguments() {
        assert_eq!(ids(Language::Vietnamese), ids(Language::English));
        assert!(ids(Language::English).len() > 20);
        let arguments = |language: Language| -> Vec<Vec<String>> {
            language
                .source()
                .lines()
                .filter(|line| line.contains(" = "))
                .map(|line| {
                    let mut names: Vec<String> = line
                        .split("{ $")
                        .skip(1)
                        .filter_map(|rest| rest.split_once(" }"))
                        .map(|(name, _)| name.to_owned())
                        .collect();
                    names.sort();
                    names
                })
                .collect()
        };
        assert_eq!(
            arguments(Language::Vietnamese),
            arguments(Language::English)
        );
    }

    /// Sentences of the app, which reads its catalogues itself; those about findings it shares.
    #[test]
    fn the_catalogues_of_the_app_say_the_same_things_in_both_languages() {
        let pairs = [
            (
                include_str!("../catalogues/web.vi.ftl"),
                include_str!("../catalogues/web.en.ftl"),
            ),
            (
                include_str!("../catalogues/administration.vi.ftl"),
                include_str!("../catalogues/administration.en.ftl"),
            ),
            (
                include_str!("../catalogues/templates.vi.ftl"),
                include_str!("../catalogues/templates.en.ftl"),
            ),
            (
                include_str!("../catalogues/device.vi.ftl"),
                include_str!("../catalogues/device.en.ftl"),
            ),
            (
                include_str!("../catalogues/local-rows.vi.ftl"),
                include_str!("../catalogues/local-rows.en.ftl"),
            ),
            (
                include_str!("../catalogues/narrative.vi.ftl"),
                include_str!("../catalogues/narrative.en.ftl"),
            ),
        ];
        for (vietnamese, english) in pairs {
            let ids = |source: &str| -> Vec<String> {
                let resource = FluentResource::try_new(source.to_owned())
                    .map_err(|(_, faults)| faults)
                    .unwrap();
                assert!(resource.entries().count() > 15);
                let lines = source.lines().filter_map(|line| line.split_once(" = "));
                lines.map(|(id, _)| id.to_owned()).collect()
            };
            assert_eq!(ids(vietnamese), ids(english));
        }
    }

    #[test]
    fn arguments_are_filled_in_and_a_missing_sentence_shows_its_id() {
        let said = text(
            Language::Vietnamese,
            "problem-template-unknown",
            &[("template", "bao-cao")],
        );
        assert!(said.contains("bao-cao"), "{said}");
        assert_eq!(text(Language::English, "no-such-id", &[]), "no-such-id");
    }
}

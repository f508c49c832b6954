//! How source files open, what they are called, how long they grow.

const FORBIDDEN: [&str; 14] = [
    "utils",
    "util",
    "common",
    "helpers",
    "helper",
    "manager",
    "misc",
    "base",
    "processor",
    "handler",
    "data",
    "info",
    "types",
    "mod",
];

/// Lines without tests; longer files hold two nouns unless the reason stands here.
const LINES_MAX: usize = 600;
const LONGER: [(&str, &str); 0] = [];

fn rust_files() -> Vec<(String, String)> {
    let files = crate::files()
        .into_iter()
        .filter(|file| file.ends_with(".rs"));
    files
        .map(|file| {
            let text = std::fs::read_to_string(crate::root().join(&file)).unwrap();
            (file, text)
        })
        .collect()
}

#[test]
fn every_file_opens_with_its_one_job() {
    let files = rust_files();
    assert!(files.len() > 50, "the files were found");
    for (file, text) in files {
        let is_test = file.ends_with("/tests.rs") || file.contains("/tests/");
        let opens = text.starts_with("//!") || text.starts_with("#!");
        assert!(opens || is_test, "{file} does not open with a //! sentence");
    }
}

#[test]
fn names_say_the_thing() {
    for file in crate::files() {
        for piece in file.split('/') {
            let stem = piece.split('.').next().unwrap();
            assert!(!FORBIDDEN.contains(&stem), "{file}: {stem} says nothing");
        }
    }
}

#[test]
fn files_hold_one_noun() {
    for (file, text) in rust_files() {
        let lines = text
            .split("\n#[cfg(test)]\nmod tests {")
            .next()
            .unwrap()
            .lines()
            .count();
        let is_test =
            file.ends_with("tests.rs") || file.starts_with("tests/") || file.contains("/tests/");
        let listed = LONGER.iter().any(|(known, _)| *known == file);
        assert!(
            lines <= LINES_MAX || is_test || listed,
            "{file} has {lines} lines"
        );
    }
}

#[test]
fn the_core_is_pure() {
    for (file, text) in rust_files() {
        if !file.starts_with("sync-core/src/") {
            continue;
        }
        for word in [
            "std::fs",
            "std::net",
            "std::thread",
            "std::time",
            "std::env",
            "std::process",
            "thread_local",
            "HashMap",
            "HashSet",
            "async fn",
        ] {
            let found = text
                .lines()
                .any(|line| line.contains(word) && !line.trim_start().starts_with("//"));
            assert!(!found, "{file} uses {word}");
        }
    }
}

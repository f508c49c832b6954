//! Maps that still show what is there, and a repository that speaks of the product alone.

/// Every path in backticks in a Markdown file exists, if it looks like one of ours.
#[test]
fn paths_in_markdown_exist() {
    let root = crate::root();
    let mut seen = 0;
    for file in crate::files()
        .into_iter()
        .filter(|file| file.ends_with(".md"))
    {
        let text = std::fs::read_to_string(root.join(&file)).unwrap();
        for path in text.split('`').skip(1).step_by(2) {
            let first = path.split('/').next().unwrap();
            let is_ours = path.contains('/')
                && !path.starts_with('/')
                && !path.contains([' ', '<', '{', '*', '$', ':', '(', '‖'])
                && root.join(first).is_dir();
            if is_ours {
                seen += 1;
                assert!(
                    root.join(path).exists(),
                    "{file} names {path}, which is not there"
                );
            }
        }
    }
    assert!(seen > 20, "paths were found: {seen}");
}

#[test]
fn the_repository_speaks_of_the_product_alone() {
    let words = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("../sha", "red"),
        concat!("design", ".md"),
    ];
    for file in crate::files() {
        let Ok(text) = std::fs::read_to_string(crate::root().join(&file)) else {
            continue;
        };
        for word in words {
            assert!(!text.contains(word), "{file} mentions {word}");
        }
    }
}

/// Vietnamese text is in the composed form, or searching and comparing it would fail.
#[test]
fn vietnamese_text_is_composed() {
    for file in crate::files() {
        let Ok(text) = std::fs::read_to_string(crate::root().join(&file)) else {
            continue;
        };
        let combining = text
            .chars()
            .any(|c| matches!(c, '\u{300}'..='\u{309}' | '\u{31b}' | '\u{323}'));
        let is_about_them =
            file.contains("search") || file.contains("fold") || file.contains("tidy");
        assert!(!combining || is_about_them, "{file} holds combining marks");
    }
}

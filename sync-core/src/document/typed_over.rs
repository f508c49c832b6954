//! What a person made of a text they saw, when another text stands there by now.
//!
//! A page holds the text it was given while its person types; what others typed may arrive in between. What the
//! person did is then one replacement in the text they saw, what arrived is another, and both are to stand: what
//! others typed in is never taken away by somebody who did not see it, and what the person typed in goes where they
//! put it, or behind what replaced that place.

use super::text::{Splice, difference};

/// A replacement in a text: `delete` characters from `position` replaced by `insert`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// First character that changes, from 0.
    pub position: usize,
    /// Characters taken away.
    pub delete: usize,
    /// What is put in their place.
    pub insert: String,
}

/// The replacements, one after the other, that bring what turned `seen` into `typed` into what stands: none if
/// nothing was typed, two if what others typed stands in the middle of what was taken away.
pub fn typed_over(seen: &str, typed: &str, standing: &str) -> Vec<Replacement> {
    let Some(own) = difference(seen, typed) else {
        return Vec::new();
    };
    let replacement = |position, delete, insert: &str| Replacement {
        position,
        delete,
        insert: insert.to_owned(),
    };
    let Some(others) = difference(seen, standing) else {
        return vec![replacement(own.position, own.delete, own.insert)];
    };
    let (own_end, others_end) = (end(&own), end(&others));
    let inserted = others.insert.chars().count();
    // Where a place behind what others replaced is now.
    let behind = |place: usize| place - others_end + others.position + inserted;
    if own_end <= others.position {
        return vec![replacement(own.position, own.delete, own.insert)];
    }
    if own.position >= others_end {
        return vec![replacement(behind(own.position), own.delete, own.insert)];
    }
    let mut both = Vec::new();
    if own_end > others_end {
        both.push(replacement(behind(others_end), own_end - others_end, ""));
    }
    if own.position < others.position {
        let delete = others.position - own.position;
        both.push(replacement(own.position, delete, own.insert));
    } else {
        both.push(replacement(behind(others_end), 0, own.insert));
    }
    both.retain(|one| one.delete > 0 || !one.insert.is_empty());
    both
}

fn end(of: &Splice<'_>) -> usize {
    of.position + of.delete
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn applied(text: &str, replacements: &[Replacement]) -> String {
        let mut characters: Vec<char> = text.chars().collect();
        for one in replacements {
            let end = one.position + one.delete;
            characters.splice(one.position..end, one.insert.chars());
        }
        characters.into_iter().collect()
    }

    fn merged(seen: &str, typed: &str, standing: &str) -> String {
        applied(standing, &typed_over(seen, typed, standing))
    }

    #[test]
    fn both_stand() {
        let seen = "Tỉnh có 48 thủ tục.";
        let cases = [
            // Before, behind, beside, over and inside what others did.
            (
                "Cả tỉnh có 48 thủ tục.",
                "Tỉnh có 48 thủ tục mới.",
                "Cả tỉnh có 48 thủ tục mới.",
            ),
            (
                "Tỉnh có 48 thủ tục mới.",
                "Cả tỉnh có 48 thủ tục.",
                "Cả tỉnh có 48 thủ tục mới.",
            ),
            (
                "Tỉnh có 48 [2.1] thủ tục.",
                "Tỉnh có 277 thủ tục.",
                "Tỉnh có 277 [2.1] thủ tục.",
            ),
            ("Tỉnh.", "Tỉnh có 4(?)8 thủ tục.", "Tỉnh(?)."),
            (
                "Tỉnh có 4!8 thủ tục.",
                "Tỉnh đã rà soát.",
                "Tỉnh đã rà soát!.",
            ),
        ];
        for (typed, standing, both) in cases {
            assert_eq!(
                merged(seen, typed, standing),
                both,
                "{typed} over {standing}"
            );
        }
    }

    proptest! {
        #[test]
        fn over_what_was_seen_it_is_what_was_typed(seen in "[abế]{0,8}", typed in "[abế]{0,8}") {
            prop_assert_eq!(merged(&seen, &typed, &seen), typed);
        }

        #[test]
        fn who_typed_nothing_changes_nothing(seen in "[abế]{0,8}", standing in "[abế]{0,8}") {
            prop_assert_eq!(merged(&seen, &seen, &standing), standing);
        }

        /// What each put in is there, whatever the other took away.
        #[test]
        fn nothing_typed_in_is_lost(
            seen in "[abế]{0,8}", cuts in proptest::array::uniform4(0usize..9),
            own in "[XY]{0,3}", other in "[UV]{0,3}",
        ) {
            let characters: Vec<char> = seen.chars().collect();
            let with = |a: usize, b: usize, insert: &str| -> String {
                let (a, b) = (a.min(characters.len()), b.min(characters.len()));
                let (a, b) = (a.min(b), a.max(b));
                let mut text = characters.clone();
                text.splice(a..b, insert.chars());
                text.into_iter().collect()
            };
            let [a, b, c, d] = cuts;
            let merged = merged(&seen, &with(a, b, &own), &with(c, d, &other));
            prop_assert!(merged.contains(&own), "{merged} lacks {own}");
            prop_assert!(merged.contains(&other), "{merged} lacks {other}");
        }
    }
}

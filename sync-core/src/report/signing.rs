//! What stands in the way of signing a report: errors, and warnings that nobody gave a reason for.
//!
//! A reason stands in the report beside its cell, under the code of the rule it answers, and travels with it. It answers
//! the rule at that cell whatever the figures are by then: who reads it sees its author, its time and the finding as it
//! is now. A note blocks nothing.

use super::{Finding, Severity};

/// Why a finding blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It cannot be counted as it stands.
    Error,
    /// It may stand, if somebody says why.
    WithoutReason,
}

/// A finding that has to be dealt with before anybody signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// Why it blocks.
    pub why: Why,
}

/// What blocks signing, in the order of the findings. `reason` gives what stands beside a cell for the code of a rule.
pub fn blockers<'a>(
    findings: &'a [Finding],
    reason: &dyn Fn(&str, &str) -> Option<String>,
) -> Vec<Blocker<'a>> {
    let why = |finding: &Finding| match finding.rule.severity() {
        Severity::Error => Some(Why::Error),
        Severity::Warning => {
            let said = reason(&finding.code, finding.rule.code());
            let said = said.is_some_and(|text| !text.trim().is_empty());
            (!said).then_some(Why::WithoutReason)
        }
        Severity::Note => None,
    };
    findings
        .iter()
        .filter_map(|finding| {
            Some(Blocker {
                why: why(finding)?,
                finding,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::Number;
    use crate::report::Rule;
    use proptest::prelude::*;

    fn finding(code: &str, rule: Rule) -> Finding {
        Finding {
            code: code.to_owned(),
            rule,
        }
    }

    fn some() -> Vec<Finding> {
        vec![
            finding("1", Rule::NotWhole(Number::HUNDRED)),
            finding("2", Rule::ComputedOnly(Number::HUNDRED)),
            finding("2", Rule::PercentOutOfRange(Number::HUNDRED)),
            finding("3", Rule::ComputedOnly(Number::HUNDRED)),
            finding("4", Rule::LeftEmpty),
            finding("5", Rule::RequiredEmpty),
        ]
    }

    fn blocking(reasons: &[(&str, &str, &str)]) -> Vec<(String, &'static str, Why)> {
        let reason = |code: &str, rule: &str| {
            let mut all = reasons.iter();
            let found = all.find(|(at, of, _)| (*at, *of) == (code, rule));
            found.map(|(_, _, text)| (*text).to_owned())
        };
        blockers(&some(), &reason)
            .iter()
            .map(|one| (one.finding.code.clone(), one.finding.rule.code(), one.why))
            .collect()
    }

    #[test]
    fn errors_block_and_warnings_until_somebody_says_why() {
        let all = [
            ("1".to_owned(), "not_whole", Why::Error),
            ("2".to_owned(), "computed_only", Why::WithoutReason),
            ("2".to_owned(), "percent_out_of_range", Why::WithoutReason),
            ("3".to_owned(), "computed_only", Why::WithoutReason),
            ("5".to_owned(), "required_empty", Why::Error),
        ];
        assert_eq!(blocking(&[]), all);
        // Of one cell and one rule alone; blanks are no reason, and an error takes none.
        let reasons = [
            ("2", "computed_only", "sổ ghi như vậy"),
            ("3", "computed_only", "  "),
            ("1", "not_whole", "đúng vậy"),
        ];
        let [first, _, third, fourth, fifth] = all;
        assert_eq!(blocking(&reasons), [first, third, fourth, fifth]);
    }

    proptest! {
        /// One more reason never blocks more.
        #[test]
        fn a_reason_never_blocks(mask in 0u8..64, more in 0usize..6) {
            let given = |mask: u8| move |code: &str, rule: &str| {
                let findings = some();
                let mut all = findings.iter();
                let at = all.position(|one| one.code == code && one.rule.code() == rule)?;
                (mask >> at & 1 == 1).then(|| "vì".to_owned())
            };
            let findings = some();
            let before = blockers(&findings, &given(mask));
            let after = blockers(&findings, &given(mask | 1 << more));
            prop_assert!(after.iter().all(|one| before.contains(one)));
            prop_assert!(before.len() - after.len() <= 1);
        }
    }
}

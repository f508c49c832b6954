//! `dongbo check`: everything that speaks against the figures of one report, by its template.

use clap::Args;
use dongbo::administration::text_of;
use dongbo::figures::{self, Figures};
use dongbo::trouble::{Exit, Trouble};
use messages::Language;
use serde_json::{Value, json};
use sync_core::form::Template;
use sync_core::report::review::{self, Beside, Checks, Peers};
use sync_core::report::sentence::{self, Sentence};
use sync_core::report::{Finding, Severity};

use super::{Context, Outcome, Said};

/// Looks the figures of a report through and writes nothing. Ends with 6 if there is an error among
/// the findings; warnings and notes alone end with 0.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// A template file or a transcribed form, or a built-in name such as bao-cao-cchc-2022
    #[arg(long, value_name = "FILE")]
    template: String,
    /// The figures by code, JSON or CSV
    #[arg(long, value_name = "FILE")]
    figures: String,
    /// The figures of the period before
    #[arg(long, value_name = "FILE")]
    earlier: Option<String>,
    /// The figures of other units of the same kind, several files
    #[arg(long, value_name = "FILE", num_args = 1..)]
    peers: Vec<String>,
}

impl Check {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let template = figures::template(&text_of("forms", &self.template)?)?;
        let read = |file: &String| -> Result<Figures, Trouble> {
            Ok(Figures::read(&template, &text_of("figures", file)?)?)
        };
        let figures = read(&self.figures)?;
        let earlier = self.earlier.as_ref().map(read).transpose()?;
        let earlier = earlier.map(|earlier| earlier.numbers());
        let mut peers = Vec::with_capacity(self.peers.len());
        for file in &self.peers {
            peers.push(read(file)?.numbers());
        }
        let peers = Peers::of(&peers);
        let beside = Beside {
            notes: Some(&figures.notes),
            narrative: Some(&figures.narrative),
            earlier: earlier.as_ref(),
            peers: Some(&peers),
        };
        let checks = Checks::of(&template);
        let findings = review::review(&template, &checks, &figures.cells, &beside);
        Ok(said(context, &template, &figures, &findings))
    }
}

fn said(context: &Context, template: &Template, figures: &Figures, findings: &[Finding]) -> Said {
    let mut listed = Vec::with_capacity(findings.len());
    let mut said = Said::new(Value::Null);
    for finding in findings {
        let sentence = sentence::of(template, &figures.cells, finding);
        let severity = finding.rule.severity();
        said = said.plain(format!(
            "{}\t{}\t{}",
            finding.code,
            messages::text(context.language(), severity_id(severity), &[]),
            worded(context.language(), &sentence)
        ));
        let label = template.row(&finding.code).map(|row| row.label.as_str());
        listed.push(json!({
            "code": finding.code, "label": label,
            "rule": finding.rule.code(), "severity": severity.name(),
            "message_vi": worded(Language::Vietnamese, &sentence),
            "message_en": worded(Language::English, &sentence),
            "inputs": sentence.inputs,
        }));
    }
    let count = |of: Severity| {
        let alike = findings.iter().filter(|one| one.rule.severity() == of);
        alike.count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let notes = count(Severity::Note);
    said.value = json!({
        "template": template.id(), "version": template.version(),
        "errors": errors, "warnings": warnings, "notes": notes, "findings": listed,
    });
    let exit = if errors == 0 {
        Exit::Done
    } else {
        Exit::Differs
    };
    said.exit(exit).say(
        "cli-check-counted",
        &[
            ("errors", errors.to_string()),
            ("warnings", warnings.to_string()),
            ("notes", notes.to_string()),
        ],
    )
}

fn severity_id(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "severity-note",
        Severity::Warning => "severity-warning",
        Severity::Error => "severity-error",
    }
}

fn worded(language: Language, sentence: &Sentence) -> String {
    let arguments: Vec<(&str, &str)> = sentence
        .arguments
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    messages::text(language, &format!("check-{}", sentence.rule), &arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_sentence_in_both_languages() {
        let ids = sentence::RULES.iter().map(|rule| format!("check-{rule}"));
        let severities = [Severity::Note, Severity::Warning, Severity::Error];
        let severities = severities.map(|severity| severity_id(severity).to_owned());
        for id in ids.chain(severities) {
            for language in Language::ALL {
                assert!(messages::has(language, &id), "{id}");
            }
        }
    }
}

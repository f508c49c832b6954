//! A form tried before it is published: filled as an officer would fill it, and nothing of it is kept.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use sync_core::catalogue::Catalogue;
use sync_core::cell::Rival;
use sync_core::document::Entry;
use sync_core::form::Template;
use sync_core::identity::{ActorId, ChangeHash};
use sync_core::report::review::Checks;

use super::typed::entry_of;
use super::{Step, StepError};
use crate::json::{self, Typed};
use crate::view;

/// See [`crate::trial`].
pub(crate) fn trial(template: &str, edits: &str, now: i64) -> Step {
    let template = Template::from_json(template.as_bytes())
        .map_err(|error| StepError::Argument(error.to_string()))?;
    let typed: Vec<Typed> = json::parse(edits)?;
    let own = ActorId([0; 16]);
    let rival = |value| {
        vec![Rival {
            value,
            actor: own,
            claimed_at: now,
            change: ChangeHash([0; 32]),
        }]
    };
    let mut cells = BTreeMap::new();
    for one in &typed {
        match entry_of(&template, one) {
            Ok(Entry::Cell { code, value }) => {
                cells.insert(code, rival(value));
            }
            // What stands beside a cell changes nothing of what is tried.
            Ok(
                Entry::Carried { .. }
                | Entry::Note { .. }
                | Entry::Source { .. }
                | Entry::Reason { .. }
                | Entry::Comment { .. }
                | Entry::TemplateVersion(_)
                | Entry::Narrative { .. }
                | Entry::NarrativeText { .. }
                | Entry::SignOff { .. }
                | Entry::Attachment { .. },
            ) => {}
            Err(StepError::Typed(fault)) => return Ok(json!({"fault": fault}).to_string()),
            Err(error) => return Err(error),
        }
    }
    let nothing = BTreeSet::new();
    let origins = view::Origins {
        catalogue: &Catalogue::new(),
        keys: &BTreeMap::new(),
        own,
        waiting: &nothing,
        held: &nothing,
        at_edge: &nothing,
        sealed: &nothing,
    };
    let looking = view::Looking {
        template: &template,
        checks: &Checks::of(&template),
        narrative: &BTreeMap::new(),
        earlier: None,
    };
    let around = view::Around {
        margins: BTreeMap::new(),
        carried: BTreeSet::new(),
    };
    let shown = view::rows(&looking, &cells, &around, &origins);
    let version = template.version();
    Ok(json!({
        "form": view::form(&template, "", &|unit| unit.to_string()),
        "report": {
            "document": "", "heads": [], "template_version": version, "newest_version": version,
            "local": "", "without_row": [], "rows": shown.rows, "blocking": shown.blocking,
            "undo": {"back": null, "forth": null},
            "narrative": {"parts": 0, "empty": 0, "without_place": false},
        },
    })
    .to_string())
}

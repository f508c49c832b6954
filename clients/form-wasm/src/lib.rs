//! Forms for JavaScript: what is wrong with a draft, what it becomes, what a workbook proposes.
//!
//! A module beside the tablet's, since it is for the few who make forms: no officer's device loads it.
//! Thin as the other one: no rule lives here. What crosses is JSON text, and the bytes of a workbook.
//! It works with no server in reach.

mod workbook_json;

use serde_json::{Value, json};
use sync_core::form::import::FormImportError;
use sync_core::form::{Difference, Template, TemplateError, drafted};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsError, JsValue};

pub use workbook_json::{WorkbookJson, from_workbook};

/// Why something did not become something else.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    /// The draft is no JSON.
    #[error("draft: {0}")]
    Json(#[from] serde_json::Error),
    /// The draft has faults.
    #[error(transparent)]
    Draft(#[from] FormImportError),
    /// No published template.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

/// Everything that keeps a draft from being a template: a list.
pub fn faults_of(draft: &str) -> Value {
    let all = drafted::faults(draft);
    let one = |fault: &drafted::Fault| {
        json!({
            "section": fault.section, "row": fault.row, "field": fault.field, "code": fault.code,
            "detail": fault.detail,
        })
    };
    all.iter().map(one).collect()
}

/// The canonical text of a version of a draft, with what whoever publishes it says about it.
pub fn template_of(draft: &str, version: u32, note: &str) -> Result<Vec<u8>, FormError> {
    let mut form: Value = serde_json::from_str(draft)?;
    if let Some(form) = form.as_object_mut() {
        form.remove(Template::NOTE);
        if !note.trim().is_empty() {
            form.insert(Template::NOTE.to_owned(), json!(note.trim()));
        }
    }
    Ok(Template::import(&form.to_string(), version)?.to_json())
}

/// The draft that a published template begins as.
pub fn draft_of(template: &str) -> Result<Value, FormError> {
    Ok(Template::from_json(template.as_bytes())?.to_draft())
}

/// What one canonical text changes against an earlier one.
pub fn differences_between(earlier: &str, later: &str) -> Result<Value, FormError> {
    let earlier = Template::from_json(earlier.as_bytes())?;
    let later = Template::from_json(later.as_bytes())?;
    let one = |difference: &Difference| {
        json!({
            "code": difference.code, "label": difference.label, "aspect": difference.aspect.code(),
            "before": difference.before, "after": difference.after,
        })
    };
    Ok(later.differences_from(&earlier).iter().map(one).collect())
}

fn thrown(error: FormError) -> JsValue {
    JsValue::from(JsError::new(&format!("form-bad: {error}")))
}

/// See [`faults_of`].
#[wasm_bindgen]
pub fn faults(draft: &str) -> String {
    faults_of(draft).to_string()
}

/// See [`template_of`].
#[wasm_bindgen]
pub fn template(draft: &str, version: u32, note: &str) -> Result<String, JsValue> {
    let bytes = template_of(draft, version, note).map_err(thrown)?;
    // It was written as text.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// See [`draft_of`].
#[wasm_bindgen]
pub fn draft(template: &str) -> Result<String, JsValue> {
    draft_of(template)
        .map(|draft| draft.to_string())
        .map_err(thrown)
}

/// See [`differences_between`].
#[wasm_bindgen]
pub fn differences(earlier: &str, later: &str) -> Result<String, JsValue> {
    differences_between(earlier, later)
        .map(|all| all.to_string())
        .map_err(thrown)
}

/// See [`from_workbook`].
#[wasm_bindgen(js_name = fromWorkbook)]
pub fn from_workbook_js(bytes: &[u8], file_name: &str) -> String {
    match from_workbook(bytes, file_name) {
        WorkbookJson::Proposal(value) | WorkbookJson::Refused(value) => value.to_string(),
    }
}

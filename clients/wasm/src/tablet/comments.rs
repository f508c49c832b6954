//! What a person says about a cell: under their own key, whatever they may write.

use sync_core::document::margin::WORDS_MARK;
use sync_core::document::{Comment, Entry, Subject};
use sync_core::limits;

use super::{StepError, TabletState};
use crate::json::Typed;

impl TabletState {
    /// The entry of a comment; one that resolves names everything that is here.
    pub(super) fn comment_of(
        &mut self,
        subject: &Subject,
        typed: &Typed,
    ) -> Result<Entry, StepError> {
        let argument = |what: &str| StepError::Argument(what.to_owned());
        let (code, comment) = match typed {
            Typed::Comment { code, text } => {
                let text = text.trim();
                if text.is_empty() || text.len() > limits::COMMENT_BYTES_MAX {
                    return Err(argument("a comment is one or some sentences"));
                }
                (code, Comment::Said(text.to_owned()))
            }
            Typed::Resolve { code } => {
                let thread = self.device.with_draft(subject)?.thread(code);
                let resolution = thread.resolution();
                (code, resolution.ok_or_else(|| argument("no comment"))?)
            }
            Typed::Reopen { code } => (code, Comment::Reopened),
            Typed::Cell { .. }
            | Typed::Number { .. }
            | Typed::NoOccurrence { .. }
            | Typed::Carry { .. }
            | Typed::Note { .. }
            | Typed::Source { .. }
            | Typed::Reason { .. }
            | Typed::Version { .. } => return Err(argument("no comment")),
        };
        let template = self.template_of(subject)?;
        let is_part = |part: &str| template.outline_part(part).is_some();
        if template.row(code).is_none() && !code.strip_prefix(WORDS_MARK).is_some_and(is_part) {
            return Err(StepError::Unknown(code.clone()));
        }
        Ok(Entry::Comment {
            code: code.clone(),
            key: self.device.sealer().key_id(),
            comment,
        })
    }
}

//! Answers that may end the worker: what an answer brings, and taking it without some of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sync_core::identity::PartId;
use sync_core::log::Write;
use sync_core::sync::packed::Packing;
use sync_core::sync::{Frame, PackedResponse, Response};

use super::{Step, StepError, TabletState};

/// Key of where a device stands with its node.
const PEER: u8 = 0x23;

/// What an answer brings: the parts by name, and how many catalogue records.
pub(crate) fn brings(frame: &[u8]) -> Step {
    let response = response(frame)?;
    let parts: Vec<Value> = response
        .entries
        .iter()
        .map(|(_, part)| json!(part.id()))
        .collect();
    Ok(json!({"parts": parts, "records": response.records.len()}).to_string())
}

/// The answer in a frame.
pub(super) fn response(frame: &[u8]) -> Result<Box<Response>, StepError> {
    match Frame::decode(frame) {
        Ok(Frame::Response(response)) => Ok(response),
        Ok(Frame::Problem(code)) => Err(StepError::Problem(code)),
        Ok(Frame::PackedResponse(packed)) if is_unpacked(&packed) => Ok(Box::new(packed.response)),
        Ok(Frame::PackedResponse(_)) => Err(StepError::Frame("a packed answer".to_owned())),
        Ok(Frame::Request(_) | Frame::PackedRequest(_)) => {
            Err(StepError::Frame("a request".to_owned()))
        }
        Err(error) => Err(StepError::Frame(error.to_string())),
    }
}

fn is_unpacked(packed: &PackedResponse) -> bool {
    packed.records.is_none() && packed.entries == Packing::Plain
}

/// Takes the parts that are to be left out from an answer.
pub(super) fn leave_out(response: &mut Response, without: &BTreeSet<PartId>) {
    response
        .entries
        .retain(|(_, part)| !without.contains(&part.id()));
}

impl TabletState {
    /// Forgets where this device stands with its node, so that everything is read again: what was left
    /// out by a version that could not take it is offered to this one.
    pub(super) fn forget_place() -> Write {
        Write {
            key: vec![PEER],
            value: None,
        }
    }
}

/// Ends the worker at a figure that nobody reports, for the test that it comes back: this is in no build
/// that ships.
#[cfg(feature = "planted-panic")]
#[allow(clippy::panic, reason = "the planted panic itself")]
pub(super) fn planted(response: &Response) {
    /// 404404404 as a change writes it.
    const FIGURE: &[u8] = &[180, 241, 234, 192, 1];
    for (_, part) in &response.entries {
        for bytes in part.entries().filter_map(|(_, bytes)| bytes) {
            if bytes.windows(FIGURE.len()).any(|window| window == FIGURE) {
                panic!("planted");
            }
        }
    }
}

//! Gives the document of this interface.

use crate::openapi::{self, InterfaceText};

/// `GET /v1/openapi.json`
pub(crate) async fn respond() -> InterfaceText {
    InterfaceText(openapi::text())
}

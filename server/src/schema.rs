//! How plain values of the core look on the wire, for the document of the interface.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use sync_core::catalogue::Role;

/// So many bytes as lower-case hexadecimal digits: every identity.
#[derive(Debug)]
pub(crate) struct Hex<const BYTES: usize>;

impl<const BYTES: usize> JsonSchema for Hex<BYTES> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Hex{BYTES}").into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": format!("^[0-9a-f]{{{}}}$", BYTES.saturating_mul(2)),
        })
    }
}

/// One of the roles.
#[derive(Debug)]
pub(crate) struct RoleName;

impl JsonSchema for RoleName {
    fn schema_name() -> Cow<'static, str> {
        "Role".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Role::ALL })
    }
}

/// Text in a form of its own, read and checked where it arrives.
macro_rules! text_schema {
    ($name:ident, $about:literal) => {
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $about })
            }
        }
    };
}

pub(crate) use text_schema;

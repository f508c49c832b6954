//! Key ff: the version of the shape that the derived keys have. Derived.
//!
//! Key: `ff`. Value: `var version`. Missing or another one: everything is derived again.

use store::{ReadError, Store, Write};
use sync_core::codec::Writer;
use sync_core::log::keys;

fn current() -> Vec<u8> {
    let mut writer = Writer::new();
    writer.var(keys::DERIVED_VERSION);
    writer.into_bytes()
}

/// True if what is derived has the shape that this program derives.
pub fn is_current(store: &dyn Store) -> Result<bool, ReadError> {
    Ok(store.get(&keys::derived_version())? == Some(current()))
}

/// The write that says so.
pub fn write() -> Write {
    Write {
        key: keys::derived_version(),
        value: Some(current()),
    }
}

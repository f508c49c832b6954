//! Key 02: a signed catalogue record. Key: `02, u64 number`. Value: the signed record.

/// First byte of the keys.
pub const TAG: u8 = 0x02;

/// The key of a record.
pub fn key(number: u64) -> Vec<u8> {
    let mut key = vec![TAG];
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// The end of all keys of this kind.
pub fn end() -> Vec<u8> {
    vec![TAG + 1]
}

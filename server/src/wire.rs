//! Values as clients write them, checked while they are read: what got past here is well formed.

use std::fmt;

use data_encoding::HEXLOWER;
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sync_core::limits::NAME_BYTES_MAX;

use crate::schema::text_schema;

/// Characters of a sign-in name.
const SIGN_IN_NAME_CHARACTERS_MAX: usize = 64;

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        pub struct $name(String);
        impl $name {
            /// Checks a text.
            pub fn new(text: &str) -> Result<Self, &'static str> {
                $check(text).map(Self)
            }
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
            /// The text itself.
            pub fn into_string(self) -> String {
                self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Self::new(&String::deserialize(from)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

checked_text!(
    /// A name or label for people to read: trimmed, not empty, no control characters.
    Label,
    check_label
);
checked_text!(
    /// A sign-in name: lower case, no white space, at most 64 characters.
    SignInName,
    check_sign_in_name
);
checked_text!(
    /// A day, yyyy-mm-dd.
    Day,
    check_day
);

text_schema!(
    Label,
    "A name or label for people to read: trimmed, not empty, no control characters."
);
text_schema!(
    SignInName,
    "A sign-in name: lower case, no white space, at most 64 characters."
);
text_schema!(Day, "A day, yyyy-mm-dd.");
text_schema!(PublicKey, "An Ed25519 public key as 64 hexadecimal digits.");
text_schema!(
    SignatureHex,
    "An Ed25519 signature as 128 hexadecimal digits."
);
text_schema!(
    EnrolmentCode,
    "A one-time enrolment code: twelve symbols of Crockford's base 32, in fours."
);

fn check_label(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Err("a name is empty");
    }
    if text.len() > NAME_BYTES_MAX {
        return Err("a name is over 512 bytes");
    }
    if text.chars().any(char::is_control) {
        return Err("a name holds control characters");
    }
    Ok(text.to_owned())
}

fn check_sign_in_name(text: &str) -> Result<String, &'static str> {
    let text = text.trim().to_lowercase();
    if text.is_empty() || text.chars().count() > SIGN_IN_NAME_CHARACTERS_MAX {
        return Err("a sign-in name has 1 to 64 characters");
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("a sign-in name holds white space or control characters");
    }
    Ok(text)
}

fn check_day(text: &str) -> Result<String, &'static str> {
    const WRONG: &str = "a day is written yyyy-mm-dd";
    let mut fields = text.split('-');
    let mut field = |digits: usize| -> Result<u16, &'static str> {
        fields
            .next()
            .filter(|field| field.len() == digits && field.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|field| field.parse().ok())
            .ok_or(WRONG)
    };
    let (year, month, day) = (field(4)?, field(2)?, field(2)?);
    if fields.next().is_some() {
        return Err(WRONG);
    }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return Err("there is no such month"),
    };
    if day == 0 || day > days {
        return Err("there is no such day");
    }
    Ok(text.to_owned())
}

/// An Ed25519 public key as 64 hexadecimal digits; small-order points are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(pub [u8; 32]);

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        HEXLOWER
            .decode(text.as_bytes())
            .ok()
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .filter(|bytes| VerifyingKey::from_bytes(bytes).is_ok_and(|key| !key.is_weak()))
            .map(Self)
            .ok_or_else(|| {
                serde::de::Error::custom("a public key is 64 hexadecimal digits of Ed25519")
            })
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&HEXLOWER.encode(&self.0))
    }
}

/// An Ed25519 signature as 128 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureHex(pub [u8; 64]);

impl<'de> Deserialize<'de> for SignatureHex {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        HEXLOWER
            .decode(text.as_bytes())
            .ok()
            .and_then(|bytes| <[u8; 64]>::try_from(bytes).ok())
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("a signature is 128 hexadecimal digits"))
    }
}

/// An enrolment code in canonical form: twelve symbols of Crockford's base 32, no separators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentCode(String);

const CODE_SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE_LENGTH: usize = 12;

impl EnrolmentCode {
    /// The code of 60 of these bits.
    pub fn of(random: [u8; 8]) -> Self {
        let bits = u64::from_be_bytes(random);
        let symbol = |at: usize| {
            let index = (bits >> (5 * at)) & 31;
            CODE_SYMBOLS
                .get(usize::try_from(index).unwrap_or(0))
                .copied()
                .map_or('0', char::from)
        };
        Self((0..CODE_LENGTH).map(symbol).collect())
    }
    /// The canonical form: what is hashed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Reads what a person typed: any case, any separators, the letters that look like digits.
    pub fn read(typed: &str) -> Option<Self> {
        let code: String = typed
            .chars()
            .filter(|c| !matches!(c, '-' | ' '))
            .map(|c| match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            })
            .collect();
        let known = code.bytes().all(|symbol| CODE_SYMBOLS.contains(&symbol));
        (code.len() == CODE_LENGTH && known).then_some(Self(code))
    }
}

impl fmt::Display for EnrolmentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, symbol) in self.0.chars().enumerate() {
            if at > 0 && at % 4 == 0 {
                f.write_str("-")?;
            }
            write!(f, "{symbol}")?;
        }
        Ok(())
    }
}

impl Serialize for EnrolmentCode {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_code_is_read_back_as_it_is_shown_and_as_people_type_it(random: [u8; 8]) {
            let code = EnrolmentCode::of(random);
            let shown = code.to_string();
            prop_assert_eq!(shown.len(), 14);
            prop_assert_eq!(EnrolmentCode::read(&shown), Some(code.clone()));
            let typed = shown.to_lowercase().replace('0', "o").replace('1', "l").replace('-', " ");
            prop_assert_eq!(EnrolmentCode::read(&typed), Some(code));
        }
    }

    #[test]
    fn days_names_and_keys_are_checked() {
        assert!(Day::new("2024-02-29").is_ok());
        for wrong in [
            "2025-02-29",
            "2025-13-01",
            "2025-1-01",
            "2025-01-00",
            "x",
            "2025-01-01-",
        ] {
            assert!(Day::new(wrong).is_err(), "{wrong}");
        }
        assert_eq!(SignInName::new(" Hanh.NT ").unwrap().as_str(), "hanh.nt");
        assert!(SignInName::new("a b").is_err());
        assert!(Label::new("  ").is_err());
        assert!(Label::new(&"x".repeat(513)).is_err());
        let zeros = format!("\"{}\"", "0".repeat(64));
        assert!(
            serde_json::from_str::<PublicKey>(&zeros).is_err(),
            "a weak key"
        );
        assert!(EnrolmentCode::read("ABCD").is_none());
        assert!(EnrolmentCode::read("UUUU-UUUU-UUUU").is_none());
    }
}

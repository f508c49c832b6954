//! Keys of the age format as text: Bech32, `age1…` for sealing, `AGE-SECRET-KEY-1…` for opening.

use curve25519_dalek::MontgomeryPoint;

const LETTERS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATORS: [u32; 5] = [
    0x3b6a_57b2,
    0x2650_8e6d,
    0x1ea1_19fa,
    0x3d42_33dd,
    0x2a14_62b3,
];
const OPEN_PREFIX: &str = "age";
const SECRET_PREFIX: &str = "age-secret-key-";

/// The key that something is sealed to; it opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient(pub(super) [u8; 32]);

/// The secret that opens what is sealed to its recipient.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity(pub(super) [u8; 32]);

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

impl Recipient {
    /// Reads `age1…`.
    pub fn read(text: &str) -> Option<Self> {
        text.bytes()
            .all(|byte| !byte.is_ascii_uppercase())
            .then(|| decode(OPEN_PREFIX, text))
            .flatten()
            .map(Self)
    }
    /// Its text.
    pub fn text(&self) -> String {
        encode(OPEN_PREFIX, &self.0)
    }
}

impl Identity {
    /// The secret of random bytes.
    pub fn of(random: [u8; 32]) -> Self {
        Self(random)
    }
    /// Its recipient.
    pub fn recipient(&self) -> Recipient {
        Recipient(MontgomeryPoint::mul_base_clamped(self.0).0)
    }
    /// Reads `AGE-SECRET-KEY-1…`.
    pub fn read(text: &str) -> Option<Self> {
        text.bytes()
            .all(|byte| !byte.is_ascii_lowercase())
            .then(|| decode(SECRET_PREFIX, &text.to_ascii_lowercase()))
            .flatten()
            .map(Self)
    }
    /// Reads a file of keys: one on a line, `#` begins a comment. None if a line is something else.
    pub fn read_file(text: &str) -> Option<Vec<Self>> {
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(Self::read)
            .collect()
    }
    /// Its text.
    pub fn text(&self) -> String {
        encode(SECRET_PREFIX, &self.0).to_ascii_uppercase()
    }
}

fn checksum(values: impl Iterator<Item = u8>) -> u32 {
    values.fold(1, |sum, value| {
        let top = sum >> 25;
        let sum = ((sum & 0x01ff_ffff) << 5) ^ u32::from(value);
        let chosen = GENERATORS.iter().enumerate();
        chosen
            .filter(|(bit, _)| (top >> bit) & 1 == 1)
            .fold(sum, |sum, (_, generator)| sum ^ generator)
    })
}

fn expanded(prefix: &str) -> impl Iterator<Item = u8> {
    let high = prefix.bytes().map(|byte| byte >> 5);
    let low = prefix.bytes().map(|byte| byte & 31);
    high.chain(std::iter::once(0)).chain(low)
}

/// Regroups bits, most significant first; what is left over is filled with zeros.
fn regroup(values: impl Iterator<Item = u8>, from: u32, to: u32) -> (Vec<u8>, u32) {
    let (mut bits, mut count, mut groups) = (0_u32, 0, Vec::new());
    for value in values {
        bits = (bits << from) | u32::from(value);
        count += from;
        while count >= to {
            count -= to;
            groups.push(((bits >> count) & ((1 << to) - 1)) as u8);
        }
    }
    (groups, (bits << (to - count)) & ((1 << to) - 1))
}

fn encode(prefix: &str, key: &[u8; 32]) -> String {
    let (mut values, rest) = regroup(key.iter().copied(), 8, 5);
    values.push(rest as u8);
    let zeros = std::iter::repeat_n(0, 6);
    let sum = checksum(expanded(prefix).chain(values.iter().copied()).chain(zeros)) ^ 1;
    values.extend((0..6).map(|place| ((sum >> (5 * (5 - place))) & 31) as u8));
    let letters = values
        .iter()
        .filter_map(|value| LETTERS.get(usize::from(*value)));
    let letters: String = letters.map(|letter| char::from(*letter)).collect();
    format!("{prefix}1{letters}")
}

fn decode(prefix: &str, text: &str) -> Option<[u8; 32]> {
    let letters = text.strip_prefix(prefix)?.strip_prefix('1')?;
    let place = |byte: u8| LETTERS.iter().position(|letter| *letter == byte);
    let values: Vec<u8> = letters
        .bytes()
        .map(|byte| place(byte).and_then(|place| u8::try_from(place).ok()))
        .collect::<Option<_>>()?;
    if checksum(expanded(prefix).chain(values.iter().copied())) != 1 {
        return None;
    }
    let (content, _) = values.split_last_chunk::<6>()?;
    let (bytes, rest) = regroup(content.iter().copied(), 5, 8);
    // Whatever does not fill a byte is zeros.
    match rest {
        0 => bytes.try_into().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_as_they_are_written_and_no_other_way() {
        let text = "AGE-SECRET-KEY-1XMWWC06LY3EE5RYTXM9MFLAZ2U56JJJ36S0MYPDRWSVLUL66MV4QX3S7F6";
        let identity = Identity::read(text).unwrap();
        assert_eq!(identity.text(), text);
        let open = identity.recipient().text();
        assert_eq!(open.len(), 62);
        assert_eq!(Recipient::read(&open), Some(identity.recipient()));
        for at in 4..open.len() {
            let mut wrong = open.clone().into_bytes();
            wrong[at] = if wrong[at] == b'q' { b'p' } else { b'q' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert_eq!(Recipient::read(&wrong), None, "{wrong}");
        }
        assert_eq!(Recipient::read(&open.to_uppercase()), None);
        assert_eq!(Identity::read(&text.to_lowercase()), None);
        let file = format!("# made on a day\n\n{text}\n");
        assert_eq!(Identity::read_file(&file), Some(vec![identity]));
        assert_eq!(Identity::read_file("age1q\n"), None);
    }
}

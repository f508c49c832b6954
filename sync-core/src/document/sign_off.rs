//! A sign-off: a statement of a person about a document at given heads.

use super::root::Table;
use super::standing::{NewPut, puts};
use crate::codec::{DecodeError, Reader, Writer};
use crate::gate::{DecodedChange, Value};
use crate::identity::ChangeHash;
use crate::limits;

const VERSION: u8 = 1;

/// What is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Statement {
    /// The unit hands the report in.
    HandedIn,
    /// Prepared by.
    Prepared,
    /// Signed by the head of the unit.
    Signed,
    /// Accepted by the level above.
    Accepted,
    /// Returned with a reason.
    Returned,
    /// Approved for publication.
    Approved,
}

impl Statement {
    /// All, in the order of their bytes from 1.
    pub const ALL: [Self; 6] = [
        Self::HandedIn,
        Self::Prepared,
        Self::Signed,
        Self::Accepted,
        Self::Returned,
        Self::Approved,
    ];

    /// The byte that stands for it.
    pub fn byte(self) -> u8 {
        match self {
            Self::HandedIn => 1,
            Self::Prepared => 2,
            Self::Signed => 3,
            Self::Accepted => 4,
            Self::Returned => 5,
            Self::Approved => 6,
        }
    }

    /// The statement of a byte.
    pub fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.byte() == byte)
    }
}

/// The last statement that a change makes, if it makes any.
pub fn last_statement(change: &DecodedChange) -> Option<Statement> {
    let of = |(table, _, put): (Table, &str, NewPut<'_>)| match (table, put.value) {
        (Table::SignOffs, Value::Bytes(bytes)) => SignOff::decode(bytes).ok(),
        (_, _) => None,
    };
    puts(change).filter_map(of).last().map(|it| it.statement)
}

/// In which capacity somebody signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capacity {
    /// In the own office.
    Own,
    /// KT.: for the head, as a deputy.
    Deputy,
    /// TL.: by order.
    ByOrder,
    /// TUQ.: by authorisation.
    Authorised,
}

impl Capacity {
    /// All, in the order of their bytes from 0.
    pub const ALL: [Self; 4] = [Self::Own, Self::Deputy, Self::ByOrder, Self::Authorised];

    /// The byte that stands for it.
    pub fn byte(self) -> u8 {
        match self {
            Self::Own => 0,
            Self::Deputy => 1,
            Self::ByOrder => 2,
            Self::Authorised => 3,
        }
    }

    /// The capacity of a byte.
    pub fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.byte() == byte)
    }
}

/// A statement about a document at given heads: section 7 of `docs/formats.md`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignOff {
    /// What is stated.
    pub statement: Statement,
    /// In which capacity.
    pub capacity: Capacity,
    /// The version it is about: ascending, at least one.
    pub heads: Vec<ChangeHash>,
    /// Why; may be empty.
    pub reason: String,
}

impl SignOff {
    /// The canonical bytes. The heads are sorted, repetitions left out.
    pub fn encode(&self) -> Vec<u8> {
        let mut heads = self.heads.clone();
        heads.sort_unstable();
        heads.dedup();
        let mut writer = Writer::new();
        writer
            .u8(VERSION)
            .u8(self.statement.byte())
            .u8(self.capacity.byte())
            .var(heads.len() as u64);
        for head in &heads {
            writer.raw(&head.0);
        }
        writer.text(&self.reason);
        writer.into_bytes()
    }

    /// Reads what [`SignOff::encode`] writes, and nothing else.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut from = Reader::new(bytes);
        if from.u8("sign-off version")? != VERSION {
            return Err(DecodeError::Undefined("sign-off version"));
        }
        let statement =
            Statement::of(from.u8("statement")?).ok_or(DecodeError::Undefined("statement"))?;
        let capacity =
            Capacity::of(from.u8("capacity")?).ok_or(DecodeError::Undefined("capacity"))?;
        let count = from.count(limits::DEPENDENCIES_MAX, "heads of a sign-off")?;
        let heads = (0..count)
            .map(|_| from.array("head").map(ChangeHash))
            .collect::<Result<Vec<_>, _>>()?;
        if heads.is_empty() || !heads.is_sorted_by(|one, next| one < next) {
            return Err(DecodeError::Undefined("heads of a sign-off"));
        }
        let reason = from.text(limits::REASON_BYTES_MAX, "reason")?.to_owned();
        from.end("sign-off")?;
        Ok(Self {
            statement,
            capacity,
            heads,
            reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sign_off() -> impl Strategy<Value = SignOff> {
        (
            proptest::sample::select(&Statement::ALL[..]),
            proptest::sample::select(&Capacity::ALL[..]),
            proptest::collection::btree_set(any::<[u8; 32]>(), 1..4),
            "\\PC{0,20}",
        )
            .prop_map(|(statement, capacity, heads, reason)| SignOff {
                statement,
                capacity,
                heads: heads.into_iter().map(ChangeHash).collect(),
                reason,
            })
    }

    proptest! {
        #[test]
        fn sign_offs_round_trip(sign_off in sign_off()) {
            prop_assert_eq!(SignOff::decode(&sign_off.encode()), Ok(sign_off));
        }

        #[test]
        fn what_decodes_encodes_the_same(sign_off in sign_off(), at: usize, byte: u8) {
            let mut bytes = sign_off.encode();
            let at = at % bytes.len();
            bytes[at] = byte;
            if let Ok(other) = SignOff::decode(&bytes) {
                prop_assert_eq!(other.encode(), bytes);
            }
        }
    }

    #[test]
    fn heads_are_needed_in_order_and_once() {
        let of = |heads: &[u8]| {
            let mut bytes = vec![VERSION, 3, 0, heads.len() as u8];
            heads.iter().for_each(|head| bytes.extend([*head; 32]));
            bytes.push(0);
            SignOff::decode(&bytes)
        };
        assert!(of(&[1, 2]).is_ok());
        for heads in [&[][..], &[2, 1], &[1, 1]] {
            assert_eq!(
                of(heads),
                Err(DecodeError::Undefined("heads of a sign-off"))
            );
        }
    }
}

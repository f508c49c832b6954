//! A comment at a cell: said, resolved or reopened; and the thread that the comments of a cell are.
//!
//! Comments are written once, each under its author's key and number, so those of several people are a set however
//! they arrive. A resolution names what its author had read: for each key the last number. The thread is open while
//! something in it was said, or reopened, that no resolution names; so what somebody said beside a resolution they did
//! not know of is never resolved unread.

use std::collections::BTreeMap;

use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::{ActorId, ChangeHash, KeyId};
use crate::limits;

const VERSION: u8 = 1;

/// What is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Comment {
    /// A sentence or more; not empty.
    Said(String),
    /// Everything up to these numbers is dealt with; at least one.
    Resolved(BTreeMap<KeyId, u64>),
    /// It is not dealt with after all.
    Reopened,
}

impl Comment {
    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut to = Writer::new();
        to.u8(VERSION);
        match self {
            Self::Said(text) => {
                to.u8(1).text(text);
            }
            Self::Resolved(read) => {
                to.u8(2).var(read.len() as u64);
                for (key, through) in read {
                    to.raw(&key.0).var(*through);
                }
            }
            Self::Reopened => {
                to.u8(3);
            }
        }
        to.into_bytes()
    }

    /// Reads what [`Comment::encode`] writes, and nothing else.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut from = Reader::new(bytes);
        if from.u8("comment version")? != VERSION {
            return Err(DecodeError::Undefined("comment version"));
        }
        let comment = match from.u8("kind of comment")? {
            1 => {
                let text = from.text(limits::COMMENT_BYTES_MAX, "comment")?;
                if text.trim().is_empty() {
                    return Err(DecodeError::Undefined("empty comment"));
                }
                Self::Said(text.to_owned())
            }
            2 => {
                let count = from.count(limits::COMMENTERS_MAX, "read")?;
                let mut read = BTreeMap::new();
                for _ in 0..count {
                    let key = KeyId(from.array("key")?);
                    let through = from.var("number")?;
                    let last = read.last_key_value().map(|(last, _)| *last);
                    if through == 0 || last.is_some_and(|last| last >= key) {
                        return Err(DecodeError::Undefined("read"));
                    }
                    read.insert(key, through);
                }
                if read.is_empty() {
                    return Err(DecodeError::Undefined("read"));
                }
                Self::Resolved(read)
            }
            3 => Self::Reopened,
            _ => return Err(DecodeError::Undefined("kind of comment")),
        };
        from.end("comment")?;
        Ok(comment)
    }
}

/// A comment as found in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedComment {
    /// The key of its author.
    pub key: KeyId,
    /// Its number among those of the key at this cell.
    pub number: u64,
    /// What was written.
    pub comment: Comment,
    /// The chain that wrote it.
    pub actor: ActorId,
    /// When, as that device claims, seconds since 1970 UTC.
    pub claimed_at: i64,
    /// The change that carries it.
    pub change: ChangeHash,
}

/// The comments at a cell, no later one before one that it had seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Thread {
    /// All of them.
    pub comments: Vec<PlacedComment>,
}

impl Thread {
    /// True while something was said or reopened that no resolution names.
    pub fn is_open(&self) -> bool {
        let resolutions = || {
            self.comments.iter().filter_map(|one| match &one.comment {
                Comment::Resolved(read) => Some(read),
                Comment::Said(_) | Comment::Reopened => None,
            })
        };
        self.comments.iter().any(|one| match &one.comment {
            Comment::Resolved(_) => false,
            Comment::Said(_) | Comment::Reopened => {
                let names = |read: &BTreeMap<KeyId, u64>| {
                    read.get(&one.key)
                        .is_some_and(|through| *through >= one.number)
                };
                !resolutions().any(names)
            }
        })
    }

    /// The resolution of everything that is here; none if nothing is.
    pub fn resolution(&self) -> Option<Comment> {
        let mut read: BTreeMap<KeyId, u64> = BTreeMap::new();
        for one in &self.comments {
            let through = read.entry(one.key).or_default();
            *through = one.number.max(*through);
        }
        let fits = !read.is_empty() && read.len() <= limits::COMMENTERS_MAX;
        fits.then_some(Comment::Resolved(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(of: u8) -> KeyId {
        KeyId([of; 16])
    }

    fn comment() -> impl Strategy<Value = Comment> {
        prop_oneof![
            "[a-zế]{1,20}".prop_map(Comment::Said),
            proptest::collection::btree_map((0u8..4).prop_map(key), 1u64..9, 1..4)
                .prop_map(Comment::Resolved),
            Just(Comment::Reopened),
        ]
    }

    fn placed() -> impl Strategy<Value = PlacedComment> {
        (0u8..4, 1u64..9, comment()).prop_map(|(of, number, comment)| PlacedComment {
            key: key(of),
            number,
            comment,
            actor: ActorId([of; 16]),
            claimed_at: 0,
            change: ChangeHash([0; 32]),
        })
    }

    proptest! {
        #[test]
        fn comments_round_trip(comment in comment()) {
            prop_assert_eq!(Comment::decode(&comment.encode()), Ok(comment));
        }

        #[test]
        fn what_decodes_encodes_the_same(comment in comment(), at: usize, byte: u8) {
            let mut bytes = comment.encode();
            let at = at % bytes.len();
            bytes[at] = byte;
            if let Ok(other) = Comment::decode(&bytes) {
                prop_assert_eq!(other.encode(), bytes);
            }
        }

        /// Open or not is a question about a set: order and repetition say nothing.
        #[test]
        fn a_thread_is_a_set(
            comments in proptest::collection::vec(placed(), 0..8),
            rotate in 0usize..8,
        ) {
            let thread = Thread { comments: comments.clone() };
            let mut other = comments.clone();
            other.extend(comments.clone());
            other.rotate_left(rotate.min(comments.len()));
            other.reverse();
            prop_assert_eq!(thread.is_open(), Thread { comments: other }.is_open());
        }

        /// A resolution resolves all that its author had read, and nothing that came beside it.
        #[test]
        fn a_resolution_is_of_what_was_read(comments in proptest::collection::vec(placed(), 1..8), beside: bool) {
            let mut thread = Thread { comments };
            let comment = thread.resolution().expect("something is here");
            let mut said = thread.comments[0].clone();
            said.key = key(9);
            said.comment = comment;
            thread.comments.push(said.clone());
            prop_assert!(!thread.is_open());
            if beside {
                said.key = key(8);
                said.number = 1;
                said.comment = Comment::Said("còn".to_owned());
                thread.comments.insert(0, said);
                prop_assert!(thread.is_open());
            }
        }
    }

    #[test]
    fn nothing_is_no_comment() {
        for bytes in [
            &[1, 1, 0][..],
            &[1, 1, 1, b' '],
            &[1, 2, 0],
            &[1, 4],
            &[2, 3],
            &[1, 3, 0],
        ] {
            assert!(Comment::decode(bytes).is_err(), "{bytes:?}");
        }
    }
}

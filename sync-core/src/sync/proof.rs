//! Whose word a part is taken on: its author's signature, or the province's attestation.
//!
//! | a device's request says | a node answers with |
//! |---|---|
//! | [`Proof::Author`]: signed parts only | signed parts; those it holds on somebody's word it leaves out, and compares nothing |
//! | [`Proof::Either`] | signed parts, and those it holds on the province's word as they are |
//! | [`Proof::Node`]: the province's word will do | packed parts without signatures under one attestation, if it is a node of the province itself; else as above |
//! | [`Proof::NodeUsefulFirst`]: and the most useful first; packed requests alone | the same, in the order of [`arrival`](super::arrival) |
//!
//! Above its fortieth bit the same number says how many years back a first contact reaches
//! ([`extent`](super::extent)), plus one; 0: all.
//!
//! A device asks for the last while it has not had everything: its *first contact*. Every program from
//! before attestations says the first, whatever it does, and every node from before that order reads the
//! last as the first: it sends signatures, and positions in order.
//!
//! What may be done with a part that only the province vouches for:
//!
//! | | |
//! |---|---|
//! | judged, merged, counted in fingerprints, repaired by | as any other: all of it goes by ids, which cover everything but the signature |
//! | sent to a node | as it is, and only to a node that has shown that it takes such parts |
//! | written into a bundle or an export | as it is: whoever reads it checks the province's word |
//! | sent as signed by its author | never: its bytes begin otherwise, and [`SignedPart::verify`] refuses it |

use std::sync::Arc;

use crate::batch::{Attestation, AttestationError, SignedPart, VerifiedPart, VerifyError};
use crate::catalogue::Catalogue;

/// Whose word a device takes for the parts of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Proof {
    /// Their authors' signatures alone.
    #[default]
    Author,
    /// The province's where it has no signature itself.
    Either,
    /// The province's for all of them: signatures need not be sent.
    Node,
    /// The same, and the most useful parts come first ([`arrival`](super::arrival)).
    NodeUsefulFirst,
}

/// What a number of bytes is rounded to, so that its last two bits can say something else.
const STEP: u64 = 4;

/// The bits of a number of bytes above which it says how many years back a first contact reaches, plus one.
/// A node that does not know of it reads more bytes than any answer has.
const YEARS_SHIFT: u32 = 40;

/// A number of bytes that says as well how many years back the answer reaches; none: as far as there is
/// anything.
pub(super) fn with_years(bytes_max: u64, years: Option<u8>) -> u64 {
    let said = years.map_or(0, |years| u64::from(years) + 1);
    bytes(bytes_max) | (said << YEARS_SHIFT)
}

/// How many years back a first contact reaches.
pub(super) fn years(bytes_max: u64) -> Option<u8> {
    let said = bytes_max >> YEARS_SHIFT;
    match Proof::of(bytes_max) {
        Proof::NodeUsefulFirst => u8::try_from(said.checked_sub(1)?).ok(),
        Proof::Author | Proof::Either | Proof::Node => None,
    }
}

/// The number of bytes itself.
pub(super) fn bytes(bytes_max: u64) -> u64 {
    bytes_max & ((1 << YEARS_SHIFT) - 1)
}

impl Proof {
    /// Another number of bytes that says everything else that this one does.
    pub fn instead(said: u64, bytes_max: u64) -> u64 {
        let instead = Self::of(said).with(bytes_max);
        match instead {
            0 => 0,
            _ => bytes(instead) | (said & !((1 << YEARS_SHIFT) - 1)),
        }
    }

    /// What the last two bits of the bytes that an answer may carry say. A node that does not know of it
    /// reads a number of bytes, which is as good as another.
    pub fn of(bytes_max: u64) -> Self {
        match bytes_max % STEP {
            1 => Self::Either,
            2 => Self::Node,
            3 => Self::NodeUsefulFirst,
            _ => Self::Author,
        }
    }

    /// A number of bytes that says it; none stay none, for such an answer has no parts.
    pub fn with(self, bytes_max: u64) -> u64 {
        let bytes_max = bytes_max - bytes_max % STEP;
        match (bytes_max, self) {
            (0, _) | (_, Self::Author) => bytes_max,
            (_, Self::Either) => bytes_max + 1,
            (_, Self::Node) => bytes_max + 2,
            (_, Self::NodeUsefulFirst) => bytes_max + 3,
        }
    }

    /// True if the province's word is taken for all parts.
    pub fn is_node(self) -> bool {
        match self {
            Self::Node | Self::NodeUsefulFirst => true,
            Self::Author | Self::Either => false,
        }
    }

    /// The same of a packed request: its answer has room to say what it left out.
    pub(super) fn packed(bytes_max: u64) -> u64 {
        match Self::of(bytes_max) {
            Self::Node => bytes_max + 1,
            Self::Author | Self::Either | Self::NodeUsefulFirst => bytes_max,
        }
    }

    /// The same of what comes after the first contact.
    pub fn afterwards(bytes_max: u64) -> u64 {
        let bytes_max = bytes(bytes_max);
        match Self::of(bytes_max) {
            Self::Node => bytes_max - 1,
            Self::NodeUsefulFirst => bytes_max - 2,
            Self::Author | Self::Either => bytes_max,
        }
    }
}

/// Checks parts by the keys of a catalogue.
#[derive(Debug)]
pub struct Verifier<'a> {
    catalogue: &'a Catalogue,
    /// The last attestation that held: all parts of an answer share one.
    held: Option<Arc<Attestation>>,
}

impl<'a> Verifier<'a> {
    /// By this catalogue.
    pub fn new(catalogue: &'a Catalogue) -> Self {
        let held = None;
        Self { catalogue, held }
    }

    /// A part as its signer sealed it, by the signature or by the province's word.
    ///
    /// # Errors
    /// A machine code.
    pub fn verify(&mut self, part: SignedPart) -> Result<VerifiedPart, &'static str> {
        let key = self.catalogue.key(part.header().key).ok_or("unknown-key")?;
        let verified = match part.attestation() {
            None => {
                let key = key.verifying().ok_or("wrong-signature")?;
                part.verify_with(key)
            }
            Some(by) => {
                let by = Arc::clone(by);
                self.attested(&by).map_err(AttestationError::code)?;
                part.verify_vouched()
            }
        };
        verified.map_err(|error| match error {
            VerifyError::Attestation(error) => error.code(),
            VerifyError::Key
            | VerifyError::Signature
            | VerifyError::Path
            | VerifyError::Change
            | VerifyError::NotSigned
            | VerifyError::NotVouched => "wrong-signature",
        })
    }

    /// Whether an attestation is the province's.
    pub fn attested(&mut self, by: &Arc<Attestation>) -> Result<(), AttestationError> {
        let same = |held: &Arc<Attestation>| Arc::ptr_eq(held, by) || held == by;
        if self.held.as_ref().is_some_and(same) {
            return Ok(());
        }
        let key = self.catalogue.province_node_key(by.said.key);
        let key = key.and_then(|key| ed25519_dalek::VerifyingKey::from_bytes(key).ok());
        by.verify(&key.ok_or(AttestationError::Key)?)?;
        self.held = Some(Arc::clone(by));
        Ok(())
    }
}

//! Bundle files: signed parts, records and receipts for machines that share no network.
//!
//! A [`Cover`] says who wrote the file, for whom, and where the writer stands; [`Contents`] is what it
//! carries. [`write()`] makes the bytes: a signed [`Head`] that names every piece by its hash, then the
//! pieces. [`open`] reads them: nothing of a file is used before the signature over its head holds, and
//! nothing of a piece before its hash fits. What is read is unverified like anything that came over a
//! link; [`crate::sync::Device::take_bundle`] judges it. Bytes: `docs/formats.md` section 15.

mod head;
mod holdings;
mod piece;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use head::{BundleId, Chain, Cover, Destination, Head, Issuer, Span};
pub use holdings::{Holdings, OfChain, runs_text};
pub use piece::{Contents, Holds, Kind, PieceHead, Run};
pub use read::{Damage, Lack, Opened, length_of, open};
pub use write::{Written, write};

use crate::codec::DecodeError;
use crate::identity::{KeyId, ProvinceId};

/// The first bytes of a bundle: not text, so that whatever took the file for text is noticed.
pub const MAGIC: [u8; 8] = [0x8f, b'D', b'B', b'B', 0x0d, 0x0a, 0x1a, 0x0a];

/// The version of the format that this code writes and reads.
pub const VERSION: u8 = 1;

/// Why a bundle is not used. Nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The file does not begin like one.
    #[error("this is no bundle file")]
    NotOne,
    /// Written by a later version of the product.
    #[error("the bundle has version {0}, which this program does not read")]
    Version(u8),
    /// The file ends inside its head: it says nothing.
    #[error("the bundle ends inside its head")]
    HeadCut,
    /// The head cannot be read: changed on the way.
    #[error("the head of the bundle cannot be read: {0}")]
    Head(DecodeError),
    /// The signature over the head is not its issuer's: changed on the way.
    #[error("the signature of the bundle is not its issuer's")]
    Signature,
    /// A piece was changed on the way.
    #[error("piece {piece} of {pieces} of the bundle was changed on the way")]
    Damaged {
        /// Which one, from 1.
        piece: usize,
        /// How many there are.
        pieces: usize,
    },
    /// Bytes stand behind the last piece.
    #[error("bytes are left over behind the end of the bundle")]
    LeftOver,
    /// The issuer signed a head that does not say what a piece holds.
    #[error("piece {piece} of {pieces} of the bundle is not what its head says")]
    Misdescribed {
        /// Which one, from 1.
        piece: usize,
        /// How many there are.
        pieces: usize,
    },
    /// Longer than allowed.
    #[error("{0} of the bundle is over its limit")]
    TooLarge(&'static str),
    /// There is nothing to write.
    #[error("there is nothing to put into a bundle")]
    Nothing,
    /// It is another province's.
    #[error("the bundle is of another province: {0}")]
    OtherProvince(ProvinceId),
    /// It is for somebody else.
    #[error("the bundle is for {0}")]
    NotForHere(Destination),
    /// The issuer's key is in no catalogue record, neither here nor in the bundle.
    #[error("the key {0} that signed the bundle is not in the catalogue")]
    IssuerUnknown(KeyId),
}

impl BundleError {
    /// A stable code for machines and message catalogues.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotOne => "bundle-not-one",
            Self::Version(_) => "bundle-version",
            Self::HeadCut => "bundle-head-cut",
            Self::Head(_) => "bundle-head-damaged",
            Self::Signature => "bundle-signature-wrong",
            Self::Damaged { .. } => "bundle-piece-damaged",
            Self::LeftOver => "bundle-left-over",
            Self::Misdescribed { .. } => "bundle-misdescribed",
            Self::TooLarge(_) => "bundle-too-large",
            Self::Nothing => "bundle-nothing",
            Self::OtherProvince(_) => "bundle-other-province",
            Self::NotForHere(_) => "bundle-not-for-here",
            Self::IssuerUnknown(_) => "bundle-issuer-unknown",
        }
    }
}

//! Twenty mistakes that such a system is known to make, planted one at a time to see that the
//! simulation notices.

use std::fmt;

/// A planted mistake. Each sits in the simulation's own shell around the real state machines; where
/// is said at the code that asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// The node answers before its journal is synced.
    AcknowledgeBeforeSync,
    /// The node reads a feed from one position too far.
    PositionOffByOne,
    /// A tablet applies what it received and seals its draft on those heads.
    SealOnReceivedHeads,
    /// A tablet clears a cell by deleting it instead of an explicit empty.
    DeleteInsteadOfEmpty,
    /// A tablet's genesis has the template version in it.
    GenesisWithTemplateVersion,
    /// The node takes a part for known when it knows its batch.
    DedupeByBatch,
    /// A tablet copied back goes on with numbers it has used.
    ReuseOfNumber,
    /// The node's gate does not look at predecessors.
    GateWithoutPredecessors,
    /// The incremental roll-up forgets a rival.
    RollUpForgetsRival,
    /// A snapshot gives a new tablet documents without the identity of the parts they came in.
    SnapshotWithoutParts,
    /// A tablet takes a repair for done that it never made.
    SkippedRepair,
    /// A tablet sends what it has on the province's word as if its author had signed it.
    VouchedAsSigned,
    /// An edge writes where it stands with the province before the parts that this tells of.
    PlaceBeforeParts,
    /// An edge that starts takes what its tablets brought while it was away from the province for sent.
    SentWhileAway,
    /// An edge judges rights once more on what the province has accepted.
    EdgeJudgesAgain,
    /// A tablet takes a first contact that left holes for over.
    HolesForgotten,
    /// A tablet forgets the fingerprint of the older years that it leaves out.
    LeftOutForgotten,
    /// An edge keeps its branch of a chain although the province has accepted another.
    BranchOfTheEdge,
    /// An edge sets a branch aside and goes on under the id that its tablets know.
    SetAsideUnnoticed,
    /// A tablet does not say again what was set aside.
    SetAsideForgotten,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::AcknowledgeBeforeSync,
        Self::PositionOffByOne,
        Self::SealOnReceivedHeads,
        Self::DeleteInsteadOfEmpty,
        Self::GenesisWithTemplateVersion,
        Self::DedupeByBatch,
        Self::ReuseOfNumber,
        Self::GateWithoutPredecessors,
        Self::RollUpForgetsRival,
        Self::SnapshotWithoutParts,
        Self::SkippedRepair,
        Self::VouchedAsSigned,
        Self::PlaceBeforeParts,
        Self::SentWhileAway,
        Self::EdgeJudgesAgain,
        Self::HolesForgotten,
        Self::LeftOutForgotten,
        Self::BranchOfTheEdge,
        Self::SetAsideUnnoticed,
        Self::SetAsideForgotten,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::AcknowledgeBeforeSync => "acknowledge-before-sync",
            Self::PositionOffByOne => "position-off-by-one",
            Self::SealOnReceivedHeads => "seal-on-received-heads",
            Self::DeleteInsteadOfEmpty => "delete-instead-of-empty",
            Self::GenesisWithTemplateVersion => "genesis-with-template-version",
            Self::DedupeByBatch => "dedupe-by-batch",
            Self::ReuseOfNumber => "reuse-of-number",
            Self::GateWithoutPredecessors => "gate-without-predecessors",
            Self::RollUpForgetsRival => "roll-up-forgets-rival",
            Self::SnapshotWithoutParts => "snapshot-without-parts",
            Self::SkippedRepair => "skipped-repair",
            Self::VouchedAsSigned => "vouched-as-signed",
            Self::PlaceBeforeParts => "place-before-parts",
            Self::SentWhileAway => "sent-while-away",
            Self::EdgeJudgesAgain => "edge-judges-again",
            Self::HolesForgotten => "holes-forgotten",
            Self::LeftOutForgotten => "left-out-forgotten",
            Self::BranchOfTheEdge => "branch-of-the-edge",
            Self::SetAsideUnnoticed => "set-aside-unnoticed",
            Self::SetAsideForgotten => "set-aside-forgotten",
        }
    }

    /// The bug of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bug| bug.name() == name)
    }
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

//! What can happen, as a list to read, and how the next one is drawn.

use journal::simulated::Fault;

use crate::dice::Dice;
use crate::durable::End;
use crate::knobs::Knobs;
use crate::setting::TEN_YEARS;

/// A place that keeps things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The province's node.
    Node,
    /// The node of an area.
    Edge(usize),
    /// A tablet.
    Tablet(usize),
}

/// What is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typing {
    /// A new number.
    Number,
    /// A number that others may type too.
    Usual,
    /// Nothing, on purpose.
    Clear,
    /// "Không phát sinh".
    NoOccurrence,
    /// One of the rivals that stand there, or a number if there are none.
    Settle,
    /// A note.
    Note,
    /// Words in a section.
    Words,
    /// The template version.
    Version,
}

/// A hostile part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attack {
    /// Puts an own cell and names somebody else's operation on another as replaced.
    ForeignPredecessor,
    /// Deletes a cell.
    Delete,
    /// Starts at an operation number far away.
    FarStart,
    /// Bytes that are no change.
    Noise,
    /// A second batch under a number already used.
    Fork,
    /// A signature of somebody else.
    Signature,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A person types.
    Type {
        /// On which tablet.
        tablet: usize,
        /// Into which report.
        subject: usize,
        /// Into which row.
        code: usize,
        /// What.
        typing: Typing,
    },
    /// A tablet seals its drafts.
    Seal(usize),
    /// A tablet sends a request.
    Ask(usize),
    /// A whole exchange without mishap.
    Exchange(usize),
    /// A request arrives.
    ArriveRequest,
    /// The node serves what has arrived, so many at most.
    Serve(usize),
    /// An answer arrives.
    ArriveAnswer,
    /// A request is lost.
    LoseRequest,
    /// An answer is lost.
    LoseAnswer,
    /// A request is sent twice.
    RepeatRequest,
    /// An answer is sent twice.
    RepeatAnswer,
    /// A request is changed on the way.
    GarbleRequest,
    /// An answer is changed on the way.
    GarbleAnswer,
    /// A tablet's connection is cut.
    Cut(usize),
    /// A process ends.
    End(Place, End),
    /// A process starts.
    Start(Place),
    /// The machine stops at an operation on a file.
    StopAfter(Place, usize),
    /// An operation on a file fails.
    FailAfter(Place, usize, Fault),
    /// The disk has so many bytes left.
    Fill(Place, usize),
    /// The disk has room again.
    Free(Place),
    /// Somebody copies the folder.
    Copy(Place),
    /// Somebody puts the copy back.
    Restore(Place),
    /// A clock jumps by seconds.
    Jump(Place, i64),
    /// A right ends.
    EndGrant(usize),
    /// A right is given again.
    Grant(usize),
    /// A device key ends.
    EndKey(usize),
    /// The form has a new version.
    NewTemplate,
    /// A unit is renamed.
    Rename(usize),
    /// A new colleague's tablet begins with a snapshot of another.
    Snapshot(usize),
    /// A hostile part arrives.
    Attack {
        /// With whose key.
        tablet: usize,
        /// On which report.
        subject: usize,
        /// What it does.
        attack: Attack,
    },
    /// Time passes.
    Pass(i64),
    /// An edge sends a request to the province.
    Climb(usize),
    /// An edge exchanges with the province until neither lacks anything, without mishap.
    Round(usize),
    /// An edge serves what has arrived, so many at most.
    ServeAt(usize, usize),
    /// A tablet talks to another node from now on.
    Roam {
        /// Which tablet.
        tablet: usize,
        /// An edge, or the province.
        at: Option<usize>,
    },
    /// A tablet's folder is copied, its person works on, the copy is put back, and they work on once more:
    /// one of the two at an edge, the other at the province, before these have spoken.
    Branch {
        /// Which tablet.
        tablet: usize,
        /// The edge.
        edge: usize,
    },
}

impl Operation {
    /// Draws the next operation.
    pub fn draw(knobs: &Knobs, tablets: usize, subjects: usize, dice: &mut Dice) -> Self {
        let weights = [
            knobs.typing,
            knobs.moving,
            knobs.losing,
            knobs.crashing,
            knobs.copying,
            knobs.administering,
            knobs.attacking,
            knobs.jumping,
            2,
        ];
        let tablet = dice.below(tablets);
        match dice.weighted(&weights) {
            0 => draw_typing(tablet, subjects, knobs.codes, dice),
            1 => draw_moving(tablet, knobs, dice),
            2 => draw_losing(tablet, dice),
            3 => draw_crashing(draw_place(tablet, dice), dice),
            4 => draw_copying(tablet, knobs, dice),
            5 => draw_administering(tablet, subjects, dice),
            6 => Self::Attack {
                tablet,
                subject: dice.below(subjects),
                attack: draw_attack(dice),
            },
            7 => {
                let years = TEN_YEARS / 10 * dice.between(1, 10) as i64;
                let seconds = if dice.one_in(2) { years } else { -years };
                Self::Jump(draw_place(tablet, dice), seconds)
            }
            _ => Self::Pass(dice.between(1, 100_000) as i64),
        }
    }
}

fn draw_typing(tablet: usize, subjects: usize, codes: usize, dice: &mut Dice) -> Operation {
    if dice.one_in(6) {
        return Operation::Seal(tablet);
    }
    let typing = match dice.weighted(&[40, 10, 10, 4, 16, 6, 6, 4]) {
        0 => Typing::Number,
        1 => Typing::Usual,
        2 => Typing::Clear,
        3 => Typing::NoOccurrence,
        4 => Typing::Settle,
        5 => Typing::Note,
        6 => Typing::Words,
        _ => Typing::Version,
    };
    Operation::Type {
        tablet,
        subject: dice.below(subjects),
        code: dice.below(codes),
        typing,
    }
}

fn draw_moving(tablet: usize, knobs: &Knobs, dice: &mut Dice) -> Operation {
    match dice.weighted(&[6, 7, 7, 7, 7]) {
        0 => Operation::Exchange(tablet),
        1 => Operation::Ask(tablet),
        2 => Operation::ArriveRequest,
        3 => Operation::Serve(dice.between(1, knobs.group_max)),
        _ => Operation::ArriveAnswer,
    }
}

fn draw_losing(tablet: usize, dice: &mut Dice) -> Operation {
    match dice.below(7) {
        0 => Operation::LoseRequest,
        1 => Operation::LoseAnswer,
        2 => Operation::RepeatRequest,
        3 => Operation::RepeatAnswer,
        4 => Operation::GarbleRequest,
        5 => Operation::GarbleAnswer,
        _ => Operation::Cut(tablet),
    }
}

fn draw_place(tablet: usize, dice: &mut Dice) -> Place {
    if dice.one_in(2) {
        Place::Node
    } else {
        Place::Tablet(tablet)
    }
}

/// What ends or hinders a program at a place.
pub(crate) fn draw_crashing(place: Place, dice: &mut Dice) -> Operation {
    let after = dice.below(6);
    match dice.below(8) {
        0 => Operation::End(place, End::Killed),
        1 => Operation::End(place, End::PowerCut),
        2 | 3 => Operation::StopAfter(place, after),
        4 => Operation::FailAfter(place, after, Fault::Fails),
        5 => Operation::FailAfter(place, after, Fault::NoSpace),
        6 => Operation::Fill(place, dice.below(2_000)),
        _ => Operation::Free(place),
    }
}

fn draw_copying(tablet: usize, knobs: &Knobs, dice: &mut Dice) -> Operation {
    let place = if knobs.copies_node {
        Place::Node
    } else {
        Place::Tablet(tablet)
    };
    if dice.one_in(2) {
        Operation::Copy(place)
    } else {
        Operation::Restore(place)
    }
}

fn draw_administering(tablet: usize, units: usize, dice: &mut Dice) -> Operation {
    match dice.weighted(&[2, 3, 1, 1, 2, 4]) {
        0 => Operation::EndGrant(tablet),
        1 => Operation::Grant(tablet),
        2 => Operation::EndKey(tablet),
        3 => Operation::NewTemplate,
        4 => Operation::Rename(dice.below(units)),
        _ => Operation::Snapshot(tablet),
    }
}

fn draw_attack(dice: &mut Dice) -> Attack {
    match dice.weighted(&[4, 1, 1, 1, 2, 1]) {
        0 => Attack::ForeignPredecessor,
        1 => Attack::Delete,
        2 => Attack::FarStart,
        3 => Attack::Noise,
        4 => Attack::Fork,
        _ => Attack::Signature,
    }
}

//! Synchronising: one request, one answer, over any pipe; and the two state machines that do it.
//!
//! A device says *"here are mine; I have yours up to this position"* ([`Request`]), a node answers
//! *"these are accepted; here is what you lack"* ([`Response`]). [`node`] is what a node does with a
//! request, in steps that a server may group; [`Device`] is a device's whole state: log, drafts,
//! outbox, catalogue. Both are pure: what they want written comes out as [`crate::log::Write`]s, which
//! the shell makes durable *before* it sends anything or tells a person "saved".
//!
//! Freshness comes from node ids and positions. A node that is asked for a position beyond its end
//! was rolled back and takes a new id; a device that meets a node id it does not know finds out
//! what the two differ in and sends and asks for that ([`repair`]). A device whose chain is behind what the
//! node holds of it was rolled back and goes on under a new installation id.

pub mod arrival;
pub mod budget;
pub mod carried;
mod census;
pub mod device;
pub mod draft;
pub mod extent;
pub mod frame;
pub mod message;
pub mod node;
pub mod packed;
pub mod piece;
pub mod proof;
pub mod receipt;
pub mod repair;
#[cfg(test)]
mod tests;
pub mod undo;
pub mod uplink;

pub use device::{
    Cost, Device, DeviceError, DeviceStatus, Notice, OutboxState, Received, Scope, Sequence, Taken,
    YearsStanding,
};
pub use frame::{Frame, FrameError};
pub use message::{Known, PartAnswer, Request, Response};
pub use node::{NodeIdentity, Session};
pub use packed::{PackedRequest, PackedResponse};
pub use proof::Proof;
pub use receipt::Receipt;
pub use undo::{Offered, Replaced, UndoHistory};
pub use uplink::{Standing, Uplink};

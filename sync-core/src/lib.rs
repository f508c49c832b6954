//! The rules of Đồng Bộ: documents, batches, log, sync, roll-up and rights.
//!
//! Pure: no I/O, no clock, no randomness, no `async`. Time and random numbers come in as arguments;
//! effects come out as values. It compiles natively and to `wasm32-unknown-unknown`, so that the
//! tablet runs the same rules as the server. `docs/formats.md` says every byte; `ARCHITECTURE.md`
//! says how the parts hang together.
//!
//! Reading order: the nouns of the field first, then documents, then how they travel.

pub mod codec;
pub mod identity;
pub mod limits;

pub mod calendar;
pub mod cell;
pub mod date;
pub mod number;
pub mod period;

pub mod catalogue_files;
pub mod form;
pub mod org_unit;
pub mod plan;

pub mod apportion;
pub mod report;
pub mod roll_up;

pub mod document;
pub mod gate;

pub mod access;
pub mod batch;
pub mod catalogue;
pub mod log;
pub mod pack;
pub mod repair;
pub mod sync;

pub mod bundle;

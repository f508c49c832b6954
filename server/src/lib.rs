//! The server of Đồng Bộ: a node of a province that others reach over HTTP.
//!
//! [`routes`] is the table of addresses; each names one file of [`operation`]. [`app`] holds the parts
//! a request may need: the store, the catalogue with its only writer ([`registry`]), tokens and
//! passwords. [`kept`] is what the server itself keeps in the store, [`problem`] what it says when
//! something cannot be done. No rule about documents, batches or rights lives here: those are in
//! `sync_core`.

mod acceptor;
pub mod app;
pub mod backup;
pub mod clock;
mod deriver;
pub mod descriptors;
pub mod edge;
pub mod entropy;
mod exchange;
mod extract;
pub mod first_run;
pub mod guarded_store;
pub mod interrupted;
pub mod kept;
pub mod keyspace;
pub mod limits;
mod listeners;
pub mod metrics;
pub mod openapi;
pub mod operation;
mod origins;
mod packed;
mod page;
pub mod password;
pub mod problem;
pub mod registry;
pub mod routes;
mod schema;
pub mod secrets;
pub mod serve;
pub mod sessions;
mod status_page;
pub mod tls;
pub mod token;
pub mod totals;
pub mod uplink;
mod web_app;
pub mod wire;

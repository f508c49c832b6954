//! Plans of tasks: who leads, who takes part, what is required and until when.
//!
//! A plan is published as a table; [`printed`] reads it into rows that a person looks through.

pub mod printed;

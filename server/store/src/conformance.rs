//! The contracts of a store as assertions that every backend runs.

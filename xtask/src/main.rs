//! The menu.
fn main() {}

//! casevault.
fn main() {}

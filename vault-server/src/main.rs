//! casevault-server.
fn main() {}

//! `casevault`: the caseworker's command.

fn main() {}

//! The contract of a store, as functions over the trait that every store has to pass, and each store run through it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

#[path = "../cluster/mod.rs"]
mod cluster;
mod contract;
mod postgres;
mod sqlite;

//! The real `casevault-server` as a process, with an agency that appends to it and reads from it over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod append;
mod changes;
#[path = "../cluster/mod.rs"]
mod cluster;
mod cosign;
mod crash;
mod erasure;
mod http;
mod join;
mod keeping;
mod kit;
mod limits;
mod log;
mod openapi;
mod process;
mod quota;
mod reading;
mod secured;
mod sessions;
mod shared;
mod tls;

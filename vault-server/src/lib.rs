//! The sync server of CaseVault, as a library: what `casevault-server` runs and what tests drive.
//!
//! The server is the adversary of the threat model, so it is small and knows little: ciphertext, signatures and
//! pseudonymous ids. Every check it makes, a client makes again.
//!
//! ```text
//! main -> config -> Server::bind -> http::router -> one module a route | problem
//!                   Server::run  <- a future that ends when the process is asked to stop
//! route -> authenticate (who) -> authorize (may) -> service -> store
//! ```

pub mod audit;
pub mod authenticate;
pub mod authorize;
pub mod backing;
pub mod config;
mod connections;
pub mod copying;
pub mod http;
pub mod limits;
pub mod memory;
pub mod metrics;
pub mod moving;
pub mod report;
mod server;
pub mod service;
pub mod store;
pub mod tls;

pub use server::{Ended, Server, ServerError};

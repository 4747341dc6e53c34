//! A server that lies as it is told to: in front of a real `casevault-server`, to which it hands on what it does not lie about.
//!
//! ```text
//! casevault ──> Evil (axum) ─ a rule for this message? ─ no ──> casevault-server, a real process
//!                 │                └ yes: a verb ─> another answer, a forged log, no answer
//!                 └ tape: every request and what was done with it
//!
//! scenario (what is lied about, what must come of it) ─> stage (vault, server, Evil) ─> judge
//!                                                   └─> the same with `casevault-broken`: one guard out, the lie works
//! ```
//! It owns what a hostile server owns: the server's database and with it the agency's log key, every upload, and the
//! answers. `docs/evilsrv.md` says how to add to it.

pub mod forged;
pub mod ghost;
pub mod judge;
pub mod lie;
pub mod means;
pub mod measure;
pub mod message;
pub mod scenario;
pub mod server;
pub mod stage;
pub mod tape;
pub mod verb;

//! The agent: the unlocked session behind a socket, so that the passphrase is typed once and not for every command.
//!
//! ```text
//! unlock ── passphrase by a pipe ──> agent ── Session(s) ── store
//!                                      ▲
//! command ─> Vault ─┬─ no agent ─> Session, in this process      (the same code does the work in both)
//!                   └─ Connection ─ ask ─> agent ─ reply, as data ─> rendered by the command
//! ```
//!
//! An ask is a whole user action, one variant of `ask::Ask` for each method of the session; none gives a key. Who
//! adds a method adds a line there. The protocol is on a page of its own, `docs/agent.md`.

mod ask;
mod client;
mod frame;
mod handed;
mod lifetime;
mod place;
mod room;
mod serve;
mod start;
mod workers;
mod zone;

pub use ask::Vault;
pub use client::AgentStatus;
pub use client::Connection;
pub use lifetime::Lasting;
pub use start::run;
pub use start::start;

/// The one argument with which the program is an agent: not for people, `unlock` gives it.
pub(crate) const WORD: &str = "agent-process";

/// Number of the protocol; asks and replies travel between equal numbers and equal versions of the program only.
const PROTOCOL: u16 = 2;

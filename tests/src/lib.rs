//! What the end-to-end tests stand on: the real binary, vaults in throw-away folders, caseloads, and a search for leaks.
//!
//! ```text
//! binary ─> vault (a home, a passphrase file, commands) <─ caseload (lines to import)
//!                    └─> leak (is any of these words in any file?)      mount (a disk that can be full or read-only)
//!                    └─> relay (keeps what passes between a client and a server)
//!                    └─> evil (a server that lies, before server, a real one)
//!                    └─> agent (its process, its socket, its memory)   faults (at system calls, at moments; what must hold)
//! ```

pub mod agent;
pub mod binary;
pub mod caseload;
pub mod evil;
pub mod faults;
pub mod leak;
pub mod mount;
pub mod relay;
pub mod server;
pub mod terminal;
pub mod vault;
pub mod witness;

//! Keeps the process small: what is freed goes back to the system.
//!
//! A server takes bodies of many sizes on many threads. glibc would keep an arena for each thread, and raise the size
//! from which on a piece of memory is the system's own after the first long body; both make a server as large as its
//! worst moment for good.
#![allow(unsafe_code, reason = "mallopt takes two numbers and touches nothing of ours")]

/// Pieces from this length on are given back when they are freed.
#[cfg(target_env = "gnu")]
const OWN: libc::c_int = 128 << 10;

/// Arenas for all threads together.
#[cfg(target_env = "gnu")]
const ARENAS: libc::c_int = 2;

/// Tells the allocator; before there are threads. Another C library than glibc has no such settings and needs none.
pub fn keep_small() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt is called with options and values of its manual page, by the only thread.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, ARENAS);
        libc::mallopt(libc::M_MMAP_THRESHOLD, OWN);
    }
}

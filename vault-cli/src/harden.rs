//! What the process denies others before it reads anything: no core dump, no look into its memory by the same user.

/// Turns core dumps and, on Linux, tracing and `/proc/PID/mem` off for this process.
///
/// # Security
/// Best effort: a system that refuses leaves the process no worse off than any other, and root sees everything anyway.
pub fn harden() {
    let none = rustix::process::Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_hardened_process_leaves_no_core() {
        harden();
        assert_eq!(
            rustix::process::getrlimit(rustix::process::Resource::Core).maximum,
            Some(0)
        );
        assert_eq!(
            rustix::process::dumpable_behavior().unwrap(),
            rustix::process::DumpableBehavior::NotDumpable
        );
    }
}

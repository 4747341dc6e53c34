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
    if crate::memory::is_looked_at() {
        return;
    }
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Takes the process out of the terminal's reach: its own session, and no folder kept in use.
pub fn leave_the_terminal() {
    // Both only make it independent; one that leads a session already, or may not enter `/`, works all the same.
    let _ = rustix::process::setsid();
    let _ = std::env::set_current_dir("/");
}

/// Ends what stands on standard input and output: whoever waits for their end need not wait for this process's.
///
/// # Errors
/// What the system refuses.
pub fn close_standard_streams() -> std::io::Result<()> {
    let nowhere = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nowhere)?;
    rustix::stdio::dup2_stdout(&nowhere)?;
    Ok(())
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

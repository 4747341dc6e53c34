//! An agent under test: its process, its socket, its memory.

use crate::vault::Vault;
use aho_corasick::AhoCorasick;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::path::PathBuf;

/// Returns the number of the process of the vault's agent.
pub fn process(vault: &Vault) -> u32 {
    let status = vault.json(&["status"]);
    let process = status["agent_process"].as_u64();
    u32::try_from(process.expect("an agent runs")).expect("a process's number")
}

/// Returns the agent's socket, which is in the vault's folder where there is no runtime folder.
pub fn socket(vault: &Vault) -> PathBuf {
    let folder = std::fs::read_dir(vault.home.join("agent")).expect("an agent's folder");
    folder
        .map(|entry| entry.expect("reads the agent's folder").path())
        .find(|path| path.extension().is_some_and(|end| end == "socket"))
        .expect("an agent's socket")
}

/// Tells whether a process runs: one that nobody has waited for has ended all the same.
pub fn runs(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let state = status.lines().find_map(|line| line.strip_prefix("State:"));
    state.is_some_and(|state| !state.trim_start().starts_with(['Z', 'X']))
}

/// Connects as any process of this user can, and sends `bytes`.
pub fn send(socket: &Path, bytes: &[u8]) -> UnixStream {
    let mut stream = UnixStream::connect(socket).expect("the agent listens");
    // One that refuses closes before all is sent.
    let _ = stream.write_all(bytes);
    stream
}

/// Makes a frame of the agent's protocol (`docs/agent.md`).
pub fn frame(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("a short frame").to_be_bytes();
    [&[kind][..], &length, bytes].concat()
}

/// Counts, for each pattern, how often it stands in the memory of a process that can be written.
pub fn in_memory(process: u32, patterns: &[Vec<u8>]) -> Vec<usize> {
    let search = AhoCorasick::new(patterns).expect("patterns");
    let mut found = vec![0; patterns.len()];
    each_memory(process, |bytes| {
        for hit in search.find_overlapping_iter(bytes) {
            found[hit.pattern().as_usize()] += 1;
        }
    });
    found
}

/// Hands on all memory of a process that can be written, range by range: more than a core dump would hold.
///
/// # Panics
/// Where less than a MiB of it can be read.
pub fn each_memory(process: u32, mut each: impl FnMut(&[u8])) {
    let memory = std::fs::File::open(format!("/proc/{process}/mem")).expect("opens the memory");
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).expect("reads the maps");
    let mut looked_at = 0;
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (range, permissions) = (words.next().expect("a range"), words.next().expect("permissions"));
        if !permissions.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').expect("a range");
        let [from, to] = [from, to].map(|text| u64::from_str_radix(text, 16).expect("an address"));
        let mut bytes = vec![0; usize::try_from(to - from).expect("fits")];
        // Some of the kernel's own pages cannot be read.
        if memory.read_exact_at(&mut bytes, from).is_ok() {
            looked_at += bytes.len();
            each(&bytes);
        }
    }
    assert!(looked_at > 1 << 20, "only {looked_at} bytes of memory could be read");
}

//! What a finder of a machine's memory gets: of a locked vault nothing.
//!
//! A test build of the program tells this test when it has wiped its memory, and waits to be looked at before it ends; a
//! release ends at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg(target_os = "linux")]

use casevault_e2e::agent;
use casevault_e2e::vault::PASSPHRASE;
use casevault_e2e::vault::Vault;
use std::io::Read;
use std::os::unix::net::UnixListener;
use vault_core::id::AgencyId;
use vault_core::id::CaseId;
use vault_core::id::MemberId;
use vault_core::keyring;
use vault_core::keystore;
use vault_core::keystore::Secrets;
use vault_core::local::LocalKeys;
use vault_core::wire::v1::key::RecipientKind;
use vault_core::wire::v1::key::RecipientRef;
use vault_core::wire::v1::stream::StreamId;

/// Words of notes and names, each in another place of what is read and written.
const TEXTS: [&str; 5] = [
    "Xanthippe Quillfeather",
    "The parrot recites tax law.",
    "I only trust the blue kettle.",
    "The canary sang of mortgages.",
    "wanderlust in the corridor",
];

/// Opens every keyring of the store that is for the member, as whoever has the passphrase can.
fn epoch_keys(vault: &Vault, secrets: &Secrets) -> Vec<Vec<u8>> {
    let store = rusqlite::Connection::open(vault.home.join("vault.db")).unwrap();
    let rows = |sql: &str| -> Vec<Vec<u8>> {
        let mut statement = store.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    let agency = AgencyId(rows("SELECT agency FROM meta")[0].as_slice().try_into().unwrap());
    let actors = rows("SELECT id FROM actor WHERE length(id) = 16");
    let blobs = rows("SELECT bytes FROM blob");
    let mut keys = Vec::new();
    for case in rows("SELECT id FROM stream WHERE kind = 2") {
        let stream = StreamId::case(CaseId(case.as_slice().try_into().unwrap()));
        for (version, seed) in &secrets.recipients {
            for (actor, file) in actors
                .iter()
                .flat_map(|actor| blobs.iter().map(move |file| (actor, file)))
            {
                let to = RecipientRef {
                    kind: RecipientKind::Member,
                    id: MemberId(actor.as_slice().try_into().unwrap()),
                    version: *version,
                };
                let opened = keyring::open(agency, stream, to, seed, file).unwrap_or_default();
                keys.extend(opened.iter().map(|(_, _, key)| key.expose().to_vec()));
            }
        }
    }
    keys
}

/// A vault with notes that were shown, searched and written through an agent that can be looked at.
struct Watched {
    vault: Vault,
    agent: u32,
    wiped: UnixListener,
    keys: Vec<Vec<u8>>,
    texts: Vec<Vec<u8>>,
}

impl Watched {
    fn new(unwiped: bool) -> Self {
        Self::lasting(unwiped, &[])
    }

    fn lasting(unwiped: bool, lasting: &[&str]) -> Self {
        let vault = Vault::made();
        let case = vault.open_case(TEXTS[0]);
        let wiped = UnixListener::bind(vault.around.join("wiped")).unwrap();
        let mut unlock = vault.command(&[&["unlock"], lasting].concat());
        unlock.env("CASEVAULT_TEST_MEMORY", vault.around.join("wiped"));
        unlock.env("CASEVAULT_TEST_SLEPT", vault.around.join("slept"));
        if unwiped {
            unlock.env("CASEVAULT_TEST_UNWIPED", "1");
        }
        assert!(unlock.status().unwrap().success());
        let mut notes = Vec::new();
        for text in &TEXTS[1..4] {
            notes.push(vault.add_note(&case, &format!("obs: {text}\n")));
        }
        for note in &notes {
            vault.run(&["note", "show", note]).done();
        }
        vault.feed(&["note", "find", "--file", "-"], b"mortgages").done();
        vault.feed(&["note", "find", "--file", "-"], TEXTS[4].as_bytes()).done();
        vault
            .feed(&["note", "amend", &notes[0], "--file", "-"], b"obs: Nothing of it.\n")
            .done();
        vault.run(&["case", "show", &case]).done();
        vault.run(&["export", "--format", "json"]).done();
        let agent = agent::process(&vault);
        let file = std::fs::read(vault.home.join("keystore")).unwrap();
        let (_, secrets) = keystore::unlock(&file, PASSPHRASE).unwrap();
        let epochs = epoch_keys(&vault, &secrets);
        assert!(!epochs.is_empty());
        let local = LocalKeys::derive(&secrets.store_key);
        let mut keys = vec![
            secrets.device.expose().to_vec(),
            secrets.seal_secret.expose().to_vec(),
            secrets.store_key.expose().to_vec(),
            secrets.identity.expose().to_vec(),
            local.heads.expose().to_vec(),
            local.index.expose().to_vec(),
            local.state.expose().to_vec(),
        ];
        keys.extend(secrets.recipients.iter().map(|(_, key)| key.expose().to_vec()));
        keys.extend(epochs);
        keys.extend(secrets.dpo.iter().map(|(_, key)| key.expose().to_vec()));
        let mut texts: Vec<Vec<u8>> = TEXTS.iter().map(|text| text.as_bytes().to_vec()).collect();
        texts.push(PASSPHRASE.as_bytes().to_vec());
        Self {
            vault,
            agent,
            wiped,
            keys,
            texts,
        }
    }

    /// Locks, and looks at the agent's memory between its wiping and its end.
    fn locked(self, lock: impl FnOnce(&Vault, u32) + Send) -> (Vec<usize>, Vec<usize>) {
        std::thread::scope(|scope| {
            let (vault, process) = (&self.vault, self.agent);
            let locking = scope.spawn(move || lock(vault, process));
            let (mut stream, _) = self.wiped.accept().unwrap();
            let found = (
                agent::in_memory(self.agent, &self.keys),
                agent::in_memory(self.agent, &self.texts),
            );
            stream.shutdown(std::net::Shutdown::Both).unwrap();
            let _ = stream.read(&mut [0]);
            locking.join().unwrap();
            found
        })
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // A test that failed has not looked, and the agent would wait for ever.
        let gone = std::process::Command::new("kill")
            .args(["-KILL", &self.agent.to_string()])
            .output();
        drop(gone);
    }
}

fn by_command(vault: &Vault, process: u32) {
    vault.run(&["lock"]).done();
    // Its memory is gone when the command returns, even where its number is not.
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps"));
    assert_eq!(maps.unwrap_or_default(), "");
}

fn by_signal(_: &Vault, process: u32) {
    let status = std::process::Command::new("kill")
        .args(["-TERM", &process.to_string()])
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn attack_41_no_key_and_no_text_is_in_memory_after_locking() {
    for lock in [by_command, by_signal] {
        let watched = Watched::new(false);
        // While it is unlocked, the search finds what there is to find.
        let open = agent::in_memory(watched.agent, &watched.keys);
        assert!(open.iter().all(|count| *count > 0), "{open:?}");
        let open = agent::in_memory(watched.agent, &watched.texts);
        assert!(open[3] > 0, "{open:?}");
        // The passphrase is gone as soon as it has opened the vault.
        assert_eq!(open[5], 0, "{open:?}");
        let (keys, texts) = watched.locked(lock);
        assert!(keys.iter().all(|count| *count == 0), "keys: {keys:?}");
        assert!(texts.iter().all(|count| *count == 0), "texts: {texts:?}");
    }
}

#[test]
fn attack_41_without_wiping_what_was_freed_the_texts_are_found() {
    let (_, texts) = Watched::new(true).locked(by_command);
    assert!(texts.iter().any(|count| *count > 0), "{texts:?}");
}

#[test]
fn attack_41_an_idle_vault_is_locked_and_empty() {
    // A minute is the shortest that can be asked for; nothing waits for it here but the agent itself.
    let watched = Watched::lasting(false, &["--idle", "1m"]);
    let (keys, texts) = watched.locked(|_, _| {});
    assert!(keys.iter().chain(&texts).all(|count| *count == 0), "{keys:?} {texts:?}");
}

#[test]
fn attack_41_after_a_sleep_the_vault_is_locked_and_empty() {
    let watched = Watched::new(false);
    let slept = watched.vault.around.join("slept");
    let (keys, texts) = watched.locked(|_, _| std::fs::write(slept, "").unwrap());
    assert!(keys.iter().chain(&texts).all(|count| *count == 0), "{keys:?} {texts:?}");
}

#[test]
fn attack_41_keys_are_locked_in_memory_and_texts_are_not_dumped() {
    let watched = Watched::new(false);
    let process = watched.agent;
    let smaps = std::fs::read_to_string(format!("/proc/{process}/smaps")).unwrap();
    let memory = std::fs::File::open(format!("/proc/{process}/mem")).unwrap();
    let mut seed_is_locked = false;
    let mut range = (0, 0);
    let mut piece_is_kept = false;
    for line in smaps.lines() {
        let first = line.split_whitespace().next().unwrap_or_default();
        if let Some((from, to)) = first.split_once('-')
            && let (Ok(from), Ok(to)) = (u64::from_str_radix(from, 16), u64::from_str_radix(to, 16))
        {
            range = (from, to);
        }
        let Some(flags) = line.strip_prefix("VmFlags:") else {
            continue;
        };
        let has = |flag: &str| flags.split_whitespace().any(|f| f == flag);
        if !has("wr") {
            continue;
        }
        let mut bytes = vec![0; usize::try_from(range.1 - range.0).unwrap()];
        if std::os::unix::fs::FileExt::read_exact_at(&memory, &mut bytes, range.0).is_err() {
            continue;
        }
        let holds = |pattern: &[u8]| aho_corasick::AhoCorasick::new([pattern]).unwrap().is_match(&bytes);
        if has("lo") && has("dd") {
            seed_is_locked |= holds(&watched.keys[0]);
        } else if has("dd") {
            piece_is_kept |= holds(TEXTS[3].as_bytes());
        }
    }
    assert!(seed_is_locked, "the device's key is in no locked page");
    assert!(
        piece_is_kept,
        "the searched text is in no page that is kept out of core dumps"
    );
}

#[test]
fn attack_41_an_agent_that_is_killed_leaves_no_core() {
    // The agent becomes this process's child when whoever started it ends, so that its end can be seen.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
    let vault = Vault::made();
    let case = vault.open_case(TEXTS[0]);
    let mut unlock = std::process::Command::new("sh");
    let program = casevault_e2e::binary::casevault();
    unlock
        .args(["-c", "ulimit -c unlimited; exec \"$0\" unlock"])
        .arg(program)
        .env("CASEVAULT_HOME", &vault.home)
        .env("CASEVAULT_PASSPHRASE_FILE", vault.around.join("passphrase"))
        .env("XDG_RUNTIME_DIR", "");
    assert!(unlock.output().unwrap().status.success());
    vault.add_note(&case, &format!("obs: {}\n", TEXTS[1]));
    let process = agent::process(&vault);
    let pid = rustix::process::Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::ABORT).unwrap();
    let (_, status) = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty())
        .unwrap()
        .unwrap();
    assert_eq!(status.terminating_signal(), Some(6));
    // The system sets this bit of the status where it wrote a core.
    assert_eq!(status.as_raw() & 0x80, 0, "{status:?}");
}

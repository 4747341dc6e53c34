//! `sync --watch`: a real process that goes on while others write, the server goes away and comes back, and the vault is
//! locked.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use casevault_e2e::vault::Vault;
use serde_json::Value;

use crate::{kept, with_server};

/// A watch fails rather than says nothing for ever.
const PATIENCE: Duration = Duration::from_secs(120);

struct Watching {
    child: Child,
    said: Receiver<Value>,
}

impl Watching {
    fn begin(vault: &Vault) -> Self {
        let mut child = vault.command(&["sync", "--watch", "--json"]).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, said) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        Self { child, said }
    }

    /// Waits until it says that it sent or received something.
    fn until(&self, what: &str) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let said = self.said.recv_timeout(left).expect(what);
            assert_eq!(said["schema"], "casevault.sync/1");
            if said[what].as_u64().unwrap() > 0 {
                return said;
            }
        }
    }

    fn ends(mut self) -> i32 {
        self.child.wait().unwrap().code().expect("no signal ended it")
    }

    fn interrupt(&self) {
        let done = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        assert!(done.unwrap().success());
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn notes(vault: &Vault, case: &str) -> usize {
    vault.json(&["note", "list", case])["notes"].as_array().unwrap().len()
}

#[test]
pub(crate) fn who_watches_has_what_others_write_and_sends_what_is_written_until_it_is_stopped() {
    let (one, server, case) = with_server();
    let two = one.further("two.sheet");
    // Nothing else keeps keys while it waits.
    let refused = two.run(&["sync", "--watch"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (5, ""), "{}", refused.stderr);
    two.run(&["unlock"]).done();
    let watching = Watching::begin(&two);
    watching.until("received");
    let before = notes(&two, &case);

    one.add_note(&case, "obs: Written elsewhere.\n");
    one.json(&["sync"]);
    watching.until("received");
    assert_eq!(notes(&two, &case), before + 1);

    two.add_note(&case, "obs: Written here.\n");
    let end = Instant::now() + PATIENCE;
    while notes(&one, &case) < before + 2 {
        assert!(Instant::now() < end, "what was written is not sent");
        one.json(&["sync"]);
    }

    // The server goes away and comes back, and the watch goes on.
    let (address, folder) = (server.address(), server.data.clone());
    server.kill();
    let _server = kept::start_at(&folder, &address);
    one.add_note(&case, "obs: Written after the server was back.\n");
    one.json(&["sync"]);
    watching.until("received");
    assert_eq!(notes(&two, &case), before + 3);

    watching.interrupt();
    assert_eq!(watching.ends(), 0);
    assert_eq!(two.verified()["failures"], serde_json::json!([]));
}

#[test]
fn a_watch_keeps_no_vault_open_and_ends_when_the_agent_locks() {
    let (one, _server, case) = with_server();
    let two = one.further("two.sheet");
    two.json(&["sync"]);
    // The shortest that can be asked for.
    two.run(&["unlock", "--idle", "1m"]).done();
    let mut watching = Watching::begin(&two);
    // There is something new all the time, and none of it is anybody at this machine.
    let end = Instant::now() + PATIENCE;
    while watching.child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < end, "the agent does not lock");
        one.add_note(&case, "obs: Written elsewhere.\n");
        one.json(&["sync"]);
    }
    assert_eq!(watching.ends(), 5);
    assert_eq!(two.json(&["status"])["agent_process"], Value::Null);
}

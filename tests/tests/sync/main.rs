//! One vault and its server, real processes both: what is sent, what is cut off, and what is refused.

use std::fs;
use std::path::PathBuf;

use casevault_e2e::caseload;
use casevault_e2e::caseload::Size;
use casevault_e2e::server::Server;
use casevault_e2e::terminal::kill_9;
use casevault_e2e::terminal::until;
use casevault_e2e::vault::Vault;

mod blindness;
#[path = "../../../vault-server/tests/cluster/mod.rs"]
mod cluster;
mod fetching;
mod kept;
mod over_postgres;
mod restoring;
mod watching;

fn data(vault: &Vault) -> PathBuf {
    vault.around.join("server")
}

/// A vault with a case and a note, and its server.
fn with_server() -> (Vault, Server, String) {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    vault.add_note(&case, "obs: Rang.\n");
    let server = kept::start(&data(&vault));
    let added = vault.json(&["server", "add", &server.url]);
    assert_eq!(added["schema"], "casevault.server.add/1");
    assert_eq!(added["sent"], added["size"]);
    (vault, server, case)
}

fn size(vault: &Vault) -> u64 {
    vault.json(&["sync"])["size"].as_u64().unwrap()
}

#[test]
pub(crate) fn what_is_written_goes_out_once_and_is_proved() {
    let (vault, server, case) = with_server();
    let before = vault.json(&["sync"]);
    assert_eq!(
        (&before["schema"], before["sent"].as_u64()),
        (&"casevault.sync/1".into(), Some(0))
    );
    vault.add_note(&case, "obs: Rang again.\n");
    let sent = vault.json(&["sync"]);
    // The note, and the entry that says that its case was opened to write it.
    assert!(sent["sent"].as_u64().unwrap() > 0, "{sent}");
    assert_eq!(
        sent["size"].as_u64().unwrap(),
        before["size"].as_u64().unwrap() + sent["sent"].as_u64().unwrap()
    );
    assert_eq!(vault.json(&["sync"])["sent"], 0);
    // A second server is not taken, and nothing is said of the first but where it is.
    let known = vault
        .run(&["server", "add", "http://127.0.0.1:1", "--json"])
        .refused(1, "server-known");
    assert!(known["message"].as_str().unwrap().contains(&server.url), "{known}");
    assert_eq!(vault.verified()["failures"], serde_json::json!([]));
}

#[test]
fn the_servers_whole_log_is_read_again_and_holds_what_was_sent() {
    let (vault, server, case) = with_server();
    vault.add_note(&case, "obs: Not sent yet.\n");
    let size = vault.json(&["sync"])["size"].as_u64().unwrap();
    let told = vault.json(&["log", "verify"]);
    assert_eq!(
        (
            &told["server"]["leaves"],
            &told["server"]["own"],
            &told["server"]["others"]
        ),
        (&size.into(), &size.into(), &0.into()),
        "{told}"
    );
    assert_eq!(told["failures"], serde_json::json!([]));
    server.kill();
    let refused = vault.run(&["log", "verify", "--json"]).refused(7, "server-unreachable");
    let hint = refused["hint"].as_str().unwrap();
    assert!(hint.contains("`casevault log verify --offline`"), "{hint}");
    assert_eq!(
        vault.json(&["log", "verify", "--offline"])["server"],
        serde_json::Value::Null
    );
}

#[test]
pub(crate) fn addresses_that_are_none_and_servers_that_are_not_there_are_refused() {
    let vault = Vault::made();
    vault.run(&["sync", "--json"]).refused(1, "no-server");
    for (url, code, exit) in [
        ("vault.example", "server-url", 2),
        ("ftp://vault.example", "server-url", 2),
        ("http://vault.example", "server-insecure", 2),
        ("http://127.0.0.1:1", "server-unreachable", 7),
    ] {
        vault.run(&["server", "add", url, "--json"]).refused(exit, code);
    }
    // None of it left anything: the vault still has no server, and its root names no log.
    vault.run(&["sync", "--json"]).refused(1, "no-server");
    let server = kept::start(&data(&vault));
    vault.run(&["server", "add", &server.url]).done();
}

#[test]
pub(crate) fn work_goes_on_without_the_server_and_is_sent_when_it_is_back() {
    let (vault, server, case) = with_server();
    let (address, folder) = (server.address(), server.data.clone());
    server.kill();
    let note = vault.add_note(&case, "obs: The server is gone.\n");
    vault.run(&["note", "show", &note]).done();
    vault.run(&["sync", "--json"]).refused(7, "server-unreachable");
    let _server = kept::start_at(&folder, &address);
    assert!(vault.json(&["sync"])["sent"].as_u64().unwrap() >= 3);
    assert_eq!(vault.json(&["sync"])["sent"], 0);
}

#[test]
fn a_server_is_shown_told_of_by_status_removed_and_named_again() {
    let (vault, server, case) = with_server();
    vault.json(&["sync"]);
    vault.add_note(&case, "obs: Waits.\n");
    let shown = vault.json(&["server", "show"]);
    assert_eq!(shown["url"], server.url);
    let waiting = shown["waiting"].as_u64().unwrap();
    assert!(waiting > 0, "{shown}");
    // Where it is stands in a sealed value: `status` tells it while an agent holds the vault open.
    let locked = vault.json(&["status"]);
    assert_eq!(
        (&locked["server"], &locked["server_url"], &locked["unsent"]),
        (
            &serde_json::json!(true),
            &serde_json::Value::Null,
            &serde_json::Value::Null
        )
    );
    vault.run(&["unlock"]).done();
    let open = vault.json(&["status"]);
    assert_eq!(open["server_url"], server.url);
    assert!(open["unsent"].as_u64().unwrap() >= waiting, "{open}");
    assert!(vault.run(&["status"]).done().stdout.contains(&server.url));
    vault.run(&["lock"]).done();

    vault.run(&["server", "remove", "--json"]).refused(2, "needs-flag");
    assert_eq!(vault.json(&["server", "show"])["url"], server.url);
    let removed = vault.json(&["server", "remove", "--yes"]);
    assert_eq!(removed["url"], server.url);
    for words in [
        &["server", "show", "--json"][..],
        &["sync", "--json"],
        &["server", "remove", "--yes", "--json"],
    ] {
        vault.run(words).refused(1, "no-server");
    }
    assert_eq!(vault.json(&["today"])["unsent"], serde_json::Value::Null);
    assert_eq!(vault.json(&["log", "verify"])["server"], serde_json::Value::Null);
    vault.run(&["unlock"]).done();
    assert_eq!(vault.json(&["status"])["server"], false);
    vault.run(&["lock"]).done();
    // Its log goes on where it was; another server's is refused.
    let elsewhere = vault.around.join("other-server");
    std::fs::create_dir(&elsewhere).unwrap();
    let other = Server::start(&elsewhere);
    vault
        .run(&["server", "add", &other.url, "--json"])
        .refused(4, "server-key");
    let again = vault.json(&["server", "add", &server.url]);
    let sent = again["sent"].as_u64().unwrap();
    assert!(sent >= waiting && sent < again["size"].as_u64().unwrap(), "{again}");
    vault.verified();
}

#[test]
pub(crate) fn a_note_that_was_sent_is_not_withdrawn_any_more() {
    let (vault, _server, case) = with_server();
    let (sent, kept) = (
        vault.add_note(&case, "obs: Sent.\n"),
        vault.json(&["sync"])["sent"].as_u64().unwrap(),
    );
    assert!(kept > 0);
    let unsent = vault.add_note(&case, "obs: Not sent.\n");
    vault.run(&["note", "withdraw", &unsent]).done();
    let refused = vault.run(&["note", "withdraw", &sent, "--json"]);
    let told = refused.refused(1, "too-late");
    assert!(
        told["message"].as_str().unwrap().contains("sent to the server"),
        "{told}"
    );
    vault.run(&["note", "show", &sent]).done();
    // What was withdrawn goes out as what is left of it.
    vault.json(&["sync"]);
    assert_eq!(vault.verified()["failures"], serde_json::json!([]));
}

#[test]
pub(crate) fn a_server_that_is_killed_while_it_takes_a_caseload_has_all_of_it_in_the_end_and_nothing_twice() {
    let vault = Vault::with(&caseload::make(Size::S));
    let links = vault.verified()["entries"].as_u64().unwrap();
    let mut server = kept::start(&data(&vault));
    let (address, folder) = (server.address(), server.data.clone());
    // While it takes the first, and then while it takes more.
    for arguments in [
        &["server", "add", &server.url.clone()][..],
        &["sync"],
        &["sync"],
        &["sync"],
    ] {
        let begun = kept::written(&folder);
        let mut client = vault.command(arguments).spawn().unwrap();
        until("the server writes", || {
            kept::written(&folder) != begun || has_ended(client.id())
        });
        kill_9(server.process());
        client.wait().unwrap();
        drop(server);
        server = kept::start_at(&folder, &address);
    }
    let size = finish(&vault, &server);
    // Each link once: those of the caseload, the root that names the log, and the entries since.
    assert!(size > links, "{size} {links}");
    assert_eq!(
        size,
        vault.verified()["entries"].as_u64().unwrap() - 1,
        "the verification's own entry is not sent"
    );
    assert_eq!(vault.json(&["sync"])["sent"], 1);
}

fn has_ended(process: u32) -> bool {
    fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| stat.contains(") Z "))
        || !fs::exists(format!("/proc/{process}")).unwrap_or(false)
}

#[test]
pub(crate) fn a_client_that_is_killed_while_it_sends_goes_on_and_sends_nothing_twice() {
    let vault = Vault::with(&caseload::make(Size::S));
    // From here on the access stream has its segment, and a verification is one entry more.
    vault.verified();
    let server = kept::start(&data(&vault));
    for _ in 0..4 {
        let begun = kept::written(&server.data);
        let adding = vault.command(&["server", "add", &server.url]).spawn().unwrap();
        until("something arrives", || {
            kept::written(&server.data) != begun || has_ended(adding.id())
        });
        kill_9(adding.id());
        let mut adding = adding;
        adding.wait().unwrap();
        let mut syncing = vault.command(&["sync"]).spawn().unwrap();
        until("something arrives", || {
            kept::written(&server.data) != begun || has_ended(syncing.id())
        });
        kill_9(syncing.id());
        syncing.wait().unwrap();
    }
    let size = finish(&vault, &server);
    assert_eq!(vault.json(&["sync"])["sent"], 0);
    assert_eq!(size, vault.verified()["entries"].as_u64().unwrap() - 1);
}

/// Sends what is left, whether or not the server was named before it was cut off.
fn finish(vault: &Vault, server: &Server) -> u64 {
    let added = vault.run(&["server", "add", &server.url, "--json"]);
    if added.code != 0 {
        added.refused(1, "server-known");
    }
    size(vault)
}

#[test]
pub(crate) fn attack_42_an_older_state_of_the_server_is_refused() {
    let (vault, server, case) = with_server();
    let (address, folder) = (server.address(), server.data.clone());
    server.kill();
    let older = vault.around.join("older");
    kept::copy(&folder, &older);
    let server = kept::start_at(&folder, &address);
    vault.add_note(&case, "obs: Newer.\n");
    let size = size(&vault);
    server.kill();

    // Put back as it was: nothing of it is taken, and work goes on.
    let rolled_back = kept::start_at(&older, &address);
    let told = vault.run(&["sync", "--json"]).refused(4, "server-log");
    assert_eq!(told["check"], "CHK-138", "{told}");
    vault.add_note(&case, "obs: Written meanwhile.\n");
    vault.run(&["sync", "--json"]).refused(4, "server-log");
    rolled_back.kill();

    let _server = kept::start_at(&folder, &address);
    let after = vault.json(&["sync"]);
    assert!(after["size"].as_u64().unwrap() > size);
    assert_eq!(vault.verified()["failures"], serde_json::json!([]));
}

#[test]
pub(crate) fn attack_40_another_server_does_not_pass_for_the_agencys() {
    let (vault, server, _) = with_server();
    let address = server.address();
    server.kill();
    let _other = kept::start_at(&vault.around.join("other"), &address);
    vault.run(&["sync", "--json"]).refused(4, "server-log");
}

//! The same over PostgreSQL, and a vault whose server changes from a folder to a database and to another process.

use std::process::Command;

use casevault_e2e::binary::casevault_server;
use casevault_e2e::server::Server;

use crate::cluster::Cluster;
use crate::{kept, size, with_server};

macro_rules! over_postgres {
    ($($($of:ident)::* => $test:ident),+ $(,)?) => {$(
        #[test]
        fn $test() {
            if let Some(cluster) = Cluster::common() {
                kept::over(cluster, $($of)::*::$test);
            }
        }
    )+};
}

over_postgres!(
    crate => what_is_written_goes_out_once_and_is_proved,
    crate => work_goes_on_without_the_server_and_is_sent_when_it_is_back,
    crate => a_server_that_is_killed_while_it_takes_a_caseload_has_all_of_it_in_the_end_and_nothing_twice,
    crate => a_client_that_is_killed_while_it_sends_goes_on_and_sends_nothing_twice,
    crate => attack_42_an_older_state_of_the_server_is_refused,
    crate => attack_40_another_server_does_not_pass_for_the_agencys,
    crate::blindness => attack_24_nothing_that_a_server_is_sent_holds_says_or_remembers_shows_a_word,
    crate::restoring => what_waited_goes_behind_what_another_device_sent_since,
    crate::watching => who_watches_has_what_others_write_and_sends_what_is_written_until_it_is_stopped,
    crate::fetching => a_caseload_is_fetched_into_empty_homes_worked_on_apart_and_merged,
    crate::fetching => a_client_that_is_killed_while_it_fetches_goes_on_and_has_nothing_twice,
);

#[test]
fn a_vault_goes_on_with_its_server_in_a_database_and_with_another_process_of_it() {
    let Some(cluster) = Cluster::common() else { return };
    let (vault, server, case) = with_server();
    let (address, folder) = (server.address(), server.data.clone());
    let before = size(&vault);
    server.kill();
    let url = cluster.database();
    let moved = Command::new(casevault_server())
        .args(["move", "--to", &url, "--from"])
        .arg(&folder)
        .output()
        .unwrap();
    assert!(moved.status.success(), "{moved:?}");
    let at = |listen: &str| Server::keeping(&folder, "--database", url.as_ref(), listen);
    let server = at(&address);
    vault.add_note(&case, "obs: In a database now.\n");
    let after = size(&vault);
    assert!(after > before);
    // Another process takes its place while it still runs elsewhere, as a proxy may have it.
    server.kill();
    let _other = at("127.0.0.1:0");
    let _server = at(&address);
    vault.add_note(&case, "obs: By another process.\n");
    assert!(size(&vault) > after);
    assert_eq!(vault.verified()["failures"], serde_json::json!([]));
}

//! The same over PostgreSQL, and what is only so there: several server processes over one database.

use std::sync::{Arc, mpsc};
use std::thread;

use rustix::process::Signal;
use vault_core::wire;
use vault_core::wire::v1::event::{Erasure, ErasureGround, Event};
use vault_core::wire::v1::limit;
use vault_core::wire::v1::sync::{AppendReply, CarriedBody, Outcome};

use crate::cluster::{Cluster, name};
use crate::crash::{Worker, verify, working};
use crate::kit::{Office, Server, link_id, over};
use crate::{append, changes, cosign, crash, join, limits, log, quota, reading, sessions};

/// Runs tests of a server with a folder as tests of one with a database.
macro_rules! over_postgres {
    ($($module:ident :: $test:ident),+ $(,)?) => {$(
        #[test]
        fn $test() {
            if let Some(cluster) = Cluster::common() {
                over(cluster, $module::$test);
            }
        }
    )+};
}

over_postgres!(
    append::a_batch_may_bring_the_device_that_signs_the_rest_of_it,
    append::a_case_is_judged_alike_after_the_server_was_started_again,
    append::a_stream_that_moved_on_is_a_conflict_with_both_heads,
    append::an_access_stream_goes_on_after_the_server_was_started_again,
    append::an_agency_grows_link_by_link_and_what_it_appended_comes_back,
    append::attack_58_what_was_appended_is_appended_again_without_change,
    append::nobody_but_its_founder_founds_an_agency_and_only_once,
    append::records_may_come_without_their_bytes_where_those_were_erased_before,
    append::chk_82_what_comes_without_its_bytes_is_stored_with_its_erasure_or_not_at_all,
    append::those_before_a_refused_one_stay_stored_and_those_after_are_not_tried,
    append::what_any_reader_would_refuse_is_refused_by_the_same_check,
    changes::whoever_follows_is_told_that_the_log_grew_and_when_the_server_stops,
    cosign::a_storm_of_cosignatures_leaves_the_newest,
    cosign::nothing_is_taken_that_is_no_cosignature_of_a_witness_over_this_log,
    cosign::the_newest_cosignature_of_each_witness_is_kept_and_given_out,
    crash::what_was_taken_before_a_signal_is_durable_after_it,
    crash::whatever_was_answered_survives_being_killed_and_nothing_is_there_twice,
    quota::an_agency_keeps_no_more_than_its_quota_and_rights_and_erasures_wait_for_no_room,
    quota::what_was_kept_is_counted_again_by_a_server_that_starts,
    join::an_invite_ends_with_its_day_and_an_agency_has_no_more_than_may_be,
    join::each_part_of_an_invite_is_written_once_and_the_same_again_is_the_same,
    join::who_may_open_and_answer_is_a_live_administrator_or_the_devices_own_member,
    limits::attack_24_the_servers_log_of_requests_has_no_id_no_address_and_no_content,
    limits::metrics_count_and_name_nobody,
    log::a_log_over_several_tiles_verifies_and_every_size_of_it_continues_the_ones_before,
    log::the_log_of_an_agency_without_links_is_the_empty_tree,
    reading::a_list_tells_what_has_grown_since_a_leaf,
    reading::a_long_stream_comes_in_pages_and_none_is_longer_than_it_may_be,
    reading::a_stream_is_read_by_holders_its_own_device_and_reviewers_and_is_not_there_for_others,
    sessions::a_device_that_a_restore_made_has_a_session_by_the_sole_administrators_word_alone,
    sessions::a_session_lasts_over_a_start_of_the_server_and_is_of_one_agency,
    sessions::a_token_ends_with_its_device_and_with_nothing_less_than_a_good_one,
    sessions::an_agency_is_registered_once_and_where_it_is_not_admitted_not_at_all,
    sessions::attack_40_a_session_is_not_begun_twice_with_one_challenge,
    sessions::attack_40_a_session_is_with_this_server_alone,
);

/// Runs a test over the cluster that tests share.
fn over_common(test: impl FnOnce()) {
    if let Some(cluster) = Cluster::common() {
        over(cluster, test);
    }
}

const ARGS: [&str; 2] = ["--rate", "0"];
const ROUNDS: usize = 3;

/// Two servers append to one agency at once, and are killed one after the other.
#[test]
fn two_servers_over_one_database_make_one_log_without_gaps_whoever_is_killed() {
    over_common(|| {
        let mut servers = {
            let first = Server::start(&ARGS);
            let second = first.again(&ARGS);
            [first, second]
        };
        let office = Office::found(&servers[0], 85, 1);
        let token = office.session(&servers[1], 0);
        let mut workers: Vec<_> = (0..4).map(|number| Worker::new(&servers[1], 85, number)).collect();
        for round in 0..ROUNDS {
            let addresses = [servers[0].address, servers[1].address];
            workers = working(
                workers,
                &token,
                |number| (addresses[number % 2], 1 + number),
                |answered| {
                    for server in [round % 2, 1 - round % 2] {
                        answered(20);
                        servers[server].kill();
                    }
                },
            );
            servers = [servers[0].again(&ARGS), servers[1].again(&ARGS)];
            let checkpoints = [0, 1].map(|at| log::checkpoint(&office, &servers[at]));
            assert_eq!(checkpoints[0], checkpoints[1]);
        }
        let answered = verify(&office, &servers[0], &mut workers);
        assert!(answered > 100, "{answered}");
        // What the one was asked to store at the end, the other has too.
        verify(&office, &servers[1], &mut workers);
        for server in &mut servers {
            server.stop();
        }
    });
}

/// Whoever was told something by one server is told nothing older by another.
#[test]
fn what_one_server_answered_the_others_know_at_once() {
    over_common(|| {
        let one = Server::start(&ARGS);
        let other = one.again(&ARGS);
        let mut office = Office::with_case(&one, 86, 2);
        // Both have the agency in memory from here on.
        let tokens = [office.session(&one, 0), office.session(&other, 1)];
        let mut before = log::checkpoint(&office, &other);
        for number in 0..12 {
            let (writes, reads) = match number % 3 {
                0 => (&other, &one),
                _ => (&one, &other),
            };
            let note = office.note(0);
            let reply = office.append_as(writes, Some(&tokens[0]), vec![note.clone()]);
            let told = office.checkpoint(&reply.checkpoint);
            assert_eq!(told.size, before.size + 1);
            assert_eq!(log::checkpoint(&office, reads), told);
            let entries = log::entries(&office, reads, told.size);
            assert_eq!(entries.last().unwrap().link, link_id(&note));
            // It is stored there as well.
            let again = office.append_as(reads, Some(&tokens[0]), vec![note]);
            assert_eq!(again.outcomes, [Outcome::Stored(before.size)]);
            before = told;
        }
        // A device that was retired here is not let in there.
        let headers = [("Authorization", tokens[1].as_str())];
        assert_eq!(other.ask("GET", "/v1/streams", &headers, &[]).status, 200);
        let retiring = office.world.people[1].device;
        office.world.try_event(0, Event::DeviceRetired(retiring)).unwrap();
        let link = office.parcel(office.world.links.last().unwrap());
        office.append_as(&one, Some(&tokens[0]), vec![link]);
        assert_eq!(other.ask("GET", "/v1/streams", &headers, &[]).status, 401);
        assert_eq!(office.try_session(&other, 1, office.log).status, 401);
    });
}

#[test]
fn whoever_follows_one_server_is_told_what_another_stored() {
    over_common(|| {
        let mut one = Server::start(&ARGS);
        let mut other = one.again(&ARGS);
        let mut office = Office::with_case(&one, 87, 1);
        let token = office.session(&other, 0);
        let feed = changes::feed(&other, &token);
        let mut following = other.connect();
        following.send("GET", "/v1/changes", &[("Authorization", &feed)], &[]);
        assert_eq!(following.head().unwrap().0, 200);
        assert_eq!(changes::size(&mut following), Some(2));
        for expected in 3..6 {
            let note = office.note(0);
            office.append_as(&one, Some(&token), vec![note]);
            assert_eq!(changes::size(&mut following), Some(expected));
        }
        one.stop();
        other.stop();
        assert_eq!(changes::size(&mut following), None);
    });
}

#[test]
fn attack_40_a_challenge_of_one_server_begins_one_session_at_all_of_them() {
    over_common(|| {
        let one = Server::start(&ARGS);
        let mut other = one.again(&ARGS);
        let office = Office::found(&one, 88, 1);
        let challenge = one.ask("POST", "/v1/sessions/challenge", &[], &[]);
        let request = office.session_request(0, office.log, challenge.body.try_into().unwrap());
        assert_eq!(other.ask("POST", "/v1/sessions", &[], &request).status, 200);
        // Nor after a start of it, which forgets nothing.
        other.stop();
        let other = other.again(&ARGS);
        for server in [&one, &other] {
            let replayed = server.ask("POST", "/v1/sessions", &[], &request);
            assert_eq!((replayed.status, replayed.problem().as_str()), (401, "session-refused"));
        }
    });
}

/// PostgreSQL is stopped in the middle of appends, as a crash does it and in order: who was answered has what was answered,
/// who was not asks again.
#[test]
fn a_restart_of_the_database_loses_nothing_that_was_answered() {
    let Some(cluster) = Cluster::start() else { return };
    let cluster = Arc::new(cluster);
    over(Arc::clone(&cluster), || {
        let server = Server::start(&ARGS);
        let mut office = Office::with_case(&server, 89, 1);
        let token = office.session(&server, 0);
        let (address, stream) = (server.address, office.case_stream());
        let mut stored = vec![link_id(&office.page(&server, 0, stream, 0).parcels[0].parcel)];
        for (round, signal) in [Signal::QUIT, Signal::INT, Signal::QUIT, Signal::QUIT]
            .into_iter()
            .enumerate()
        {
            let (tell, told) = mpsc::channel();
            let (back, is_back) = mpsc::channel();
            let stopped = thread::scope(|scope| {
                let cluster = &cluster;
                scope.spawn(move || {
                    for _ in 0..3 + 2 * round {
                        told.recv().unwrap();
                    }
                    cluster.stop(signal);
                    cluster.run();
                    // The other end is there until it was told.
                    back.send(()).unwrap();
                });
                let mut failed = 0;
                loop {
                    let notes: Vec<_> = (0..3).map(|_| office.note(0)).collect();
                    let body = office.request(notes.clone());
                    let headers = [("Authorization", token.as_str())];
                    let mut connection = crate::http::Connection::to(address);
                    let answer = connection.ask("POST", "/v1/append", &headers, &body);
                    let answer = match answer.status {
                        200 => answer,
                        _ => {
                            assert_eq!((answer.status, answer.problem().as_str()), (503, "busy"));
                            failed += 1;
                            is_back.recv().unwrap();
                            connection.ask("POST", "/v1/append", &headers, &body)
                        }
                    };
                    assert_eq!(answer.status, 200, "{answer:?}");
                    let reply: AppendReply = wire::decode(&answer.body, limit::APPEND).unwrap();
                    for (note, outcome) in notes.iter().zip(reply.outcomes) {
                        assert!(matches!(outcome, Outcome::Stored(_)), "{outcome:?}");
                        stored.push(link_id(note));
                    }
                    // Nobody counts any more once it was stopped.
                    let _ = tell.send(());
                    if failed > 0 || is_back.try_recv().is_ok() {
                        return failed;
                    }
                }
            });
            eprintln!("stopped by {signal:?}: {stopped} appends failed");
        }
        let last = log::checkpoint(&office, &server);
        assert_eq!(last.size, stored.len() as u64 + 1);
        let entries = log::entries(&office, &server, last.size);
        assert!(
            entries
                .iter()
                .skip(1)
                .map(|entry| entry.link)
                .eq(stored.iter().copied())
        );
        let mut server = server;
        let said = server.stop_saying();
        assert!(said.contains("failed: the database cannot be reached"), "{said}");
    });
}

/// What an erasure leaves in the database, and in its files once they were written anew as `docs/operations.md` has it.
#[test]
fn what_is_erased_is_in_no_row_and_in_no_table_that_was_written_anew() {
    let Some(cluster) = Cluster::start() else { return };
    let cluster = Arc::new(cluster);
    over(Arc::clone(&cluster), || {
        let mut server = Server::start(&ARGS);
        let mut office = Office::with_case(&server, 90, 1);
        let (note, made) = office.long_note(60_000);
        let (kept, kept_made) = office.note_made(0);
        office.stored(&server, vec![note, kept]);
        let pieces = [&made.record.ciphertext()[40_000..40_064], &made.wrap.0];
        let database = name(server.database()).to_owned();
        let sql = |sql: &str| cluster.sql(&database, sql);
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        let rows = |bytes: &[u8]| {
            let found = sql(&format!(
                "SELECT count(*) FROM casevault.record WHERE position('\\x{0}'::bytea in ciphertext) > 0 \
                 OR position('\\x{0}'::bytea in wrap) > 0",
                hex(bytes)
            ));
            found.trim().parse::<u32>().unwrap()
        };
        let files = |bytes: &[u8]| {
            sql("CHECKPOINT");
            found_below(&cluster.folder().join("data/base"), bytes)
        };
        for piece in pieces {
            assert!(rows(piece) == 1 && files(piece));
        }
        let records = vec![made.record.hash()];
        let ground = ErasureGround::Decided;
        let erased = office.event(0, Event::Erasure(Erasure { records, ground }));
        office.stored(&server, vec![erased]);
        let page = office.page(&server, 0, office.case_stream(), 1);
        assert!(matches!(page.parcels[0].parcel.records[0].body, CarriedBody::Erased(_)));
        assert!(pieces.iter().all(|piece| rows(piece) == 0));
        sql("VACUUM (FULL) casevault.record");
        sql("VACUUM (FULL) casevault.blob");
        assert!(pieces.iter().all(|piece| !files(piece)));
        let kept = &kept_made.record.ciphertext()[..64];
        assert!(rows(kept) == 1 && files(kept));
        server.stop();
    });
}

fn found_below(folder: &std::path::Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found_below(&path, bytes),
            // A file may go between listing and reading.
            false => std::fs::read(path).is_ok_and(|content| content.windows(bytes.len()).any(|at| at == bytes)),
        }
    })
}

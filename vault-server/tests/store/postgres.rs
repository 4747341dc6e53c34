//! The shared store: the contract, and what is its own.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::{Arc, Barrier, mpsc};
use std::thread;

use rustix::process::Signal;
use vault_core::id::{AgencyId, RecordId};
use vault_core::secret::SigningSeed;
use vault_core::wire::v1::stream::StreamId;
use vault_server::store::postgres::{Database, OpenError, Postgres};
use vault_server::store::{AgencyNo, Challenge, Change, Store, StoreError, UseUp, Writes, reading, writing};

use crate::cluster::{Cluster, name};
use crate::contract;

fn open(url: &str) -> Result<Postgres, OpenError> {
    Postgres::open(Database::named(url).unwrap(), [5; 32])
}

fn seed() -> SigningSeed {
    SigningSeed::from_bytes([3; 32])
}

fn register(store: &dyn Store, id: u8) -> AgencyNo {
    writing(store, |writes| writes.register(&AgencyId([id; 32]), &seed()))
        .unwrap()
        .no
}

#[test]
fn it_keeps_the_contract() {
    let Some(cluster) = Cluster::common() else { return };
    for (name, promise) in contract::ALL {
        eprintln!("{name}");
        promise(&open(&cluster.database()).unwrap());
    }
}

#[test]
fn the_session_key_is_the_first_one_and_the_schema_is_made_once() {
    let Some(cluster) = Cluster::common() else { return };
    let url = cluster.database();
    // All at once, on a database without a schema.
    let keys: Vec<_> = thread::scope(|scope| {
        let opened: Vec<_> = (1..=4)
            .map(|key| {
                let database = Database::named(&url).unwrap();
                scope.spawn(move || Postgres::open(database, [key; 32]).unwrap().session_key().unwrap())
            })
            .collect();
        opened.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!((1..=4).any(|key| keys == vec![[key; 32]; 4]), "{keys:?}");
    assert_eq!(open(&url).unwrap().session_key().unwrap(), keys[0]);
    assert_eq!(
        cluster.sql(name(&url), "SELECT version FROM casevault.migration ORDER BY 1"),
        "1\n2\n3\n"
    );
}

#[test]
fn another_program_a_newer_server_and_a_forgetful_database_are_told_apart() {
    let Some(cluster) = Cluster::start() else { return };
    let url = cluster.database();
    drop(open(&url).unwrap());
    cluster.sql(name(&url), "INSERT INTO casevault.migration VALUES (4)");
    let refused = open(&url).unwrap_err();
    assert!(refused.to_string().contains("upgrade casevault-server"), "{refused}");
    let foreign = cluster.database();
    cluster.sql(
        name(&foreign),
        "CREATE SCHEMA casevault; CREATE TABLE casevault.server ()",
    );
    assert!(matches!(open(&foreign), Err(OpenError::Foreign)));
    // Whoever only looks makes nothing.
    let empty = cluster.database();
    let look = |url: &str| Postgres::open_existing(Database::named(url).unwrap());
    assert!(matches!(look(&empty), Err(OpenError::Nothing)));
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'casevault'";
    assert_eq!(cluster.sql(name(&empty), schemas), "0\n");
    let key = open(&empty).unwrap().session_key().unwrap();
    assert_eq!(look(&empty).unwrap().session_key().unwrap(), key);
    cluster.sql(name(&empty), "DELETE FROM casevault.migration");
    assert!(matches!(look(&empty), Err(OpenError::Older(0))));
    let nowhere = cluster.url("nowhere");
    assert!(matches!(
        open(&nowhere),
        Err(OpenError::Database(StoreError::Failed(_)))
    ));
    cluster.sql("postgres", "ALTER SYSTEM SET fsync = off");
    cluster.stop(Signal::INT);
    // What is on the command line wins, and the tests' cluster has it on.
    cluster.run_with(&[]);
    let fresh = cluster.database();
    assert!(matches!(open(&fresh), Err(OpenError::Forgetful("fsync"))));
    cluster.stop(Signal::INT);
    assert!(matches!(open(&fresh), Err(OpenError::Database(StoreError::Away(_)))));
}

/// What a database commits asynchronously by its own settings, we do not.
#[test]
fn a_commit_is_on_the_disk_whatever_the_database_is_set_to() {
    let Some(cluster) = Cluster::start() else { return };
    let url = cluster.database();
    cluster.sql(
        "postgres",
        &format!("ALTER DATABASE {} SET synchronous_commit = off", name(&url)),
    );
    // Nothing is written to the disk for its own sake meanwhile.
    cluster.sql("postgres", "ALTER SYSTEM SET wal_writer_delay = '10s'");
    cluster.sql("postgres", "SELECT pg_reload_conf()");
    let store = open(&url).unwrap();
    let no = register(&store, 1);
    cluster.stop(Signal::QUIT);
    cluster.run();
    let found = reading(&store, |reads| reads.agency(&AgencyId([1; 32]))).unwrap();
    assert_eq!(found.unwrap().no, no);
}

#[test]
fn a_failure_that_nobody_minds_is_no_commit() {
    let Some(cluster) = Cluster::common() else { return };
    let store = open(&cluster.database()).unwrap();
    let agency = register(&store, 1);
    let stream = StreamId::agency(&AgencyId([1; 32]));
    let told = writing(&store, |writes| {
        writes.open_stream(agency, stream)?;
        assert!(writes.open_stream(agency, stream).is_err());
        Ok(())
    });
    assert!(told.is_err());
    assert!(reading(&store, |reads| reads.stream(agency, stream)).unwrap().is_none());
    // Nor is what was said of it the ids that it was said of.
    let failed = writing(&store, |writes| {
        writes.open_stream(agency, stream)?;
        writes.open_stream(agency, stream)
    });
    let told = format!("{:?}", failed.unwrap_err());
    assert!(told.contains("23505") && !told.contains("01010101"), "{told}");
}

/// Who holds an agency is alone with it, and sees what was written before; who holds another does not wait.
#[test]
fn an_agency_is_held_by_one_at_a_time() {
    let Some(cluster) = Cluster::common() else { return };
    let url = cluster.database();
    let stores = [open(&url).unwrap(), open(&url).unwrap()];
    let (one, other) = (register(&stores[0], 1), register(&stores[1], 2));
    assert_ne!(one, other);
    let stream = |number: u8| StreamId::access(vault_core::id::DeviceId([number; 16]));
    let count = |writes: &dyn Writes| {
        (0..100)
            .filter(|n| writes.stream(one, stream(*n)).unwrap().is_some())
            .count()
    };
    thread::scope(|scope| {
        for store in &stores {
            scope.spawn(|| {
                for _ in 0..20 {
                    writing(store, |writes| {
                        writes.hold(one)?;
                        let next = count(writes);
                        writes.open_stream(one, stream(u8::try_from(next).unwrap()))
                    })
                    .unwrap();
                }
            });
        }
    });
    writing(&stores[0], |writes| {
        writes.hold(one)?;
        assert_eq!(count(writes), 40);
        writing(&stores[1], |apart| {
            apart.hold(other)?;
            apart.open_stream(other, stream(0))
        })
    })
    .unwrap();
}

#[test]
fn an_agency_registered_in_two_processes_at_once_has_one_key() {
    let Some(cluster) = Cluster::common() else { return };
    let url = cluster.database();
    let stores: Vec<_> = (0..8_u8).map(|number| (number, open(&url).unwrap())).collect();
    let together = Barrier::new(stores.len());
    let rows: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = stores
            .iter()
            .map(|(number, store)| {
                let (seed, together) = (SigningSeed::from_bytes([*number; 32]), &together);
                scope.spawn(move || {
                    let register = |id: u8| {
                        together.wait();
                        let row = writing(store, |writes| writes.register(&AgencyId([id; 32]), &seed));
                        row.map(|row| (row.no.0, row.id, *row.log_seed.expose()))
                    };
                    // Whoever failed is waited for as well.
                    let rows: Vec<_> = (0..8).map(register).collect();
                    rows.into_iter().map(Result::unwrap).collect::<BTreeSet<_>>()
                })
            })
            .collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(rows.iter().all(|one| *one == rows[0]));
    assert_eq!(
        rows[0].iter().map(|(no, ..)| *no).collect::<Vec<_>>(),
        (1..=8).collect::<Vec<_>>()
    );
}

#[test]
fn a_challenge_is_used_up_for_all_processes() {
    let Some(cluster) = Cluster::common() else { return };
    let url = cluster.database();
    let stores = [open(&url).unwrap(), open(&url).unwrap()];
    let use_up = |store: &Postgres, random: u8, made, forget, most| {
        let random = [random; 8];
        store
            .shared()
            .unwrap()
            .use_up(&Challenge { random, made }, forget, most)
            .unwrap()
    };
    assert_eq!(use_up(&stores[0], 1, 1000, 940, 2), UseUp::First);
    for store in &stores {
        assert_eq!(use_up(store, 1, 1000, 940, 2), UseUp::Again);
    }
    assert_eq!(use_up(&stores[1], 2, 1001, 941, 2), UseUp::First);
    assert_eq!(use_up(&stores[0], 3, 1001, 941, 2), UseUp::TooMany);
    // Forgotten, there is room again.
    assert_eq!(use_up(&stores[0], 3, 1062, 1001, 2), UseUp::First);
    assert_eq!(use_up(&stores[1], 2, 1001, 1001, 3), UseUp::Again);
}

#[test]
fn whoever_follows_is_told_of_commits_alone() {
    let Some(cluster) = Cluster::common() else { return };
    let url = cluster.database();
    let (store, other) = (Arc::new(open(&url).unwrap()), open(&url).unwrap());
    let (one, two) = (register(&*store, 1), register(&*store, 2));
    let (tell, told) = mpsc::channel();
    let following = {
        let store = Arc::clone(&store);
        thread::spawn(move || {
            store.shared().unwrap().follow(&mut |change| match change {
                Change::None => ControlFlow::Continue(()),
                change => match tell.send(change) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                },
            })
        })
    };
    assert_eq!(told.recv().unwrap(), Change::Unknown);
    let failed: Result<(), _> = writing(&other, |writes| {
        writes.hold(one)?;
        Err(StoreError::Damaged("for the test"))
    });
    assert!(failed.is_err());
    writing(&other, |writes| writes.hold(two)).unwrap();
    assert_eq!(told.recv().unwrap(), Change::Grown(two));
    writing(&*store, |writes| writes.hold(one)).unwrap();
    assert_eq!(told.recv().unwrap(), Change::Grown(one));
    drop(told);
    writing(&other, |writes| writes.hold(one)).unwrap();
    following.join().unwrap().unwrap();
}

#[test]
fn a_restart_of_the_database_is_gone_over() {
    let Some(cluster) = Cluster::start() else { return };
    let store = open(&cluster.database()).unwrap();
    let agency = register(&store, 1);
    let stream = StreamId::agency(&AgencyId([1; 32]));
    let told = writing(&store, |writes| {
        writes.open_stream(agency, stream)?;
        cluster.stop(Signal::QUIT);
        writes.open_stream(agency, stream)
    });
    assert!(matches!(told, Err(StoreError::Away(_))), "{told:?}");
    let told = reading(&store, |reads| reads.size(agency));
    assert!(matches!(told, Err(StoreError::Away(_))), "{told:?}");
    cluster.run();
    assert!(reading(&store, |reads| reads.stream(agency, stream)).unwrap().is_none());
    // The same with connections that are kept.
    for signal in [Signal::INT, Signal::QUIT] {
        cluster.stop(signal);
        cluster.run();
        writing(&store, |writes| writes.hold(agency)).unwrap();
        assert_eq!(reading(&store, |reads| reads.size(agency)).unwrap(), 0);
    }
}

/// What the database may tell is the leak budget; a column that is new is a decision, and changes this.
#[test]
fn attack_24_the_shared_schema_is_what_the_leak_budget_lists() {
    let Some(cluster) = Cluster::common() else { return };
    let url = cluster.database();
    drop(open(&url).unwrap());
    let sql = "SELECT table_name || '.' || string_agg(column_name, ' ' ORDER BY ordinal_position) \
               FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema') \
               GROUP BY table_name ORDER BY table_name";
    let expected = [
        "agency.no id log_seed",
        "blob.no bytes",
        "challenge.random made",
        "cosignature.agency witness size root time signature",
        "holder.member stream",
        "invite.id agency opener kind until request answer enrolment",
        "link.no stream seq kind id signature bytes",
        "migration.version",
        "record.no stream name hash epoch erased header signature ciphertext_hash wrap_hash wrap ciphertext",
        "server.id session_key",
        "stream.no agency kind id links head last",
        "tile.agency level index bytes",
    ];
    assert_eq!(cluster.sql(name(&url), sql).lines().collect::<Vec<_>>(), expected);
}

/// PostgreSQL counts what it read of a table: a page reads its own rows, however many others there are.
#[test]
fn a_page_reads_no_more_of_a_large_store_than_what_it_returns() {
    let Some(cluster) = Cluster::common() else { return };
    let url = cluster.database();
    let store = open(&url).unwrap();
    let stream = contract::stored(&store);
    let others = "SELECT (1000000 + i)::bigint << 15, stream, 1000000 + i, hash, epoch, erased, header, signature, \
                            ciphertext_hash, wrap_hash, wrap, ciphertext FROM casevault.record, generate_series(1, 20000) AS i \
                            WHERE no = (SELECT min(no) FROM casevault.record)";
    cluster.sql(name(&url), &format!("INSERT INTO casevault.record {others}"));
    let blobs = "INSERT INTO casevault.blob SELECT (1000000 + i)::bigint << 15, '' FROM generate_series(1, 20000) AS i";
    cluster.sql(name(&url), blobs);
    cluster.sql(name(&url), "ANALYZE");
    let read = || {
        let counted = "SELECT sum(coalesce(idx_tup_fetch, 0) + seq_tup_read) FROM pg_stat_all_tables \
                       WHERE relname IN ('record', 'blob')";
        // A process counts until it ends.
        let at_work = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                      AND pid <> pg_backend_pid() AND backend_type IN ('client backend', 'parallel worker')";
        while cluster.sql(name(&url), at_work).trim() != "0" {
            thread::yield_now();
        }
        cluster.sql(name(&url), counted).trim().parse::<u64>().unwrap()
    };
    drop(store);
    let before = read();
    let store = open(&url).unwrap();
    // The first five times a statement is planned for what it asks; then once for all.
    for _ in 0..20 {
        let page = reading(&store, |reads| reads.page(stream, 0, usize::MAX)).unwrap();
        assert_eq!(page.parcels.len(), 6);
    }
    // Nor does what a transaction looks up beforehand.
    let names: Vec<_> = (0..32).map(|name| (stream, RecordId([name; 16]))).collect();
    for _ in 0..20 {
        writing(&store, |writes| writes.foresee(&names)).unwrap();
    }
    drop(store);
    let rows = read() - before;
    assert!(rows < 2_000, "{rows} rows read for 20 pages of 6 links, and 640 names");
}

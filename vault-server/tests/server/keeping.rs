//! What is done to a store while nobody is served from it, or beside a server: checked, moved, copied, put back.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use vault_core::wire::v1::event::{Erasure, ErasureGround, Event};
use vault_core::wire::v1::stream::StreamId;
use vault_server::store::sqlite::{FILE, MOVED};

use crate::cluster::{Cluster, name};
use crate::kit::{Office, Server, over};
use crate::log;

/// What a command said and how it ended.
struct Done {
    code: i32,
    out: String,
    said: String,
}

fn run(args: &[&str]) -> Done {
    let done = Server::command().args(args).output().unwrap();
    Done {
        code: done.status.code().unwrap(),
        out: String::from_utf8(done.stdout).unwrap(),
        said: String::from_utf8(done.stderr).unwrap(),
    }
}

impl Done {
    fn well(self) -> String {
        assert_eq!((self.code, self.said.as_str()), (0, ""));
        self.out
    }

    fn refused(self, code: i32, why: &str) {
        assert!(
            self.code == code && self.said.contains(why),
            "{}: {}",
            self.code,
            self.said
        );
        assert_eq!(self.out, "");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Two agencies: one with several tiles, an erasure, an access stream and two holders' cases; one that is registered only.
fn office(server: &Server, seed: u64) -> Office {
    let mut office = Office::with_case(server, seed, 1);
    let (note, made) = office.note_made(0);
    let mut parcels = vec![note];
    parcels.extend((0..300).map(|_| office.note(0)));
    let records = vec![made.record.hash()];
    let ground = ErasureGround::Decided;
    parcels.push(office.event(0, Event::Erasure(Erasure { records, ground })));
    parcels.extend([office.access(0), office.access(0)]);
    for some in parcels.chunks(100) {
        office.stored(server, some.to_vec());
    }
    Office::register(server, seed + 1, 1);
    office
}

/// Everything that the office reads.
fn everything(office: &Office, server: &Server) -> Vec<Vec<u8>> {
    let token = office.session(server, 0);
    let agency = StreamId::agency(&office.world.agency.id());
    let last = log::checkpoint(office, server);
    let mut read = vec![server.get(&format!("/v1/log/{}/checkpoint", office.id())).body];
    for stream in [agency, office.case_stream(), office.access_stream(0)] {
        let page = server.ask("GET", &crate::kit::path(stream, 0), &[("Authorization", &token)], &[]);
        assert_eq!(page.status, 200);
        read.push(page.body);
    }
    assert!(log::entries(office, server, last.size).len() as u64 == last.size);
    read
}

#[test]
fn a_folder_that_was_moved_goes_on_in_the_database_and_nowhere_else() {
    let Some(cluster) = Cluster::common() else { return };
    let mut server = Server::start(&["--rate", "0"]);
    let mut office = office(&server, 91);
    let before = everything(&office, &server);
    let token = office.session(&server, 0);
    let (folder, url) = (server.folder(), cluster.database());
    let moving = ["move", "--from", text(&folder), "--to", &url];
    run(&moving).refused(1, "another casevault-server has the folder");
    server.stop();
    let told = run(&moving).well();
    let [first, second, last] = told.lines().collect::<Vec<_>>()[..] else {
        panic!("{told}")
    };
    assert!(
        first.starts_with(&format!("{} leaves 306 root ", office.world.agency.id().text())),
        "{told}"
    );
    assert!(second.contains(" leaves 0 root "), "{told}");
    assert_eq!(last, "moved: 2 agencies");

    let mut moved = Server::over(&cluster, &url, &["--rate", "0"]);
    assert_eq!(everything(&office, &moved), before);
    // A session lasts, a log goes on.
    let note = office.note(0);
    let stored = office.append_as(&moved, Some(&token), vec![note]);
    assert_eq!(office.checkpoint(&stored.checkpoint).size, 307);
    assert_eq!(Office::register(&moved, 91, 1).log, office.log);
    moved.stop();
    assert!(
        run(&["check", "--database", &url])
            .well()
            .ends_with("sound: 2 agencies\n")
    );

    // Nobody goes on with the folder.
    assert!(!folder.join(FILE).exists() && folder.join(MOVED).exists());
    run(&["--data", text(&folder), "--listen", "127.0.0.1:0"]).refused(1, "was moved to a database");
    run(&moving).refused(1, "there is no database");
    // Cut off after the commit, it only gets its other name.
    fs::rename(folder.join(MOVED), folder.join(FILE)).unwrap();
    run(&moving).well();
    assert!(!folder.join(FILE).exists());
    // Into a database of somebody's own nothing is moved.
    let mut other = Server::start(&[]);
    Office::found(&other, 93, 1);
    other.stop();
    run(&["move", "--from", text(&other.folder()), "--to", &url]).refused(1, "in use already");
    assert!(other.folder().join(FILE).exists());
}

#[test]
fn a_moving_that_fails_leaves_nothing_and_begins_again() {
    let Some(cluster) = Cluster::common() else { return };
    let mut server = Server::start(&["--rate", "0"]);
    let office = office(&server, 94);
    server.stop();
    let (folder, url) = (server.folder(), cluster.database());
    let moving = ["move", "--from", text(&folder), "--to", &url];
    // Opened by a server that had nothing to serve, and by one of another key.
    let sql = |sql: &str| cluster.sql(name(&url), sql);
    let key = rusqlite::Connection::open(folder.join(FILE))
        .unwrap()
        .query_row("SELECT hex(session_key) FROM server", [], |row| row.get::<_, String>(0))
        .unwrap();
    Server::over(&cluster, &url, &[]).stop();
    run(&moving).refused(1, "in use already");
    sql(&format!("UPDATE casevault.server SET session_key = '\\x{key}'"));
    // In the middle of it.
    sql("ALTER TABLE casevault.link ADD CONSTRAINT middle CHECK (seq < 200)");
    run(&moving).refused(1, "violates check constraint");
    for table in ["agency", "stream", "link", "record", "tile", "holder"] {
        assert_eq!(
            sql(&format!("SELECT count(*) FROM casevault.{table}")),
            "0\n",
            "{table}"
        );
    }
    assert!(folder.join(FILE).exists());
    sql("ALTER TABLE casevault.link DROP CONSTRAINT middle");
    // What is damaged is not moved.
    let edit = |sql: &str| {
        let connection = rusqlite::Connection::open(folder.join(FILE)).unwrap();
        assert_eq!(connection.execute(sql, []).unwrap(), 1);
    };
    edit("UPDATE stream SET last = last - 1 WHERE kind = 2");
    run(&moving).refused(4, "a stream does not end with its last link");
    edit("UPDATE stream SET last = last + 1 WHERE kind = 2");
    run(&moving).well();
    let moved = Server::over(&cluster, &url, &["--rate", "0"]);
    assert_eq!(log::checkpoint(&office, &moved).size, 306);
}

/// Damage to a row, in words that both databases know, and what is said of it.
const DAMAGES: &[(&str, &str)] = &[
    (
        "UPDATE link SET bytes = (SELECT bytes FROM link WHERE AT 5) WHERE AT 7",
        "leaf 8: refused by CHK-139",
    ),
    (
        "UPDATE link SET signature = (SELECT signature FROM link WHERE AT 5) WHERE AT 7",
        "leaf 8: refused by CHK-",
    ),
    (
        "UPDATE link SET id = (SELECT id FROM link WHERE AT 5) WHERE AT 7",
        "leaf 8: a link has another id",
    ),
    (
        "UPDATE link SET seq = 1000 WHERE AT 7",
        "leaf 8: a link is out of the order",
    ),
    ("DELETE FROM link WHERE AT 7", "leaves are missing"),
    (
        "UPDATE record SET ciphertext = wrap WHERE no = (SELECT max(no) FROM record)",
        "refused by CHK-",
    ),
    (
        "UPDATE record SET wrap = (SELECT wrap FROM record WHERE no = (SELECT max(no) FROM record)) \
      WHERE no = (SELECT max(no) FROM record WHERE no < (SELECT max(no) FROM record))",
        "refused by CHK-",
    ),
    (
        "UPDATE record SET header = (SELECT header FROM record WHERE no = (SELECT max(no) FROM record)) \
      WHERE no = (SELECT max(no) FROM record WHERE no < (SELECT max(no) FROM record))",
        "refused by CHK-",
    ),
    (
        "UPDATE record SET signature = (SELECT signature FROM link WHERE AT 5) \
      WHERE no = (SELECT max(no) FROM record)",
        "refused by CHK-",
    ),
    (
        "UPDATE record SET name = name + 1 WHERE no = (SELECT max(no) FROM record)",
        "a record is not found by its id",
    ),
    (
        "UPDATE record SET hash = ciphertext_hash WHERE ciphertext_hash IS NOT NULL",
        "leaf 2: a record is not found",
    ),
    (
        "UPDATE record SET epoch = 1 WHERE no = (SELECT max(no) FROM record)",
        "a record has another epoch",
    ),
    (
        "UPDATE record SET erased = (1 = 1) WHERE no = (SELECT max(no) FROM record)",
        "a record that is erased has its bytes",
    ),
    (
        "UPDATE record SET erased = (1 = 0) WHERE ciphertext_hash IS NOT NULL",
        "what is marked as erased",
    ),
    (
        "DELETE FROM record WHERE no = (SELECT max(no) FROM record)",
        "refused by CHK-",
    ),
    (
        "UPDATE blob SET bytes = NULL WHERE no = (SELECT min(no) FROM blob)",
        "refused by CHK-",
    ),
    (
        "UPDATE tile SET bytes = (SELECT bytes FROM link WHERE AT 9)",
        "leaf 255: a tile is not the hashes of its leaves",
    ),
    ("DELETE FROM tile", "a tile is missing"),
    (
        "UPDATE stream SET head = (SELECT id FROM link WHERE AT 9) WHERE kind = 2",
        "does not end with its last link",
    ),
    (
        "UPDATE stream SET links = links + 1 WHERE kind = 2",
        "does not end with its last link",
    ),
    (
        "UPDATE stream SET kind = 3 WHERE kind = 2",
        "leaf 1: a link is of another stream",
    ),
    ("DELETE FROM holder", "whoever may read a case"),
    (
        "UPDATE agency SET id = (SELECT id FROM link WHERE AT 9) WHERE no = 1",
        "leaf 0: a link is of another stream",
    ),
];

#[test]
fn every_damage_of_a_folder_is_told_by_its_first_leaf() {
    let mut server = Server::start(&["--rate", "0"]);
    office(&server, 95);
    let folder = server.folder();
    let check = || run(&["check", "--data", text(&folder)]);
    check().refused(1, "another casevault-server has the folder");
    server.stop();
    let told = check().well();
    assert!(
        told.ends_with("sound: 2 agencies\n") && told.contains(" leaves 306 root "),
        "{told}"
    );
    let mut wrong = Vec::new();
    let whole = fs::read(folder.join(FILE)).unwrap();
    for (damage, told) in DAMAGES {
        let connection = rusqlite::Connection::open(folder.join(FILE)).unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        let damage = at(damage);
        let changed = connection.execute(&damage, []).unwrap();
        assert!(changed > 0, "{damage}");
        drop(connection);
        let done = check();
        if done.code != 4 || !done.said.contains(told) {
            wrong.push(format!("{damage}: {} {}", done.code, done.said));
        }
        fs::write(folder.join(FILE), &whole).unwrap();
    }
    assert_eq!(wrong, [""; 0]);
    check().well();
    let nowhere = folder.join("nowhere");
    run(&["check", "--data", text(&nowhere)]).refused(1, "there is no database");
}

fn at(damage: &str) -> String {
    damage.replace(
        "AT ",
        "stream = (SELECT no FROM stream ORDER BY links DESC LIMIT 1) AND seq = ",
    )
}

#[test]
fn every_damage_of_a_database_is_told_by_its_first_leaf() {
    let Some(cluster) = Cluster::common() else { return };
    over(std::sync::Arc::clone(&cluster), || {
        let mut server = Server::start(&["--rate", "0"]);
        office(&server, 97);
        let url = server.database().to_owned();
        // Beside a server that goes on.
        let told = run(&["check", "--database", &url]).well();
        assert!(
            told.ends_with("sound: 2 agencies\n") && told.contains(" leaves 306 root "),
            "{told}"
        );
        server.stop();
        let mut wrong = Vec::new();
        for (number, (damage, told)) in DAMAGES.iter().enumerate() {
            let copy = format!("damaged{number}");
            cluster.sql("postgres", &format!("CREATE DATABASE {copy} TEMPLATE {}", name(&url)));
            let damage = at(damage);
            let changed = cluster.sql(
                &copy,
                &format!("SET session_replication_role = replica; SET search_path = casevault; {damage} RETURNING 1"),
            );
            assert!(!changed.is_empty(), "{damage}");
            let done = run(&["check", "--database", &cluster.url(&copy)]);
            if done.code != 4 || !done.said.contains(told) {
                wrong.push(format!("{damage}: {} {}", done.code, done.said));
            }
            cluster.sql("postgres", &format!("DROP DATABASE {copy}"));
        }
        assert_eq!(wrong, [""; 0]);
    });
}

#[test]
fn a_copy_of_a_running_server_is_put_back_as_it_was_taken() {
    let mut server = Server::start(&["--rate", "0"]);
    let mut office = office(&server, 99);
    let before = everything(&office, &server);
    let around = tempfile::tempdir().unwrap();
    let (folder, copy, new) = (
        server.folder(),
        around.path().join("copy.db"),
        around.path().join("a/new"),
    );
    let backup = ["backup", "--data", text(&folder), "--to", text(&copy)];
    let told = run(&backup).well();
    assert!(
        told.ends_with("copied: 2 agencies\n") && told.contains(" leaves 306 root "),
        "{told}"
    );
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = fs::read(&copy).unwrap();
    run(&backup).refused(1, "there is something at");
    assert_eq!(fs::read(&copy).unwrap(), bytes);
    // The server went on meanwhile.
    let note = office.note(0);
    assert_eq!(office.stored(&server, vec![note.clone()]), [306]);
    server.stop();
    let restore = ["restore", "--from", text(&copy), "--data", text(&new)];
    assert!(run(&restore).well().ends_with("restored: 2 agencies\n"));
    run(&restore).refused(1, "there is something at");
    run(&["restore", "--from", text(&copy), "--data", text(&folder)]).refused(1, "there is something at");
    for (path, mode) in [(new.clone(), 0o700), (new.join(FILE), 0o600)] {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, mode);
    }
    let restored = Server::in_folder(around, "a/new", &["--rate", "0"]);
    assert_eq!(everything(&office, &restored), before);
    assert_eq!(office.stored(&restored, vec![note]), [306]);
}

#[test]
fn a_copy_of_a_database_is_put_back_as_a_folder_and_as_an_empty_database() {
    let Some(cluster) = Cluster::common() else { return };
    over(std::sync::Arc::clone(&cluster), || {
        let mut server = Server::start(&["--rate", "0"]);
        let mut office = office(&server, 103);
        let before = everything(&office, &server);
        let token = office.session(&server, 0);
        let url = server.database().to_owned();
        let around = tempfile::tempdir().unwrap();
        let (copy, new) = (around.path().join("copy.db"), around.path().join("new"));
        // Beside a server that goes on.
        let backup = ["backup", "--database", &url, "--to", text(&copy)];
        let told = run(&backup).well();
        assert!(
            told.ends_with("copied: 2 agencies\n") && told.contains(" leaves 306 root "),
            "{told}"
        );
        assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let beside: Vec<_> = fs::read_dir(around.path())
            .unwrap()
            .map(|one| one.unwrap().file_name())
            .collect();
        assert_eq!(beside, ["copy.db"]);
        let bytes = fs::read(&copy).unwrap();
        run(&backup).refused(1, "there is something at");
        assert_eq!(fs::read(&copy).unwrap(), bytes);
        let note = office.note(0);
        assert_eq!(office.stored(&server, vec![note.clone()]), [306]);
        // Nothing is written over: not the database that has gone on, and not somebody else's.
        let restore = |place: &str, to: &str| run(&["restore", "--from", text(&copy), place, to]);
        restore("--database", &url).refused(1, "in use already");
        server.stop();

        assert!(restore("--data", text(&new)).well().ends_with("restored: 2 agencies\n"));
        let mut folder = Server::in_folder(around, "new", &["--rate", "0"]);
        assert_eq!(everything(&office, &folder), before);
        folder.stop();
        let empty = cluster.database();
        assert!(restore("--database", &empty).well().ends_with("restored: 2 agencies\n"));
        restore("--database", &empty).refused(1, "in use already");
        assert!(
            run(&["check", "--database", &empty])
                .well()
                .ends_with("sound: 2 agencies\n")
        );
        let restored = Server::over(&cluster, &empty, &["--rate", "0"]);
        assert_eq!(everything(&office, &restored), before);
        // A session lasts, and what came after the copy comes again.
        let stored = office.append_as(&restored, Some(&token), vec![note]);
        assert_eq!(office.checkpoint(&stored.checkpoint).size, 307);
    });
}

#[test]
fn a_damaged_database_is_not_copied_and_a_damaged_copy_fills_no_database() {
    let Some(cluster) = Cluster::common() else { return };
    over(std::sync::Arc::clone(&cluster), || {
        let mut server = Server::start(&["--rate", "0"]);
        office(&server, 105);
        server.stop();
        let url = server.database().to_owned();
        let around = tempfile::tempdir().unwrap();
        let copy = around.path().join("copy.db");
        let backup = ["backup", "--database", &url, "--to", text(&copy)];
        let sql = |sql: &str| cluster.sql(name(&url), sql);
        sql("UPDATE casevault.stream SET last = last - 1 WHERE kind = 2");
        run(&backup).refused(4, "a stream does not end with its last link");
        assert_eq!(fs::read_dir(around.path()).unwrap().count(), 0);
        sql("UPDATE casevault.stream SET last = last + 1 WHERE kind = 2");
        run(&backup).well();
        let connection = rusqlite::Connection::open(&copy).unwrap();
        assert!(connection.execute("DELETE FROM tile", []).unwrap() > 0);
        drop(connection);
        let empty = cluster.database();
        let restore = ["restore", "--from", text(&copy), "--database", &empty];
        run(&restore).refused(4, "a tile is missing");
        for table in ["agency", "stream", "link", "record", "tile", "holder"] {
            let count = format!("SELECT count(*) FROM casevault.{table}");
            assert_eq!(cluster.sql(name(&empty), &count), "0\n", "{table}");
        }
        let nowhere = around.path().join("nowhere");
        run(&["restore", "--from", text(&nowhere), "--database", &empty]).refused(1, "cannot");
        run(&["backup", "--database", &cluster.database(), "--to", text(&nowhere)]).refused(1, "there is nothing");
        assert!(!nowhere.exists());
    });
}

#[test]
fn a_copy_that_is_damaged_is_neither_made_nor_put_back() {
    let mut server = Server::start(&["--rate", "0"]);
    office(&server, 101);
    server.stop();
    let around = tempfile::tempdir().unwrap();
    let (folder, copy, new) = (
        server.folder(),
        around.path().join("copy.db"),
        around.path().join("new"),
    );
    let backup = ["backup", "--data", text(&folder), "--to", text(&copy)];
    run(&backup).well();
    let damage = |path: &Path| {
        let connection = rusqlite::Connection::open(path).unwrap();
        assert!(connection.execute("DELETE FROM holder", []).unwrap() > 0);
    };
    damage(&copy);
    let restore = ["restore", "--from", text(&copy), "--data", text(&new)];
    run(&restore).refused(4, "whoever may read a case");
    assert!(!new.join(FILE).exists());
    assert_eq!(fs::read_dir(&new).unwrap().count(), 1, "its lock alone");
    fs::remove_file(&copy).unwrap();
    damage(&folder.join(FILE));
    run(&backup).refused(4, "whoever may read a case");
    assert!(!copy.exists());
    fs::write(&copy, "not a database at all, but some other text").unwrap();
    run(&restore).refused(4, "SQLite says so");
    run(&["backup", "--data", text(around.path()), "--to", text(&copy)]).refused(1, "there is no database");
}

#[test]
fn a_password_of_the_database_comes_by_a_file_and_is_told_to_nobody() {
    let Some(cluster) = Cluster::start() else { return };
    let cluster = std::sync::Arc::new(cluster);
    let url = cluster.database();
    Server::over(&cluster, &url, &[]).stop();
    cluster.sql("postgres", "ALTER USER casevault PASSWORD 'not to be told'");
    fs::write(
        cluster.folder().join("data/pg_hba.conf"),
        "local all all scram-sha-256\n",
    )
    .unwrap();
    cluster.stop(rustix::process::Signal::INT);
    cluster.run();
    run(&["check", "--database", &url]).refused(1, "cannot open the database");
    let with = |password: &str| url.replace("casevault@", &format!("casevault:{password}@"));
    let secret = with("not%20to%20be%20told");
    for command in ["serve", "check"] {
        let done = run(&[command, "--database", &secret]);
        assert!(!done.said.contains("told"), "{}", done.said);
        done.refused(1, "--database-file");
    }
    let around = tempfile::tempdir().unwrap();
    let file = around.path().join("url");
    for (url, mode, code, why) in [
        (&secret, 0o600, 0, ""),
        (&secret, 0o644, 1, "may be read by others"),
        (&with("wrong"), 0o600, 1, "password authentication failed"),
    ] {
        fs::write(&file, url).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let done = run(&["check", "--database-file", text(&file)]);
        assert!(
            !done.said.contains("told") && !done.said.contains("wrong"),
            "{}",
            done.said
        );
        match code {
            0 => assert_eq!(done.well(), "sound: 0 agencies\n"),
            code => done.refused(code, why),
        }
    }
}

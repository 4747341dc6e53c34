//! Every bit of every stored object, and many bits of the whole store file, changed one at a time (attacks 19 and 50).
//!
//! What is changed is opened as the command opens it and verified whole. It must be refused with a typed cause, or be
//! shown to hold, cell by cell, what it held before: then no verified byte was changed. Nothing may panic.
//!
//! `cargo test` changes every bit of every object by itself, and through the whole vault a fixed sample of the bits;
//! `CASEVAULT_FLIPS=all cargo test --release -p vault-cli --test flips` takes 65,536 random bits of the file, and every
//! bit of every cell that is not such an object, through the whole vault.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use rusqlite::Connection;
use rusqlite::types::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use tempfile::TempDir;
use vault_cli::places::Places;
use vault_cli::session::Cancel;
use vault_cli::session::Passphrase;
use vault_cli::session::Session;
use vault_cli::session::SessionError;
use vault_cli::session::Silent;
use vault_cli::session::Task;
use vault_cli::session::request::CaseOpenRequest;
use vault_cli::session::request::ImportRequest;
use vault_cli::session::request::InitRequest;
use vault_cli::session::request::NoteAddRequest;
use vault_cli::session::request::NoteAmendRequest;
use vault_cli::session::request::NoteFindRequest;
use vault_cli::session::request::NoteInput;
use vault_cli::session::request::NoteListRequest;
use vault_cli::session::request::NoteWithdrawRequest;
use vault_cli::store::BlobKind;
use vault_cli::store::Content;
use vault_cli::store::Replay;
use vault_cli::store::Row;
use vault_cli::store::Store;
use vault_cli::store::StoreError;
use vault_cli::store::StoredRecord;
use vault_cli::store::hash_all;
use vault_core::access;
use vault_core::check::Check;
use vault_core::crypto::passphrase::Cost;
use vault_core::crypto::sign::Signature;
use vault_core::crypto::sign::SigningKey;
use vault_core::crypto::sign::VerifyingKey;
use vault_core::epoch::Wrap;
use vault_core::keystore;
use vault_core::keystore::RecoverySeeds;
use vault_core::keystore::Secrets;
use vault_core::keystore::Unlocked;
use vault_core::local::LocalKeys;
use vault_core::local::value;
use vault_core::note::NoteKind;
use vault_core::record::UnverifiedRecord;
use vault_core::stream::UnverifiedLink;
use vault_core::wire;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::link::Placement;
use vault_core::wire::v1::record::RecordHeader;

const PHRASE: &str = "seven quiet herons over the mill";

/// A small vault with something of every kind in it, its keys, and what its cells hold.
struct Sample {
    keystore: Vec<u8>,
    store: Vec<u8>,
    keys: (Unlocked, Secrets),
    cells: Dump,
}

/// Every table's rows, each cell as it is stored, and the schema.
type Dump = BTreeMap<String, Vec<Vec<Value>>>;

fn sample() -> &'static Sample {
    static SAMPLE: OnceLock<Sample> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let folder = folder();
        let places = Places::find(Some(folder.path())).unwrap();
        fill(&places);
        let keystore = std::fs::read(places.keystore()).unwrap();
        let store = std::fs::read(places.store()).unwrap();
        assert!(
            !places.home().join("vault.db-wal").exists(),
            "the log was emptied into the file"
        );
        let keys = keystore::unlock(&keystore, PHRASE).unwrap();
        let cells = dump(&places.store()).unwrap();
        Sample {
            keystore,
            store,
            keys,
            cells,
        }
    })
}

/// A folder in memory where there is one: the file is written anew for each bit.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

fn fill(places: &Places) {
    let passphrase = Passphrase::new(PHRASE.to_owned());
    let request = InitRequest {
        agency: "Hillside".to_owned(),
        name: "Ann".to_owned(),
        cost: Cost {
            memory_kib: 65_536,
            passes: 3,
            lanes: 4,
        },
    };
    Session::init(places, request, &passphrase).unwrap();
    let mut session = Session::unlock(places, &passphrase).unwrap();
    let cancel = Cancel::default();
    let task = Task {
        progress: &Silent,
        cancel: &cancel,
    };
    let mut lines = String::from(
        "{\"type\":\"worker\",\"worker\":\"w001\",\"role\":\"caseworker\"}\n{\"type\":\"case\",\"case\":\"ext-1\",\"worker\":\"w001\",\
         \"opened\":\"2024-01-08\",\"template\":\"adult-social-care\",\"profile\":{\"name\":\"Una Kestle\"}}\n",
    );
    for note in 1..=9 {
        let section = ["core", "health", "housing"][note % 3];
        lines.push_str(&format!(
            "{{\"type\":\"note\",\"case\":\"ext-1\",\"note\":\"ext-1-{note}\",\"author\":\"w001\",\"kind\":\"phone\",\"section\":\"{section}\",\
             \"occurred_at\":\"2024-02-0{note}T10:00:00Z\",\"recorded_at\":\"2024-02-0{note}T11:00:00Z\",\
             \"segments\":[{{\"kind\":\"observation\",\"text\":\"Rang, number {note}.\"}}]}}\n"
        ));
    }
    let imported = session
        .import(&mut lines.as_bytes(), ImportRequest::default(), task)
        .unwrap();
    assert!(imported.malformed.is_empty());
    let case = session.case_open(CaseOpenRequest {
        template: "adult-social-care".to_owned(),
        profile: "{\"name\":\"Ines Lorne\"}".to_owned(),
        opened: None,
    });
    let case = case.unwrap().case;
    let input = |text: &str| NoteInput {
        text: text.to_owned(),
        kind: Some(NoteKind::new("phone").unwrap()),
        ..NoteInput::default()
    };
    let add = |session: &mut Session, text: &str| {
        let request = NoteAddRequest {
            case: case.clone(),
            note: input(text),
            ..NoteAddRequest::default()
        };
        session.note_add(request).unwrap().note
    };
    let note = add(&mut session, "obs: The lamp is broken.\n\npriv: I was in a hurry.\n");
    let amend = NoteAmendRequest {
        note,
        input: input("obs: The lamp was mended.\n\npriv: I was in a hurry.\n"),
        ..NoteAmendRequest::default()
    };
    session.note_amend(amend).unwrap();
    let slip = add(&mut session, "obs: Of another person.\n");
    session.note_withdraw(NoteWithdrawRequest { note: slip }).unwrap();
    // Entries of the access stream; nine hits are more than one holds, and go into its manifest.
    let find = NoteFindRequest {
        term: "number".to_owned(),
        ..NoteFindRequest::default()
    };
    assert_eq!(session.note_find(find, task).unwrap().notes, 9);
    let list = NoteListRequest {
        case,
        ..NoteListRequest::default()
    };
    session.note_list(list).unwrap();
    assert!(session.verify(task).unwrap().failures.is_empty());
}

fn duplicate(keys: &(Unlocked, Secrets)) -> (Unlocked, Secrets) {
    let (unlocked, secrets) = keys;
    let seeds =
        |list: &[(u32, vault_core::secret::RecipientSeed)]| list.iter().map(|(v, s)| (*v, s.duplicate())).collect();
    let copy = Secrets {
        device: secrets.device.duplicate(),
        seal_secret: secrets.seal_secret.duplicate(),
        store_key: secrets.store_key.duplicate(),
        identity: secrets.identity.duplicate(),
        recipients: seeds(&secrets.recipients),
        dpo: seeds(&secrets.dpo),
        recovery: secrets.recovery.as_ref().map(|r| RecoverySeeds {
            version: r.version,
            recipient: r.recipient.duplicate(),
            signing: r.signing.duplicate(),
            seed: r.seed.as_ref().map(|seed| seed.duplicate()),
        }),
    };
    (unlocked.duplicate(), copy)
}

fn dump(path: &Path) -> rusqlite::Result<Dump> {
    let connection = Connection::open(path)?;
    let mut all = Dump::new();
    let rows = |query: &str| -> rusqlite::Result<Vec<Vec<Value>>> {
        let mut statement = connection.prepare(query)?;
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| (0..columns).map(|n| row.get::<_, Value>(n)).collect())?;
        rows.collect()
    };
    let schema = rows("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name")?;
    for row in &schema {
        if row[0] == Value::Text("table".to_owned())
            && let Value::Text(name) = &row[1]
        {
            all.insert(name.clone(), rows(&format!("SELECT * FROM \"{name}\" ORDER BY 1, 2"))?);
        }
    }
    for pragma in ["application_id", "user_version"] {
        all.insert(pragma.to_owned(), rows(&format!("PRAGMA {pragma}"))?);
    }
    all.insert("sqlite_schema".to_owned(), schema);
    Ok(all)
}

/// Says in which table cells differ from the sample's, and how.
fn difference(cells: &Dump) -> Option<String> {
    let before = &sample().cells;
    if cells == before {
        return None;
    }
    let tables = before
        .keys()
        .chain(cells.keys())
        .filter(|table| cells.get(*table) != before.get(*table));
    let rows = tables.map(|table| {
        let (old, new) = (
            before.get(table).into_iter().flatten(),
            cells.get(table).into_iter().flatten(),
        );
        let rows: Vec<_> = old.zip(new).filter(|(old, new)| old != new).take(3).collect();
        format!("{table}: {rows:?}")
    });
    Some(rows.collect::<Vec<_>>().join("; "))
}

/// What became of a changed vault.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Verified, although a cell holds something else: what must never be.
    Accepted(String),
    /// Refused, by this check or for this typed reason.
    Refused(String),
    /// Nothing was refused, and every cell is as it was.
    Unchanged,
}

/// Opens and verifies a store's bytes in `place`; what is not refused must hold what it held.
fn judge(place: &Place, what: &str) -> Outcome {
    // Looked at before the session writes its own entry.
    let cells = dump(&place.path);
    match verify(place) {
        Ok(failures) if failures.is_empty() => {
            let cells = cells.unwrap_or_else(|e| panic!("{what}: verified, and cannot be read: {e}"));
            match difference(&cells) {
                None => Outcome::Unchanged,
                Some(difference) => Outcome::Accepted(format!("{what}: {difference}")),
            }
        }
        Ok(failures) => Outcome::Refused(failures[0].clone()),
        Err(error) => Outcome::Refused(cause(&error, what)),
    }
}

/// Returns the check or the typed reason of a refusal; a fault in the program is none.
fn cause(error: &SessionError, what: &str) -> String {
    match error {
        SessionError::LogFailed { source } => cause(source, what),
        SessionError::Refused { check, .. } => check.to_string(),
        SessionError::Foreign { .. } | SessionError::TooNew { .. } => error.code().to_owned(),
        other => panic!("{what}: not a typed refusal: {other:?}"),
    }
}

fn verify(place: &Place) -> Result<Vec<String>, SessionError> {
    let (unlocked, secrets) = duplicate(&sample().keys);
    let mut session = Session::with_keystore(&place.places, unlocked, secrets)?;
    let cancel = Cancel::default();
    let reply = session.verify(Task {
        progress: &Silent,
        cancel: &cancel,
    })?;
    Ok(reply.failures.into_iter().map(|failure| failure.check).collect())
}

/// A folder in which one thread at a time puts changed stores.
struct Place {
    _folder: TempDir,
    places: Places,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = folder();
        let places = Places::find(Some(folder.path())).unwrap();
        let path = places.store();
        Self {
            _folder: folder,
            places,
            path,
        }
    }

    /// Puts a whole store there, and nothing of the one before.
    fn put(&self, bytes: &[u8]) {
        for beside in ["vault.db-wal", "vault.db-shm"] {
            let _ = std::fs::remove_file(self.places.home().join(beside));
        }
        std::fs::write(&self.path, bytes).unwrap();
    }
}

fn all() -> bool {
    std::env::var_os("CASEVAULT_FLIPS").is_some_and(|value| value == "all")
}

/// Hands the numbers below `count` to both cores, each with a place of its own; counts what became of them.
fn each(count: usize, judge: impl Fn(&Place, usize) -> Option<Outcome> + Sync) -> BTreeMap<Outcome, usize> {
    sample();
    let next = AtomicUsize::new(0);
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let counts = std::thread::scope(|scope| {
        let running: Vec<_> = (0..cores)
            .map(|_| {
                scope.spawn(|| {
                    let place = Place::new();
                    let mut counts = BTreeMap::new();
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= count {
                            break counts;
                        }
                        if let Some(outcome) = judge(&place, number) {
                            *counts.entry(outcome).or_insert(0) += 1;
                        }
                    }
                })
            })
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect::<Vec<_>>()
    });
    let mut sum = BTreeMap::new();
    let accepted = |outcome: &&Outcome| matches!(outcome, Outcome::Accepted(_));
    let accepted: Vec<_> = counts.iter().flat_map(BTreeMap::keys).filter(accepted).collect();
    assert!(accepted.is_empty(), "verified, and holds something else: {accepted:#?}");
    for (outcome, number) in counts.into_iter().flatten() {
        *sum.entry(outcome).or_insert(0) += number;
    }
    sum
}

/// A generator of numbers that is the same on every machine: SplitMix64.
fn random(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[test]
fn an_unchanged_vault_is_not_refused() {
    let place = Place::new();
    place.put(&sample().store);
    assert_eq!(judge(&place, "unchanged"), Outcome::Unchanged);
    for table in [
        "link", "sealed", "erased", "blob", "local", "external", "stream", "actor", "meta",
    ] {
        assert!(!sample().cells[table].is_empty(), "the sample has no row in `{table}`");
    }
}

#[test]
fn attack_19_each_bit_of_the_keystore_file_is_refused() {
    let file = &sample().keystore;
    let (unlocked, _) = &sample().keys;
    assert!(keystore::reopen(file, unlocked).is_ok());
    let counts = each(file.len() * 8, |_, bit| {
        let mut changed = file.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        // The key that the passphrase gives is the same for most bits, so it is not derived anew for each; with the
        // bits of salt and cost it would be another, and opens even less.
        let refused = keystore::reopen(&changed, unlocked).expect_err("a changed keystore opens");
        // With the passphrase itself, for some of them; dear parameters that are allowed are left out.
        let cheap = keystore::peek(&changed).is_ok_and(|header| header.cost == unlocked.header().cost);
        if cheap && bit % 211 == 0 {
            let refused = keystore::unlock(&changed, PHRASE).expect_err("a changed keystore unlocks");
            assert_eq!(refused.check, Check::Keystore, "bit {bit}");
        }
        Some(Outcome::Refused(refused.check.to_string()))
    });
    eprintln!("keystore: {counts:?}");
    assert!(counts[&Outcome::Refused(Check::Keystore.to_string())] > file.len() * 7);
}

/// Hands each bit of `bytes`, changed, to `refuses`, and expects it to refuse each with a check; counts them.
fn each_bit(of: &str, bytes: &[u8], counts: &mut BTreeMap<String, usize>, refuses: impl Fn(&[u8]) -> Option<Check>) {
    assert_eq!(refuses(bytes), None, "{of}: unchanged, and refused");
    let mut changed = bytes.to_vec();
    for bit in 0..bytes.len() * 8 {
        changed[bit / 8] ^= 1 << (bit % 8);
        let check = refuses(&changed).unwrap_or_else(|| panic!("{of}: bit {bit} is accepted"));
        *counts.entry(format!("{of}: {check}")).or_default() += 1;
        changed[bit / 8] ^= 1 << (bit % 8);
    }
}

/// Every signature, ciphertext, wrap, sealed body and file by itself, against what its link signs or its seal says.
/// That `verify` asks all of these of every row is what the cells below show.
#[test]
fn attack_19_each_bit_of_each_stored_object_is_refused_by_its_own_check() {
    let place = Place::new();
    place.put(&sample().store);
    let (_, secrets) = &sample().keys;
    let store = Store::open(&place.path, &secrets.store_key).unwrap();
    let rows: Vec<Row> = store
        .read(|tx| -> Result<_, StoreError> {
            let mut all = Vec::new();
            tx.scan_all(1, 100, &mut |chunk| -> Result<(), StoreError> {
                all.extend(chunk);
                Ok(())
            })?;
            Ok(all)
        })
        .unwrap();
    let key = SigningKey::from_seed(&secrets.device).public();
    let key = VerifyingKey::new(&key, Check::OwnKeys).unwrap();
    let blobs: BTreeMap<Vec<u8>, Vec<u8>> = sample().cells["blob"]
        .iter()
        .map(|row| match &row[..] {
            [Value::Blob(hash), Value::Blob(bytes)] => (hash.clone(), bytes.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    let counts = Mutex::new(BTreeMap::<String, usize>::new());
    let hashed = hash_all(&rows).unwrap();
    // Links are rebuilt in order, each upon the one before; what follows is of each by itself.
    let links: Vec<UnverifiedLink> = store
        .read(|tx| -> Result<_, StoreError> {
            let mut replay = Replay::of_store(tx);
            hashed.iter().map(|row| replay.next(row)).collect()
        })
        .unwrap();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                let mut mine = BTreeMap::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(row), Some(link)) = (rows.get(number), links.get(number)) else {
                        break;
                    };
                    link_by_itself(link, &key, &mut mine);
                    let placements = hashed[number].placements();
                    match row {
                        Row::Record(row) => record_by_itself(&row.record, &placements[0], &key, &mut mine),
                        Row::Link(row) => {
                            for (record, placement) in row.sealed.iter().zip(placements) {
                                record_by_itself(record, placement, &key, &mut mine);
                            }
                            if let (LinkBody::Access(entry), Some(body)) = (&link.link().body, &row.body) {
                                let manifest = blobs.get(entry.manifest_hash.0.as_slice()).map(Vec::as_slice);
                                each_bit("access body", body, &mut mine, |body| {
                                    access::require_parts(entry, body, manifest)
                                        .err()
                                        .map(|refused| refused.check)
                                });
                            }
                        }
                    }
                }
                for (name, count) in mine {
                    *counts.lock().unwrap().entry(name).or_default() += count;
                }
            });
        }
    });
    let mut counts = counts.into_inner().unwrap();
    for (hash, bytes) in &blobs {
        let is = |kind: BlobKind, bytes: &[u8]| kind.hash(bytes).as_slice() == hash;
        let kind = [BlobKind::Keyring, BlobKind::Manifest]
            .into_iter()
            .find(|kind| is(*kind, bytes))
            .unwrap();
        each_bit("file", bytes, &mut counts, |bytes| {
            (!is(kind, bytes)).then_some(Check::Unreadable)
        });
    }
    let keys = LocalKeys::derive(&secrets.store_key);
    for row in &sample().cells["local"] {
        let [Value::Text(name), Value::Blob(sealed)] = &row[..] else {
            panic!("{row:?}")
        };
        each_bit("local value", sealed, &mut counts, |sealed| {
            value::open(&keys.state, name, sealed)
                .err()
                .map(|refused| refused.check)
        });
    }
    eprintln!("{} bits: {counts:?}", counts.values().sum::<usize>());
    for of in [
        "link",
        "link signature",
        "header",
        "ciphertext",
        "record signature",
        "wrap",
        "access body",
        "file",
        "local value",
    ] {
        assert!(
            counts.keys().any(|name| name.starts_with(&format!("{of}: "))),
            "no {of} in the sample"
        );
    }
}

fn link_by_itself(link: &UnverifiedLink, key: &VerifyingKey, counts: &mut BTreeMap<String, usize>) {
    let link = link.clone().verify(key).unwrap();
    let verify = |bytes: &[u8], signature: Signature| {
        let decoded = UnverifiedLink::decode(bytes, signature).and_then(|link| link.verify_signature(key));
        decoded.err().map(|refused| refused.check)
    };
    each_bit("link", link.bytes(), counts, |bytes| verify(bytes, *link.signature()));
    each_bit("link signature", &link.signature().0, counts, |bytes| {
        verify(link.bytes(), Signature(bytes.try_into().unwrap()))
    });
}

fn record_by_itself(
    stored: &StoredRecord,
    placed: &Placement,
    key: &VerifyingKey,
    counts: &mut BTreeMap<String, usize>,
) {
    let Content::Kept { ciphertext, wrap } = &stored.content else {
        return;
    };
    let verify = |header: &RecordHeader, ciphertext: &[u8], signature: Signature| {
        let record = UnverifiedRecord::new(header.clone(), ciphertext.to_vec(), signature);
        record
            .and_then(|record| record.verify_signature(key))
            .err()
            .map(|refused| refused.check)
    };
    let (header, bytes, signature) = (&stored.header, ciphertext.bytes(), stored.signature);
    let encoded = wire::encode(header).unwrap();
    each_bit("header", &encoded, counts, |header| {
        match wire::decode::<RecordHeader>(header, encoded.len()) {
            Ok(header) => verify(&header, bytes, signature),
            Err(refused) => Some(refused.check),
        }
    });
    each_bit("ciphertext", bytes, counts, |bytes| verify(header, bytes, signature));
    each_bit("record signature", &signature.0, counts, |changed| {
        verify(header, bytes, Signature(changed.try_into().unwrap()))
    });
    each_bit("wrap", &wrap.0, counts, |changed| {
        (Wrap(changed.try_into().unwrap()).hash() != placed.wrap_hash).then_some(Check::Placement)
    });
}

/// One bit of one cell.
#[derive(Clone, Debug)]
struct Flip {
    table: String,
    column: String,
    row: usize,
    bit: usize,
}

#[test]
fn attack_19_each_bit_of_each_stored_cell_is_refused() {
    let place = Place::new();
    place.put(&sample().store);
    let connection = Connection::open(&place.path).unwrap();
    let mut flips = Vec::new();
    let mut cells = 0;
    for (table, rows) in &sample().cells {
        if matches!(table.as_str(), "sqlite_schema" | "application_id" | "user_version") {
            continue;
        }
        let statement = connection.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        for (row, values) in rows.iter().enumerate() {
            for (column, value) in columns.iter().zip(values) {
                let bits = match value {
                    // As one bit of a row's own header can make of it: nothing to zero.
                    Value::Null => 1,
                    Value::Integer(_) => 64,
                    Value::Blob(bytes) => bytes.len() * 8,
                    Value::Text(text) => text.len() * 8,
                    Value::Real(_) => unreachable!("no table has such a column"),
                };
                cells += 1;
                // Of each cell the first bit and the last, and of those between every n-th, beginning anywhere. What is
                // larger than a signature was changed bit by bit above, object by object.
                let step = if all() && bits <= 512 { 1 } else { 911 };
                let chosen = (0..bits).filter(|bit| *bit == 0 || bit + 1 == bits || (bit + cells * 131) % step == 0);
                flips.extend(chosen.map(|bit| Flip {
                    table: table.clone(),
                    column: column.clone(),
                    row,
                    bit,
                }));
            }
        }
    }
    drop(connection);
    assert!(cells > 400, "only {cells} cells");
    let counts = each(flips.len(), |place, number| {
        let flip = &flips[number];
        place.put(&sample().store);
        apply(&place.path, flip).then(|| {
            let outcome = judge(place, &format!("{flip:?}"));
            assert_ne!(outcome, Outcome::Unchanged, "{flip:?} has no effect");
            outcome
        })
    });
    eprintln!("{} bits of {cells} cells: {counts:?}", flips.len());
    let refused: usize = counts.values().sum();
    assert!(
        refused * 100 > flips.len() * 95,
        "{refused} of {} could be stored",
        flips.len()
    );
}

/// Changes one bit of one cell; tells whether the table can hold the changed value at all.
fn apply(path: &Path, flip: &Flip) -> bool {
    let Flip {
        table,
        column,
        row,
        bit,
    } = flip;
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; PRAGMA journal_mode = DELETE")
        .unwrap();
    // A row is known by all that it holds, so that tables without row numbers are no exception.
    let values = &sample().cells[table][*row];
    let statement = connection.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    drop(statement);
    let index = columns.iter().position(|name| name == column).unwrap();
    let changed = match &values[index] {
        Value::Null => Value::Integer(0),
        Value::Integer(number) => Value::Integer(number ^ (1 << bit)),
        Value::Blob(bytes) => {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            Value::Blob(bytes)
        }
        Value::Text(text) => {
            let mut bytes = text.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            match String::from_utf8(bytes) {
                Ok(text) => Value::Text(text),
                Err(_) => return false,
            }
        }
        other => panic!("{other:?}"),
    };
    let matching: Vec<String> = (1..=columns.len())
        .zip(&columns)
        .map(|(n, name)| format!("\"{name}\" IS ?{n}"))
        .collect();
    let query = format!(
        "UPDATE \"{table}\" SET \"{column}\" = ?{} WHERE {}",
        columns.len() + 1,
        matching.join(" AND ")
    );
    // Where no number is allowed, nothing becomes no bytes instead.
    let instead = matches!(values[index], Value::Null).then_some(Value::Blob(Vec::new()));
    [Some(changed), instead].iter().flatten().any(|changed| {
        let bound = rusqlite::params_from_iter(values.iter().chain([changed]));
        match connection.execute(&query, bound) {
            Ok(1) => true,
            // Another row has that key already, or the column another type.
            Err(rusqlite::Error::SqliteFailure(failure, _))
                if failure.code == rusqlite::ErrorCode::ConstraintViolation =>
            {
                false
            }
            other => panic!("{flip:?}: {other:?}"),
        }
    })
}

#[test]
fn attack_50_random_bits_of_the_whole_store_file_are_refused_or_change_no_verified_byte() {
    let file = &sample().store;
    let count = if all() { 65_536 } else { 768 };
    let mut next = random(0x0019_0050);
    let bits: Vec<usize> = (0..count)
        .map(|_| (next() % (file.len() as u64 * 8)) as usize)
        .collect();
    let counts = each(count, |place, number| {
        let bit = bits[number];
        let mut changed = file.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        place.put(&changed);
        Some(judge(place, &format!("bit {} of byte {}", bit % 8, bit / 8)))
    });
    eprintln!("{count} bits of {} bytes: {counts:?}", file.len());
    assert!(counts.len() > 3, "{counts:?}");
}

//! What a session answers when the store was changed behind its back by somebody without the store key.

use super::Passphrase;
use super::Session;
use super::request::*;
use crate::places::Places;
use rusqlite::Connection;
use vault_core::check::Check;
use vault_core::crypto::passphrase::Cost;

pub(super) const CHEAP: Cost = Cost {
    memory_kib: 64 * 1024,
    passes: 3,
    lanes: 4,
};

/// A vault with a session on it.
pub(super) struct Vault {
    _folder: tempfile::TempDir,
    pub(super) places: Places,
    session: Option<Session>,
}

impl Vault {
    pub(super) fn made() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::find(Some(&folder.path().join("home"))).unwrap();
        let request = InitRequest {
            agency: "Hillside".to_owned(),
            name: "Ann".to_owned(),
            cost: CHEAP,
        };
        Session::init(&places, request, &Passphrase::new("p".to_owned())).unwrap();
        Self::of(folder, places)
    }

    /// A vault that was made by other means, with the same passphrase.
    pub(super) fn of(folder: tempfile::TempDir, places: Places) -> Self {
        let mut vault = Self {
            _folder: folder,
            places,
            session: None,
        };
        vault.open();
        vault
    }

    pub(super) fn open(&mut self) {
        self.session = None;
        self.session = Some(Session::unlock(&self.places, &Passphrase::new("p".to_owned())).unwrap());
    }

    pub(super) fn s(&mut self) -> &mut Session {
        self.session.as_mut().unwrap()
    }

    /// Changes the file with no session on it.
    pub(super) fn changed(&mut self, sql: &str) {
        self.session = None;
        let connection = Connection::open(self.places.store()).unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        connection.execute_batch(sql).unwrap();
        drop(connection);
        self.open();
    }

    fn number(&self, sql: &str) -> i64 {
        let connection = Connection::open(self.places.store()).unwrap();
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    pub(super) fn case(&mut self, external: &str) -> String {
        let profile = format!(r#"{{"case":"{external}","profile":{{"name":"{external}"}}}}"#);
        let request = CaseOpenRequest {
            template: "adult-social-care".to_owned(),
            profile,
            opened: None,
        };
        self.s().case_open(request).unwrap().case
    }

    pub(super) fn note(&mut self, case: &str, text: &str) -> String {
        self.add(case, text).unwrap().note
    }

    pub(super) fn add(&mut self, case: &str, text: &str) -> super::Result<super::reply::NoteSavedReply> {
        let request = NoteAddRequest {
            case: case.to_owned(),
            note: input(text),
            ..NoteAddRequest::default()
        };
        self.s().note_add(request)
    }

    pub(super) fn amend(&mut self, note: &str, text: &str) {
        let request = NoteAmendRequest {
            note: note.to_owned(),
            input: input(text),
            ..NoteAmendRequest::default()
        };
        self.s().note_amend(request).unwrap();
    }

    pub(super) fn show(&mut self, note: &str) -> super::Result<super::reply::NoteShowReply> {
        let request = NoteShowRequest {
            note: note.to_owned(),
            ..NoteShowRequest::default()
        };
        self.s().note_show(request)
    }

    pub(super) fn list(&mut self, case: &str) -> super::Result<super::reply::NoteListReply> {
        let request = NoteListRequest {
            case: case.to_owned(),
            ..NoteListRequest::default()
        };
        self.s().note_list(request)
    }
}

pub(super) fn input(text: &str) -> NoteInput {
    NoteInput {
        text: text.to_owned(),
        kind: vault_core::note::NoteKind::new("phone"),
        ..NoteInput::default()
    }
}

fn check<T: std::fmt::Debug>(result: super::Result<T>) -> Option<Check> {
    let error = result.map(drop).unwrap_err();
    error.check().or_else(|| panic!("{error}"))
}

/// Every column but its place, out of the row at `from`, into the row at `to`.
fn overwrite(from: i64, to: i64) -> String {
    format!(
        "CREATE TEMP TABLE other AS SELECT * FROM link WHERE pos = {from};
        UPDATE other SET pos = {to}, seq = (SELECT seq FROM link WHERE pos = {to});
        DELETE FROM link WHERE pos = {to}; INSERT INTO link SELECT * FROM other"
    )
}

#[test]
fn attack_21_an_older_version_or_another_note_in_the_newest_versions_row_is_not_shown_as_current() {
    let mut vault = Vault::made();
    let case = vault.case("ext-1");
    let note = vault.note(&case, "She is at risk.");
    let first = vault.number("SELECT max(pos) FROM link WHERE class = 1");
    vault.note(&case, "Another.");
    let other = vault.number("SELECT max(pos) FROM link WHERE class = 1");
    vault.amend(&note, "She is safe.");
    let second = vault.number("SELECT max(pos) FROM link WHERE class = 1");
    assert_eq!(vault.show(&note).unwrap().view.head.version, 2);
    for from in [first, other] {
        vault.session = None;
        let kept = std::fs::read(vault.places.store()).unwrap();
        vault.changed(&overwrite(from, second));
        assert_eq!(check(vault.show(&note)), Some(Check::StreamHead));
        vault.session = None;
        std::fs::write(vault.places.store(), kept).unwrap();
        vault.open();
    }
    assert_eq!(vault.show(&note).unwrap().view.head.version, 2);
}

#[test]
fn chk_102_an_event_hidden_from_the_list_of_events_stops_reading_and_writing() {
    let mut vault = Vault::made();
    let case = vault.case("ext-1");
    let note = vault.note(&case, "Kept.");
    let gone = vault.note(&case, "Taken back.");
    let request = NoteWithdrawRequest { note: gone };
    vault.s().note_withdraw(request).unwrap();
    // An attachment's class: neither among the events nor among the notes.
    let event = vault
        .number("SELECT max(pos) FROM link WHERE class IS NULL AND stream = (SELECT no FROM stream WHERE kind = 2)");
    vault.changed(&format!("UPDATE link SET class = 4 WHERE pos = {event}"));
    assert!(vault.show(&note).is_err());
    assert!(vault.add(&case, "More.").is_err());
}

#[test]
fn chk_82_a_note_made_to_look_erased_without_an_erasure_is_missed_by_every_read() {
    let mut vault = Vault::made();
    let case = vault.case("ext-1");
    let kept = vault.note(&case, "Kept.");
    let note = vault.note(&case, "Inconvenient.");
    let pos = vault.number("SELECT max(pos) FROM link WHERE class = 1");
    let row = {
        let session = vault.s();
        let at = crate::store::RecordAt::link(u64::try_from(pos).unwrap());
        session
            .store
            .read(|tx| -> super::Result<_> {
                let stored = tx.record_at(at)?;
                let crate::store::Content::Kept { ciphertext, wrap } = &stored.content else {
                    panic!("kept");
                };
                Ok((ciphertext.hash().0, wrap.hash().0, stored.header.padded_length))
            })
            .unwrap()
    };
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    vault.changed(&format!(
        "UPDATE link SET wrap = NULL, body = NULL, is_primary = 0 WHERE pos = {pos};
        INSERT INTO erased (pos, part, padded_length, ciphertext_hash, wrap_hash)
        VALUES ({pos}, 0, {}, x'{}', x'{}')",
        row.2,
        hex(&row.0),
        hex(&row.1)
    ));
    assert_eq!(check(vault.show(&note)), Some(Check::BodyMissing));
    assert_eq!(check(vault.list(&case)), Some(Check::BodyMissing));
    let find = NoteFindRequest {
        term: "kept".to_owned(),
        ..NoteFindRequest::default()
    };
    let found = vault.s().note_find(
        find,
        super::Task {
            progress: &super::Silent,
            cancel: &super::Cancel::default(),
        },
    );
    assert_eq!(check(found), Some(Check::BodyMissing));
    assert!(vault.show(&kept).is_ok());
}

#[test]
fn chk_104_external_ids_that_change_places_lead_to_nobody_elses_file() {
    let mut vault = Vault::made();
    let alice = vault.case("alice");
    vault.case("bob");
    assert!(vault.add("alice", "About Alice.").is_ok());
    vault.changed(
        "CREATE TEMP TABLE swap AS SELECT key, (SELECT pos FROM external AS b WHERE b.key <> a.key) AS pos FROM external AS a;
        UPDATE external SET pos = (SELECT pos FROM swap WHERE swap.key = external.key)",
    );
    assert_eq!(check(vault.add("alice", "More about Alice.")), Some(Check::LocalIndex));
    assert_eq!(check(vault.list("alice")), Some(Check::LocalIndex));
    assert!(vault.list(&alice).is_ok());
}

#[test]
fn attack_27_a_ratchet_put_back_seals_no_second_entry_under_the_same_key() {
    let mut vault = Vault::made();
    let case = vault.case("ext-1");
    vault.list(&case).unwrap();
    let kept = "CREATE TABLE IF NOT EXISTS temp.old AS SELECT * FROM local WHERE name = 'ratchet'";
    let connection = Connection::open(vault.places.store()).unwrap();
    connection.execute_batch(kept).unwrap();
    let old: Vec<u8> = connection
        .query_row("SELECT value FROM local WHERE name = 'ratchet'", [], |row| row.get(0))
        .unwrap();
    vault.list(&case).unwrap();
    connection
        .execute("UPDATE local SET value = ?1 WHERE name = 'ratchet'", [old])
        .unwrap();
    drop(connection);
    vault.list(&case).unwrap();
    let task = super::Task {
        progress: &super::Silent,
        cancel: &super::Cancel::default(),
    };
    let reply = vault
        .s()
        .log_verify(super::request::LogVerifyRequest::default(), task)
        .unwrap();
    assert_eq!(reply.failures.len(), 0, "{:?}", reply.failures);
}

#[test]
fn attack_50_verify_notices_a_keyring_of_the_agency_that_is_missing() {
    let mut vault = Vault::made();
    let names: Vec<[u8; 32]> = {
        let holder = &vault.s().holder;
        let rings = holder.agency.keyrings().iter();
        rings
            .filter(|k| k.to.id != holder.member)
            .map(|k| k.keyring_hash.0)
            .collect()
    };
    assert!(!names.is_empty());
    let hex: String = names[0].iter().map(|b| format!("{b:02x}")).collect();
    vault.changed(&format!("DELETE FROM blob WHERE hash = x'{hex}'"));
    let task = super::Task {
        progress: &super::Silent,
        cancel: &super::Cancel::default(),
    };
    let reply = vault.s().verify(task).unwrap();
    let checks: Vec<_> = reply.failures.iter().map(|f| f.check.as_str()).collect();
    assert_eq!(checks, [Check::BodyMissing.to_string()]);
}

#[test]
fn attack_22_a_record_that_claims_to_be_part_of_a_note_adds_no_words_to_it() {
    use vault_core::id::RecordId;
    use vault_core::wire::v1::record::RecordClass;
    use vault_core::wire::v1::stream::Section;
    let mut vault = Vault::made();
    let case = vault.case("ext-1");
    let text = r#"{"kind":"phone","segments":[{"kind":"narrative","text":"Mine."},
        {"kind":"narrative","section":"housing","text":"Mine too."}]}"#;
    let note = vault.note(&case, text);
    assert_eq!(vault.list(&case).unwrap().notes[0].segments, 2);
    let session = vault.s();
    session
        .write(|holder, tx| {
            let (case, record) = holder.resolve_note(tx, &note)?;
            let keys = holder.case_keys(tx, case)?;
            let housing = Section(4);
            let payload = format!(
                r#"{{"schema":"casevault.note/1","note":"{record}","kind":"phone","section":"housing",
                "main_section":"core","segments":[{{"n":3,"kind":"narrative","text":"Planted."}}]}}"#
            );
            let version = super::writing::Version::first(RecordId([7; 16]));
            let placed = holder.seal(&keys, RecordClass::Note, housing, version, payload.as_bytes())?;
            holder.append_record(tx, &placed, false)?;
            Ok(())
        })
        .unwrap();
    assert_eq!(vault.show(&note).unwrap().view.content.segments.len(), 2);
    assert_eq!(vault.list(&case).unwrap().notes[0].segments, 2);
}

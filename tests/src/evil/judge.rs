//! What must hold after a lie: nothing secret went out, the vault is as it was, and the traffic tells nothing.

use super::message::Message;
use super::tape::Exchange;
use crate::leak::Words;
use crate::vault::Vault;
use rusqlite::Connection;
use rusqlite::OpenFlags;
use rusqlite::types::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use vault_core::secret::RecipientSeed;
use vault_core::wire;
use vault_core::wire::v1::limit;
use vault_core::wire::v1::sync::AppendRequest;
use vault_core::wrap;
use vault_core::wrap::HybridIdentity;

/// What a vault holds of links, records and keys, row by row; what it keeps of the server is sealed, and is judged by what
/// it says of it afterwards.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    tables: BTreeMap<&'static str, Vec<Vec<Value>>>,
}

impl State {
    /// Reads a vault's file.
    ///
    /// # Panics
    /// Where it cannot be read.
    pub fn of(vault: &Vault) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let store = Connection::open_with_flags(vault.store(), flags).expect("the vault's file opens");
        let tables = [
            "meta", "stream", "actor", "release", "link", "sealed", "rewrap", "erased", "blob", "external",
        ];
        let tables = tables.map(|table| (table, rows(&store, table)));
        Self { tables: tables.into() }
    }

    /// Returns how many links there are.
    pub fn links(&self) -> u64 {
        self.tables.get("link").map_or(0, |rows| rows.len() as u64)
    }
}

fn rows(store: &Connection, table: &str) -> Vec<Vec<Value>> {
    let mut statement = store
        .prepare(&format!("SELECT * FROM {table} ORDER BY 1"))
        .expect("the table is there");
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect());
    rows.expect("the table is read")
        .map(|row| row.expect("a row"))
        .collect()
}

/// Returns the files of evidence beside a vault.
pub fn evidence(vault: &Vault) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(&vault.home).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let named = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("evidence-")
    };
    paths.filter(named).collect()
}

/// Fails where an upload shows a word or opens to the attacker.
///
/// # Panics
/// Then.
pub fn assert_nothing_leaked(exchanges: &[Exchange], words: &Words) {
    let attacker = attacker();
    for exchange in exchanges {
        for part in [exchange.path.as_bytes(), &exchange.body] {
            assert_eq!(words.in_bytes(part), [], "{} {}", exchange.method, exchange.path);
        }
        if exchange.message != Message::Append {
            continue;
        }
        let request: AppendRequest = wire::decode(&exchange.body, limit::APPEND).expect("a client's append");
        for blob in request.parcels.iter().flat_map(|parcel| &parcel.blobs) {
            assert!(!opens_to(&attacker, &blob.bytes), "an upload opens to the attacker");
        }
    }
}

/// The identities that the attacker owns: of a key of its own, and of keys that whoever wiped too much or forgot to fill
/// would use.
fn attacker() -> [HybridIdentity; 3] {
    [[0xa7; 32], [0; 32], [0xff; 32]].map(|seed| HybridIdentity::from_seed(RecipientSeed::from_bytes(seed)))
}

fn opens_to(identities: &[HybridIdentity], file: &[u8]) -> bool {
    let identities: Vec<&HybridIdentity> = identities.iter().collect();
    wrap::open(&identities, file, limit::KEYRING).is_ok()
}

/// What a client asks after the last lie that it was told, without what differs by chance.
pub fn after_the_lie(exchanges: &[Exchange]) -> Vec<String> {
    let lied = exchanges.iter().rposition(|exchange| exchange.lied);
    let after = lied.and_then(|at| exchanges.get(at + 1..)).unwrap_or_default();
    let of = |exchange: &Exchange| format!("{} {} {}", exchange.method, exchange.path, exchange.body.len());
    after.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use getrandom::SysRng;
    use rand_core::UnwrapErr;

    #[test]
    fn what_is_sealed_to_the_attacker_is_found_and_what_is_not_is_not() {
        let [own, ..] = attacker();
        let file = wrap::seal(&[&own.recipient()], b"keys", &mut UnwrapErr(SysRng)).unwrap();
        assert!(opens_to(&attacker(), &file));
        let other = HybridIdentity::generate(&mut UnwrapErr(SysRng));
        let file = wrap::seal(&[&other.recipient()], b"keys", &mut UnwrapErr(SysRng)).unwrap();
        assert!(!opens_to(&attacker(), &file));
    }

    #[test]
    #[should_panic(expected = "Mildred")]
    fn a_word_in_an_upload_is_found() {
        let exchange = Exchange {
            message: Message::Other,
            method: "PUT".to_owned(),
            path: "/v1/agencies/TWlsZHJlZA".to_owned(),
            body: b"x Mildred".to_vec(),
            authorization: None,
            lied: false,
        };
        assert_nothing_leaked(&[exchange], &Words::new(["Mildred"]));
    }
}

//! What a hostile server owns: the real server's database with the log key, and the honest answers.

use super::forged::ForgedLog;
use super::verb::Answer;
use data_encoding::HEXLOWER;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use vault_core::crypto::sign::Signature;
use vault_core::crypto::sign::SigningKey;
use vault_core::id::AgencyId;
use vault_core::id::CaseId;
use vault_core::id::LinkId;
use vault_core::secret::SigningSeed;
use vault_core::stream::UnverifiedLink;
use vault_core::tlog::entry::Entry;
use vault_core::tlog::tile;
use vault_core::tlog::tile::Tile;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::stream::StreamKind;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub path: String,
    /// Its `Authorization` header.
    pub authorization: Option<String>,
    /// Its body.
    pub body: Vec<u8>,
}

/// The honest server behind, and what can be taken out of it.
pub struct Means {
    http: ureq::Agent,
    upstream: String,
    data: PathBuf,
    forged: Mutex<Option<ForgedLog>>,
}

impl Means {
    pub(super) fn new(upstream: &str, data: PathBuf) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(60)));
        Self {
            http: config.build().into(),
            upstream: upstream.to_owned(),
            data,
            forged: Mutex::new(None),
        }
    }

    /// Hands a request on, and returns the honest answer.
    ///
    /// # Panics
    /// Where the real server does not answer.
    pub fn forward(&self, asked: &Asked) -> Answer {
        let mut request = ureq::http::Request::builder()
            .method(asked.method.as_str())
            .uri(format!("{}{}", self.upstream, asked.path));
        if let Some(authorization) = &asked.authorization {
            request = request.header("Authorization", authorization);
        }
        let answered = match asked.method.as_str() {
            "GET" => self.http.run(request.body(()).expect("a request")),
            _ => self.http.run(request.body(asked.body.as_slice()).expect("a request")),
        };
        let answered = answered.expect("the real server answers");
        let status = answered.status().as_u16();
        let body = answered.into_body().into_with_config().limit(1 << 30).read_to_vec();
        Answer::of(status, body.expect("the real server answers to the end"))
    }

    /// Asks the real server for something of the log of an agency.
    pub fn of_log(&self, agency: AgencyId, rest: &str) -> Vec<u8> {
        let path = format!("/v1/log/{}/{rest}", HEXLOWER.encode(&agency.0));
        let asked = Asked {
            method: "GET".to_owned(),
            path,
            authorization: None,
            body: Vec::new(),
        };
        self.forward(&asked).body
    }

    /// Returns the agencies that the real server knows, in the order in which it came to know them.
    ///
    /// # Panics
    /// Where its database cannot be read.
    pub fn agencies(&self) -> Vec<(AgencyId, SigningKey)> {
        let database = rusqlite::Connection::open(self.data.join("server.db")).expect("the server's database opens");
        let mut statement = database
            .prepare("SELECT id, log_seed FROM agency ORDER BY no")
            .expect("a statement");
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        let rows = rows.expect("the server's agencies are read");
        rows.map(|row| {
            let (id, seed): ([u8; 32], [u8; 32]) = row.expect("a row");
            (AgencyId(id), SigningKey::from_seed(&SigningSeed::from_bytes(seed)))
        })
        .collect()
    }

    /// Returns the first agency, the one that is lied to, with its log key.
    ///
    /// # Panics
    /// Where there is none.
    pub fn victim(&self) -> (AgencyId, SigningKey) {
        self.agencies().into_iter().next().expect("the server knows an agency")
    }

    /// Returns another agency of the same server's, which is made known if there is none.
    pub fn another(&self) -> AgencyId {
        let agency = AgencyId([0x77; 32]);
        self.forward(&Asked {
            method: "PUT".to_owned(),
            path: format!("/v1/agencies/{}", HEXLOWER.encode(&agency.0)),
            authorization: None,
            body: Vec::new(),
        });
        agency
    }

    /// Returns the entries of the honest log.
    ///
    /// # Panics
    /// Where they are none.
    pub fn honest(&self) -> Vec<Entry> {
        let (agency, _) = self.victim();
        let note = String::from_utf8(self.of_log(agency, "checkpoint")).expect("a note is text");
        let size: u64 = note.lines().nth(1).and_then(|line| line.parse().ok()).expect("a size");
        let mut entries = Vec::new();
        while (entries.len() as u64) < size {
            let tile = Tile::of(0, entries.len() as u64, size).expect("a tile of this tree");
            let bundle = self.of_log(agency, &tile.entries_path());
            entries.extend(tile::read_entries(&bundle).expect("a bundle"));
        }
        entries
    }

    /// Returns the entry of the link that comes next in the first case, as a server can make it for a link that nobody wrote.
    ///
    /// # Panics
    /// Where there is no case.
    pub fn next_of_case(&self) -> Entry {
        let database = rusqlite::Connection::open(self.data.join("server.db")).expect("the server's database opens");
        let sql = "SELECT id, links FROM stream WHERE kind = 2 ORDER BY no";
        let case: ([u8; 16], u64) = database
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .expect("the server has a case");
        Entry::of(StreamId::case(CaseId(case.0)), case.1, LinkId([0x9a; 32]))
    }

    /// Returns the links of the first stream of a kind, as the server has them.
    ///
    /// # Panics
    /// Where they cannot be read.
    pub fn links(&self, kind: StreamKind) -> Vec<UnverifiedLink> {
        let database = rusqlite::Connection::open(self.data.join("server.db")).expect("the server's database opens");
        let sql = "SELECT bytes, signature FROM link WHERE stream = (SELECT min(no) FROM stream WHERE kind = ?1) ORDER BY seq";
        let mut statement = database.prepare(sql).expect("a statement");
        let rows = statement.query_map([kind as u8], |row| Ok((row.get(0)?, row.get(1)?)));
        let links = rows.expect("the server's links are read").map(|row| {
            let (bytes, signature): (Vec<u8>, [u8; 64]) = row.expect("a row");
            UnverifiedLink::decode(&bytes, Signature(signature)).expect("a link")
        });
        links.collect()
    }

    /// Returns a log with these entries, under the agency's key.
    pub fn log_of(&self, entries: Vec<Entry>) -> ForgedLog {
        let (agency, key) = self.victim();
        ForgedLog::new(agency, key, entries)
    }

    /// Shows another log than the real one from now on, or the real one again.
    pub fn show(&self, log: Option<ForgedLog>) {
        *self.forged.lock().unwrap_or_else(PoisonError::into_inner) = log;
    }

    /// Answers out of the log that is shown, if it is another than the real one.
    pub fn shown<T>(&self, answer: impl FnOnce(&ForgedLog) -> T) -> Option<T> {
        let forged = self.forged.lock().unwrap_or_else(PoisonError::into_inner);
        forged.as_ref().map(answer)
    }
}

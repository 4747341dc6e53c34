//! What the machines of `vault_core::sync` ask, asked of the server; and what a server did wrong, told and kept.

use crate::places::Places;
use crate::remote::Remote;
use crate::remote::ServerFault;
use crate::session::Result;
use crate::session::SessionError;
use crate::session::refused;
use crate::session::vault::io_error;
use crate::session::vault::replace;
use data_encoding::BASE64;
use data_encoding::HEXLOWER;
use serde::Serialize;
use vault_core::check::Check;
use vault_core::crypto::sign::PublicKey;
use vault_core::crypto::sign::VerifyingKey;
use vault_core::id::AgencyId;
use vault_core::sync::Fault;
use vault_core::sync::LogOf;
use vault_core::sync::Request;
use vault_core::tlog::checkpoint;
use vault_core::tlog::follow;
use vault_core::tlog::follow::Contradiction;
use vault_core::tlog::note;
use vault_core::tlog::note::Kind;
use vault_core::tlog::twice::ProvedLeaf;
use vault_core::tlog::twice::Twice;
use vault_core::wire::v1::agency::Verifier;
use vault_core::wire::v1::link::Seen;

/// A server, with the key that the agency's root names for its log.
pub(in crate::session) struct Asking {
    pub(in crate::session) remote: Remote,
    pub(in crate::session) log: LogOf,
    public: PublicKey,
    places: Places,
}

impl Asking {
    pub(in crate::session) fn new(remote: Remote, places: Places, agency: AgencyId, log: &Verifier) -> Result<Self> {
        let key = VerifyingKey::new(&log.key, Check::CheckpointSignature).map_err(refused("log"))?;
        Ok(Self {
            remote,
            log: LogOf { agency, key },
            public: log.key,
            places,
        })
    }

    /// Asks the server.
    pub(in crate::session) fn ask(&self, request: Request) -> Result<Vec<u8>> {
        let answer = match request {
            Request::Checkpoint => self.remote.checkpoint(),
            Request::Entries(tile) => self.remote.entries(tile),
            Request::Tile(tile) => self.remote.tile(tile),
            Request::Streams { after } => self.remote.streams(after),
            Request::Page { stream, from } => self.remote.page(stream, from),
        };
        Ok(answer?)
    }

    /// Tells what a server did wrong; what proves it to others is kept first.
    pub(in crate::session) fn fault(&self, fault: Fault) -> SessionError {
        let told = match fault {
            Fault::Refused(refused) => Ok(ServerFault::Log {
                check: refused.check.number(),
                evidence: None,
            }),
            Fault::Withheld { stream, seq } => Ok(ServerFault::Withheld {
                of: format!("entry {seq} of {stream}"),
            }),
            Fault::Absent { stream, seq } => Ok(ServerFault::Absent {
                of: format!("entry {seq} of {stream}"),
            }),
            Fault::Contradiction(found) => self.keep(&found).map(|path| ServerFault::Log {
                check: Check::LogConsistency.number(),
                evidence: Some(path),
            }),
            Fault::Twice(found) => self.keep_twice(&found).map(|path| ServerFault::Log {
                check: Check::LogTwice.number(),
                evidence: Some(path),
            }),
        };
        told.map_or_else(|error| error, SessionError::Server)
    }

    /// Writes evidence of two checkpoints beside the vault: it holds no key and no text, and is for others to read.
    fn keep(&self, found: &Contradiction) -> Result<String> {
        let evidence = Evidence {
            schema: "casevault.evidence/1",
            says: "One log key signed two checkpoints that are not of one log.",
            log: self.log_name()?,
            first: self.note(&found.first)?,
            second: self.note(&found.second)?,
            root_of_first_size_in_second: BASE64.encode(&found.root.0),
            consistency_proof: found.proof.iter().map(|hash| BASE64.encode(&hash.0)).collect(),
        };
        self.write(&evidence, &found.second)
    }

    /// Writes evidence of two leaves beside the vault, as [`Self::keep`].
    fn keep_twice(&self, found: &Twice) -> Result<String> {
        let leaf = |one: &ProvedLeaf| EvidenceLeaf {
            leaf: one.leaf,
            entry: BASE64.encode(&one.entry.to_bytes()),
            inclusion_proof: one.proof.iter().map(|hash| BASE64.encode(&hash.0)).collect(),
        };
        let evidence = EvidenceTwice {
            schema: "casevault.evidence.twice/1",
            says: "One log has two leaves for one place of a stream: their entries begin with the same 16 bytes.",
            log: self.log_name()?,
            checkpoint: self.note(&found.seen)?,
            first: leaf(&found.first),
            second: leaf(&found.second),
        };
        self.write(&evidence, &found.seen)
    }

    fn log_name(&self) -> Result<String> {
        let origin = checkpoint::origin(self.log.agency);
        note::write_verifier(&origin, Kind::Ed25519, &self.public).map_err(refused("log"))
    }

    fn note(&self, seen: &Seen) -> Result<String> {
        let checkpoint = follow::checkpoint_of(self.log.agency, seen);
        checkpoint::write(&checkpoint, &seen.signature, &self.public, &[]).map_err(refused("log"))
    }

    fn write(&self, evidence: &impl Serialize, of: &Seen) -> Result<String> {
        let bytes = serde_json::to_vec_pretty(evidence).map_err(|error| SessionError::Bug(error.to_string()))?;
        let distinct = HEXLOWER.encode(of.root.get(..4).unwrap_or_default());
        let path = self.places.evidence(&format!("{}-{distinct}", of.size));
        replace(&path, &bytes).map_err(io_error("could not write the evidence"))?;
        Ok(path.display().to_string())
    }
}

/// Two leaves of one place, for whoever has the log's key.
#[derive(Serialize)]
struct EvidenceTwice {
    schema: &'static str,
    says: &'static str,
    log: String,
    checkpoint: String,
    first: EvidenceLeaf,
    second: EvidenceLeaf,
}

#[derive(Serialize)]
struct EvidenceLeaf {
    leaf: u64,
    entry: String,
    inclusion_proof: Vec<String>,
}

/// Two checkpoints that contradict each other, for whoever has the log's key.
#[derive(Serialize)]
struct Evidence {
    schema: &'static str,
    says: &'static str,
    log: String,
    first: String,
    second: String,
    root_of_first_size_in_second: String,
    consistency_proof: Vec<String>,
}

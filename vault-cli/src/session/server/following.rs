//! Following the server's log: every entry hashed here, every checkpoint compared with the last, what contradicts kept.

use super::kept::KeptRemote;
use crate::places::Places;
use crate::remote::Remote;
use crate::remote::ServerFault;
use crate::session::Result;
use crate::session::SessionError;
use crate::session::refused;
use crate::session::vault::io_error;
use data_encoding::BASE64;
use data_encoding::HEXLOWER;
use serde::Serialize;
use vault_core::check::Check;
use vault_core::check::Refused;
use vault_core::crypto::sign::PublicKey;
use vault_core::crypto::sign::VerifyingKey;
use vault_core::id::AgencyId;
use vault_core::tlog::checkpoint;
use vault_core::tlog::checkpoint::SignedCheckpoint;
use vault_core::tlog::entry::ENTRY_BYTES;
use vault_core::tlog::entry::Entry;
use vault_core::tlog::follow;
use vault_core::tlog::follow::Contradiction;
use vault_core::tlog::follow::Follower;
use vault_core::tlog::note::KeyName;
use vault_core::tlog::note::Kind;
use vault_core::tlog::proof;
use vault_core::tlog::tile::Tile;
use vault_core::tlog::tree;
use vault_core::tlog::tree::Hash;
use vault_core::wire::v1::agency::Verifier;
use vault_core::wire::v1::link::Seen;

/// Entries in a bundle.
const WIDTH: u64 = 256;
/// Leaves that are taken in at once before how far it got can be kept.
const MOST: u64 = 1 << 24;

/// The log of a server, as far as it was followed.
pub(super) struct Following<'a> {
    remote: &'a Remote,
    places: Places,
    agency: AgencyId,
    public: PublicKey,
    key: VerifyingKey,
    follower: Follower,
}

impl<'a> Following<'a> {
    pub(super) fn new(
        remote: &'a Remote,
        places: &Places,
        agency: AgencyId,
        log: &Verifier,
        kept: &KeptRemote,
    ) -> Result<Self> {
        Ok(Self {
            remote,
            places: places.clone(),
            agency,
            public: log.key,
            key: VerifyingKey::new(&log.key, Check::CheckpointSignature).map_err(refused("log"))?,
            follower: kept.follower(agency)?,
        })
    }

    pub(super) fn agency(&self) -> AgencyId {
        self.agency
    }

    /// Returns how many leaves were verified.
    pub(super) fn size(&self) -> u64 {
        self.follower.size()
    }

    pub(super) fn follower(&self) -> &Follower {
        &self.follower
    }

    /// Goes on to the server's newest checkpoint; returns the entries that are new.
    pub(super) fn catch_up(&mut self) -> Result<Vec<Entry>> {
        let note = self.remote.checkpoint()?;
        let to = self.open(&note)?;
        self.go_on(&to)
    }

    /// Goes on to a checkpoint under which links are said to be stored, and proves that they are: each is the entry of its
    /// leaf.
    pub(super) fn prove(&mut self, note: &[u8], stored: &[(u64, Entry)]) -> Result<()> {
        let to = self.open(note)?;
        let before = self.size();
        // Nobody else wrote: then the entries are known, and nothing needs to be fetched.
        let own: Vec<Entry> = stored.iter().map(|(_, entry)| *entry).collect();
        let follows = stored.iter().map(|(leaf, _)| *leaf).eq(before..to.checkpoint().size);
        if follows && self.follower.advance(&to, &own).is_ok() {
            return Ok(());
        }
        let new = self.go_on(&to)?;
        for (leaf, entry) in stored {
            let known = leaf
                .checked_sub(before)
                .and_then(|at| new.get(usize::try_from(at).ok()?));
            let is_there = match known {
                Some(known) => known == entry,
                None => self.is_included(*leaf, entry)?,
            };
            if !is_there {
                return Err(self.fault(Check::LogInclusion, None));
            }
        }
        Ok(())
    }

    fn open(&self, note: &[u8]) -> Result<SignedCheckpoint> {
        let opened = SignedCheckpoint::open(note, self.agency, &self.key, &[]);
        opened.map_err(|refused| self.fault(refused.check, None))
    }

    fn go_on(&mut self, to: &SignedCheckpoint) -> Result<Vec<Entry>> {
        let (before, size) = (self.size(), to.checkpoint().size);
        if size == before && to.checkpoint().root == self.follower.checkpoint().root {
            return Ok(Vec::new());
        }
        if size.saturating_sub(before) > MOST {
            return Err(ServerFault::Withheld {
                of: "the log's end".to_owned(),
            }
            .into());
        }
        let entries = self.entries(before, size)?;
        match self.follower.advance(to, &entries) {
            Ok(()) => Ok(entries),
            Err(refused) => Err(self.contradicted(to, refused)?),
        }
    }

    /// Fetches the entries of leaves `from` to `size`; nothing of them is verified.
    fn entries(&self, from: u64, size: u64) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        let mut at = from;
        while at < size {
            let tile = Tile::of(0, at, size).map_err(refused("log"))?;
            let bytes = self.remote.entries(tile)?;
            if bytes.len() != usize::from(tile.width()).saturating_mul(ENTRY_BYTES) {
                return Err(self.fault(Check::LogTile, None));
            }
            let first = tile.index().saturating_mul(WIDTH);
            let skipped = usize::try_from(at.saturating_sub(first)).unwrap_or(usize::MAX);
            for one in bytes.chunks_exact(ENTRY_BYTES).skip(skipped) {
                entries.push(Entry::from_bytes(one).map_err(refused("log"))?);
            }
            at = first.saturating_add(u64::from(tile.width()));
        }
        Ok(entries)
    }

    fn is_included(&self, leaf: u64, entry: &Entry) -> Result<bool> {
        let checkpoint = self.follower.checkpoint();
        if leaf >= checkpoint.size {
            return Ok(false);
        }
        let path = proof::inclusion(leaf, checkpoint.size, &mut |tile| self.tile(tile)).map_err(Failed::into_error)?;
        Ok(tree::require_included(leaf, checkpoint.size, entry.leaf(), &path, &checkpoint.root).is_ok())
    }

    fn tile(&self, tile: Tile) -> std::result::Result<Vec<Hash>, Failed> {
        let bytes = self.remote.tile(tile)?;
        Ok(tile.read(&bytes)?)
    }

    /// Makes evidence of a checkpoint that does not go with the last one, where there is any, and returns the refusal.
    fn contradicted(&self, to: &SignedCheckpoint, refused: Refused) -> Result<SessionError> {
        let (checkpoint, Some(seen)) = (to.checkpoint(), self.follower.seen()) else {
            return Ok(self.fault(refused.check, None));
        };
        let other = Seen {
            size: checkpoint.size,
            root: checkpoint.root.0,
            signature: *to.signature(),
        };
        // Tiles of a smaller tree than ours are the server's to give for its own log: an older state of this one shows
        // nothing that contradicts, and is refused all the same.
        let found = follow::contradiction(seen, other, &mut |tile| self.tile(tile));
        let evidence = match found {
            Ok(found) if found.verify(self.agency, &self.key).is_ok() => Some(self.keep(&found)?),
            _ => None,
        };
        Ok(self.fault(refused.check, evidence))
    }

    /// Writes the evidence beside the vault: it holds no key and no text, and is for others to read.
    fn keep(&self, found: &Contradiction) -> Result<String> {
        let note = |seen: &Seen| {
            let checkpoint = follow::checkpoint_of(self.agency, seen);
            checkpoint::write(&checkpoint, &seen.signature, &self.public, &[])
        };
        let name =
            KeyName::of(&checkpoint::origin(self.agency), Kind::Ed25519, &self.public).map_err(refused("log"))?;
        let evidence = Evidence {
            schema: "casevault.evidence/1",
            says: "One log key signed two checkpoints that are not of one log.",
            log: name.verifier(Kind::Ed25519, &self.public),
            first: note(&found.first).map_err(refused("log"))?,
            second: note(&found.second).map_err(refused("log"))?,
            root_of_first_size_in_second: BASE64.encode(&found.root.0),
            consistency_proof: found.proof.iter().map(|hash| BASE64.encode(&hash.0)).collect(),
        };
        let bytes = serde_json::to_vec_pretty(&evidence).map_err(|error| SessionError::Bug(error.to_string()))?;
        let distinct = HEXLOWER.encode(found.second.root.get(..4).unwrap_or_default());
        let path = self.places.evidence(&format!("{}-{distinct}", found.second.size));
        crate::session::vault::replace(&path, &bytes).map_err(io_error("could not write the evidence"))?;
        Ok(path.display().to_string())
    }

    fn fault(&self, check: Check, evidence: Option<String>) -> SessionError {
        ServerFault::Log {
            check: check.number(),
            evidence,
        }
        .into()
    }
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

/// Why a tile was not had.
enum Failed {
    Server(ServerFault),
    Refused(Refused),
}

impl Failed {
    fn into_error(self) -> SessionError {
        match self {
            Self::Server(fault) => fault.into(),
            Self::Refused(refused) => ServerFault::Log {
                check: refused.check.number(),
                evidence: None,
            }
            .into(),
        }
    }
}

impl From<ServerFault> for Failed {
    fn from(fault: ServerFault) -> Self {
        Self::Server(fault)
    }
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

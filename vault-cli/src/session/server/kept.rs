//! What a vault keeps of its server, as a local sealed value (`docs/format.md` §12).

use crate::session::Result;
use crate::session::SessionError;
use crate::session::refused;
use crate::session::reply::CaseRow;
use crate::store::ReadTx;
use crate::store::WriteTx;
use data_encoding::BASE64;
use data_encoding::HEXLOWER;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use vault_core::check::Check;
use vault_core::id::AgencyId;
use vault_core::id::CaseId;
use vault_core::local::head::CommitOrder;
use vault_core::tlog::checkpoint::Checkpoint;
use vault_core::tlog::follow::Follower;
use vault_core::tlog::tree::Hash;
use vault_core::wire;
use vault_core::wire::v1::link::Seen;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::stream::StreamKind;

/// The value's name.
pub(in crate::session) const NAME: &str = "server";
const SCHEMA: &str = "casevault.server/1";
/// So many checkpoints wait to be held against what was followed.
const UNPROVED: usize = 256;
/// Bytes of a checkpoint as a link carries it.
const SEEN_BYTES: usize = 104;

/// Where the server is, and how far things have got with it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeptRemote {
    schema: String,
    /// Where it is; empty for one that was removed, of which the rest is kept.
    pub(super) url: String,
    /// The commit position up to which every link is proved to be in the log.
    pub(super) pushed: u64,
    /// The commit position up to which links may have been sent: none of them can be withdrawn any more.
    pub(super) offered: u64,
    /// The leaves of the agency's links, as far as the log was followed.
    pub(super) agency_leaves: Vec<u64>,
    /// What was verified of the log: a `LogPosition` in base64.
    log: String,
    /// The commit position up to which every link is at a leaf that was followed: below `pushed` after somebody wrote while
    /// links were sent; absent where it is `pushed`.
    #[serde(default)]
    followed: Option<u64>,
    /// The commit position up to which others' records were looked into; absent where it is `pushed`.
    #[serde(default)]
    indexed: Option<u64>,
    /// The commit order at `pushed`, in base64; absent where a version before this one wrote it.
    #[serde(default)]
    order: Option<String>,
    /// The checkpoint, size and root in base64, that the log has to go on from although nothing of it was followed yet: of a
    /// device that was just enrolled.
    #[serde(default)]
    paper: Option<(u64, String)>,
    /// The cases, in hex, whose links are wanted no more: this member's access ended with the last that is here.
    #[serde(default)]
    left: BTreeSet<String>,
    /// The cases, in hex, of which something came without its bytes and is held back: the number of the last link that the
    /// log is known to have of each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    behind: BTreeMap<String, u64>,
    /// Checkpoints that others' links carry, or that were verified here by a run that was cut off, and that were not held
    /// against what was followed yet, in base64.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    unproved: BTreeSet<String>,
    /// The checkpoint that this run goes on from: what was followed when it began, or since.
    #[serde(skip)]
    begun: Option<Seen>,
    /// The checkpoint that this run has verified, perhaps before all that is below it was taken in.
    #[serde(skip)]
    arrived: Option<Seen>,
    /// What the store had when this was read out of it, or put into it.
    #[serde(skip)]
    stored: Option<Vec<u8>>,
}

impl KeptRemote {
    pub(super) fn new(url: &str, agency: AgencyId) -> Result<Self> {
        let position = Follower::new(agency).to_bytes().map_err(refused(NAME))?;
        Ok(Self {
            schema: SCHEMA.to_owned(),
            url: url.to_owned(),
            pushed: 0,
            offered: 0,
            agency_leaves: Vec::new(),
            log: BASE64.encode(&position),
            followed: None,
            indexed: None,
            order: Some(BASE64.encode(&CommitOrder::START.0)),
            paper: None,
            left: BTreeSet::new(),
            behind: BTreeMap::new(),
            unproved: BTreeSet::new(),
            begun: None,
            arrived: None,
            stored: None,
        })
    }

    pub(super) fn load(tx: &ReadTx<'_>) -> Result<Option<Self>> {
        let Some(bytes) = tx.local(NAME)? else { return Ok(None) };
        let mut kept: Self = serde_json::from_slice(&bytes).map_err(|_| malformed())?;
        kept.stored = Some(bytes.to_vec());
        match kept.schema == SCHEMA {
            true => Ok(Some(kept)),
            false => Err(malformed()),
        }
    }

    /// As [`KeptRemote::load`], but for a server that was removed.
    pub(super) fn load_live(tx: &ReadTx<'_>) -> Result<Option<Self>> {
        Ok(Self::load(tx)?.filter(|kept| !kept.url.is_empty()))
    }

    /// Keeps it in the place of what it was read from: where another process went on meanwhile, what is known here of
    /// commit positions is of before.
    ///
    /// # Errors
    /// [`SessionError::Conflict`] where something else stands there by now.
    pub(super) fn store(&mut self, tx: &mut WriteTx<'_>) -> Result<()> {
        let there = tx.local(NAME)?;
        if there.as_ref().map(|bytes| bytes.as_slice()) != self.stored.as_deref() {
            return Err(SessionError::Conflict {
                what: "another `sync` of this vault is at work".to_owned(),
                next: "run it again when the other has ended; nothing of this one was kept".to_owned(),
            });
        }
        // With the links that were taken in: one of them may carry all of it, and no later one may carry less (CHK-46).
        self.put_seen(tx)?;
        let bytes = serde_json::to_vec(self).map_err(|error| SessionError::Bug(error.to_string()))?;
        tx.put_local(NAME, &bytes)?;
        self.stored = Some(bytes);
        Ok(())
    }

    /// Puts the checkpoint that this run has arrived at where the links that are made from now on find it.
    pub(super) fn put_seen(&mut self, tx: &mut WriteTx<'_>) -> Result<()> {
        if let Some(arrived) = self.arrived
            && let known = tx.seen()?
            && known.is_none_or(|known| known.size < arrived.size)
        {
            // What goes on from what was followed is proved already; what a run that was cut off had verified is not.
            if let Some(known) = known.filter(|known| Some(*known) != self.begun) {
                self.is_seen(&known)?;
            }
            tx.put_seen(&arrived)?;
        }
        Ok(())
    }

    /// Returns what was verified of the log.
    pub(super) fn follower(&self, agency: AgencyId) -> Result<Follower> {
        let position = BASE64.decode(self.log.as_bytes()).map_err(|_| malformed())?;
        Follower::from_bytes(agency, &position).map_err(refused(NAME))
    }

    /// Says from which checkpoint the log has to go on, for who begins with nothing followed.
    pub(super) fn begins_at(&mut self, checkpoint: &Checkpoint) {
        self.paper = Some((checkpoint.size, BASE64.encode(&checkpoint.root.0)));
    }

    /// Returns that checkpoint, until something was followed.
    pub(super) fn paper(&self, agency: AgencyId) -> Result<Option<Checkpoint>> {
        let Some((size, root)) = &self.paper else {
            return Ok(None);
        };
        let root = BASE64.decode(root.as_bytes()).map_err(|_| malformed())?;
        let root = Hash(root.try_into().map_err(|_| malformed())?);
        let size = *size;
        Ok(Some(Checkpoint { agency, size, root }))
    }

    /// Returns the commit order at [`KeptRemote::pushed`].
    pub(super) fn order(&self, tx: &ReadTx<'_>) -> Result<CommitOrder> {
        if let Some(order) = &self.order {
            let bytes = BASE64.decode(order.as_bytes()).map_err(|_| malformed())?;
            return Ok(CommitOrder(bytes.try_into().map_err(|_| malformed())?));
        }
        let mut order = CommitOrder::START;
        tx.links_until(self.pushed, &mut |_, _, link| -> Result<()> {
            order = order.then(&link);
            Ok(())
        })?;
        Ok(order)
    }

    /// Says up to where every link is in the log, and which commit order that is; `own` tells whether none of those that are
    /// new there is another's, so that there is nothing to look into.
    pub(super) fn is_sent_to(&mut self, pushed: u64, order: CommitOrder, own: bool) {
        let all_indexed = self.indexed() == self.pushed;
        self.followed = Some(self.followed());
        self.indexed = (!(own && all_indexed)).then_some(self.indexed());
        self.pushed = pushed;
        self.order = Some(BASE64.encode(&order.0));
    }

    /// Returns the commit position up to which every link is at a leaf that was followed.
    pub(super) fn followed(&self) -> u64 {
        self.followed.unwrap_or(self.pushed)
    }

    /// Says that whatever was taken in or sent is at a leaf that was followed.
    pub(super) fn is_followed(&mut self) {
        self.followed = None;
    }

    /// Returns the commit position up to which others' records were looked into.
    pub(super) fn indexed(&self) -> u64 {
        self.indexed.unwrap_or(self.pushed)
    }

    /// Says that all that others wrote was looked into.
    pub(super) fn is_indexed(&mut self) {
        self.indexed = None;
    }

    /// Whether this member's access to a stream has ended.
    pub(super) fn has_left(&self, stream: StreamId) -> bool {
        stream.kind == StreamKind::Case && self.left.contains(&HEXLOWER.encode(&stream.id))
    }

    /// Says that it has.
    pub(super) fn leave(&mut self, stream: StreamId) {
        self.left.insert(HEXLOWER.encode(&stream.id));
    }

    /// Returns the cases to which it has.
    pub(super) fn all_left(&self) -> Vec<StreamId> {
        self.left.iter().filter_map(|id| case_of(id)).collect()
    }

    /// Returns the cases that are held back, each with the number of the last link that the log is known to have of it.
    pub(super) fn all_behind(&self) -> BTreeMap<StreamId, u64> {
        let all = self.behind.iter();
        all.filter_map(|(id, until)| Some((case_of(id)?, *until))).collect()
    }

    /// Says which are held back, and no others.
    pub(super) fn hold_back(&mut self, behind: &BTreeMap<StreamId, u64>) {
        let all = behind.iter();
        self.behind = all
            .map(|(stream, until)| (HEXLOWER.encode(&stream.id), *until))
            .collect();
    }

    /// Says that it has begun again.
    pub(super) fn come_back(&mut self, streams: &[StreamId]) {
        for stream in streams {
            self.left.remove(&HEXLOWER.encode(&stream.id));
        }
    }

    /// Notes the checkpoint below which all links are that are taken in now.
    pub(super) fn arrived(&mut self, seen: Seen) {
        self.arrived = Some(seen);
    }

    /// Returns the checkpoint below which all links are that are taken in now.
    pub(super) fn arrived_at(&self) -> Option<Seen> {
        self.arrived
    }

    /// Notes what is followed already, as a run begins.
    pub(super) fn begins_with(&mut self, seen: Option<Seen>) {
        self.begun = seen;
    }

    /// Notes a checkpoint that is to be held against what is followed.
    pub(super) fn is_seen(&mut self, seen: &Seen) -> Result<()> {
        let bytes = wire::encode(seen).map_err(refused(NAME))?;
        self.unproved.insert(BASE64.encode(&bytes));
        // The size comes first in the bytes, so that of too many the shortest go: a longer one has them in it.
        while self.unproved.len() > UNPROVED {
            self.unproved.pop_first();
        }
        Ok(())
    }

    /// Returns what others had seen and was not held against what was followed yet.
    pub(super) fn unproved(&self) -> Result<Vec<Seen>> {
        self.unproved.iter().map(|text| seen_of(text)).collect()
    }

    /// Says that all of that is the beginning of what was followed; tells whether there was any.
    pub(super) fn is_proved(&mut self) -> bool {
        !std::mem::take(&mut self.unproved).is_empty()
    }

    /// Keeps what was verified of the log since.
    pub(super) fn follow(&mut self, follower: &Follower) -> Result<()> {
        self.log = BASE64.encode(&follower.to_bytes().map_err(refused(NAME))?);
        // It goes on from what this run had arrived at, which is proved with it.
        self.begun = self.arrived;
        self.arrived = follower.seen();
        self.paper = None;
        Ok(())
    }
}

/// Returns how many links wait to be sent; nothing for a vault without a server.
pub(in crate::session) fn waiting(tx: &ReadTx<'_>) -> Result<Option<u64>> {
    let pos = tx.head().pos;
    Ok(KeptRemote::load_live(tx)?.map(|kept| pos.saturating_sub(kept.pushed)))
}

/// Tells whether a record at a commit position is another's that was taken in, and not looked into yet: a run was cut off in
/// between, and the next one does it.
pub(in crate::session) fn is_unindexed(tx: &ReadTx<'_>) -> Result<impl Fn(u64) -> bool + use<>> {
    let range = KeptRemote::load(tx)?.map_or((0, 0), |kept| (kept.indexed(), kept.pushed));
    Ok(move |pos| range.0 < pos && pos <= range.1)
}

/// Tells whether the link at a commit position may have left this device.
pub(in crate::session) fn was_offered(tx: &ReadTx<'_>, pos: u64) -> Result<bool> {
    Ok(KeptRemote::load(tx)?.is_some_and(|kept| pos <= kept.offered.max(kept.pushed)))
}

fn seen_of(text: &str) -> Result<Seen> {
    let bytes = BASE64.decode(text.as_bytes()).map_err(|_| malformed())?;
    wire::decode(&bytes, SEEN_BYTES).map_err(refused(NAME))
}

fn case_of(id: &str) -> Option<StreamId> {
    let id = HEXLOWER.decode(id.as_bytes()).ok()?;
    Some(StreamId::case(CaseId(id.try_into().ok()?)))
}

fn malformed() -> SessionError {
    SessionError::refused(Check::LocalValue, NAME)
}

/// The cases with which something is apart, as far as the server goes.
#[derive(Default)]
pub(in crate::session) struct Apart {
    left: BTreeSet<StreamId>,
    behind: BTreeSet<StreamId>,
}

impl Apart {
    /// Reads which they are.
    pub(in crate::session) fn load(tx: &ReadTx<'_>) -> Result<Self> {
        Ok(KeptRemote::load(tx)?.map_or_else(Self::default, |kept| Self {
            left: kept.all_left().into_iter().collect(),
            behind: kept.all_behind().into_keys().collect(),
        }))
    }

    /// Tells it in a case's row.
    pub(in crate::session) fn tell(&self, case: CaseId, row: &mut CaseRow) {
        let stream = StreamId::case(case);
        row.left = self.left.contains(&stream);
        row.behind = self.behind.contains(&stream);
    }
}

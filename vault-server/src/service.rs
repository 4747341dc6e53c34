//! What the server does: registers agencies, begins sessions, appends, reads.
//!
//! ```text
//! append: body ─> decode, hash, verify signatures (many threads) ─> queue ─> writer (one thread)
//!         writer: judge each in order ─> one transaction a group ─> publish states, edge, checkpoint ─> answer
//! read:   published state (who may) ─> a snapshot of the store ─> page
//! ```
//! Clients make every check again; what is refused here is refused to keep the log free of what nobody would count.

mod agency;
pub mod cosigning;
mod follower;
mod invites;
mod live;
mod prepare;
mod recent;
mod shared_turn;
mod writer;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use vault_core::check::{Check, Refused};
use vault_core::crypto::sign::VerifyingKey;
use vault_core::id::AgencyId;
use vault_core::secret::SigningSeed;
use vault_core::server_session::{self, By};
use vault_core::tlog::tile::{self, Tile};
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::sync::{AppendReply, Parcel, SessionRequest, StreamList, StreamPage};

use crate::authenticate::{self, Claim, Scope, Sessions, Unusable};
use crate::authorize::{Appending, Session};
use crate::config::Quota;
use crate::metrics::Metrics;
use crate::store::{Store, StoreError, reading, writing};

pub(crate) use agency::load;
pub use agency::{Agency, Published};
use follower::Follower;
pub use invites::InviteRefused;
pub(crate) use live::load_case;
use writer::Writer;

/// Bytes of a page of a stream, unless its one parcel is longer.
///
/// A page is in memory twice while it is encoded, for everybody who pulls at once.
const PAGE_BYTES: usize = 1 << 20;

/// The agencies that were asked for.
type Agencies = RwLock<HashMap<AgencyId, Arc<Agency>>>;

/// The whole service.
pub struct Service {
    store: Arc<dyn Store>,
    agencies: Arc<Agencies>,
    sessions: Sessions,
    writer: Writer,
    follower: Option<Follower>,
    metrics: Arc<Metrics>,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database went away; what was under way may be done or not.
    #[error("the database is away")]
    Away,
    /// More appends wait than may.
    #[error("too much waits to be written")]
    Busy,
    /// There is no room left for what was to be written.
    #[error("no room is left")]
    Full,
    /// The agency keeps as much here as it may.
    #[error("the agency's quota is used up")]
    OverQuota,
    /// The transaction failed, and left nothing.
    #[error("nothing of it was written")]
    Unwritten,
    /// The server is stopping, or its writer has ended.
    #[error("nothing is written any more")]
    Ended,
    /// There is no randomness to be had.
    #[error("the system gives no randomness")]
    Random(#[source] getrandom::Error),
}

impl From<Refused> for ServiceError {
    fn from(refused: Refused) -> Self {
        Self::Store(refused.into())
    }
}

impl Service {
    /// Begins over a store, with a thread that writes; `quota` is each agency's.
    ///
    /// # Errors
    /// [`ServiceError::Store`]; [`ServiceError::Ended`] where the system gives no thread, [`ServiceError::Random`] no
    /// randomness.
    pub fn begin(store: Arc<dyn Store>, metrics: Arc<Metrics>, quota: Option<Quota>) -> Result<Self, ServiceError> {
        let tokens = store.session_key()?;
        let agencies = Arc::default();
        let (sessions, follower) = match store.shared() {
            Some(_) => {
                let follower = Follower::begin(Arc::clone(&store), Arc::clone(&agencies))?;
                (Sessions::shared(tokens), Some(follower))
            }
            None => {
                let mut challenges = [0; 32];
                getrandom::fill(&mut challenges).map_err(ServiceError::Random)?;
                (Sessions::new(tokens, challenges), None)
            }
        };
        let writer = Writer::begin(Arc::clone(&store), Arc::clone(&metrics), quota)?;
        Ok(Self {
            store,
            agencies,
            sessions,
            writer,
            follower,
            metrics,
        })
    }

    /// Takes no more appends; returns once those that were taken are durable.
    pub fn end(&self) {
        self.writer.end();
        if let Some(follower) = &self.follower {
            follower.end();
        }
    }

    /// Returns what is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Returns an agency, made known with a fresh log key if it was not.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn register(&self, id: AgencyId) -> Result<Arc<Agency>, ServiceError> {
        if let Some(known) = self.agency(id)? {
            return Ok(known);
        }
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(ServiceError::Random)?;
        let seed = SigningSeed::from_bytes(seed);
        writing(self.store.as_ref(), |writes| writes.register(&id, &seed))?;
        self.agency(id)?.ok_or(StoreError::Damaged("an agency is gone").into())
    }

    /// Finds an agency that was asked for before and that nobody else appends to; never waits for the disk.
    pub fn known(&self, id: &AgencyId) -> Option<Arc<Agency>> {
        match self.store.shared() {
            None => self.loaded(id),
            Some(_) => None,
        }
    }

    fn loaded(&self, id: &AgencyId) -> Option<Arc<Agency>> {
        let agencies = self.agencies.read().unwrap_or_else(PoisonError::into_inner);
        agencies.get(id).map(Arc::clone)
    }

    /// Finds an agency, as it is now: whoever was given a checkpoint by another process gets none here that is older.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn agency(&self, id: AgencyId) -> Result<Option<Arc<Agency>>, ServiceError> {
        if let Some(loaded) = self.loaded(&id) {
            if self.store.shared().is_some() {
                loaded.catch_up(self.store.as_ref())?;
            }
            return Ok(Some(loaded));
        }
        // The lock is held while it is loaded: nobody may publish over what another loaded before.
        let mut agencies = self.agencies.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = agencies.get(&id) {
            return Ok(Some(Arc::clone(known)));
        }
        let loaded = reading(self.store.as_ref(), |reads| {
            let row = reads.agency(&id)?;
            row.map(|row| Agency::load(reads, &row)).transpose()
        })?;
        let loaded = loaded.map(Arc::new);
        if let Some(agency) = &loaded {
            agencies.insert(id, Arc::clone(agency));
        }
        Ok(loaded)
    }

    /// Makes a challenge.
    ///
    /// # Errors
    /// [`ServiceError::Random`].
    pub fn challenge(&self) -> Result<[u8; 48], ServiceError> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(ServiceError::Random)?;
        Ok(self.sessions.challenge(random, authenticate::now()))
    }

    /// Begins a session of a device, by its own key or by the identity key of the sole administrator, who restored it;
    /// returns its token.
    ///
    /// # Errors
    /// [`ServiceError`]; inside, [`SessionRefused`].
    pub fn begin_session(
        &self,
        request: &SessionRequest,
        by: By,
    ) -> Result<Result<Vec<u8>, SessionRefused>, ServiceError> {
        let statement = &request.statement;
        let refused = |refused: Refused| SessionRefused::Check(refused.check);
        let Some(agency) = self.agency(statement.agency)? else {
            return Ok(Err(SessionRefused::Check(Check::ServerSession)));
        };
        let verified = || {
            let state = agency.published().state;
            let state = state.ok_or(SessionRefused::Check(Check::ServerSession))?;
            let (key, identity) = match by {
                By::Device => {
                    let device = state.live_device(statement.device).map_err(refused)?;
                    (device.key.clone(), None)
                }
                By::Identity => {
                    // One that is known has a key of its own, or is retired.
                    let is_new = !state.devices().contains_key(&statement.device);
                    let alone = state.sole_administrator().filter(|_| is_new);
                    let alone = alone.ok_or(SessionRefused::Check(Check::ServerSession))?;
                    let key = VerifyingKey::new(&alone.identity, Check::ServerSession).map_err(refused)?;
                    (key, Some(alone.member))
                }
            };
            server_session::verify(request, agency.id(), agency.log_key(), by, &key).map_err(refused)?;
            Ok(identity)
        };
        let identity = match verified() {
            Ok(identity) => identity,
            Err(refused) => return Ok(Err(refused)),
        };
        // Last, so that only a live device's signature uses one up.
        let now = authenticate::now();
        let taken = match self.store.shared() {
            Some(shared) => self.sessions.take_shared(shared, &statement.challenge, now)?,
            None => self.sessions.take(&statement.challenge, now),
        };
        Ok(taken.map_err(SessionRefused::Challenge).map(|()| {
            let claim = Claim {
                agency: agency.id(),
                device: statement.device,
                identity,
                until: now.saturating_add(authenticate::TOKEN_SECONDS),
            };
            self.sessions.token(&claim, Scope::Device)
        }))
    }

    /// Returns a token with which a session's device follows change events, and does nothing else.
    pub fn begin_feed(&self, session: &Session) -> Vec<u8> {
        let claim = Claim {
            agency: session.agency().id(),
            device: session.device(),
            identity: None,
            until: authenticate::now().saturating_add(authenticate::FEED_SECONDS),
        };
        self.sessions.token(&claim, Scope::Feed)
    }

    /// Returns what a token claims, as it stands after `Bearer`.
    pub fn claim(&self, token: &[u8], scope: Scope) -> Option<Claim> {
        self.sessions.claim(token, scope, authenticate::now())
    }

    /// Opens parcels and verifies what the published state has keys for; the writer does the rest.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn append(&self, permit: Appending, prepared: Batch) -> Result<AppendReply, ServiceError> {
        self.writer.append(permit, prepared.0).await
    }

    /// Returns the streams that a session may read with a link at leaf `after` or later.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn streams(&self, session: &Session, after: u64) -> Result<StreamList, ServiceError> {
        let agency = session.agency().no();
        let streams = reading(self.store.as_ref(), |reads| {
            reads.streams(agency, after, &session.reader())
        })?;
        Ok(StreamList { streams })
    }

    /// Returns parcels of a stream from number `from` on; `None` where the session may not read it, or there is none.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn page(&self, session: &Session, stream: StreamId, from: u64) -> Result<Option<StreamPage>, ServiceError> {
        let page = reading(self.store.as_ref(), |reads| {
            let Some(readable) = session.readable(reads, stream)? else {
                return Ok(None);
            };
            let Some(left) = readable.links().checked_sub(from).filter(|left| *left > 0) else {
                let parcels = Vec::new();
                return Ok(Some(StreamPage { parcels, more: 0 }));
            };
            let mut page = reads.page(readable.row().no, from, PAGE_BYTES)?;
            let left = usize::try_from(left).unwrap_or(usize::MAX);
            if page.parcels.len() >= left && readable.links() < readable.row().links {
                page.parcels.truncate(left);
                page.more = 0;
            }
            Ok(Some(page))
        })?;
        Ok(page)
    }

    /// Returns the bytes of a tile, of hashes or of entries, if the published tree has it.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn tile(&self, agency: &Agency, tile: Tile, entries: bool) -> Result<Option<Vec<u8>>, ServiceError> {
        let published = agency.published();
        let first = tile.index() * tile::WIDTH;
        let there = Tile::of(tile.level(), first + u64::from(tile.width()) - 1, published.edge.size());
        // A tile is also served as narrow as it was in a smaller tree.
        let Some(whole) = there.ok().filter(|whole| whole.index() == tile.index()) else {
            return Ok(None);
        };
        if entries {
            let entries = reading(self.store.as_ref(), |reads| {
                reads.entries(agency.no(), first, tile.width())
            })?;
            return Ok(Some(tile::bundle(&entries)));
        }
        let mut bytes = match whole.is_full() {
            true => reading(self.store.as_ref(), |reads| {
                reads.tile(agency.no(), tile.level(), tile.index())
            })?
            .ok_or(StoreError::Damaged("a tile is missing"))?,
            false => published.partial(tile.level()),
        };
        bytes.truncate(32 * usize::from(tile.width()));
        Ok(Some(bytes))
    }

    /// Counts what is stored.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn totals(&self) -> Result<crate::store::Totals, ServiceError> {
        Ok(reading(self.store.as_ref(), |reads| reads.totals())?)
    }
}

/// Why no session began.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SessionRefused {
    /// The device is not live, or did not sign for a session with this server.
    Check(Check),
    /// The challenge is no good.
    Challenge(Unusable),
}

/// Parcels that were opened, and whose signatures were verified where a key was at hand.
pub struct Batch(Vec<prepare::Prepared>);

impl Batch {
    /// Opens parcels and verifies signatures, on as many threads as there are; the longest part of an append.
    pub fn prepare(agency: &Agency, parcels: Vec<Parcel>) -> Self {
        Self(prepare::all(agency.published().state.as_deref(), parcels))
    }
}

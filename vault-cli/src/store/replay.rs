//! Rebuilding: from rows, in order, to the canonical links that were signed, up to an authenticated head.
//!
//! A record's row keeps no link bytes and no hashes. Hashing the stored ciphertexts is nearly all of the work and goes
//! over both cores ([`hash_all`]); chaining the links is cheap and stays in sequence ([`Replay::next`]). Signatures
//! can then be checked over the links in parallel again.

use super::error::StoreError;
use super::read::ReadTx;
use super::read::refused_of;
use super::read::require_of;
use super::row::Row;
use rayon::iter::IntoParallelRefIterator;
use rayon::iter::ParallelIterator;
use std::borrow::Cow;
use std::collections::HashMap;
use vault_core::check::Check;
use vault_core::id::AgencyId;
use vault_core::id::LinkId;
use vault_core::local::head::CommitOrder;
use vault_core::stream::Chain;
use vault_core::stream::UnverifiedLink;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::link::Placement;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::stream::StreamKind;

/// A row with the placements that its link signs, computed over the bytes stored.
pub struct Hashed<'r> {
    row: &'r Row,
    placements: Cow<'r, Placements>,
}

/// The placements of a row: a record's link has exactly one.
#[derive(Clone)]
enum Placements {
    One(Placement),
    Several(Vec<Placement>),
}

impl Placements {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(match row {
            Row::Record(record) => Self::One(record.record.placement()?),
            Row::Link(link) => Self::Several(link.placements()?),
        })
    }

    fn as_slice(&self) -> &[Placement] {
        match self {
            Self::One(placement) => std::slice::from_ref(placement),
            Self::Several(placements) => placements,
        }
    }
}

impl<'r> Hashed<'r> {
    /// Hashes the records of a row.
    ///
    /// # Errors
    /// None in practice: a header is of fixed size.
    pub fn new(row: &'r Row) -> Result<Self, StoreError> {
        let placements = Cow::Owned(Placements::of(row)?);
        Ok(Self { row, placements })
    }

    /// Returns the row.
    pub fn row(&self) -> &'r Row {
        self.row
    }

    /// Returns the placements, in the row's order of records.
    pub fn placements(&self) -> &[Placement] {
        self.placements.as_slice()
    }
}

/// Rows that own their placements, to go from one thread to another.
pub struct HashedRows {
    rows: Vec<Row>,
    placements: Vec<Placements>,
}

impl HashedRows {
    /// Hashes the records of rows, on this core.
    ///
    /// # Errors
    /// As [`Hashed::new`].
    pub fn new(rows: Vec<Row>) -> Result<Self, StoreError> {
        let placements = rows.iter().map(Placements::of).collect::<Result<_, _>>()?;
        Ok(Self { rows, placements })
    }

    /// Goes through the rows, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Hashed<'_>> {
        self.rows.iter().zip(&self.placements).map(|(row, placements)| Hashed {
            row,
            placements: Cow::Borrowed(placements),
        })
    }

    /// Returns the rows without their placements.
    pub fn into_rows(self) -> Vec<Row> {
        self.rows
    }
}

/// Hashes the records of many rows, over all cores.
///
/// # Errors
/// As [`Hashed::new`].
pub fn hash_all(rows: &[Row]) -> Result<Vec<Hashed<'_>>, StoreError> {
    rows.par_iter().map(Hashed::new).collect()
}

/// Where rebuilding has got to.
pub struct Replay {
    agency: AgencyId,
    scope: Scope,
    chains: HashMap<StreamId, Chain>,
    // By sequence number; of a whole store they come with its rows, of one stream they are there beforehand.
    agency_links: Vec<LinkId>,
    // The links of cases that are no record's, as they were passed.
    events: HashMap<StreamId, Vec<LinkId>>,
}

enum Scope {
    Stream(StreamId),
    Whole { pos: u64, order: CommitOrder },
}

impl Replay {
    /// Begins with the first link of one stream.
    ///
    /// # Errors
    /// As [`ReadTx::agency_links`].
    pub fn of_stream(tx: &ReadTx<'_>, stream: StreamId) -> Result<Self, StoreError> {
        Self::of_stream_after(tx, stream, None)
    }

    /// Begins after a link of one stream that was rebuilt before, by its sequence number and id.
    ///
    /// # Errors
    /// As [`ReadTx::agency_links`].
    pub fn of_stream_after(
        tx: &ReadTx<'_>,
        stream: StreamId,
        after: Option<(u64, LinkId)>,
    ) -> Result<Self, StoreError> {
        let agency_links = match stream.kind {
            StreamKind::Agency => Vec::new(),
            StreamKind::Case | StreamKind::Access => tx.agency_links()?,
        };
        Ok(Self {
            agency: tx.agency(),
            scope: Scope::Stream(stream),
            chains: after
                .map(|(seq, link)| (stream, Chain::at(tx.agency(), stream, seq, link)))
                .into_iter()
                .collect(),
            agency_links,
            events: HashMap::new(),
        })
    }

    /// Begins with the first link of the store.
    pub fn of_store(tx: &ReadTx<'_>) -> Self {
        let order = CommitOrder::START;
        Self {
            agency: tx.agency(),
            scope: Scope::Whole { pos: 0, order },
            chains: HashMap::new(),
            agency_links: Vec::new(),
            events: HashMap::new(),
        }
    }

    /// Begins after a commit position; `chains` are where the streams that go on from there had got to, rebuilt. What it
    /// arrives at is compared with the streams' heads, not with the store's.
    ///
    /// # Errors
    /// As [`ReadTx::agency_links`].
    pub(super) fn of_store_after(
        tx: &ReadTx<'_>,
        after: u64,
        chains: HashMap<StreamId, Chain>,
    ) -> Result<Self, StoreError> {
        let agency = StreamId::agency(&tx.agency());
        let mut agency_links = tx.agency_links()?;
        // Those that are still to come are taken in as their rows do.
        if let Some(chain) = chains.get(&agency) {
            agency_links.truncate(usize::try_from(chain.next_seq()).unwrap_or(usize::MAX));
        }
        let order = CommitOrder::START;
        Ok(Self {
            agency: tx.agency(),
            scope: Scope::Whole { pos: after, order },
            chains,
            agency_links,
            events: HashMap::new(),
        })
    }

    /// Returns where a stream has got to.
    pub fn chain(&self, stream: StreamId) -> Chain {
        let known = self.chains.get(&stream).cloned();
        known.unwrap_or_else(|| Chain::empty(self.agency, stream))
    }

    /// Returns the links of a case that are no record's, as far as its rows were passed: what its state was made of has to
    /// be these, whatever an index of the file said.
    pub fn events(&self, stream: StreamId) -> &[LinkId] {
        self.events.get(&stream).map_or(&[], Vec::as_slice)
    }

    /// Rebuilds the link of the next row; its signature is not checked.
    ///
    /// # Errors
    /// CHK-41 if the row does not follow, CHK-43 if it cites no agency link, CHK-47 if a sealed part is not the one
    /// that its event names, CHK-102 if a row before it is missing.
    pub fn next(&mut self, hashed: &Hashed<'_>) -> Result<UnverifiedLink, StoreError> {
        let (row, stream) = (hashed.row, hashed.row.stream());
        match &mut self.scope {
            Scope::Stream(scope) => require_of(*scope == stream, Check::Agency, stream)?,
            Scope::Whole { pos, .. } => {
                *pos = pos.saturating_add(1);
                require_of(row.pos() == *pos, Check::Dense, format!("position {pos}"))?;
            }
        }
        let agency = self.agency;
        let chain = self
            .chains
            .entry(stream)
            .or_insert_with(|| Chain::empty(agency, stream));
        require_of(row.seq() == chain.next_seq(), Check::Dense, stream)?;
        let link = match row {
            Row::Record(record) => {
                let cited = usize::try_from(record.agency_seq).ok();
                let cited = cited.and_then(|seq| self.agency_links.get(seq));
                let cited = cited.ok_or_else(|| StoreError::refused(Check::AgencyHead, stream))?;
                let placement = hashed.placements().first().copied();
                let placement = placement.ok_or_else(|| StoreError::refused(Check::Placement, stream))?;
                let mut link = chain.next_link(*cited, record.signer, LinkBody::Record(placement));
                link.seen = record.seen;
                UnverifiedLink::rebuilt(link, record.signature).map_err(refused_of(stream))?
            }
            Row::Link(link) => {
                if let LinkBody::Event(event) = &link.link.link().body {
                    require_of(event.sealed == hashed.placements(), Check::Placement, stream)?;
                }
                link.link.clone()
            }
        };
        chain.follow(&link).map_err(refused_of(stream))?;
        if stream.kind == StreamKind::Agency {
            self.agency_links.push(link.id());
        }
        if let (StreamKind::Case, Row::Link(_)) = (stream.kind, row) {
            self.events.entry(stream).or_default().push(link.id());
        }
        if let Scope::Whole { order, .. } = &mut self.scope {
            *order = order.then(&link.id());
        }
        Ok(link)
    }

    /// Refuses to end anywhere but at the authenticated heads.
    ///
    /// # Errors
    /// CHK-100 for a stream that ends elsewhere, CHK-101 for a store that does, CHK-102 if rows are missing.
    pub fn finish(&self, tx: &ReadTx<'_>) -> Result<(), StoreError> {
        match &self.scope {
            Scope::Stream(stream) => self.require_head(tx, *stream),
            Scope::Whole { pos, order } => {
                let head = tx.head();
                require_of(*pos == head.pos, Check::Dense, "store")?;
                let streams = tx.all_streams()?;
                for head in &streams {
                    self.require_head(tx, head.stream)?;
                }
                require_of(streams.len() == self.chains.len(), Check::StoreHead, "store")?;
                require_of(*order == head.order, Check::StoreHead, "store")
            }
        }
    }

    pub(super) fn require_head(&self, tx: &ReadTx<'_>, stream: StreamId) -> Result<(), StoreError> {
        let reached = self.chain(stream).head();
        let head = tx.stream_head(stream)?.map(|head| (head.seq, head.link));
        require_of(
            reached.map(|(seq, _)| seq) == head.map(|(seq, _)| seq),
            Check::Dense,
            stream,
        )?;
        require_of(reached == head, Check::StreamHead, stream)
    }
}

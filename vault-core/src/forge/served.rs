//! A server as a model: the links of its streams by leaf, and its log, answered from memory. It believes what it is given.

use crate::crypto::sign::SigningKey;
use crate::id::AgencyId;
use crate::id::LinkId;
use crate::secret::SigningSeed;
use crate::sync::Request;
use crate::tlog::checkpoint;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::entry::Entry;
use crate::tlog::tile;
use crate::tlog::tile::Edge;
use crate::tlog::tile::Tile;
use crate::tlog::tree::Hash;
use crate::wire;
use crate::wire::v1::stream::StreamId;
use crate::wire::v1::sync::ListedStream;
use crate::wire::v1::sync::Parcel;
use crate::wire::v1::sync::PlacedParcel;
use crate::wire::v1::sync::StreamList;
use crate::wire::v1::sync::StreamPage;
use std::collections::BTreeMap;

/// A server of one agency.
#[derive(Clone)]
pub struct Served {
    agency: AgencyId,
    log: [u8; 32],
    page: usize,
    /// Leaf, link and parcel, in the order of a stream.
    pub chains: BTreeMap<StreamId, Vec<(u64, LinkId, Parcel)>>,
    /// The log.
    pub entries: Vec<Entry>,
    /// How many links of a stream it shows, of those in which whoever asks holds nothing any more; it lists none of them.
    pub ended: BTreeMap<StreamId, usize>,
}

impl Served {
    /// Returns one that shows at most `page` links at once; `log` is the seed of its log's key.
    pub fn new(agency: AgencyId, log: [u8; 32], page: usize) -> Self {
        Self {
            agency,
            log,
            page,
            chains: BTreeMap::new(),
            entries: Vec::new(),
            ended: BTreeMap::new(),
        }
    }

    /// Appends a link to its stream and to the log.
    pub fn push(&mut self, stream: StreamId, link: LinkId, parcel: Parcel) {
        let links = self.chains.entry(stream).or_default();
        let leaf = self.entries.len() as u64;
        self.entries.push(Entry::of(stream, links.len() as u64, link));
        links.push((leaf, link, parcel));
    }

    /// Returns its newest checkpoint.
    pub fn note(&self) -> Vec<u8> {
        let mut edge = Edge::default();
        self.entries.iter().for_each(|entry| edge.push(entry.leaf(), |_, _| {}));
        let checkpoint = Checkpoint {
            agency: self.agency,
            size: edge.size(),
            root: edge.root(),
        };
        let log = SigningKey::from_seed(&SigningSeed::from_bytes(self.log));
        checkpoint::write(&checkpoint, &checkpoint.sign(&log), &log.public(), &[])
            .unwrap()
            .into_bytes()
    }

    /// Answers.
    pub fn answer(&self, request: Request) -> Vec<u8> {
        match request {
            Request::Checkpoint => self.note(),
            Request::Entries(tile) => {
                let first = usize::try_from(tile.index()).unwrap() * 256;
                tile::bundle(&self.entries[first..first + usize::from(tile.width())])
            }
            Request::Tile(tile) => {
                let tiles = self.tiles_until(&tile);
                let hashes = tiles.get(&tile).cloned().unwrap_or_default();
                hashes.iter().flat_map(|hash| hash.0).collect()
            }
            Request::Streams { after } => {
                let of = |(stream, links): (&StreamId, &Vec<(u64, LinkId, Parcel)>)| ListedStream {
                    stream: *stream,
                    links: links.len() as u64,
                    last: links.last().unwrap().0,
                };
                let mut streams: Vec<_> = self.chains.iter().map(of).collect();
                streams.retain(|one| one.last >= after && !self.ended.contains_key(&one.stream));
                wire::encode(&StreamList { streams }).unwrap()
            }
            Request::Page { stream, from } => {
                let links = self.chains.get(&stream).map_or(&[][..], Vec::as_slice);
                let shown = self.ended.get(&stream).copied().unwrap_or(usize::MAX);
                let links = links.get(..shown).unwrap_or(links);
                let rest = links.get(usize::try_from(from).unwrap()..).unwrap_or_default();
                let parcels = rest.iter().take(self.page).map(|(leaf, _, parcel)| PlacedParcel {
                    leaf: *leaf,
                    parcel: parcel.clone(),
                });
                let more = u8::from(rest.len() > self.page);
                wire::encode(&StreamPage {
                    parcels: parcels.collect(),
                    more,
                })
                .unwrap()
            }
        }
    }

    /// The tiles of the tree that ends with a tile: one that is not full is asked for of an older tree too.
    fn tiles_until(&self, tile: &Tile) -> BTreeMap<Tile, Vec<Hash>> {
        let (mut edge, mut tiles) = (Edge::default(), BTreeMap::new());
        let end = (tile.index() * 256 + u64::from(tile.width())) << (8 * u32::from(tile.level()));
        let end = usize::try_from(end).map_or(self.entries.len(), |end| end.min(self.entries.len()));
        for entry in &self.entries[..end] {
            edge.push(entry.leaf(), |tile, hashes| {
                tiles.insert(tile, hashes.to_vec());
            });
        }
        edge.partial(|tile, hashes| {
            tiles.insert(tile, hashes.to_vec());
        });
        tiles
    }
}

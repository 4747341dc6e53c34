//! What goes to a server: the links from a commit position on, each rebuilt with everything that it names.

use super::error::StoreError;
use super::kept::BlobKind;
use super::read::ReadTx;
use super::read::refused_of;
use super::read::require_of;
use super::replay::Hashed;
use super::replay::Replay;
use super::replay::hash_all;
use super::row::Content;
use super::row::Row;
use super::row::StoredRecord;
use std::collections::HashMap;
use vault_core::check::Check;
use vault_core::id::LinkId;
use vault_core::parcel;
use vault_core::stream::Chain;
use vault_core::stream::UnverifiedLink;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::sync::CarriedBody;
use vault_core::wire::v1::sync::CarriedRecord;
use vault_core::wire::v1::sync::ErasedBody;
use vault_core::wire::v1::sync::KeptBody;
use vault_core::wire::v1::sync::Parcel;

/// A link on its way out.
pub struct Outgoing {
    /// Its commit position.
    pub pos: u64,
    /// The link, as it was signed.
    pub link: UnverifiedLink,
    /// It, with everything that it names.
    pub parcel: Parcel,
}

impl ReadTx<'_> {
    /// Hands the links after commit position `after` to `f` in commit order, at most `chunk` at a time.
    ///
    /// # Errors
    /// CHK-41, CHK-47, CHK-102 for rows that do not rebuild to their stream's head; what `f` returns.
    pub fn outgoing<E: From<StoreError>>(
        &self,
        after: u64,
        chunk: usize,
        f: &mut dyn FnMut(Vec<Outgoing>) -> Result<(), E>,
    ) -> Result<(), E> {
        let chains = self.chains_at(after)?;
        let mut replay = Replay::of_store_after(self, after, chains)?;
        self.scan_all(after.saturating_add(1), chunk, &mut |rows| {
            let mut outgoing = Vec::with_capacity(rows.len());
            for hashed in hash_all(&rows)? {
                let link = replay.next(&hashed)?;
                let (pos, parcel) = (hashed.row().pos(), self.parcel_of(link.clone(), &hashed)?);
                outgoing.push(Outgoing { pos, link, parcel });
            }
            f(outgoing)
        })
    }

    /// Hands every link up to commit position `last` to `f` in commit order, as stream, sequence number and id.
    ///
    /// # Errors
    /// As [`Self::outgoing`].
    pub fn links_until<E: From<StoreError>>(
        &self,
        last: u64,
        f: &mut dyn FnMut(StreamId, u64, LinkId) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut replay = Replay::of_store_after(self, 0, HashMap::new())?;
        self.scan_all(1, 256, &mut |rows| {
            let until = rows.partition_point(|row| row.pos() <= last);
            for hashed in hash_all(rows.get(..until).unwrap_or_default())? {
                let link = replay.next(&hashed)?;
                f(link.link().stream, link.link().seq, link.id())?;
            }
            Ok(())
        })
    }

    /// Rebuilds the streams that have links after a commit position, up to it.
    pub(super) fn chains_at(&self, after: u64) -> Result<HashMap<StreamId, Chain>, StoreError> {
        let mut chains = HashMap::new();
        for (stream, first) in self.first_after(after)? {
            let mut replay = Replay::of_stream(self, stream)?;
            let mut left = usize::try_from(first).unwrap_or(usize::MAX);
            self.scan_from(stream, 0, 256, &mut |rows| -> Result<(), StoreError> {
                let before = rows.get(..rows.len().min(left)).unwrap_or_default();
                left = left.saturating_sub(before.len());
                for hashed in hash_all(before)? {
                    replay.next(&hashed)?;
                }
                Ok(())
            })?;
            chains.insert(stream, replay.chain(stream));
        }
        Ok(chains)
    }

    /// Packs a link with everything that it names.
    ///
    /// # Errors
    /// CHK-82, CHK-105 for what is not there as it was.
    pub fn parcel_of(&self, link: UnverifiedLink, hashed: &Hashed<'_>) -> Result<Parcel, StoreError> {
        let stream = link.link().stream;
        let (records, blobs) = match hashed.row() {
            Row::Record(row) => (vec![carried(&row.record)], Vec::new()),
            Row::Link(row) => {
                let records = row.sealed.iter().map(carried).collect();
                (records, self.blobs_of(&link, row.body.as_deref())?)
            }
        };
        parcel::pack(&link, records, blobs).map_err(refused_of(stream))
    }

    fn blobs_of(&self, link: &UnverifiedLink, body: Option<&[u8]>) -> Result<Vec<Vec<u8>>, StoreError> {
        match &link.link().body {
            LinkBody::Record(_) => Ok(Vec::new()),
            LinkBody::Event(event) => {
                let named = parcel::keyrings(&event.event).iter();
                named
                    .map(|file| self.blob(BlobKind::Keyring, &file.keyring_hash.0))
                    .collect()
            }
            LinkBody::Segment(segment) => Ok(vec![self.blob(BlobKind::Keyring, &segment.start_hash.0)?]),
            LinkBody::Access(entry) => {
                let body = body.ok_or_else(|| StoreError::refused(Check::BodyMissing, link.link().stream))?;
                let mut blobs = vec![body.to_vec()];
                if entry.manifest_hash.0 != [0; 32] {
                    blobs.push(self.blob(BlobKind::Manifest, &entry.manifest_hash.0)?);
                }
                Ok(blobs)
            }
            LinkBody::Rewrap(rewrap) => {
                let stream = link.link().stream;
                let wraps = self.wraps_of(stream, link.link().seq)?;
                require_of(wraps.len() == rewrap.items.len(), Check::BodyMissing, stream)?;
                let kept: HashMap<_, _> = wraps.iter().flatten().map(|wrap| (wrap.hash(), wrap)).collect();
                let items = rewrap.items.iter().map(|item| kept.get(&item.wrap_hash));
                let blobs: Vec<_> = items
                    .map(|wrap| wrap.map_or_else(Vec::new, |wrap| wrap.0.to_vec()))
                    .collect();
                let found = blobs.iter().filter(|blob| !blob.is_empty()).count();
                require_of(found == wraps.iter().flatten().count(), Check::BodyMissing, stream)?;
                Ok(blobs)
            }
        }
    }
}

fn carried(record: &StoredRecord) -> CarriedRecord {
    let body = match &record.content {
        Content::Kept { ciphertext, wrap } => CarriedBody::Kept(KeptBody {
            ciphertext: ciphertext.bytes().to_vec(),
            wrap: wrap.0.to_vec(),
        }),
        Content::Erased { ciphertext, wrap } => CarriedBody::Erased(ErasedBody {
            ciphertext: *ciphertext,
            wrap: *wrap,
        }),
    };
    CarriedRecord {
        header: record.header.clone(),
        signature: record.signature,
        body,
    }
}

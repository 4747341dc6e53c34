//! A small vault to try the store on: links are really signed and records really sealed, their meaning is not judged.

use crate::store::Hashed;
use crate::store::ReadTx;
use crate::store::Replay;
use crate::store::Row;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::WriteTx;
use std::path::PathBuf;
use vault_core::check::Check;
use vault_core::crypto::hash::hash;
use vault_core::crypto::sign::Signature;
use vault_core::crypto::sign::SigningKey;
use vault_core::crypto::sign::VerifyingKey;
use vault_core::epoch::Wrap;
use vault_core::id::AgencyId;
use vault_core::id::BodyHash;
use vault_core::id::CaseId;
use vault_core::id::DeviceId;
use vault_core::id::MemberId;
use vault_core::id::PolicyHash;
use vault_core::id::RecordHash;
use vault_core::id::RecordId;
use vault_core::record::SealedRecord;
use vault_core::record::VerifiedRecord;
use vault_core::record::seal;
use vault_core::secret::SealSecret;
use vault_core::secret::SigningSeed;
use vault_core::secret::StoreKey;
use vault_core::stream::UnverifiedLink;
use vault_core::stream::VerifiedLink;
use vault_core::wire::v1::access::AccessEntry;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::access::AccessSegment;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::link::Link;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::link::PlacedEvent;
use vault_core::wire::v1::link::Placement;
use vault_core::wire::v1::link::Release;
use vault_core::wire::v1::link::Seen;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::record::RecordHeader;
use vault_core::wire::v1::stream::Epoch;
use vault_core::wire::v1::stream::Month;
use vault_core::wire::v1::stream::Section;
use vault_core::wire::v1::stream::StreamId;

pub(super) const AGENCY: AgencyId = AgencyId([7; 32]);
pub(super) const DEVICE: DeviceId = DeviceId([8; 16]);
pub(super) const MEMBER: MemberId = MemberId([9; 16]);

pub(super) fn case(n: u8) -> StreamId {
    StreamId::case(CaseId([n; 16]))
}

pub(super) fn access() -> StreamId {
    StreamId::access(DEVICE)
}

pub(super) fn agency() -> StreamId {
    StreamId::agency(&AGENCY)
}

pub(super) fn signer() -> SigningKey {
    SigningKey::from_seed(&SigningSeed::from_bytes([3; 32]))
}

pub(super) fn key() -> StoreKey {
    StoreKey::from_bytes([1; 32])
}

/// A store in a folder of its own, gone with it.
pub(super) struct Vault {
    pub(super) folder: tempfile::TempDir,
    pub(super) store: Store,
}

impl Vault {
    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// An empty one.
    pub(super) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("store"), AGENCY, &key()).unwrap();
        Self { folder, store }
    }

    /// One with two agency links, two cases of an event and `notes` notes each, and three access links.
    pub(super) fn filled(notes: u8) -> Self {
        let mut vault = Self::empty();
        vault.write(|tx| {
            put_event(tx, agency(), Event::MemberRetired(MEMBER), &[])?;
            let settings = record(agency(), RecordId([1; 16]), RecordClass::Admin, b"{}");
            put_event(tx, agency(), Event::Settings(PolicyHash([2; 32])), &[&settings])?;
            for n in 1..=2 {
                let label = record(
                    case(n),
                    RecordId([100 + n; 16]),
                    RecordClass::Admin,
                    b"{\"schema\":\"label\"}",
                );
                put_event(tx, case(n), Event::Relation, &[&label])?;
                for note in 0..notes {
                    put_note(tx, case(n), note_id(n, note), b"{\"schema\":\"note\"}")?;
                }
            }
            put_segment(tx, b"start")?;
            put_access(tx, &[1; 1024], None)?;
            put_access(tx, &[2; 1024], Some(b"manifest"))?;
            Ok(())
        });
        vault
    }

    pub(super) fn write<T>(&mut self, f: impl FnOnce(&mut WriteTx<'_>) -> Result<T, StoreError>) -> T {
        self.store.write(f).unwrap()
    }

    pub(super) fn read<T>(&self, f: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError>) -> T {
        self.store.read(f).unwrap()
    }

    /// Closes the store, gives its file to `change` and opens it again.
    pub(super) fn changed(self, change: impl FnOnce(&rusqlite::Connection)) -> (tempfile::TempDir, Opened) {
        let path = self.path();
        let Self { folder, store } = self;
        drop(store);
        let connection = rusqlite::Connection::open(&path).unwrap();
        change(&connection);
        drop(connection);
        let opened = Store::open(&path, &key());
        (folder, opened)
    }
}

pub(super) type Opened = Result<Store, StoreError>;

pub(super) fn note_id(case: u8, note: u8) -> RecordId {
    let mut id = [case; 16];
    id[0] = note;
    id[7] = 0xaa;
    id[15] = note;
    RecordId(id)
}

/// Seals a record, version 1, in `core`.
pub(super) fn record(stream: StreamId, id: RecordId, class: RecordClass, text: &[u8]) -> SealedRecord {
    version(stream, id, class, text, 1, RecordHash::ZERO)
}

pub(super) fn version(
    stream: StreamId,
    id: RecordId,
    class: RecordClass,
    text: &[u8],
    version: u32,
    amends: RecordHash,
) -> SealedRecord {
    let header = RecordHeader {
        format: 1,
        agency: AGENCY,
        stream,
        section: Section::CORE,
        record: id,
        version,
        amends,
        member: MEMBER,
        device: DEVICE,
        class,
        padded_length: 0,
        commitment: [0; 32],
    };
    seal(header, text, &[5; 32], &SealSecret::from_bytes([6; 32]), &signer()).unwrap()
}

/// A wrap of the right size for a record: wrapping is not the store's.
pub(super) fn wrap(record: &VerifiedRecord) -> Wrap {
    let mut bytes = [0; 48];
    bytes[..32].copy_from_slice(&record.hash().0);
    Wrap(bytes)
}

pub(super) fn placement(record: &VerifiedRecord) -> Placement {
    Placement {
        record_hash: record.hash(),
        section: Section::CORE,
        epoch: Epoch::FIRST,
        release: Release {
            month: Month(682),
            commitment: None,
        },
        wrap_hash: wrap(record).hash(),
    }
}

/// Makes and signs a stream's next link.
pub(super) fn next(tx: &ReadTx<'_>, stream: StreamId, body: LinkBody) -> Result<VerifiedLink, StoreError> {
    let made = tx.chain(stream)?.append(tx.agency_head()?, DEVICE, body);
    Ok(made.unwrap().sign(&signer()))
}

/// As [`next`], with a checkpoint seen, which [`vault_core::stream::Chain`] does not set yet.
pub(super) fn next_seen(
    tx: &ReadTx<'_>,
    stream: StreamId,
    body: LinkBody,
    seen: Seen,
) -> Result<VerifiedLink, StoreError> {
    let mut link: Link = tx.chain(stream)?.next_link(tx.agency_head()?, DEVICE, body);
    link.seen = Some(seen);
    let unsigned = UnverifiedLink::rebuilt(link.clone(), Signature([0; 64])).unwrap();
    let bytes = vault_core::wire::encode(unsigned.link()).unwrap();
    let signature = signer().sign(vault_core::context::Label::LinkSignature, &[&bytes]);
    let signed = UnverifiedLink::rebuilt(link, signature).unwrap();
    Ok(signed.verify(&public()).unwrap())
}

pub(super) fn public() -> VerifyingKey {
    VerifyingKey::new(&signer().public(), Check::Signer).unwrap()
}

pub(super) fn put_event(
    tx: &mut WriteTx<'_>,
    stream: StreamId,
    event: Event,
    sealed: &[&SealedRecord],
) -> Result<u64, StoreError> {
    let placements = sealed.iter().map(|part| placement(&part.record)).collect();
    let body = LinkBody::Event(PlacedEvent {
        event,
        sealed: placements,
    });
    let link = next(tx, stream, body)?;
    let wraps: Vec<_> = sealed.iter().map(|part| wrap(&part.record)).collect();
    let parts: Vec<_> = sealed
        .iter()
        .zip(&wraps)
        .map(|(part, wrap)| (&part.record, wrap))
        .collect();
    tx.put_event(&link, &parts)
}

pub(super) fn put_record(tx: &mut WriteTx<'_>, record: &SealedRecord, is_primary: bool) -> Result<u64, StoreError> {
    let body = LinkBody::Record(placement(&record.record));
    let link = next(tx, record.record.header().stream, body)?;
    tx.put_record(&link, &record.record, &wrap(&record.record), is_primary)
}

pub(super) fn put_note(tx: &mut WriteTx<'_>, stream: StreamId, id: RecordId, text: &[u8]) -> Result<u64, StoreError> {
    put_record(tx, &record(stream, id, RecordClass::Note, text), true)
}

pub(super) fn put_segment(tx: &mut WriteTx<'_>, start: &[u8]) -> Result<u64, StoreError> {
    let body = LinkBody::Segment(AccessSegment {
        segment: 0,
        dpo_epoch: 0,
        start_hash: vault_core::id::KeyringHash(crate::store::BlobKind::Keyring.hash(start)),
    });
    let link = next(tx, access(), body)?;
    tx.put_segment(&link, start)
}

pub(super) fn put_access(tx: &mut WriteTx<'_>, body: &[u8], manifest: Option<&[u8]>) -> Result<u64, StoreError> {
    let entry = access_entry(body, manifest);
    let link = next(tx, access(), LinkBody::Access(entry))?;
    tx.put_access(&link, body, manifest)
}

pub(super) fn access_entry(body: &[u8], manifest: Option<&[u8]>) -> AccessEntry {
    AccessEntry {
        segment: 0,
        index: 0,
        operation: AccessOperation::Open,
        subject: Some(case(1)),
        release_hash: BodyHash::ZERO,
        body_hash: BodyHash(hash(vault_core::context::Label::AccessBodyHash, &[body])),
        manifest_hash: manifest.map_or(BodyHash::ZERO, |m| BodyHash(crate::store::BlobKind::Manifest.hash(m))),
    }
}

/// Rebuilds every link of the store, in commit order, up to its authenticated head.
pub(super) fn replay(store: &Store) -> Result<Vec<UnverifiedLink>, StoreError> {
    store.read(|tx| {
        let mut replay = Replay::of_store(tx);
        let mut links = Vec::new();
        tx.scan_all(1, 3, &mut |rows: Vec<Row>| {
            for row in &rows {
                links.push(replay.next(&Hashed::new(row)?)?);
            }
            Ok::<_, StoreError>(())
        })?;
        replay.finish(tx)?;
        Ok(links)
    })
}

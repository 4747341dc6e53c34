//! Writing: links in commit order, each with what it places, and the heads that authenticate them.
//!
//! Every `put_*` takes a verified link that must be its stream's next, and refuses bytes that are not those which the
//! link names, so that what cannot be rebuilt is never stored.

use super::column::number;
use super::error::StoreError;
use super::kept::BlobKind;
use super::read::ReadTx;
use super::read::refused_of;
use super::read::require_of;
use super::row::Content;
use super::row::RecordAt;
use std::ops::Deref;
use vault_core::check::Check;
use vault_core::context::Label;
use vault_core::crypto::hash::hash;
use vault_core::crypto::sign::Signature;
use vault_core::epoch::Wrap;
use vault_core::id::CiphertextHash;
use vault_core::id::LinkId;
use vault_core::id::RecordHash;
use vault_core::id::WrapHash;
use vault_core::local::head::StreamHead;
use vault_core::local::index::ContentTag;
use vault_core::local::index::EntryKey;
use vault_core::local::value;
use vault_core::record::UnverifiedRecord;
use vault_core::record::VerifiedRecord;
use vault_core::stream::VerifiedLink;
use vault_core::wire;
use vault_core::wire::v1::access::AccessEntry;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::link::Placement;
use vault_core::wire::v1::record::RecordHeader;
use vault_core::wire::v1::stream::StreamKind;

/// A transaction that writes; reads through it see what it wrote.
pub struct WriteTx<'c> {
    pub(super) read: ReadTx<'c>,
    erased: bool,
}

/// A record that a link places, as it came or as it was made.
#[derive(Clone, Copy)]
pub struct NewRecord<'a> {
    /// Its header.
    pub header: &'a RecordHeader,
    /// Its hash, computed.
    pub hash: RecordHash,
    /// The author's signature, checked.
    pub signature: &'a Signature,
    /// Its bytes, or what stays of them.
    pub body: NewBody<'a>,
}

/// The bytes of a record that is to be stored.
#[derive(Clone, Copy)]
pub enum NewBody<'a> {
    /// They are here.
    Kept {
        /// Ciphertext and tag.
        ciphertext: &'a [u8],
        /// The wrap that the link signs.
        wrap: &'a Wrap,
    },
    /// They were erased before they came.
    Erased {
        /// What the record's signature is over.
        ciphertext: CiphertextHash,
        /// What the link's signature is over.
        wrap: WrapHash,
    },
}

impl<'a> NewRecord<'a> {
    /// A record that is whole.
    pub fn whole(record: &'a VerifiedRecord, wrap: &'a Wrap) -> Self {
        Self {
            header: record.header(),
            hash: record.hash(),
            signature: record.signature(),
            body: NewBody::Kept {
                ciphertext: record.ciphertext(),
                wrap,
            },
        }
    }
}

impl NewBody<'_> {
    fn wrap_hash(&self) -> WrapHash {
        match self {
            Self::Kept { wrap, .. } => wrap.hash(),
            Self::Erased { wrap, .. } => *wrap,
        }
    }

    fn wrap(&self) -> Option<[u8; 48]> {
        match self {
            Self::Kept { wrap, .. } => Some(wrap.0),
            Self::Erased { .. } => None,
        }
    }

    fn ciphertext(&self) -> Option<&[u8]> {
        match self {
            Self::Kept { ciphertext, .. } => Some(ciphertext),
            Self::Erased { .. } => None,
        }
    }
}

/// What a transaction leaves behind when it is committed.
pub(super) struct Written {
    pub(super) agency_links: Vec<LinkId>,
    pub(super) erased: bool,
}

impl<'c> Deref for WriteTx<'c> {
    type Target = ReadTx<'c>;

    fn deref(&self) -> &ReadTx<'c> {
        &self.read
    }
}

impl<'c> WriteTx<'c> {
    pub(super) fn begin(read: ReadTx<'c>) -> Self {
        Self { read, erased: false }
    }

    /// Stores a record link with its record; returns its commit position.
    ///
    /// `is_primary` says that the record is its note's primary one, which counts and lists go by.
    ///
    /// # Errors
    /// CHK-40 and CHK-41 if the link is not its stream's next, CHK-43 if it cites no agency link, CHK-47 if record or
    /// wrap is not the one that it places; as writing.
    pub fn put_record(
        &mut self,
        link: &VerifiedLink,
        record: &VerifiedRecord,
        wrap: &Wrap,
        is_primary: bool,
    ) -> Result<u64, StoreError> {
        self.put_any_record(link, NewRecord::whole(record, wrap), is_primary)
    }

    /// As [`Self::put_record`], for a record whose bytes may be gone.
    ///
    /// # Errors
    /// As [`Self::put_record`].
    pub fn put_any_record(
        &mut self,
        link: &VerifiedLink,
        record: NewRecord<'_>,
        is_primary: bool,
    ) -> Result<u64, StoreError> {
        let LinkBody::Record(placement) = &link.link().body else {
            return Err(StoreError::Bug("a link of another kind as a record's".to_owned()));
        };
        require_placed(link, placement, &record)?;
        let cited = self.agency_seq(&link.link().agency_head)?;
        let (pos, stream) = self.place(link)?;
        let header = record.header;
        let (signer, member, device, release) = {
            let mut numbers = self.read.numbers.borrow_mut();
            let commitment = placement.release.commitment;
            (
                numbers.actor(self.read.connection, link.link().device.0)?,
                numbers.actor(self.read.connection, header.member.0)?,
                numbers.actor(self.read.connection, header.device.0)?,
                commitment
                    .map(|c| numbers.release(self.read.connection, c))
                    .transpose()?,
            )
        };
        let seen = link.link().seen.map(|seen| wire::encode(&seen)).transpose();
        let seen = seen.map_err(refused_of(link.link().stream))?;
        let mut statement = self.read.connection.prepare_cached(
            "INSERT INTO link (pos, stream, seq, class, is_primary, version, agency_seq, signer, member, device, section,
                epoch, month, release, seen, amends, record_id, commitment, record_signature, signature, wrap, body)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)",
        )?;
        statement.execute(rusqlite::params![
            number(pos)?,
            stream,
            number(link.link().seq)?,
            header.class as u8,
            is_primary,
            header.version,
            number(cited)?,
            signer,
            member,
            device,
            placement.section.0,
            placement.epoch.0,
            placement.release.month.0,
            release,
            seen,
            amends(header.amends),
            header.record.0,
            header.commitment,
            record.signature.0,
            link.signature().0,
            record.body.wrap(),
            record.body.ciphertext(),
        ])?;
        drop(statement);
        self.put_remains(RecordAt::link(pos), &record)?;
        Ok(pos)
    }

    /// Stores an event with its sealed parts, in the event's order; returns its commit position.
    ///
    /// # Errors
    /// As [`Self::put_record`].
    pub fn put_event(&mut self, link: &VerifiedLink, sealed: &[(&VerifiedRecord, &Wrap)]) -> Result<u64, StoreError> {
        let sealed: Vec<_> = sealed
            .iter()
            .map(|(record, wrap)| NewRecord::whole(record, wrap))
            .collect();
        self.put_any_event(link, &sealed)
    }

    /// As [`Self::put_event`], for sealed parts whose bytes may be gone.
    ///
    /// # Errors
    /// As [`Self::put_record`].
    pub fn put_any_event(&mut self, link: &VerifiedLink, sealed: &[NewRecord<'_>]) -> Result<u64, StoreError> {
        let LinkBody::Event(event) = &link.link().body else {
            return Err(StoreError::Bug("a link of another kind as an event's".to_owned()));
        };
        require_of(event.sealed.len() == sealed.len(), Check::Placement, link.link().stream)?;
        for (placement, record) in event.sealed.iter().zip(sealed) {
            require_placed(link, placement, record)?;
        }
        let pos = self.put_bytes(link, None)?;
        for (part, record) in (1u8..).zip(sealed) {
            let header = record.header;
            let (member, device) = {
                let mut numbers = self.read.numbers.borrow_mut();
                (
                    numbers.actor(self.read.connection, header.member.0)?,
                    numbers.actor(self.read.connection, header.device.0)?,
                )
            };
            let mut statement = self.read.connection.prepare_cached(
                "INSERT INTO sealed (pos, part, class, version, member, device, amends, record_id, commitment,
                    record_signature, wrap, body)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?;
            statement.execute(rusqlite::params![
                number(pos)?,
                part,
                header.class as u8,
                header.version,
                member,
                device,
                amends(header.amends),
                header.record.0,
                header.commitment,
                record.signature.0,
                record.body.wrap(),
                record.body.ciphertext(),
            ])?;
            drop(statement);
            self.put_remains(RecordAt { pos, part }, record)?;
        }
        Ok(pos)
    }

    // Keeps what the signatures are over, of a record that came without its bytes.
    fn put_remains(&self, at: RecordAt, record: &NewRecord<'_>) -> Result<(), StoreError> {
        let NewBody::Erased { ciphertext, wrap } = record.body else {
            return Ok(());
        };
        self.read
            .connection
            .prepare_cached(
                "INSERT INTO erased (pos, part, padded_length, ciphertext_hash, wrap_hash) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((
                number(at.pos)?,
                at.part,
                record.header.padded_length,
                ciphertext.0,
                wrap.0,
            ))?;
        Ok(())
    }

    /// Stores a rewrap link with the new wraps of the records that it lists, none for one that was erased before it came;
    /// returns its commit position.
    ///
    /// # Errors
    /// CHK-47 if the wraps are not exactly those of the link; as [`Self::put_record`].
    pub fn put_rewrap(&mut self, link: &VerifiedLink, wraps: &[(RecordAt, Option<Wrap>)]) -> Result<u64, StoreError> {
        let stream = link.link().stream;
        let LinkBody::Rewrap(rewrap) = &link.link().body else {
            return Err(StoreError::Bug("a link of another kind as a rewrap".to_owned()));
        };
        require_of(rewrap.items.len() == wraps.len(), Check::Placement, stream)?;
        let mut left = rewrap.items.clone();
        for (at, wrap) in wraps {
            let (record, wrap_hash) = (self.record_at(*at)?, wrap.as_ref().map(Wrap::hash));
            let record_hash = record.hash()?;
            let found = left.iter().position(|item| {
                item.record_hash == record_hash && wrap_hash.is_none_or(|wrap_hash| item.wrap_hash == wrap_hash)
            });
            let found = found.ok_or_else(|| StoreError::refused(Check::Placement, stream))?;
            left.swap_remove(found);
        }
        let pos = self.put_bytes(link, None)?;
        for (at, wrap) in wraps {
            self.read
                .connection
                .prepare_cached("INSERT INTO rewrap (record_pos, record_part, pos, wrap) VALUES (?1, ?2, ?3, ?4)")?
                .execute((number(at.pos)?, at.part, number(pos)?, wrap.as_ref().map(|wrap| wrap.0)))?;
        }
        Ok(pos)
    }

    /// Stores an access entry with its sealed body and manifest; returns its commit position.
    ///
    /// # Errors
    /// CHK-92 if body or manifest is not the one that the entry names; as [`Self::put_record`].
    pub fn put_access(&mut self, link: &VerifiedLink, body: &[u8], manifest: Option<&[u8]>) -> Result<u64, StoreError> {
        let stream = link.link().stream;
        let LinkBody::Access(entry) = &link.link().body else {
            return Err(StoreError::Bug(
                "a link of another kind as an access entry's".to_owned(),
            ));
        };
        require_bodies(entry, body, manifest).map_err(|check| StoreError::refused(check, stream))?;
        if let Some(manifest) = manifest {
            self.put_blob(BlobKind::Manifest, manifest)?;
        }
        self.put_bytes(link, Some(body))
    }

    /// Stores the start of an access segment with its age file; returns its commit position.
    ///
    /// # Errors
    /// CHK-47 if the file is not the one that the link names; as [`Self::put_record`].
    pub fn put_segment(&mut self, link: &VerifiedLink, start: &[u8]) -> Result<u64, StoreError> {
        let LinkBody::Segment(segment) = &link.link().body else {
            return Err(StoreError::Bug("a link of another kind as a segment's".to_owned()));
        };
        let kept = self.put_blob(BlobKind::Keyring, start)?;
        require_of(kept == segment.start_hash.0, Check::Placement, link.link().stream)?;
        self.put_bytes(link, None)
    }

    /// Stores bytes under the hash by which links name them, once; returns that hash.
    ///
    /// # Errors
    /// As writing.
    pub fn put_blob(&mut self, kind: BlobKind, bytes: &[u8]) -> Result<[u8; 32], StoreError> {
        let named = kind.hash(bytes);
        self.read
            .connection
            .prepare_cached("INSERT INTO blob (hash, bytes) VALUES (?1, ?2) ON CONFLICT (hash) DO NOTHING")?
            .execute((named, bytes))?;
        Ok(named)
    }

    /// Seals a local value under `name`, in place of the one that was there.
    ///
    /// The name is stored as it is: it says what kind of value it is, and of ids at most random ones.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the system has no randomness; as writing.
    pub fn put_local(&mut self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        let mut fresh = [0; 32];
        getrandom::fill(&mut fresh).map_err(|error| StoreError::Io {
            code: 0,
            message: error.to_string(),
        })?;
        let sealed = value::seal(&self.read.keys.state, name, value, &fresh).map_err(refused_of(name))?;
        let upsert = "INSERT INTO local (name, value) VALUES (?1, ?2)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.read.connection.prepare_cached(upsert)?.execute((name, sealed))?;
        Ok(())
    }

    /// Removes a local value; tells whether there was one.
    ///
    /// # Errors
    /// As writing.
    pub fn remove_local(&mut self, name: &str) -> Result<bool, StoreError> {
        let mut statement = self
            .read
            .connection
            .prepare_cached("DELETE FROM local WHERE name = ?1")?;
        Ok(statement.execute([name])? > 0)
    }

    /// Remembers that the external id of `kind` became the link at `pos`, out of the line `content`.
    ///
    /// An entry that is there is replaced: its line was amended.
    ///
    /// # Errors
    /// As writing.
    pub fn index(&mut self, kind: &str, external: &str, content: &[u8], pos: u64) -> Result<(), StoreError> {
        let key = EntryKey::new(&self.read.keys.index, kind, external);
        let tag = ContentTag::new(&self.read.keys.index, content);
        let upsert = "INSERT INTO external (key, pos, content) VALUES (?1, ?2, ?3)
            ON CONFLICT (key) DO UPDATE SET pos = excluded.pos, content = excluded.content";
        self.read
            .connection
            .prepare_cached(upsert)?
            .execute((key.0, number(pos)?, tag.0))?;
        Ok(())
    }

    /// Remembers an external id whose key and tag are made already. An entry that leads to another record stays: whose id
    /// it is was settled here.
    ///
    /// # Errors
    /// As writing.
    pub fn index_entry(&mut self, key: &EntryKey, tag: &ContentTag, pos: u64) -> Result<(), StoreError> {
        let sql = "INSERT INTO external (key, pos, content) VALUES (?1, ?2, ?3)
            ON CONFLICT (key) DO UPDATE SET pos = excluded.pos, content = excluded.content
            WHERE (SELECT record_id FROM link WHERE pos = external.pos) IS
                (SELECT record_id FROM link WHERE pos = excluded.pos)";
        self.read
            .connection
            .prepare_cached(sql)?
            .execute((key.0, number(pos)?, tag.0))?;
        Ok(())
    }

    /// Erases ciphertext, wraps and content tags of records; headers, hashes and signatures stay.
    ///
    /// The signed erasure that names them is the caller's, in the same transaction. A record erased before is left as
    /// it is.
    ///
    /// # Errors
    /// CHK-102 if there is no record at a place; as writing.
    pub fn erase(&mut self, records: &[RecordAt]) -> Result<(), StoreError> {
        for at in records {
            let record = self.record_at(*at)?;
            let Content::Kept { ciphertext, wrap } = &record.content else {
                continue;
            };
            let ciphertext = ciphertext.hash().0;
            let pos = number(at.pos)?;
            let connection = self.read.connection;
            connection
                .prepare_cached(
                    "INSERT INTO erased (pos, part, padded_length, ciphertext_hash, wrap_hash) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute((pos, at.part, record.header.padded_length, ciphertext, wrap.hash().0))?;
            if at.part == 0 {
                connection
                    .prepare_cached("UPDATE link SET wrap = NULL, body = NULL, is_primary = 0 WHERE pos = ?1")?
                    .execute([pos])?;
            } else {
                connection
                    .prepare_cached("UPDATE sealed SET wrap = NULL, body = NULL WHERE pos = ?1 AND part = ?2")?
                    .execute((pos, at.part))?;
            }
            connection
                .prepare_cached("UPDATE rewrap SET wrap = NULL WHERE record_pos = ?1 AND record_part = ?2")?
                .execute((pos, at.part))?;
            // The key stays, so that importing the same line again does not bring the note back.
            connection
                .prepare_cached("UPDATE external SET content = NULL WHERE pos = ?1")?
                .execute([pos])?;
            self.erased = true;
        }
        Ok(())
    }

    /// Puts the bytes of a record where it was taken in without them; the caller knows it to be the one that stands there.
    ///
    /// # Errors
    /// CHK-47 for another record, or another wrap, than the one there; CHK-102 if there is no record at the place.
    pub fn fill_in(&mut self, at: RecordAt, record: &UnverifiedRecord, wrap: &Wrap) -> Result<(), StoreError> {
        let there = self.record_at(at)?;
        let Content::Erased { wrap: named, .. } = &there.content else {
            return Ok(());
        };
        let is_it = there.hash()? == record.hash() && *named == wrap.hash();
        require_of(is_it, Check::Placement, there.header.record.handle())?;
        let pos = number(at.pos)?;
        let connection = self.read.connection;
        connection
            .prepare_cached("DELETE FROM erased WHERE pos = ?1 AND part = ?2")?
            .execute((pos, at.part))?;
        if at.part == 0 {
            connection
                .prepare_cached("UPDATE link SET wrap = ?2, body = ?3 WHERE pos = ?1")?
                .execute((pos, wrap.0, record.ciphertext()))?;
        } else {
            connection
                .prepare_cached("UPDATE sealed SET wrap = ?3, body = ?4 WHERE pos = ?1 AND part = ?2")?
                .execute((pos, at.part, wrap.0, record.ciphertext()))?;
        }
        self.read.has_written.set(true);
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Written, StoreError> {
        let Self { read, erased } = self;
        read.numbers.borrow_mut().write_heads(read.connection, read.keys)?;
        read.connection
            .prepare_cached("UPDATE meta SET pos = ?1, commit_order = ?2, mac = ?3 WHERE id = 1")?
            .execute((
                number(read.head.pos)?,
                read.head.order.0,
                read.head.mac(&read.keys.heads),
            ))?;
        Ok(Written {
            agency_links: read.into_agency_links(),
            erased,
        })
    }

    // Stores a link that keeps its bytes.
    fn put_bytes(&mut self, link: &VerifiedLink, body: Option<&[u8]>) -> Result<u64, StoreError> {
        // Every link but the agency's first cites one that is there.
        if link.link().agency_head != LinkId::ZERO {
            self.agency_seq(&link.link().agency_head)?;
        }
        let (pos, stream) = self.place(link)?;
        self.read
            .connection
            .prepare_cached(
                "INSERT INTO link (pos, stream, seq, signature, bytes, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                number(pos)?,
                stream,
                number(link.link().seq)?,
                link.signature().0,
                link.bytes(),
                body,
            ))?;
        Ok(pos)
    }

    // Moves stream and store on to `link`; returns its commit position and its stream's number.
    fn place(&mut self, link: &VerifiedLink) -> Result<(u64, i64), StoreError> {
        self.read.has_written.set(true);
        let (signed, stream) = (link.link(), link.link().stream);
        require_of(signed.agency == self.agency(), Check::Agency, stream)?;
        let before = self.stream_head(stream)?;
        let (next, previous) = before.map_or((0, LinkId::ZERO), |head| (head.seq.saturating_add(1), head.link));
        require_of(signed.seq == next && signed.previous == previous, Check::Chain, stream)?;
        let head = StreamHead {
            stream,
            seq: signed.seq,
            link: link.id(),
        };
        if stream.kind == StreamKind::Agency {
            self.read.load_agency()?;
            self.read.agency_links.borrow_mut().push(link.id());
        }
        let connection = self.read.connection;
        let no = self
            .read
            .numbers
            .borrow_mut()
            .advance(connection, self.read.keys, head)?;
        if before.is_none() {
            self.read.head.streams = self.read.head.streams.saturating_add(1);
        }
        self.read.head.pos = self.read.head.pos.saturating_add(1);
        self.read.head.order = self.read.head.order.then(&link.id());
        Ok((self.read.head.pos, no))
    }
}

fn require_placed(link: &VerifiedLink, placement: &Placement, record: &NewRecord<'_>) -> Result<(), StoreError> {
    let (signed, header) = (link.link(), record.header);
    let held = placement.record_hash == record.hash
        && placement.wrap_hash == record.body.wrap_hash()
        && header.agency == signed.agency
        && header.stream == signed.stream
        && header.section == placement.section;
    require_of(held, Check::Placement, header.record.handle())
}

fn require_bodies(entry: &AccessEntry, body: &[u8], manifest: Option<&[u8]>) -> Result<(), Check> {
    let manifest = manifest.map_or([0; 32], |bytes| BlobKind::Manifest.hash(bytes));
    if hash(Label::AccessBodyHash, &[body]) == entry.body_hash.0 && manifest == entry.manifest_hash.0 {
        Ok(())
    } else {
        Err(Check::AccessBody)
    }
}

fn amends(hash: RecordHash) -> Option<[u8; 32]> {
    (hash != RecordHash::ZERO).then_some(hash.0)
}

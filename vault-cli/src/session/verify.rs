//! Verifying: every link and record of the vault, a case or the access stream, from the stored bytes up.
//!
//! ```text
//! rows ─ hash (both cores) ─> rebuild links, judge them (in commit order) ─> signatures, seals (both cores) ─> heads, index
//! ```
//!
//! Failures are collected, the first of each stream, and hide no other stream's.

pub(super) mod index;
mod job;

use self::index::Index;
use self::job::Done;
use self::job::Job;
use self::job::Keys;
use super::Holder;
use super::Result;
use super::Session;
use super::SessionError;
use super::attachment::Found;
use super::case_keys::CaseKeys;
use super::log::failure;
use super::logging::Intent;
use super::logging::Logged;
use super::misfiled;
use super::pipeline;
use super::progress::Task;
use super::progress::Unit;
use super::reply::CASE_VERIFY;
use super::reply::Failure;
use super::reply::Schema;
use super::reply::VERIFY;
use super::reply::VerifyReply;
use super::request::CaseVerifyRequest;
use super::request::ReadPurpose;
use super::server::positions::Positions;
use super::unshown;
use crate::store::BlobKind;
use crate::store::Hashed;
use crate::store::ReadTx;
use crate::store::Replay;
use crate::store::Row;
use crate::store::StoredRecord;
use crate::store::hash_all;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use vault_core::access;
use vault_core::access::AccessState;
use vault_core::agency_state::AgencyState;
use vault_core::case_state::CaseState;
use vault_core::check::Check;
use vault_core::crypto::sign::VerifyingKey;
use vault_core::id::BodyHash;
use vault_core::id::CaseId;
use vault_core::id::DeviceId;
use vault_core::id::MemberId;
use vault_core::id::RecordHash;
use vault_core::secret::LocalIndexKey;
use vault_core::stream::UnverifiedLink;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::stream::StreamKind;

impl Session {
    /// Verifies everything that is kept. Failures are in the reply, not an error.
    ///
    /// # Errors
    /// [`SessionError::Cancelled`], and what keeps it from reading at all.
    pub fn verify(&mut self, task: Task<'_>) -> Result<VerifyReply> {
        let logged = self.log_verification(None, "vault")?;
        self.verify_streams(VERIFY, None, task, &logged)
    }

    /// Verifies one case's stream and records. Failures are in the reply, not an error.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Cancelled`].
    pub fn case_verify(&mut self, request: CaseVerifyRequest, task: Task<'_>) -> Result<VerifyReply> {
        let case = self.store.read(|tx| self.holder.resolve_case(tx, &request.case))?;
        let logged = self.log_verification(Some(case), "case")?;
        self.verify_streams(CASE_VERIFY, Some(StreamId::case(case)), task, &logged)
    }

    pub(super) fn log_verification(&mut self, case: Option<CaseId>, scope: &str) -> Result<Logged> {
        let operation = AccessOperation::Verify;
        let purpose = ReadPurpose::default();
        self.log(&Intent {
            operation,
            case,
            records: &[],
            scope: Some(scope),
            purpose: &purpose,
        })
    }

    /// Verifies one stream, or all of them with what is around them.
    pub(super) fn verify_streams(
        &self,
        schema: Schema,
        only: Option<StreamId>,
        task: Task<'_>,
        logged: &Logged,
    ) -> Result<VerifyReply> {
        let mut failures = Vec::new();
        let pages = self.store.page_check()?;
        let (sound, walked) = std::thread::scope(|scope| {
            // Of one case too: an index of the file that does not hold all that its table does may hide a row from readers.
            let sound = scope.spawn(|| pages.run());
            let walked = self.store.read(|tx| walk(&self.holder, tx, only, schema, task, logged));
            (sound.join(), walked)
        });
        let sound = sound.map_err(|_| SessionError::Bug("the look at the pages ended early".to_owned()))?;
        note_failure(&mut failures, "store", sound.map_err(SessionError::from))?;
        let (mut reply, attachments) = walked?;
        failures.append(&mut reply.failures);
        reply.failures = failures;
        self.verify_attachments(&attachments, only.is_none(), task, &mut reply)?;
        Ok(reply)
    }
}

/// One pass over the rows.
struct Walk {
    only: Option<StreamId>,
    replay: Replay,
    /// As of the row reached; of one stream, as of the end.
    agency: Option<AgencyState>,
    cases: HashMap<CaseId, CaseState>,
    access: HashMap<DeviceId, AccessState>,
    positions: Positions,
    broken: HashSet<StreamId>,
    erased: Vec<(StreamId, RecordHash)>,
    manifests: Vec<(StreamId, BlobKind, [u8; 32])>,
    authors: BTreeSet<MemberId>,
    entries: u64,
    /// Sealed parts and rewrapped records that the links name.
    named: (u64, u64),
    failures: Vec<Failure>,
}

/// What the checks apart from the order of rows add up to.
struct Checked<'a> {
    keys: Keys<'a>,
    index: Index,
    attachments: Vec<Found>,
    signatures: u64,
    opened: u64,
    /// Streams in which something failed already.
    broken: HashSet<StreamId>,
    failures: Vec<Failure>,
}

/// A row judged, its records still in it.
struct Judged {
    link: UnverifiedLink,
    signer: VerifyingKey,
    authors: Vec<(RecordHash, VerifyingKey)>,
}

/// Verifies one stream, or all of them with what is around them.
fn walk(
    holder: &Holder,
    tx: &ReadTx<'_>,
    only: Option<StreamId>,
    schema: Schema,
    task: Task<'_>,
    _: &Logged,
) -> Result<(VerifyReply, Vec<Found>)> {
    let mut failures = Vec::new();
    let keys = open_keyrings(holder, tx, only, &mut failures)?;
    let mut walk = Walk::new(holder, tx, only)?;
    let mut checked = Checked::new(&keys, &tx.keys().index);
    let total = only.is_none().then_some(tx.head().pos);
    task.progress.start("verifying", total, Unit::Items);
    let scanned = std::thread::scope(|scope| {
        let (sender, receiver) = std::sync::mpsc::sync_channel::<Vec<Job>>(2);
        let checks =
            scope.spawn(|| crate::memory::scrubbed(|| receiver.into_iter().for_each(|jobs| checked.check(jobs))));
        let walk = &mut walk;
        let scanned = pipeline::each_chunk(tx, only, move |chunk| {
            task.cancel.check()?;
            task.progress.advance(u64::try_from(chunk.len()).unwrap_or(0));
            let jobs = walk.chunk(chunk)?;
            sender
                .send(jobs)
                .map_err(|_| SessionError::Bug("nobody checks the signatures".to_owned()))
        });
        // The sender went with the closure, so the checks end when they are through.
        let ended = checks
            .join()
            .map_err(|_| SessionError::Bug("the checks ended early".to_owned()));
        ended.and(scanned)
    });
    note_failure(&mut walk.failures, "store", scanned)?;
    let finished = walk.replay.finish(tx).map_err(SessionError::from);
    note_failure(&mut walk.failures, "store", finished)?;
    for (case, keys) in &keys {
        if !walk.broken.contains(&keys.stream()) {
            let events = keys.require_events(walk.replay.events(keys.stream()));
            note_failure(&mut walk.failures, &case.handle(), events)?;
        }
    }
    let mut not_shown = HashMap::new();
    for case in walk.cases.keys() {
        not_shown.insert(*case, unshown::load(tx, *case)?);
    }
    walk.check_erasures(&not_shown);
    walk.check_rows(tx)?;
    walk.check_manifests(tx)?;
    let Checked {
        index,
        attachments,
        signatures,
        opened,
        failures: found,
        ..
    } = checked;
    // The entries before the streams that they are in.
    failures.extend(found);
    failures.append(&mut walk.failures);
    if only.is_none() {
        check_around(holder, tx, &keys, &mut failures)?;
        check_questions(tx, &index, &mut failures)?;
        if walk.broken.is_empty() {
            let compared = index.compare(tx);
            note_failure(&mut failures, "index", compared)?;
        }
    }
    task.progress.finish();
    let streams = if only.is_some() { 1 } else { tx.all_streams()?.len() };
    let reply = VerifyReply {
        sealed: None,
        server: None,
        schema,
        entries: walk.entries,
        authors: u64::try_from(walk.authors.len()).unwrap_or(u64::MAX),
        signatures,
        opened,
        attachments: 0,
        removed: 0,
        streams: u64::try_from(streams).unwrap_or(u64::MAX),
        failures,
    };
    Ok((reply, attachments))
}

fn open_keyrings(
    holder: &Holder,
    tx: &ReadTx<'_>,
    only: Option<StreamId>,
    failures: &mut Vec<Failure>,
) -> Result<HashMap<CaseId, CaseKeys>> {
    let cases: Vec<CaseId> = match only {
        Some(stream) => stream.as_case().into_iter().collect(),
        None => tx
            .streams(StreamKind::Case)?
            .into_iter()
            .filter_map(|h| h.stream.as_case())
            .collect(),
    };
    let mut keys = HashMap::new();
    for case in cases {
        if let Some(opened) = note_failure(failures, &case.handle(), holder.case_keys_afresh(tx, case))? {
            for check in opened.broken() {
                failures.push(failure(&case.handle(), &SessionError::refused(*check, case.handle())));
            }
            keys.insert(case, opened);
        }
    }
    Ok(keys)
}

/// Local values and keyring files: what no link carries.
fn check_around(
    holder: &Holder,
    tx: &ReadTx<'_>,
    keys: &HashMap<CaseId, CaseKeys>,
    failures: &mut Vec<Failure>,
) -> Result<()> {
    for name in tx.local_names("")? {
        let opened = tx.local(&name).map_err(SessionError::from);
        note_failure(failures, &name, opened)?;
    }
    for named in holder.agency.keyrings() {
        let kept = tx
            .blob(BlobKind::Keyring, &named.keyring_hash.0)
            .map_err(SessionError::from);
        note_failure(failures, "agency", kept)?;
    }
    for (case, keys) in keys {
        for named in keys.state.keyrings() {
            let kept = tx
                .blob(BlobKind::Keyring, &named.keyring_hash.0)
                .map_err(SessionError::from);
            note_failure(failures, &case.handle(), kept)?;
        }
    }
    Ok(())
}

/// A misfiled note that nobody answered for has its question: whoever can write to the file could take it away.
fn check_questions(tx: &ReadTx<'_>, index: &Index, failures: &mut Vec<Failure>) -> Result<()> {
    let kept: HashSet<String> = tx.local_names(misfiled::PREFIX)?.into_iter().collect();
    for record in index.unanswered() {
        let name = misfiled::name_of(record);
        if !kept.contains(&name) {
            let error = SessionError::refused(Check::LocalValue, &name);
            failures.push(failure(&name, &error));
        }
    }
    Ok(())
}

impl<'a> Checked<'a> {
    fn new(cases: &'a HashMap<CaseId, CaseKeys>, index: &'a LocalIndexKey) -> Self {
        Self {
            keys: Keys { cases, index },
            index: Index::default(),
            attachments: Vec::new(),
            signatures: 0,
            opened: 0,
            broken: HashSet::new(),
            failures: Vec::new(),
        }
    }

    fn check(&mut self, jobs: Vec<Job>) {
        let keys = self.keys;
        let done: Vec<Done> = jobs.into_par_iter().map(|job| job.check(keys)).collect();
        for done in done {
            self.signatures += done.signatures;
            self.opened += done.opened;
            if let Some(error) = done.failed {
                // Links are rebuilt one on the other: after the first that is wrong, the signatures of all later ones
                // in its stream are wrong with it and say nothing of their own.
                let first = self.broken.insert(done.stream);
                if first || error.check() != Some(Check::LinkSignature) {
                    self.failures.push(failure(&name_of(done.stream, &error), &error));
                }
            }
            self.attachments.extend(done.attachments);
            for fact in done.facts {
                self.index.take(fact);
            }
        }
    }
}

impl Walk {
    fn new(holder: &Holder, tx: &ReadTx<'_>, only: Option<StreamId>) -> Result<Self> {
        let replay = match only {
            Some(stream) => Replay::of_stream(tx, stream)?,
            None => Replay::of_store(tx),
        };
        Ok(Self {
            only,
            replay,
            agency: only.map(|_| holder.agency.clone()),
            cases: HashMap::new(),
            access: HashMap::new(),
            positions: Positions::load(tx)?,
            broken: HashSet::new(),
            erased: Vec::new(),
            manifests: Vec::new(),
            authors: BTreeSet::new(),
            entries: 0,
            named: (0, 0),
            failures: Vec::new(),
        })
    }

    fn chunk(&mut self, rows: Vec<Row>) -> Result<Vec<Job>> {
        let mut judged = Vec::with_capacity(rows.len());
        for one in &hash_all(&rows)? {
            let stream = one.row().stream();
            if self.broken.contains(&stream) {
                judged.push(None);
                continue;
            }
            match self.judge(one) {
                Ok(one) => judged.push(Some(one)),
                Err(e) => {
                    note_failure::<()>(&mut self.failures, &stream.to_string(), Err(e))?;
                    self.broken.insert(stream);
                    judged.push(None);
                }
            }
        }
        let mut jobs = Vec::with_capacity(rows.len());
        for (row, judged) in rows.into_iter().zip(judged) {
            let Some(Judged { link, signer, authors }) = judged else {
                continue;
            };
            let records = match row {
                Row::Record(row) => vec![row.record],
                Row::Link(row) => row.sealed,
            };
            let records = records
                .into_iter()
                .zip(authors)
                .map(|(record, (hash, author))| (record, hash, author));
            jobs.push(Job {
                stream: link.link().stream,
                link,
                signer,
                records: records.collect(),
            });
        }
        self.entries += u64::try_from(jobs.len()).unwrap_or(0);
        Ok(jobs)
    }

    /// Rebuilds the next link and judges it; its signatures are left to the job.
    fn judge(&mut self, hashed: &Hashed<'_>) -> Result<Judged> {
        let row = hashed.row();
        let stream = row.stream();
        let link = self.replay.next(hashed)?;
        let refused = super::refused(stream);
        let records: Vec<&StoredRecord> = match row {
            Row::Record(row) => vec![&row.record],
            Row::Link(row) => row.sealed.iter().collect(),
        };
        let stored: Vec<_> = records
            .iter()
            .zip(hashed.placements())
            .map(|(record, placement)| record.placed(placement))
            .collect();
        if let Row::Link(row) = row {
            self.named.0 += row.sealed.len() as u64;
            if let LinkBody::Rewrap(rewrap) = &link.link().body {
                self.named.1 += rewrap.items.len() as u64;
            }
        }
        let whole = self.only.is_none();
        match stream.kind {
            StreamKind::Agency => match (&mut self.agency, whole) {
                (Some(agency), true) => {
                    agency.admit(link.clone(), &stored).map_err(refused)?;
                }
                (Some(_), false) => {}
                (none, _) => *none = Some(AgencyState::found(&link).map_err(refused)?),
            },
            StreamKind::Case => {
                let agency = self
                    .agency
                    .as_ref()
                    .ok_or_else(|| SessionError::refused(Check::Founding, stream))?;
                let case = CaseId(stream.id);
                let state = self.cases.entry(case).or_insert_with(|| CaseState::empty(case));
                let judged = if whole {
                    // What came from a server may stand behind agency links that are above it in the log.
                    let at = self.positions.of(row.pos()).map(|position| agency.at(position));
                    state.judge_at(at.unwrap_or_else(|| agency.now()), &link, &stored)
                } else {
                    state.judge_again(agency, &link, &stored)
                };
                judged.map_err(refused)?;
            }
            StreamKind::Access => self.judge_access(&link, row)?,
        }
        let agency = self
            .agency
            .as_ref()
            .ok_or_else(|| SessionError::refused(Check::Founding, stream))?;
        let signer = device(agency, link.link().device, stream, Check::Signer)?;
        self.authors.insert(signer.0);
        let mut checked = Vec::with_capacity(records.len());
        for (record, stored) in records.into_iter().zip(&stored) {
            let author = device(agency, record.header.device, stream, Check::AuthorDevice)?;
            if author.0 != record.header.member {
                return Err(SessionError::refused(
                    Check::AuthorDevice,
                    record.header.record.handle(),
                ));
            }
            self.authors.insert(author.0);
            if record.is_erased() {
                self.erased.push((stream, stored.hash));
            }
            checked.push((stored.hash, author.1));
        }
        Ok(Judged {
            link,
            signer: signer.1,
            authors: checked,
        })
    }

    fn judge_access(&mut self, link: &UnverifiedLink, row: &Row) -> Result<()> {
        let stream = link.link().stream;
        let refused = super::refused(stream);
        let agency = self
            .agency
            .as_ref()
            .ok_or_else(|| SessionError::refused(Check::Founding, stream))?;
        let device = DeviceId(stream.id);
        let state = self.access.entry(device).or_insert_with(|| AccessState::empty(device));
        state.judge(agency, link).map_err(&refused)?;
        let Row::Link(row) = row else {
            return Err(SessionError::refused(Check::KindOfStream, stream));
        };
        match &link.link().body {
            LinkBody::Access(entry) => {
                if entry.manifest_hash != BodyHash::ZERO {
                    self.manifests.push((stream, BlobKind::Manifest, entry.manifest_hash.0));
                }
                access::require_body(entry, row.body.as_deref().unwrap_or_default()).map_err(refused)
            }
            LinkBody::Segment(begun) => {
                self.manifests.push((stream, BlobKind::Keyring, begun.start_hash.0));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Bytes are absent exactly where an erasure names them, and where a case that was left was not shown (CHK-82).
    fn check_erasures(&mut self, unshown: &HashMap<CaseId, HashSet<RecordHash>>) {
        let absent: HashSet<_> = self.erased.iter().copied().collect();
        for (case, state) in &self.cases {
            let stream = StreamId::case(*case);
            if self.broken.contains(&stream) {
                continue;
            }
            let named: HashSet<_> = state.erased().map(|hash| (stream, hash)).collect();
            let here: HashSet<_> = absent.iter().filter(|(s, _)| *s == stream).copied().collect();
            let unshown = unshown.get(case);
            let is_unshown = |hash: &RecordHash| unshown.is_some_and(|all| all.contains(hash));
            let mut lost = here.difference(&named).filter(|(_, hash)| !is_unshown(hash));
            if !named.is_subset(&here) || lost.next().is_some() {
                let error = SessionError::refused(Check::BodyMissing, case.handle());
                self.failures.push(failure(&case.handle(), &error));
            }
        }
    }

    /// No sealed part, wrap or remains of a record is there that no link names: readers would find it by its record.
    fn check_rows(&mut self, tx: &ReadTx<'_>) -> Result<()> {
        if self.only.is_some() || !self.broken.is_empty() {
            return Ok(());
        }
        let (parts, rewraps) = self.named;
        let named = (parts, rewraps, self.erased.len() as u64);
        if tx.row_counts()? != named {
            let error = SessionError::refused(Check::Unreadable, "rows");
            self.failures.push(failure("rows", &error));
        }
        Ok(())
    }

    /// Manifests and segment starts are there, and are what the links name.
    fn check_manifests(&mut self, tx: &ReadTx<'_>) -> Result<()> {
        for (stream, kind, hash) in std::mem::take(&mut self.manifests) {
            let kept = tx.blob(kind, &hash).map_err(SessionError::from);
            note_failure(&mut self.failures, &stream.to_string(), kept)?;
        }
        Ok(())
    }
}

fn name_of(stream: StreamId, error: &SessionError) -> String {
    match error {
        SessionError::Refused { handle, .. } => handle.clone(),
        _ => stream.to_string(),
    }
}

fn device(agency: &AgencyState, id: DeviceId, of: StreamId, check: Check) -> Result<(MemberId, VerifyingKey)> {
    let device = agency
        .devices()
        .get(&id)
        .ok_or_else(|| SessionError::refused(check, of))?;
    Ok((device.member, device.key.clone()))
}

/// Collects what a check refused; anything else ends the verification.
fn note_failure<T>(failures: &mut Vec<Failure>, handle: &str, result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(e) if e.check().is_some() => {
            let named = match &e {
                SessionError::Refused { handle, .. } => handle.clone(),
                _ => handle.to_owned(),
            };
            failures.push(failure(&named, &e));
            Ok(None)
        }
        Err(e) => Err(e),
    }
}

//! The device's access stream, opened with the data-protection role's key: list, show, verify.

use super::Holder;
use super::Result;
use super::Session;
use super::SessionError;
use super::logging;
use super::logging::Entry;
use super::logging::Intent;
use super::logging::Logged;
use super::progress::Task;
use super::progress::Unit;
use super::reply::Failure;
use super::reply::LOG_LIST;
use super::reply::LOG_SHOW;
use super::reply::LOG_VERIFY;
use super::reply::LogEntry;
use super::reply::LogListReply;
use super::reply::LogShowReply;
use super::reply::VerifyReply;
use super::request::LogListRequest;
use super::request::LogShowRequest;
use super::request::ReadPurpose;
use crate::store::BlobKind;
use crate::store::LinkRow;
use crate::store::ReadTx;
use crate::store::Replay;
use crate::store::Row;
use crate::store::hash_all;
use vault_core::access::OpenedEntry;
use vault_core::access::SegmentReader;
use vault_core::check::Check;
use vault_core::id::BodyHash;
use vault_core::id::CaseId;
use vault_core::id::RecordId;
use vault_core::wire::v1::access::AccessEntry;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::stream::StreamId;

/// An entry with its place.
struct Found {
    seq: u64,
    link: String,
    outer: AccessEntry,
    inner: Result<OpenedEntry>,
}

impl Session {
    /// Lists the entries of this device's access stream.
    ///
    /// # Errors
    /// [`SessionError::LogFailed`], [`SessionError::Refused`].
    pub fn log_list(&mut self, request: LogListRequest) -> Result<LogListReply> {
        let case = match &request.case {
            Some(text) => Some(self.store.read(|tx| self.holder.resolve_case(tx, text))?),
            None => None,
        };
        let logged = self.log_of_log("log", &request.purpose)?;
        let holder = &self.holder;
        let found = self.store.read(|tx| holder.entries(tx, &logged))?;
        let total = u64::try_from(found.len()).unwrap_or(u64::MAX);
        let mut entries = Vec::new();
        for one in found.into_iter().rev() {
            if case.is_some_and(|case| one.outer.subject != Some(StreamId::case(case))) {
                continue;
            }
            let entry = holder.entry(&one)?;
            let since = request.since.map(|day| day.to_string());
            if since.is_some_and(|since| entry.at.as_deref().is_some_and(|at| at < since.as_str())) {
                continue;
            }
            entries.push(entry);
            if request.limit.is_some_and(|limit| entries.len() >= limit) {
                break;
            }
        }
        Ok(LogListReply {
            schema: LOG_LIST,
            total,
            entries,
        })
    }

    /// Shows one entry of the access stream.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::LogFailed`], [`SessionError::Refused`].
    pub fn log_show(&mut self, request: LogShowRequest) -> Result<LogShowReply> {
        let logged = self.log_of_log("log entry", &request.purpose)?;
        let holder = &self.holder;
        let found = self.store.read(|tx| holder.entries(tx, &logged))?;
        let one = found.into_iter().find(|f| f.seq == request.entry);
        let one = one.ok_or_else(|| SessionError::NotFound {
            what: "entry",
            text: request.entry.to_string(),
        })?;
        let entry = holder.entry(&one)?;
        let (segment, index) = (one.outer.segment, one.outer.index);
        Ok(LogShowReply {
            schema: LOG_SHOW,
            entry,
            segment,
            index,
            link: one.link,
        })
    }

    /// Verifies the access stream: chain, signatures, segments without gaps, every entry opened.
    ///
    /// # Errors
    /// [`SessionError::Cancelled`], and what keeps it from reading at all.
    pub fn log_verify(&mut self, task: Task<'_>) -> Result<VerifyReply> {
        let logged = self.log_of_log("log verification", &ReadPurpose::default())?;
        let mut reply = self.verify_streams(LOG_VERIFY, Some(StreamId::access(self.holder.device)), task, &logged)?;
        task.progress.start("opening entries", None, Unit::Items);
        let holder = &self.holder;
        match self.store.read(|tx| holder.entries(tx, &logged)) {
            Ok(found) => {
                for one in found {
                    match holder.entry(&one) {
                        Ok(_) => reply.opened += 1,
                        Err(e) => reply
                            .failures
                            .push(failure(&format!("{} entry {}", holder.device.handle(), one.seq), &e)),
                    }
                }
            }
            Err(e) if e.check().is_some() => reply.failures.push(failure(&holder.device.handle(), &e)),
            Err(e) => return Err(e),
        }
        task.progress.finish();
        Ok(reply)
    }

    /// Reading the log is an entry in it too.
    fn log_of_log(&mut self, scope: &str, purpose: &ReadPurpose) -> Result<Logged> {
        let stated = ReadPurpose {
            code: purpose.code.clone().or_else(|| Some("access-review".to_owned())),
            reason: purpose.reason.clone(),
        };
        let operation = AccessOperation::List;
        self.log(&Intent {
            operation,
            case: None,
            records: &[],
            scope: Some(scope),
            purpose: &stated,
        })
    }
}

impl Holder {
    /// Opens every entry of this device's stream, in order; one that does not open hides no other.
    fn entries(&self, tx: &ReadTx<'_>, _: &Logged) -> Result<Vec<Found>> {
        let stream = StreamId::access(self.device);
        let mut replay = Replay::of_stream(tx, stream)?;
        let mut reader: Option<SegmentReader> = None;
        let mut found = Vec::new();
        tx.scan(stream, super::reading::CHUNK, &mut |chunk: Vec<Row>| -> Result<()> {
            for hashed in hash_all(&chunk)? {
                let link = replay.next(&hashed)?;
                let Row::Link(row) = hashed.row() else { continue };
                match &link.link().body {
                    LinkBody::Segment(begun) => {
                        let role = self.secrets.dpo.iter().find(|(epoch, _)| *epoch == begun.dpo_epoch);
                        let (_, role) = role.ok_or_else(|| SessionError::refused(Check::AccessContext, stream))?;
                        let file = tx.blob(BlobKind::Keyring, &begun.start_hash.0)?;
                        let opened = SegmentReader::open(self.agency.id(), self.device, begun, &file, role);
                        reader = Some(opened.map_err(super::refused(stream))?);
                    }
                    LinkBody::Access(outer) => {
                        let inner = self.open_entry(tx, reader.as_mut(), outer, row);
                        let seq = link.link().seq;
                        found.push(Found {
                            seq,
                            link: link.id().to_string(),
                            outer: *outer,
                            inner,
                        });
                    }
                    _ => {}
                }
            }
            Ok(())
        })?;
        replay.finish(tx)?;
        Ok(found)
    }

    fn open_entry(
        &self,
        tx: &ReadTx<'_>,
        reader: Option<&mut SegmentReader>,
        outer: &AccessEntry,
        row: &LinkRow,
    ) -> Result<OpenedEntry> {
        let stream = StreamId::access(self.device);
        let reader = reader.ok_or_else(|| SessionError::refused(Check::AccessSequence, stream))?;
        let manifest = match outer.manifest_hash {
            BodyHash::ZERO => None,
            hash => Some(tx.blob(BlobKind::Manifest, &hash.0)?),
        };
        let body = row.body.as_deref().unwrap_or_default();
        reader
            .next(outer, body, manifest.as_deref())
            .map_err(super::refused(stream))
    }

    /// Opens every entry of this device's stream as lists show it; what does not open is left out.
    pub(super) fn log_entries(&self, tx: &ReadTx<'_>, logged: &Logged) -> Result<Vec<LogEntry>> {
        let found = self.entries(tx, logged)?;
        Ok(found.iter().filter_map(|one| self.entry(one).ok()).collect())
    }

    fn entry(&self, found: &Found) -> Result<LogEntry> {
        let at = || format!("{} entry {}", self.device.handle(), found.seq);
        let opened = match &found.inner {
            Ok(opened) => opened,
            Err(e) => return Err(SessionError::refused(e.check().unwrap_or(Check::AccessBody), at())),
        };
        let fault = |_| SessionError::refused(Check::Payload, at());
        let inner: Entry = serde_json::from_slice(&opened.json).map_err(fault)?;
        let listed = match &opened.manifest {
            Some(manifest) => serde_json::from_slice(manifest).map_err(fault)?,
            None => inner.records,
        };
        let handle = |id: &String| id.parse::<RecordId>().map_or_else(|_| id.clone(), |id| id.handle());
        Ok(LogEntry {
            entry: found.seq,
            device: self.device.handle(),
            at: Some(inner.at),
            actor: Some(
                inner
                    .actor
                    .parse::<vault_core::id::MemberId>()
                    .map_or(inner.actor, |m| m.handle()),
            ),
            operation: logging::name_of(found.outer.operation).to_owned(),
            case: found
                .outer
                .subject
                .and_then(|s| s.as_case())
                .map(|case: CaseId| case.handle()),
            purpose: Some(inner.purpose),
            reason: inner.reason,
            relation: Some(inner.relation),
            records: listed.iter().map(handle).collect(),
            scope: inner.scope,
            count: inner.count,
            result: Some(inner.result),
            policy: Some(inner.policy),
        })
    }
}

/// Makes a reply's failure of a refusal.
pub(super) fn failure(handle: &str, error: &SessionError) -> Failure {
    let check = error.check();
    Failure {
        handle: handle.to_owned(),
        check: check.map(|c| c.to_string()).unwrap_or_default(),
        cause: check.map_or_else(|| error.to_string(), |c| c.cause().to_owned()),
    }
}

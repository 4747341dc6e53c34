//! The access streams of this store, opened with the data-protection role's keys: list, show, verify. A restored vault
//! holds the streams of the devices before it too.

use super::Holder;
use super::Result;
use super::Session;
use super::SessionError;
use super::clock;
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
use super::request::LogVerifyRequest;
use super::request::ReadPurpose;
use crate::remote::ServerFault;
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
use vault_core::id::DeviceId;
use vault_core::id::RecordId;
use vault_core::note::when::Moment;
use vault_core::wire::v1::access::AccessEntry;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::agency::Roles;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::stream::StreamKind;

/// An entry with its place.
struct Found {
    device: DeviceId,
    seq: u64,
    /// Commit position.
    pos: u64,
    link: String,
    outer: AccessEntry,
    inner: Result<OpenedEntry>,
}

/// Entries of several streams, in order of time, and what could not be read.
pub(super) struct Log {
    /// Each with its commit position; the oldest first.
    pub(super) entries: Vec<(u64, LogEntry)>,
    /// How many entries there are, those that do not open too.
    total: u64,
    /// Streams and entries that do not open.
    pub(super) unreadable: Vec<Failure>,
    /// Streams of which every entry is sealed to role epochs that others hold.
    pub(super) others: Vec<Failure>,
    /// How many entries are sealed so.
    sealed: u64,
}

/// What is in one device's stream.
struct Opened {
    entries: Vec<Found>,
    /// How many entries are sealed to role epochs that others hold.
    sealed: u64,
}

impl Opened {
    /// Tells whether there is something, and nothing of it for who looks.
    fn is_others(&self) -> bool {
        self.entries.is_empty() && self.sealed > 0
    }
}

impl Session {
    /// Lists the entries of every access stream of this store, in order of time.
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
        let log = self
            .store
            .read(|tx| holder.log_entries(tx, &logged))
            .map_err(|error| holder.log_is_others(error))?;
        let case = case.map(|case| case.handle());
        let zone = clock::zone();
        let chosen = log.entries.into_iter().rev().map(|(_, entry)| entry).filter(|entry| {
            let of_case = case.is_none() || entry.case == case;
            // By the day that is shown.
            let day = || Some(Moment::parse(entry.at.as_deref()?).ok()?.day(&zone));
            of_case && request.since.is_none_or(|since| day().is_none_or(|day| day >= since))
        });
        let entries = chosen.take(request.limit.unwrap_or(usize::MAX)).collect();
        Ok(LogListReply {
            schema: LOG_LIST,
            total: log.total,
            entries,
            unreadable: log.unreadable.into_iter().chain(log.others).collect(),
        })
    }

    /// Shows one entry of an access stream: of this device's, where none is named.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::LogFailed`], [`SessionError::Refused`].
    pub fn log_show(&mut self, request: LogShowRequest) -> Result<LogShowReply> {
        let logged = self.log_of_log("log entry", &request.purpose)?;
        let holder = &self.holder;
        let device = match &request.device {
            Some(named) => self.store.read(|tx| logged_device(tx, named))?,
            None => holder.device,
        };
        let opened = self.store.read(|tx| holder.entries(tx, device, &logged))?;
        if opened.is_others() {
            let sealed = SessionError::refused(Check::AccessContext, StreamId::access(device));
            return Err(holder.log_is_others(sealed));
        }
        let one = opened.entries.into_iter().find(|f| f.seq == request.entry);
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

    /// Verifies every access stream: chain, signatures, segments without gaps, every entry opened; and, unless it is to stay
    /// offline, the server's log from its first leaf.
    ///
    /// # Errors
    /// [`SessionError::Cancelled`], [`SessionError::Server`], and what keeps it from reading at all.
    pub fn log_verify(&mut self, request: LogVerifyRequest, task: Task<'_>) -> Result<VerifyReply> {
        let logged = self.log_of_log("log verification", &ReadPurpose::default())?;
        let own = self.holder.device;
        let others = self.store.read(devices)?.into_iter().filter(|device| *device != own);
        let mut reply = self.verify_streams(LOG_VERIFY, Some(StreamId::access(own)), task, &logged)?;
        for device in others {
            let one = self.verify_streams(LOG_VERIFY, Some(StreamId::access(device)), task, &logged)?;
            reply.entries += one.entries;
            reply.signatures += one.signatures;
            reply.opened += one.opened;
            reply.streams += one.streams;
            reply.authors = reply.authors.max(one.authors);
            // What is wrong with the file as a whole is found with every stream.
            let new = one.failures.into_iter().filter(|found| !reply.failures.contains(found));
            let new: Vec<Failure> = new.collect();
            reply.failures.extend(new);
        }
        task.progress.start("opening entries", None, Unit::Items);
        let holder = &self.holder;
        let log = self.store.read(|tx| holder.log_of_all(tx, |_| false, &logged))?;
        reply.opened += u64::try_from(log.entries.len()).unwrap_or(0);
        // What is sealed to reviewers is no fault of the log: its chain was verified above.
        reply.sealed = Some(log.sealed).filter(|sealed| *sealed > 0);
        reply.failures.extend(log.unreadable);
        task.progress.finish();
        // What is wrong here is told whether or not a server answers.
        if !request.offline && reply.failures.is_empty() {
            reply.server = self.audit_server(&mut reply.failures, task).map_err(|e| match e {
                SessionError::Server(ServerFault::Unreachable { url, why }) => {
                    ServerFault::NotAudited { url, why }.into()
                }
                other => other,
            })?;
        }
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
    /// Opens every entry of a device's stream, in order; one that does not open hides no other.
    fn entries(&self, tx: &ReadTx<'_>, device: DeviceId, _: &Logged) -> Result<Opened> {
        let stream = StreamId::access(device);
        let mut replay = Replay::of_stream(tx, stream)?;
        let mut reader: Option<SegmentReader> = None;
        let mut entries = Vec::new();
        // Segments of role epochs that others hold: from before somebody became a reviewer, or all of them.
        let (mut is_others, mut sealed) = (false, 0_u64);
        tx.scan(stream, super::reading::CHUNK, &mut |chunk: Vec<Row>| -> Result<()> {
            for hashed in hash_all(&chunk)? {
                let link = replay.next(&hashed)?;
                let Row::Link(row) = hashed.row() else { continue };
                match &link.link().body {
                    LinkBody::Segment(begun) => {
                        let role = self.role_seed(tx, begun.dpo_epoch)?;
                        is_others = role.is_none();
                        let Some(role) = role else { continue };
                        let file = tx.blob(BlobKind::Keyring, &begun.start_hash.0)?;
                        let opened = SegmentReader::open(self.agency.id(), device, begun, &file, &role);
                        reader = Some(opened.map_err(super::refused(stream))?);
                    }
                    LinkBody::Access(_) if is_others => sealed = sealed.saturating_add(1),
                    LinkBody::Access(outer) => {
                        let inner = self.open_entry(tx, stream, reader.as_mut(), outer, row);
                        let seq = link.link().seq;
                        entries.push(Found {
                            device,
                            seq,
                            pos: row.pos,
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
        Ok(Opened { entries, sealed })
    }

    /// Tells whoever holds no epoch of the role key that the log is not theirs to open.
    fn log_is_others(&self, error: SessionError) -> SessionError {
        let review = Roles::DPO.with(Roles::REVIEWER);
        let reviews = self
            .agency
            .live_member(self.member)
            .is_ok_and(|known| known.roles().any(review));
        match error.check() == Some(Check::AccessContext) && !reviews {
            true => SessionError::Denied {
                why: "what devices log is sealed to reviewers and the data-protection officer".to_owned(),
                hint: "ask one of them: `casevault member list` shows who they are".to_owned(),
            },
            false => error,
        }
    }

    fn open_entry(
        &self,
        tx: &ReadTx<'_>,
        stream: StreamId,
        reader: Option<&mut SegmentReader>,
        outer: &AccessEntry,
        row: &LinkRow,
    ) -> Result<OpenedEntry> {
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

    /// Opens the entries of every access stream as lists show them, in order of time; what of another device's stream
    /// does not open is named.
    ///
    /// # Errors
    /// What keeps this device's own stream from being read.
    pub(super) fn log_entries(&self, tx: &ReadTx<'_>, logged: &Logged) -> Result<Log> {
        self.log_of_all(tx, |device| device == self.device, logged)
    }

    /// Opens the entries of every access stream; what does not open is named, or refused where it `must` open.
    pub(super) fn log_of_all(&self, tx: &ReadTx<'_>, must: impl Fn(DeviceId) -> bool, logged: &Logged) -> Result<Log> {
        let mut log = Log {
            entries: Vec::new(),
            total: 0,
            unreadable: Vec::new(),
            others: Vec::new(),
            sealed: 0,
        };
        let mut timed = Vec::new();
        for device in devices(tx)? {
            let opened = match self.entries(tx, device, logged) {
                Ok(opened) => opened,
                Err(e) if e.check().is_some() && !must(device) => {
                    log.unreadable.push(failure(&device.handle(), &e));
                    continue;
                }
                Err(e) => return Err(e),
            };
            log.sealed = log.sealed.saturating_add(opened.sealed);
            if opened.is_others() {
                let sealed = SessionError::refused(Check::AccessContext, StreamId::access(device));
                if must(device) {
                    return Err(sealed);
                }
                log.others.push(failure(&device.handle(), &sealed));
            }
            log.total += u64::try_from(opened.entries.len()).unwrap_or(0);
            // A clock set back changes no stream's own order.
            let mut latest = String::new();
            for one in opened.entries {
                match self.entry(&one) {
                    Ok(entry) => {
                        let at = entry.at.clone().unwrap_or_default();
                        latest = latest.max(at);
                        timed.push((latest.clone(), (one.pos, entry)));
                    }
                    Err(e) if must(device) => return Err(e),
                    Err(e) => log
                        .unreadable
                        .push(failure(&format!("{} entry {}", device.handle(), one.seq), &e)),
                }
            }
        }
        timed.sort_by(|(a, _), (b, _)| a.cmp(b));
        log.entries = timed.into_iter().map(|(_, entry)| entry).collect();
        Ok(log)
    }

    fn entry(&self, found: &Found) -> Result<LogEntry> {
        let at = || format!("{} entry {}", found.device.handle(), found.seq);
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
            device: found.device.handle(),
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

/// Returns the devices that have an access stream here, in the order in which those began.
pub(super) fn devices(tx: &ReadTx<'_>) -> Result<Vec<DeviceId>> {
    let heads = tx.streams(StreamKind::Access)?.into_iter();
    Ok(heads.map(|head| DeviceId(head.stream.id)).collect())
}

/// Finds a device by its handle, as the log shows it.
fn logged_device(tx: &ReadTx<'_>, named: &str) -> Result<DeviceId> {
    let found = devices(tx)?.into_iter().find(|device| device.handle() == named);
    found.ok_or_else(|| SessionError::NotFound {
        what: "device",
        text: named.to_owned(),
    })
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

//! Log, then open: the access entry is durable before plaintext exists.
//!
//! [`Logged`] is the proof of it. Only this file makes one, after the entry's transaction returned, and every function
//! that opens records for a reader asks for one: a read that forgets its entry does not compile.

use super::Holder;
use super::Result;
use super::Session;
use super::SessionError;
use super::clock;
use super::missed::Missed;
use super::random;
use super::refused;
use super::request::ReadPurpose;
use crate::store::ReadTx;
use crate::store::WriteTx;
use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use std::time::Duration;
use vault_core::access::AccessState;
use vault_core::access::Ratchet;
use vault_core::id::CaseId;
use vault_core::id::LinkId;
use vault_core::id::RecordId;
use vault_core::opening::fresh;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::stream::StreamId;
use zeroize::Zeroizing;

/// Proof that the access entry of this action is durable; with what did not open of what was read under it.
pub(super) struct Logged(Missed);

impl Logged {
    /// For a write: the link that follows in this action is its own entry, and nothing opened is shown.
    pub(super) fn by_link() -> Self {
        Self(Missed::default())
    }

    pub(super) fn missed(&self) -> &Missed {
        &self.0
    }
}

/// Purposes that a reader may state.
pub const PURPOSES: [&str; 9] = [
    "casework",
    "oversight",
    "duty",
    "intake",
    "access-review",
    "subject-request",
    "legal",
    "quality",
    "training",
];

/// Most bytes of a reason.
pub const REASON_BYTES: usize = 240;

/// Most record ids in the entry itself; more go into its manifest.
const IDS_INSIDE: usize = 8;

/// Caseload lists are one entry in so many minutes.
pub(crate) const OVERVIEW_MINUTES: i64 = 15;
const OVERVIEW: Duration = Duration::from_secs(60 * OVERVIEW_MINUTES.unsigned_abs());

const RATCHET: &str = "ratchet";
const SCHEMA: &str = "casevault.access/1";

/// The payload `casevault.access/1`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) schema: String,
    pub(super) at: String,
    pub(super) actor: String,
    pub(super) purpose: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) reason: Option<String>,
    pub(super) relation: String,
    pub(super) operation: String,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(super) records: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) count: Option<u64>,
    pub(super) result: String,
    pub(super) policy: String,
}

/// What is about to be opened.
pub(super) struct Intent<'a> {
    pub(super) operation: AccessOperation,
    pub(super) case: Option<CaseId>,
    pub(super) records: &'a [RecordId],
    pub(super) scope: Option<&'a str>,
    pub(super) purpose: &'a ReadPurpose,
}

impl Session {
    /// Makes the entry durable.
    ///
    /// # Errors
    /// [`SessionError::LogFailed`], and then nothing may be opened; [`SessionError::Unknown`] for a purpose that is
    /// none, [`SessionError::TooLong`] for a reason over 240 bytes.
    pub(super) fn log(&mut self, intent: &Intent<'_>) -> Result<Logged> {
        self.require_purpose(intent.purpose)?;
        let mut appended = self.append_entry(intent);
        if matches!(appended, Err(SessionError::DiskFull)) && self.store.release_reserve()? {
            appended = self.append_entry(intent);
        }
        appended.map_err(|source| match source {
            SessionError::Bug(_) => source,
            other => SessionError::LogFailed {
                source: Box::new(other),
            },
        })
    }

    /// Makes an entry for a list of one's caseload, if the last one of this scope is older than 15 minutes.
    pub(super) fn log_overview(&mut self, scope: &str, purpose: &ReadPurpose) -> Result<Logged> {
        let name = format!("overview:{scope}");
        let now = clock::now();
        let holder = &mut self.holder;
        let kept = self.store.read(|tx| -> Result<_> {
            holder.catch_up(tx)?;
            Ok(tx.local(&name)?)
        })?;
        let last = kept.and_then(|bytes| std::str::from_utf8(&bytes).ok()?.parse::<Timestamp>().ok());
        // A clock set back makes a new entry, never none.
        let fresh_enough = last.is_some_and(|last| {
            let age = now.duration_since(last);
            // Nor does one that stands still make none: an agent has another clock beside it.
            let age = Duration::try_from(age).ok().map(|age| match &self.holder.known {
                Some(known) => known.overview_age(scope, last, age, clock::unset()),
                None => age,
            });
            age.is_some_and(|age| age < OVERVIEW)
        });
        let stated = purpose.code.is_some() || purpose.reason.is_some();
        if fresh_enough && !stated {
            return Ok(Logged(Missed::default()));
        }
        let intent = Intent {
            operation: AccessOperation::Overview,
            case: None,
            records: &[],
            scope: Some(scope),
            purpose,
        };
        let logged = self.log(&intent)?;
        if let Some(known) = &self.holder.known {
            known.note_overview(scope, now, clock::unset());
        }
        // The entry is there. Without this mark the next list makes another, which harms nobody.
        let _ = self
            .store
            .write(|tx| -> Result<()> { Ok(tx.put_local(&name, now.to_string().as_bytes())?) });
        Ok(logged)
    }

    /// Makes an entry for unlocking.
    pub(super) fn log_unlock(&mut self) -> Result<()> {
        let purpose = ReadPurpose::default();
        let intent = Intent {
            operation: AccessOperation::Unlock,
            case: None,
            records: &[],
            scope: Some("vault"),
            purpose: &purpose,
        };
        self.log(&intent).map(|_| ())
    }

    /// Makes an entry for what was refused by a rule.
    pub(super) fn log_denial(&mut self, case: CaseId, scope: &str) -> Result<()> {
        let purpose = ReadPurpose::default();
        let intent = Intent {
            operation: AccessOperation::Denial,
            case: Some(case),
            records: &[],
            scope: Some(scope),
            purpose: &purpose,
        };
        self.log(&intent).map(|_| ())
    }

    fn require_purpose(&self, purpose: &ReadPurpose) -> Result<()> {
        if let Some(code) = &purpose.code
            && !PURPOSES.contains(&code.as_str())
        {
            let known = PURPOSES.map(str::to_owned).to_vec();
            return Err(SessionError::Unknown {
                what: "purpose",
                text: code.clone(),
                known,
            });
        }
        match &purpose.reason {
            Some(reason) if encoded_length(reason) > REASON_BYTES => {
                let limit = u64::try_from(REASON_BYTES).unwrap_or(u64::MAX);
                Err(SessionError::TooLong {
                    what: "the reason".to_owned(),
                    limit,
                })
            }
            _ => Ok(()),
        }
    }

    fn append_entry(&mut self, intent: &Intent<'_>) -> Result<Logged> {
        let (json, manifest) = self.entry_json(intent)?;
        let holder = &mut self.holder;
        self.store.write(|tx| -> Result<()> {
            // What is opened next may cite what another process or session appended to the agency's stream, and an entry
            // that cites less than the one before it is none.
            holder.catch_up(tx)?;
            let Holder {
                agency,
                device,
                signer,
                secrets,
                ..
            } = &*holder;
            let (device, agency_head) = (*device, agency.head());
            let dpo = agency.dpo();
            let stream = StreamId::access(device);
            let mut chain = tx.chain_to_extend(stream)?;
            // A state kept with another head than the stream's is an older one put back: it has sealed already, and
            // would seal a second text under the same key and nonce. It counts as lost, and a segment begins.
            let head = chain.head().map_or(LinkId::ZERO, |(_, id)| id);
            let kept = tx.local(RATCHET)?;
            let kept = kept.and_then(|bytes| {
                let state = bytes.strip_suffix(&head.0)?;
                Ratchet::from_bytes(agency.id(), device, state).ok()
            });
            let mut ratchet = match kept.filter(|ratchet| !ratchet.is_over(dpo.0)) {
                Some(ratchet) => ratchet,
                None => {
                    let mut random = random::os();
                    let number = next_segment(tx, agency, stream, device)?;
                    let s0 = fresh(&mut random);
                    let (ratchet, begun, file) =
                        Ratchet::begin(agency.id(), device, number, dpo, s0, &mut random).map_err(refused(stream))?;
                    let body = LinkBody::Segment(begun);
                    let link = chain
                        .append(agency_head, device, body)
                        .map_err(refused(stream))?
                        .sign(signer);
                    tx.put_segment(&link, &file)?;
                    ratchet
                }
            };
            let subject = intent.case.map(StreamId::case);
            let sealed = ratchet
                .seal(
                    intent.operation,
                    subject,
                    &json,
                    manifest.as_deref(),
                    &fresh(&mut random::os()),
                    &secrets.seal_secret,
                )
                .map_err(refused(stream))?;
            let body = LinkBody::Access(sealed.entry);
            let link = chain
                .append(agency_head, device, body)
                .map_err(refused(stream))?
                .sign(signer);
            tx.put_access(&link, &sealed.body, sealed.manifest.as_deref())?;
            // The state that sealed this entry is overwritten in the transaction that stores it.
            let mut state = Zeroizing::new(Vec::with_capacity(128));
            state.extend_from_slice(&ratchet.to_bytes());
            state.extend_from_slice(&link.id().0);
            tx.put_local(RATCHET, &state)?;
            Ok(())
        })?;
        Ok(Logged(Missed::default()))
    }

    /// Returns the entry's JSON, and the manifest's where the ids do not fit.
    fn entry_json(&self, intent: &Intent<'_>) -> Result<(Vec<u8>, Option<Vec<u8>>)> {
        let ids: Vec<String> = intent.records.iter().map(ToString::to_string).collect();
        let bug = |e: serde_json::Error| SessionError::Bug(e.to_string());
        let manifest = match ids.len() {
            0..=IDS_INSIDE => None,
            _ => Some(serde_json::to_vec(&ids).map_err(bug)?),
        };
        let count = u64::try_from(ids.len()).unwrap_or(u64::MAX);
        let reason = intent
            .purpose
            .reason
            .as_deref()
            .map(str::trim)
            .filter(|r| !r.is_empty());
        let entry = Entry {
            schema: SCHEMA.to_owned(),
            at: clock::moment(clock::now()).as_str().to_owned(),
            actor: self.holder.member.to_string(),
            purpose: intent.purpose.code.clone().unwrap_or_else(|| "casework".to_owned()),
            reason: reason.map(str::to_owned),
            relation: if intent.case.is_some() {
                "allocated"
            } else {
                "own caseload"
            }
            .to_owned(),
            operation: name_of(intent.operation).to_owned(),
            records: if manifest.is_none() { ids } else { Vec::new() },
            scope: intent.scope.map(str::to_owned),
            count: (count > 0).then_some(count),
            result: match intent.operation {
                AccessOperation::Denial => "denied",
                _ => "allowed",
            }
            .to_owned(),
            policy: super::policy_set()?.to_string(),
        };
        Ok((serde_json::to_vec(&entry).map_err(bug)?, manifest))
    }
}

/// Bytes of a reason as the entry holds it: an entry is of constant size, and escapes count.
fn encoded_length(reason: &str) -> usize {
    serde_json::to_string(reason.trim()).map_or(usize::MAX, |json| json.len().saturating_sub(2))
}

/// Returns an operation's name in entries and lists.
pub(super) fn name_of(operation: AccessOperation) -> &'static str {
    match operation {
        AccessOperation::Open => "open",
        AccessOperation::List => "list",
        AccessOperation::Search => "search",
        AccessOperation::Hits => "hits",
        AccessOperation::Print => "print",
        AccessOperation::Export => "export",
        AccessOperation::Disclosure => "disclosure",
        AccessOperation::Grant => "grant",
        AccessOperation::Emergency => "emergency",
        AccessOperation::Denial => "denial",
        AccessOperation::Unlock => "unlock",
        AccessOperation::Overview => "overview",
        AccessOperation::Verify => "verify",
        AccessOperation::Write => "write",
        AccessOperation::History => "history",
    }
}

/// Counts the segments of the stream: only where none is under way.
fn next_segment(
    tx: &WriteTx<'_>,
    agency: &vault_core::agency_state::AgencyState,
    stream: StreamId,
    device: vault_core::id::DeviceId,
) -> Result<u32> {
    let mut state = AccessState::empty(device);
    let reading: &ReadTx<'_> = tx;
    if reading.stream_head(stream)?.is_some() {
        for row in reading.events(stream)? {
            state.judge(agency, &row.link).map_err(refused(stream))?;
        }
    }
    Ok(state.next_segment())
}

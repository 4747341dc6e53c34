//! The server of a vault: naming it, and sending what was written.
//!
//! ```text
//! server add ─> log key of the server into a new root version ─> sync
//! sync ─> checkpoint followed ─> links after the last that is stored, in commit order, in batches
//!      ─> each batch's leaves proved ─> how far it got, kept
//! ```
//! A link counts as stored once its entry is proved to be in the log (`docs/format.md` §17); what the server says is not
//! enough. A run that is cut off goes on where the last batch was kept; what had arrived is recognised.

mod following;
pub(super) mod kept;

use self::following::Following;
use self::kept::KeptRemote;
use super::Result;
use super::Session;
use super::SessionError;
use super::progress::Task;
use super::progress::Unit;
use super::refused;
use super::reply::SERVER_ADD;
use super::reply::SYNC;
use super::reply::ServerAddReply;
use super::reply::SyncReply;
use super::request::ServerAddRequest;
use crate::remote::Remote;
use crate::remote::ServerFault;
use crate::remote::ServerUrl;
use crate::store::Outgoing;
use vault_core::crypto::sign::SigningKey;
use vault_core::growing;
use vault_core::tlog::checkpoint;
use vault_core::tlog::entry::Entry;
use vault_core::wire::v1::agency::Verifier;
use vault_core::wire::v1::sync::AppendRequest;
use vault_core::wire::v1::sync::Outcome;

/// Links that go in one request at most.
const BATCH: usize = 1_000;
/// Bytes that go in one request, about.
const BATCH_BYTES: usize = 4 << 20;

impl Session {
    /// Names the vault's server: its log key goes into a new version of the agency's root, and everything that there is goes
    /// out.
    ///
    /// # Errors
    /// [`SessionError::Server`]; what an administrator alone may do.
    pub fn server_add(&mut self, request: ServerAddRequest, task: Task<'_>) -> Result<ServerAddReply> {
        let url = ServerUrl::parse(&request.url)?;
        if let Some(kept) = self.store.read(KeptRemote::load)? {
            return Err(ServerFault::Known { url: kept.url }.into());
        }
        let agency = self.holder.agency.id();
        let log = Remote::new(url.clone(), agency).log_key()?;
        if log.name != checkpoint::origin(agency).as_bytes() {
            return Err(ServerFault::OtherKey.into());
        }
        self.write(|holder, tx| {
            match &holder.agency.root().log {
                Some(known) if *known == log => {}
                Some(_) => return Err(ServerFault::OtherKey.into()),
                None => {
                    let (member, device) = (holder.member, holder.device);
                    let appended = growing::name_log(&mut holder.agency, member, device, &holder.secrets, log)
                        .map_err(refused("agency"))?;
                    for link in &appended.links {
                        tx.put_event(link, &[])?;
                    }
                }
            }
            KeptRemote::new(url.as_str(), agency)?.store(tx)
        })?;
        let sent = self.sync(task)?;
        Ok(ServerAddReply {
            schema: SERVER_ADD,
            url: url.as_str().to_owned(),
            agency: agency.text(),
            sent: sent.sent,
            size: sent.size,
        })
    }

    /// Sends what was written since, and follows the log.
    ///
    /// # Errors
    /// [`SessionError::Server`]: nothing that it says of the server is taken in then, and what was proved to be stored before
    /// stays so.
    pub fn sync(&mut self, task: Task<'_>) -> Result<SyncReply> {
        let kept = self.store.read(KeptRemote::load)?;
        let mut kept = kept.ok_or(ServerFault::None)?;
        let log = self.log_verifier()?;
        let agency = self.holder.agency.id();
        let remote = Remote::new(ServerUrl::parse(&kept.url)?, agency);
        let mut following = Following::new(&remote, &self.places, agency, &log, &kept)?;
        let before = following.size();
        following.catch_up()?;
        let total = self.store.read(|tx| -> Result<_> { Ok(tx.head().pos) })?;
        let waiting = total.saturating_sub(kept.pushed);
        let mut sent = 0_u64;
        if waiting > 0 {
            // The agency's first links are their own credentials; from then on the device is known.
            if kept.pushed > 0 || following.size() > 0 {
                remote.begin(
                    log.key,
                    self.holder.device,
                    &SigningKey::from_seed(&self.holder.secrets.device),
                )?;
            }
            task.progress.start("sending", Some(waiting), Unit::Items);
            while kept.pushed < total {
                task.cancel.check()?;
                let batch = self.batch_after(kept.pushed, total)?;
                let Some(last) = batch.last().map(|one| one.pos) else {
                    break;
                };
                let number = batch.len() as u64;
                // Before any of it leaves: what may be elsewhere is not taken back as if it were not.
                kept.offered = last;
                self.write(|_, tx| kept.store(tx))?;
                if kept.pushed == 0 && sent == 0 && following.size() == 0 {
                    self.push_first(&remote, &mut following, &log, batch)?;
                } else {
                    push(&remote, &mut following, batch)?;
                }
                kept.pushed = last;
                kept.follow(&following)?;
                self.write(|_, tx| kept.store(tx))?;
                sent = sent.saturating_add(number);
                task.progress.advance(number);
            }
            task.progress.finish();
        } else if following.size() != before {
            kept.follow(&following)?;
            self.write(|_, tx| kept.store(tx))?;
        }
        Ok(SyncReply {
            schema: SYNC,
            url: kept.url.clone(),
            sent,
            size: following.size(),
        })
    }

    fn log_verifier(&self) -> Result<Verifier> {
        let log = self.holder.agency.root().log.clone();
        Ok(log.ok_or(ServerFault::None)?)
    }

    /// The founding goes alone: only once it is there does the server know the device whose session sends the rest.
    fn push_first(
        &self,
        remote: &Remote,
        following: &mut Following<'_>,
        log: &Verifier,
        mut batch: Vec<Outgoing>,
    ) -> Result<()> {
        let rest = batch.split_off(1.min(batch.len()));
        push(remote, following, batch)?;
        remote.begin(
            log.key,
            self.holder.device,
            &SigningKey::from_seed(&self.holder.secrets.device),
        )?;
        push(remote, following, rest)
    }

    /// Returns the next links that are to go, as many as go at once.
    fn batch_after(&self, after: u64, last: u64) -> Result<Vec<Outgoing>> {
        let (mut batch, mut bytes) = (Vec::new(), 0_usize);
        let full = self.store.read(|tx| {
            tx.outgoing(after, 64, &mut |outgoing| {
                for one in outgoing {
                    let size = size_of_parcel(&one);
                    let is_full =
                        !batch.is_empty() && (batch.len() >= BATCH || bytes.saturating_add(size) > BATCH_BYTES);
                    if is_full || one.pos > last {
                        return Err(Stop::Full);
                    }
                    bytes = bytes.saturating_add(size);
                    batch.push(one);
                }
                Ok(())
            })
        });
        match full {
            Ok(()) | Err(Stop::Full) => Ok(batch),
            Err(Stop::Failed(error)) => Err(error),
        }
    }
}

/// Why a reading of rows ended early.
enum Stop {
    Full,
    Failed(SessionError),
}

impl From<crate::store::StoreError> for Stop {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Failed(error.into())
    }
}

fn size_of_parcel(one: &Outgoing) -> usize {
    let blobs: usize = one.parcel.blobs.iter().map(|blob| blob.bytes.len()).sum();
    let records = one.parcel.records.iter().map(|record| match &record.body {
        vault_core::wire::v1::sync::CarriedBody::Kept(body) => body.ciphertext.len(),
        vault_core::wire::v1::sync::CarriedBody::Erased(_) => 64,
    });
    let records: usize = records.sum();
    one.parcel
        .link
        .len()
        .saturating_add(blobs)
        .saturating_add(records)
        .saturating_add(512)
}

/// Sends links, and believes that they are stored once the log proves it.
fn push(remote: &Remote, following: &mut Following<'_>, batch: Vec<Outgoing>) -> Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    let mut entries = Vec::with_capacity(batch.len());
    let mut parcels = Vec::with_capacity(batch.len());
    for one in batch {
        let link = one.link.link();
        entries.push((Entry::of(link.stream, link.seq, one.link.id()), link.stream));
        parcels.push(one.parcel);
    }
    let agency = following.agency();
    let reply = remote.append(&AppendRequest { agency, parcels })?;
    let mut stored = Vec::with_capacity(entries.len());
    for ((entry, stream), outcome) in entries.into_iter().zip(&reply.outcomes) {
        let of = || format!("a link of {stream}");
        match outcome {
            Outcome::Stored(leaf) => stored.push((*leaf, entry)),
            Outcome::Conflict(_) => return Err(ServerFault::Conflict { of: of() }.into()),
            Outcome::Refused(check) => {
                return Err(ServerFault::Link {
                    check: *check,
                    of: of(),
                }
                .into());
            }
            Outcome::NotTried => return Err(ServerFault::Withheld { of: of() }.into()),
        }
    }
    following.prove(&reply.checkpoint, &stored)
}

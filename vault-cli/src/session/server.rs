//! The server of a vault: naming it, and sending what was written.
//!
//! ```text
//! server add ─> log key of the server into a new root version ─> sync
//! sync ─> checkpoint followed ─> links after the last that is stored, in commit order, in batches
//!      ─> each batch's leaves proved ─> how far it got, kept
//! ```
//! A link counts as stored once its entry is proved to be in the log (`docs/format.md` §17); what the server says is not
//! enough. A run that is cut off goes on where the last batch was kept; what had arrived is recognised.

pub(super) mod asking;
mod audit;
mod driving;
mod feed;
pub(super) mod first;
mod indexing;
pub(super) mod kept;
pub(super) mod positions;
mod taking;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests;
mod waiting;
pub(super) mod witnessed;

use self::asking::Asking;
use self::driving::Driver;
use self::driving::drive;
use self::kept::KeptRemote;
use self::taking::Taken;
use self::waiting::SetAside;
use super::Result;
use super::Session;
use super::SessionError;
use super::progress::Task;
use super::progress::Unit;
use super::refused;
use super::reply::HeldBackReply;
use super::reply::SERVER_ADD;
use super::reply::SERVER_REMOVE;
use super::reply::SERVER_SHOW;
use super::reply::SYNC;
use super::reply::ServerAddReply;
use super::reply::ServerRemoveReply;
use super::reply::ServerShowReply;
use super::reply::SetAsideReply;
use super::reply::SyncReply;
use super::request::ServerAddRequest;
use super::request::ServerRemoveRequest;
use super::request::ServerShowRequest;
use super::unshown;
use crate::remote::Remote;
use crate::remote::ServerFault;
use crate::remote::ServerUrl;
use crate::store::Outgoing;
use crate::store::ReadTx;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use vault_core::check::Check;
use vault_core::crypto::sign::SigningKey;
use vault_core::crypto::sign::VerifyingKey;
use vault_core::growing;
use vault_core::guard;
use vault_core::guard::Guard;
use vault_core::id::AgencyId;
use vault_core::id::CaseId;
use vault_core::id::RecordHash;
use vault_core::parcel;
use vault_core::parcel::OpenParcel;
use vault_core::parcel::OpenRecord;
use vault_core::server_session::By;
use vault_core::sync::Behind;
use vault_core::sync::Fault;
use vault_core::sync::Held;
use vault_core::sync::LogOf;
use vault_core::sync::Prefix;
use vault_core::sync::Pull;
use vault_core::sync::Pulled;
use vault_core::sync::Push;
use vault_core::sync::Request;
use vault_core::tlog::checkpoint;
use vault_core::tlog::checkpoint::Checkpoint;
use vault_core::tlog::checkpoint::SignedCheckpoint;
use vault_core::tlog::entry::Entry;
use vault_core::tlog::follow::Follower;
use vault_core::tlog::note;
use vault_core::tlog::note::Kind;
use vault_core::wire;
use vault_core::wire::v1::agency::Verifier;
use vault_core::wire::v1::limit;
use vault_core::wire::v1::link::Seen;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::stream::StreamKind;
use vault_core::wire::v1::sync::AppendRequest;
use vault_core::wire::v1::sync::CarriedBody;
use vault_core::wire::v1::sync::Outcome;
use vault_core::wire::v1::sync::StreamPage;

/// Links that go in one request at most.
const BATCH: usize = 1_000;
/// So often a synchronisation begins again because somebody wrote while it was sending.
const TURNS: u32 = 16;
/// So often the log is followed anew because something was erased while it was.
const AGAIN: u32 = 4;
/// Links that are taken in at once, about.
const TOGETHER: usize = if cfg!(test) { 3 } else { 4_000 };
/// What is told inside of a case that was not left: no handle of anything is so.
const STILL_HELD: &str = "still held";
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
        if let Some(kept) = self.store.read(KeptRemote::load_live)? {
            return Err(ServerFault::Known { url: kept.url }.into());
        }
        let agency = self.holder.agency.id();
        let (log, size) = log_key(&Remote::new(url.clone(), agency), agency).map_err(|fault| match fault {
            ServerFault::Unreachable { url, why } => ServerFault::NotReached { url, why },
            other => other,
        })?;
        // Whoever sent it named the log in the root first: this vault is from before that.
        if size > 0 && self.holder.agency.root().log.is_none() {
            return Err(ServerFault::BeforeIt.into());
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
            // What one that was removed had proved goes on where it was: its log is the same, or it is refused above.
            let mut kept = match KeptRemote::load(tx)? {
                Some(kept) => kept,
                None => KeptRemote::new(url.as_str(), agency)?,
            };
            url.as_str().clone_into(&mut kept.url);
            kept.store(tx)
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

    /// Tells which server the vault has, and how much waits for it. Nothing is opened and nothing asked of the server.
    ///
    /// # Errors
    /// [`SessionError::Server`] for a vault without one.
    pub fn server_show(&mut self, _: ServerShowRequest) -> Result<ServerShowReply> {
        let agency = self.holder.agency.id();
        let (kept, waiting) = self
            .store
            .read(|tx| Ok::<_, SessionError>((KeptRemote::load_live(tx)?, kept::waiting(tx)?)))?;
        let kept = kept.ok_or(ServerFault::None)?;
        let left = kept.all_left().into_iter().map(named).collect();
        let behind = kept.all_behind().into_keys().map(named).collect();
        Ok(ServerShowReply {
            schema: SERVER_SHOW,
            size: kept.follower(agency)?.size(),
            url: kept.url,
            waiting: waiting.unwrap_or_default(),
            left,
            behind,
            log: self.log_line()?,
            witnessed: self.witnessed()?,
        })
    }

    /// Forgets where the server is. What was proved of its log stays, and so does the log key in the agency's root: what was
    /// sent cannot be called back, and no other log can pass for this one later.
    ///
    /// # Errors
    /// As [`Session::server_show`].
    pub fn server_remove(&mut self, _: ServerRemoveRequest) -> Result<ServerRemoveReply> {
        let shown = self.server_show(ServerShowRequest {})?;
        self.store.write(|tx| -> Result<()> {
            let mut kept = KeptRemote::load_live(tx)?.ok_or(ServerFault::None)?;
            kept.url.clear();
            kept.store(tx)
        })?;
        Ok(ServerRemoveReply {
            schema: SERVER_REMOVE,
            url: shown.url,
            waiting: shown.waiting,
        })
    }

    /// Tells whether the vault has a server.
    pub(super) fn has_server(&self) -> Result<bool> {
        Ok(self.store.read(KeptRemote::load_live)?.is_some())
    }

    /// Follows the log, and sends what was written since.
    ///
    /// # Errors
    /// [`SessionError::Server`]: nothing that it says of the server is taken in then, and what was proved to be stored before
    /// stays so.
    pub fn sync(&mut self, task: Task<'_>) -> Result<SyncReply> {
        let (mut kept, log, asking) = self.reached()?.ok_or(ServerFault::None)?;
        let (mut received, mut aside, mut left) = (0_u64, Vec::new(), Vec::new());
        let (mut sent, mut owed, mut behind) = (0_u64, None, BTreeMap::new());
        for turn in 1.. {
            let cosigned = self.ask_cosigned(&asking)?;
            let was_asked = cosigned.is_some();
            let taken = self.follow(&asking, &log, &mut kept, task)?;
            let follower = kept.follower(self.holder.agency.id())?;
            self.hold_cosigned(&asking, &follower, cosigned)?;
            received = received.saturating_add(taken.links);
            aside.extend(taken.aside);
            behind = taken.behind;
            left.extend(taken.left.into_iter().map(named));
            aside.extend(self.wait_behind(&mut kept)?);
            owed = self.pay_owed_epochs()?;
            match self.send(&asking, &log, &mut kept, (&mut sent, &mut aside), task) {
                // Somebody wrote in between: what they wrote goes before.
                Err(SessionError::Server(ServerFault::Conflict { .. })) if turn < TURNS => {}
                done => {
                    done?;
                    // A root that names the first witnesses came just now: what they cosigned is asked before the log is.
                    let is_told = was_asked || !self.is_witnessed();
                    if kept.followed() == kept.pushed && is_told {
                        break;
                    }
                }
            }
        }
        self.forget_superseded_key()?;
        Ok(SyncReply {
            schema: SYNC,
            url: kept.url.clone(),
            sent,
            received,
            aside: aside.into_iter().map(told).collect(),
            behind: behind.into_iter().map(held_back).collect(),
            left,
            owed: owed
                .into_iter()
                .map(|check| {
                    told(SetAside {
                        of: "agency".to_owned(),
                        check,
                    })
                })
                .collect(),
            size: kept.follower(self.holder.agency.id())?.size(),
            witnessed: self.witnessed()?,
        })
    }

    /// Opens the epochs that this member owes; tells by which check that was refused. One recipient to whom nothing can be
    /// sealed must not keep everybody's notes from each other.
    fn pay_owed_epochs(&mut self) -> Result<Option<Check>> {
        match self.open_owed_epochs() {
            Ok(()) => Ok(None),
            Err(error) => error.check().map(Some).ok_or(error),
        }
    }

    /// Returns what is kept of the vault's server, its log key, and who asks it; nothing for a vault without one, or whose
    /// server was removed. Nothing is asked yet.
    fn reached(&self) -> Result<Option<(KeptRemote, Verifier, Asking)>> {
        let Some(kept) = self.store.read(KeptRemote::load_live)? else {
            return Ok(None);
        };
        let log = self.log_verifier()?;
        let agency = self.holder.agency.id();
        let remote = Remote::new(ServerUrl::parse(&kept.url)?, agency);
        let asking = Asking::new(remote, self.places.clone(), agency, &log)?;
        Ok(Some((kept, log, asking)))
    }

    /// Returns the vault's server with what was verified of its log, for what members say to each other there.
    ///
    /// # Errors
    /// [`ServerFault::None`].
    pub(super) fn reach(&self) -> Result<Reached> {
        let (kept, log, asking) = self.reached()?.ok_or(ServerFault::None)?;
        let checkpoint = kept.follower(self.holder.agency.id())?.checkpoint();
        Ok(Reached {
            asking,
            log,
            checkpoint,
        })
    }

    /// Begins a session with it, where there is none yet.
    pub(super) fn begin_with(&self, reached: &Reached) -> Result<()> {
        self.begin(&reached.asking, &reached.log)
    }

    /// Goes on to the server's newest checkpoint, and takes in whatever is new in this vault's streams.
    fn follow(&mut self, asking: &Asking, log: &Verifier, kept: &mut KeptRemote, task: Task<'_>) -> Result<Taken> {
        let ask = |session: &Self, request: Request| {
            if matches!(request, Request::Streams { .. } | Request::Page { .. }) {
                session.begin(asking, log)?;
            }
            asking.ask(request)
        };
        let answers = Answers {
            log: &asking.log,
            ask: &ask,
            fault: &|fault| asking.fault(fault),
        };
        self.follow_by(&answers, kept, task)
    }

    /// As [`Self::follow`], of whoever answers.
    ///
    /// What came without its bytes was perhaps erased since the checkpoint that was followed: as long as there is a newer
    /// one, it is followed too.
    fn follow_by(&mut self, answers: &Answers<'_>, kept: &mut KeptRemote, task: Task<'_>) -> Result<Taken> {
        let mut taken = Taken::default();
        for _ in 0..AGAIN {
            let mut newest = Vec::new();
            let more = self.follow_once(answers, kept, task, &mut newest)?;
            taken.links = taken.links.saturating_add(more.links);
            taken.aside.extend(more.aside);
            taken.behind = more.behind;
            taken.left.extend(more.left);
            if taken.behind.is_empty() || (answers.ask)(self, Request::Checkpoint)? == newest {
                return Ok(taken);
            }
        }
        Ok(taken)
    }

    /// As [`Self::follow_by`], to one checkpoint, which is `newest` then.
    fn follow_once(
        &mut self,
        answers: &Answers<'_>,
        kept: &mut KeptRemote,
        task: Task<'_>,
        newest: &mut Vec<u8>,
    ) -> Result<Taken> {
        let agency = self.holder.agency.id();
        let follower = kept.follower(agency)?;
        let before = follower.size();
        kept.begins_with(follower.seen());
        let held = self.store.read(|tx| held_below(tx, kept))?;
        let leaves = kept.agency_leaves.clone();
        // What others' devices log is for reviewers to fetch; its own, a device that is no older copy has.
        let own = StreamId::access(self.holder.device);
        let wants = move |stream: StreamId| stream.kind == StreamKind::Case || stream == own;
        let mut pull = Pull::begin(answers.log.clone(), follower, held, leaves, Box::new(wants));
        if let Some(paper) = kept.paper(agency)? {
            pull = pull.continuing(paper);
        }
        let mut following = Following {
            session: self,
            answers,
            kept,
            before,
            ready: Vec::new(),
            behind: BTreeMap::new(),
            taken: Taken::default(),
            begun: false,
            task,
            newest,
        };
        drive(&mut pull, &mut following)?;
        following.flush()?;
        let (taken, behind) = (following.taken, following.behind);
        if following.begun {
            task.progress.finish();
        }
        kept.agency_leaves = pull.agency_leaves().to_vec();
        let follower = pull.finish().map_err(|fault| (answers.fault)(fault))?;
        if follower.size() != before || kept.followed() != kept.pushed || behind != kept.all_behind() {
            kept.hold_back(&behind);
            kept.follow(&follower)?;
            kept.is_followed();
            self.write(|_, tx| kept.store(tx))?;
        }
        let shown = self.fetch_unshown(answers)?;
        let is_due = self.store.read(|tx| indexing::is_due(tx, kept))?;
        if kept.indexed() != kept.pushed && !is_due && shown.is_empty() {
            // There is no record among it: nothing is opened, and nothing to be logged.
            kept.is_indexed();
            self.write(|_, tx| kept.store(tx))?;
        } else if is_due || !shown.is_empty() {
            let logged = self.log_verification(None, "what others wrote")?;
            self.write(|holder, tx| indexing::take_in(holder, tx, kept, &shown, &logged))?;
        }
        self.hold_seen(answers, kept, (before, &follower))?;
        Ok(taken)
    }

    /// Holds what others had seen of the log, and what this device had in a run that was cut off, against what was followed:
    /// a log that was shown to them otherwise comes out here (ATTACKS 44), each time until it does not. What came is taken in
    /// by then, and can be read.
    fn hold_seen(
        &mut self,
        answers: &Answers<'_>,
        kept: &mut KeptRemote,
        (before, follower): (u64, &Follower),
    ) -> Result<()> {
        let Some(followed) = follower.seen() else { return Ok(()) };
        let mut others = kept.unproved()?;
        // What was followed before was the beginning of what came.
        let own = self.store.read(|tx| tx.seen())?;
        others.extend(own.filter(|own| own.size > before && *own != followed));
        self.hold(answers, followed, &others)?;
        match kept.is_proved() {
            true => self.write(|_, tx| kept.store(tx)),
            false => Ok(()),
        }
    }

    /// Holds checkpoints against the one that was followed.
    fn hold(&self, answers: &Answers<'_>, followed: Seen, others: &[Seen]) -> Result<()> {
        let told = |fault| (answers.fault)(fault);
        let mut prefix = Prefix::begin(answers.log.clone(), followed, others).map_err(told)?;
        driving::hold(&mut prefix, |request| (answers.ask)(self, request), told)
    }

    /// Asks for the bytes of records that were not shown, of cases that this member was let into again; returns the cases of
    /// which some came.
    fn fetch_unshown(&mut self, answers: &Answers<'_>) -> Result<BTreeSet<CaseId>> {
        let mut shown = BTreeSet::new();
        for case in self.store.read(unshown::cases)? {
            let stream = StreamId::case(case);
            let wanted = self.store.read(|tx| -> Result<_> {
                let (unshown, state) = (unshown::load(tx, case)?, self.holder.case_state(tx, case)?);
                let of = match state.holds_anything(self.holder.member) {
                    true => unshown.into_iter().filter(|record| !state.is_erased(record)).collect(),
                    false => HashSet::new(),
                };
                taking::records_by_hash(tx, stream, &of)
            })?;
            let mut came = Vec::new();
            for (hash, stored) in &wanted {
                let from = stored.seq;
                let page = match (answers.ask)(self, Request::Page { stream, from }) {
                    Err(error) if is_not_found(&error) => continue,
                    answer => answer?,
                };
                // What is not what it should be leaves this one record as it is, and keeps nothing else away.
                let Ok(page) = wire::decode::<StreamPage>(&page, limit::APPEND) else {
                    continue;
                };
                let Some(Ok(parcel)) = page.parcels.into_iter().next().map(|one| OpenParcel::open(one.parcel)) else {
                    continue;
                };
                let (_, records, _) = parcel.into_parts();
                let is_it = |record: &OpenRecord| record.stored().hash == *hash;
                if let Some(OpenRecord::Kept { record, wrap }) = records.into_iter().find(is_it) {
                    came.push((stored.at, record, wrap));
                }
            }
            if came.is_empty() {
                continue;
            }
            self.write(|holder, tx| -> Result<()> {
                let mut unshown = unshown::load(tx, case)?;
                let state = holder.case_state(tx, case)?;
                for (at, record, wrap) in &came {
                    // Another process may have taken its erasure in meanwhile; and another wrap is none of it.
                    if state.is_erased(&record.hash()) {
                        continue;
                    }
                    match tx.fill_in(*at, record, wrap).map_err(SessionError::from) {
                        Err(SessionError::Refused { .. }) => {}
                        filled => {
                            filled?;
                            unshown.remove(&record.hash());
                        }
                    }
                }
                unshown.retain(|record| !state.is_erased(record));
                unshown::store(tx, case, &unshown)?;
                if let Some(known) = &holder.known {
                    known.forget();
                }
                Ok(())
            })?;
            shown.insert(case);
        }
        Ok(shown)
    }

    /// Takes links in; what waited stands behind them then.
    fn take(&mut self, kept: &mut KeptRemote, pulled: Vec<Pulled>, taken: &mut Taken) -> Result<()> {
        let mut next = kept.clone();
        let more = self.write(|holder, tx| holder.take_pulled(tx, &mut next, pulled))?;
        *kept = next;
        self.come_back(kept)?;
        taken.links = taken.links.saturating_add(more.links);
        taken.aside.extend(more.aside);
        Ok(())
    }

    /// Notes that a case is wanted no more, if this member's access ended with its last link that is in the log, the one
    /// before `seq`, of which `last` are taken with it; tells whether it did. What is here of it stays and is read as before.
    fn leave(
        &mut self,
        kept: &mut KeptRemote,
        (stream, seq): (StreamId, u64),
        last: Vec<Pulled>,
        taken: &mut Taken,
    ) -> Result<bool> {
        let (Some(case), Some(end)) = (stream.as_case(), seq.checked_sub(1)) else {
            return Ok(false);
        };
        let absent: Vec<RecordHash> = last.iter().flat_map(|one| one.parcel.absent()).collect();
        let mut next = kept.clone();
        let left = self.write(|holder, tx| -> Result<Option<Taken>> {
            let more = match last.is_empty() {
                true => Taken::default(),
                false => holder.take_pulled(tx, &mut next, last)?,
            };
            let here = held_below(tx, &next)?.get(&stream).map_or(0, |held| held.here);
            // The very last link has to end it: of a case that was never this member's, a server may say so anywhere. What
            // waits behind it gives nobody anything back.
            let (before, state) = (
                holder.case_state_until(tx, case, end)?,
                holder.case_state_until(tx, case, seq)?,
            );
            let ends = before.holds_anything(holder.member) && !state.holds_anything(holder.member);
            if here != seq || !ends {
                return Err(SessionError::refused(Check::BodyMissing, STILL_HELD));
            }
            let mut unshown = unshown::load(tx, case)?;
            unshown.extend(absent);
            unshown.retain(|record| !state.is_erased(record));
            unshown::store(tx, case, &unshown)?;
            next.leave(stream);
            next.store(tx)?;
            Ok(Some(more))
        });
        match left {
            // Nothing was kept of it.
            Err(SessionError::Refused { handle, .. }) if handle == STILL_HELD => Ok(false),
            left => {
                let more = left?.unwrap_or_default();
                *kept = next;
                taken.links = taken.links.saturating_add(more.links);
                taken.aside.extend(more.aside);
                taken.left.push(stream);
                Ok(true)
            }
        }
    }

    /// Puts what waits in cases that are held back behind whatever else waits: it follows nothing that the server has last,
    /// and must keep nothing else from going out.
    fn wait_behind(&mut self, kept: &mut KeptRemote) -> Result<Vec<SetAside>> {
        let behind = kept.all_behind();
        let is_due = self.store.read(|tx| waiting::is_between(tx, kept, &behind))?;
        match is_due {
            false => Ok(Vec::new()),
            true => self.reorder(kept, |_, links| {
                links.sort_by_key(|one| behind.contains_key(&one.link.link().stream));
                Ok(())
            }),
        }
    }

    /// Puts what waits in another order, in which each stream has its own.
    fn reorder(&mut self, kept: &mut KeptRemote, order: impl waiting::Order) -> Result<Vec<SetAside>> {
        let mut next = kept.clone();
        let aside = self.write(|holder, tx| waiting::reorder(holder, tx, &mut next, order))?;
        *kept = next;
        Ok(aside)
    }

    /// Notes which of the cases that were wanted no more this member was let into again.
    fn come_back(&mut self, kept: &mut KeptRemote) -> Result<()> {
        let mut back = Vec::new();
        for stream in kept.all_left() {
            let Some(case) = stream.as_case() else { continue };
            let state = self.store.read(|tx| self.holder.case_state(tx, case))?;
            if state.holds_anything(self.holder.member) {
                back.push(stream);
            }
        }
        match back.is_empty() {
            true => Ok(()),
            false => {
                kept.come_back(&back);
                self.write(|_, tx| kept.store(tx))
            }
        }
    }

    /// Returns the commit position up to which links can go: before what waits in cases that are held back.
    fn sendable(&self, kept: &KeptRemote) -> Result<u64> {
        let behind = kept.all_behind();
        self.store.read(|tx| {
            Ok(match waiting::first_of(tx, kept, &behind)? {
                Some(first) => first.saturating_sub(1),
                None => tx.head().pos,
            })
        })
    }

    /// Puts what is to go without its bytes, and without an erasure that names it in the same request, directly before
    /// that erasure, if others hold the case, so that no server takes it otherwise; tells whether it did. A case that is
    /// among `gathered` is not gathered again.
    fn gather(
        &mut self,
        kept: &mut KeptRemote,
        without: &Without,
        gathered: &mut BTreeSet<StreamId>,
        aside: &mut Vec<SetAside>,
    ) -> Result<bool> {
        let shared = self.store.read(|tx| -> Result<_> {
            let mut shared = BTreeSet::new();
            for (stream, seq) in without.values().filter(|(stream, _)| !gathered.contains(stream)) {
                let Some(case) = stream.as_case() else { continue };
                let state = self.holder.case_state_until(tx, case, *seq)?;
                let live = state.grants().values().filter(|grant| grant.live);
                let members: BTreeSet<_> = live.map(|grant| grant.grant.member).collect();
                if members.len() > 1 {
                    shared.insert(*stream);
                }
            }
            Ok(shared)
        })?;
        if shared.is_empty() {
            return Ok(false);
        }
        aside.extend(self.reorder(kept, |holder, links| waiting::gather(holder, links, &shared))?);
        gathered.extend(shared);
        Ok(true)
    }

    /// Returns the next links that are to go, as [`Self::batch_after`], once what goes without its bytes stands where a server
    /// takes it: in whichever batch, and of each case once. `total` is the last that can go.
    fn next_batch(
        &mut self,
        kept: &mut KeptRemote,
        total: &mut u64,
        sizes: (usize, usize),
        (gathered, aside): (&mut BTreeSet<StreamId>, &mut Vec<SetAside>),
    ) -> Result<(Vec<Outgoing>, Without)> {
        loop {
            let (batch, without) = self.batch_after(kept.pushed, *total, sizes)?;
            if !self.gather(kept, &without, gathered, aside)? {
                return Ok((batch, without));
            }
            // Sections that are due may have been rotated.
            *total = self.sendable(kept)?;
        }
    }

    /// Sends the links after the last that is stored, and counts them in `sent`.
    fn send(
        &mut self,
        asking: &Asking,
        log: &Verifier,
        kept: &mut KeptRemote,
        (sent, aside): (&mut u64, &mut Vec<SetAside>),
        task: Task<'_>,
    ) -> Result<()> {
        let mut total = self.sendable(kept)?;
        let waiting = total.saturating_sub(kept.pushed);
        if waiting == 0 {
            return Ok(());
        }
        task.progress.start("sending", Some(waiting), Unit::Items);
        let mut gathered = BTreeSet::new();
        while kept.pushed < total {
            task.cancel.check()?;
            // The agency's first link is its own credential, and goes alone: from then on the device is known.
            let most = if kept.pushed == 0 { 1 } else { BATCH };
            let sizes = (most, limit::PARCELS);
            let (batch, _) = self.next_batch(kept, &mut total, sizes, (&mut gathered, aside))?;
            let Some(last) = batch.last().map(|one| one.pos) else {
                break;
            };
            let number = batch.len() as u64;
            // Before any of it leaves: what may be elsewhere is not taken back as if it were not.
            kept.offered = last;
            self.write(|_, tx| kept.store(tx))?;
            if kept.pushed > 0 {
                self.begin(asking, log)?;
            }
            let mut order = self.store.read(|tx| kept.order(tx))?;
            for one in &batch {
                order = order.then(&one.link.id());
            }
            let alone = push(asking, kept, batch)?;
            let nothing_between = alone && kept.followed() == kept.pushed;
            kept.is_sent_to(last, order, true);
            if nothing_between {
                kept.is_followed();
            }
            self.write(|_, tx| kept.store(tx))?;
            *sent = sent.saturating_add(number);
            task.progress.advance(number);
        }
        task.progress.finish();
        Ok(())
    }

    /// Begins a session, where there is none yet.
    ///
    /// A device that a restore made is not known there before its enrolment is sent: the identity key that enrols it, of an
    /// agency's sole administrator, stands for it until then.
    fn begin(&self, asking: &Asking, log: &Verifier) -> Result<()> {
        if asking.remote.has_begun() {
            return Ok(());
        }
        let begin = |by, seed| {
            let key = SigningKey::from_seed(seed);
            asking.remote.begin(log.key, self.holder.device, by, &key)
        };
        let alone = self.holder.agency.sole_administrator();
        let is_alone = alone.is_some_and(|alone| alone.member == self.holder.member);
        match begin(By::Device, &self.holder.secrets.device) {
            Err(ServerFault::UnknownDevice) if is_alone => match begin(By::Identity, &self.holder.secrets.identity) {
                // Of a server from before there were such sessions.
                Err(ServerFault::Refused { status: 404, .. }) => Err(ServerFault::UnknownDevice.into()),
                begun => Ok(begun?),
            },
            begun => Ok(begun?),
        }
    }

    /// Returns the log's key as a line, for whoever is to verify the log.
    fn log_line(&self) -> Result<String> {
        let log = self.log_verifier()?;
        let name = checkpoint::origin(self.holder.agency.id());
        note::write_verifier(&name, Kind::Ed25519, &log.key).map_err(refused("log"))
    }

    fn log_verifier(&self) -> Result<Verifier> {
        let log = self.holder.agency.root().log.clone();
        Ok(log.ok_or(ServerFault::None)?)
    }

    /// Returns the next links that are to go, as many as go at once, with what goes without its bytes and without an erasure
    /// that names it: at most `most` links, or `together` so that it goes with its erasure.
    fn batch_after(&self, after: u64, last: u64, (most, together): (usize, usize)) -> Result<(Vec<Outgoing>, Without)> {
        let (mut batch, mut bytes) = (Vec::new(), 0_usize);
        // What goes without its bytes goes with the erasure that names it, as far as a request holds both: whoever fetches
        // the one without the other takes it for withheld.
        let mut absent = Without::new();
        let full = self.store.read(|tx| {
            tx.outgoing(after, 64, &mut |outgoing| {
                for one in outgoing {
                    let size = size_of_parcel(&one);
                    let (most, most_bytes) = match absent.is_empty() {
                        true => (most, BATCH_BYTES),
                        false => (together, limit::APPEND - BATCH_BYTES),
                    };
                    let is_full = !batch.is_empty() && (batch.len() >= most || bytes.saturating_add(size) > most_bytes);
                    if is_full || one.pos > last {
                        return Err(Stop::Full);
                    }
                    bytes = bytes.saturating_add(size);
                    let (stream, seq) = (one.link.link().stream, one.link.link().seq);
                    absent.extend(absent_of(&one).map(|record| (record, (stream, seq))));
                    for record in parcel::erased(&one.link.link().body) {
                        absent.remove(record);
                    }
                    batch.push(one);
                }
                Ok(())
            })
        });
        match full {
            Ok(()) | Err(Stop::Full) => Ok((batch, absent)),
            Err(Stop::Failed(error)) => Err(error),
        }
    }
}

/// Records that go without their bytes, each with its link's stream and number.
type Without = HashMap<RecordHash, (StreamId, u64)>;

/// The server of a vault.
pub(super) struct Reached {
    asking: Asking,
    log: Verifier,
    /// What was verified of its log.
    pub(super) checkpoint: Checkpoint,
}

impl Reached {
    /// Returns the server as it is asked.
    pub(super) fn remote(&self) -> &Remote {
        &self.asking.remote
    }

    /// Returns where it is.
    pub(super) fn url(&self) -> &str {
        self.asking.remote.url().as_str()
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

/// Asks for the key of a server's log for the agency, and for what shows that the server has it: a root that names a key
/// which nobody signs with could never be mended.
/// Asks for the key of the agency's log, and how long that is.
fn log_key(remote: &Remote, agency: AgencyId) -> std::result::Result<(Verifier, u64), ServerFault> {
    let log = remote.log_key()?;
    let is_named = log.name == checkpoint::origin(agency).as_bytes();
    if !guard::holds(is_named, Guard::LogKeyName) {
        return Err(ServerFault::OtherKey);
    }
    let note = remote.checkpoint()?;
    let signed = VerifyingKey::new(&log.key, Check::CheckpointSignature)
        .and_then(|key| SignedCheckpoint::open(&note, agency, &key, &[]));
    signed
        .map(|signed| (log, signed.checkpoint().size))
        .map_err(|refused| ServerFault::Unsigned {
            check: refused.check.number(),
        })
}

/// The records that a parcel places without their bytes.
fn absent_of(one: &Outgoing) -> impl Iterator<Item = RecordHash> {
    let placed = parcel::placements(&one.link.link().body)
        .iter()
        .zip(&one.parcel.records);
    let gone = placed.filter(|(_, record)| matches!(record.body, CarriedBody::Erased(_)));
    gone.map(|(placement, _)| placement.record_hash)
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

/// Sends links, and believes that they are stored once the log proves it; tells whether nothing of anybody else's came
/// between. Where something did, what was followed stays where it is: that is still to be taken in.
fn push(asking: &Asking, kept: &mut KeptRemote, batch: Vec<Outgoing>) -> Result<bool> {
    let agency = asking.log.agency;
    let mut entries = Vec::with_capacity(batch.len());
    let mut parcels = Vec::with_capacity(batch.len());
    for one in batch {
        let link = one.link.link();
        entries.push((Entry::of(link.stream, link.seq, one.link.id()), link.stream));
        parcels.push(one.parcel);
    }
    let reply = asking.remote.append(&AppendRequest { agency, parcels })?;
    if let Some(fault) = fault_of(entries.iter().map(|(_, stream)| *stream), &reply.outcomes) {
        return Err(fault.into());
    }
    let mut stored = Vec::with_capacity(entries.len());
    let mut agency_leaves = Vec::new();
    for ((entry, stream), outcome) in entries.into_iter().zip(&reply.outcomes) {
        let Outcome::Stored(leaf) = outcome else { continue };
        if stream.kind == StreamKind::Agency && !kept.agency_leaves.contains(leaf) {
            agency_leaves.push(*leaf);
        }
        stored.push((*leaf, entry));
    }
    let follower = kept.follower(agency)?;
    let before = follower.size();
    let new = stored.iter().filter(|(leaf, _)| *leaf >= before).count();
    let told = |fault| asking.fault(fault);
    let mut push = Push::prove(asking.log.clone(), follower, &reply.checkpoint, stored).map_err(told)?;
    while let Some(request) = push.ask().map_err(told)? {
        let answer = asking.ask(request).map_err(|error| push.doubt().map_or(error, told))?;
        push.take(&answer).map_err(told)?;
    }
    let (follower, entries) = push.finish().map_err(told)?;
    let alone = entries.len() == new;
    if alone {
        kept.agency_leaves.extend(agency_leaves);
        kept.follow(&follower)?;
    }
    Ok(alone)
}

/// Tells why not all parcels were stored, by the one that was tried and was not: what was to be stored together with it counts
/// as not tried, and may stand before it.
fn fault_of(streams: impl Iterator<Item = StreamId> + Clone, outcomes: &[Outcome]) -> Option<ServerFault> {
    let of = |stream: StreamId| format!("an entry of {stream}");
    let tried = streams
        .clone()
        .zip(outcomes)
        .find_map(|(stream, outcome)| match outcome {
            Outcome::Conflict(_) => Some(ServerFault::Conflict { of: of(stream) }),
            Outcome::Refused(check) => Some(ServerFault::Link {
                check: *check,
                of: of(stream),
            }),
            Outcome::Stored(_) | Outcome::NotTried => None,
        });
    let untried = || {
        let mut untried = streams
            .zip(outcomes)
            .filter(|(_, outcome)| **outcome == Outcome::NotTried);
        untried.find_map(|(stream, _)| match guard::holds(false, Guard::NotTried) {
            true => None,
            false => Some(ServerFault::Withheld { of: of(stream) }),
        })
    };
    tried.or_else(untried)
}

/// Who answers for a log.
struct Answers<'a> {
    log: &'a LogOf,
    ask: &'a dyn Fn(&Session, Request) -> Result<Vec<u8>>,
    /// Tells what a server did wrong; what proves it to others is kept first.
    fault: &'a dyn Fn(Fault) -> SessionError,
}

/// Takes in what a machine hands over, many links in one transaction.
struct Following<'a> {
    session: &'a mut Session,
    answers: &'a Answers<'a>,
    kept: &'a mut KeptRemote,
    /// How much of the log was verified before.
    before: u64,
    ready: Vec<Pulled>,
    /// What is held back, each with the last link that the log is known to have of it.
    behind: BTreeMap<StreamId, u64>,
    taken: Taken,
    begun: bool,
    task: Task<'a>,
    /// The checkpoint that is followed.
    newest: &'a mut Vec<u8>,
}

impl Following<'_> {
    fn flush(&mut self) -> Result<()> {
        match self.ready.is_empty() {
            true => Ok(()),
            false => self
                .session
                .take(self.kept, std::mem::take(&mut self.ready), &mut self.taken),
        }
    }
}

impl Driver for Following<'_> {
    fn ask(&mut self, request: Request) -> Result<Vec<u8>> {
        match ((self.answers.ask)(self.session, request), request) {
            // One that may not be read and one that has no more are alike.
            (Err(error), Request::Page { .. }) if is_not_found(&error) => Ok(nothing_more()?),
            (Err(error), _) if is_not_found(&error) && self.before > 0 => {
                // A server that has not even the log any more of which leaves were verified.
                Err(ServerFault::Log {
                    check: Check::LogConsistency.number(),
                    evidence: None,
                }
                .into())
            }
            (Ok(note), Request::Checkpoint) => {
                self.newest.clone_from(&note);
                Ok(note)
            }
            (answer, _) => answer,
        }
    }

    fn fault(&self, fault: Fault) -> SessionError {
        (self.answers.fault)(fault)
    }

    fn arrived(&mut self, seen: Seen) {
        self.kept.arrived(seen);
    }

    fn ahead(&mut self, seen: Seen) -> SessionError {
        let held = match self.kept.arrived_at() {
            Some(followed) => self.session.hold(self.answers, followed, &[seen]),
            None => Ok(()),
        };
        // What the log key did not sign shows nothing of the log.
        let unsigned = || SessionError::refused(Check::SeenCheckpoint, "link");
        held.map_or_else(|error| error, |()| unsigned())
    }

    fn take(&mut self, pulled: Vec<Pulled>, left: u64) -> Result<()> {
        self.task.cancel.check()?;
        if !self.begun {
            let all = left.saturating_add(pulled.len() as u64);
            self.task.progress.start("receiving", Some(all), Unit::Items);
            self.begun = true;
        }
        self.task.progress.advance(pulled.len() as u64);
        self.ready.extend(pulled);
        match self.ready.len() >= TOGETHER {
            true => self.flush(),
            false => Ok(()),
        }
    }

    fn has_left(&mut self, stream: StreamId, seq: u64, last: Vec<Pulled>) -> Result<bool> {
        if self.ready.iter().any(|one| one.parcel.link().link().stream == stream) {
            self.flush()?;
        }
        self.session.leave(self.kept, (stream, seq), last, &mut self.taken)
    }

    fn hold_back(&mut self, behind: Behind) -> Result<()> {
        let Behind {
            stream,
            seq,
            until,
            before,
            rest,
        } = behind;
        if !rest.is_empty() {
            // The erasure may be beyond the link that ended this member's access.
            let all = before.iter().chain(&rest).cloned().collect();
            if self.has_left(stream, until.saturating_add(1), all)? {
                return Ok(());
            }
        }
        let known = self.kept.all_behind().get(&stream).copied();
        self.behind.insert(stream, until.max(known.unwrap_or_default()));
        self.taken.behind.insert(stream, seq);
        self.ready.extend(before);
        Ok(())
    }
}

fn is_not_found(error: &SessionError) -> bool {
    matches!(error, SessionError::Server(ServerFault::Refused { status: 404, .. }))
}

/// A page without links.
fn nothing_more() -> Result<Vec<u8>> {
    let page = StreamPage {
        parcels: Vec::new(),
        more: 0,
    };
    wire::encode(&page).map_err(refused("page"))
}

/// Returns how many links of each stream are at leaves that were followed, and how many are here of those that are known to
/// be in the log: what waits beyond them is no link of the log yet, or not known to be one.
fn held_below(tx: &ReadTx<'_>, kept: &KeptRemote) -> Result<BTreeMap<StreamId, Held>> {
    let mut held = BTreeMap::new();
    for head in tx.all_streams()? {
        let all = head.seq.saturating_add(1);
        let one = Held {
            followed: all,
            here: all,
            left: kept.has_left(head.stream),
            behind: None,
        };
        held.insert(head.stream, one);
    }
    for (stream, first) in tx.first_after(kept.pushed)? {
        held.entry(stream)
            .and_modify(|held| (held.followed, held.here) = (first, first));
    }
    for (stream, first) in tx.first_after(kept.followed())? {
        held.entry(stream).and_modify(|held| held.followed = first);
    }
    for (stream, until) in kept.all_behind() {
        held.entry(stream).or_default().behind = Some(until);
    }
    Ok(held)
}

fn held_back((stream, seq): (StreamId, u64)) -> HeldBackReply {
    HeldBackReply {
        of: named(stream),
        entry: seq,
    }
}

/// What a stream is called.
fn named(stream: StreamId) -> String {
    stream
        .as_case()
        .map_or_else(|| stream.to_string(), |case| case.handle())
}

fn told(aside: SetAside) -> SetAsideReply {
    SetAsideReply {
        of: aside.of,
        check: aside.check.number(),
        why: aside.check.cause().to_owned(),
    }
}

//! The one thread that writes: takes all appends that wait, judges them in order, commits them together.
//!
//! Nothing is answered, and no checkpoint signed, before the transaction is durable (`store`, what a crash leaves).

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;
use vault_core::check::Refused;
use vault_core::id::RecordId;
use vault_core::wire::v1::sync::{AppendReply, Outcome};

use super::ServiceError;
use super::agency::Agency;
use super::live::{Live, Mark};
use super::prepare::{self, Erased, Prepared};
use crate::authorize::Appending;
use crate::config::Quota;
use crate::metrics::Metrics;
use crate::report;
use crate::store::{AgencyNo, Reads, Store, StoreError, StreamNo, Writes, writing};

/// Appends that may wait; requests are bounded before.
const WAITING: usize = 1024;

/// Parcels of a group after which no more appends join it.
const GROUP: usize = 1024;

/// The writing end of the service.
pub(super) struct Writer {
    jobs: Mutex<Option<SyncSender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// An append that waits.
struct Job {
    permit: Appending,
    parcels: Vec<Prepared>,
    answer: oneshot::Sender<Result<AppendReply, ServiceError>>,
}

impl Writer {
    /// Begins the thread.
    pub(super) fn begin(
        store: Arc<dyn Store>,
        metrics: Arc<Metrics>,
        quota: Option<Quota>,
    ) -> Result<Self, ServiceError> {
        let (jobs, waiting) = mpsc::sync_channel(WAITING);
        let mut work = Work {
            store,
            metrics,
            quota,
            lives: HashMap::new(),
        };
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || work.run(&waiting))
            .map_err(|_| ServiceError::Ended)?;
        Ok(Self {
            jobs: Mutex::new(Some(jobs)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Queues parcels and waits until what became of them is durable.
    pub(super) async fn append(&self, permit: Appending, parcels: Vec<Prepared>) -> Result<AppendReply, ServiceError> {
        let (answer, answered) = oneshot::channel();
        let job = Job {
            permit,
            parcels,
            answer,
        };
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        jobs.ok_or(ServiceError::Ended)?
            .try_send(job)
            .map_err(|full| match full {
                TrySendError::Full(_) => ServiceError::Busy,
                TrySendError::Disconnected(_) => ServiceError::Ended,
            })?;
        answered.await.map_err(|_| ServiceError::Ended)?
    }

    /// Takes no more, and returns when all that was taken is written.
    pub(super) fn end(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic in there was told by itself.
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.end();
    }
}

/// What the thread works with.
struct Work {
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
    quota: Option<Quota>,
    lives: HashMap<AgencyNo, Live>,
}

/// Parcels of a job of which either all are stored or none.
struct Together {
    from: usize,
    until: usize,
    before: Mark,
}

/// Returns the place of the last erasure that a parcel needs, of one that came without bytes.
fn erased_at(parcel: &Prepared) -> Option<usize> {
    match parcel.as_ref().ok()?.erased {
        Erased::By(place) => Some(place),
        Erased::Nothing | Erased::Uncovered => None,
    }
}

impl Work {
    fn run(&mut self, waiting: &Receiver<Job>) {
        while let Ok(first) = waiting.recv() {
            let mut parcels = first.parcels.len();
            let mut group = vec![first];
            while parcels < GROUP
                && let Ok(job) = waiting.try_recv()
            {
                parcels += job.parcels.len();
                group.push(job);
            }
            self.commit(group);
        }
    }

    /// Commits a group of appends, then publishes, then answers.
    fn commit(&mut self, group: Vec<Job>) {
        let store = Arc::clone(&self.store);
        // In the order of their numbers, so that no two processes wait for each other.
        let agencies = group.iter().map(|job| job.permit.agency());
        let agencies: BTreeMap<AgencyNo, &Arc<Agency>> = agencies.map(|agency| (agency.no(), agency)).collect();
        let written = writing(store.as_ref(), |writes| {
            for (no, agency) in &agencies {
                writes.hold(*no)?;
                // From here on nobody else appends to it.
                self.take_up(writes, agency)?;
            }
            writes.foresee(&self.brought(&group))?;
            let mut outcomes = Vec::with_capacity(group.len());
            for job in &group {
                outcomes.push(match self.fits(writes, job)? {
                    true => Some(self.place(writes, job)?),
                    false => None,
                });
            }
            Ok(outcomes)
        });
        let outcomes = match written {
            Ok(outcomes) => outcomes,
            Err(error) => {
                // What is in memory is ahead of the disk.
                self.lives.clear();
                return refuse(group, &error);
            }
        };
        self.metrics.group();
        let checkpoints = match self.publish(&group) {
            Ok(checkpoints) => checkpoints,
            Err(refused) => return refuse(group, &refused.into()),
        };
        for (job, outcomes) in group.into_iter().zip(outcomes) {
            let checkpoint = checkpoints.get(&job.permit.agency().no());
            let checkpoint = checkpoint.map(|note| note.as_bytes().to_vec()).unwrap_or_default();
            let answer = match outcomes {
                Some(outcomes) => {
                    self.metrics.outcomes(&outcomes);
                    Ok(AppendReply { outcomes, checkpoint })
                }
                None => Err(ServiceError::OverQuota),
            };
            // Whoever does not wait any more asks again.
            let _ = job.answer.send(answer);
        }
    }

    /// Tells whether the agency may keep the notes and files that a job brings. One without any always fits: no erasure, no
    /// revocation and no entry of who read what waits for room.
    fn fits(&mut self, writes: &dyn Writes, job: &Job) -> Result<bool, StoreError> {
        let Some(quota) = self.quota else { return Ok(true) };
        let more: u64 = job.parcels.iter().map(prepare::weight).sum();
        if more == 0 {
            return Ok(true);
        }
        let live = self.live(job)?;
        let used = live.used(writes)?;
        if used.saturating_add(more) <= quota.0 {
            return Ok(true);
        }
        // What is there already takes no room, and whoever sends it again is told that it is there.
        let mut more = 0_u64;
        for parcel in &job.parcels {
            if !live.is_stored(writes, parcel)? {
                more = more.saturating_add(prepare::weight(parcel));
            }
        }
        Ok(more == 0 || used.saturating_add(more) <= quota.0)
    }

    /// Places a job's parcels in their order; after the first that is not stored none is tried.
    ///
    /// What comes without its bytes is stored with the erasure that names it, or not at all: if one of what is stored together
    /// does not get in, it has its outcome, and what was to be stored with it counts as not tried.
    fn place(&mut self, writes: &mut dyn Writes, job: &Job) -> Result<Vec<Outcome>, StoreError> {
        let live = self.live(job)?;
        let mut outcomes = Vec::with_capacity(job.parcels.len());
        let mut together: Option<Together> = None;
        for (place, parcel) in job.parcels.iter().enumerate() {
            if let Some(until) = erased_at(parcel) {
                match &mut together {
                    Some(together) => together.until = together.until.max(until),
                    None => {
                        writes.mark()?;
                        together = Some(Together {
                            from: place,
                            until,
                            before: live.mark(),
                        });
                    }
                }
            }
            let mut outcome = live.place(writes, parcel)?;
            let is_stored = matches!(outcome, Outcome::Stored(_));
            match together.take() {
                Some(together) if !is_stored => {
                    writes.go_back()?;
                    let tried = job.parcels.get(together.from..=place).unwrap_or_default();
                    live.go_back(together.before, tried);
                    outcomes.truncate(together.from);
                    outcomes.resize(place, Outcome::NotTried);
                    if let (Outcome::Conflict(heads), Some(first)) = (&mut outcome, job.parcels.get(together.from)) {
                        *heads = live.heads(writes, first)?;
                    }
                }
                Some(together) if together.until == place => writes.unmark()?,
                others => together = others,
            }
            outcomes.push(outcome);
            if !is_stored {
                break;
            }
        }
        outcomes.resize(job.parcels.len(), Outcome::NotTried);
        Ok(outcomes)
    }

    /// Reads an agency anew where another process has moved on since.
    fn take_up(&mut self, reads: &dyn Reads, agency: &Arc<Agency>) -> Result<(), StoreError> {
        let live = match self.lives.remove(&agency.no()) {
            Some(live) if live.is_current(reads)? => live,
            _ => Live::load(reads, agency)?,
        };
        self.lives.insert(agency.no(), live);
        Ok(())
    }

    /// Returns the records of which versions will be asked, as far as their streams are known.
    fn brought(&self, group: &[Job]) -> Vec<(StreamNo, RecordId)> {
        let mut brought = Vec::new();
        for job in group {
            if let Some(live) = self.lives.get(&job.permit.agency().no()) {
                brought.extend(job.parcels.iter().flat_map(|parcel| live.brings(parcel)));
            }
        }
        brought
    }

    fn live(&mut self, job: &Job) -> Result<&mut Live, StoreError> {
        let live = self.lives.get_mut(&job.permit.agency().no());
        live.ok_or(StoreError::Damaged("an agency that was not taken up"))
    }

    fn publish(&self, group: &[Job]) -> Result<HashMap<AgencyNo, Arc<str>>, Refused> {
        let mut checkpoints = HashMap::new();
        for job in group {
            let no = job.permit.agency().no();
            if let Some(live) = self.lives.get(&no)
                && !checkpoints.contains_key(&no)
            {
                checkpoints.insert(no, live.publish()?);
            }
        }
        Ok(checkpoints)
    }
}

/// Answers a group of which nothing was written, or nobody knows whether it was; what failed is told to whoever keeps the server.
fn refuse(group: Vec<Job>, error: &StoreError) {
    report::failure(error);
    for job in group {
        let unwritten = match error {
            StoreError::Away(_) => ServiceError::Away,
            StoreError::Full(_) => ServiceError::Full,
            _ => ServiceError::Unwritten,
        };
        let _ = job.answer.send(Err(unwritten));
    }
}

//! Reading on one core while the other works.
//!
//! Rows go through a short queue from the store to whoever takes them ([`each_chunk`]), or are hashed by whichever core is
//! free, chained in their order, and opened by whichever core is free again ([`rebuild`]).

use super::Result;
use super::SessionError;
use super::reading::CHUNK;
use crate::store::HashedRows;
use crate::store::ReadTx;
use crate::store::Row;
use std::collections::VecDeque;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::sync_channel;
use vault_core::wire::v1::stream::StreamId;

/// Chunks that may wait: enough to bridge a slow one, few enough to bound memory.
const WAITING: usize = 4;

/// Rows that are not worth a thread.
const FEW: u64 = 256;

/// Hands the rows of a stream, or of the whole store, in order to `take`, which runs on a thread of its own.
///
/// # Errors
/// What `take` refuses first; otherwise what reading refuses.
pub(super) fn each_chunk(
    tx: &ReadTx<'_>,
    only: Option<StreamId>,
    take: impl FnMut(Vec<Row>) -> Result<()> + Send,
) -> Result<()> {
    overlapped(take, |send| match only {
        Some(stream) => tx.scan(stream, CHUNK, send),
        None => tx.scan_all(1, CHUNK, send),
    })
}

/// Hands the rows of the whole store from a commit position on to `take`, as [`each_chunk`] does if they are many.
///
/// # Errors
/// As that.
pub(super) fn each_chunk_from(
    tx: &ReadTx<'_>,
    from: u64,
    mut take: impl FnMut(Vec<Row>) -> Result<()> + Send,
) -> Result<()> {
    if tx.head().pos.saturating_sub(from) < FEW {
        return tx.scan_all(from, CHUNK, &mut take);
    }
    overlapped(take, |send| tx.scan_all(from, CHUNK, send))
}

/// Hands the rows of a stream, or of the whole store, hashed and in order to `chain`, and what that returns to `open`, on
/// whichever core is free; what was opened comes back to `keep`, in the order of the rows.
///
/// `chain` and `keep` run on the thread that reads.
///
/// # Errors
/// What reading, `chain` or `open` refuses first.
pub(super) fn rebuild<C: Send, T: Send>(
    tx: &ReadTx<'_>,
    only: Option<StreamId>,
    mut chain: impl FnMut(HashedRows) -> Result<C>,
    open: impl Fn(C) -> Result<T> + Sync,
    mut keep: impl FnMut(T),
) -> Result<()> {
    let open = &open;
    rayon::in_place_scope(|cores| {
        let mut hashing: VecDeque<Job<HashedRows>> = VecDeque::new();
        let mut opening: VecDeque<Job<T>> = VecDeque::new();
        // A job a chunk: smaller ones wake a sleeping core more often than they are worth.
        let mut go_on = |hashing: &mut VecDeque<Job<HashedRows>>, waiting: usize| -> Result<()> {
            while hashing.len() > waiting {
                let chained = chain(finished(hashing)?)?;
                let (done, job) = sync_channel(1);
                cores.spawn(move |_| drop(done.send(open(chained))));
                opening.push_back(job);
            }
            while opening.len() > waiting {
                keep(finished(&mut opening)?);
            }
            Ok(())
        };
        let mut take = |rows: Vec<Row>| -> Result<()> {
            let (done, job) = sync_channel(1);
            cores.spawn(move |_| drop(done.send(HashedRows::new(rows).map_err(SessionError::from))));
            hashing.push_back(job);
            go_on(&mut hashing, WAITING)
        };
        match only {
            Some(stream) => tx.scan(stream, CHUNK, &mut take),
            None => tx.scan_all(1, CHUNK, &mut take),
        }?;
        go_on(&mut hashing, 0)
    })
}

/// Work that some core does.
type Job<T> = Receiver<Result<T>>;

/// Waits for the job that was given first.
fn finished<T>(jobs: &mut VecDeque<Job<T>>) -> Result<T> {
    let done = jobs.pop_front().and_then(|job| job.recv().ok());
    done.unwrap_or_else(|| Err(SessionError::Bug("a thread that reads ended early".to_owned())))
}

fn overlapped(
    mut take: impl FnMut(Vec<Row>) -> Result<()> + Send,
    read: impl FnOnce(&mut dyn FnMut(Vec<Row>) -> Result<()>) -> Result<()>,
) -> Result<()> {
    let (sender, receiver) = sync_channel::<Vec<Row>>(WAITING);
    std::thread::scope(|scope| {
        // Ends when the sender is gone, or by dropping the receiver, which ends the reading.
        let taker = scope.spawn(move || crate::memory::scrubbed(|| receiver.into_iter().try_for_each(&mut take)));
        let read = read(&mut |chunk: Vec<Row>| -> Result<()> {
            sender
                .send(chunk)
                .map_err(|_| SessionError::Bug("nobody takes the rows".to_owned()))
        });
        drop(sender);
        let taken = taker
            .join()
            .unwrap_or_else(|_| Err(SessionError::Bug("the reader of rows ended early".to_owned())));
        taken.and(read)
    })
}

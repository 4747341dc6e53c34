//! Reading on one core while the other works: rows go through a short queue from the store to whoever takes them.

use super::Result;
use super::SessionError;
use super::reading::CHUNK;
use crate::store::ReadTx;
use crate::store::Row;
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

fn overlapped(
    mut take: impl FnMut(Vec<Row>) -> Result<()> + Send,
    read: impl FnOnce(&mut dyn FnMut(Vec<Row>) -> Result<()>) -> Result<()>,
) -> Result<()> {
    let (sender, receiver) = sync_channel::<Vec<Row>>(WAITING);
    std::thread::scope(|scope| {
        // Ends when the sender is gone, or by dropping the receiver, which ends the reading.
        let taker = scope.spawn(move || receiver.into_iter().try_for_each(&mut take));
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

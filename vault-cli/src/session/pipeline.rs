//! Reading on one core while the other works: rows go through a short queue from the store to whoever takes them.

use super::Result;
use super::SessionError;
use super::reading::CHUNK;
use crate::store::ReadTx;
use crate::store::Row;
use std::sync::mpsc::SyncSender;
use std::sync::mpsc::sync_channel;
use vault_core::wire::v1::stream::StreamId;

/// Chunks that may wait: enough to bridge a slow one, few enough to bound memory.
const WAITING: usize = 4;

/// Hands the rows of a stream, or of the whole store, in order to `take`, which runs on a thread of its own.
///
/// # Errors
/// What `take` refuses first; otherwise what reading refuses.
pub(super) fn each_chunk(
    tx: &ReadTx<'_>,
    only: Option<StreamId>,
    take: impl FnMut(Vec<Row>) -> Result<()> + Send,
) -> Result<()> {
    let (sender, receiver) = sync_channel::<Vec<Row>>(WAITING);
    let mut take = take;
    std::thread::scope(|scope| {
        // Ends when the sender is gone, or by dropping the receiver, which ends the reading.
        let taker = scope.spawn(move || receiver.into_iter().try_for_each(&mut take));
        let read = send_all(tx, only, &sender);
        drop(sender);
        let taken = taker
            .join()
            .unwrap_or_else(|_| Err(SessionError::Bug("the reader of rows ended early".to_owned())));
        taken.and(read)
    })
}

fn send_all(tx: &ReadTx<'_>, only: Option<StreamId>, sender: &SyncSender<Vec<Row>>) -> Result<()> {
    let mut send = |chunk: Vec<Row>| -> Result<()> {
        sender
            .send(chunk)
            .map_err(|_| SessionError::Bug("nobody takes the rows".to_owned()))
    };
    match only {
        Some(stream) => tx.scan(stream, CHUNK, &mut send),
        None => tx.scan_all(1, CHUNK, &mut send),
    }
}

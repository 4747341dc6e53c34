//! Driving a [`Pull`] or a [`Prefix`] to its end: asking what it wants, handing on what came.

use super::Result;
use super::SessionError;
use vault_core::sync::Behind;
use vault_core::sync::Fault;
use vault_core::sync::Prefix;
use vault_core::sync::Pull;
use vault_core::sync::Pulled;
use vault_core::sync::Request;
use vault_core::sync::Step;
use vault_core::wire::v1::link::Seen;
use vault_core::wire::v1::stream::StreamId;

/// Who asks the server, and does with links what is to be done.
pub(super) trait Driver {
    /// Asks the server.
    ///
    /// # Errors
    /// [`SessionError::Server`].
    fn ask(&mut self, request: Request) -> Result<Vec<u8>>;

    /// Tells what a server did wrong; what proves it to others is kept first.
    fn fault(&self, fault: Fault) -> SessionError;

    /// Notes the checkpoint that was verified, and below which every link is that is taken.
    fn arrived(&mut self, seen: Seen);

    /// Tells what is wrong where the author of a link had seen more of the log than is below it: nothing of it is taken.
    fn ahead(&mut self, seen: Seen) -> SessionError;

    /// Takes links that the log has; `left` are still to come after them.
    ///
    /// # Errors
    /// What taking them in refuses.
    fn take(&mut self, pulled: Vec<Pulled>, left: u64) -> Result<()>;

    /// Tells whether this member's access to a stream ended with the link before `seq`, the last one taken; if so, and only
    /// then, `last` are taken too, its last.
    ///
    /// # Errors
    /// As [`Driver::take`].
    fn has_left(&mut self, stream: StreamId, seq: u64, last: Vec<Pulled>) -> Result<bool>;

    /// Notes that a stream is held back, and takes what came of it before.
    ///
    /// # Errors
    /// As [`Driver::take`].
    fn hold_back(&mut self, behind: Behind) -> Result<()>;
}

/// Drives a machine to its end.
///
/// # Errors
/// As [`Driver`]; [`Driver::fault`] for what the machine finds.
pub(super) fn drive(pull: &mut Pull, by: &mut dyn Driver) -> Result<()> {
    loop {
        let step = pull.step().map_err(|fault| by.fault(fault))?;
        if let Some(seen) = pull.arrived() {
            by.arrived(seen);
        }
        let (some, more): (&[Pulled], &[Pulled]) = match &step {
            Step::Take(pulled) | Step::Ends { last: pulled, .. } => (pulled, &[]),
            Step::Behind(behind) => (&behind.before, &behind.rest),
            Step::Ask(_) | Step::Done => (&[], &[]),
        };
        if let Some(seen) = some.iter().chain(more).find_map(Pulled::ahead) {
            return Err(by.ahead(seen));
        }
        match step {
            Step::Ask(request) => {
                // What is known to be wrong already holds, whatever else does not come.
                let answer = by
                    .ask(request)
                    .map_err(|error| pull.doubt().map_or(error, |fault| by.fault(fault)))?;
                pull.take(&answer).map_err(|fault| by.fault(fault))?;
            }
            Step::Take(pulled) => by.take(pulled, pull.left())?,
            Step::Ends {
                stream,
                seq,
                until,
                last,
            } => match by.has_left(stream, seq, last)? {
                true => pull.leave(),
                false if pull.is_held_back() => {
                    // What came is not kept; it is asked for again.
                    by.hold_back(Behind {
                        stream,
                        seq,
                        until,
                        before: Vec::new(),
                        rest: Vec::new(),
                    })?;
                    pull.leave();
                }
                false => return Err(by.fault(Fault::Withheld { stream, seq })),
            },
            Step::Behind(behind) => by.hold_back(behind)?,
            Step::Done => return Ok(()),
        }
    }
}

/// Holds checkpoints that others saw against the one that was followed.
///
/// # Errors
/// As `ask`; `told` for what the machine finds.
pub(super) fn hold(
    prefix: &mut Prefix,
    ask: impl Fn(Request) -> Result<Vec<u8>>,
    told: impl Fn(Fault) -> SessionError,
) -> Result<()> {
    while let Some(request) = prefix.ask() {
        // What is known to be wrong already holds, whatever else does not come.
        let answer = ask(request).map_err(|error| prefix.doubt().map_or(error, &told))?;
        prefix.take(&answer).map_err(&told)?;
    }
    Ok(())
}

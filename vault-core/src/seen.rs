//! The checkpoints that links carry: each author says what it had verified of the log when it signed.
//!
//! What one author saw and another's log contradicts is how a fork comes out at their first contact (ATTACKS 44). A
//! checkpoint that the log key did not sign blames the link's author: the link is void (CHK-46).

use crate::agency_state::AgencyView;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::crypto::sign::VerifyingKey;
use crate::tlog::follow::checkpoint_of;
use crate::wire::v1::link::Link;
use crate::wire::v1::link::Seen;

/// What the last link of a stream says that its author had seen. It alone decides about the next one, so that whoever knows
/// the last link reaches the verdict of who knows all of them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SeenSoFar(Option<Seen>);

impl SeenSoFar {
    /// Takes it up after a link that was judged.
    pub(crate) fn after(last: &Link) -> Self {
        Self(last.seen)
    }

    /// Takes it up after a link that carries `seen` and was judged.
    pub(crate) fn of(seen: Option<Seen>) -> Self {
        Self(seen)
    }

    /// Returns it with what `link` has seen, judged by the root in force at `agency`.
    ///
    /// # Errors
    /// [`Check::SeenCheckpoint`] where the root names no log, where its key did not sign this, or where it is less than the
    /// link before had seen; nothing is less than anything.
    pub(crate) fn with(self, agency: AgencyView<'_>, link: &Link) -> Result<Self, Refused> {
        // Many links in a row carry the same one.
        if self.0 == link.seen {
            return Ok(self);
        }
        let (least, seen) = (self.0.map_or(0, |last| last.size), link.seen);
        let log = agency.root().log.as_ref();
        let is_signed = |seen: &Seen| {
            log.is_some_and(|log| {
                let checkpoint = checkpoint_of(link.agency, seen);
                let key = VerifyingKey::new(&log.key, Check::SeenCheckpoint);
                key.is_ok_and(|key| checkpoint.require_signed(&seen.signature, &key).is_ok())
            })
        };
        let is_right = seen.is_some_and(|seen| is_signed(&seen) && seen.size >= least);
        require(is_right, Check::SeenCheckpoint)?;
        Ok(Self(seen))
    }
}

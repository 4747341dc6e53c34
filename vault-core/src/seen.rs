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

/// What the links of a stream have seen so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SeenSoFar(Option<Seen>);

impl SeenSoFar {
    /// Takes it up after a link that was judged.
    pub(crate) fn after(last: &Link) -> Self {
        Self(last.seen)
    }

    /// Returns it with what `link` has seen, judged by the root in force at `agency`.
    ///
    /// # Errors
    /// [`Check::SeenCheckpoint`] where the root names no log, where its key did not sign this, or where it is less than an
    /// earlier link of the stream had seen.
    pub(crate) fn with(self, agency: AgencyView<'_>, link: &Link) -> Result<Self, Refused> {
        let Some(seen) = link.seen else { return Ok(self) };
        // Many links in a row carry the same one.
        if self.0 == Some(seen) {
            return Ok(self);
        }
        let least = self.0.map_or(0, |last| last.size);
        let log = agency.root().log.as_ref();
        let is_signed = log.is_some_and(|log| {
            let checkpoint = checkpoint_of(link.agency, &seen);
            let key = VerifyingKey::new(&log.key, Check::SeenCheckpoint);
            key.is_ok_and(|key| checkpoint.require_signed(&seen.signature, &key).is_ok())
        });
        require(is_signed && seen.size >= least, Check::SeenCheckpoint)?;
        Ok(Self(Some(seen)))
    }
}

//! What tells that there is something new at the server: its change events, which a device's session lets somebody follow.

use crate::remote::ServerFault;
use crate::session::Result;
use crate::session::Session;
use crate::session::reply::SyncFeedReply;
use crate::session::request::SyncFeedRequest;

impl Session {
    /// Begins a session at the server for following its change events. Nothing is opened and nothing written.
    ///
    /// # Errors
    /// [`crate::session::SessionError::Server`].
    pub fn sync_feed(&mut self, _: SyncFeedRequest) -> Result<SyncFeedReply> {
        let (kept, log, asking) = self.reached()?.ok_or(ServerFault::None)?;
        self.begin(&asking, &log)?;
        Ok(SyncFeedReply {
            size: kept.follower(self.holder.agency.id())?.size(),
            token: asking.remote.token().ok_or(ServerFault::UnknownDevice)?,
            url: kept.url,
        })
    }
}

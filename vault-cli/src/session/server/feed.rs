//! What tells that there is something new at the server: its change events, with a token that is good for them alone and for
//! minutes: it goes out of the agent, and outlives its lock.

use crate::remote::ServerFault;
use crate::session::Result;
use crate::session::Session;
use crate::session::reply::SyncFeedReply;
use crate::session::request::SyncFeedRequest;

impl Session {
    /// Gets a token for following the server's change events. Nothing is opened and nothing written.
    ///
    /// # Errors
    /// [`crate::session::SessionError::Server`].
    pub fn sync_feed(&mut self, _: SyncFeedRequest) -> Result<SyncFeedReply> {
        let (kept, log, asking) = self.reached()?.ok_or(ServerFault::None)?;
        self.begin(&asking, &log)?;
        Ok(SyncFeedReply {
            size: kept.follower(self.holder.agency.id())?.size(),
            token: asking.remote.begin_feed()?,
            url: kept.url,
        })
    }
}

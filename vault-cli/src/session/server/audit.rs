//! Going through the server's log from its first leaf, and finding every link that was sent.

use crate::session::Result;
use crate::session::Session;
use crate::session::SessionError;
use crate::session::log::failure;
use crate::session::progress::Task;
use crate::session::progress::Unit;
use crate::session::reply::Failure;
use crate::session::reply::ServerLog;
use vault_core::check::Check;
use vault_core::sync::Audit;
use vault_core::wire::v1::stream::StreamId;

impl Session {
    /// Hashes the whole log of the vault's server again, up to its newest checkpoint, and finds there what was sent;
    /// nothing where there is no server. What is wrong is pushed to `failures`.
    pub(in crate::session) fn audit_server(
        &mut self,
        failures: &mut Vec<Failure>,
        task: Task<'_>,
    ) -> Result<Option<ServerLog>> {
        let Some((mut kept, log, asking)) = self.reached()? else {
            return Ok(None);
        };
        let taken = self.follow(&asking, &log, &mut kept, task)?;
        for (stream, seq) in taken.behind {
            let of = format!("entry {seq} of {stream}");
            failures.push(failure(&of, &SessionError::refused(Check::BodyMissing, "log")));
        }
        let end = kept.follower(self.holder.agency.id())?.checkpoint();

        let mut links = Vec::new();
        self.store.read(|tx| {
            tx.links_until(kept.pushed, &mut |stream, seq, link| -> Result<()> {
                links.push((stream, seq, link));
                Ok(())
            })
        })?;
        let mut audit = Audit::begin(end, links);
        task.progress
            .start("reading the server's log", Some(end.size), Unit::Items);
        while let Some(request) = audit.ask().map_err(|fault| asking.fault(fault))? {
            task.cancel.check()?;
            let before = audit.reached();
            let answer = asking.ask(request)?;
            audit.take(&answer).map_err(|fault| asking.fault(fault))?;
            task.progress.advance(audit.reached().saturating_sub(before));
        }
        task.progress.finish();
        let found = audit.finish().map_err(|fault| asking.fault(fault))?;
        for (stream, seq) in found.other_link.union(&found.missing) {
            failures.push(not_there(*stream, *seq));
        }
        Ok(Some(ServerLog {
            url: kept.url,
            leaves: end.size,
            own: found.own,
            others: found.others,
        }))
    }
}

fn not_there(stream: StreamId, seq: u64) -> Failure {
    let of = format!("entry {seq} of {stream}");
    failure(&of, &SessionError::refused(Check::LogInclusion, "log"))
}

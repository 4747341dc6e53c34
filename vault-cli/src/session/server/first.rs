//! What a device that was just enrolled fetches before it has a vault: the agency's stream, verified from the agency's id
//! and the checkpoint on its sheet, so that it is shown nothing older than its paper (ATTACKS 43).
//!
//! Cases come with the first `sync`, which begins at the log's first leaf.

use super::asking::Asking;
use super::driving::Driver;
use super::driving::drive;
use super::kept::KeptRemote;
use super::log_key;
use super::taking::AgencyLink;
use super::witnessed;
use crate::places::Places;
use crate::remote::Remote;
use crate::remote::ServerFault;
use crate::remote::ServerUrl;
use crate::session::Result;
use crate::session::SessionError;
use crate::session::refused;
use crate::store::WriteTx;
use std::collections::BTreeMap;
use vault_core::agency_state::AgencyState;
use vault_core::check::Check;
use vault_core::crypto::sign::SigningKey;
use vault_core::joining::Invite;
use vault_core::server_session::By;
use vault_core::sync::Behind;
use vault_core::sync::CosignedTrees;
use vault_core::sync::Fault;
use vault_core::sync::Pull;
use vault_core::sync::Pulled;
use vault_core::sync::Request;
use vault_core::tlog::checkpoint::Checkpoint;
use vault_core::tlog::checkpoint::Witness;
use vault_core::tlog::follow::Follower;
use vault_core::tlog::witness;
use vault_core::wire::v1::link::Seen;
use vault_core::wire::v1::stream::StreamId;

/// The agency as its server has it, not yet kept.
pub(in crate::session) struct First {
    pub(in crate::session) agency: AgencyState,
    links: Vec<AgencyLink>,
    url: String,
    /// What was verified of the log.
    log: Checkpoint,
    seen: Option<Seen>,
}

/// Fetches the agency's stream for the device of an invite that was answered.
///
/// # Errors
/// [`SessionError::Server`], [`SessionError::Refused`]: CHK-129 and what the enrolment names for an agency or a log that is
/// not the sheet's.
pub(in crate::session) fn fetch(places: &Places, invite: &Invite, signer: &SigningKey) -> Result<First> {
    let agency = invite.sheet().agency;
    let url = ServerUrl::parse(invite.url())?;
    let remote = Remote::new(url.clone(), agency);
    let (log, _) = log_key(&remote, agency)?;
    let asking = Asking::new(remote, places.clone(), agency, &log)?;
    asking.remote.begin(log.key, invite.device(), By::Device, signer)?;

    // Before the log is followed; which of it counts, the root says that is still to come.
    let cosigned = asking.remote.cosigned()?;
    let follower = Follower::new(agency);
    let mut pull = Pull::begin(
        asking.log.clone(),
        follower,
        BTreeMap::new(),
        Vec::new(),
        Box::new(|_| false),
    )
    .continuing(invite.checkpoint());
    let mut first = Fetching {
        asking: &asking,
        pulled: Vec::new(),
    };
    drive(&mut pull, &mut first)?;
    let pulled = first.pulled;
    let follower = pull.finish().map_err(|fault| asking.fault(fault))?;

    let (state, links) = admit(pulled)?;
    invite
        .require_continued(&state)
        .map_err(|refused| asking.fault(refused.into()))?;
    if state.root().log.as_ref() != Some(&log) {
        return Err(ServerFault::OtherKey.into());
    }
    require_witnessed(&asking, &follower, (&state, invite.checkpoint().size), &cosigned)?;
    Ok(First {
        agency: state,
        links,
        url: url.as_str().to_owned(),
        log: follower.checkpoint(),
        seen: follower.seen(),
    })
}

/// Refuses a log that no witness of the root has cosigned within a day: an older copy of the agency, whose sheet was older
/// still, would look no different (ATTACKS 43).
///
/// `sheet` is the leaves of the log on the sheet, which the witness must have seen as well.
fn require_witnessed(
    asking: &Asking,
    follower: &Follower,
    (agency, sheet): (&AgencyState, u64),
    cosigned: &[u8],
) -> Result<()> {
    let named = Witness::named(agency.root());
    if agency.root().witnesses.is_empty() {
        return Ok(());
    }
    let trees = CosignedTrees::open(asking.log.clone(), &named, cosigned).map_err(|fault| asking.fault(fault))?;
    let found = witnessed::hold(asking, follower, trees)?;
    let now = witnessed::now();
    let all = found.iter().map(|one| (one.time, one.size));
    witness::require_fresh(all.clone(), sheet, now).map_err(|_| {
        let newest = witness::Freshness::newest(all.map(|(time, _)| time), now);
        ServerFault::Unwitnessed {
            is_short: witness::Freshness::of(newest, now) == witness::Freshness::Fresh,
            newest: newest.map(witnessed::text),
        }
        .into()
    })
}

/// Keeps what comes until all of it is here.
struct Fetching<'a> {
    asking: &'a Asking,
    pulled: Vec<Pulled>,
}

impl Driver for Fetching<'_> {
    fn ask(&mut self, request: Request) -> Result<Vec<u8>> {
        self.asking.ask(request)
    }

    fn fault(&self, fault: Fault) -> SessionError {
        self.asking.fault(fault)
    }

    fn arrived(&mut self, _: Seen) {}

    fn ahead(&mut self, _: Seen) -> SessionError {
        self.fault(Check::LogConsistency.into())
    }

    fn take(&mut self, pulled: Vec<Pulled>, _: u64) -> Result<()> {
        self.pulled.extend(pulled);
        Ok(())
    }

    fn has_left(&mut self, _: StreamId, _: u64, _: Vec<Pulled>) -> Result<bool> {
        // Nothing is fetched but the agency's stream, which no member of it leaves.
        Ok(false)
    }

    fn hold_back(&mut self, behind: Behind) -> Result<()> {
        let Behind { stream, seq, .. } = behind;
        Err(self.fault(Fault::Absent { stream, seq }))
    }
}

impl First {
    /// Puts it into an empty store, with what there is to go on from.
    pub(in crate::session) fn keep(&self, tx: &mut WriteTx<'_>) -> Result<()> {
        for link in &self.links {
            link.keep(tx)?;
        }
        let mut kept = KeptRemote::new(&self.url, self.agency.id())?;
        kept.is_sent_to(tx.head().pos, tx.head().order, false);
        // Cases are still to be fetched, from the first leaf: of the very log that was verified here.
        kept.begins_at(&self.log);
        // The agency's links may carry as much already.
        if let Some(seen) = self.seen {
            kept.arrived(seen);
        }
        kept.store(tx)
    }
}

fn admit(pulled: Vec<Pulled>) -> Result<(AgencyState, Vec<AgencyLink>)> {
    let refused = refused("agency");
    let mut state: Option<AgencyState> = None;
    let mut links = Vec::with_capacity(pulled.len());
    for one in pulled {
        links.push(match &mut state {
            None => {
                let (link, records, blobs) = one.parcel.into_parts();
                let founded = AgencyState::found(&link).map_err(&refused)?;
                let founder = founded.live_device(link.link().device).map_err(&refused)?;
                let link = link.verify(&founder.key).map_err(&refused)?;
                state = Some(founded);
                AgencyLink::judged(link, records, blobs)
            }
            Some(state) => AgencyLink::admit(state, one.parcel, "agency")?,
        });
    }
    let state = state.ok_or_else(|| SessionError::refused(Check::Founding, "agency"))?;
    Ok((state, links))
}

//! What a session may do. What the service does for a client takes a permit, and only this module makes permits.

use std::collections::BTreeSet;
use std::sync::Arc;

use vault_core::agency_state::AgencyState;
use vault_core::id::{DeviceId, MemberId};
use vault_core::wire::v1::agency::Roles;
use vault_core::wire::v1::enrolment::InviteKind;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::stream::{StreamId, StreamKind};

use crate::authenticate::Claim;
use crate::service::Agency;
use crate::store::{InviteRow, Reader, Reads, StoreError, StreamNo, StreamRow, Which};

/// A live device of an agency, by a token that is good.
#[derive(Clone)]
pub struct Session {
    agency: Arc<Agency>,
    device: DeviceId,
    member: MemberId,
    reviews: bool,
    administers: bool,
    until: u64,
}

/// May append to an agency's streams.
pub struct Appending(Arc<Agency>);

/// May open an invite, in its member's name.
pub struct Inviting {
    agency: Arc<Agency>,
    member: MemberId,
}

/// May answer an invite.
pub struct Answering(InviteRow);

/// May see what waits for an administrator.
pub struct Administering(Arc<Agency>);

/// May read a stream.
pub struct Readable {
    row: StreamRow,
    links: u64,
}

/// Returns the session of a token's claim, if its device is live in the agency, or is to be: one that a restore made, by the
/// word of the member who is the sole administrator now as then.
pub fn session(agency: Arc<Agency>, claim: &Claim) -> Option<Session> {
    let state = agency.published().state?;
    let member = match claim.identity {
        Some(member) if !state.devices().contains_key(&claim.device) => {
            state
                .sole_administrator()
                .filter(|alone| alone.member == member)?
                .member
        }
        _ => state.live_device(claim.device).ok()?.member,
    };
    let roles = state.live_member(member).ok()?.roles();
    Some(Session {
        agency,
        device: claim.device,
        member,
        reviews: roles.any(Roles::REVIEWER.with(Roles::DPO)),
        administers: state.is_administrator(member),
        until: claim.until,
    })
}

/// Lets whoever founds an agency append its first link, which proves itself.
pub fn founding(agency: Arc<Agency>) -> Option<Appending> {
    agency.published().state.is_none().then_some(Appending(agency))
}

impl Session {
    /// Returns the agency.
    pub fn agency(&self) -> &Arc<Agency> {
        &self.agency
    }

    /// Returns the device.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// Tells whether it is still good at `now`, and its device still live.
    pub fn is_good(&self, state: &AgencyState, now: u64) -> bool {
        now <= self.until && state.live_device(self.device).is_ok()
    }

    /// May append: every link is judged by its own signer.
    pub fn appending(&self) -> Appending {
        Appending(Arc::clone(&self.agency))
    }

    /// May open an invite: an administrator any, and everybody one of a device of their own.
    pub fn inviting(&self, kind: InviteKind) -> Option<Inviting> {
        (self.administers || kind == InviteKind::Device).then(|| Inviting {
            agency: Arc::clone(&self.agency),
            member: self.member,
        })
    }

    /// May answer an invite that its member opened; an administrator those of the agency.
    pub fn answering(&self, invite: InviteRow) -> Option<Answering> {
        let is_own = invite.opener == self.member || self.administers;
        (is_own && invite.agency == self.agency.no()).then_some(Answering(invite))
    }

    /// May see what waits for an administrator.
    pub fn administering(&self) -> Option<Administering> {
        self.administers.then(|| Administering(Arc::clone(&self.agency)))
    }

    /// Returns for whom lists of streams are made.
    pub fn reader(&self) -> Reader {
        Reader {
            device: self.device,
            member: self.member,
            reviews: self.reviews,
        }
    }

    /// May read the agency's own stream, cases that its member has a live grant in, its own device's accesses, and as a
    /// reviewer or officer everybody's; of a case in which its member's last grant ended, what there is up to the link that
    /// ended it. `None` where it may not, and likewise where there is no such stream.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn readable(&self, reads: &dyn Reads, stream: StreamId) -> Result<Option<Readable>, StoreError> {
        let Some(row) = reads.stream(self.agency.no(), stream)? else {
            return Ok(None);
        };
        let all = row.links;
        let links = match stream.kind {
            StreamKind::Agency => (stream == StreamId::agency(&self.agency.id())).then_some(all),
            StreamKind::Case if reads.holds(row.no, self.member)? => Some(all),
            StreamKind::Case => until_it_ended(reads, row.no, self.member)?,
            StreamKind::Access => (self.reviews || stream == StreamId::access(self.device)).then_some(all),
        };
        Ok(links.map(|links| Readable { row, links }))
    }
}

impl Appending {
    /// Returns the agency.
    pub fn agency(&self) -> &Arc<Agency> {
        &self.0
    }
}

impl Inviting {
    /// Returns the agency.
    pub fn agency(&self) -> &Arc<Agency> {
        &self.agency
    }

    /// Returns who opens it.
    pub fn member(&self) -> MemberId {
        self.member
    }
}

impl Answering {
    /// Returns the invite.
    pub fn into_invite(self) -> InviteRow {
        self.0
    }
}

impl Administering {
    /// Returns the agency.
    pub fn agency(&self) -> &Arc<Agency> {
        &self.0
    }
}

impl Readable {
    /// Returns the stream.
    pub fn row(&self) -> &StreamRow {
        &self.row
    }

    /// Returns how many of its links may be read, from the first on.
    pub fn links(&self) -> u64 {
        self.links
    }
}

/// Returns how many links of a case there are up to the one that ended a member's last grant; `None` for who never had one.
///
/// Whoever held a case has to learn from its own stream that this is over: what is not delivered without a word is withheld.
fn until_it_ended(reads: &dyn Reads, stream: StreamNo, member: MemberId) -> Result<Option<u64>, StoreError> {
    let (mut held, mut ended) = (BTreeSet::new(), None);
    reads.links(stream, Which::Events, &mut |stored| {
        let link = stored.link.link();
        let LinkBody::Event(placed) = &link.body else {
            return Ok(());
        };
        let (change, expired) = match &placed.event {
            Event::CaseOpened(change) | Event::Membership(change) => (change, &[][..]),
            Event::Expired(expired) => (&expired.membership, expired.grants.as_slice()),
            _ => return Ok(()),
        };
        let had = !held.is_empty();
        let granted = change.grants.iter().filter(|grant| grant.member == member);
        held.extend(granted.map(|grant| grant.grant));
        for grant in change.revoked.iter().chain(expired) {
            held.remove(grant);
        }
        if had && held.is_empty() {
            ended = Some(link.seq + 1);
        }
        Ok(())
    })?;
    Ok(ended)
}

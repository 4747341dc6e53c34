//! Members and devices: who is invited, taken in, changed and let go.
//!
//! ```text
//! invite ─ sheet, a local value, an invite at the server ─> (paper) ─> join, on the other device
//! approve ─ request opened ─> events in the agency's stream ─ sync ─> answer at the server ─> local value removed
//! role, retire, lost ─> events in the agency's stream ─ sync, where there is a server
//! ```
//! Whatever changes who holds the agency's keys opens their next epochs with it, and seals the settings anew, so that whoever
//! is new reads the names and whoever is gone reads none that are written from then on.

mod approve;
mod change;
mod invite;
pub(in crate::session) mod invited;
mod list;
pub(in crate::session) mod role;

pub use role::ROLES;

use super::Holder;
use super::Result;
use super::Session;
use super::SessionError;
use super::random;
use super::refused;
use super::server::Reached;
use crate::store::BlobKind;
use crate::store::WriteTx;
use jiff::civil::Date;
use vault_core::growing;
use vault_core::growing::Acting;
use vault_core::id::DeviceId;
use vault_core::id::MemberId;
use vault_core::restoring::Appended;
use vault_core::wire::v1::agency::Roles;
use vault_core::wire::v1::stream::Day;

const AGENCY: &str = "agency";
/// Names the local value of a vault whose agency has grown: empty, and there for `status`, which has no key.
pub(super) const COMPANY: &str = "grown-agency";

impl Holder {
    /// Appends what an administrator decided, then the epochs that it calls for.
    pub(super) fn administer(
        &mut self,
        tx: &mut WriteTx<'_>,
        act: impl FnOnce(
            &mut vault_core::agency_state::AgencyState,
            Acting<'_>,
        ) -> std::result::Result<Appended, vault_core::check::Refused>,
    ) -> Result<()> {
        let by = Acting {
            member: self.member,
            device: self.device,
            secrets: &self.secrets,
        };
        self.agency.observe(tx.seen()?);
        let appended = act(&mut self.agency, by).map_err(refused(AGENCY))?;
        put(tx, &appended)?;
        self.renew_epochs(tx)
    }

    /// Opens the epochs that are owed and that this member may open.
    pub(super) fn renew_epochs(&mut self, tx: &mut WriteTx<'_>) -> Result<()> {
        let (member, device) = (self.member, self.device);
        let mut random = random::os();
        self.agency.observe(tx.seen()?);
        let renewed = growing::renew(&mut self.agency, member, device, &mut self.secrets, &mut random);
        put(tx, &renewed.map_err(refused(AGENCY))?)
    }

    /// Whether a member has the role of an administrator and the root does not name it by the key that it has: it does
    /// not administer yet.
    pub(super) fn is_unnamed(&self, member: MemberId) -> bool {
        let named = |identity| {
            let mut named = self.agency.root().administrators.iter();
            named.any(|one| one.member == member && one.identity == identity)
        };
        let known = self.agency.live_member(member);
        known.is_ok_and(|known| known.roles().any(Roles::ADMINISTRATOR) && !named(known.identity))
    }

    /// Refuses whoever does not administer the agency.
    pub(super) fn require_administrator(&self, what: &'static str) -> Result<()> {
        match self.agency.is_administrator(self.member) {
            true => Ok(()),
            false => Err(SessionError::NotAdministrator { what }),
        }
    }

    /// Finds a live member by its handle.
    pub(super) fn live_member(&self, text: &str) -> Result<MemberId> {
        let range = MemberId::range(text).map_err(|_| not_found("member", text))?;
        let live = self
            .agency
            .members()
            .keys()
            .filter(|id| self.agency.live_member(**id).is_ok());
        let mut found = live.filter(|id| (range.low..=range.high).contains(&id.0));
        one(found.next(), found.next(), text, "member").copied()
    }

    /// Finds a live device by its handle.
    fn live_device(&self, text: &str) -> Result<DeviceId> {
        let range = DeviceId::range(text).map_err(|_| not_found("device", text))?;
        let live = self
            .agency
            .devices()
            .keys()
            .filter(|id| self.agency.live_device(**id).is_ok());
        let mut found = live.filter(|id| (range.low..=range.high).contains(&id.0));
        one(found.next(), found.next(), text, "device").copied()
    }
}

impl Session {
    /// Opens the epochs that a change by somebody else has left to this member.
    pub(super) fn open_owed_epochs(&mut self) -> Result<()> {
        let agency = &self.holder.agency;
        let owed = growing::owed(agency);
        let roles = agency.live_member(self.holder.member).map(|known| known.roles());
        let is_officer = roles.is_ok_and(|roles| roles.any(Roles::DPO));
        let is_own = owed.agency && agency.is_administrator(self.holder.member) || owed.role && is_officer;
        match is_own {
            true => self.write(|holder, tx| holder.renew_epochs(tx)),
            false => Ok(()),
        }
    }

    /// Reaches the vault's server, follows its log and sends what waits: what is decided next is decided on what is there.
    fn reach_and_sync(&mut self, task: super::Task<'_>) -> Result<Reached> {
        self.sync(task)?;
        let reached = self.reach()?;
        Ok(reached)
    }
}

fn one<T>(first: Option<T>, second: Option<T>, text: &str, what: &'static str) -> Result<T> {
    match (first, second) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => Err(SessionError::Ambiguous {
            text: text.to_owned(),
            candidates: Vec::new(),
        }),
        (None, _) => Err(not_found(what, text)),
    }
}

fn not_found(what: &'static str, text: &str) -> SessionError {
    SessionError::NotFound {
        what,
        text: text.to_owned(),
    }
}

/// Stores links of the agency's stream with the files that they name.
fn put(tx: &mut WriteTx<'_>, appended: &Appended) -> Result<()> {
    for (_, bytes) in &appended.files {
        tx.put_blob(BlobKind::Keyring, bytes)?;
    }
    for link in &appended.links {
        tx.put_event(link, &[])?;
    }
    Ok(())
}

/// Returns the number of a day.
pub(super) fn day_of(date: Date) -> Day {
    let since = date.duration_since(Date::constant(1970, 1, 1)).as_hours() / 24;
    Day(u32::try_from(since).unwrap_or(0))
}

/// Returns a day as an ISO date.
pub(super) fn date_of(day: Day) -> String {
    let span = jiff::Span::new().try_days(i64::from(day.0));
    let date = span.and_then(|span| Date::constant(1970, 1, 1).checked_add(span));
    date.map_or_else(|_| day.0.to_string(), |date| date.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn days_are_numbers_and_dates() {
        for (number, date) in [(0, "1970-01-01"), (20_786, "2026-11-29"), (11_016, "2000-02-29")] {
            assert_eq!(date_of(Day(number)), date);
            assert_eq!(day_of(date.parse().unwrap()), Day(number));
        }
    }
}

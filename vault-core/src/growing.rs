//! How a vault of one person grows: a log that the root names, and members who join.
//!
//! Every step is an event of the agency's stream, judged here as any reader will judge it, so that nothing that was signed
//! before is signed again (`docs/format.md` §5, §7).

mod epochs;
mod member;
mod root;

pub use epochs::Owed;
pub use epochs::open_agency_epoch;
pub use epochs::open_role_epoch;
pub use epochs::owed;
pub use epochs::renew;
pub use member::Acting;
pub use member::change_roles;
pub use member::enrol;
pub use member::join;
pub use member::renew_recipient;
pub use member::reset;
pub use member::retire;
pub use member::retire_device;
pub use root::Proposal;
pub use root::RootChange;
pub use root::RootPart;
pub use root::signatures_of_root;

use crate::agency_state::AgencyState;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::id::DeviceId;
use crate::id::MemberId;
use crate::keystore::Secrets;
use crate::restoring::Appended;
use crate::tlog::checkpoint::Witness;
use crate::wire;
use crate::wire::v1::agency::Root;
use crate::wire::v1::agency::Verifier;
use crate::wire::v1::limit;

/// Puts the next version of the root in force, signed by one administrator alone: `edit` says what is new in it.
///
/// # Errors
/// [`Check::AdministratorOnly`], [`Check::RootChain`] where this member may not do it alone.
pub fn next_root(
    agency: &mut AgencyState,
    member: MemberId,
    device: DeviceId,
    secrets: &Secrets,
    edit: impl FnOnce(&mut Root),
) -> Result<Appended, Refused> {
    let by = Acting {
        member,
        device,
        secrets,
    };
    Proposal::make(agency, by, edit)?.adopt(agency, by)
}

/// Names the log that a server keeps for the agency.
///
/// # Errors
/// As [`next_root`].
pub fn name_log(
    agency: &mut AgencyState,
    member: MemberId,
    device: DeviceId,
    secrets: &Secrets,
    log: Verifier,
) -> Result<Appended, Refused> {
    next_root(agency, member, device, secrets, |root| root.log = Some(log))
}

/// Names the witnesses of the agency's log, in the place of those that it has; none of them where the list is empty.
///
/// # Errors
/// As [`witnesses_of_root`] and [`next_root`].
pub fn name_witnesses(
    agency: &mut AgencyState,
    member: MemberId,
    device: DeviceId,
    secrets: &Secrets,
    witnesses: Vec<Verifier>,
) -> Result<Appended, Refused> {
    let witnesses = witnesses_of_root(witnesses)?;
    next_root(agency, member, device, secrets, |root| root.witnesses = witnesses)
}

/// Brings witnesses into the form in which a root names them, for whoever proposes one, at most [`limit::WITNESSES`].
///
/// # Errors
/// [`Check::Note`] for a name that no note can have, [`Check::Cosignature`] for bytes that are no key, [`Check::TooLong`].
pub fn witnesses_of_root(witnesses: Vec<Verifier>) -> Result<Vec<Verifier>, Refused> {
    require(witnesses.len() <= limit::WITNESSES, Check::TooLong)?;
    for one in &witnesses {
        let name = std::str::from_utf8(&one.name).map_err(|_| Check::Note)?;
        Witness::new(name, &one.key)?;
    }
    wire::sort_set(witnesses)
}

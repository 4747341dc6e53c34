//! What may change of a member that is there: its roles, and all its keys at once (`docs/format.md` §7).

use super::AgencyState;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::id::MemberId;
use crate::keyring::require_recipient;
use crate::wire::v1::agency::Roles;
use crate::wire::v1::event::MemberReset;
use crate::wire::v1::event::MemberRoles;

/// Changes the roles of a live member, from this link on.
pub(super) fn apply_roles(
    agency: &mut AgencyState,
    signer: MemberId,
    seq: u64,
    change: &MemberRoles,
) -> Result<(), Refused> {
    agency.require_administrator(signer)?;
    require(change.roles.0 & !Roles::ALL.0 == 0, Check::UnknownFormat)?;
    agency.live_member(change.member).map_err(|_| Check::RolesChange)?;
    let member = agency.members.get_mut(&change.member).ok_or(Check::RolesChange)?;
    member.roles.push((seq, change.roles));
    Ok(())
}

/// Gives a live member another identity and another recipient, and retires every device that the old identity certified.
///
/// What it had before stands for nothing new: whoever has the lost keys certifies nothing with them any more, and opens
/// nothing of the epochs that follow.
pub(super) fn apply_reset(
    agency: &mut AgencyState,
    signer: MemberId,
    seq: u64,
    reset: &MemberReset,
) -> Result<(), Refused> {
    agency.require_administrator(signer)?;
    let check = Check::MemberReset;
    let id = reset.recipient.member;
    agency.live_member(id).map_err(|_| check)?;
    let used = |identity| agency.members.values().any(|m| m.identity == identity);
    require(!used(reset.identity), check)?;
    let member = agency.members.get_mut(&id).ok_or(check)?;
    let last = member.recipient().map_or(0, |r| r.version);
    let is_new = member
        .recipients
        .iter()
        .all(|(_, known)| known.key != reset.recipient.key);
    require(is_new && reset.recipient.version == last.saturating_add(1), check)?;
    require_recipient(&reset.recipient.key)?;
    member.identity = reset.identity;
    member.recipients.push((seq, reset.recipient.clone()));
    for device in agency.devices.values_mut().filter(|d| d.member == id) {
        device.retired_at.get_or_insert(seq);
    }
    Ok(())
}

//! Members and devices who come, change and go: each an event of an administrator's, judged as any reader will judge it.
//!
//! ```text
//! join: member, device      reset: reset, device, (root)      roles: roles, (root)      retire: (root), member_retired
//! ```
//! Whoever is named by the root as an administrator is kept in step by a new version of it, which one administrator signs
//! alone where the root's threshold is one. Where it is more, who comes to have the role waits for a proposal to be named,
//! and who is named is taken out by one before the role is.

use super::epochs::append;
use super::next_root;
use super::root::signatures_of_root;
use crate::agency_state::AgencyState;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::id::DeviceId;
use crate::id::MemberId;
use crate::keystore::Secrets;
use crate::restoring::Appended;
use crate::wire;
use crate::wire::v1::agency::Administrator;
use crate::wire::v1::agency::CertifiedDevice;
use crate::wire::v1::agency::MemberRecipient;
use crate::wire::v1::agency::RecipientKey;
use crate::wire::v1::agency::Roles;
use crate::wire::v1::agency::Root;
use crate::wire::v1::enrolment::NewPerson;
use crate::wire::v1::event::Event;
use crate::wire::v1::event::MemberReset;
use crate::wire::v1::event::MemberRoles;
use crate::wire::v1::event::NewMember;

/// Who signs.
#[derive(Clone, Copy, Debug)]
pub struct Acting<'a> {
    /// The member.
    pub member: MemberId,
    /// Its device.
    pub device: DeviceId,
    /// Its secrets.
    pub secrets: &'a Secrets,
}

/// Takes in a new member with its first device. The roles are the administrator's choice.
///
/// # Errors
/// [`Check::AdministratorOnly`], [`Check::IdReused`], [`Check::DeviceCertificate`].
pub fn join(agency: &mut AgencyState, by: Acting<'_>, person: &NewPerson, roles: Roles) -> Result<Appended, Refused> {
    let member = person.device.certificate.member;
    let event = Event::Member(NewMember {
        member,
        identity: person.identity,
        // Administrators are the root's: the bit alone gives nothing, and comes with the root below.
        roles,
        recipient: recipient(member, 1, &person.recipient),
    });
    let mut appended = append(agency, by.device, by.secrets, event, Vec::new())?;
    appended.extend(enrol(agency, by, person.device)?);
    appended.extend(name_administrator(agency, by, member)?);
    Ok(appended)
}

/// Takes in a further device of a member, which the member certified.
///
/// # Errors
/// [`Check::AdministratorOnly`], [`Check::IdReused`], [`Check::DeviceCertificate`].
pub fn enrol(agency: &mut AgencyState, by: Acting<'_>, device: CertifiedDevice) -> Result<Appended, Refused> {
    append(agency, by.device, by.secrets, Event::Device(device), Vec::new())
}

/// Lets a member begin anew with other keys and one device; its others are retired.
///
/// # Errors
/// [`Check::AdministratorOnly`], [`Check::MemberReset`], [`Check::DeviceCertificate`]; [`Check::RootThreshold`] where too few
/// administrators would be left to sign the root that names the new key.
pub fn reset(agency: &mut AgencyState, by: Acting<'_>, person: &NewPerson) -> Result<Appended, Refused> {
    let member = person.device.certificate.member;
    let known = agency.live_member(member).map_err(|_| Check::MemberReset)?;
    let version = known.recipient().map_or(0, |r| r.version);
    let version = version.checked_add(1).ok_or(Check::MemberReset)?;
    // Until a root names the new key the member signs none: as many as it takes must be left, or no root ever follows.
    let needed = signatures_of_root(agency);
    let mut named = agency.root().administrators.iter();
    if needed > 1 && named.any(|one| one.member == member) {
        let others = agency.root().administrators.iter().filter(|one| one.member != member);
        let left = others.filter(|one| agency.may_sign_root(one.member)).count();
        require(left >= needed, Check::RootThreshold)?;
    }
    let event = Event::Reset(MemberReset {
        identity: person.identity,
        recipient: recipient(member, version, &person.recipient),
    });
    let mut appended = append(agency, by.device, by.secrets, event, Vec::new())?;
    appended.extend(enrol(agency, by, person.device)?);
    // The root names its administrators by their identity keys.
    appended.extend(name_administrator(agency, by, member)?);
    Ok(appended)
}

/// Changes a member's roles.
///
/// # Errors
/// [`Check::AdministratorOnly`], [`Check::RolesChange`]; [`Check::RootChain`] where the root needs more than one signature,
/// [`Check::RootThreshold`] where it would need more than there are administrators.
pub fn change_roles(
    agency: &mut AgencyState,
    by: Acting<'_>,
    member: MemberId,
    roles: Roles,
) -> Result<Appended, Refused> {
    let mut appended = Appended::default();
    if !roles.any(Roles::ADMINISTRATOR) {
        appended.extend(drop_administrator(agency, by, member)?);
    }
    let event = Event::Roles(MemberRoles { member, roles });
    appended.extend(append(agency, by.device, by.secrets, event, Vec::new())?);
    appended.extend(name_administrator(agency, by, member)?);
    Ok(appended)
}

/// Gives this member another version of its own recipient: what is wrapped from then on opens with no lost key.
///
/// # Errors
/// [`Check::RecipientChange`].
pub fn renew_recipient(agency: &mut AgencyState, by: Acting<'_>, key: &RecipientKey) -> Result<Appended, Refused> {
    let known = agency.live_member(by.member).map_err(|_| Check::RecipientChange)?;
    let version = known.recipient().map_or(0, |r| r.version);
    let version = version.checked_add(1).ok_or(Check::RecipientChange)?;
    let event = Event::Recipient(recipient(by.member, version, key));
    append(agency, by.device, by.secrets, event, Vec::new())
}

/// Lets a member go, with all its devices.
///
/// # Errors
/// [`Check::AdministratorOnly`] for a member that is not there; as [`change_roles`] for an administrator.
pub fn retire(agency: &mut AgencyState, by: Acting<'_>, member: MemberId) -> Result<Appended, Refused> {
    agency.live_member(member).map_err(|_| Check::AdministratorOnly)?;
    let mut appended = drop_administrator(agency, by, member)?;
    let event = Event::MemberRetired(member);
    appended.extend(append(agency, by.device, by.secrets, event, Vec::new())?);
    Ok(appended)
}

/// Retires a device.
///
/// # Errors
/// [`Check::AdministratorOnly`] for a device that is not live.
pub fn retire_device(agency: &mut AgencyState, by: Acting<'_>, device: DeviceId) -> Result<Appended, Refused> {
    agency.live_device(device).map_err(|_| Check::AdministratorOnly)?;
    append(agency, by.device, by.secrets, Event::DeviceRetired(device), Vec::new())
}

/// Names a member in the root as it is now, if it has the role of an administrator and the root says otherwise.
fn name_administrator(agency: &mut AgencyState, by: Acting<'_>, member: MemberId) -> Result<Appended, Refused> {
    let known = agency.live_member(member)?;
    let named = Administrator {
        member,
        identity: known.identity,
    };
    let is_one = known.roles().any(Roles::ADMINISTRATOR);
    // Nobody signs alone for more: a proposal names it (`Proposal::make`).
    if !is_one || agency.root().administrators.contains(&named) || signatures_of_root(agency) > 1 {
        return Ok(Appended::default());
    }
    edit_administrators(agency, by, |administrators| {
        administrators.retain(|one| one.member != member);
        administrators.push(named);
    })
}

/// Takes a member's name out of the root, if it is there.
fn drop_administrator(agency: &mut AgencyState, by: Acting<'_>, member: MemberId) -> Result<Appended, Refused> {
    if !agency.root().administrators.iter().any(|one| one.member == member) {
        return Ok(Appended::default());
    }
    // The last one could never be followed by another.
    require(agency.root().administrators.len() > 1, Check::RootThreshold)?;
    edit_administrators(agency, by, |administrators| {
        administrators.retain(|one| one.member != member)
    })
}

fn edit_administrators(
    agency: &mut AgencyState,
    by: Acting<'_>,
    edit: impl FnOnce(&mut Vec<Administrator>),
) -> Result<Appended, Refused> {
    let mut administrators = agency.root().administrators.clone();
    edit(&mut administrators);
    let administrators = wire::sort_set(administrators)?;
    next_root(agency, by.member, by.device, by.secrets, |root: &mut Root| {
        root.administrators = administrators;
    })
}

fn recipient(member: MemberId, version: u32, key: &RecipientKey) -> MemberRecipient {
    MemberRecipient {
        member,
        version,
        key: key.clone(),
    }
}

//! Who is there, and who is invited.

use super::date_of;
use super::invited::Invited;
use super::role;
use crate::session::Result;
use crate::session::Session;
use crate::session::reply::DEVICE_LIST;
use crate::session::reply::DeviceListReply;
use crate::session::reply::ListedDevice;
use crate::session::reply::ListedMember;
use crate::session::reply::MEMBER_LIST;
use crate::session::reply::MemberListReply;
use crate::session::request::DeviceListRequest;
use crate::session::request::MemberListRequest;
use vault_core::wire::v1::enrolment::InviteKind;

const LIVE: &str = "live";
const RETIRED: &str = "retired";
const INVITED: &str = "invited";

impl Session {
    /// Lists members, and invites that were made here. Names of staff are no client's: nothing is logged.
    ///
    /// # Errors
    /// [`crate::session::SessionError::Refused`].
    pub fn member_list(&mut self, _: MemberListRequest) -> Result<MemberListReply> {
        let (settings, invites) = self.settings_and_invites()?;
        let (agency, founder) = (&self.holder.agency, self.holder.founder());
        let mut known: Vec<_> = agency.members().iter().collect();
        known.sort_by_key(|(_, member)| member.roles.first().map(|(since, _)| *since));
        let mut members: Vec<ListedMember> = known
            .into_iter()
            .map(|(id, member)| {
                let own = agency.devices().iter().filter(|(_, device)| device.member == *id);
                let live = own.filter(|(device, _)| agency.live_device(**device).is_ok()).count();
                ListedMember {
                    member: id.handle(),
                    name: settings.name_of(*id, founder).map(str::to_owned),
                    roles: role::names(member.roles()),
                    status: if member.retired_at.is_none() { LIVE } else { RETIRED }.to_owned(),
                    devices: u64::try_from(live).unwrap_or(u64::MAX),
                    own: *id == self.holder.member,
                    until: None,
                }
            })
            .collect();
        let invited = invites
            .iter()
            .filter(|one| one.invite.sheet().kind == InviteKind::Member);
        members.extend(invited.map(|one| ListedMember {
            member: one.invite.sheet().member.handle(),
            name: Some(one.name.clone()),
            roles: one.roles.clone(),
            status: INVITED.to_owned(),
            devices: 0,
            own: false,
            until: Some(date_of(one.invite.sheet().until)),
        }));
        Ok(MemberListReply {
            schema: MEMBER_LIST,
            members,
        })
    }

    /// Lists one's own devices, or everybody's, and invites that were made here.
    ///
    /// # Errors
    /// As [`Session::member_list`].
    pub fn device_list(&mut self, request: DeviceListRequest) -> Result<DeviceListReply> {
        let (settings, invites) = self.settings_and_invites()?;
        let (agency, founder) = (&self.holder.agency, self.holder.founder());
        let wanted = |member| request.all || member == self.holder.member;
        let mut known: Vec<_> = agency
            .devices()
            .iter()
            .filter(|(_, device)| wanted(device.member))
            .collect();
        known.sort_by_key(|(_, device)| device.since);
        let mut devices: Vec<ListedDevice> = known
            .into_iter()
            .map(|(id, device)| ListedDevice {
                device: id.handle(),
                member: device.member.handle(),
                name: settings.name_of(device.member, founder).map(str::to_owned),
                status: if agency.live_device(*id).is_ok() { LIVE } else { RETIRED }.to_owned(),
                here: *id == self.holder.device,
                until: None,
            })
            .collect();
        let waiting = invites.iter().filter(|one| wanted(one.invite.sheet().member));
        devices.extend(waiting.map(|one| ListedDevice {
            device: one.invite.device().handle(),
            member: one.invite.sheet().member.handle(),
            name: Some(one.name.clone()),
            status: INVITED.to_owned(),
            here: false,
            until: Some(date_of(one.invite.sheet().until)),
        }));
        Ok(DeviceListReply {
            schema: DEVICE_LIST,
            devices,
        })
    }

    fn settings_and_invites(&mut self) -> Result<(crate::session::settings::Settings, Vec<Invited>)> {
        self.store.read(|tx| {
            self.holder.catch_up(tx)?;
            Ok((self.holder.settings(tx)?.settings, Invited::all(tx)?))
        })
    }
}

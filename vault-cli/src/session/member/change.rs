//! Other roles, and departures.

use super::role;
use crate::remote::ServerFault;
use crate::session::Kind;
use crate::session::Result;
use crate::session::Session;
use crate::session::SessionError;
use crate::session::Task;
use crate::session::reply::ChangedReply;
use crate::session::reply::DEVICE_LOST;
use crate::session::reply::DEVICE_RETIRE;
use crate::session::reply::MEMBER_RETIRE;
use crate::session::reply::MEMBER_ROLE;
use crate::session::reply::Schema;
use crate::session::request::DeviceRetireRequest;
use crate::session::request::MemberRetireRequest;
use crate::session::request::MemberRoleRequest;
use vault_core::growing;
use vault_core::id::DeviceId;
use vault_core::id::MemberId;
use vault_core::wire::v1::agency::Roles;

impl Session {
    /// Gives a member other roles.
    ///
    /// # Errors
    /// [`SessionError::NotAdministrator`], [`SessionError::NotFound`], [`SessionError::Unknown`]; [`SessionError::Denied`] for
    /// one's own administration.
    pub fn member_role(&mut self, request: MemberRoleRequest, task: Task<'_>) -> Result<ChangedReply> {
        self.holder.require_administrator("changing a member's roles")?;
        let roles = role::read(&request.roles)?;
        let member = self.holder.live_member(&request.member)?;
        if member == self.holder.member && !roles.any(Roles::ADMINISTRATOR) {
            return Err(SessionError::Denied {
                why: "nobody ends their own administration".to_owned(),
                hint: "another administrator does it".to_owned(),
            });
        }
        if !roles.any(Roles::ADMINISTRATOR) {
            self.require_unnamed(member)?;
        }
        self.write(|holder, tx| holder.administer(tx, |agency, by| growing::change_roles(agency, by, member, roles)))?;
        self.changed(MEMBER_ROLE, member, None, task)
    }

    /// Lets a member go, with all its devices.
    ///
    /// # Errors
    /// As [`Session::member_role`].
    pub fn member_retire(&mut self, request: MemberRetireRequest, task: Task<'_>) -> Result<ChangedReply> {
        self.holder.require_administrator("letting a member go")?;
        let member = self.holder.live_member(&request.member)?;
        if member == self.holder.member {
            return Err(SessionError::Denied {
                why: "nobody lets themselves go".to_owned(),
                hint: "another administrator does it".to_owned(),
            });
        }
        self.require_unnamed(member)?;
        self.write(|holder, tx| holder.administer(tx, |agency, by| growing::retire(agency, by, member)))?;
        self.changed(MEMBER_RETIRE, member, None, task)
    }

    /// Retires a device.
    ///
    /// # Errors
    /// As [`Session::member_role`]; [`SessionError::Denied`] for this very device.
    pub fn device_retire(&mut self, request: DeviceRetireRequest, task: Task<'_>) -> Result<ChangedReply> {
        self.holder.require_administrator("retiring a device")?;
        let device = self.holder.live_device(&request.device)?;
        if device == self.holder.device {
            return Err(SessionError::Denied {
                why: "a device does not retire itself: what waits here could never be sent".to_owned(),
                hint: "do it on another device, or let another administrator do it".to_owned(),
            });
        }
        let member = self.holder.agency.devices().get(&device).map(|known| known.member);
        let member = member.ok_or_else(|| super::not_found("device", &request.device))?;
        self.write(|holder, tx| holder.administer(tx, |agency, by| growing::retire_device(agency, by, device)))?;
        let schema = if request.lost { DEVICE_LOST } else { DEVICE_RETIRE };
        self.changed(schema, member, Some(device), task)
    }

    /// Sends what was changed, where there is a server, and tells of it; otherwise the next `sync` sends it.
    fn changed(
        &mut self,
        schema: Schema,
        member: MemberId,
        device: Option<DeviceId>,
        task: Task<'_>,
    ) -> Result<ChangedReply> {
        let sent = self.send_if_reachable(task)?;
        let settings = self.store.read(|tx| self.holder.settings(tx))?.settings;
        let known = self.holder.agency.members().get(&member);
        Ok(ChangedReply {
            schema,
            member: member.handle(),
            device: device.map(|device| device.handle()),
            name: settings.name_of(member, self.holder.founder()).map(str::to_owned),
            roles: known.map(|known| role::names(known.roles())).unwrap_or_default(),
            sent,
            officer_owed: growing::owed(&self.holder.agency).role,
            unnamed: self.holder.is_unnamed(member),
        })
    }

    /// Sends what was decided and takes in what came, and tells whether that was possible: a server that is not there keeps
    /// nothing from being decided.
    pub(in crate::session) fn send_if_reachable(&mut self, task: Task<'_>) -> Result<bool> {
        match self.sync(task) {
            Ok(_) => Ok(true),
            Err(SessionError::Server(ServerFault::None)) => Ok(false),
            Err(error) if error.kind() == Kind::Unreachable => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Refuses to take a role from whom the root names, where nobody changes the root alone.
    fn require_unnamed(&self, member: MemberId) -> Result<()> {
        let agency = &self.holder.agency;
        let needed = growing::signatures_of_root(agency);
        let is_named = agency.root().administrators.iter().any(|one| one.member == member);
        match is_named && needed > 1 {
            true => Err(SessionError::Denied {
                why: format!(
                    "the root names {} as an administrator, and {needed} sign a new root",
                    member.handle()
                ),
                hint: format!(
                    "`casevault agency propose --without-administrator {}` begins it; once it is in force, do this again",
                    member.handle()
                ),
            }),
            false => Ok(()),
        }
    }
}

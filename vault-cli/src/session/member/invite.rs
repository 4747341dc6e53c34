//! Making enrolment sheets.

use super::date_of;
use super::day_of;
use super::invited::Invited;
use super::role;
use crate::session::Result;
use crate::session::Session;
use crate::session::SessionError;
use crate::session::Task;
use crate::session::clock;
use crate::session::random;
use crate::session::refused;
use crate::session::reply::DEVICE_ADD;
use crate::session::reply::InviteReply;
use crate::session::reply::MEMBER_INVITE;
use crate::session::reply::MEMBER_RESET;
use crate::session::reply::Schema;
use crate::session::request::DeviceAddRequest;
use crate::session::request::MemberInviteRequest;
use crate::session::request::MemberResetRequest;
use vault_core::id::MemberId;
use vault_core::joining;
use vault_core::joining::Invite;
use vault_core::joining::Terms;
use vault_core::wire::v1::enrolment::InviteKind;
use vault_core::wire::v1::enrolment::OpenInvite;
use vault_core::wire::v1::stream::Day;

/// Days for which the server keeps an invite at most.
const MOST_DAYS: u32 = 31;
/// The longest name of a member, in bytes.
const LONGEST_NAME: usize = 200;

impl Session {
    /// Makes the enrolment sheet of a new member, and opens its invite at the server.
    ///
    /// # Errors
    /// [`SessionError::NotAdministrator`], [`SessionError::Unknown`] for a role; as [`Session::sync`].
    pub fn member_invite(&mut self, request: MemberInviteRequest, task: Task<'_>) -> Result<InviteReply> {
        self.holder.require_administrator("inviting a member")?;
        let roles = role::names(role::read(&request.roles)?);
        let name = request.name.trim().to_owned();
        if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            let (line, column) = (1, 1);
            let why = format!("the name is one line of 1 to {LONGEST_NAME} bytes");
            return Err(SessionError::Malformed { line, column, why });
        }
        self.invite(
            MEMBER_INVITE,
            InviteKind::Member,
            None,
            (name, roles),
            request.days,
            task,
        )
    }

    /// Makes the enrolment sheet of a member who lost what it had.
    ///
    /// # Errors
    /// As [`Session::member_invite`]; [`SessionError::NotFound`].
    pub fn member_reset(&mut self, request: MemberResetRequest, task: Task<'_>) -> Result<InviteReply> {
        self.holder.require_administrator("letting a member begin anew")?;
        let member = self.holder.live_member(&request.member)?;
        if member == self.holder.member {
            return Err(SessionError::Denied {
                why: "an administrator does not let itself begin anew: its devices would be retired with this one"
                    .to_owned(),
                hint: "another administrator does it; alone, restore a backup instead".to_owned(),
            });
        }
        let (name, roles) = self.named(member)?;
        self.invite(
            MEMBER_RESET,
            InviteKind::Reset,
            Some(member),
            (name, roles),
            request.days,
            task,
        )
    }

    /// Makes the enrolment sheet of another device of one's own.
    ///
    /// # Errors
    /// As [`Session::sync`].
    pub fn device_add(&mut self, request: DeviceAddRequest, task: Task<'_>) -> Result<InviteReply> {
        let member = self.holder.member;
        let (name, roles) = self.named(member)?;
        self.invite(
            DEVICE_ADD,
            InviteKind::Device,
            Some(member),
            (name, roles),
            request.days,
            task,
        )
    }

    /// Returns what a member is called, and its roles.
    fn named(&self, member: MemberId) -> Result<(String, Vec<String>)> {
        let settings = self.store.read(|tx| self.holder.settings(tx))?.settings;
        let name = settings.name_of(member, self.holder.founder());
        let name = name.map_or_else(|| member.handle(), str::to_owned);
        let known = self.holder.agency.live_member(member).map_err(refused("agency"))?;
        Ok((name, role::names(known.roles())))
    }

    fn invite(
        &mut self,
        schema: Schema,
        kind: InviteKind,
        member: Option<MemberId>,
        (name, roles): (String, Vec<String>),
        days: u32,
        task: Task<'_>,
    ) -> Result<InviteReply> {
        let reached = self.reach_and_sync(task)?;
        let today = day_of(clock::today());
        let terms = Terms {
            kind,
            member,
            checkpoint: reached.checkpoint,
            url: reached.url(),
            until: Day(today.0.saturating_add(days.clamp(1, MOST_DAYS))),
        };
        let invite = Invite::make(&self.holder.agency, terms, &mut random::os()).map_err(refused("invite"))?;
        let open = OpenInvite {
            agency: self.holder.agency.id(),
            kind,
            until: terms.until,
        };
        self.begin_with(&reached)?;
        reached.remote().open_invite(invite.id(), &open)?;
        let sheet = invite.sheet();
        let reply = InviteReply {
            schema,
            member: sheet.member.handle(),
            device: invite.device().handle(),
            name: name.clone(),
            roles: roles.clone(),
            until: date_of(sheet.until),
            server: invite.url().to_owned(),
            rows: joining::sheet_rows(sheet).map_err(refused("invite"))?.to_vec(),
            scanned: joining::sheet_scanned(sheet).map_err(refused("invite"))?.to_string(),
        };
        // Last: an invite of which nothing is kept here ends with its day, and nobody has its sheet.
        let invited = Invited { invite, name, roles };
        self.store.write(|tx| invited.store(tx))?;
        Ok(reply)
    }
}

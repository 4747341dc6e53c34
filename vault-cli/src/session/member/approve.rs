//! Taking in who asked to join.

use super::invited::Invited;
use super::role;
use crate::remote::Remote;
use crate::session::Result;
use crate::session::Session;
use crate::session::SessionError;
use crate::session::Task;
use crate::session::member::not_found;
use crate::session::random;
use crate::session::refused;
use crate::session::reply::ApproveCodeReply;
use crate::session::reply::ApproveReply;
use crate::session::reply::DEVICE_APPROVE;
use crate::session::reply::MEMBER_APPROVE;
use crate::session::request::ApproveCodeRequest;
use crate::session::request::ApproveRequest;
use vault_core::crypto::sign::SigningKey;
use vault_core::growing;
use vault_core::id::DeviceId;
use vault_core::joining;
use vault_core::wire::v1::agency::CertifiedDevice;
use vault_core::wire::v1::enrolment::AnswerInvite;
use vault_core::wire::v1::enrolment::InviteState;
use vault_core::wire::v1::enrolment::Joiner;

const REQUEST: &str = "request to join";

impl Session {
    /// Takes in the member, or the member anew, who asked with a sheet that was made here.
    ///
    /// # Errors
    /// [`SessionError::NotFound`] for no such invite; [`SessionError::Conflict`] where nobody has asked yet, or another code
    /// was shown; [`SessionError::NotAdministrator`]; as [`Session::sync`].
    pub fn member_approve(&mut self, request: ApproveRequest, task: Task<'_>) -> Result<ApproveReply> {
        self.holder.require_administrator("taking in a member")?;
        let invited = self.store.read(|tx| Invited::find(tx, &request.handle))?;
        let invited = invited.ok_or_else(|| not_found("invite", &request.handle))?;
        self.approve(&invited, &request, task)
    }

    /// Certifies and hands over to a further device of one's own; an administrator enrols it, and those that other members
    /// certified.
    ///
    /// # Errors
    /// As [`Session::member_approve`].
    pub fn device_approve(&mut self, request: ApproveRequest, task: Task<'_>) -> Result<ApproveReply> {
        let invited = self.store.read(|tx| Invited::find(tx, &request.handle))?;
        match invited {
            Some(invited) => self.approve(&invited, &request, task),
            None => self.enrol_waiting(&request.handle, task),
        }
    }

    /// Tells the code by which who asked with a sheet that was made here is known, before anybody is let in; none of a device
    /// that another member certified.
    ///
    /// # Errors
    /// [`SessionError::Conflict`] where nobody has asked yet; as [`Session::sync`].
    pub fn approve_code(&mut self, request: ApproveCodeRequest, task: Task<'_>) -> Result<ApproveCodeReply> {
        let invited = self.store.read(|tx| Invited::find(tx, &request.handle))?;
        let Some(invited) = invited else {
            return Ok(ApproveCodeReply::default());
        };
        let reached = self.reach_and_sync(task)?;
        let state = asked(reached.remote(), &invited)?;
        Ok(ApproveCodeReply {
            code: Some(joining::code(&state.request)),
            name: Some(invited.name),
        })
    }

    fn approve(&mut self, invited: &Invited, request: &ApproveRequest, task: Task<'_>) -> Result<ApproveReply> {
        let reached = self.reach_and_sync(task)?;
        let invite = &invited.invite;
        let state = asked(reached.remote(), invited)?;
        let code = joining::code(&state.request);
        let Some(shown) = request.code.as_deref().map(str::trim) else {
            return Err(SessionError::conflict(
                "nobody has compared the code with the one that the other machine shows",
                "give the one that it shows with `--code CODE`",
            ));
        };
        if !shown.eq_ignore_ascii_case(&code) {
            return Err(SessionError::conflict(
                format!("the code here is {code}: somebody else has asked with this sheet"),
                "nobody was let in; make another sheet, and find out who had this one",
            ));
        }
        let joiner = invite.open_request(&state.request).map_err(refused(REQUEST))?;
        let (enrolment, secrets) = match &joiner {
            Joiner::Member(_) | Joiner::Reset(_) => (None, None),
            Joiner::Device(asked) => {
                let identity = SigningKey::from_seed(&self.holder.secrets.identity);
                let device = joining::certify(asked.certificate, &identity).map_err(refused(REQUEST))?;
                let handed =
                    joining::hand_over(&asked.certificate, &asked.once, &self.holder.secrets, &mut random::os());
                (Some(device), Some(handed.map_err(refused(REQUEST))?))
            }
        };
        let administers = self.holder.agency.is_administrator(self.holder.member);
        if administers {
            self.take_in(invited, &joiner, enrolment)?;
            // Whoever is told that it is enrolled finds it so.
            self.sync(task)?;
        }
        let link = self.holder.agency.head();
        if state.answer.is_empty() {
            let answer = AnswerInvite {
                answer: invite
                    .seal_answer(&state.request, link, secrets, &mut random::os())
                    .map_err(refused(REQUEST))?,
                enrolment: enrolment.filter(|_| !administers),
            };
            self.begin_with(&reached)?;
            reached.remote().answer_invite(invite.id(), &answer)?;
        }
        self.store.write(|tx| invited.remove(tx))?;
        Ok(ApproveReply {
            schema: match joiner {
                Joiner::Device(_) => DEVICE_APPROVE,
                Joiner::Member(_) | Joiner::Reset(_) => MEMBER_APPROVE,
            },
            member: invite.sheet().member.handle(),
            device: invite.device().handle(),
            name: Some(invited.name.clone()),
            code: Some(code),
            enrolled: administers,
            officer_owed: growing::owed(&self.holder.agency).role,
            unnamed: self.holder.is_unnamed(invite.sheet().member),
        })
    }

    /// Appends what takes somebody in, unless a run that was cut off has done it.
    fn take_in(&mut self, invited: &Invited, joiner: &Joiner, enrolment: Option<CertifiedDevice>) -> Result<()> {
        let device = invited.invite.device();
        self.write(|holder, tx| {
            if holder.agency.devices().contains_key(&device) {
                return Ok(());
            }
            match (joiner, enrolment) {
                (Joiner::Member(person), _) => {
                    let roles = role::read(&invited.roles)?;
                    holder.administer(tx, |agency, by| growing::join(agency, by, person, roles))?;
                }
                (Joiner::Reset(person), _) => {
                    holder.administer(tx, |agency, by| growing::reset(agency, by, person))?;
                }
                (Joiner::Device(_), Some(device)) => {
                    holder.administer(tx, |agency, by| growing::enrol(agency, by, device))?;
                    return Ok(());
                }
                (Joiner::Device(_), None) => return Ok(()),
            }
            // Under the new epoch, which whoever is new opens.
            let mut kept = holder.settings(tx)?;
            kept.settings.put_name(invited.invite.sheet().member, &invited.name);
            holder.put_settings(tx, &kept)?;
            Ok(tx.put_local(crate::session::member::COMPANY, b"")?)
        })
    }

    /// Enrols a device that another member certified.
    fn enrol_waiting(&mut self, handle: &str, task: Task<'_>) -> Result<ApproveReply> {
        let range = DeviceId::range(handle).map_err(|_| not_found("device", handle))?;
        self.holder.require_administrator("enrolling a member's device")?;
        let reached = self.reach_and_sync(task)?;
        self.begin_with(&reached)?;
        let waiting = reached.remote().waiting_devices()?.devices;
        let mut found = waiting
            .into_iter()
            .filter(|one| (range.low..=range.high).contains(&one.certificate.device.0));
        let device = super::one(found.next(), found.next(), handle, "device")?;
        // The member's own identity key must have signed it, whatever the server says of it.
        self.write(|holder, tx| holder.administer(tx, |agency, by| growing::enrol(agency, by, device)))?;
        self.sync(task)?;
        let member = device.certificate.member;
        let settings = self.store.read(|tx| self.holder.settings(tx))?.settings;
        Ok(ApproveReply {
            schema: DEVICE_APPROVE,
            member: member.handle(),
            device: device.certificate.device.handle(),
            name: settings.name_of(member, self.holder.founder()).map(str::to_owned),
            code: None,
            enrolled: true,
            officer_owed: growing::owed(&self.holder.agency).role,
            unnamed: self.holder.is_unnamed(member),
        })
    }
}

/// Reads what was asked with a sheet.
fn asked(remote: &Remote, invited: &Invited) -> Result<InviteState> {
    let invite = &invited.invite;
    let state = remote.invite(invite.id())?;
    let state = state.ok_or_else(|| SessionError::SheetOver {
        until: super::date_of(invite.sheet().until),
    })?;
    if state.request.is_empty() {
        return Err(SessionError::conflict(
            "nobody has asked with this sheet yet",
            format!(
                "`casevault member join --sheet SHEET`, or `device join`, does it on the other machine; then approve {} again",
                invited.handle()
            ),
        ));
    }
    Ok(state)
}

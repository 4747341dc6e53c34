//! Invites: what two sides that do not know each other yet say to each other, kept for a while and read by nobody here.
//!
//! ```text
//! opened by a session ─> one request, by whoever knows the id ─> one answer, by who opened it ─> forgotten after its day
//! ```
//! Each part is written once. The same again changes nothing, so that whoever was not answered asks again.

use vault_core::wire;
use vault_core::wire::v1::agency::CertifiedDevice;
use vault_core::wire::v1::enrolment::{AnswerInvite, InviteId, InviteState, OpenInvite, WaitingDevices};
use vault_core::wire::v1::stream::Day;

use super::{Service, ServiceError};
use crate::authorize::{Administering, Inviting, Session};
use crate::store::{InviteRow, StoreError, reading, writing};

/// Days for which an invite is open at most; a later day counts as the last of these.
const DAYS: u32 = 31;

/// Invites that an agency has open at once.
const OPEN: usize = 256;

const SECONDS: u64 = 86_400;

/// Why an invite was not opened, asked for or answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum InviteRefused {
    /// There is none that is open, or nothing to be answered.
    NotThere,
    /// Another has this place already.
    Taken,
    /// The agency has as many as it may.
    TooMany,
    /// Somebody else opened it.
    NotAllowed,
}

type Done = Result<Result<(), InviteRefused>, ServiceError>;

impl Service {
    /// Opens an invite.
    ///
    /// # Errors
    /// [`ServiceError`]; inside, [`InviteRefused`].
    pub fn open_invite(&self, permit: &Inviting, id: InviteId, open: &OpenInvite, now: u64) -> Done {
        let today = day(now);
        let invite = InviteRow {
            id,
            agency: permit.agency().no(),
            opener: permit.member(),
            kind: open.kind,
            until: Day(open.until.0.min(today.0.saturating_add(DAYS))),
            request: None,
            answer: None,
            enrolment: None,
        };
        if invite.until < today {
            return Ok(Err(InviteRefused::NotThere));
        }
        Ok(writing(self.store.as_ref(), |writes| {
            writes.hold(invite.agency)?;
            writes.forget_invites(today)?;
            if let Some(known) = writes.invite(&id)? {
                let same = (known.agency, known.opener, known.kind) == (invite.agency, invite.opener, invite.kind);
                return Ok(if same { Ok(()) } else { Err(InviteRefused::Taken) });
            }
            if writes.invites(invite.agency)?.len() >= OPEN {
                return Ok(Err(InviteRefused::TooMany));
            }
            writes.put_invite(&invite)?;
            Ok(Ok(()))
        })?)
    }

    /// Takes the request of whoever knows the id; the first one counts.
    ///
    /// # Errors
    /// [`ServiceError`]; inside, [`InviteRefused`].
    pub fn ask_to_join(&self, id: InviteId, request: &[u8], now: u64) -> Done {
        // Whoever guesses takes nobody's turn to write.
        if self.open(&id, now)?.is_none() {
            return Ok(Err(InviteRefused::NotThere));
        }
        self.change(id, now, |invite| put(&mut invite.request, request))
    }

    /// Takes the answer, of who opened it or of an administrator.
    ///
    /// # Errors
    /// [`ServiceError`]; inside, [`InviteRefused`].
    pub fn answer_invite(&self, session: &Session, id: InviteId, answer: &AnswerInvite, now: u64) -> Done {
        let enrolment = answer.enrolment.as_ref().map(wire::encode).transpose();
        let enrolment = enrolment.map_err(StoreError::from)?;
        self.change(id, now, |invite| {
            let permit = session.answering(invite.clone()).ok_or(InviteRefused::NotAllowed)?;
            let mut answered = permit.into_invite();
            if answered.request.is_none() {
                return Err(InviteRefused::NotThere);
            }
            put(&mut answered.answer, &answer.answer)?;
            if let Some(enrolment) = &enrolment {
                put(&mut answered.enrolment, enrolment)?;
            }
            *invite = answered;
            Ok(())
        })
    }

    /// Tells how far an invite has got; `None` where there is none that is open.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn invite(&self, id: InviteId, now: u64) -> Result<Option<InviteState>, ServiceError> {
        let invite = self.open(&id, now)?;
        Ok(invite.map(|invite| InviteState {
            request: invite.request.unwrap_or_default(),
            answer: invite.answer.unwrap_or_default(),
        }))
    }

    /// Tells which devices of an agency wait for an administrator.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn waiting_devices(&self, permit: &Administering, now: u64) -> Result<WaitingDevices, ServiceError> {
        let agency = permit.agency();
        let invites = reading(self.store.as_ref(), |reads| reads.invites(agency.no()))?;
        let open = invites.into_iter().filter(|invite| invite.until >= day(now));
        let mut devices = Vec::new();
        for enrolment in open.filter_map(|invite| invite.enrolment) {
            let device: CertifiedDevice = wire::decode(&enrolment, enrolment.len()).map_err(StoreError::from)?;
            let state = agency.published().state;
            let is_known = state.is_some_and(|state| state.devices().contains_key(&device.certificate.device));
            if !is_known {
                devices.push(device);
            }
        }
        Ok(WaitingDevices { devices })
    }

    fn open(&self, id: &InviteId, now: u64) -> Result<Option<InviteRow>, ServiceError> {
        let invite = reading(self.store.as_ref(), |reads| reads.invite(id))?;
        Ok(invite.filter(|invite| invite.until >= day(now)))
    }

    /// Changes an invite that is open, whole or not at all.
    fn change(&self, id: InviteId, now: u64, change: impl FnOnce(&mut InviteRow) -> Result<(), InviteRefused>) -> Done {
        Ok(writing(self.store.as_ref(), |writes| {
            let Some(found) = writes.invite(&id)? else {
                return Ok(Err(InviteRefused::NotThere));
            };
            writes.hold(found.agency)?;
            // As it is now that nobody else writes.
            let found = writes.invite(&id)?.filter(|invite| invite.until >= day(now));
            let Some(mut invite) = found else {
                return Ok(Err(InviteRefused::NotThere));
            };
            let before = invite.clone();
            let changed = change(&mut invite);
            if changed.is_ok() && invite != before {
                writes.put_invite(&invite)?;
            }
            Ok(changed)
        })?)
    }
}

/// Puts bytes where there are none; the same again changes nothing.
fn put(place: &mut Option<Vec<u8>>, bytes: &[u8]) -> Result<(), InviteRefused> {
    match place {
        Some(known) if known == bytes => Ok(()),
        Some(_) => Err(InviteRefused::Taken),
        None => {
            *place = Some(bytes.to_vec());
            Ok(())
        }
    }
}

fn day(now: u64) -> Day {
    Day(u32::try_from(now / SECONDS).unwrap_or(u32::MAX))
}

//! What an invite's maker keeps of it until it is approved, as a local sealed value (`docs/format.md` §12).

use crate::session::Result;
use crate::session::SessionError;
use crate::session::refused;
use crate::store::ReadTx;
use crate::store::WriteTx;
use data_encoding::HEXLOWER;
use serde::Deserialize;
use serde::Serialize;
use vault_core::check::Check;
use vault_core::id::DeviceId;
use vault_core::id::IdRange;
use vault_core::id::MemberId;
use vault_core::joining::Invite;
use vault_core::wire;
use vault_core::wire::v1::enrolment::InviteKind;
use vault_core::wire::v1::limit;
use zeroize::Zeroizing;

/// What the names of these values begin with; the id of whoever joins is the rest.
pub(in crate::session) const PREFIX: &str = "invite:";
const SCHEMA: &str = "casevault.invite/1";

/// An invite that was made here.
#[derive(Debug)]
pub(in crate::session) struct Invited {
    pub(in crate::session) invite: Invite,
    /// What a new member will be called.
    pub(in crate::session) name: String,
    /// What roles it will have.
    pub(in crate::session) roles: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    schema: String,
    sheet: String,
    name: String,
    roles: Vec<String>,
}

impl Invited {
    /// Returns the handle by which it is approved: the member's, or of a further device the device's.
    pub(in crate::session) fn handle(&self) -> String {
        match self.invite.sheet().kind {
            InviteKind::Device => self.invite.device().handle(),
            InviteKind::Member | InviteKind::Reset => self.invite.sheet().member.handle(),
        }
    }

    fn key(&self) -> String {
        match self.invite.sheet().kind {
            InviteKind::Device => format!("{PREFIX}{}", self.invite.device()),
            InviteKind::Member | InviteKind::Reset => format!("{PREFIX}{}", self.invite.sheet().member),
        }
    }

    pub(in crate::session) fn store(&self, tx: &mut WriteTx<'_>) -> Result<()> {
        let sheet = Zeroizing::new(wire::encode(self.invite.sheet()).map_err(refused("invite"))?);
        let stored = Stored {
            schema: SCHEMA.to_owned(),
            sheet: HEXLOWER.encode(&sheet),
            name: self.name.clone(),
            roles: self.roles.clone(),
        };
        let json = serde_json::to_vec(&stored).map_err(|error| SessionError::Bug(error.to_string()))?;
        Ok(tx.put_local(&self.key(), &Zeroizing::new(json))?)
    }

    pub(in crate::session) fn remove(&self, tx: &mut WriteTx<'_>) -> Result<()> {
        tx.remove_local(&self.key())?;
        Ok(())
    }

    fn read(json: &[u8]) -> Option<Self> {
        let stored: Stored = serde_json::from_slice(json).ok()?;
        let sheet = Zeroizing::new(HEXLOWER.decode(stored.sheet.as_bytes()).ok()?);
        let invite = Invite::of(wire::decode(&sheet, limit::SHEET).ok()?).ok()?;
        (stored.schema == SCHEMA).then_some(Self {
            invite,
            name: stored.name,
            roles: stored.roles,
        })
    }

    /// Returns all that were made here, in the order of their ids.
    pub(in crate::session) fn all(tx: &ReadTx<'_>) -> Result<Vec<Self>> {
        let mut found = Vec::new();
        for name in tx.local_names(PREFIX)? {
            if let Some(json) = tx.local(&name)? {
                let invited = Self::read(&json);
                found.push(invited.ok_or_else(|| SessionError::refused(Check::LocalValue, "invite"))?);
            }
        }
        Ok(found)
    }

    /// Finds one by a member's or a device's handle.
    pub(in crate::session) fn find(tx: &ReadTx<'_>, text: &str) -> Result<Option<Self>> {
        let within = |range: IdRange, id: [u8; 16]| (range.low..=range.high).contains(&id);
        let (member, device) = (MemberId::range(text).ok(), DeviceId::range(text).ok());
        let all = Self::all(tx)?;
        let mut found = all.into_iter().filter(|one| {
            let sheet = one.invite.sheet();
            let of_member =
                sheet.kind != InviteKind::Device && member.is_some_and(|range| within(range, sheet.member.0));
            of_member || device.is_some_and(|range| within(range, one.invite.device().0))
        });
        match (found.next(), found.next()) {
            (first, None) => Ok(first),
            (_, Some(_)) => Err(SessionError::Ambiguous {
                text: text.to_owned(),
                candidates: Vec::new(),
            }),
        }
    }
}

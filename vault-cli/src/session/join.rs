//! Joining with an enrolment sheet, on the machine that joins.
//!
//! ```text
//! sheet ─> keys made here ─> `joining`, sealed under the passphrase ─> request at the server ─> (approved elsewhere)
//!      ─> answer ─> agency's stream and log, verified from the sheet ─> store ─> keystore ─> `joining` goes
//! ```
//!
//! | after | the folder has | what the next run does |
//! |---|---|---|
//! | keys were made | nothing | makes others |
//! | `joining` was written | it | asks, with the very same request |
//! | the request was sent | it | asks again, which changes nothing, and looks for the answer |
//! | the store was written | it, and a store without a keystore | makes the store anew |
//! | the keystore was written | a vault, and `joining` | opens the vault; `joining` goes |

use super::Passphrase;
use super::Result;
use super::Session;
use super::SessionError;
use super::logging::Intent;
use super::member::date_of;
use super::progress::Task;
use super::random;
use super::refused;
use super::reply::DEVICE_JOIN;
use super::reply::JoinReply;
use super::reply::MEMBER_JOIN;
use super::request::JoinRequest;
use super::request::ReadPurpose;
use super::restore;
use super::server::first;
use super::vault::io_error;
use super::vault::read_sealed;
use super::vault::replace;
use crate::places::Places;
use crate::remote::Remote;
use crate::remote::ServerFault;
use crate::remote::ServerUrl;
use crate::store::Store;
use std::fs;
use vault_core::check::Check;
use vault_core::crypto::sign::SigningKey;
use vault_core::id::DeviceId;
use vault_core::joining;
use vault_core::joining::Invite;
use vault_core::joining::Pending;
use vault_core::keystore;
use vault_core::keystore::Unlocked;
use vault_core::opening::fresh;
use vault_core::secret::RecipientSeed;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::enrolment::InviteKind;
use vault_core::wire::v1::enrolment::JoinAnswer;

/// Names the local value of a vault that was joined: the day on which it was, which nobody needs a key to see is there.
pub(super) const JOINED: &str = "joined-agency";
/// What stands in the access log for a first opening.
const SCOPE: &str = "enrolment";

impl Session {
    /// Tells whether a device waits here to be enrolled.
    pub fn is_joining(places: &Places) -> bool {
        places.joining().exists() && !places.keystore().exists()
    }

    /// Returns the device that waits here to be enrolled, without a passphrase.
    ///
    /// # Errors
    /// [`SessionError::Refused`].
    pub fn joining_device(places: &Places) -> Result<DeviceId> {
        let file = read_sealed(places, &places.joining())?;
        Ok(keystore::peek(&file).map_err(refused("joining"))?.device)
    }

    /// Refuses a folder in which nobody can join, before a passphrase is asked for.
    ///
    /// # Errors
    /// [`SessionError::AlreadyInitialised`], [`SessionError::NotEmpty`].
    pub fn require_joinable(places: &Places) -> Result<()> {
        match Self::is_joining(places) {
            true => Ok(()),
            false => super::stage::require_empty(places),
        }
    }

    /// Asks to join with a sheet, or goes on where that was left; makes the vault once it was approved.
    ///
    /// # Errors
    /// [`SessionError::Sheet`], [`SessionError::SheetOver`], [`SessionError::SheetTaken`], [`SessionError::AlreadyJoining`];
    /// [`SessionError::Server`], by CHK-153 for a server that shows less than the sheet. No vault is there then.
    pub fn join(places: &Places, request: &JoinRequest, passphrase: &Passphrase, task: Task<'_>) -> Result<JoinReply> {
        let sheet = request.sheet.as_deref().map(read_sheet).transpose()?;
        if let Some(invite) = &sheet {
            require_kind(invite, request.as_device)?;
        }
        let (mut unlocked, pending) = match Self::is_joining(places) {
            true => resume(places, sheet.as_ref(), passphrase)?,
            false => {
                let invite = sheet.ok_or_else(|| SessionError::NoVault {
                    home: places.home().display().to_string(),
                })?;
                begin(places, invite, request, passphrase)?
            }
        };
        let invite = pending.invite();
        let url = ServerUrl::parse(invite.url())?;
        let remote = Remote::new(url, invite.sheet().agency);
        let Some(answer) = ask(&remote, &pending)? else {
            return Ok(told(places, &pending, false));
        };
        task.cancel.check()?;
        let signer = SigningKey::from_seed(pending.device());
        let first = match first::fetch(places, invite, &signer) {
            // Its member certified it, and an administrator has still to enrol it.
            Err(SessionError::Server(ServerFault::UnknownDevice)) => return Ok(told(places, &pending, false)),
            fetched => fetched?,
        };
        let older = request
            .backup
            .as_deref()
            .map(|path| restore::recipients_of(path, invite.sheet().member, passphrase))
            .transpose()?;
        settle(
            places,
            &mut unlocked,
            &pending,
            &answer,
            &first,
            older.unwrap_or_default(),
        )?;
        let mut session = Self::unlock(places, passphrase)?;
        session.log(&Intent {
            operation: AccessOperation::Unlock,
            case: None,
            records: &[],
            scope: Some(SCOPE),
            purpose: &ReadPurpose::default(),
        })?;
        Ok(told(places, &pending, true))
    }
}

fn read_sheet(text: &str) -> Result<Invite> {
    let sheet = joining::read_sheet(text).map_err(|error| SessionError::Sheet {
        why: error.to_string(),
        check: error.check(),
    })?;
    Invite::of(sheet).map_err(|refused| SessionError::Sheet {
        why: refused.check.cause().to_owned(),
        check: refused.check,
    })
}

/// Refuses a sheet of another kind than was meant: who takes a colleague's for one of their own device would wonder.
fn require_kind(invite: &Invite, as_device: bool) -> Result<()> {
    let is_device = invite.sheet().kind == InviteKind::Device;
    if is_device == as_device {
        return Ok(());
    }
    let (what, next) = match is_device {
        true => (
            "this is the sheet of a further device",
            "`casevault device join --sheet SHEET` takes it",
        ),
        false => (
            "this is a member's sheet",
            "`casevault member join --sheet SHEET` takes it",
        ),
    };
    Err(SessionError::conflict(what, format!("{next}; nothing was done")))
}

/// Makes all that this device makes, and keeps it before anything is sent.
fn begin(
    places: &Places,
    invite: Invite,
    request: &JoinRequest,
    passphrase: &Passphrase,
) -> Result<(Unlocked, Pending)> {
    super::stage::require_empty(places)?;
    request
        .cost
        .require_within_bounds()
        .map_err(|_| SessionError::KdfBounds)?;
    let mut random = random::os();
    let (agency, member, device) = (invite.sheet().agency, invite.sheet().member, invite.device());
    let pending = Pending::begin(invite, &mut random).map_err(refused("request to join"))?;
    let mut unlocked = keystore::create(
        agency,
        member,
        device,
        passphrase.expose(),
        request.cost,
        fresh(&mut random),
    )
    .map_err(refused("keystore"))?;
    let file = pending
        .write(&mut unlocked, fresh(&mut random))
        .map_err(refused("keystore"))?;
    places.create().map_err(io_error("could not make the vault's folder"))?;
    replace(&places.joining(), &file).map_err(io_error("could not keep what waits to be enrolled"))?;
    Ok((unlocked, pending))
}

/// Opens what waits here.
fn resume(places: &Places, sheet: Option<&Invite>, passphrase: &Passphrase) -> Result<(Unlocked, Pending)> {
    let file = read_sealed(places, &places.joining())?;
    let opened = Pending::open(&file, passphrase.expose());
    let (unlocked, pending) = opened.map_err(|error| match error.check {
        Check::Keystore => SessionError::WrongPassphrase,
        check => SessionError::refused(check, "joining"),
    })?;
    match sheet {
        Some(sheet) if sheet.id() != pending.invite().id() => Err(SessionError::AlreadyJoining {
            home: places.home().display().to_string(),
        }),
        _ => Ok((unlocked, pending)),
    }
}

/// Asks, with the same request each time, and looks for the answer.
fn ask(remote: &Remote, pending: &Pending) -> Result<Option<JoinAnswer>> {
    let invite = pending.invite();
    remote
        .ask_to_join(invite.id(), pending.request())
        .map_err(|fault| match fault {
            ServerFault::Refused { status: 404, .. } => over(invite),
            ServerFault::Refused { status: 409, .. } => SessionError::SheetTaken,
            fault => fault.into(),
        })?;
    let state = remote.invite(invite.id())?.ok_or_else(|| over(invite))?;
    if state.answer.is_empty() {
        return Ok(None);
    }
    let answer = invite.open_answer(pending.request(), &state.answer);
    Ok(Some(answer.map_err(refused("the answer"))?))
}

fn over(invite: &Invite) -> SessionError {
    SessionError::SheetOver {
        until: date_of(invite.sheet().until),
    }
}

/// Makes the vault: store, then keystore, which is what a vault is known by.
fn settle(
    places: &Places,
    unlocked: &mut Unlocked,
    pending: &Pending,
    answer: &JoinAnswer,
    first: &first::First,
    older: Vec<(u32, RecipientSeed)>,
) -> Result<()> {
    let agency = &first.agency;
    if agency.seq_of(&answer.link).is_none() {
        return Err(ServerFault::Log {
            check: Check::EnrolmentRollback.number(),
            evidence: None,
        }
        .into());
    }
    let member = pending.invite().sheet().member;
    let version = agency.members().get(&member).and_then(|known| known.recipient());
    let version = version.map_or(1, |recipient| recipient.version);
    let mut secrets = pending.secrets(answer, version).map_err(refused("the answer"))?;
    let own = std::mem::take(&mut secrets.recipients);
    let older = older
        .into_iter()
        .filter(|(version, _)| own.iter().all(|(known, _)| known != version));
    secrets.recipients = older.collect();
    secrets.recipients.extend(own);
    // Every key is the one that the agency's stream shows, for this member on this device.
    keystore::require_own_keys(agency, unlocked.header(), &secrets).map_err(refused("the answer"))?;
    if places.store().exists() {
        fs::remove_file(places.store()).map_err(io_error("could not remove an unfinished store"))?;
    }
    let mut store = Store::create(&places.store(), agency.id(), &secrets.store_key)?;
    store.write(|tx| -> Result<()> {
        first.keep(tx)?;
        Ok(tx.put_local(JOINED, super::clock::today().to_string().as_bytes())?)
    })?;
    drop(store);
    let file = keystore::write(unlocked, &secrets, fresh(&mut random::os())).map_err(refused("keystore"))?;
    replace(&places.keystore(), &file).map_err(io_error("could not write the keystore"))?;
    // The vault is there; a file that stays is sealed, and nobody looks at it any more.
    let _ = fs::remove_file(places.joining());
    Ok(())
}

fn told(places: &Places, pending: &Pending, enrolled: bool) -> JoinReply {
    let sheet = pending.invite().sheet();
    JoinReply {
        schema: match sheet.kind {
            InviteKind::Device => DEVICE_JOIN,
            InviteKind::Member | InviteKind::Reset => MEMBER_JOIN,
        },
        agency: sheet.agency.text(),
        member: sheet.member.handle(),
        device: pending.invite().device().handle(),
        home: places.home().display().to_string(),
        code: joining::code(pending.request()),
        enrolled,
    }
}

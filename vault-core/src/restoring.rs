//! After a loss: a new device in place of the lost ones, and a new recovery key in place of one that was used or lost.
//!
//! ```text
//! backup, opened ─> enrol: `restored` or `recovery` event, signed by the new device
//!                ─> renew_recovery: root version, agency epoch, role epoch; every section is then due (CHK-76)
//! ```

use crate::agency_state::AgencyState;
use crate::check::Check;
use crate::check::Refused;
use crate::context::Label;
use crate::crypto::sign::SigningKey;
use crate::founding;
use crate::growing;
use crate::id::DeviceId;
use crate::id::KeyringHash;
use crate::id::MemberId;
use crate::keystore::RecoverySeeds;
use crate::keystore::Secrets;
use crate::opening::fresh;
use crate::secret::RecoverySeed;
use crate::stream::VerifiedLink;
use crate::wire;
use crate::wire::v1::agency::CertifiedDevice;
use crate::wire::v1::agency::DeviceCertificate;
use crate::wire::v1::event::Enrolment;
use crate::wire::v1::event::Event;
use crate::wire::v1::event::RecoveryRun;
use crate::wire::v1::event::Restored;
use rand_core::CryptoRng;

/// Links appended to the agency's stream, with what goes beside them.
#[derive(Default)]
pub struct Appended {
    /// The links, in order.
    pub links: Vec<VerifiedLink>,
    /// Keyring files.
    pub files: Vec<(KeyringHash, Vec<u8>)>,
}

impl Appended {
    /// Takes what was appended behind.
    pub fn extend(&mut self, more: Self) {
        self.links.extend(more.links);
        self.files.extend(more.files);
    }
}

/// Enrols `device` for `member` in place of all its live devices: by the recovery key where one is given, and otherwise
/// by the sole administrator's own identity key.
///
/// # Errors
/// [`Check::RestoredDevice`] or [`Check::RecoveryRun`] where the right is missing.
pub fn enrol(
    agency: &mut AgencyState,
    member: MemberId,
    device: DeviceId,
    secrets: &Secrets,
    recovery: Option<&RecoverySeeds>,
) -> Result<Appended, Refused> {
    let signer = SigningKey::from_seed(&secrets.device);
    let event = enrolment(agency, member, device, secrets, recovery)?;
    let mut links = Vec::new();
    founding::push(agency, &mut links, &signer, device, event, Vec::new())?;
    Ok(Appended {
        links: links.into_iter().map(|(link, _)| link).collect(),
        files: Vec::new(),
    })
}

/// Returns the event that enrols `device` behind the agency's last link; see [`enrol`]. What was signed for another place
/// counts there alone, so that a restore behind which others wrote is signed anew.
///
/// # Errors
/// None in practice: a member has few devices.
pub fn enrolment(
    agency: &AgencyState,
    member: MemberId,
    device: DeviceId,
    secrets: &Secrets,
    recovery: Option<&RecoverySeeds>,
) -> Result<Event, Refused> {
    let signer = SigningKey::from_seed(&secrets.device);
    let identity = SigningKey::from_seed(&secrets.identity);
    let certificate = DeviceCertificate {
        agency: agency.id(),
        member,
        device,
        key: signer.public(),
    };
    let certified = CertifiedDevice {
        certificate,
        signature: identity.sign(Label::DeviceCertificate, &[&wire::encode(&certificate)?]),
    };
    let live = agency.devices().iter().filter(|(_, d)| d.member == member);
    let gone = live.map(|(id, _)| *id).filter(|id| agency.live_device(*id).is_ok());
    let retired = wire::sort_set(gone.collect())?;
    let statement = Enrolment {
        previous: agency.head(),
        certificate,
        retired: retired.clone(),
        version: recovery.map_or(0, |key| key.version),
    };
    let bytes = wire::encode(&statement)?;
    Ok(match recovery {
        Some(key) => Event::RecoveryRun(RecoveryRun {
            device: certified,
            retired,
            version: key.version,
            signature: SigningKey::from_seed(&key.signing).sign(Label::RecoveryRun, &[&bytes]),
        }),
        None => Event::Restored(Restored {
            device: certified,
            retired,
            signature: identity.sign(Label::RestoredDevice, &[&bytes]),
        }),
    })
}

/// Puts a new recovery key in place of the one in force, which opens nothing that is written from then on.
///
/// Its private half is left in `secrets`, as at a founding. The root version names it; agency and role key get a new
/// epoch, and each section of each case gets one before the next write in it (CHK-76).
///
/// # Errors
/// [`Check::AdministratorOnly`], [`Check::DpoOnly`], [`Check::RootChain`] where this member may not do it alone.
pub fn renew_recovery(
    agency: &mut AgencyState,
    member: MemberId,
    device: DeviceId,
    secrets: &mut Secrets,
    random: &mut dyn CryptoRng,
) -> Result<Appended, Refused> {
    let version = agency.root().recovery.version.checked_add(1).ok_or(Check::RootChain)?;
    let recovery = RecoverySeeds::from_seed(version, RecoverySeed::from_bytes(fresh(random)));
    let named = growing::next_root(agency, member, device, secrets, |root| {
        root.recovery = recovery.public()
    })?;
    let mut appended = named;
    appended.extend(growing::open_agency_epoch(agency, device, secrets, random)?);
    appended.extend(growing::open_role_epoch(agency, device, secrets, random)?);
    secrets.recovery = Some(recovery);
    Ok(appended)
}

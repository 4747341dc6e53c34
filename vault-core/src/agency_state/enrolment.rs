//! The two ways for a device to join that need no live device: a restore, and a recovery run (`docs/format.md` §7).
//!
//! The link is signed by the device that it enrols. What makes it count is a signature over the place in the stream,
//! the certificate and the devices that go, so that neither can be played again elsewhere (ATTACKS 37).

use super::AgencyState;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::context::Label;
use crate::crypto::sign::VerifyingKey;
use crate::id::DeviceId;
use crate::id::LinkId;
use crate::id::MemberId;
use crate::wire;
use crate::wire::v1::event::Enrolment;
use crate::wire::v1::event::RecoveryRun;
use crate::wire::v1::event::Restored;

/// Refuses a restore that is not the sole administrator's own.
pub(super) fn require_restored(agency: &AgencyState, previous: LinkId, restored: &Restored) -> Result<(), Refused> {
    let check = Check::RestoredDevice;
    let member = restored.device.certificate.member;
    let alone = agency.sole_administrator().ok_or(check)?;
    require(alone.member == member, check)?;
    require_own_devices(agency, member, &restored.retired, check)?;
    let statement = Enrolment {
        previous,
        certificate: restored.device.certificate,
        retired: restored.retired.clone(),
        version: 0,
    };
    let key = VerifyingKey::new(&alone.identity, check)?;
    key.verify(
        Label::RestoredDevice,
        &[&wire::encode(&statement)?],
        &restored.signature,
        check,
    )
}

/// Refuses a recovery run that the recovery key in force did not sign.
pub(super) fn require_recovery(agency: &AgencyState, previous: LinkId, run: &RecoveryRun) -> Result<(), Refused> {
    let check = Check::RecoveryRun;
    let recovery = &agency.root().recovery;
    require(run.version == recovery.version && run.version > 0, check)?;
    require_own_devices(agency, run.device.certificate.member, &run.retired, check)?;
    let statement = Enrolment {
        previous,
        certificate: run.device.certificate,
        retired: run.retired.clone(),
        version: run.version,
    };
    let key = VerifyingKey::new(&recovery.signing, check)?;
    key.verify(Label::RecoveryRun, &[&wire::encode(&statement)?], &run.signature, check)
}

/// Only the member's own devices, known and live, go with an enrolment.
fn require_own_devices(
    agency: &AgencyState,
    member: MemberId,
    retired: &[DeviceId],
    check: Check,
) -> Result<(), Refused> {
    wire::require_set(retired)?;
    let own = |id: &DeviceId| agency.live_device(*id).is_ok_and(|d| d.member == member);
    require(retired.iter().all(own), check)
}

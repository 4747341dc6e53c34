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
use crate::keyring;
use crate::keystore::RecoverySeeds;
use crate::keystore::Secrets;
use crate::opening;
use crate::opening::Opening;
use crate::opening::fresh;
use crate::placing::PlacedRecord;
use crate::secret::EpochKey;
use crate::secret::RecipientSeed;
use crate::secret::RecoverySeed;
use crate::stream::VerifiedLink;
use crate::wire;
use crate::wire::v1::agency::CertifiedDevice;
use crate::wire::v1::agency::DeviceCertificate;
use crate::wire::v1::event::AgencyEpoch;
use crate::wire::v1::event::DpoEpoch;
use crate::wire::v1::event::Enrolment;
use crate::wire::v1::event::Event;
use crate::wire::v1::event::RecoveryRun;
use crate::wire::v1::event::Restored;
use crate::wire::v1::key::KeyringRef;
use crate::wire::v1::stream::Epoch;
use crate::wire::v1::stream::Section;
use crate::wire::v1::stream::StreamId;
use rand_core::CryptoRng;
use std::collections::BTreeSet;

/// Links appended to the agency's stream, with what goes beside them.
#[derive(Default)]
pub struct Appended {
    /// The links, in order.
    pub links: Vec<VerifiedLink>,
    /// Keyring files.
    pub files: Vec<(KeyringHash, Vec<u8>)>,
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
    let event = match recovery {
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
    };
    let mut links = Vec::new();
    founding::push(agency, &mut links, &signer, device, event, Vec::new())?;
    Ok(Appended {
        links: only_links(links),
        files: Vec::new(),
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
    let signer = SigningKey::from_seed(&secrets.device);
    let version = agency.root().recovery.version.checked_add(1).ok_or(Check::RootChain)?;
    let recovery = RecoverySeeds::from_seed(version, RecoverySeed::from_bytes(fresh(random)));
    let named = growing::next_root(agency, member, device, secrets, |root| {
        root.recovery = recovery.public()
    })?;
    let mut links = Vec::new();

    let mut files = Vec::new();
    let stream = StreamId::agency(&agency.id());
    let opening = Opening {
        section: Section::INDEX,
        epoch: Epoch(u32::try_from(agency.epochs().len()).map_err(|_| Check::EpochNumber)?),
        private_author: None,
        recipients: agency.everybody().collect(),
    };
    let opened = opening::open_epochs(agency, stream, &[opening], random)?;
    files.extend(opened.files);
    let event = Event::AgencyEpoch(AgencyEpoch {
        open: opened.opens.into_iter().next().ok_or(Check::EpochNumber)?,
        keyrings: opened.keyrings,
    });
    founding::push(agency, &mut links, &signer, device, event, Vec::new())?;

    let role = RecipientSeed::from_bytes(fresh(random));
    let epoch = agency.dpo().0.checked_add(1).ok_or(Check::EpochNumber)?;
    let role_key = EpochKey::from_bytes(*role.expose());
    let entry = [(Section::DPO_IDENTITY, Epoch(epoch), &role_key)];
    let holders: BTreeSet<_> = agency.officers().collect();
    let mut keyrings = Vec::new();
    for to in &holders {
        let public = agency.recipient_key(to).ok_or(Check::RecipientVersion)?;
        let (file, keyring_hash) = keyring::seal(agency.id(), stream, *to, public, &entry, random)?;
        keyrings.push(KeyringRef { to: *to, keyring_hash });
        files.push((keyring_hash, file));
    }
    let event = Event::DpoEpoch(DpoEpoch {
        epoch,
        recipient: keyring::recipient_key(&role),
        holders: wire::sort_set(holders.into_iter().collect())?,
        keyrings: wire::sort_set(keyrings)?,
    });
    founding::push(agency, &mut links, &signer, device, event, Vec::new())?;
    secrets.dpo.push((epoch, role));
    secrets.recovery = Some(recovery);
    Ok(Appended {
        links: named.links.into_iter().chain(only_links(links)).collect(),
        files,
    })
}

fn only_links(links: Vec<(VerifiedLink, Vec<PlacedRecord>)>) -> Vec<VerifiedLink> {
    links.into_iter().map(|(link, _)| link).collect()
}

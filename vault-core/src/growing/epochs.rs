//! The next epochs of the agency key and of the data-protection role key, which a change of members calls for.

use crate::agency_state::AgencyState;
use crate::check::Check;
use crate::check::Refused;
use crate::crypto::sign::SigningKey;
use crate::founding;
use crate::id::DeviceId;
use crate::id::MemberId;
use crate::keyring;
use crate::keystore::Secrets;
use crate::opening;
use crate::opening::Opening;
use crate::opening::fresh;
use crate::restoring::Appended;
use crate::secret::EpochKey;
use crate::secret::RecipientSeed;
use crate::wire;
use crate::wire::v1::agency::Roles;
use crate::wire::v1::event::AgencyEpoch;
use crate::wire::v1::event::DpoEpoch;
use crate::wire::v1::event::Event;
use crate::wire::v1::key::KeyringRef;
use crate::wire::v1::stream::Epoch;
use crate::wire::v1::stream::Section;
use crate::wire::v1::stream::StreamId;
use rand_core::CryptoRng;
use std::collections::BTreeSet;

/// Which epochs no longer have the recipients that they should have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owed {
    /// The agency key's: an administrator opens the next.
    pub agency: bool,
    /// The data-protection role key's: an officer opens the next.
    pub role: bool,
}

/// Compares who holds the keys with who is to hold them.
pub fn owed(agency: &AgencyState) -> Owed {
    let everybody: BTreeSet<_> = agency.everybody().collect();
    let of_agency = agency
        .epochs()
        .last()
        .map(|open| open.recipients.iter().copied().collect());
    let officers: BTreeSet<_> = agency.officers().collect();
    let of_role = agency.role_holders().map(|holders| holders.iter().copied().collect());
    Owed {
        agency: of_agency != Some(everybody),
        role: of_role != Some(officers),
    }
}

/// Opens what is [`owed`], as far as this member may; what it may not is left to whoever does.
///
/// # Errors
/// None in practice but [`Check::TooLong`].
pub fn renew(
    agency: &mut AgencyState,
    member: MemberId,
    device: DeviceId,
    secrets: &mut Secrets,
    random: &mut dyn CryptoRng,
) -> Result<Appended, Refused> {
    let owed = owed(agency);
    let mut appended = Appended::default();
    if owed.agency && agency.is_administrator(member) {
        appended.extend(open_agency_epoch(agency, device, secrets, random)?);
    }
    let is_officer = agency.live_member(member)?.roles().any(Roles::DPO);
    if owed.role && is_officer {
        appended.extend(open_role_epoch(agency, device, secrets, random)?);
    }
    Ok(appended)
}

/// Opens the agency key's next epoch, to every live member and recovery.
///
/// # Errors
/// [`Check::AdministratorOnly`].
pub fn open_agency_epoch(
    agency: &mut AgencyState,
    device: DeviceId,
    secrets: &Secrets,
    random: &mut dyn CryptoRng,
) -> Result<Appended, Refused> {
    let stream = StreamId::agency(&agency.id());
    let opening = Opening {
        section: Section::INDEX,
        epoch: Epoch(u32::try_from(agency.epochs().len()).map_err(|_| Check::EpochNumber)?),
        private_author: None,
        recipients: agency.everybody().collect(),
    };
    let opened = opening::open_epochs(agency, stream, &[opening], random)?;
    let event = Event::AgencyEpoch(AgencyEpoch {
        open: opened.opens.into_iter().next().ok_or(Check::EpochNumber)?,
        keyrings: opened.keyrings,
    });
    append(agency, device, secrets, event, opened.files)
}

/// Opens the data-protection role key's next epoch, to every live officer and reviewer and recovery; the new key goes into
/// `secrets`.
///
/// # Errors
/// [`Check::DpoOnly`].
pub fn open_role_epoch(
    agency: &mut AgencyState,
    device: DeviceId,
    secrets: &mut Secrets,
    random: &mut dyn CryptoRng,
) -> Result<Appended, Refused> {
    let stream = StreamId::agency(&agency.id());
    let role = RecipientSeed::from_bytes(fresh(random));
    let epoch = agency.dpo().0.checked_add(1).ok_or(Check::EpochNumber)?;
    let role_key = EpochKey::from_bytes(*role.expose());
    let entry = [(Section::DPO_IDENTITY, Epoch(epoch), &role_key)];
    let holders: BTreeSet<_> = agency.officers().collect();
    let (mut keyrings, mut files) = (Vec::new(), Vec::new());
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
    let appended = append(agency, device, secrets, event, files)?;
    secrets.dpo.push((epoch, role));
    Ok(appended)
}

/// Appends one event of the agency stream, with the files that it names.
pub(super) fn append(
    agency: &mut AgencyState,
    device: DeviceId,
    secrets: &Secrets,
    event: Event,
    files: Vec<(crate::id::KeyringHash, Vec<u8>)>,
) -> Result<Appended, Refused> {
    let signer = SigningKey::from_seed(&secrets.device);
    let mut links = Vec::new();
    founding::push(agency, &mut links, &signer, device, event, Vec::new())?;
    Ok(Appended {
        links: links.into_iter().map(|(link, _)| link).collect(),
        files,
    })
}

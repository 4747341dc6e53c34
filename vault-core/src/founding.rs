//! Founding an agency of one person: root document, keys, and the first links of its stream.
//!
//! The person is caseworker, supervisor, duty, administrator and data-protection officer, and keeps the recovery key
//! until cards are made of it. The links are those of any agency, so that it can grow without losing a signature.

use crate::agency_state;
use crate::agency_state::AgencyState;
use crate::check::Check;
use crate::check::Refused;
use crate::context::Label;
use crate::crypto::sign::SigningKey;
use crate::epoch::SectionSealer;
use crate::id::AgencyId;
use crate::id::DeviceId;
use crate::id::KeyringHash;
use crate::id::LinkId;
use crate::id::MemberId;
use crate::id::PolicyHash;
use crate::id::RecordHash;
use crate::id::RecordId;
use crate::id::RootHash;
use crate::keyring;
use crate::keystore::RecoverySeeds;
use crate::keystore::Secrets;
use crate::opening;
use crate::opening::Opening;
use crate::opening::fresh;
use crate::opening::fresh_id;
use crate::placing;
use crate::placing::PlacedRecord;
use crate::record;
use crate::secret::EpochKey;
use crate::secret::RecipientSeed;
use crate::secret::RecoverySeed;
use crate::secret::ReleaseHalf;
use crate::secret::SealSecret;
use crate::secret::SigningSeed;
use crate::secret::StoreKey;
use crate::stream::Chain;
use crate::stream::VerifiedLink;
use crate::wire;
use crate::wire::v1::FORMAT;
use crate::wire::v1::agency::Administrator;
use crate::wire::v1::agency::CertifiedDevice;
use crate::wire::v1::agency::DeviceCertificate;
use crate::wire::v1::agency::Founding;
use crate::wire::v1::agency::MemberRecipient;
use crate::wire::v1::agency::Operation;
use crate::wire::v1::agency::RoleRecipient;
use crate::wire::v1::agency::Roles;
use crate::wire::v1::agency::Root;
use crate::wire::v1::agency::RootSignature;
use crate::wire::v1::agency::SectionRule;
use crate::wire::v1::agency::Threshold;
use crate::wire::v1::event::AgencyEpoch;
use crate::wire::v1::event::DpoEpoch;
use crate::wire::v1::event::Event;
use crate::wire::v1::event::SignedRoot;
use crate::wire::v1::key::KeyContext;
use crate::wire::v1::key::KeyringRef;
use crate::wire::v1::link::LinkBody;
use crate::wire::v1::link::PlacedEvent;
use crate::wire::v1::link::Release;
use crate::wire::v1::record::RecordClass;
use crate::wire::v1::record::RecordHeader;
use crate::wire::v1::stream::Epoch;
use crate::wire::v1::stream::Month;
use crate::wire::v1::stream::Section;
use crate::wire::v1::stream::StreamId;
use rand_core::CryptoRng;
use std::collections::BTreeSet;

/// The sections that a new agency starts with, by number.
pub const SECTIONS: [&str; 7] = [
    "index",
    "core",
    "health",
    "safeguarding",
    "housing",
    "finance",
    "education",
];

/// A new agency.
pub struct Founded {
    /// What its stream says.
    pub agency: AgencyState,
    /// The founder.
    pub member: MemberId,
    /// The founder's device.
    pub device: DeviceId,
    /// The founder's secrets.
    pub secrets: Secrets,
    /// The stream's links in order, each with its sealed parts.
    pub links: Vec<(VerifiedLink, Vec<PlacedRecord>)>,
    /// Keyring files.
    pub files: Vec<(KeyringHash, Vec<u8>)>,
}

/// Founds an agency. `settings` is the JSON `casevault.settings/1`, sealed under the agency key.
///
/// # Errors
/// None in practice but [`Check::TooLong`] for settings over 16 MiB.
pub fn found(
    settings: &[u8],
    policy_set: PolicyHash,
    month: Month,
    random: &mut dyn CryptoRng,
) -> Result<Founded, Refused> {
    let secrets = make_secrets(random);
    let (member, device) = (MemberId(fresh_id(random)), DeviceId(fresh_id(random)));
    let identity = SigningKey::from_seed(&secrets.identity);
    let signer = SigningKey::from_seed(&secrets.device);
    let root = make_root(member, &identity, &secrets, fresh_id(random))?;
    let agency = agency_state::agency_id(&root)?;
    let stream = StreamId::agency(&agency);
    let mut chain = Chain::empty(agency, stream);

    let founding = make_founding(agency, member, device, &signer, &identity, &secrets)?;
    let signature = identity.sign(Label::RootSignature, &[&wire::encode(&root)?]);
    let signatures = vec![RootSignature { member, signature }];
    let event = Event::Root(SignedRoot {
        root,
        signatures,
        founding: Some(founding),
    });
    let body = LinkBody::Event(PlacedEvent {
        event,
        sealed: Vec::new(),
    });
    let first = chain.append(LinkId::ZERO, device, body)?.sign(&signer);
    let mut state = AgencyState::found(&first.clone().into_unverified())?;
    let mut links = vec![(first, Vec::new())];
    let mut files = Vec::new();

    let everybody: BTreeSet<_> = state
        .member_ref(member)
        .into_iter()
        .chain([state.recovery_ref()])
        .collect();
    let opening = Opening {
        section: Section::INDEX,
        epoch: Epoch::FIRST,
        private_author: None,
        recipients: everybody.clone(),
    };
    let opened = opening::open_epochs(&state, stream, &[opening], random)?;
    let open = opened.opens.into_iter().next().ok_or(Check::EpochNumber)?;
    let (_, _, agency_key) = opened.keys.into_iter().next().ok_or(Check::EpochNumber)?;
    files.extend(opened.files);
    let event = Event::AgencyEpoch(AgencyEpoch {
        open,
        keyrings: opened.keyrings,
    });
    push(&mut state, &mut links, &signer, device, event, Vec::new())?;

    let (epoch, role) = secrets.dpo.first().map(|(e, s)| (*e, s)).ok_or(Check::DpoOnly)?;
    let role_key = EpochKey::from_bytes(*role.expose());
    let entry = [(Section::DPO_IDENTITY, Epoch(epoch), &role_key)];
    let mut keyrings = Vec::new();
    for to in &everybody {
        let public = state.recipient_key(to).ok_or(Check::RecipientVersion)?;
        let (file, keyring_hash) = keyring::seal(agency, stream, *to, public, &entry, random)?;
        keyrings.push(KeyringRef { to: *to, keyring_hash });
        files.push((keyring_hash, file));
    }
    let event = Event::DpoEpoch(DpoEpoch {
        epoch,
        recipient: keyring::recipient_key(role),
        holders: wire::sort_set(everybody.into_iter().collect())?,
        keyrings: wire::sort_set(keyrings)?,
    });
    push(&mut state, &mut links, &signer, device, event, Vec::new())?;

    let placed = seal_settings(
        &state,
        RecordId(fresh_id(random)),
        (1, RecordHash::ZERO),
        (member, device),
        settings,
        &agency_key,
        month,
        &secrets,
        random,
    )?;
    push(
        &mut state,
        &mut links,
        &signer,
        device,
        Event::Settings(policy_set),
        vec![placed],
    )?;
    Ok(Founded {
        agency: state,
        member,
        device,
        secrets,
        links,
        files,
    })
}

/// Seals a version of the agency's settings under the agency key's first epoch.
///
/// `version` is the number and the hash of the version amended.
///
/// # Errors
/// [`Check::TooLong`] for settings over 16 MiB.
#[allow(clippy::too_many_arguments, reason = "a record's header is made of these")]
pub fn seal_settings(
    agency: &AgencyState,
    record: RecordId,
    version: (u32, RecordHash),
    (member, device): (MemberId, DeviceId),
    settings: &[u8],
    agency_key: &EpochKey,
    month: Month,
    secrets: &Secrets,
    random: &mut dyn CryptoRng,
) -> Result<PlacedRecord, Refused> {
    let stream = StreamId::agency(&agency.id());
    let header = RecordHeader {
        format: FORMAT,
        agency: agency.id(),
        stream,
        section: Section::INDEX,
        record,
        version: version.0,
        amends: version.1,
        member,
        device,
        class: RecordClass::Admin,
        padded_length: 0,
        commitment: [0; 32],
    };
    let signer = SigningKey::from_seed(&secrets.device);
    let sealed = record::seal(header, settings, &fresh(random), &secrets.seal_secret, &signer)?;
    let last = agency.epochs().last().map_or(Epoch::FIRST, |e| e.epoch);
    let context = KeyContext {
        agency: agency.id(),
        stream,
        section: Section::INDEX,
        epoch: last,
    };
    let release = Release {
        month,
        commitment: None,
    };
    let sealer = SectionSealer::derive(agency_key, &ReleaseHalf::none(), context, &release)?;
    placing::place(sealed, &sealer, last, release)
}

/// Appends an event of the agency stream, judged as any reader will.
pub(crate) fn push(
    state: &mut AgencyState,
    links: &mut Vec<(VerifiedLink, Vec<PlacedRecord>)>,
    signer: &SigningKey,
    device: DeviceId,
    event: Event,
    parts: Vec<PlacedRecord>,
) -> Result<(), Refused> {
    let sealed = parts.iter().map(|p| p.placement).collect();
    let body = LinkBody::Event(PlacedEvent { event, sealed });
    let link = state.chain().clone().append(state.head(), device, body)?.sign(signer);
    let stored: Vec<_> = parts.iter().map(PlacedRecord::stored).collect();
    let link = state.admit(link.into_unverified(), &stored)?;
    links.push((link, parts));
    Ok(())
}

fn make_secrets(random: &mut dyn CryptoRng) -> Secrets {
    Secrets {
        device: SigningSeed::from_bytes(fresh(random)),
        seal_secret: SealSecret::from_bytes(fresh(random)),
        store_key: StoreKey::from_bytes(fresh(random)),
        identity: SigningSeed::from_bytes(fresh(random)),
        recipients: vec![(1, RecipientSeed::from_bytes(fresh(random)))],
        dpo: vec![(0, RecipientSeed::from_bytes(fresh(random)))],
        recovery: Some(RecoverySeeds::from_seed(1, RecoverySeed::from_bytes(fresh(random)))),
    }
}

fn make_root(member: MemberId, identity: &SigningKey, secrets: &Secrets, salt: [u8; 16]) -> Result<Root, Refused> {
    let recovery = secrets.recovery.as_ref().ok_or(Check::OwnKeys)?;
    let (epoch, role) = secrets.dpo.first().ok_or(Check::OwnKeys)?;
    let operations = [
        Operation::Root,
        Operation::Member,
        Operation::Policy,
        Operation::Recovery,
    ];
    let numbers = 0..u16::try_from(SECTIONS.len()).map_err(|_| Check::TooLong)?;
    Ok(Root {
        format: FORMAT,
        version: 1,
        previous: RootHash::ZERO,
        salt,
        minimum_format: FORMAT,
        administrators: vec![Administrator {
            member,
            identity: identity.public(),
        }],
        thresholds: operations
            .map(|operation| Threshold {
                operation,
                administrators: 1,
            })
            .to_vec(),
        recovery: recovery.public(),
        dpo: RoleRecipient {
            epoch: *epoch,
            recipient: keyring::recipient_key(role),
        },
        duty: None,
        sections: numbers
            .map(|n| SectionRule {
                section: Section(n),
                duty: 0,
            })
            .collect(),
        witnesses: Vec::new(),
        log: None,
        release_version: 0,
    })
}

fn make_founding(
    agency: AgencyId,
    member: MemberId,
    device: DeviceId,
    signer: &SigningKey,
    identity: &SigningKey,
    secrets: &Secrets,
) -> Result<Founding, Refused> {
    let (version, seed) = secrets.recipients.first().ok_or(Check::OwnKeys)?;
    let certificate = DeviceCertificate {
        agency,
        member,
        device,
        key: signer.public(),
    };
    let signature = identity.sign(Label::DeviceCertificate, &[&wire::encode(&certificate)?]);
    let roles = [
        Roles::SUPERVISOR,
        Roles::DUTY,
        Roles::REVIEWER,
        Roles::DPO,
        Roles::ADMINISTRATOR,
    ];
    Ok(Founding {
        roles: roles.into_iter().fold(Roles::CASEWORKER, Roles::with),
        recipient: MemberRecipient {
            member,
            version: *version,
            key: keyring::recipient_key(seed),
        },
        device: CertifiedDevice { certificate, signature },
    })
}

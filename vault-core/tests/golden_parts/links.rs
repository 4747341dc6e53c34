//! §5 to §7: a root document, and the first links of three streams. Every link is judged before it is written down.

use super::CASE;
use super::DEVICE;
use super::DEVICE_SEED;
use super::DPO_SEED;
use super::EPOCH_KEY;
use super::IDENTITY_SEED;
use super::MEMBER;
use super::OTHER;
use super::OTHER_DEVICE;
use super::OTHER_DEVICE_SEED;
use super::OTHER_IDENTITY_SEED;
use super::OTHER_RECIPIENT_SEED;
use super::RECIPIENT_SEED;
use super::RECOVERY_SEED;
use super::RECOVERY_SIGNING_SEED;
use super::agency as agency_id;
use super::hex;
use super::recipient;
use super::sealed;
use super::signer;
use serde_json::Value;
use serde_json::json;
use vault_core::access::AccessState;
use vault_core::agency_state;
use vault_core::agency_state::AgencyState;
use vault_core::case_state::CaseState;
use vault_core::context::Label;
use vault_core::epoch;
use vault_core::id::AgencyId;
use vault_core::id::DeviceId;
use vault_core::id::GrantId;
use vault_core::id::KeyringHash;
use vault_core::id::LinkId;
use vault_core::id::MemberId;
use vault_core::id::PolicyHash;
use vault_core::id::RecordHash;
use vault_core::id::RootHash;
use vault_core::keyring;
use vault_core::placing;
use vault_core::placing::PlacedRecord;
use vault_core::secret::EpochKey;
use vault_core::stream::Chain;
use vault_core::stream::VerifiedLink;
use vault_core::wire;
use vault_core::wire::v1::access::AccessSegment;
use vault_core::wire::v1::agency::Administrator;
use vault_core::wire::v1::agency::CertifiedDevice;
use vault_core::wire::v1::agency::DeviceCertificate;
use vault_core::wire::v1::agency::Founding;
use vault_core::wire::v1::agency::MemberRecipient;
use vault_core::wire::v1::agency::Operation;
use vault_core::wire::v1::agency::RecoveryKeys;
use vault_core::wire::v1::agency::RoleRecipient;
use vault_core::wire::v1::agency::Roles;
use vault_core::wire::v1::agency::Root;
use vault_core::wire::v1::agency::RootSignature;
use vault_core::wire::v1::agency::SectionRule;
use vault_core::wire::v1::agency::Threshold;
use vault_core::wire::v1::event::AgencyEpoch;
use vault_core::wire::v1::event::Erasure;
use vault_core::wire::v1::event::ErasureGround;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::event::NewMember;
use vault_core::wire::v1::event::SignedRoot;
use vault_core::wire::v1::key::KeyContext;
use vault_core::wire::v1::key::KeyringRef;
use vault_core::wire::v1::key::RecipientRef;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::link::PlacedEvent;
use vault_core::wire::v1::link::Placement;
use vault_core::wire::v1::membership::EpochKind;
use vault_core::wire::v1::membership::EpochOpen;
use vault_core::wire::v1::membership::Grant;
use vault_core::wire::v1::membership::GrantedSection;
use vault_core::wire::v1::membership::Membership;
use vault_core::wire::v1::membership::Rights;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::stream::Day;
use vault_core::wire::v1::stream::Epoch;
use vault_core::wire::v1::stream::Section;
use vault_core::wire::v1::stream::StreamId;

pub(crate) fn first_root() -> Root {
    let operations = [
        Operation::Root,
        Operation::Member,
        Operation::Policy,
        Operation::Recovery,
    ];
    Root {
        format: 1,
        version: 1,
        previous: RootHash::ZERO,
        salt: [0x10; 16],
        minimum_format: 1,
        administrators: vec![Administrator {
            member: MEMBER,
            identity: signer(IDENTITY_SEED).public(),
        }],
        thresholds: operations
            .map(|operation| Threshold {
                operation,
                administrators: 1,
            })
            .to_vec(),
        recovery: RecoveryKeys {
            version: 1,
            recipient: keyring::recipient_key(&recipient(RECOVERY_SEED)),
            signing: signer(RECOVERY_SIGNING_SEED).public(),
        },
        dpo: RoleRecipient {
            epoch: 0,
            recipient: keyring::recipient_key(&recipient(DPO_SEED)),
        },
        duty: None,
        sections: (0..6)
            .map(|n| SectionRule {
                section: Section(n),
                duty: 0,
            })
            .collect(),
        witnesses: Vec::new(),
        log: None,
        release_version: 0,
    }
}

fn certified(
    member: MemberId,
    device: DeviceId,
    key: [u8; 32],
    identity: [u8; 32],
    agency: AgencyId,
) -> CertifiedDevice {
    let certificate = DeviceCertificate {
        agency,
        member,
        device,
        key: signer(key).public(),
    };
    let bytes = wire::encode(&certificate).unwrap();
    CertifiedDevice {
        certificate,
        signature: signer(identity).sign(Label::DeviceCertificate, &[&bytes]),
    }
}

fn recipient_of(member: MemberId, seed: [u8; 32]) -> MemberRecipient {
    MemberRecipient {
        member,
        version: 1,
        key: keyring::recipient_key(&recipient(seed)),
    }
}

/// The founding of an agency with `root`, as its own founder signs it.
pub(crate) fn founding(root: Root) -> VerifiedLink {
    let agency = agency_state::agency_id(&root).unwrap();
    let signature = signer(IDENTITY_SEED).sign(Label::RootSignature, &[&wire::encode(&root).unwrap()]);
    let event = Event::Root(SignedRoot {
        root,
        signatures: vec![RootSignature {
            member: MEMBER,
            signature,
        }],
        founding: Some(Founding {
            roles: Roles::ALL,
            recipient: recipient_of(MEMBER, RECIPIENT_SEED),
            device: certified(MEMBER, DEVICE, DEVICE_SEED, IDENTITY_SEED, agency),
        }),
    });
    let mut chain = Chain::empty(agency, StreamId::agency(&agency));
    let link = chain.append(LinkId::ZERO, DEVICE, plain(event)).unwrap();
    link.sign(&signer(DEVICE_SEED))
}

pub(crate) fn plain(event: Event) -> LinkBody {
    LinkBody::Event(PlacedEvent {
        event,
        sealed: Vec::new(),
    })
}

pub(crate) fn root() -> Value {
    let root = first_root();
    let bytes = wire::encode(&root).unwrap();
    let certificate = certified(OTHER, OTHER_DEVICE, OTHER_DEVICE_SEED, OTHER_IDENTITY_SEED, agency_id());
    json!({
        "about": "§5: a first root document, its agency, and a device certificate.",
        "root": hex(&bytes),
        "agency": hex(agency_id().0),
        "root_hash": hex(agency_state::root_hash(&root).unwrap().0),
        "identity_seed": hex(IDENTITY_SEED),
        "identity_public": hex(signer(IDENTITY_SEED).public().0),
        "signature": hex(signer(IDENTITY_SEED).sign(Label::RootSignature, &[&bytes]).0),
        "certificate": hex(wire::encode(&certificate.certificate).unwrap()),
        "certificate_identity_seed": hex(OTHER_IDENTITY_SEED),
        "certificate_signature": hex(certificate.signature.0),
    })
}

/// A stream as it grows, link by link.
struct Told(Vec<Value>);

impl Told {
    fn push(&mut self, what: &str, link: &VerifiedLink, seed: [u8; 32]) {
        self.0.push(told(what, link, seed));
    }
}

/// Tells a link, and by whose key it is signed.
pub(crate) fn told(what: &str, link: &VerifiedLink, seed: [u8; 32]) -> Value {
    json!({
        "what": what,
        "link": hex(link.bytes()),
        "id": hex(link.id().0),
        "signer_seed": hex(seed),
        "signature": hex(link.signature().0),
    })
}

/// The agency as of its last link, and its links.
pub(crate) fn agency_stream() -> (AgencyState, Vec<Value>) {
    let link = founding(first_root());
    let mut state = AgencyState::found(link.as_unverified()).unwrap();
    let mut told = Told(Vec::new());
    told.push("root, with the founding", &link, DEVICE_SEED);
    let mut push = |state: &mut AgencyState, what: &str, event: Event| {
        let mut chain = state.chain().clone();
        let link = chain.append(state.head(), DEVICE, plain(event)).unwrap();
        let link = link.sign(&signer(DEVICE_SEED));
        state.admit(link.as_unverified().clone(), &[]).unwrap();
        told.push(what, &link, DEVICE_SEED);
    };
    let joins = Event::Member(NewMember {
        member: OTHER,
        identity: signer(OTHER_IDENTITY_SEED).public(),
        roles: Roles::CASEWORKER,
        recipient: recipient_of(OTHER, OTHER_RECIPIENT_SEED),
    });
    push(&mut state, "member", joins);
    let device = certified(OTHER, OTHER_DEVICE, OTHER_DEVICE_SEED, OTHER_IDENTITY_SEED, agency_id());
    push(&mut state, "device", Event::Device(device));
    let readers = readers(&state, &[MEMBER, OTHER]);
    let stream = StreamId::agency(&agency_id());
    let open = EpochOpen {
        commitment: commitment(stream, Section::INDEX, Epoch::FIRST),
        ..open(stream, Section::INDEX, &readers)
    };
    let keyrings = keyrings(&readers);
    push(
        &mut state,
        "agency_epoch",
        Event::AgencyEpoch(AgencyEpoch { open, keyrings }),
    );
    push(
        &mut state,
        "settings, nothing sealed",
        Event::Settings(PolicyHash([0x71; 32])),
    );
    (state, told.0)
}

fn readers(state: &AgencyState, members: &[MemberId]) -> Vec<RecipientRef> {
    let named = members.iter().map(|m| state.member_ref(*m).unwrap());
    wire::sort_set(named.chain([state.recovery_ref()]).collect()).unwrap()
}

fn keyrings(to: &[RecipientRef]) -> Vec<KeyringRef> {
    let named = to.iter().zip(0x80..).map(|(to, byte)| KeyringRef {
        to: *to,
        keyring_hash: KeyringHash([byte; 32]),
    });
    wire::sort_set(named.collect()).unwrap()
}

fn commitment(stream: StreamId, section: Section, epoch: Epoch) -> [u8; 32] {
    let context = KeyContext {
        agency: agency_id(),
        stream,
        section,
        epoch,
    };
    epoch::commitment(&EpochKey::from_bytes(EPOCH_KEY), &context).unwrap()
}

fn open(stream: StreamId, section: Section, recipients: &[RecipientRef]) -> EpochOpen {
    EpochOpen {
        section,
        epoch: Epoch::FIRST,
        kind: EpochKind::Head,
        of: Epoch::FIRST,
        private_author: None,
        commitment: commitment(stream, section, Epoch::FIRST),
        recipients: recipients.to_vec(),
    }
}

fn grant(number: u8, member: MemberId, rights: Rights, until: Option<Day>) -> Grant {
    let granted = [Section::INDEX, Section::CORE].map(|section| GrantedSection {
        section,
        from_epoch: Epoch::FIRST,
    });
    Grant {
        grant: GrantId([number; 16]),
        member,
        rights,
        sections: granted.to_vec(),
        until,
    }
}

fn placed(header: vault_core::wire::v1::record::RecordHeader) -> PlacedRecord {
    let section = header.section;
    let record = sealed::seal(header);
    let context = KeyContext {
        section,
        ..sealed::context()
    };
    let key = EpochKey::from_bytes(EPOCH_KEY);
    let half = vault_core::secret::ReleaseHalf::none();
    let sealer = vault_core::epoch::SectionSealer::derive(&key, &half, context, &sealed::none()).unwrap();
    placing::place(record, &sealer, Epoch::FIRST, sealed::none()).unwrap()
}

struct Case {
    agency: AgencyState,
    chain: Chain,
    state: CaseState,
    told: Told,
}

impl Case {
    fn push(&mut self, what: &str, body: LinkBody, parts: &[&PlacedRecord]) {
        let link = self.chain.append(self.agency.head(), DEVICE, body).unwrap();
        let link = link.sign(&signer(DEVICE_SEED));
        let stored: Vec<_> = parts.iter().map(|p| p.stored()).collect();
        self.state.judge(&self.agency, link.as_unverified(), &stored).unwrap();
        self.told.push(what, &link, DEVICE_SEED);
    }
}

fn opening(agency: &AgencyState) -> Membership {
    let stream = StreamId::case(CASE);
    let mine = readers(agency, &[MEMBER]);
    Membership {
        grants: vec![grant(0x90, MEMBER, Rights::ALL, None)],
        owner: Some(MEMBER),
        opens: vec![open(stream, Section::INDEX, &mine), open(stream, Section::CORE, &mine)],
        keyrings: keyrings(&mine),
        ..Membership::default()
    }
}

/// The first link of the case, for what is malformed in it.
pub(crate) fn case_opened() -> VerifiedLink {
    let (agency, _) = agency_stream();
    let mut chain = Chain::empty(agency.id(), StreamId::case(CASE));
    let body = plain(Event::CaseOpened(opening(&agency)));
    let link = chain.append(agency.head(), DEVICE, body).unwrap();
    link.sign(&signer(DEVICE_SEED))
}

pub(crate) fn agency() -> Value {
    json!({
        "about": "§6, §7: the agency's stream. Every link is valid after the ones before it.",
        "links": agency_stream().1,
    })
}

pub(crate) fn case() -> Value {
    let (agency, _) = agency_stream();
    let stream = StreamId::case(CASE);
    let mut case = Case {
        chain: Chain::empty(agency.id(), stream),
        state: CaseState::empty(CASE),
        told: Told(Vec::new()),
        agency,
    };
    let first = case_opened();
    case.chain.follow(first.as_unverified()).unwrap();
    case.state.judge(&case.agency, first.as_unverified(), &[]).unwrap();
    case.told.push("case_opened", &first, DEVICE_SEED);

    let one = placed(sealed::header(0x60, 1, RecordHash::ZERO));
    case.push("record: `record.first`", LinkBody::Record(one.placement), &[&one]);
    let two = placed(sealed::header(0x60, 2, one.record.hash()));
    case.push("record: `record.second`", LinkBody::Record(two.placement), &[&two]);

    let to = [case.agency.member_ref(OTHER).unwrap()];
    let read = grant(0x91, OTHER, Rights::READ, Some(Day(21_000)));
    let granting = Membership {
        grants: vec![read],
        keyrings: keyrings(&to),
        ..Membership::default()
    };
    case.push("membership: a grant", plain(Event::Membership(granting)), &[]);

    let mine = readers(&case.agency, &[MEMBER]);
    let opens = [Section::INDEX, Section::CORE].map(|section| EpochOpen {
        epoch: Epoch(1),
        commitment: commitment(stream, section, Epoch(1)),
        ..open(stream, section, &mine)
    });
    let revoking = Membership {
        revoked: vec![GrantId([0x91; 16])],
        opens: opens.to_vec(),
        keyrings: keyrings(&mine),
        ..Membership::default()
    };
    case.push(
        "membership: a revocation with its rotation",
        plain(Event::Membership(revoking)),
        &[],
    );

    let header = vault_core::wire::v1::record::RecordHeader {
        section: Section::INDEX,
        class: RecordClass::Admin,
        ..sealed::header(0x61, 1, RecordHash::ZERO)
    };
    let record = sealed::seal(header);
    let context = KeyContext {
        section: Section::INDEX,
        epoch: Epoch(1),
        ..sealed::context()
    };
    let key = EpochKey::from_bytes(EPOCH_KEY);
    let half = vault_core::secret::ReleaseHalf::none();
    let sealer = vault_core::epoch::SectionSealer::derive(&key, &half, context, &sealed::none()).unwrap();
    let part = placing::place(record, &sealer, Epoch(1), sealed::none()).unwrap();
    let sealed_parts: Vec<Placement> = vec![part.placement];
    let relation = LinkBody::Event(PlacedEvent {
        event: Event::Relation,
        sealed: sealed_parts,
    });
    case.push("relation, with a sealed part", relation, &[&part]);
    let erasure = Event::Erasure(Erasure {
        records: vec![one.record.hash()],
        ground: ErasureGround::Decided,
    });
    case.push("erasure of `record.first`", plain(erasure), &[]);
    json!({
        "about": "§6, §7: a case's stream, all by one device. Epoch keys are all `wrap.epoch_key`.",
        "case": hex(CASE.0),
        "links": case.told.0,
    })
}

pub(crate) fn access() -> Value {
    let (agency, _) = agency_stream();
    let mut chain = Chain::empty(agency.id(), StreamId::access(DEVICE));
    let mut state = AccessState::empty(DEVICE);
    let entry = sealed::seal_entry(&mut sealed::ratchet(), Some(StreamId::case(CASE)), None);
    let segment = AccessSegment {
        segment: 0,
        dpo_epoch: 0,
        start_hash: KeyringHash([0x72; 32]),
    };
    let mut told = Told(Vec::new());
    for (what, body) in [
        ("segment", LinkBody::Segment(segment)),
        ("access", LinkBody::Access(entry.entry)),
    ] {
        let link = chain.append(agency.head(), DEVICE, body).unwrap();
        let link = link.sign(&signer(DEVICE_SEED));
        state.judge(&agency, link.as_unverified()).unwrap();
        told.push(what, &link, DEVICE_SEED);
    }
    json!({
        "about": "§6, §9: a device's access stream.",
        "links": told.0,
    })
}

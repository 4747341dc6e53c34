//! One honest value of every structure, as bytes.

use crate::check::Check;
use crate::crypto::sign::Signature;
use crate::epoch::release_commitment_bytes;
use crate::forge::CaseFile;
use crate::forge::World;
use crate::forge::case::Made;
use crate::forge::case::granting;
use crate::forge::case::none;
use crate::id::KeyringHash;
use crate::wire;
use crate::wire::v1::access::AccessEntry;
use crate::wire::v1::access::AccessOperation;
use crate::wire::v1::access::AccessSegment;
use crate::wire::v1::access::SegmentStart;
use crate::wire::v1::agency::DeviceCertificate;
use crate::wire::v1::agency::Roles;
use crate::wire::v1::agency::Root;
use crate::wire::v1::enrolment::EnrolmentSheet;
use crate::wire::v1::enrolment::HandedSecrets;
use crate::wire::v1::enrolment::HandedSeed;
use crate::wire::v1::enrolment::InviteId;
use crate::wire::v1::enrolment::InviteKind;
use crate::wire::v1::enrolment::JoinAnswer;
use crate::wire::v1::enrolment::JoinRequest;
use crate::wire::v1::enrolment::Joiner;
use crate::wire::v1::enrolment::NewDevice;
use crate::wire::v1::event::Complaint;
use crate::wire::v1::event::Erasure;
use crate::wire::v1::event::ErasureGround;
use crate::wire::v1::event::Event;
use crate::wire::v1::event::Expired;
use crate::wire::v1::event::MemberReset;
use crate::wire::v1::event::MemberRoles;
use crate::wire::v1::event::RecoveryRun;
use crate::wire::v1::event::Restored;
use crate::wire::v1::key::KeyContext;
use crate::wire::v1::key::Keyring;
use crate::wire::v1::key::KeyringEntry;
use crate::wire::v1::key::WrapContext;
use crate::wire::v1::keystore::KdfAlgorithm;
use crate::wire::v1::keystore::KeystoreFile;
use crate::wire::v1::keystore::KeystoreHeader;
use crate::wire::v1::link::Link;
use crate::wire::v1::link::LinkBody;
use crate::wire::v1::link::PlacedEvent;
use crate::wire::v1::link::Rewrap;
use crate::wire::v1::link::Rewrapped;
use crate::wire::v1::link::Seen;
use crate::wire::v1::membership::Membership;
use crate::wire::v1::membership::Rights;
use crate::wire::v1::record::RecordHeader;
use crate::wire::v1::stream::Epoch;
use crate::wire::v1::stream::Section;
use crate::wire::v1::stream::StreamId;

/// A world with a case and a note.
pub(super) struct Samples {
    pub(super) world: World,
    pub(super) case: CaseFile,
    pub(super) note: Made,
}

impl Samples {
    pub(super) fn new() -> Self {
        let world = World::new(1, 3);
        let case = CaseFile::shared(&world, 1, 3);
        let note = case.note(&world, 0, Section::CORE, 1);
        Self { world, case, note }
    }

    pub(super) fn certificate(&self) -> DeviceCertificate {
        let person = &self.world.people[1];
        person.certificate(self.world.agency.id(), &person.identity).certificate
    }

    pub(super) fn context(&self) -> KeyContext {
        self.case.context(&self.world, Section::CORE, Epoch::FIRST)
    }

    pub(super) fn record_link(&self) -> Link {
        self.case.link(&self.world, 0, LinkBody::Record(self.note.placement))
    }

    pub(super) fn release_bytes(&self) -> Vec<u8> {
        release_commitment_bytes(&self.context(), &none()).unwrap()
    }

    fn link(&self, body: LinkBody) -> Vec<u8> {
        let mut link = self.case.link(&self.world, 0, body);
        if matches!(link.body, LinkBody::Access(_) | LinkBody::Segment(_)) {
            link.stream = StreamId::access(link.device);
        }
        wire::encode(&link).unwrap()
    }

    fn events(&self) -> Vec<Event> {
        let membership = Membership {
            revoked: self.case.state.grants().keys().copied().collect(),
            due: vec![Section::CORE],
            ..granting(
                &self.world,
                &[
                    self.case.grant(&self.world, 1, Rights::READ),
                    self.case.grant(&self.world, 2, Rights::ALL),
                ],
            )
        };
        let signed = self.world.signed_root(self.world.next_root(), &[0, 1]);
        let device = self.world.people[1].certificate(self.world.agency.id(), &self.world.people[1].identity);
        let LinkBody::Event(founding) = &self.world.links[0].link().body else {
            panic!("a founding");
        };
        vec![
            founding.event.clone(),
            signed,
            self.world.people[1].joins(),
            Event::Device(device),
            Event::MemberRetired(self.world.people[1].member),
            Event::DeviceRetired(self.world.people[1].device),
            Event::Recipient(self.world.people[1].recipient(2)),
            Event::Settings(crate::id::PolicyHash([1; 32])),
            Event::AgencyEpoch(self.world.agency_epoch()),
            Event::DpoEpoch(self.world.dpo_epoch(0, &[0])),
            Event::RecoveryRun(RecoveryRun {
                device,
                retired: vec![self.world.people[1].device],
                version: 1,
                signature: Signature([2; 64]),
            }),
            Event::Restored(Restored {
                device,
                retired: Vec::new(),
                signature: Signature([3; 64]),
            }),
            Event::Roles(MemberRoles {
                member: self.world.people[1].member,
                roles: Roles::REVIEWER,
            }),
            Event::Reset(MemberReset {
                identity: self.world.people[1].signer.public(),
                recipient: self.world.people[1].recipient(2),
            }),
            Event::CaseOpened(self.case.opening(&self.world, 0)),
            Event::Membership(membership.clone()),
            Event::Expired(Expired {
                grants: membership.revoked.clone(),
                membership,
            }),
            Event::Erasure(Erasure {
                records: vec![self.note.record.hash()],
                ground: ErasureGround::Misfiled,
            }),
            Event::Complaint(Complaint {
                keyring_hash: KeyringHash([1; 32]),
                section: Section::CORE,
                epoch: Epoch::FIRST,
            }),
            Event::Relation,
        ]
    }

    /// Links of every kind, with every event, as bytes.
    pub(super) fn links(&self) -> Vec<Vec<u8>> {
        let entry = AccessEntry {
            segment: 1,
            index: 2,
            operation: AccessOperation::Open,
            subject: Some(StreamId::case(self.case.id)),
            release_hash: crate::id::BodyHash::ZERO,
            body_hash: crate::id::BodyHash([1; 32]),
            manifest_hash: crate::id::BodyHash::ZERO,
        };
        let segment = AccessSegment {
            segment: 1,
            dpo_epoch: 0,
            start_hash: KeyringHash([1; 32]),
        };
        let rewrap = Rewrap {
            section: Section::CORE,
            epoch: Epoch::FIRST_HISTORY,
            release: none(),
            items: vec![Rewrapped {
                record_hash: self.note.record.hash(),
                wrap_hash: self.note.wrap.hash(),
            }],
        };
        let mut seen = self.record_link();
        seen.seen = Some(Seen {
            size: 9,
            root: [1; 32],
            signature: crate::crypto::sign::Signature([2; 64]),
        });
        let events = self.events().into_iter().map(|event| {
            LinkBody::Event(PlacedEvent {
                event,
                sealed: vec![self.note.placement],
            })
        });
        let bodies = [
            LinkBody::Record(self.note.placement),
            LinkBody::Rewrap(rewrap),
            LinkBody::Access(entry),
            LinkBody::Segment(segment),
        ];
        let links = bodies.into_iter().chain(events).map(|body| self.link(body));
        links.chain([wire::encode(&seen).unwrap()]).collect()
    }

    /// The structures that are a document of their own, by name.
    pub(super) fn documents(&self) -> Vec<(&'static str, Vec<u8>)> {
        let person = &self.world.people[0];
        let keyring = Keyring {
            format: 1,
            agency: self.world.agency.id(),
            stream: StreamId::case(self.case.id),
            to: self.world.to(0),
            entries: vec![KeyringEntry {
                section: Section::CORE,
                epoch: Epoch::FIRST,
                key: [1; 32],
            }],
        };
        let start = SegmentStart {
            format: 1,
            agency: self.world.agency.id(),
            device: person.device,
            segment: 0,
            s0: [1; 32],
        };
        let store = KeystoreFile {
            header: KeystoreHeader {
                format: 1,
                agency: self.world.agency.id(),
                member: person.member,
                device: person.device,
                kdf: KdfAlgorithm::Argon2id,
                cost: crate::crypto::passphrase::Cost::default(),
                salt: [1; 32],
                generation: 1,
                fresh: [2; 32],
            },
            commitment: [3; 32],
            sealed: vec![4; 272],
        };
        let context = self.context();
        let wrap = WrapContext {
            agency: context.agency,
            stream: context.stream,
            section: context.section,
            epoch: context.epoch,
            month: none().month,
            record_hash: self.note.record.hash(),
        };
        let sheet = EnrolmentSheet {
            format: 1,
            kind: InviteKind::Device,
            agency: self.world.agency.id(),
            member: person.member,
            root: crate::id::RootHash([1; 32]),
            size: 9,
            tree: [2; 32],
            until: crate::wire::v1::stream::Day(20_000),
            url: b"https://vault.example".to_vec(),
            secret: [3; 16],
        };
        let request = JoinRequest {
            format: 1,
            agency: self.world.agency.id(),
            invite: InviteId([1; 16]),
            joiner: Joiner::Device(NewDevice {
                certificate: self.certificate(),
                once: person.recipient(1).key,
            }),
        };
        let answer = JoinAnswer {
            format: 1,
            agency: self.world.agency.id(),
            invite: InviteId([1; 16]),
            request: [2; 32],
            link: crate::id::LinkId([3; 32]),
            secrets: Some(vec![4; 300]),
        };
        let handed = HandedSecrets {
            format: 1,
            agency: self.world.agency.id(),
            member: person.member,
            device: person.device,
            identity: [1; 32],
            recipients: vec![HandedSeed {
                version: 1,
                seed: [2; 32],
            }],
            dpo: Vec::new(),
        };
        let encoded: [(&'static str, Result<Vec<u8>, _>); 13] = [
            ("root", wire::encode(self.world.agency.root())),
            ("certificate", wire::encode(&self.certificate())),
            ("record header", wire::encode(self.note.record.header())),
            ("link", wire::encode(&self.record_link())),
            ("keyring", wire::encode(&keyring)),
            ("segment start", wire::encode(&start)),
            ("keystore", wire::encode(&store)),
            ("key context", wire::encode(&context)),
            ("wrap context", wire::encode(&wrap)),
            ("enrolment sheet", wire::encode(&sheet)),
            ("join request", wire::encode(&request)),
            ("join answer", wire::encode(&answer)),
            ("handed secrets", wire::encode(&handed)),
        ];
        encoded.map(|(name, bytes)| (name, bytes.unwrap())).to_vec()
    }

    /// Whether bytes decode as each of [`Self::documents`].
    #[allow(clippy::type_complexity, reason = "a table of functions")]
    pub(super) fn decoders() -> [(&'static str, fn(&[u8]) -> bool); 13] {
        fn decodes<T: tls_codec::DeserializeBytes + tls_codec::Serialize>(bytes: &[u8]) -> bool {
            again::<T>(bytes).is_some()
        }
        [
            ("root", decodes::<Root>),
            ("certificate", decodes::<DeviceCertificate>),
            ("record header", decodes::<RecordHeader>),
            ("link", decodes::<Link>),
            ("keyring", decodes::<Keyring>),
            ("segment start", decodes::<SegmentStart>),
            ("keystore", decodes::<KeystoreFile>),
            ("key context", decodes::<KeyContext>),
            ("wrap context", decodes::<WrapContext>),
            ("enrolment sheet", decodes::<EnrolmentSheet>),
            ("join request", decodes::<JoinRequest>),
            ("join answer", decodes::<JoinAnswer>),
            ("handed secrets", decodes::<HandedSecrets>),
        ]
    }
}

/// Decodes and encodes again; `None` if refused, and a panic if the bytes changed.
pub(super) fn again<T: tls_codec::DeserializeBytes + tls_codec::Serialize>(bytes: &[u8]) -> Option<Vec<u8>> {
    match wire::decode::<T>(bytes, 1 << 20) {
        Ok(value) => {
            let encoded = wire::encode(&value).unwrap();
            assert_eq!(encoded, bytes, "decoded, and encodes to something else");
            Some(encoded)
        }
        Err(refused) => {
            let causes = [Check::NotCanonical, Check::UnknownFormat, Check::TooLong];
            assert!(causes.contains(&refused.check));
            None
        }
    }
}

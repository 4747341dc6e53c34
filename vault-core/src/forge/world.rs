//! An agency with people in it, all keys at hand.

use super::random::Seeded;
use super::twin::LinkTwin;
use crate::agency_state;
use crate::agency_state::AgencyState;
use crate::check::Refused;
use crate::context::Label;
use crate::crypto::hash::hash;
use crate::crypto::sign::SigningKey;
use crate::id::AgencyId;
use crate::id::DeviceId;
use crate::id::KeyringHash;
use crate::id::LinkId;
use crate::id::MemberId;
use crate::id::RootHash;
use crate::keyring;
use crate::secret::RecipientSeed;
use crate::secret::SealSecret;
use crate::secret::SigningSeed;
use crate::stream::UnverifiedLink;
use crate::wire;
use crate::wire::v1::FORMAT;
use crate::wire::v1::agency::Administrator;
use crate::wire::v1::agency::CertifiedDevice;
use crate::wire::v1::agency::DeviceCertificate;
use crate::wire::v1::agency::Founding;
use crate::wire::v1::agency::MemberRecipient;
use crate::wire::v1::agency::Operation;
use crate::wire::v1::agency::RecoveryKeys;
use crate::wire::v1::agency::RoleRecipient;
use crate::wire::v1::agency::Roles;
use crate::wire::v1::agency::Root;
use crate::wire::v1::agency::RootSignature;
use crate::wire::v1::agency::SectionRule;
use crate::wire::v1::agency::Threshold;
use crate::wire::v1::agency::Verifier;
use crate::wire::v1::event::AgencyEpoch;
use crate::wire::v1::event::DpoEpoch;
use crate::wire::v1::event::Event;
use crate::wire::v1::event::NewMember;
use crate::wire::v1::event::SignedRoot;
use crate::wire::v1::key::KeyringRef;
use crate::wire::v1::key::RecipientRef;
use crate::wire::v1::link::Link;
use crate::wire::v1::link::LinkBody;
use crate::wire::v1::link::PlacedEvent;
use crate::wire::v1::membership::EpochKind;
use crate::wire::v1::membership::EpochOpen;
use crate::wire::v1::stream::Epoch;
use crate::wire::v1::stream::Section;
use crate::wire::v1::stream::StreamId;

/// A member with one device, and all its secrets.
pub struct Person {
    /// The member.
    pub member: MemberId,
    /// The device.
    pub device: DeviceId,
    /// The roles.
    pub roles: Roles,
    /// Certifies devices.
    pub identity: SigningKey,
    /// Signs records and links.
    pub signer: SigningKey,
    /// Opens what is wrapped to the member.
    pub recipient: RecipientSeed,
    /// The device's share in record keys.
    pub seal_secret: SealSecret,
}

impl Person {
    /// Makes a person out of a seed.
    pub fn new(seed: u64, roles: Roles) -> Self {
        let mut random = Seeded::new(seed);
        let signer = |random: &mut Seeded| SigningKey::from_seed(&SigningSeed::from_bytes(random.bytes()));
        Self {
            member: MemberId(random.bytes()),
            device: DeviceId(random.bytes()),
            roles,
            identity: signer(&mut random),
            signer: signer(&mut random),
            recipient: RecipientSeed::from_bytes(random.bytes()),
            seal_secret: SealSecret::from_bytes(random.bytes()),
        }
    }

    /// Returns the member's recipient, as an event names it.
    pub fn recipient(&self, version: u32) -> MemberRecipient {
        MemberRecipient {
            member: self.member,
            version,
            key: keyring::recipient_key(&self.recipient),
        }
    }

    /// Returns the event by which the member joins.
    pub fn joins(&self) -> Event {
        Event::Member(NewMember {
            member: self.member,
            identity: self.identity.public(),
            roles: self.roles,
            recipient: self.recipient(1),
        })
    }

    /// Returns the device's certificate, signed by `identity`.
    pub fn certificate(&self, agency: AgencyId, identity: &SigningKey) -> CertifiedDevice {
        let certificate = DeviceCertificate {
            agency,
            member: self.member,
            device: self.device,
            key: self.signer.public(),
        };
        let bytes = wire::encode(&certificate).unwrap();
        CertifiedDevice {
            certificate,
            signature: identity.sign(Label::DeviceCertificate, &[&bytes]),
        }
    }
}

/// An agency: what its stream says, and everybody's keys.
pub struct World {
    /// What the stream says.
    pub agency: AgencyState,
    /// The people; the first is the founder and administrator.
    pub people: Vec<Person>,
    /// Opens what is wrapped to recovery.
    pub recovery: RecipientSeed,
    /// Signs recovery runs.
    pub recovery_signing: SigningKey,
    /// Opens what is sealed to the data-protection role's first epoch.
    pub dpo: RecipientSeed,
    /// Opens what is wrapped to the duty role.
    pub duty: RecipientSeed,
    /// The agency stream's links.
    pub links: Vec<UnverifiedLink>,
}

impl World {
    /// Founds an agency: the founder with every role, and caseworkers beside it, `people` in all.
    pub fn new(seed: u64, people: usize) -> Self {
        Self::with(seed, people, |_| ())
    }

    /// Founds an agency that names a log, under [`log_key`], and a first version of the release secret.
    pub fn with_release(seed: u64, people: usize) -> Self {
        Self::with(seed, people, |root| {
            root.log = Some(Verifier {
                name: b"log.example".to_vec(),
                key: log_key().public(),
            });
            root.release_version = 1;
        })
    }

    /// Founds an agency whose first root document `edit` has changed before it is signed.
    pub fn with(seed: u64, people: usize, edit: impl FnOnce(&mut Root)) -> Self {
        Self::of_people(seed, seed, people, edit)
    }

    /// Founds another agency of the very people of the agency `whose`, with the same ids and keys.
    pub fn again(seed: u64, whose: u64, people: usize) -> Self {
        Self::of_people(seed, whose, people, |_| ())
    }

    fn of_people(seed: u64, whose: u64, people: usize, edit: impl FnOnce(&mut Root)) -> Self {
        let founder = Person::new(whose * 1000, Roles::ALL);
        let seeds = RoleSeeds::of(seed);
        let mut root = seeds.root(&founder);
        edit(&mut root);
        let link = found(&founder, root);
        let mut world = Self {
            agency: AgencyState::found(&link).unwrap(),
            people: vec![founder],
            recovery: seeds.recovery,
            recovery_signing: seeds.signing,
            dpo: seeds.dpo,
            duty: seeds.duty,
            links: vec![link],
        };
        for number in 1..people {
            world.join(Person::new(whose * 1000 + number as u64, Roles::CASEWORKER));
        }
        world
    }

    /// Returns a first root document for an agency founded by somebody else.
    pub fn first_root(seed: u64, founder: &Person) -> Root {
        RoleSeeds::of(seed).root(founder)
    }

    /// Lets a member and its device join.
    pub fn join(&mut self, person: Person) {
        self.try_event(0, person.joins()).unwrap();
        let device = person.certificate(self.agency.id(), &person.identity);
        self.try_event(0, Event::Device(device)).unwrap();
        self.people.push(person);
    }

    /// Returns the agency stream's next link, unsigned.
    pub fn link(&self, by: usize, event: Event) -> Link {
        let body = LinkBody::Event(PlacedEvent {
            event,
            sealed: Vec::new(),
        });
        self.agency
            .chain()
            .next_link(self.agency.head(), self.people[by].device, body)
    }

    /// Judges an event that somebody appends to the agency's stream.
    pub fn try_event(&mut self, by: usize, event: Event) -> Result<(), Refused> {
        let twin = LinkTwin::signed(self.link(by, event), &self.people[by].signer);
        self.try_link(twin.received()?)
    }

    /// Judges a link that arrived for the agency's stream.
    pub fn try_link(&mut self, link: UnverifiedLink) -> Result<(), Refused> {
        self.agency.admit(link.clone(), &[])?;
        self.links.push(link);
        Ok(())
    }

    /// Judges an event, and leaves the world as it was.
    pub fn judged(&self, by: usize, event: Event) -> Result<(), Refused> {
        let twin = LinkTwin::signed(self.link(by, event), &self.people[by].signer);
        self.judged_link(twin.received()?)
    }

    /// Judges a link, and leaves the world as it was.
    pub fn judged_link(&self, link: UnverifiedLink) -> Result<(), Refused> {
        self.agency.clone().admit(link, &[]).map(|_| ())
    }

    /// Returns how a person's recipient in force is named.
    pub fn to(&self, person: usize) -> RecipientRef {
        self.agency.member_ref(self.people[person].member).unwrap()
    }

    /// Returns how the recipients of `people`, and recovery, are named; a set.
    pub fn readers(&self, people: &[usize]) -> Vec<RecipientRef> {
        let members = people.iter().map(|p| self.to(*p));
        wire::sort_set(members.chain([self.agency.recovery_ref()]).collect()).unwrap()
    }

    /// Returns a new root document that honestly follows the one in force.
    pub fn next_root(&self) -> Root {
        let root = self.agency.root();
        Root {
            version: root.version + 1,
            previous: agency_state::root_hash(root).unwrap(),
            ..root.clone()
        }
    }

    /// Signs a root document by the identity keys of `people`.
    pub fn signed_root(&self, root: Root, people: &[usize]) -> Event {
        let bytes = wire::encode(&root).unwrap();
        let signatures = people
            .iter()
            .map(|p| {
                let person = &self.people[*p];
                RootSignature {
                    member: person.member,
                    signature: person.identity.sign(Label::RootSignature, &[&bytes]),
                }
            })
            .collect();
        Event::Root(SignedRoot {
            root,
            signatures: wire::sort_set(signatures).unwrap(),
            founding: None,
        })
    }

    /// Returns an honest next epoch of the agency key.
    pub fn agency_epoch(&self) -> AgencyEpoch {
        let everybody: Vec<_> = (0..self.people.len())
            .filter(|p| self.agency.live_member(self.people[*p].member).is_ok())
            .collect();
        let recipients = self.readers(&everybody);
        AgencyEpoch {
            open: EpochOpen {
                section: Section::INDEX,
                epoch: Epoch(self.agency.epochs().len() as u32),
                kind: EpochKind::Head,
                of: Epoch::FIRST,
                private_author: None,
                commitment: [0; 32],
                recipients: recipients.clone(),
            },
            keyrings: keyrings(&recipients),
        }
    }

    /// Returns an honest epoch of the data-protection role key, held by `people` and recovery.
    pub fn dpo_epoch(&self, epoch: u32, people: &[usize]) -> DpoEpoch {
        let holders = self.readers(people);
        let fresh = RecipientSeed::from_bytes([epoch as u8; 32]);
        let seed = if epoch == 0 { &self.dpo } else { &fresh };
        DpoEpoch {
            epoch,
            recipient: keyring::recipient_key(seed),
            keyrings: keyrings(&holders),
            holders,
        }
    }
}

/// The key under which the log of [`World::with_release`] signs.
pub fn log_key() -> SigningKey {
    SigningKey::from_seed(&SigningSeed::from_bytes([0x10; 32]))
}

/// Names a keyring for each of `recipients`, by a hash of whom it is for.
pub fn keyrings(recipients: &[RecipientRef]) -> Vec<KeyringRef> {
    let named = recipients.iter().map(|to| KeyringRef {
        to: *to,
        keyring_hash: KeyringHash(hash(Label::KeyringHash, &[&wire::encode(to).unwrap()])),
    });
    wire::sort_set(named.collect()).unwrap()
}

/// Returns the founding event of `founder` with `root`.
pub fn founding(founder: &Person, root: Root) -> SignedRoot {
    let agency = agency_state::agency_id(&root).unwrap();
    let signature = founder
        .identity
        .sign(Label::RootSignature, &[&wire::encode(&root).unwrap()]);
    SignedRoot {
        root,
        signatures: vec![RootSignature {
            member: founder.member,
            signature,
        }],
        founding: Some(Founding {
            roles: founder.roles,
            recipient: founder.recipient(1),
            device: founder.certificate(agency, &founder.identity),
        }),
    }
}

/// Returns the first link of an agency stream, with whatever founding.
pub fn founding_link(founder: &Person, signed: SignedRoot) -> Link {
    let agency = agency_state::agency_id(&signed.root).unwrap();
    let body = LinkBody::Event(PlacedEvent {
        event: Event::Root(signed),
        sealed: Vec::new(),
    });
    Link {
        format: FORMAT,
        agency,
        stream: StreamId::agency(&agency),
        seq: 0,
        previous: LinkId::ZERO,
        agency_head: LinkId::ZERO,
        seen: None,
        device: founder.device,
        body,
    }
}

fn found(founder: &Person, root: Root) -> UnverifiedLink {
    let link = founding_link(founder, founding(founder, root));
    LinkTwin::signed(link, &founder.signer).received().unwrap()
}

struct RoleSeeds {
    recovery: RecipientSeed,
    signing: SigningKey,
    dpo: RecipientSeed,
    duty: RecipientSeed,
    salt: [u8; 16],
}

impl RoleSeeds {
    fn of(seed: u64) -> Self {
        let mut random = Seeded::new(seed * 1000 + 999);
        Self {
            recovery: RecipientSeed::from_bytes(random.bytes()),
            signing: SigningKey::from_seed(&SigningSeed::from_bytes(random.bytes())),
            dpo: RecipientSeed::from_bytes(random.bytes()),
            duty: RecipientSeed::from_bytes(random.bytes()),
            salt: random.bytes(),
        }
    }

    fn root(&self, founder: &Person) -> Root {
        let operations = [
            Operation::Root,
            Operation::Member,
            Operation::Policy,
            Operation::Recovery,
        ];
        Root {
            format: FORMAT,
            version: 1,
            previous: RootHash::ZERO,
            salt: self.salt,
            minimum_format: FORMAT,
            administrators: vec![Administrator {
                member: founder.member,
                identity: founder.identity.public(),
            }],
            thresholds: operations
                .map(|operation| Threshold {
                    operation,
                    administrators: 1,
                })
                .to_vec(),
            recovery: RecoveryKeys {
                version: 1,
                recipient: keyring::recipient_key(&self.recovery),
                signing: self.signing.public(),
            },
            dpo: RoleRecipient {
                epoch: 0,
                recipient: keyring::recipient_key(&self.dpo),
            },
            duty: Some(RoleRecipient {
                epoch: 0,
                recipient: keyring::recipient_key(&self.duty),
            }),
            sections: (0..4)
                .map(|n| SectionRule {
                    section: Section(n),
                    duty: u8::from(n == 3),
                })
                .collect(),
            witnesses: Vec::new(),
            log: None,
            release_version: 0,
        }
    }
}

//! CHK-35 and CHK-36: other roles, and other keys, of members who are there; and who makes such events.

use super::guarded;
use super::refused;
use crate::agency_state::AgencyState;
use crate::check::Check;
use crate::context::Label;
use crate::crypto::sign::PublicKey;
use crate::crypto::sign::SigningKey;
use crate::forge::Person;
use crate::forge::Seeded;
use crate::forge::World;
use crate::forge::world::log_key;
use crate::founding;
use crate::growing;
use crate::growing::Acting;
use crate::growing::Owed;
use crate::growing::Proposal;
use crate::growing::RootPart;
use crate::id::MemberId;
use crate::keyring;
use crate::keystore::Secrets;
use crate::restoring::Appended;
use crate::secret::RecipientSeed;
use crate::secret::SealSecret;
use crate::secret::SigningSeed;
use crate::secret::StoreKey;
use crate::wire;
use crate::wire::v1::agency::Administrator;
use crate::wire::v1::agency::MemberRecipient;
use crate::wire::v1::agency::Operation;
use crate::wire::v1::agency::Roles;
use crate::wire::v1::agency::Root;
use crate::wire::v1::agency::RootSignature;
use crate::wire::v1::agency::Verifier;
use crate::wire::v1::enrolment::NewPerson;
use crate::wire::v1::event::Event;
use crate::wire::v1::event::MemberReset;
use crate::wire::v1::event::MemberRoles;
use crate::wire::v1::event::SignedRoot;

fn roles(member: MemberId, roles: Roles) -> Event {
    Event::Roles(MemberRoles { member, roles })
}

fn reset(of: &Person, version: u32) -> Event {
    let anew = Person::new(777, Roles::NONE);
    Event::Reset(MemberReset {
        identity: anew.identity.public(),
        recipient: MemberRecipient {
            member: of.member,
            ..anew.recipient(version)
        },
    })
}

#[test]
fn chk_35_only_a_live_members_roles_change() {
    let mut world = World::new(1, 3);
    let (first, second) = (world.people[1].member, world.people[2].member);
    guarded(Check::AdministratorOnly, || world.judged(1, roles(second, Roles::ALL)));
    refused(
        Check::RolesChange,
        world.judged(0, roles(MemberId([9; 16]), Roles::ALL)),
    );
    refused(Check::UnknownFormat, world.judged(0, roles(first, Roles(64))));
    world.try_event(0, Event::MemberRetired(second)).unwrap();
    refused(Check::RolesChange, world.judged(0, roles(second, Roles::DPO)));
    assert_eq!(world.judged(0, roles(first, Roles::DPO)), Ok(()));
}

#[test]
fn a_right_is_judged_by_the_roles_of_its_place() {
    let mut world = World::new(1, 2);
    let member = world.people[1].member;
    let before = world.agency.now().seq();
    world.try_event(0, roles(member, Roles::REVIEWER)).unwrap();
    assert_eq!(world.agency.at(before).live_roles(member), Ok(Roles::CASEWORKER));
    assert_eq!(world.agency.now().live_roles(member), Ok(Roles::REVIEWER));
    // Before it joined it has none, and is not there.
    let check = world.agency.at(0).live_roles(member).unwrap_err().check;
    assert_eq!(check, Check::Signer);
}

#[test]
fn chk_36_a_reset_gives_a_live_member_keys_that_it_never_had() {
    let mut world = World::new(1, 3);
    let person = Person::new(1001, Roles::CASEWORKER);
    assert_eq!(person.member, world.people[1].member);
    guarded(Check::AdministratorOnly, || world.judged(1, reset(&person, 2)));
    guarded(Check::MemberReset, || world.judged(0, reset(&person, 3)));
    guarded(Check::MemberReset, || world.judged(0, reset(&person, 1)));
    let Event::Reset(honest) = reset(&person, 2) else {
        panic!("a reset")
    };
    let identities = [person.identity.public(), world.people[2].identity.public()];
    for identity in identities {
        let event = Event::Reset(MemberReset {
            identity,
            ..honest.clone()
        });
        guarded(Check::MemberReset, || world.judged(0, event.clone()));
    }
    let mut same = honest;
    same.recipient.key = person.recipient(1).key;
    guarded(Check::MemberReset, || world.judged(0, Event::Reset(same.clone())));
    refused(
        Check::MemberReset,
        world.judged(0, reset(&Person::new(5, Roles::NONE), 2)),
    );

    world.try_event(0, reset(&person, 2)).unwrap();
    // Nothing of the old keys stands for the member any more.
    let joins = world.people[2].certificate(world.agency.id(), &world.people[2].identity);
    refused(Check::IdReused, world.judged(0, Event::Device(joins)));
    refused(Check::Signer, world.judged(1, Event::Recipient(person.recipient(3))));
    let mut device = Person::new(1001, Roles::CASEWORKER);
    device.device = crate::id::DeviceId([5; 16]);
    let old = device.certificate(world.agency.id(), &person.identity);
    guarded(Check::DeviceCertificate, || world.judged(0, Event::Device(old)));
    let anew = device.certificate(world.agency.id(), &Person::new(777, Roles::NONE).identity);
    assert_eq!(world.judged(0, Event::Device(anew)), Ok(()));
    assert_eq!(world.agency.member_ref(person.member).unwrap().version, 2);
}

/// An agency whose founder has all its keys, with what was appended since.
struct Grown {
    agency: AgencyState,
    read: AgencyState,
    founder: MemberId,
    secrets: Secrets,
    device: crate::id::DeviceId,
    random: Seeded,
}

impl Grown {
    fn new() -> Self {
        let mut random = Seeded::new(8);
        let month = crate::wire::v1::stream::Month(600);
        let founded = crate::founding::found(b"{}", crate::id::PolicyHash([1; 32]), month, &mut random).unwrap();
        Self {
            read: founded.agency.clone(),
            agency: founded.agency,
            founder: founded.member,
            secrets: founded.secrets,
            device: founded.device,
            random,
        }
    }

    fn act<T>(&mut self, f: impl FnOnce(&mut AgencyState, Acting<'_>) -> T) -> T {
        let by = Acting {
            member: self.founder,
            device: self.device,
            secrets: &self.secrets,
        };
        f(&mut self.agency, by)
    }

    /// Reads the links as somebody else, who knew what was there before them.
    fn read(&mut self, appended: &Appended) {
        for link in &appended.links {
            self.read.admit(link.clone().into_unverified(), &[]).unwrap();
        }
        assert_eq!(self.read.head(), self.agency.head());
    }

    fn renew(&mut self) -> Appended {
        let (member, device) = (self.founder, self.device);
        growing::renew(&mut self.agency, member, device, &mut self.secrets, &mut self.random).unwrap()
    }
}

fn person(grown: &Grown, member: u8, device: u8) -> (NewPerson, Secrets) {
    let secrets = Secrets {
        device: SigningSeed::from_bytes([device; 32]),
        seal_secret: SealSecret::from_bytes([1; 32]),
        store_key: StoreKey::from_bytes([1; 32]),
        identity: SigningSeed::from_bytes([device + 1; 32]),
        recipients: vec![(1, RecipientSeed::from_bytes([device + 2; 32]))],
        dpo: Vec::new(),
        recovery: None,
    };
    let identity = SigningKey::from_seed(&secrets.identity);
    let certificate = crate::wire::v1::agency::DeviceCertificate {
        agency: grown.agency.id(),
        member: MemberId([member; 16]),
        device: crate::id::DeviceId([device; 16]),
        key: SigningKey::from_seed(&secrets.device).public(),
    };
    let person = NewPerson {
        identity: identity.public(),
        recipient: keyring::recipient_key(&secrets.recipients[0].1),
        device: crate::joining::certify(certificate, &identity).unwrap(),
    };
    (person, secrets)
}

#[test]
fn who_joins_changes_and_leaves_is_what_any_reader_sees() {
    let mut grown = Grown::new();
    assert_eq!(growing::owed(&grown.agency), Owed::default());
    let (new, secrets) = person(&grown, 60, 61);
    let member = new.device.certificate.member;
    let appended = grown
        .act(|agency, by| growing::join(agency, by, &new, Roles::CASEWORKER))
        .unwrap();
    grown.read(&appended);
    assert_eq!(
        growing::owed(&grown.agency),
        Owed {
            agency: true,
            role: false
        }
    );
    let renewed = grown.renew();
    grown.read(&renewed);
    assert_eq!(growing::owed(&grown.agency), Owed::default());
    // The new member opens the new epoch, and it alone is sealed to it.
    let to = grown.agency.member_ref(member).unwrap();
    let named = grown
        .agency
        .keyrings()
        .iter()
        .filter(|k| k.to == to)
        .collect::<Vec<_>>();
    let file = &renewed
        .files
        .iter()
        .find(|(hash, _)| *hash == named[0].keyring_hash)
        .unwrap()
        .1;
    let stream = crate::wire::v1::stream::StreamId::agency(&grown.agency.id());
    let keys = keyring::open(grown.agency.id(), stream, to, &secrets.recipients[0].1, file).unwrap();
    assert_eq!((named.len(), keys.len(), keys[0].1.0), (1, 1, 1));

    // A reviewer holds the role key, and so a new epoch of it.
    let reviewer = Roles::CASEWORKER.with(Roles::REVIEWER);
    let appended = grown
        .act(|agency, by| growing::change_roles(agency, by, member, reviewer))
        .unwrap();
    grown.read(&appended);
    assert_eq!(
        growing::owed(&grown.agency),
        Owed {
            agency: false,
            role: true
        }
    );
    let renewed = grown.renew();
    grown.read(&renewed);
    assert_eq!(grown.agency.dpo().0, 1);
    assert!(grown.secrets.dpo.iter().any(|(epoch, _)| *epoch == 1));

    // An administrator is the root's too, and stops being so.
    let both = reviewer.with(Roles::ADMINISTRATOR);
    let appended = grown
        .act(|agency, by| growing::change_roles(agency, by, member, both))
        .unwrap();
    grown.read(&appended);
    assert!(grown.read.is_administrator(member));
    let (again, _) = person(&grown, 60, 71);
    let appended = grown.act(|agency, by| growing::reset(agency, by, &again)).unwrap();
    grown.read(&appended);
    assert!(grown.read.is_administrator(member));
    assert!(grown.read.live_device(new.device.certificate.device).is_err());
    assert!(grown.read.live_device(again.device.certificate.device).is_ok());
    assert_eq!(
        growing::owed(&grown.agency),
        Owed {
            agency: true,
            role: true
        }
    );
    let renewed = grown.renew();
    grown.read(&renewed);

    let appended = grown
        .act(|agency, by| growing::retire_device(agency, by, again.device.certificate.device))
        .unwrap();
    grown.read(&appended);
    let appended = grown.act(|agency, by| growing::retire(agency, by, member)).unwrap();
    grown.read(&appended);
    assert_eq!(grown.read.root().administrators.len(), 1);
    assert!(grown.read.live_member(member).is_err());
    let gone = grown.act(|agency, by| growing::retire(agency, by, member).map(|_| ()));
    refused(Check::AdministratorOnly, gone);
    let founder = grown.founder;
    let last = grown.act(|agency, by| growing::retire(agency, by, founder).map(|_| ()));
    refused(Check::RootThreshold, last);
    let renewed = grown.renew();
    grown.read(&renewed);
    assert_eq!(growing::owed(&grown.agency), Owed::default());

    // One's own recipient.
    let seed = RecipientSeed::from_bytes([99; 32]);
    let appended = grown
        .act(|agency, by| growing::renew_recipient(agency, by, &keyring::recipient_key(&seed)))
        .unwrap();
    grown.read(&appended);
    assert_eq!(grown.agency.member_ref(founder).unwrap().version, 2);
    assert_eq!(
        growing::owed(&grown.agency),
        Owed {
            agency: true,
            role: true
        }
    );
}

#[test]
fn a_root_that_needs_two_is_proposed_by_one_and_endorsed_by_another() {
    let mut grown = Grown::new();
    let (new, secrets) = person(&grown, 60, 61);
    let (member, device) = (new.device.certificate.member, new.device.certificate.device);
    let both = Roles::CASEWORKER.with(Roles::ADMINISTRATOR);
    let appended = grown.act(|agency, by| growing::join(agency, by, &new, both)).unwrap();
    grown.read(&appended);
    let needs_two = |root: &mut Root| {
        let of_root = root.thresholds.iter_mut().find(|one| one.operation == Operation::Root);
        of_root.unwrap().administrators = 2;
    };
    let appended = grown
        .act(|agency, by| Proposal::make(agency, by, needs_two)?.adopt(agency, by))
        .unwrap();
    grown.read(&appended);
    // Two are needed, so none of the two goes; and from here on nobody does it alone.
    let fewer = grown.act(|agency, by| growing::change_roles(agency, by, member, Roles::CASEWORKER).map(|_| ()));
    refused(Check::RootThreshold, fewer);
    let witness = |root: &mut Root| {
        root.witnesses = vec![Verifier {
            name: b"witness.example".to_vec(),
            key: log_key().public(),
        }];
    };
    let proposal = grown.act(|agency, by| Proposal::make(agency, by, witness)).unwrap();
    assert_eq!(proposal.missing(&grown.agency), 1);
    let again = grown.act(|agency, by| proposal.clone().endorse(agency, by)).unwrap();
    assert_eq!(again, proposal);
    let alone = grown.act(|agency, by| again.adopt(agency, by).map(|_| ()));
    refused(Check::RootChain, alone);
    let bytes = proposal.to_bytes().unwrap();
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        assert!(Proposal::read(&grown.agency, &flipped).is_err(), "{at}");
    }
    // The other administrator reads it, sees what is new, and endorses it.
    let read = Proposal::read(&grown.agency, &bytes).unwrap();
    assert_eq!(read.root().witnesses.len(), 1);
    let by = Acting {
        member,
        device,
        secrets: &secrets,
    };
    let endorsed = read.endorse(&grown.agency, by).unwrap();
    assert_eq!(endorsed.missing(&grown.agency), 0);
    let appended = endorsed.clone().adopt(&mut grown.agency, by).unwrap();
    grown.read(&appended);
    assert_eq!(grown.read.root().witnesses.len(), 1);
    // It is for that one place: played again it follows nothing.
    let played = endorsed.adopt(&mut grown.agency, by).map(|_| ());
    refused(Check::RootChain, played);
    refused(Check::RootChain, Proposal::read(&grown.agency, &bytes).map(|_| ()));
    // Whoever administers nothing proposes and endorses nothing.
    let (other, its) = person(&grown, 80, 81);
    let appended = grown
        .act(|agency, by| growing::join(agency, by, &other, Roles::SUPERVISOR))
        .unwrap();
    grown.read(&appended);
    let by = Acting {
        member: other.device.certificate.member,
        device: other.device.certificate.device,
        secrets: &its,
    };
    refused(
        Check::AdministratorOnly,
        Proposal::make(&grown.agency, by, witness).map(|_| ()),
    );
}

#[test]
fn whatever_a_proposal_changes_is_told_to_who_signs_it() {
    let mut grown = Grown::new();
    let agency = grown.agency.clone();
    let as_proposed = |root: &mut Root| {
        root.witnesses = vec![Verifier {
            name: b"witness.example".to_vec(),
            key: log_key().public(),
        }];
    };
    let proposal = grown.act(|agency, by| Proposal::make(agency, by, as_proposed)).unwrap();
    let [change] = proposal.changes(&agency).try_into().unwrap();
    assert_eq!((change.part, change.before), (RootPart::Witness, None));
    assert!(change.after.unwrap().starts_with("witness.example+"));
    // Whatever byte of the root is another one, there is a row of it: nothing is signed unseen.
    let root = wire::encode(agency.root()).unwrap();
    let mut told = 0;
    for at in 0..root.len() {
        let mut flipped = root.clone();
        flipped[at] ^= 1;
        let Ok(other) = wire::decode::<Root>(&flipped, root.len()) else {
            continue;
        };
        let beside = other.version != agency.root().version || other.previous != agency.root().previous;
        let proposal = grown
            .act(|agency, by| Proposal::make(agency, by, |root| *root = other))
            .unwrap();
        let changes = proposal.changes(&agency);
        assert!(beside || !changes.is_empty(), "{at}");
        told += changes.len();
    }
    assert!(told > root.len() / 2, "{told}");
}

#[test]
fn an_administrator_is_named_by_a_proposal_where_one_does_not_sign_alone() {
    let mut grown = Grown::new();
    let (new, secrets) = person(&grown, 60, 61);
    let (member, device) = (new.device.certificate.member, new.device.certificate.device);
    let both = Roles::CASEWORKER.with(Roles::ADMINISTRATOR);
    let appended = grown.act(|agency, by| growing::join(agency, by, &new, both)).unwrap();
    grown.read(&appended);
    let needs_two = |root: &mut Root| {
        let of_root = root.thresholds.iter_mut().find(|one| one.operation == Operation::Root);
        of_root.unwrap().administrators = 2;
    };
    let appended = grown
        .act(|agency, by| Proposal::make(agency, by, needs_two)?.adopt(agency, by))
        .unwrap();
    grown.read(&appended);
    assert_eq!(growing::signatures_of_root(&grown.agency), 2);
    // A third comes with the role, and administers nothing until two have named it.
    let (third, old_keys) = person(&grown, 70, 71);
    let its = third.device.certificate.member;
    let appended = grown.act(|agency, by| growing::join(agency, by, &third, both)).unwrap();
    grown.read(&appended);
    assert!(!grown.agency.is_administrator(its));
    let identity = third.identity;
    let name = |root: &mut Root| root.administrators.push(Administrator { member: its, identity });
    let proposal = grown.act(|agency, by| Proposal::make(agency, by, name)).unwrap();
    let by = Acting {
        member,
        device,
        secrets: &secrets,
    };
    let endorsed = proposal.endorse(&grown.agency, by).unwrap();
    let appended = endorsed.adopt(&mut grown.agency, by).unwrap();
    grown.read(&appended);
    assert!(grown.agency.is_administrator(its));
    assert!(grown.read.is_administrator(its));
    // One of them begins anew: the next root names it by the key that it has now, whatever else it is about.
    let (anew, new_keys) = person(&grown, 70, 91);
    let appended = grown.act(|agency, by| growing::reset(agency, by, &anew)).unwrap();
    grown.read(&appended);
    // Until then neither the key that may be somebody else's by now signs a root, nor the new one that no root names.
    let device = anew.device.certificate.device;
    for secrets in [&old_keys, &new_keys] {
        let by = Acting {
            member: its,
            device,
            secrets,
        };
        let proposal = grown.act(|agency, by| Proposal::make(agency, by, |_| ())).unwrap();
        refused(
            Check::AdministratorOnly,
            proposal.endorse(&grown.agency, by).map(|_| ()),
        );
    }
    let mut root = grown.agency.root().clone();
    root.version += 1;
    root.previous = crate::agency_state::root_hash(grown.agency.root()).unwrap();
    for one in &mut root.administrators {
        one.identity = grown.agency.members()[&one.member].identity;
    }
    let bytes = wire::encode(&root).unwrap();
    let signed = |member, secrets: &Secrets| RootSignature {
        member,
        signature: SigningKey::from_seed(&secrets.identity).sign(Label::RootSignature, &[&bytes]),
    };
    let stolen = [signed(member, &secrets), signed(its, &old_keys)];
    let event = Event::Root(SignedRoot {
        root: root.clone(),
        signatures: wire::sort_set(stolen.to_vec()).unwrap(),
        founding: None,
    });
    let signer = SigningKey::from_seed(&secrets.device);
    let mut agency = grown.agency.clone();
    let judged = founding::push(&mut agency, &mut Vec::new(), &signer, by.device, event, Vec::new());
    refused(Check::RootChain, judged);
    // And nobody who is needed begins anew: no root would ever follow.
    let (needed, _) = person(&grown, 60, 95);
    let none_left = grown.act(|agency, by| growing::reset(agency, by, &needed).map(|_| ()));
    refused(Check::RootThreshold, none_left);
    let nothing = |_: &mut Root| ();
    let proposal = grown.act(|agency, by| Proposal::make(agency, by, nothing)).unwrap();
    let [change] = proposal.changes(&grown.agency).try_into().unwrap();
    assert_eq!(change.part, RootPart::Administrator(its));
    let endorsed = proposal.endorse(&grown.agency, by).unwrap();
    let appended = endorsed.adopt(&mut grown.agency, by).unwrap();
    grown.read(&appended);
}

#[test]
fn nobody_but_an_administrator_lets_anybody_in() {
    let mut grown = Grown::new();
    let (new, secrets) = person(&grown, 60, 61);
    let (member, device) = (new.device.certificate.member, new.device.certificate.device);
    let appended = grown
        .act(|agency, by| growing::join(agency, by, &new, Roles::CASEWORKER))
        .unwrap();
    grown.read(&appended);
    let by = Acting {
        member,
        device,
        secrets: &secrets,
    };
    let (other, _) = person(&grown, 80, 81);
    let joined = growing::join(&mut grown.agency, by, &other, Roles::ALL).map(|_| ());
    refused(Check::AdministratorOnly, joined);
    // It may not, and is owed nothing: what it may not open is left to whoever does.
    let mut its = person(&grown, 60, 61).1;
    let renewed = growing::renew(&mut grown.agency, member, device, &mut its, &mut Seeded::new(1)).unwrap();
    assert!(renewed.links.is_empty());
}

#[test]
fn witnesses_are_named_as_a_root_has_them_and_nothing_else_is() {
    let mut grown = Grown::new();
    let one = |name: &str, seed: u8| Verifier {
        name: name.as_bytes().to_vec(),
        key: SigningKey::from_seed(&SigningSeed::from_bytes([seed; 32])).public(),
    };
    let name = |grown: &mut Grown, all: Vec<Verifier>| {
        grown.act(|agency, by| growing::name_witnesses(agency, by.member, by.device, by.secrets, all))
    };
    let appended = name(
        &mut grown,
        vec![one("b.example", 2), one("a.example", 1), one("b.example", 2)],
    )
    .unwrap();
    grown.read(&appended);
    assert_eq!(grown.read.root().witnesses.len(), 2);
    refused(Check::Note, name(&mut grown, vec![one("two words", 1)]).map(|_| ()));
    let no_key = Verifier {
        key: PublicKey([0; 32]),
        ..one("a.example", 1)
    };
    refused(Check::Cosignature, name(&mut grown, vec![no_key]).map(|_| ()));
    let many = (0..17).map(|seed| one("a.example", seed)).collect();
    refused(Check::TooLong, name(&mut grown, many).map(|_| ()));
    let appended = name(&mut grown, Vec::new()).unwrap();
    grown.read(&appended);
    assert!(grown.read.root().witnesses.is_empty());
}
